"""The collection of answers: no wrong verdict, not knowing where it cannot know, nothing slower than its limit."""

from __future__ import annotations

import time

import pytest

from tests.grading.collection import PairCase, cases
from ultrainteract.grading import Graders

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
