"""A few trees written by hand that between them have every feature an export has to deal with."""

from __future__ import annotations

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
    Tree,
    Turn,
    Verdict,
)


def origin(
    model: str = "actor-8b", step: str = "sample", cost: float | None = 0.001, tokens: int = 10
) -> Provenance:
    return Provenance(
        model=model, provider="openai", sampling=SamplingParams(temperature=0.7), step=step, ordinal=0,
        prompt_tokens=100, completion_tokens=tokens, cost=cost,
    )  # fmt: skip


def right(text: str, model: str = "actor-8b", **fields: object) -> Node:
    check = str(fields.pop("check", "equivalence"))
    return Node(
        action=Action(raw=text, reasoning_schema="cot", text=text, **fields),  # type: ignore[arg-type]
        observation=Observation(), verdict=Verdict.correct(check), provenance=origin(model),
    )  # fmt: skip


def wrong(
    text: str,
    model: str = "other-7b",
    output: str | None = None,
    critique: str = "",
    guard: str = "clean",
    **fields: object,
) -> Node:
    return Node(
        action=Action(raw=text, reasoning_schema="cot", text=text, **fields),  # type: ignore[arg-type]
        observation=Observation(output=output, status="ok"),
        verdict=Verdict.wrong("equivalence"),
        critique=Critique(text=critique, guard=guard, provenance=origin("critic-70b", "critic"))
        if critique
        else None,  # type: ignore[arg-type]
        provenance=origin(model, "incorrect"),
    )


def steps(drawn: int, correct: int) -> tuple[StepStats, ...]:
    return (
        StepStats(step="sample", model="actor-8b", drawn=drawn, judged=drawn, correct=correct),
        StepStats(step="incorrect", model="other-7b", drawn=2, judged=2, correct=1),
    )


def forest() -> list[Tree]:
    """The trees, in the order of their names below."""
    two_turns = Tree(
        instruction=Instruction(
            task=Task.MATH_POT, dataset="MATH", question="Solve 4x = 8.", grader="math", gold="2", tools=("python",),
            prompt="Tool available:\n[1] Python interpreter\nSolve the following math problem step-by-step.\nSolve 4x = 8.",
            licence="MIT",
        ),
        turns=(
            Turn(
                correct=right("Step 1: Divide.\n```python\n8 / 4\n```", code="8 / 4"),
                incorrect=wrong(
                    "Step 1: Print x.\n```python\nprint(x)\n```", code="print(x)",
                    output="NameError: name 'x' is not defined", critique="Define x first.",
                ),
                paired=True, first_correct=False, steps=steps(4, 1),
            ),
            Turn(
                correct=right("Step 1: Define x.\n```python\nx = 8 / 4\nprint(x)\n```", code="x = 8 / 4\nprint(x)"),
                incorrect=wrong("```python\nprint(8 * 4)\n```", code="print(8 * 4)"),
                paired=True, first_correct=True, steps=steps(4, 4),
            ),
        ),
        ended="solved",
    )  # fmt: skip
    hard = Tree(
        instruction=Instruction(
            task=Task.CODING, dataset="TACO", question="Echo the input.", grader="tests", licence="Apache-2.0",
            prompt="Write Python code to solve the task.\nEcho the input.",
        ),
        turns=(
            Turn(
                correct=right("```python\nprint(input())\n```", "strong-70b", check="tests", code="print(input())"),
                incorrect=wrong("```python\nprint()\n```", code="print()", output="Wrong answer on test 1."),
                paired=True, first_correct=False,
                extra=(
                    Pair(
                        chosen=right("```python\nimport sys\nsys.stdout.write(input())\n```", "strong-70b", check="tests"),
                        rejected=wrong("```python\npass\n```"),
                    ),
                ),
                steps=(*steps(20, 0), StepStats(step="guided", model="strong-70b", drawn=2, judged=2, correct=2)),
            ),
        ),
        ended="turn_cap",
    )  # fmt: skip
    tool_calls = Tree(
        instruction=Instruction(
            task=Task.LOGIC, dataset="hotpotqa", question="Who wrote it?", grader="text", gold="Ada", licence="CC-BY-SA-4.0",
            prompt="Tool available:\n[1] wikipedia_search(query: str) -> str\nSolve the following problem step-by-step:\nWho wrote it?",
            tools=("wikipedia_search",),
        ),
        turns=(
            Turn(
                correct=right(
                    "Step 2: It was Ada.\nAnswer:Ada", answer="Ada",
                    exchanges=(Exchange(text="```python\nwikipedia_search('it')\n```", raw="…", output="It is by Ada."),),
                ),
                incorrect=wrong("Step 1: It was Bob.\nAnswer:Bob", "actor-8b", answer="Bob", critique="Look it up.", guard="redacted"),
                paired=True, first_correct=False, steps=steps(4, 1),
            ),
            Turn(
                incorrect=wrong("Step 1: It was Cy.\nAnswer:Cy", answer="Cy", critique="Look it up again.", guard="asked_again"),
                first_correct=False, steps=steps(20, 0),
            ),
            Turn(correct=right("Answer:Ada", answer="Ada"), first_correct=True, steps=steps(4, 2)),
        ),
        ended="no_incorrect",
        guards={"critique_redacted": 1, "critique_asked_again": 1},
    )  # fmt: skip
    judged = Tree(
        instruction=Instruction(
            task=Task.CODING, dataset="magicoder_evol_instruct", question="Greet.", grader="judge",
            prompt="Write Python code to solve the task.\nGreet.",
        ),
        turns=(Turn(correct=right("```python\nprint('hi')\n```", check="judge", code="print('hi')"), first_correct=True, steps=steps(1, 1)),),
        ended="solved",
    )  # fmt: skip
    unsolved = Tree(
        instruction=Instruction(
            task=Task.MATH_COT, dataset="gsm8k", question="How many?", grader="math", gold="5", licence="MIT",
            prompt="Solve the following math problem step-by-step.\nHow many?",
        ),
        turns=(Turn(incorrect=wrong("Answer:\n\\boxed{4}", answer="4", syntax_ok=True), first_correct=False, steps=steps(20, 0)),),
        ended="no_critique",
    )  # fmt: skip
    return [two_turns, hard, tool_calls, judged, unsolved]


def copies(count: int) -> list[Tree]:
    """Trees of `5 * count` problems."""
    return [
        tree.model_copy(
            update={
                "instruction": tree.instruction.model_copy(
                    update={
                        "question": f"{tree.instruction.question} {number}",
                        "prompt": f"{tree.instruction.prompt} {number}",
                    }
                )
            }
        )
        for number in range(count)
        for tree in forest()
    ]
