"""A long run's finished trees, published every few minutes until the run has ended."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from ultrainteract.config import PublishConfig
from ultrainteract.errors import ConfigError, HubError
from ultrainteract.hub.client import Sleep
from ultrainteract.hub.commit import Published
from ultrainteract.hub.publication import check_simulated
from ultrainteract.hub.publishing import Say, publish_run
from ultrainteract.hub.rights import Rights
from ultrainteract.store import find_runs, is_locked, open_runs

MIN_MINUTES = 0.5
"""Minimum time between two pushes, minutes."""
MAX_MINUTES = 7 * 24 * 60
"""Maximum time between two pushes, minutes."""


class Progress(NamedTuple):
    """How far a run is."""

    settled: int
    """Instructions with an outcome."""
    inputs: int | None
    """Instructions in all; None while that is not known."""
    trees: int
    """Trees that are finished."""
    active: bool
    """Whether a process is growing it."""

    @property
    def ended(self) -> bool:
        """Whether every instruction has an outcome."""
        return self.inputs is not None and self.settled >= self.inputs


def check_interval(minutes: float) -> None:
    """Refuses intervals that would flood the Hub, or never end.

    Raises:
        ConfigError: It is out of bounds, or no number.
    """
    if not (math.isfinite(minutes) and MIN_MINUTES <= minutes <= MAX_MINUTES):
        raise ConfigError(
            f"--watch takes minutes between {MIN_MINUTES:g} and {MAX_MINUTES:,}, not {minutes:g}."
        )


def watch(
    run: str | Path,
    rights: Rights,
    config: PublishConfig,
    *,
    minutes: float,
    formats: tuple[str, ...] = (),
    message: str = "",
    allow_simulated: bool = False,
    say: Say = lambda line: None,
    sleep: Sleep = time.sleep,
) -> Iterator[Published | HubError]:
    """Publishes a run every `minutes` as long as it goes on, and once more when it has ended.

    A push that fails is yielded as its error and tried again at the next turn; the last one's error is raised.

    Raises:
        ConfigError: `minutes` is out of bounds.
        HubError: The last push failed, publishing this data is refused, or no process has been growing the run
            for a whole interval though it has not ended: what it has is published, and that is said.
        StoreError: The run cannot be read.
    """
    check_interval(minutes)
    published, idle = -1, False
    with ExitStack() as stack:
        simulated = any(
            model.provider == "simulated" for model in open_runs([str(run)], stack).config().models.values()
        )
    check_simulated(simulated, allow_simulated)
    while True:
        progress = _progress(run)
        given_up = idle and not progress.active and not progress.ended
        if progress.trees != published and (progress.trees or progress.ended):
            try:
                yield publish_run(
                    run, rights, config, formats=formats, message=message, allow_simulated=allow_simulated,
                    say=say, sleep=sleep,
                )  # fmt: skip
                published = progress.trees
            except HubError as error:
                if progress.ended or given_up:
                    raise
                yield error
        if progress.ended:
            return
        if given_up:
            total = "an unknown number" if progress.inputs is None else f"{progress.inputs:,}"
            raise HubError(
                f"No process is growing {run} any more, and {progress.settled:,} of {total} instructions have an "
                f"outcome. What there is was published. Resume the run with `ultrainteract run`, then push again."
            )
        idle = not progress.active
        sleep(minutes * 60)


def _progress(run: str | Path) -> Progress:
    with ExitStack() as stack:
        store = open_runs([str(run)], stack)
        active = any(is_locked(folder) for folder in find_runs(str(run), stack))
        inputs, counts = store.inputs(), store.counts()
        trees = sum(1 for _ in store.packed_trees())
    return Progress(sum(counts.values()), inputs, trees, active)
