"""Simulated models: the same sample whatever the batch, right and wrong as meant, in every role."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from statistics import mean
from typing import Any

import pytest
import pytest_asyncio

from tests.builders import math_cot, math_pot
from tests.models.simulation import (
    BLANK,
    CONTESTS,
    EVERYTHING,
    FLAWLESS,
    GSM8K,
    LSAT,
    MATH,
    PROMPTS,
    STRATEGY,
    asked,
    drawn,
    simulated,
)
from ultrainteract.config import ModelConfig, SandboxConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.grading import Graders, verdict_from_tests
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatRequest, Completion, Purpose, Role
from ultrainteract.models.simulated.model import SimulationOptions, pass_rate
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Label, Message, ReasoningSchema, SamplingParams, Task, Verdict
from ultrainteract.tree.actions import parse_action
from ultrainteract.tree.guards import speaks_of_reference
from ultrainteract.tree.guided import masked

ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
"""For tests that share the opened graders and sandbox."""


# ------------------------------------------------------------------------------------------- configuration


async def test_is_the_provider_named_simulated_and_says_so() -> None:
    model = build_model("actor", ModelConfig(provider="simulated", model="sim-7b", options={"skill": 0.9}))
    assert (model.name, model.model, model.provider, model.simulated) == (
        "actor",
        "sim-7b",
        "simulated",
        True,
    )
    await model.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"skill": 1.5}, r"models\.actor\.options\.skill: .*less than or equal to 1"),
        ({"skil": 0.5}, r"models\.actor\.options\.skil: .*not permitted"),
        ({"latency_s": -1, "leak_rate": "often"}, r"latency_s(.|\n)*leak_rate|leak_rate(.|\n)*latency_s"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        simulated(**options)
    assert "There are: skill, " in str(caught.value)


async def test_a_request_about_nothing_is_refused_for_good() -> None:
    request = ChatRequest(
        messages=(Message(role="user", content="Hello"),),
        sampling=SamplingParams(),
        purpose=Purpose(role="actor", step="x"),
    )
    with pytest.raises(ProviderError, match="is simulated") as caught:
        await simulated().sample(request)
    assert caught.value.fatal


# --------------------------------------------------------------------------------------------- determinism


@pytest.mark.parametrize("role", ["actor", "guided", "critic", "testgen"])
async def test_sample_k_is_the_same_in_any_batch(role: Role) -> None:
    for instruction in EVERYTHING[::23]:
        whole = await drawn(simulated(), asked(instruction, 12, role=role))
        for cut in ((1,) * 12, (4, 4, 4), (1, 2, 4, 5), (5, 7)):
            parts: list[Completion] = []
            model = simulated()  # a fresh process, as far as the model can tell
            for n in cut:
                parts += await drawn(model, asked(instruction, n, len(parts), role=role))
            assert tuple(parts) == whole


async def test_what_else_was_asked_makes_no_difference() -> None:
    model, instructions = simulated(), EVERYTHING[::11]
    one_by_one = [await drawn(simulated(), asked(instruction, 3)) for instruction in instructions]
    backwards = [await drawn(model, asked(instruction, 3)) for instruction in reversed(instructions)]
    together = await asyncio.gather(*(drawn(model, asked(instruction, 3)) for instruction in instructions))
    copies = [await drawn(model, asked(Instruction(**i.model_dump()), 3)) for i in instructions]
    assert one_by_one == backwards[::-1] == together == copies


async def test_actor_and_pool_that_ask_the_same_get_the_same() -> None:
    """The record's key knows nothing of roles: neither may the sample."""
    request = asked(GSM8K[0], 8)
    pooled = asked(GSM8K[0], 8, role="incorrect")
    assert await drawn(simulated(), request) == await drawn(simulated(), pooled)


async def test_samples_depend_on_model_options_messages_and_sampling() -> None:
    request = asked(GSM8K[0], 8)
    base = await drawn(simulated(), request)
    hotter = request.model_copy(update={"sampling": SamplingParams(temperature=0.5)})
    more = (*request.messages, Message(role="user", content="Your answer is wrong."))
    for model, other in (
        (simulated("other"), request),
        (simulated(skill=0.51), request),
        (simulated(), hotter),
        (simulated(), request.model_copy(update={"messages": more})),
    ):
        assert await drawn(model, other) != base
    assert await drawn(simulated(latency_s=0.001), request) == base
    assert len({completion.text for completion in base}) > 4


