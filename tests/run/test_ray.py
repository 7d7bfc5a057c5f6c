"""Trees grown on a real Ray cluster of three nodes: the local executor's export to the byte, whatever dies."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.run.test_resume import digests, finish, recorded, start
from ultrainteract.store import RunStore

pytestmark = [pytest.mark.ray, pytest.mark.bubblewrap, pytest.mark.slow, pytest.mark.timeout(900)]

NODES = 3


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "run"
    finish(start(folder))
    return folder


@pytest.fixture
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(NODES):
        made.add_node(num_cpus=1)
    yield made
    made.shutdown()


def on_ray(cluster: Any) -> list[str]:
    return ["executor.kind=ray", f"executor.address={cluster.address}", "max_inflight_trees=8"]


def until(folder: Path, calls: int, process: Any) -> None:
    deadline = time.monotonic() + 120
    while recorded(folder) < calls and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)


def equal(one: Path, other: Path) -> None:
    assert digests(one) == digests(other)
    with RunStore.open(one) as a, RunStore.open(other) as b:
        assert a.spend() == b.spend(), "nothing recorded was paid for twice"
        assert list(a.outcomes()) == list(b.outcomes())
        assert a.tallies() == pytest.approx(b.tallies())
        assert sum(b.counts().values()) == b.inputs()


def test_three_nodes_give_what_one_process_gives(local: Path, cluster: Any, tmp_path: Path) -> None:
    finish(start(tmp_path / "run", *on_ray(cluster)))
    equal(local, tmp_path / "run")


def test_a_node_and_then_the_driver_die_in_the_middle(local: Path, cluster: Any, tmp_path: Path) -> None:
    total = recorded(local)
    process = start(tmp_path / "run", *on_ray(cluster))
    until(tmp_path / "run", total // 4, process)
    cluster.remove_node(random.Random(0).choice(sorted(cluster.worker_nodes, key=str)), allow_graceful=False)
    until(tmp_path / "run", total // 2, process)
    assert process.poll() is None, process.communicate()[1]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert total // 2 <= recorded(tmp_path / "run") < total
    finish(start(tmp_path / "run", *on_ray(cluster)))
    equal(local, tmp_path / "run")


def test_a_node_that_joins_gets_work_and_one_that_is_lost_is_done_without(
    local: Path, tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        only = cluster.add_node(num_cpus=1)
        process = start(tmp_path / "run", *on_ray(cluster))
        until(tmp_path / "run", recorded(local) // 4, process)
        cluster.add_node(num_cpus=1)
        cluster.remove_node(only, allow_graceful=False)
        finish(process)
    finally:
        cluster.shutdown()
    equal(local, tmp_path / "run")
