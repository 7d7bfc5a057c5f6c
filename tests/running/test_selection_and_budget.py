"""What a whole run leaves out, checks and spends: rules that ask the actor, a budget in money, `validate` passing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, cot, models
from ultrainteract.api import run_async, validate_async
from ultrainteract.config import RunConfig, load_config, parse_config
from ultrainteract.errors import BudgetExceeded, ConfigError
from ultrainteract.models.base import ChatRequest
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore

ROOT = Path(__file__).parents[2]
SUMS = {"easy": "5", "uneven": "7", "hard": "11"}


def config(folder: Path, **fields: Any) -> RunConfig:
    rows = [json.dumps({"q": f"The {name} sum?", "a": gold}) for name, gold in SUMS.items()]
    (folder / "sums.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    model = {"provider": "simulated", "model": "m", "price": {"input": 1, "output": 2}}
    data = {
        "output": str(folder / "run"),
        "seeds": [
            {"dataset": "generic", "name": "sums", "path": str(folder / "sums.jsonl"), "tasks": ["Math_CoT"],
             "grader": "math", "mapping": {"question": "q", "gold": "a"}}
        ],
        "models": {"actor": model, "critic": model},
        "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 4}], "rejected_from": "actor", "max_turns": 2},
        "critic": {"model": "critic"},
        "max_inflight_trees": 1,
        "export": {"formats": []},
    }  # fmt: skip
    return parse_config({**data, **fields})


def actor(request: ChatRequest, ordinal: int) -> str:
    text = request.messages[-1].content if len(request.messages) < 3 else request.messages[1].content
    if "easy" in text:
        return cot("5", f"Step 1: In way {ordinal}.")
    if "uneven" in text:
        return cot("7" if ordinal % 2 == 0 else "8", f"Step 1: In way {ordinal}.")
    return cot("12", f"Step 1: In way {ordinal}.")


def scripted() -> dict[str, Scripted]:
    return models(actor=actor, critic="Read it once more.")


async def ran(settings: RunConfig, made: dict[str, Scripted]) -> RunStore:
    with RunStore.resume(settings.output, settings) as store:
        await run_async(settings, store, models=made)
    return RunStore.open(settings.output)


@pytest.mark.parametrize(
    "selection",
    [{"drop_solved": 3}, {"rules": [{"name": "drop_solved", "options": {"k": 3}}]}],
    ids=["field", "rule"],
)
async def test_what_the_actor_solves_every_time_is_left_out(
    tmp_path: Path, selection: dict[str, Any]
) -> None:
    with await ran(config(tmp_path, selection=selection), scripted()) as store:
        ledger = {outcome.source: outcome for outcome, _ in store.ledger()}
        by_state = {outcome.state: outcome.reason for outcome in ledger.values()}
        assert len(ledger) == store.inputs() == 3
        assert by_state[TreeState.SKIPPED] == "the actor solves it 3 times out of 3"
        counts = store.counts()
        assert (counts[TreeState.SKIPPED], counts[TreeState.COMPLETE], counts[TreeState.UNSOLVED]) == (
            1,
            1,
            1,
        )


async def test_the_samples_of_the_selection_are_the_first_of_the_tree(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    without, selected = scripted(), scripted()
    with await ran(config(tmp_path / "a"), without) as store:
        plain = {tree.id: tree for tree in store.trees()}
    with await ran(config(tmp_path / "b", selection={"drop_solved": 3}), selected) as store:
        kept = {tree.id: tree for tree in store.trees()}
    assert len(kept) == 2
    for key, tree in kept.items():
        assert tree.turns[0].first_correct == plain[key].turns[0].first_correct
        assert [turn.steps for turn in tree.turns] == [turn.steps for turn in plain[key].turns]
    assert selected["actor"].drawn <= without["actor"].drawn + 3, "only the dropped one was drawn for nothing"


async def test_settings_of_the_rule_are_checked(tmp_path: Path) -> None:
    settings = config(tmp_path, selection={"rules": [{"name": "drop_solved", "options": {"k": 0}}]})
    with (
        RunStore.resume(settings.output, settings) as store,
        pytest.raises(ConfigError, match="drop_solved: k must be at least 1"),
    ):
        await run_async(settings, store, models=scripted())


async def test_a_budget_in_money_stops_the_run_which_goes_on_when_it_is_raised(tmp_path: Path) -> None:
    free = config(tmp_path)
    whole = tmp_path / "whole"
    with await ran(free.model_copy(update={"output": whole}), scripted()) as store:
        cost = sum(spend.cost for spend in store.spend())
        trees = list(store.trees())
    assert cost > 0
    limit = cost / 2
    settings = config(tmp_path, budget={"max_cost": limit})
    first = scripted()
    with pytest.raises(BudgetExceeded, match="US dollars is used up"):
        await ran(settings, first)
    with RunStore.open(settings.output) as store:
        spent = sum(spend.cost for spend in store.spend())
        assert 0 < spent < cost
        assert spent < limit + cost / 4, "no more than the requests in flight go beyond it"
    second = scripted()
    with await ran(config(tmp_path, budget={"max_cost": 2 * cost}), second) as store:
        assert list(store.trees()) == trees
        assert sum(spend.cost for spend in store.spend()) == pytest.approx(cost)
    assert sum(m.drawn for m in (*first.values(), *second.values())) == sum(
        spend.completions for spend in _spend(whole)
    )


def _spend(folder: Path) -> list[Any]:
    with RunStore.open(folder) as store:
        return list(store.spend())


async def test_validate_passes_where_all_is_well(tmp_path: Path) -> None:
    report = await validate_async(config(tmp_path), base=tmp_path)
    assert report.passed
    assert all(check.passed for check in report.checks)
    names = [check.name for check in report.checks]
    assert {"keys", "models", "prompts", "seeds", "gold answers of sums"} <= set(names)
    (golds,) = (check for check in report.checks if check.name == "gold answers of sums")
    assert golds.detail == "3 of 3 verify"


@pytest.mark.bubblewrap
async def test_validate_passes_on_the_demo_with_its_sandbox() -> None:
    settings = load_config(ROOT / "configs/demo.yaml", ["sandbox.kind=bubblewrap", "sandbox.containers=1"])
    report = await validate_async(settings, base=ROOT / "configs", limit=3)
    assert report.passed, [check for check in report.checks if not check.passed]
    assert {"sandbox", "reference solutions of codecontest"} <= {check.name for check in report.checks}