# ------------------------------------------------------------------------------------------ right and wrong


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def graders() -> AsyncIterator[Graders]:
    async with Graders() as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = open_sandbox(SandboxConfig(kind="bubblewrap"))
    await opened.start()
    yield opened
    await opened.close()


def in_format(raw: str, task: Task) -> bool:
    """The actor's format, to the letter: sections in order, steps numbered from 1 through text and code."""
    step = r"Step \d+: \S[^<]*"
    code = r"<execute>\n(?P<code>.+)\n</execute>"
    answer = r"<solution>\nAnswer: \S[^\n]*\n</solution>"
    last = code if task in (Task.CODING, Task.MATH_POT) else answer
    numbers = [int(number) for number in re.findall(r"^ *(?:# )?Step (\d+):", raw, re.MULTILINE)]
    shape = re.compile(rf"<thought>\n{step.replace('[^<]', '.')}\n</thought>\n{last}", re.DOTALL)
    return (
        shape.fullmatch(raw) is not None and numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 2
    )


@ONE_LOOP
@pytest.mark.parametrize("seeds", [GSM8K, MATH, LSAT, STRATEGY], ids=["gsm8k", "MATH", "lsat", "strategyqa"])
async def test_answers_in_words_grade_as_they_are_meant(seeds: list[Instruction], graders: Graders) -> None:
    for instruction in seeds:
        if instruction.task is Task.MATH_POT:
            continue
        for skill, label in ((1.0, Label.CORRECT), (0.0, Label.WRONG)):
            for completion in await drawn(simulated(skill=skill, **FLAWLESS), asked(instruction, 3)):
                assert in_format(completion.text, instruction.task), completion.text
                answer = parse_action(completion.text, instruction, "cot").answer
                assert answer is not None
                verdict = await graders.grade(instruction, answer)
                assert verdict.label is label, (instruction.gold, completion.text, verdict)


@ONE_LOOP
@pytest.mark.bubblewrap
@pytest.mark.parametrize("schema", ["cot", "modular"])
async def test_programs_of_thought_compute_what_they_are_meant_to(
    schema: ReasoningSchema, graders: Graders, sandbox: Sandbox
) -> None:
    seeds = [i for i in (*GSM8K, *MATH) if i.task is Task.MATH_POT]

    async def check(instruction: Instruction, skill: float, label: Label) -> None:
        (completion,) = await drawn(simulated(skill=skill, **FLAWLESS), asked(instruction, schema=schema))
        assert in_format(completion.text, instruction.task), completion.text
        action = parse_action(completion.text, instruction, schema)
        assert action.code is not None
        execution = await sandbox.run([action.code])
        if execution.status == "ok":
            verdict = await graders.grade(instruction, execution.text)
        else:
            assert execution.error_type in ("NameError", "SyntaxError", "ZeroDivisionError"), execution
            verdict = Verdict.wrong("format")
        assert verdict.label is label, (instruction.gold, completion.text, execution)
        if schema == "modular" and label is Label.CORRECT:
            assert re.search(r"^def \w+\(.*\):\n    return ", action.code, re.MULTILINE)

    async with asyncio.TaskGroup() as group:
        for instruction in seeds:
            group.create_task(check(instruction, 1.0, Label.CORRECT))
            group.create_task(check(instruction, 0.0, Label.WRONG))


@ONE_LOOP
@pytest.mark.bubblewrap
async def test_programs_for_tasks_pass_or_fail_their_tests(sandbox: Sandbox) -> None:
    async def label(instruction: Instruction, completion: Completion, schema: ReasoningSchema) -> Label:
        assert in_format(completion.text, instruction.task), completion.text
        action = parse_action(completion.text, instruction, schema)
        assert instruction.tests is not None
        assert action.code is not None
        return verdict_from_tests(
            instruction.tests, await sandbox.run_tests(action.code, instruction.tests)
        ).label

    right, wrong = [], []
    for number, instruction in enumerate(CONTESTS):
        schema: ReasoningSchema = "modular" if number % 2 else "cot"
        for skill, found in ((1.0, right), (0.0, wrong)):
            (completion,) = await drawn(simulated(skill=skill, **FLAWLESS), asked(instruction, schema=schema))
            found.append(await label(instruction, completion, schema))
    assert set(right) == {Label.CORRECT}
    # Nothing is run while they are written: a few of the slips do not matter to the tests.
    assert wrong.count(Label.CORRECT) <= 3
    assert set(wrong) <= {Label.CORRECT, Label.WRONG}


