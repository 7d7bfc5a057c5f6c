"""A two-turn tree written by hand, for the examples in docstrings and documentation."""

from __future__ import annotations

from ultrainteract.schema import (
    Action,
    Critique,
    Instruction,
    Node,
    Observation,
    Provenance,
    SamplingParams,
    StepStats,
    Task,
    Tree,
    Turn,
    Verdict,
)


def example_tree() -> Tree:
    """The tree: 2 and 3 are combined wrongly twice, and rightly each time after."""

    def node(model: str, code: str, output: str, right: bool, critique: str = "") -> Node:
        provenance = Provenance(
            model=model, provider="openai", sampling=SamplingParams(), step="actor", ordinal=0,
            prompt_tokens=60, completion_tokens=20, cost=0.0001,
        )  # fmt: skip
        text = f"Step 1: Compute.\n```python\n{code}\n```" if not right else f"Step 1: Compute with {code}"
        return Node(
            action=Action(raw=text, reasoning_schema="cot", text=text, code=code),
            observation=Observation(output=output),
            verdict=Verdict.correct("number") if right else Verdict.wrong("number"),
            critique=Critique(text=critique, provenance=provenance) if critique else None,
            provenance=provenance,
        )

    prompt = "Tool available:\n[1] Python interpreter\nWhat is 2 times 3?"
    steps = (StepStats(step="actor", model="actor-8b", drawn=4, judged=4, correct=1),)
    return Tree(
        instruction=Instruction(
            task=Task.MATH_POT, dataset="gsm8k", prompt=prompt, question="What is 2 times 3?", grader="number",
            gold="6", tools=("python",), licence="MIT", source="example/1",
        ),
        turns=(
            Turn(
                correct=node("actor-8b", "print(3*2)", "6", True),
                incorrect=node("other-7b", "print(3-2)", "1", False, "The question asks for a product."),
                paired=True, first_correct=False, steps=steps,
            ),
            Turn(
                correct=node("actor-8b", "print(2*3)", "6", True),
                incorrect=node("other-7b", "print(2/3)", "0.67", False),
                paired=True, first_correct=True, steps=steps,
            ),
        ),
        ended="solved",
    )  # fmt: skip
