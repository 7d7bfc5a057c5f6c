"""How long a run takes on this machine, as far as its models decide it: their concurrency, rates and latencies.

The same limits as those of a cluster (`capacity`) with one worker; what this machine's own work costs is left out, so
that the estimate needs no measurement. Every figure that nobody stated is called assumed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ultrainteract.config import RunConfig
from ultrainteract.planning.capacity import model_resources, service_of, trees_alive
from ultrainteract.planning.demand import asks_of_plan
from ultrainteract.planning.model_settings import ModelSetting, check_settings
from ultrainteract.schema import Record

if TYPE_CHECKING:
    from ultrainteract.planning.estimate import PlanLine


class Duration(Record):
    """The time of a run, and what decides it."""

    seconds: float
    """Estimate, seconds."""
    limited_by: str
    """What has to be raised for it to be shorter."""
    basis: str
    """Where the figures come from; begins with `assumed` where one was assumed."""


def run_time(
    config: RunConfig, lines: Sequence[PlanLine], trees: int, settings: Mapping[str, ModelSetting]
) -> Duration | None:
    """The time that the models need for a run.

    Args:
        config: The run.
        lines: What it asks for, by step and model.
        trees: Instructions of the run.
        settings: What is known of models, by name.

    Returns:
        None where no model sets a limit: simulated ones answer at once.

    Raises:
        ConfigError: A setting names no model of the configuration.
    """
    check_settings(config, settings)
    asks = asks_of_plan(lines, trees)
    services = [
        service_of(name, config, asked, 1, settings.get(name))
        for name, asked in asks.items()
        if config.models[name].provider != "simulated" or name in settings
    ]
    if not services:
        return None
    alive = trees_alive(config, services, 1)
    first = min([*model_resources(services, 1, []), alive], key=lambda resource: resource.trees_per_s)
    bases = sorted(
        (first.need_basis, first.capacity_basis), key=lambda basis: not basis.startswith("assumed")
    )
    if alive.need > trees / first.trees_per_s:  # few trees: each is its requests, one after the other
        return Duration(seconds=alive.need, limited_by="the turns of one tree", basis=alive.need_basis)
    return Duration(seconds=trees / first.trees_per_s, limited_by=first.add, basis="; ".join(bases))
