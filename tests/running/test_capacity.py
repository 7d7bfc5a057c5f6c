"""What a cluster saturates first: arithmetic checked by hand, and the command on real seeds."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import config, math_cot
from tests.cli.test_errors import cli, written
from ultrainteract.config import RunConfig, load_config, parse_config
from ultrainteract.errors import ConfigError
from ultrainteract.planning.calibration import UnitCosts, calibrate
from ultrainteract.planning.capacity import STREAM_TOKENS_PER_S, Capacity, Cluster, duration, saturation
from ultrainteract.planning.demand import Figure, ModelDemand, TreeNeeds, asks_of_plan, asks_of_run, grown
from ultrainteract.planning.duration import run_time
from ultrainteract.planning.estimate import PlanLine, plan_lines, plan_run, sample_seeds
from ultrainteract.planning.model_settings import ModelSetting
from ultrainteract.planning.rehearsal import PassRates, rehearse
from ultrainteract.running import Runner
from ultrainteract.schema import Task
from ultrainteract.store import Runs, RunStore

ROOT = Path(__file__).parents[2]
RAY = {"kind": "ray", "address": "auto"}


def figure(value: float) -> Figure:
    return Figure(value=value, basis="measured: by hand")


COSTS = UnitCosts(
    grow_request_s=figure(0.002),
    send_request_s=figure(0.001),
    rows_per_request=figure(2),
    bytes_per_token=figure(4),
    drive_row_s=figure(0.00005),
    commits_per_s=figure(30_000),
    execution_s={Task.MATH_POT: figure(0.1), Task.CODING: figure(0.5)},
)
ACTOR = ModelDemand(
    requests=8, completions=30, prompt_tokens=8_000, completion_tokens=9_000, basis="rehearsed: 1 tree"
)
CRITIC = ModelDemand(
    requests=2, completions=2, prompt_tokens=3_000, completion_tokens=600, basis="rehearsed: 1 tree"
)
NEEDS = TreeNeeds(
    models={"actor": ACTOR, "critic": CRITIC},
    executions={Task.MATH_POT: 10, Task.CODING: 2},
    rows=figure(20),
    bytes=figure(30_000),
)


def cluster_config(**changes: Any) -> RunConfig:
    """An actor on two servers, a hosted critic of 12,000 requests a minute."""
    models = {
        "actor": {"model": "a", "base_url": ["http://a:1/v1", "http://b:1/v1"], "max_concurrency": 100},
        "critic": {"model": "c", "requests_per_minute": 12_000, "max_concurrency": 10},
    }
    ladder = [{"name": "sample", "model": "actor", "samples": 8}]
    growth = {"ladder": ladder, "pool": [], "rejected_from": "actor"}
    return config(
        **{"models": models, "growth": growth, "executor": RAY, "max_inflight_trees": 50, **changes}
    )


SETTINGS = {
    "actor": ModelSetting(tokens_per_s=90_000, latency_s=10),
    "critic": ModelSetting(latency_s=5),
}


def worked_out(
    run: RunConfig | None = None,
    nodes: int = 4,
    cpus: int = 17,
    settings: dict[str, ModelSetting] | None = None,
) -> Capacity:
    return saturation(
        run or cluster_config(),
        NEEDS,
        COSTS,
        Cluster(nodes=nodes, cpus=cpus),
        1_000_000,
        settings or SETTINGS,
    )


def limits(capacity: Capacity) -> dict[str, float]:
    return {resource.name: resource.trees_per_s for resource in capacity.resources}


def test_every_resource_by_hand() -> None:
    found = limits(worked_out())
    expected = {
        "actor: tokens/s": 2 * 90_000 / 9_000,  # 20
        "actor: in flight": 4 * 2 * 100 / 10 / 8,  # 10
        "critic: in flight": 4 * 10 / 5 / 2,  # 4
        "critic: requests/min": 12_000 / 60 / 2,  # 100
        "trees alive": 4 * 50 / (8 * 10 + 2 * 5),  # 2.22
        "workers": 4 / (10 * 0.003),  # 133
        "sandbox": 4 * 16 / (10 * 0.1 + 2 * 0.5),  # 32
        "driver": 1 / (20 * 0.00005),  # 1,000
        "store": 30_000 / 20,  # 1,500
    }
    assert found == pytest.approx(expected)


def test_the_bottleneck_time_size_and_what_to_add() -> None:
    capacity = worked_out()
    assert capacity.saturates_first == "trees alive"
    assert capacity.trees_per_s == pytest.approx(200 / 90)
    assert capacity.seconds == pytest.approx(1_000_000 * 90 / 200)
    assert capacity.store_bytes == 30_000 * 1_000_000
    shares = {resource.name: capacity.utilisation(resource) for resource in capacity.resources}
    assert shares["trees alive"] == 1
    assert shares["critic: in flight"] == pytest.approx(200 / 90 / 4)
    # 50 trees alive give 2.22 trees/s; the 4 of the critic take 90 alive.
    assert "max_inflight_trees: 90 instead of 50 reach 4.0 trees/s (69.4 h), where critic: in flight" in (
        capacity.next_step
    )


@pytest.mark.parametrize(
    "short",
    ["actor: tokens/s", "critic: requests/min", "critic: in flight", "workers", "sandbox", "driver", "store"],
)
def test_whatever_is_scarce_becomes_the_bottleneck(short: str) -> None:
    """Each resource in turn gets half of what the tightest of the others allows."""
    capacity = worked_out()
    others = min(r.trees_per_s for r in capacity.resources if r.name != short)
    (scarce,) = [r for r in capacity.resources if r.name == short]
    factor = scarce.trees_per_s / (others / 2)
    costs, needs, run, settings = COSTS, NEEDS, cluster_config(), dict(SETTINGS)
    match short:
        case "actor: tokens/s":
            settings["actor"] = ModelSetting(tokens_per_s=90_000 / factor, latency_s=10)
        case "critic: requests/min":
            models = {name: model.model_dump() for name, model in run.models.items()}
            models["critic"]["requests_per_minute"] = int(12_000 / factor)
            run = cluster_config(models=models)
        case "critic: in flight":  # a longer wait of the critic would hold trees as well
            models = {name: model.model_dump() for name, model in run.models.items()}
            models["critic"]["max_concurrency"] = int(10 / factor)
            run = cluster_config(models=models)
        case "workers":
            costs = COSTS.model_copy(update={"grow_request_s": figure(0.003 * factor)})
        case "sandbox":
            needs = NEEDS.model_copy(update={"executions": {Task.MATH_POT: 20 * factor}})
        case "driver":
            costs = COSTS.model_copy(update={"drive_row_s": figure(0.00005 * factor)})
        case "store":
            costs = COSTS.model_copy(update={"commits_per_s": figure(30_000 / factor)})
    found = saturation(run, needs, costs, Cluster(nodes=4, cpus=17), 1_000, settings)
    assert found.saturates_first == short
    assert found.trees_per_s <= others / 2 * 1.01


def test_without_a_driver_every_shard_has_a_store_of_its_own() -> None:
    found = limits(worked_out(cluster_config(executor="local")))
    assert "driver" not in found
    assert found["store"] == pytest.approx(4 * 30_000 / 20)


def test_models_of_one_key_share_its_rate() -> None:
    models = {
        "actor": {"model": "a", "requests_per_minute": 30_000, "output_tokens_per_minute": 1_000_000},
        "critic": {"model": "c", "requests_per_minute": 12_000},
    }
    found = limits(worked_out(cluster_config(models=models)))
    assert found["actor + critic: requests/min"] == pytest.approx(12_000 / 60 / 10)
    assert found["actor + critic: completion tokens/min"] == pytest.approx(1_000_000 / 60 / 9_600)


def test_replicas_of_the_run_have_no_part_in_a_provider_s_rate() -> None:
    models = {
        "actor": {"provider": "vllm-server", "model": "a"},
        "critic": {"model": "c", "requests_per_minute": 12_000},
    }
    assert limits(worked_out(cluster_config(models=models)))["critic: requests/min"] == pytest.approx(100)


def served(replicas: int) -> RunConfig:
    options = {"tensor_parallel_size": 2, "replicas": {"max": replicas}}
    models = {
        "actor": {"provider": "vllm-server", "model": "a", "options": options},
        "critic": {"model": "c", "base_url": "http://c:1/v1"},
    }
    return cluster_config(models=models)


def test_replicas_are_no_more_than_the_gpus_allow() -> None:
    fits = saturation(served(4), NEEDS, COSTS, Cluster(nodes=2, gpus=4), 1_000, SETTINGS)
    (tokens,) = [r for r in fits.resources if r.name == "actor: tokens/s"]
    assert (tokens.count, tokens.capacity) == (4, 4 * 90_000)
    assert "Models take 8 of the cluster's 8 GPUs." in fits.notes
    cut = saturation(served(12), NEEDS, COSTS, Cluster(nodes=2, gpus=4), 1_000, SETTINGS)
    (tokens,) = [r for r in cut.resources if r.name == "actor: tokens/s"]
    assert tokens.count == 4
    with pytest.raises(ConfigError, match="too few for one replica"):
        saturation(served(12), NEEDS, COSTS, Cluster(nodes=1, gpus=1), 1_000, SETTINGS)


def test_what_is_assumed_is_marked_and_what_is_given_is_not() -> None:
    unknown = worked_out(settings={"critic": ModelSetting(latency_s=5)})
    marked = {resource.name for resource in unknown.resources if resource.assumed}
    assert marked == {"actor: tokens/s", "actor: in flight", "trees alive"}
    assert not any(resource.assumed for resource in worked_out().resources)


def test_a_simulated_model_limits_nothing_unless_told() -> None:
    run = config(executor=RAY)
    found = saturation(run, NEEDS, COSTS, Cluster(nodes=4), 1_000)
    assert not any(name.startswith(("actor", "critic")) for name in limits(found))
    told = saturation(
        run, NEEDS, COSTS, Cluster(nodes=4), 1_000, {"actor": ModelSetting(replicas=3, tokens_per_s=9)}
    )
    assert limits(told)["actor: tokens/s"] == pytest.approx(27 / 9_000)


def test_settings_on_the_command_line() -> None:
    name, setting = ModelSetting.parse("actor=replicas:48,tokens_per_s:6000")
    assert (name, setting) == ("actor", ModelSetting(replicas=48, tokens_per_s=6000))
    for wrong in ("actor=replicas:none", "actor=speed:3", "actor=replicas"):
        with pytest.raises(ConfigError, match="--model"):
            ModelSetting.parse(wrong)
    with pytest.raises(ConfigError, match="no such model"):
        worked_out(settings={"nobody": ModelSetting()})


def test_times_for_people() -> None:
    assert [duration(s) for s in (600, 3 * 3600, 10 * 86400)] == ["10 min", "3.0 h", "10.0 days"]


# ----------------------------------------------------------------------------------------- what is measured


def test_a_plan_is_what_its_trees_asked_on_average() -> None:
    run = config()
    found = rehearse(run, [math_cot(f"What is {n} + 1?", str(n + 1)) for n in range(20)], PassRates())
    asked = Counter(request.model for tree in found.asked for request in tree)
    assert {model: count for (_, _, model), count in found.requests.items()} == asked
    asks = asks_of_plan(plan_lines(run, found, 1, 700, 350), 20)
    assert asks["actor"].requests == asked["actor"] / 20
    drawn = sum(request.samples for tree in found.asked for request in tree if request.model == "actor")
    assert asks["actor"].completion_tokens == drawn * 350 / 20
    assert found.executions.total() == 0


async def test_unit_costs_and_averages_of_a_real_run(tmp_path: Path) -> None:
    path = written(tmp_path, selection={})
    run = load_config(path, ("seeds.0.limit=20",))
    with RunStore.create(tmp_path / "run", run) as store:
        assert await Runner(run, store, base=path.parent).run()
        runs = Runs([store])
        trees = grown(runs)
        asks = asks_of_run(run, runs.spend(), trees)
        assert trees == 20
        assert sum(ask.requests for ask in asks.values()) * trees == pytest.approx(
            sum(item.requests for item in store.spend())
        )
        rows = sum(item.requests for item in store.spend()) + store.observations() + trees
    seeds = sample_seeds(run, path.parent)
    costs = await calibrate(
        run, seeds.instructions, pass_rate=0.4, samples=4, completion_tokens=100, scratch=tmp_path
    )
    assert not list(tmp_path.glob(".ultrainteract-calibration-*"))
    for cost in (costs.grow_request_s, costs.send_request_s, costs.drive_row_s, costs.commits_per_s):
        assert cost.value > 0
        assert not cost.assumed
    assert costs.execution(Task.CODING).assumed
    of_run = rows / (sum(ask.requests for ask in asks.values()) * trees)
    assert costs.rows_per_request.value == pytest.approx(of_run, rel=0.25)


def test_a_run_of_another_configuration_is_refused() -> None:
    from ultrainteract.store import Spend

    spend = Spend(
        role="actor", step="sample", model="other", task="Math_CoT", requests=1, completions=1, prompt_tokens=1,
        completion_tokens=1, cost=0, unpriced=0,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="the run asked 'other' for step 'sample'"):
        asks_of_run(config(), [spend], 1)


def test_instructions_to_rehearse_come_from_all_datasets() -> None:
    run, base = load_config(ROOT / "configs/demo.yaml", ()), ROOT / "configs"
    seeds = sample_seeds(run, base, 40)
    everything = sample_seeds(run, base, 10**6)
    assert len(seeds.instructions) == 40
    assert seeds.usable == everything.usable == len(everything.instructions)
    assert {item.dataset for item in seeds.instructions} == {item.dataset for item in everything.instructions}
    assert seeds.instructions == sample_seeds(run, base, 40).instructions
    planned = plan_run(run, base, pass_rate=0.4, prompt_tokens=700, completion_tokens=350)
    assert planned.instructions == seeds.usable


def priced(**models: dict[str, Any]) -> RunConfig:
    data = yaml.safe_load((ROOT / "configs/demo.yaml").read_text())
    return parse_config({**data, "models": {**data["models"], **models}})


@pytest.mark.parametrize(
    ("actor", "seconds", "limit"),
    [
        # 3,000 requests of 2 s, 5 in flight
        ({"max_concurrency": 5}, 1200, "models.actor.max_concurrency"),
        # 3,000 requests, 60 per minute
        ({"max_concurrency": 1000, "requests_per_minute": 60}, 3000, "requests_per_minute of actor"),
        # 1.5 million tokens, 90,000 per minute
        (
            {"max_concurrency": 1000, "output_tokens_per_minute": 90_000},
            1000,
            "output_tokens_per_minute of actor",
        ),
    ],
)
def test_a_plan_says_how_long_the_models_take(actor: dict[str, Any], seconds: float, limit: str) -> None:
    run = priced(actor={"model": "m", "base_url": "http://localhost/v1", **actor})
    line = PlanLine(
        role="actor", step="sample", model="actor", requests=3_000, completions=3_000, prompt_tokens=10**6,
        completion_tokens=1_500_000, cost=None,
    )  # fmt: skip
    found = run_time(run, [line], 1_000, {"actor": ModelSetting(latency_s=2)})
    assert found is not None
    assert math.isclose(found.seconds, seconds)
    assert found.limited_by == limit
    assert not found.basis.startswith("assumed")


def test_few_trees_take_as_long_as_their_turns() -> None:
    run = priced(actor={"model": "m", "base_url": "http://localhost/v1", "max_concurrency": 1000})
    line = PlanLine(
        role="actor", step="sample", model="actor", requests=20, completions=20, prompt_tokens=1,
        completion_tokens=20 * 400, cost=None,
    )  # fmt: skip
    found = run_time(run, [line], 5, {})
    assert found is not None
    assert math.isclose(found.seconds, 4 * 400 / STREAM_TOKENS_PER_S), "four requests one after the other"
    assert found.basis.startswith("assumed: 10.0 s per request")
    assert run_time(priced(), [line], 5, {}) is None, "simulated models answer at once"
    with pytest.raises(ConfigError, match="no such model"):
        run_time(run, [line], 5, {"acter": ModelSetting(latency_s=1)})


@pytest.mark.slow
def test_the_command_prints_a_table_and_json(tmp_path: Path) -> None:
    path = str(written(tmp_path, executor=RAY))
    options = ["--cluster", "--instructions", "10000000", "--nodes", "8", "--model",
               "actor=replicas:4,tokens_per_s:1000,latency_s:5"]  # fmt: skip
    done = cli("plan", path, *options, "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["instructions"] == 10_000_000
    names = [resource["name"] for resource in found["resources"]]
    assert set(names) == {"actor: tokens/s", "actor: in flight", "trees alive", "workers", "driver", "store"}
    assert found["saturates_first"] == names[0]
    rates = [resource["trees_per_s"] for resource in found["resources"]]
    assert rates == sorted(rates)
    assert found["trees_per_s"] == rates[0]
    assert math.isclose(found["seconds"], 10_000_000 / rates[0])
    shown = cli("plan", path, *options)
    assert shown.returncode == 0, shown.stderr
    assert "saturates first" in shown.stdout
    assert "* rests on an assumption" in shown.stdout
    assert "Add " in shown.stdout


# --------------------------------------------------------------------------------------------- simulation


def simulated(*options: str) -> dict[str, float]:
    command = [sys.executable, "scripts/bench/simulate.py", "--instructions", "600", "--nodes", "3",
               "--endpoints", "36", "--inflight", "32", *options]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stderr
    ratios: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {name: value for name, value in ratios.items() if "CPU" not in name and "RSS" not in name}


@pytest.mark.slow
def test_the_simulation_loses_no_tree_and_is_the_same_every_time() -> None:
    first = simulated("--seed", "1")
    assert first["trees settled / instructions"] == 1
    assert 0.5 < first["utilisation / ideal"] < 1.1
    assert simulated("--seed", "1") == first
    assert simulated("--seed", "2") != first