async def test_wrong_programs_fail_in_all_the_ways_programs_fail() -> None:
    kinds = {"syntax": 0, "runs": 0}
    names = 0
    for instruction in (*CONTESTS, *(i for i in GSM8K if i.task is Task.MATH_POT)):
        right = {
            completion.text
            for completion in await drawn(simulated(skill=1.0, **FLAWLESS), asked(instruction, 10))
        }
        for completion in await drawn(simulated(skill=0.0, **FLAWLESS), asked(instruction, 10)):
            assert completion.text not in right
            action = parse_action(completion.text, instruction, "cot")
            kinds["runs" if action.syntax_ok else "syntax"] += 1
            names += bool(re.search(r"\b(?:the_\w+|\w+_(?:total|list))\b", action.code or ""))
    assert 0.03 < kinds["syntax"] / sum(kinds.values()) < 0.13
    assert names > 10


# -------------------------------------------------------------------------------------------- difficulty


def test_difficulties_follow_the_distribution_they_should() -> None:
    options = SimulationOptions()
    rates = [pass_rate(options, math_cot(f"What is {n} + 1?", str(n + 1))) for n in range(4000)]
    assert mean(rates) == pytest.approx(0.7 / 1.7, abs=0.02)
    assert mean(rate < 0.1 for rate in rates) == pytest.approx(0.1**0.7 * 0.87, abs=0.06)
    beyond = [
        pass_rate(SimulationOptions(beyond=0.15), math_cot(f"What is {n} + 1?", str(n + 1)))
        for n in range(4000)
    ]
    assert mean(rate == 0 for rate in beyond) == pytest.approx(0.15, abs=0.02)


def test_skill_and_feedback_help_on_every_instruction() -> None:
    for instruction in EVERYTHING:
        rates = [pass_rate(SimulationOptions(skill=skill), instruction) for skill in (0, 0.2, 0.5, 0.8, 1)]
        assert rates == sorted(rates)
        assert (rates[0], rates[-1]) == (0, 1)
        turns = [pass_rate(SimulationOptions(), instruction, turn) for turn in (1, 2, 3, 4, 5)]
        assert turns == sorted(turns)


@ONE_LOOP
async def test_pass_rates_are_those_of_the_samples(graders: Graders) -> None:
    for instruction in [i for i in GSM8K if i.task is Task.MATH_COT][:5]:
        right = 0
        for completion in await drawn(simulated(**FLAWLESS), asked(instruction, 200)):
            answer = parse_action(completion.text, instruction, "cot").answer
            verdict = graders.grade_literal(instruction, answer or "")
            right += verdict is not None and verdict.label is Label.CORRECT
        assert right / 200 == pytest.approx(pass_rate(SimulationOptions(), instruction), abs=0.12)


# ------------------------------------------------------------------------------------------ slips of format


async def test_truncated_and_broken_answers_come_at_their_rates() -> None:
    completions = [
        completion
        for instruction in EVERYTHING
        for completion in await drawn(
            simulated(truncate_rate=0.2, format_break_rate=0.3), asked(instruction, 8)
        )
    ]
    cut = [completion for completion in completions if completion.finish_reason == "length"]
    assert len(cut) / len(completions) == pytest.approx(0.2, abs=0.04)
    whole = [completion.text for completion in completions if completion.finish_reason == "stop"]
    broken = [
        text
        for text in whole
        if text.count("<") < 4 or text.count("</") * 2 < text.count("<t") + text.count("<e")
    ]
    assert len(broken) / len(whole) > 0.1


async def test_the_token_cap_holds() -> None:
    request = asked(CONTESTS[0], 5, sampling=SamplingParams(max_tokens=20))
    reply = await simulated(**FLAWLESS).sample(request)
    assert all(c.finish_reason == "length" and c.tokens <= 20 for c in reply.completions)
    assert reply.usage.completion_tokens == sum(c.tokens for c in reply.completions)
    assert reply.usage.prompt_tokens > 500


# ------------------------------------------------------------------------------------------------ guided


