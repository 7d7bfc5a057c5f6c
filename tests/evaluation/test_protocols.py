"""Success by turn: a model of known success gives the expected table, and a killed evaluation the same bytes."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.builders import Scripted
from tests.evaluation.helpers import configured, evaluated, items_of
from ultrainteract.config import EvaluationConfig
from ultrainteract.evaluation.figures import BenchmarkFigures
from ultrainteract.evaluation.outcomes import Outcome
from ultrainteract.models.base import ChatRequest

CRITIC = {"provider": "simulated", "model": "critic"}


def learner(config: EvaluationConfig, solves_at: dict[int, int]) -> Scripted:
    """A model that solves item n at its turn `solves_at[n]`, and never where it is not named."""
    order = {item.question: number for number, item in enumerate(items_of(config))}
    golds = {item.question: item.gold for item in items_of(config)}

    def answer(request: ChatRequest, ordinal: int) -> str:
        assert request.purpose.instruction is not None
        question = request.purpose.instruction.question
        right = solves_at.get(order[question]) == request.purpose.turn
        value = golds[question] if right else "12345"
        if config.rollout.protocol == "mint":
            return f"I think so.\n<solution>{value}</solution>"
        return f"I think so.\nAnswer: {value}"

    return Scripted("actor", answer)


def by_turn(row: BenchmarkFigures) -> list[float]:
    return [round(turn.success.value, 4) for turn in row.by_turn]


def test_one_rollout_is_cumulative(tmp_path: Path) -> None:
    config = configured(tmp_path, "svamp", tasks=("Math_CoT",), limit=20, rollout={"protocol": "rollout"})
    solves_at = {**dict.fromkeys(range(4), 1), **dict.fromkeys(range(4, 10), 2), 10: 3, 11: 5, 12: 6}
    actor = learner(config, solves_at)
    (row,) = evaluated(config, actor).benchmarks
    assert row.protocol == "rollout"
    assert by_turn(row) == [0.2, 0.5, 0.55, 0.55, 0.6]
    assert row.accuracy is not None
    assert row.accuracy.value == 0.6
    asked = [request for request in actor.requests if request.purpose.turn == 2]
    assert len(asked) == 16
    assert asked[0].messages[-1].content == "Your answer is wrong."
    assert row.by_turn[0].success.method == "wilson"


def test_mint_plays_a_rollout_for_each_k(tmp_path: Path) -> None:
    """One proposal at k = 1 and two beyond: what is solved at a third proposal is not solved at all."""
    config = configured(tmp_path, "svamp", tasks=("Math_CoT",), limit=10, rollout={"protocol": "mint"})
    actor = learner(config, {0: 1, 1: 1, 2: 2, 3: 3})
    (row,) = evaluated(config, actor).benchmarks
    assert row.protocol == "mint"
    assert by_turn(row) == [0.2, 0.3, 0.3, 0.3, 0.3]
    assert row.invalid == 0.0
    first = actor.requests[0].messages[0].content
    assert "You have 1 step in all, and you can propose 1 solution." in first
    last = next(request for request in actor.requests if request.purpose.turn == 2).messages[-1].content
    assert last.startswith("Your answer is wrong.\nSteps left: 1. Solutions left to propose: 1.")


@pytest.mark.bubblewrap
def test_mint_runs_programs_and_counts_invalid_actions(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "svamp", tasks=("Math_CoT",), limit=1, rollout={"protocol": "mint", "max_turns": 4}
    )
    gold = items_of(config)[0].gold
    steps = [
        "Hm.",
        "<execute>\nx = 7\nprint(x + 1)\n</execute>",
        "```python\nprint(x * 2)\n```",
        f"<solution>{gold}</solution>",
    ]
    actor = Scripted("actor", lambda request, ordinal: steps[request.purpose.turn - 1])
    (row,) = evaluated(config, actor).benchmarks
    assert by_turn(row) == [0.0, 0.0, 0.0, 1.0]
    assert row.invalid == 4 / 10
    told = [message.content for message in actor.requests[-1].messages if message.role == "user"][-3:]
    assert told[0].startswith("This is neither a program nor a solution.")
    assert told[1].startswith("Out: 8\n")
    assert told[2].startswith("Out: 14\n")
    assert told[2].endswith("This is your last step: propose a solution.")
    assert row.outcomes == {Outcome.NO_ANSWER: 3, Outcome.RIGHT: 1}


def test_without_feedback_nothing_is_said_of_the_answer(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "svamp", tasks=("Math_CoT",), limit=2,
        rollout={"protocol": "rollout", "max_turns": 2, "feedback": "none"},
    )  # fmt: skip
    actor = learner(config, {})
    evaluated(config, actor)
    said = {request.messages[-1].content for request in actor.requests if request.purpose.turn == 2}
    assert said == {"Look at your answer again. If it is right, repeat it; if it is not, correct it."}


def test_a_critique_that_gives_the_answer_away_is_withheld(tmp_path: Path) -> None:
    config = configured(
        tmp_path, "svamp", tasks=("Math_CoT",), limit=2, critic=CRITIC,
        rollout={"protocol": "rollout", "max_turns": 2, "feedback": "critique"},
    )  # fmt: skip
    items = items_of(config)[:2]

    def criticise(request: ChatRequest, ordinal: int) -> str:
        assert request.purpose.instruction is not None
        leaky = request.purpose.instruction.question == items[0].question
        return (
            f"The correct answer is {items[0].gold}."
            if leaky
            else "You have added where a difference is asked for."
        )

    actor = learner(config, {})
    (row,) = evaluated(config, actor, critic=Scripted("critic", criticise)).benchmarks
    assert (row.critiques, row.withheld) == (1, 1)
    said = {request.messages[-1].content for request in actor.requests if request.purpose.turn == 2}
    assert said == {
        "Your answer is wrong.",
        "Your answer is wrong.\nYou have added where a difference is asked for.",
    }


def test_a_killed_evaluation_ends_with_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.evaluation.resumed"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, timeout=120, capture_output=True)
    rng = random.Random(3)
    for number in range(4):
        process = subprocess.Popen([*command, str(tmp_path / "killed")], stdout=subprocess.DEVNULL)
        began = time.monotonic()
        while not (tmp_path / "killed/store.sqlite").exists() and time.monotonic() - began < 60:
            time.sleep(0.05)
        time.sleep(rng.uniform(0.05, 0.6))
        process.kill()
        process.wait()
        assert number or not (tmp_path / "killed/report.json").exists()
    done = subprocess.run(
        [*command, str(tmp_path / "killed")], check=True, timeout=120, capture_output=True, text=True
    )
    assert int(done.stdout) >= 0
    for name in ("report.json", "items.jsonl"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("I do not know.", Outcome.NO_ANSWER),
        ("Answer: \\frac{1", Outcome.UNGRADABLE),
        ("Answer: 7", Outcome.WRONG),
    ],
)
def test_what_is_not_right_is_told_apart(text: str, outcome: Outcome, tmp_path: Path) -> None:
    config = configured(tmp_path, "svamp", tasks=("Math_CoT",), limit=3)
    (row,) = evaluated(config, Scripted("actor", lambda request, ordinal: text)).benchmarks
    assert row.outcomes == {outcome: 3}
    assert row.accuracy is not None
    assert row.accuracy.value == 0.0
    assert (row.gradable_accuracy is None) == (outcome is not Outcome.WRONG)
