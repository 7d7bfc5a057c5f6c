"""No text ends a run; a run in which no text can be read ends early, with what to change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, cot
from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import ConfigError, UnreadableError
from ultrainteract.models.base import Completion
from ultrainteract.running import Runner, RunReport
from ultrainteract.running.unread import UnreadGuard
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore

RAISED = (TypeError, ValueError, OverflowError, RecursionError, MemoryError, KeyError, ZeroDivisionError, SystemExit,
          UnicodeDecodeError, AssertionError, StopIteration)  # fmt: skip


def config(folder: Path, count: int = 1, **more: Any) -> RunConfig:
    seeds = folder / "seeds.jsonl"
    rows = [{"question": f"What is {number} + 1?", "answer": str(number + 1)} for number in range(count)]
    seeds.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return parse_config(
        {
            "output": str(folder / "run"),
            "seeds": [
                {"dataset": "generic", "name": "sums", "path": str(seeds), "tasks": ["Math_CoT"], "grader": "math",
                 "mapping": {"question": "question", "gold": "answer"}}
            ],
            "models": {"actor": {"provider": "simulated", "model": "s"}},
            "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 2}], "rejected_from": "actor"},
            "critic": {"model": "actor"},
            "export": {"formats": []},
            "max_inflight_trees": 2,
            **more,
        }
    )  # fmt: skip


def error_of(kind: type[BaseException]) -> BaseException:
    return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad") if kind is UnicodeDecodeError else kind("odd")


async def grow(settings: RunConfig, answer: Any) -> RunReport:
    with RunStore.resume(settings.output, settings) as store:
        await Runner(settings, store, models={"actor": Scripted("actor", answer)}).run()
        return RunReport.of(store)


@pytest.mark.parametrize("kind", RAISED)
async def test_an_exception_of_the_parser_leaves_a_sample_undetermined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    if kind is SystemExit:
        pytest.skip("a parser is our own; only plugins could raise it")

    def parse(*_: Any) -> None:
        raise error_of(kind)

    monkeypatch.setattr("ultrainteract.tree.context.read_action", parse)
    report = await grow(config(tmp_path, stop_unread_after=None), lambda *_: cot("1"))
    assert report.states[TreeState.UNSOLVED] == 1
    assert report.guards["parse_failed"] == 2


@pytest.mark.parametrize("kind", RAISED)
async def test_an_exception_anywhere_in_a_tree_is_a_record_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]
) -> None:
    async def take(*_: Any) -> None:
        raise error_of(kind)

    settings = config(tmp_path, stop_unread_after=None)
    with monkeypatch.context() as patch:
        patch.setattr("ultrainteract.tree.grow.take_turn", take)
        report = await grow(settings, lambda *_: cot("1"))
    assert report.states[TreeState.FAILED] == 1
    assert report.guards["unexpected_error"] == 1
    after = await grow(settings, lambda *_: cot("1"))  # it is kept for retry, and the run goes on
    assert after.states[TreeState.FAILED] == 0


async def test_a_run_that_reads_nothing_stops_early_and_says_why(tmp_path: Path) -> None:
    withheld = Completion(text="Well then", tokens=2, finish_reason="other")
    with pytest.raises(UnreadableError, match=r"withheld .* finish reason") as caught:
        await grow(config(tmp_path, 50, stop_unread_after=5), lambda *_: withheld)
    assert "It ends: Well then" in str(caught.value)
    assert caught.value.exit_code == 11
    with RunStore.open(tmp_path / "run") as store:
        assert sum(store.counts().values()) < 12


async def test_a_short_run_that_reads_nothing_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="no answer and no program was found"):
        await grow(config(tmp_path, 2), lambda *_: "I do not know.")


async def test_one_readable_sample_is_enough_at_the_end(tmp_path: Path) -> None:
    report = await grow(
        config(tmp_path, 2), lambda request, _: cot("1") if " 0 +" in request.messages[-1].content else "?"
    )
    assert sum(report.states.values()) == 2


def test_the_guard_passes_over_what_says_nothing() -> None:
    guard = UnreadGuard(2)
    for _ in range(5):
        guard.add({}, "the model could not be reached")
    assert guard.error() is None
    assert guard.error(ended=True) is None


async def test_simulated_is_what_a_simulated_model_touched(tmp_path: Path) -> None:
    report = await grow(config(tmp_path, stop_unread_after=None), lambda *_: "nothing that is kept")
    assert report.simulated


def test_a_budget_in_money_needs_prices(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no price is known of paid.*models\.paid\.price"):
        config(tmp_path, budget={"max_cost": 1}, models={"actor": {"provider": "simulated", "model": "s"}, "paid": {"model": "m"}},
               critic={"model": "paid"})  # fmt: skip