@ONE_LOOP
@pytest.mark.bubblewrap
async def test_guided_forms_give_right_actions(graders: Graders, sandbox: Sandbox) -> None:
    model = simulated(skill=0.0, **FLAWLESS)

    async def guided(
        instruction: Instruction, form: str, schema: ReasoningSchema = "cot", **shown: str
    ) -> str:
        variables = {"prompt": instruction.prompt, "gold": instruction.gold or "", **BLANK, **shown}
        messages = PROMPTS.render(f"guided/{instruction.task.value.lower()}.{form}", **variables)
        request = asked(instruction, schema=schema, role="guided", form=form, messages=messages)
        text = (await drawn(model, request))[0].text
        assert not speaks_of_reference(text)
        return text

    for instruction in [i for i in (*GSM8K, *MATH) if i.task is Task.MATH_COT][::9]:
        rationale = masked(instruction.rationales[0], instruction.gold or "")
        action = parse_action(await guided(instruction, "masked", rationale=rationale), instruction, "cot")
        assert (await graders.grade(instruction, action.answer or "")).label is Label.CORRECT
    for instruction in [i for i in (*GSM8K, *MATH) if i.task is Task.MATH_POT][::9]:
        raw = await guided(instruction, "translate", rationale=instruction.rationales[0])
        assert "Step" not in raw
        code = parse_action(raw, instruction, "cot").code or ""
        for form in ("translate", "plan", "modular"):
            if form != "translate":
                raw = await guided(instruction, form, "modular" if form == "modular" else "cot", code=code)
                assert in_format(raw, instruction.task)
            assert ("\ndef " in raw) == (form == "modular")
            execution = await sandbox.run([parse_action(raw, instruction, "cot").code or ""])
            assert (await graders.grade(instruction, execution.text)).label is Label.CORRECT, raw
    for instruction in CONTESTS[::6]:
        for form in ("annotate", "refine"):
            raw = await guided(instruction, form, solution=instruction.solutions[0])
            assert in_format(raw, instruction.task)
            assert instruction.tests is not None
            report = await sandbox.run_tests(
                parse_action(raw, instruction, "cot").code or "", instruction.tests
            )
            assert report.passed


async def test_some_guided_actions_speak_of_what_they_were_shown() -> None:
    texts = [
        completion.text
        for instruction in GSM8K
        for completion in await drawn(simulated(reference_rate=0.3), asked(instruction, 4, role="guided"))
    ]
    assert mean(speaks_of_reference(text) for text in texts) == pytest.approx(0.3, abs=0.08)


# ------------------------------------------------------------------------------------------------- the rest


async def test_searches_come_before_the_answer() -> None:
    instruction = STRATEGY[0]
    model = simulated(search_rate=1.0, **FLAWLESS)
    (search,) = await drawn(model, asked(instruction))
    action = parse_action(search.text, instruction, "cot")
    assert action.answer is None
    assert "wikipedia_search(" in (action.code or "")
    request = asked(instruction)
    found = (Message(role="assistant", content=search.text), Message(role="user", content="Out: An article."))
    (answered,) = await drawn(model, request.model_copy(update={"messages": (*request.messages, *found)}))
    assert parse_action(answered.text, instruction, "cot").answer in ("yes", "no")


@pytest.mark.parametrize(
    "instruction",
    [
        math_cot("Hm?", "x^2 + 1"),
        math_cot("", "\\begin{pmatrix} a \\\\ b \\end{pmatrix}"),
        math_pot("Broken LaTeX", "$\\frac{1}{", rationales=("= = 3 = \\boxed{", "( 1 + ) = 2")),
        math_pot("Big", "1" + "0" * 400, rationales=("9" * 50 + " * 2 = 3.",)),
        math_pot(
            "Odd programs",
            "4",
            solutions=("while True: pass", "x = (", "# nothing", "print(2 ** 2)", "\ta = 1"),
        ),
        CONTESTS[0].model_copy(update={"solutions": ()}),
        CONTESTS[0].model_copy(
            update={"solutions": ("x" * 30_000, "é = 'ü' if 1 < 2 else 3\nprint(é, 1 < 2)")}
        ),
        LSAT[0].model_copy(update={"choices": (), "gold": "D"}),
        STRATEGY[0].model_copy(update={"gold": None, "gold_set": ("Paris", "1900"), "question": "?"}),
    ],
    ids=lambda instruction: instruction.question[:12],
)
async def test_odd_instructions_get_some_answer(instruction: Instruction) -> None:
    schemas: tuple[ReasoningSchema, ...] = ("cot", "modular")
    for schema in schemas:
        for skill in (0.0, 1.0):
            for completion in await drawn(simulated(skill=skill), asked(instruction, 10, schema=schema)):
                assert completion.text.strip()
                parse_action(completion.text, instruction, schema)
