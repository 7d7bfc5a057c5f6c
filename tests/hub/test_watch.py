"""A run that is still growing is published again and again, and once more when it has ended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.builders import config as run_config
from tests.exporting.forest import forest
from tests.hub.server import Fault, HubServer
from ultrainteract.config import PublishConfig
from ultrainteract.errors import HubError
from ultrainteract.hub import Published, check_rights
from ultrainteract.hub.watch import watch
from ultrainteract.schema import Tree
from ultrainteract.store import Outcome, RunStore

CONFIG = PublishConfig(repo="alice/growing")
FORMATS = ("sft", "pair")


class Run:
    """A run directory that grows by a tree whenever somebody waits."""

    def __init__(self, folder: Path, trees: list[Tree]) -> None:
        self.folder, self.trees = folder, trees
        self.store = RunStore.create(folder, run_config())
        self.waits: list[float] = []

    def grow(self) -> None:
        if self.trees:
            tree = self.trees.pop(0)
            outcome = Outcome(key=tree.id, state=tree.state, dataset=tree.instruction.dataset, source="")
            asyncio.run(self.store.put_outcomes([(outcome, tree)]))
        if not self.trees:
            asyncio.run(self.store.put_inputs(3))

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.grow()


def test_finished_trees_are_published_until_the_run_has_ended(hub: HubServer, tmp_path: Path) -> None:
    run = Run(tmp_path / "run", forest()[:3])
    rights = check_rights(CONFIG)
    steps = list(
        watch(run.folder, rights, CONFIG, formats=FORMATS, minutes=10, allow_simulated=True, sleep=run.sleep)
    )
    assert all(isinstance(step, Published) for step in steps)
    assert len(steps) == 3
    assert run.waits == [600.0] * 3
    assert len(hub.repos["alice/growing"].log) == 4
    assert json.loads(hub.files("alice/growing")["stats.json"])["trees"] == 3


def test_a_push_that_fails_is_tried_again_later(
    hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ultrainteract.hub.commit.ATTEMPTS", 1)
    run = Run(tmp_path / "run", forest()[:3])
    rights = check_rights(CONFIG)
    hub.faults.append(Fault("POST", "/commit/", 503))
    steps = list(
        watch(run.folder, rights, CONFIG, formats=FORMATS, minutes=1, allow_simulated=True, sleep=run.sleep)
    )
    assert [type(step) for step in steps] == [HubError, Published, Published]
    assert json.loads(hub.files("alice/growing")["stats.json"])["trees"] == 3


def test_simulated_runs_are_refused(hub: HubServer, tmp_path: Path) -> None:
    run = Run(tmp_path / "run", forest()[:1])
    run.grow()
    with pytest.raises(HubError, match="simulated"):
        list(watch(run.folder, check_rights(CONFIG), CONFIG, formats=FORMATS, minutes=1, sleep=run.sleep))
