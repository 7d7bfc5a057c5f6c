"""On-policy iteration: trees by the current model, training on them, trees by the model that came of it.

Each round has a folder of its own with its run, its stages and what came of it. Nothing is done twice: a run goes on
from its record, a finished stage is known by its recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ultrainteract.config import ModelConfig, RunConfig, TrainConfig
from ultrainteract.config.training import RoundsConfig
from ultrainteract.errors import ConfigError
from ultrainteract.models.llamacpp.model import find_weights
from ultrainteract.schema import Record
from ultrainteract.training.checkpoints import MODEL
from ultrainteract.training.gguf_files import from_checkpoint
from ultrainteract.training.plan import TrainReport
from ultrainteract.training.stage import section_of, train_stage

FILE = "round.json"
"""File, in a round's folder, with its `Round`."""


class Round(Record):
    """A finished round."""

    number: int
    """Number of the round, from 1."""
    actor: str
    """Model that grew the trees."""
    states: dict[str, int]
    """Number of inputs by state at the end of its run."""
    stages: tuple[TrainReport, ...]
    """What was trained."""
    model: str
    """Folder of the model that came of it."""
    evaluation: str | None = None
    """Directory of its evaluation."""


def rounds(
    config: TrainConfig,
    run: RunConfig,
    grow: Callable[[RunConfig], Mapping[str, int]],
    evaluate: Callable[[str, Path], None] | None = None,
    *,
    base: Path = Path(),
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Round]:
    """Makes the rounds of a recipe, or goes on where they stopped.

    Args:
        config: The recipe; `rounds` is set.
        run: The run that grows a round's trees; its output, its seed and its actor are replaced in every round.
        grow: Runs it to its end, and returns the number of inputs by state.
        evaluate: Evaluates a model into a directory, for `rounds.evaluation`.
        base: Folder that paths of the recipe resolve against.
        say: Called with what is done, a line each.

    Yields:
        Each round, when it is done.

    Raises:
        ConfigError: The settings do not fit together, or checkpoints cannot be the actor.
        DataError: A round's trees give nothing to train on.
    """
    if config.rounds is None:
        raise ConfigError("The configuration has no section `rounds`.")
    settings, current = config.rounds, config.model
    _check(settings, run, config)
    for number in range(1, settings.count + 1):
        folder = config.output / f"round-{number}"
        trees = folder / "trees"
        say(f"round {number} of {settings.count}: trees by {current}")
        actor = current_actor(run.models[settings.actor], settings.actor, current, folder / "actor.gguf")
        states = grow(
            run.model_copy(
                update={
                    "output": trees,
                    "name": f"{run.name}-{number}",
                    "seed": run.seed + number - 1,
                    "models": {**run.models, settings.actor: actor},
                }
            )
        )
        before, reports = current, []
        for stage in settings.stages:
            section = section_of(config, stage).model_copy(update={"start": current})
            recipe = config.model_copy(
                update={
                    "model": current,
                    "data": str(trees),
                    "output": folder,
                    stage: section,
                    "rounds": None,
                }
            )
            say(f"round {number} of {settings.count}: {stage} from {current}")
            reports.append(train_stage(recipe, stage, base=base, say=say))
            current = str(folder / stage / MODEL)
        evaluated = None
        if evaluate is not None:
            say(f"round {number} of {settings.count}: evaluation of {current}")
            evaluated = folder / "evaluation"
            evaluate(current, evaluated)
        found = Round(
            number=number, actor=before, states=dict(states), stages=tuple(reports), model=current,
            evaluation=evaluated and str(evaluated),
        )  # fmt: skip
        (folder / FILE).write_text(found.model_dump_json(indent=2) + "\n", encoding="utf-8")
        yield found


def current_actor(model: ModelConfig, name: str, checkpoint: str, target: Path) -> ModelConfig:
    """The actor's configuration with a checkpoint in its place.

    Args:
        model: Its configuration in the run; for `llamacpp` with the GGUF file that the checkpoints began as.
        name: Its name in the run.
        checkpoint: The model; a folder or a Hub id.
        target: GGUF file to write, for `llamacpp`; kept where it is there.

    Raises:
        ConfigError: Its provider cannot serve checkpoints.
    """
    if model.provider in ("vllm", "vllm-server"):
        return model.model_copy(update={"model": checkpoint})
    if model.provider == "llamacpp":
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            from_checkpoint(Path(checkpoint), find_weights(name, model.model), part).rename(target)
        return model.model_copy(update={"model": str(target)})
    raise ConfigError(
        f"models.{name}: the provider `{model.provider}` cannot serve the checkpoints of a round; `vllm`, "
        "`vllm-server` and `llamacpp` can."
    )


def _check(settings: RoundsConfig, run: RunConfig, config: TrainConfig) -> None:
    """Finds before anything is paid for what would stop a round.

    Raises:
        ConfigError: The actor is unknown, a stage has no section, or a reward model would become the actor.
    """
    if settings.actor not in run.models:
        raise ConfigError(
            f"rounds.actor: the run has no model '{settings.actor}' (it has {', '.join(run.models)})."
        )
    if "reward" in settings.stages:
        raise ConfigError(
            "rounds.stages: a reward model writes nothing: it cannot be the next round's actor."
        )
    for stage in settings.stages:
        section_of(config, stage)
    provider: Any = run.models[settings.actor].provider
    if provider not in ("vllm", "vllm-server", "llamacpp"):
        current_actor(run.models[settings.actor], settings.actor, config.model, Path())
