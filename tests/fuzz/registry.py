"""The registry of targets."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from hypothesis.strategies import SearchStrategy

import tests.fuzz

Run = Callable[[Any], Any]


@dataclass(frozen=True)
class Target:
    """Something that must survive any input: no exception, within its time, the same result in every process."""

    name: str
    inputs: Callable[[], SearchStrategy[Any]]
    """Makes the strategy; its values are JSON."""
    run: Run
    """Returns a JSON value that may depend on nothing but the input; raises only where something is wrong."""
    limit_s: float
    """Longest processor time of one input, seconds."""


_TARGETS: dict[str, Target] = {}


def target(
    name: str, inputs: Callable[[], SearchStrategy[Any]], limit_s: float = 1.0
) -> Callable[[Run], Run]:
    """Registers a function as a target.

    Args:
        name: `what.part`, such as `graders.math`.
        inputs: Makes the strategy of inputs, which must be JSON values.
        limit_s: Longest processor time of one input, seconds.
    """

    def register(run: Run) -> Run:
        assert name not in _TARGETS, f"two targets are called {name}"
        _TARGETS[name] = Target(name, inputs, run, limit_s)
        return run

    return register


@cache
def targets() -> dict[str, Target]:
    """All targets by name."""
    for module in pkgutil.iter_modules(tests.fuzz.__path__, "tests.fuzz."):
        if not module.name.rpartition(".")[2].startswith("test_"):
            import_module(module.name)
    return dict(sorted(_TARGETS.items()))
