"""Random trees that keep every rule of the data model, for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from ultrainteract.schema import (
    Action,
    Critique,
    Exchange,
    Instruction,
    Node,
    Observation,
    Pair,
    Provenance,
    SamplingParams,
    StepStats,
    Task,
    Tool,
    Tree,
    Turn,
    Verdict,
)

# Texts hold what trips writers up: quotes, newlines, fences, other scripts, the feedback's own words.
_WORDS = st.sampled_from(
    ["Step 1:", "x = 4", "so", "Out: 3", "Your answer is wrong.", "π≈3.14", "\"quoted\"", "{brace}", "naïve", "答案",
     "```python\nprint(1)\n```", "a\tb", "\\boxed{2}", "\n", "<|im_end|>", "| pipe |"]
)  # fmt: skip
texts = st.lists(_WORDS, min_size=1, max_size=6).map(" ".join)
"""Non-empty texts."""
MODELS = ("actor-8b", "strong-70b", "other-7b", "simulated")


@st.composite
def provenances(draw: st.DrawFn, step: str = "actor") -> Provenance:
    model = draw(st.sampled_from(MODELS))
    return Provenance(
        model=model, provider="simulated" if model == "simulated" else "openai", simulated=model == "simulated",
        sampling=SamplingParams(), step=step, ordinal=draw(st.integers(0, 30)),
        prompt_tokens=draw(st.integers(0, 500)), completion_tokens=draw(st.integers(0, 500)),
        cost=draw(st.none() | st.integers(0, 1000).map(lambda n: n / 1e6)),
    )  # fmt: skip


@st.composite
def nodes(draw: st.DrawFn, label: str, tag: str, *, tools: bool, critique: bool = False) -> Node:
    """A node whose text is made unique in its tree by `tag`."""
    words = draw(texts)
    text = f"{words} [{tag}]"
    answer = draw(st.none() | st.sampled_from(["4", "7", "yes"]))
    if answer is not None:
        text += f"\nAnswer:{answer}"
    exchanges = ()
    if tools and draw(st.booleans()):
        exchanges = (Exchange(text=f"look up {tag}", raw="raw", output=draw(texts)),)
    checks = st.sampled_from(["tests", "equivalence", "choice", "number"])
    verdict = (
        Verdict.correct(draw(checks), reliability=draw(st.sampled_from([1.0, 0.9])))
        if label == "correct"
        else Verdict.wrong(draw(checks))
        if label == "wrong"
        else Verdict.undetermined("cut off")
    )
    return Node(
        action=Action(raw=text, reasoning_schema="cot", text=text, answer=answer, exchanges=exchanges),
        observation=Observation(output=draw(st.none() | texts)),
        verdict=verdict,
        critique=Critique(
            text=draw(texts), guard=draw(st.sampled_from(["clean", "asked_again", "redacted"])),
            provenance=draw(provenances("critic")),
        ) if critique else None,
        provenance=draw(provenances()),
    )  # fmt: skip


@st.composite
def instructions(draw: st.DrawFn) -> Instruction:
    question = f"{draw(texts)} #{draw(st.integers(0, 10**6))}"
    tools: tuple[Tool, ...] = draw(st.sampled_from([(), ("python",)]))
    preamble = "Tool available:\n[1] Python interpreter\n" if tools else "Solve.\n"
    return Instruction(
        task=draw(st.sampled_from(list(Task))), dataset=draw(st.sampled_from(["gsm8k", "MATH", "reclor"])),
        prompt=preamble + question, question=question, grader="math", gold=draw(st.sampled_from(["4", "7"])),
        tools=tools, licence=draw(st.sampled_from([None, "MIT", "CC-BY-4.0"])),
    )  # fmt: skip


@st.composite
def trees(draw: st.DrawFn, max_turns: int = 4) -> Tree:
    """A tree: every turn but the last has an expanded wrong (rarely: undetermined) action."""
    instruction = draw(instructions())
    tools = bool(instruction.tools)
    depth = draw(st.integers(1, max_turns))
    turns: list[Turn] = []
    for number in range(1, depth + 1):
        last = number == depth
        correct = draw(st.booleans())
        label = draw(st.sampled_from(["wrong", "wrong", "wrong", "undetermined"]))
        expand = not last or draw(st.booleans())
        right = draw(nodes("correct", f"{number}c", tools=tools)) if correct else None
        wrong = draw(nodes(label, f"{number}w", tools=False, critique=not last)) if expand else None
        extra = tuple(
            Pair(
                chosen=draw(nodes("correct", f"{number}x{k}", tools=tools)),
                rejected=draw(nodes("wrong", f"{number}y{k}", tools=False)),
            )
            for k in range(draw(st.sampled_from([0, 0, 0, 1, 2])))
        )
        paired = right is not None and wrong is not None and label == "wrong" and draw(st.booleans())
        judged = draw(st.integers(0, 20))
        turns.append(
            Turn(
                correct=right, incorrect=wrong, paired=paired, extra=extra,
                first_correct=draw(st.none() | st.booleans()),
                steps=(
                    StepStats(
                        step="sample", model="actor-8b", drawn=20, judged=judged,
                        correct=draw(st.integers(0, judged)),
                    ),
                ),
            )
        )  # fmt: skip
    return Tree(
        instruction=instruction,
        turns=tuple(turns),
        ended=draw(st.sampled_from(["solved", "turn_cap", "no_incorrect"])),
        guards=draw(st.sampled_from([{}, {"critique_asked_again": 1}])),
    )


def forests(max_size: int = 6) -> st.SearchStrategy[list[Tree]]:
    """Trees of different instructions."""
    return st.lists(trees(), min_size=1, max_size=max_size, unique_by=lambda tree: tree.id)
