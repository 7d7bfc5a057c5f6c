"""Training: what a stage would be given, and the stage itself (extra `train`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import TrainConfig, load_train_config

if TYPE_CHECKING:
    from ultrainteract.config.training import Stage
    from ultrainteract.training.plan import TrainPlan, TrainReport


def plan_training(
    config: TrainConfig | str | Path, stage: Stage, *, overrides: Sequence[str] = ()
) -> TrainPlan:
    """Says what a stage would be trained on: rows, token lengths, what is dropped or cut, an example.

    Nothing is trained or kept.

    Args:
        config: The recipe, or its file.
        stage: The stage.
        overrides: Changes to the file's fields, `dotted.path=value` each.

    Raises:
        ConfigError: The settings do not fit together, a model is missing, or the extra `train` is not installed.
        DataError: There is nothing to train on.
        StoreError: A run cannot be read.
    """
    from ultrainteract.training.stage import prepare

    config, base = _loaded(config, overrides)
    with tempfile.TemporaryDirectory(prefix="ultrainteract-train-") as folder:
        return prepare(config, stage, Path(folder), base)[1].plan


def train(
    config: TrainConfig | str | Path,
    stage: Stage,
    *,
    overrides: Sequence[str] = (),
    again: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> TrainReport:
    """Trains one stage, or goes on where it stopped; the model is then in `<output>/<stage>/model`.

    Args:
        config: The recipe, or its file.
        stage: The stage.
        overrides: Changes to the file's fields, `dotted.path=value` each.
        again: Begin anew, whatever the folder holds.
        say: Called with what is done and found, a line each.

    Raises:
        ConfigError: The settings do not fit together, the folder holds another recipe's model, or the extra `train` is
            not installed.
        DataError: There is nothing to train on.
        StoreError: A run cannot be read, or rows cannot be written.
    """
    from ultrainteract.training.stage import train_stage

    config, base = _loaded(config, overrides)
    return train_stage(config, stage, base=base, again=again, say=say)


def _loaded(config: TrainConfig | str | Path, overrides: Sequence[str]) -> tuple[TrainConfig, Path]:
    """The recipe, and the folder that its paths resolve against."""
    if isinstance(config, TrainConfig):
        return config, Path()
    return load_train_config(config, overrides), Path(config).expanduser().parent
