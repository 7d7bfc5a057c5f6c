"""Simulated models: the same sample whatever the batch, right and wrong as meant, in every role."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
import pytest_asyncio

from tests.builders import math_cot, math_pot
from ultrainteract.config import ModelConfig, SandboxConfig, SeedConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.grading import Graders, judge, verdict_from_tests
from ultrainteract.models import build_model
from ultrainteract.models.base import ChatRequest, Completion, Purpose, Role
from ultrainteract.models.simulated.model import SimulatedModel, SimulationOptions, pass_rate
from ultrainteract.prompts import Prompts
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Instruction, Label, Message, ReasoningSchema, SamplingParams, Task, Verdict
from ultrainteract.seeds import load_seed
from ultrainteract.tree.actions import parse_action
from ultrainteract.tree.guards import leaks, speaks_of_reference
from ultrainteract.tree.guided import masked

DATA = Path(__file__).parents[2] / "data"
PROMPTS = Prompts()
FLAWLESS = {
    "truncate_rate": 0, "format_break_rate": 0, "leak_rate": 0, "reference_rate": 0, "guided_accuracy": 1,
}  # fmt: skip
ONE_LOOP = pytest.mark.asyncio(loop_scope="module")
"""For tests that share the opened graders and sandbox."""
BLANK = {"rationale": "", "solution": "", "code": ""}


def demo(dataset: str, path: str, task: str | None = None) -> list[Instruction]:
    found = load_seed(SeedConfig(dataset=dataset, path=path, tasks=(task,) if task else ()), DATA)
    return [item for item in found if isinstance(item, Instruction)]


GSM8K = demo("gsm8k", "gsm8k/train.jsonl")
MATH = demo("MATH", "math/train.jsonl")
LSAT = demo("lsat_lr", "agieval_lsat_lr/lsat-lr.jsonl")
STRATEGY = demo("strategyqa", "strategyqa/train.json")
CONTESTS = demo("codecontest", "codecontests/train.jsonl")
EVERYTHING = [*GSM8K, *MATH, *LSAT, *STRATEGY, *CONTESTS]


def simulated(model: str = "simulated", **options: Any) -> SimulatedModel:
    return SimulatedModel("actor", ModelConfig(provider="simulated", model=model, options=options))


def asked(
    instruction: Instruction,
    n: int = 1,
    first: int = 0,
    schema: ReasoningSchema = "cot",
    role: Role = "actor",
    **fields: Any,
) -> ChatRequest:
    plain = instruction.task in (Task.LOGIC, Task.MATH_COT)
    name = f"actor/{instruction.task.value.lower()}.{'cot' if plain else schema}"
    return ChatRequest(
        messages=fields.pop("messages", None)
        or PROMPTS.render(name, prompt=instruction.prompt, tools=instruction.tools),
        sampling=fields.pop("sampling", SamplingParams()),
        n=n,
        first=first,
        purpose=Purpose(role=role, step="step", reasoning_schema=schema, instruction=instruction, **fields),
    )


async def drawn(model: SimulatedModel, request: ChatRequest) -> tuple[Completion, ...]:
    return (await model.sample(request)).completions


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


# ----------------------------------------------------------------------------------------- critic and judge


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
