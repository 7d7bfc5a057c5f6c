"""The collection of answers: no wrong verdict, not knowing where it cannot know, nothing slower than its limit."""

from __future__ import annotations

import time

import pytest

from tests.grading.collection import PairCase, _instruction, cases
from tests.grading.further import COUNTED, TITLES
from ultrainteract.grading import Graders
from ultrainteract.schema import Label

TIMEOUT_S = 3.0
ALLOWED = {
    "=": {"correct"},
    "!": {"wrong"},
    "?": {"undetermined"},
    "=?": {"correct", "undetermined"},
    "!?": {"wrong", "undetermined"},
}
GROUPS = list(dict.fromkeys(case.group for case in cases()))


@pytest.fixture(scope="module")
def by_group() -> dict[str, list[PairCase]]:
    groups: dict[str, list[PairCase]] = {group: [] for group in GROUPS}
    for case in cases():
        groups[case.group].append(case)
    return groups


async def test_every_verdict_is_the_right_one_and_in_time(by_group: dict[str, list[PairCase]]) -> None:
    mistakes: list[str] = []
    async with Graders(timeout_s=TIMEOUT_S) as graders:
        await graders.grade(by_group["roots"][0].instruction, r"\sqrt{12}")  # the worker is up
        for case in (case for group in by_group.values() for case in group):
            start = time.monotonic()
            verdict = await graders.grade(case.instruction, case.answer)
            took = time.monotonic() - start
            gold = case.instruction.gold or case.instruction.gold_set
            if verdict.label not in ALLOWED[case.expected] or took > TIMEOUT_S + 0.5:
                why = verdict.reason or (verdict.evidence.detail if verdict.evidence else "")
                found = f"{verdict.label}, not {case.expected} ({why}, {took:.1f} s)"
                mistakes.append(f"[{case.group}] {gold} ;; {case.answer!r}: {found}")
    assert not mistakes, "\n" + "\n".join(mistakes)


@pytest.mark.parametrize("group", GROUPS)
def test_literal_path_never_contradicts_the_collection(
    group: str, by_group: dict[str, list[PairCase]]
) -> None:
    graders = Graders()
    for case in by_group[group]:
        verdict = graders.grade_literal(case.instruction, case.answer)
        assert verdict is None or verdict.label in ALLOWED[case.expected], case


def test_most_plain_answers_need_no_worker(by_group: dict[str, list[PairCase]]) -> None:
    graders = Graders()
    for group in ("integers", "fractions", "units", "choices", "booleans", "short texts", "sets"):
        decided = [graders.grade_literal(case.instruction, case.answer) for case in by_group[group]]
        assert sum(verdict is not None for verdict in decided) >= 0.85 * len(decided), group


FORMS = (
    "{}",
    "Answer: {}",
    "Answer:{}",
    "The answer is {}.",
    "**{}**",
    r"\boxed{{{}}}",
    r"\boxed{{\text{{{}}}}}",
)


@pytest.mark.parametrize("grader", ["text", "answer_set", "choice", "math"])
async def test_no_title_is_wrong_in_any_form(grader: str) -> None:
    titles = [title.strip() for title in TITLES.replace("\n", " | ").split(" | ") if title.strip()]
    wrong = []
    async with Graders() as graders:
        for title in titles:
            gold = rf"\text{{{title}}}" if grader == "math" else title
            choices = (title, "zebra crossing", "quantum foam") if grader == "choice" else ()
            instruction = _instruction(gold, grader=grader, task="Logic", choices=choices)
            plain = await graders.grade(instruction, title)
            assert plain.label is Label.CORRECT or grader == "math", (title, plain)
            for form in FORMS:
                verdict = await graders.grade(instruction, form.format(title))
                wrong += [(title, form, verdict.evidence)] if verdict.label is Label.WRONG else []
    assert not wrong


async def test_a_number_may_count_anything() -> None:
    async with Graders() as graders:
        for what in (word.strip() for word in COUNTED.replace("\n", " | ").split(" | ") if word.strip()):
            for gold, answer, right in (
                ("12", f"12 {what}", True),
                (rf"12\text{{ {what}}}", "12", True),
                (f"12 {what}", f"The answer is 12 {what}.", True),
                ("12", rf"\boxed{{12\text{{ {what}}}}}", True),
                ("12", f"13 {what}", False),
                (f"12 {what}", f"13 {what}", False),
            ):
                verdict = await graders.grade(_instruction(gold), answer)
                assert verdict.label is (Label.CORRECT if right else Label.WRONG), (gold, answer, verdict)
