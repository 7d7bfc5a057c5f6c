"""Simulated critics, judges and test writers: what they find, leak and stand by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.builders import math_pot
from tests.models.simulation import (
    CONTESTS,
    EVERYTHING,
    FLAWLESS,
    GSM8K,
    PROMPTS,
    asked,
    drawn,
    simulated,
)
from ultrainteract.grading import judge
from ultrainteract.schema import Instruction, Label, Message, Task, Verdict
from ultrainteract.tree.actions import parse_action
from ultrainteract.tree.guards import leaks


async def critiques(
    instruction: Instruction, action: str, output: str = "", n: int = 1, form: str = "", **options: Any
) -> Sequence[str]:
    messages = PROMPTS.render(
        f"critic/{instruction.task.value.lower()}",
        prompt=instruction.prompt,
        gold=instruction.gold or "",
        reference=next(iter((*instruction.solutions, *instruction.rationales)), ""),
        history=[],
        action=action,
        output=output,
    )
    request = asked(instruction, n, role="critic", messages=messages, form=form)
    return [completion.text for completion in await drawn(simulated(**options), request)]


async def test_critics_name_the_error_that_shows() -> None:
    instruction = next(i for i in GSM8K if i.task is Task.MATH_POT)
    action = "Step 1: Add.\n```python\n# Step 2: Add them.\nprint(totl)\n```"
    (text,) = await critiques(
        instruction, action, "Cell In[1], line 2\nNameError: name 'totl' is not defined", leak_rate=0
    )
    assert "`totl`" in text
    assert "line 2" in text
    (text,) = await critiques(
        instruction, action, "Cell In[1], line 2\nSyntaxError: '(' was never closed", leak_rate=0
    )
    assert "parenthesis" in text
    words = next(i for i in GSM8K if i.task is Task.MATH_COT)
    (text,) = await critiques(
        words, "Step 1: Think.\nStep 2: 48/2 = 26 clips.\nStep 3: 48+26 = 74 clips.", leak_rate=0
    )
    assert "Step 2" in text
    assert "48/2" in text
    (text,) = await critiques(
        CONTESTS[0], "Step 1: Loop.", "Test 3 of 10 failed: time limit exceeded.", leak_rate=0
    )
    assert "time" in text


async def test_critics_find_the_step_that_goes_wrong() -> None:
    words = next(i for i in GSM8K if i.task is Task.MATH_COT)
    steps = "Step 1: The sales.\nStep 2: 48/2 = 24 clips in May.\nStep 3: 48-24 = 24 clips altogether. $\\boxed{24}$"
    (text,) = await critiques(words, steps, leak_rate=0)
    assert "one of the quantities on the way" in text
    (text,) = await critiques(
        words, steps.replace("48/2 = 24", "48*2 = 96").replace("48-24 = 24", "48+96 = 144"), leak_rate=0
    )
    assert "Step 2 combines" in text
    programs = next(i for i in GSM8K if i.task is Task.MATH_POT)
    code = "Step 1: Add.\n```python\n# Step 2: May.\nmay = 48 / 2\n# Step 3: All.\ntotal = 48 * may\nprint(total)\n```"
    (text,) = await critiques(programs, code, "1152.0", leak_rate=0)
    assert "Step 3 combines" in text


async def test_critics_leak_at_their_rate_and_less_when_asked_again() -> None:
    rates = {"clean": 0.0, "": 0.0, "again": 0.0}
    seeds = [i for i in EVERYTHING if i.task is not Task.CODING]
    for instruction in seeds:
        (wrong,) = await drawn(simulated(skill=0.0, **FLAWLESS), asked(instruction))
        action = parse_action(wrong.text, instruction, "cot").text
        for form, rate in (("clean", 0.0), ("", 0.5), ("again", 0.5)):
            (text,) = await critiques(instruction, action, form=form.replace("clean", ""), leak_rate=rate)
            rates[form] += leaks(text, instruction, action) / len(seeds)
    assert rates["clean"] == 0
    assert rates[""] == pytest.approx(0.5, abs=0.12)
    assert rates["again"] == pytest.approx(0.125, abs=0.08)


async def test_judges_stand_by_their_marks_when_positions_are_swapped() -> None:
    task = CONTESTS[0].model_copy(update={"grader": "judge", "tests": None, "solutions": ()})

    async def verdict(skill: float) -> Verdict:
        (completion,) = await drawn(simulated(skill=skill, **FLAWLESS), asked(task))

        async def ask(messages: tuple[Message, ...], form: str) -> str:
            return (await drawn(simulated("judge"), asked(task, role="judge", messages=messages, form=form)))[
                0
            ].text

        return await judge(
            task, parse_action(completion.text, task, "cot").text, ask, "def solution(data): return data"
        )

    assert (await verdict(1.0)).label is Label.CORRECT
    assert (await verdict(0.0)).label is Label.WRONG


@pytest.mark.parametrize(
    "instruction", [CONTESTS[0], CONTESTS[5], math_pot()], ids=["contest", "another", "no example"]
)
async def test_test_writers_write_the_inputs_they_are_asked_for(instruction: Instruction) -> None:
    prompt = 'Write:\n- 3 of kind "basic": x;\n- 2 of kind "edge": y;\n- 1 of kind "large": z.'
    request = asked(instruction, role="testgen", messages=(Message(role="user", content=prompt),))
    text = (await drawn(simulated(), request))[0].text
    items = json.loads(text.removeprefix("```json\n").removesuffix("\n```"))
    assert [item["kind"] for item in items] == ["basic"] * 3 + ["edge"] * 2 + ["large"]
    assert all(isinstance(item["input"], str) and item["input"].endswith("\n") for item in items)
