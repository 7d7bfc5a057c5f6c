"""Everything before money is spent: a configuration to start from, checks, and estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.event_loop import complete
from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError

if TYPE_CHECKING:
    from ultrainteract.planning.capacity import Capacity, Cluster
    from ultrainteract.planning.estimate import Plan
    from ultrainteract.planning.model_settings import ModelSetting
    from ultrainteract.running.validation import ValidationReport

PASS_RATE = 0.4
"""Expected pass rate of the actor's first step where nothing is known."""
PROMPT_TOKENS = 700
"""Expected tokens of a first-turn prompt."""
COMPLETION_TOKENS = 350
"""Expected tokens of a completion."""


def init(path: str | Path, *, force: bool = False) -> None:
    """Writes a commented configuration to start from.

    Args:
        path: The file to write.
        force: Overwrite an existing file.

    Raises:
        ConfigError: The file exists, or it cannot be written.
    """
    from importlib.resources import files

    text = (files("ultrainteract") / "api" / "starter.yaml").read_text(encoding="utf-8")
    try:
        with Path(path).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigError(f"{path} is there already; choose another name or add --force.") from None
    except OSError as error:
        raise ConfigError(f"Cannot write {path}: {error.strerror}.") from error


def validate(
    config: RunConfig,
    *,
    base: str | Path = ".",
    limit: int = 200,
    unsafe: bool = False,
    ping: bool = False,
) -> ValidationReport:
    """Checks keys, servers, models, exports, prompts, seeds, graders and sandbox; without `ping` at no cost.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        limit: Maximum instructions per dataset whose gold answers and reference solutions are tried.
        unsafe: Allow reference solutions to run without isolation.
        ping: Also send one request per model, and show the answer as the run would read it.
    """
    return complete(lambda: validate_async(config, base=base, limit=limit, unsafe=unsafe, ping=ping))


async def validate_async(
    config: RunConfig,
    *,
    base: str | Path = ".",
    limit: int = 200,
    unsafe: bool = False,
    ping: bool = False,
) -> ValidationReport:
    """`validate` for callers with an event loop."""
    from ultrainteract.running.validation import validate_run

    return await validate_run(config, Path(base), limit=limit, unsafe=unsafe, ping=ping)


def plan(
    config: RunConfig,
    *,
    base: str | Path = ".",
    pass_rate: float = PASS_RATE,
    prompt_tokens: int = PROMPT_TOKENS,
    completion_tokens: int = COMPLETION_TOKENS,
    settings: Mapping[str, ModelSetting] | None = None,
) -> Plan:
    """Estimates requests, tokens, cost and time by rehearsing the growth policy on the run's own instructions.

    Args:
        config: The run.
        base: Folder that relative seed paths resolve against.
        pass_rate: Expected mean pass rate of the actor's first step.
        prompt_tokens: Expected tokens of a first-turn prompt.
        completion_tokens: Expected tokens of a completion.
        settings: What is known of models, by name; for the time.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
        ConfigError: A setting names no model of the configuration.
    """
    from ultrainteract.planning.estimate import plan_run

    return plan_run(
        config,
        Path(base),
        pass_rate=pass_rate,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        settings=settings,
    )


def plan_cluster(
    config: RunConfig,
    cluster: Cluster,
    *,
    base: str | Path = ".",
    instructions: int | None = None,
    settings: Mapping[str, ModelSetting] | None = None,
    measured: Sequence[str] = (),
    pass_rate: float = PASS_RATE,
    prompt_tokens: int = PROMPT_TOKENS,
    completion_tokens: int = COMPLETION_TOKENS,
) -> Capacity:
    """Measures unit costs on this machine and says what a cluster saturates first.

    Args:
        config: The run.
        cluster: Nodes, and CPUs and GPUs per node.
        base: Folder that relative seed paths resolve against.
        instructions: Trees to grow; as many as the seeds have usable instructions if None.
        settings: What is known of models, by name.
        measured: Run directories that say what a tree takes; it is rehearsed if empty.
        pass_rate: Expected mean pass rate of the actor's first step.
        prompt_tokens: Expected tokens of a first-turn prompt.
        completion_tokens: Expected tokens of a completion.

    Raises:
        SeedError: A source cannot be read, or holds no usable instruction.
        StoreError: A run directory cannot be read, or has no tree yet.
        ConfigError: A setting, or a run directory, does not go with the configuration.
    """
    from ultrainteract.planning.cluster import plan_cluster as plan_capacity

    return plan_capacity(
        config,
        Path(base),
        cluster,
        instructions=instructions,
        settings=settings or {},
        measured=measured,
        pass_rate=pass_rate,
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
    )
