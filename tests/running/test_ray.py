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

from tests.running.processes import assert_equal, finish, recorded, start, tokens, until
from ultrainteract.store import RunStore

pytestmark = [
    pytest.mark.ray,
    pytest.mark.clock,
    pytest.mark.bubblewrap,
    pytest.mark.slow,
    pytest.mark.timeout(900),
]

NODES = 3


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "run"
    finish(start(folder))
    return folder


@pytest.fixture(scope="module", autouse=True)
def as_urgent_as_others() -> Iterator[None]:
    """Ray's workers are niced to 15: beside anything else on the machine they hardly run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        yield


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield made
    made.shutdown()


@pytest.fixture
def cluster(shared: Any) -> Any:
    """The module's cluster, with a new node for each that the test before has lost."""
    while len(shared.worker_nodes) < NODES:
        shared.add_node(num_cpus=1)
    return shared


def on_ray(cluster: Any) -> list[str]:
    return ["executor.kind=ray", f"executor.address={cluster.address}", "max_inflight_trees=8"]


def test_a_node_that_joins_gets_work_and_one_that_is_lost_is_done_without(
    local: Path, tmp_path: Path
) -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        only = cluster.add_node(num_cpus=1)
        process = start(tmp_path / "run", *on_ray(cluster))
        until(lambda: recorded(tmp_path / "run") >= recorded(local) // 4, process)
        cluster.add_node(num_cpus=1)
        cluster.remove_node(only, allow_graceful=False)
        finish(process)
    finally:
        cluster.shutdown()
    assert_equal(local, tmp_path / "run")


def test_three_nodes_give_what_one_process_gives(local: Path, cluster: Any, tmp_path: Path) -> None:
    finish(start(tmp_path / "run", *on_ray(cluster)))
    assert_equal(local, tmp_path / "run")


def test_a_node_and_then_the_driver_die_in_the_middle(local: Path, cluster: Any, tmp_path: Path) -> None:
    total = recorded(local)
    process = start(tmp_path / "run", *on_ray(cluster))
    until(lambda: recorded(tmp_path / "run") >= total // 4, process)
    cluster.remove_node(random.Random(0).choice(sorted(cluster.worker_nodes, key=str)), allow_graceful=False)
    until(lambda: recorded(tmp_path / "run") >= total // 2, process)
    assert process.poll() is None, process.communicate()[1]
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert total // 2 <= recorded(tmp_path / "run") < total
    finish(start(tmp_path / "run", *on_ray(cluster)))
    assert_equal(local, tmp_path / "run")


def test_a_budget_holds_over_all_workers_and_can_be_raised(local: Path, cluster: Any, tmp_path: Path) -> None:
    with RunStore.open(local) as store:
        spent = store.spend()
    total = tokens(spent)
    request = total / sum(item.requests for item in spent)
    process = start(tmp_path / "run", *on_ray(cluster), f"budget.max_tokens={total // 2}")
    _, talk = process.communicate(timeout=240)
    assert process.returncode == 8, talk
    assert "raise the budget" in " ".join(talk.split())
    with RunStore.open(tmp_path / "run") as store:
        paid = tokens(store.spend())
    # A wave is what may be under way at once: a request for each tree alive. Longer prompts cost more than the mean.
    assert paid <= total // 2 + NODES * 8 * 2 * request
    assert paid >= 0.4 * total
    finish(start(tmp_path / "run", *on_ray(cluster)))
    assert_equal(local, tmp_path / "run")


def test_one_interrupt_drains_and_a_second_aborts_at_once(cluster: Any, tmp_path: Path) -> None:
    slow = ["models.actor.options.latency_s=0.5", "models.critic.options.latency_s=0.5"]
    process = start(tmp_path / "drained", *on_ray(cluster), *slow)
    until(lambda: recorded(tmp_path / "drained") >= 20, process)
    os.killpg(process.pid, signal.SIGINT)
    _, talk = process.communicate(timeout=120)
    assert process.returncode == 75, talk
    with RunStore.open(tmp_path / "drained") as store:
        assert sum(store.counts().values()) > 0, "the trees under way were finished"

    process = start(tmp_path / "aborted", *on_ray(cluster), *slow)
    until(lambda: recorded(tmp_path / "aborted") >= 20, process)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.5)
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 75
    took = time.monotonic() - began
    deadline = time.monotonic() + 10
    while (left := workers()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left, "no worker outlives the run"
    assert took < 30  # that is a hang; the promise of seconds is not for a busy machine to test


def workers() -> list[str]:
    import psutil

    return [p.info["name"] for p in psutil.process_iter(["name"]) if "RemoteWorker" in (p.info["name"] or "")]
