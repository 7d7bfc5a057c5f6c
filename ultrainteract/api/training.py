"""Training: what a stage would be given, and the stage itself (extra `train`)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import RunConfig, TrainConfig, load_config, load_train_config
from ultrainteract.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ultrainteract.config.training import Stage
    from ultrainteract.training.plan import TrainPlan, TrainReport
    from ultrainteract.training.publication import PublishedModel
    from ultrainteract.training.rounds import Round


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
        # A folder inside: the token ids are kept beside the rows, and both have to go.
        return prepare(config, stage, Path(folder) / stage, base)[1].plan


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


def train_rounds(
    config: TrainConfig | str | Path,
    *,
    overrides: Sequence[str] = (),
    unsafe: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[Round]:
    """On-policy iteration: trees by the current model, training on them, and so on; goes on where it stopped.

    Args:
        config: The recipe, or its file.
        overrides: Changes to the file's fields, `dotted.path=value` each.
        unsafe: Allow running model-written code without isolation.
        say: Called with what is done, a line each.

    Yields:
        Each round, when it is done.

    Raises:
        UltraInteractError: What is wrong, and what to do next.
    """
    from ultrainteract.api.evaluation import evaluate, load_evaluation
    from ultrainteract.api.runs import run
    from ultrainteract.training.rounds import current_actor, rounds

    config, base = _loaded(config, overrides)
    if config.rounds is None:
        raise ConfigError("The configuration has no section `rounds`.")
    path = config.rounds.run if config.rounds.run.is_absolute() else base / config.rounds.run

    def grow(trees: RunConfig) -> dict[str, int]:
        report = run(trees, base=path.parent, unsafe=unsafe)
        if report.stopped:  # by the user: half the trees are no round
            raise KeyboardInterrupt
        return {str(state): number for state, number in report.states.items()}

    place = config.rounds.evaluation
    if place is None:
        yield from rounds(config, load_config(path), grow, base=base, say=say)
        return
    evaluation = load_evaluation(place if place.is_absolute() else base / place)

    def measure(model: str, folder: Path) -> None:
        actor = current_actor(evaluation.model, "model", model, folder.with_name("evaluated.gguf"))
        report = evaluate(
            evaluation.model_copy(update={"output": folder, "model": actor}),
            base=(place if place.is_absolute() else base / place).parent,
            unsafe=unsafe,
        )
        if not report.complete:
            raise KeyboardInterrupt

    yield from rounds(config, load_config(path), grow, measure, base=base, say=say)


def push_model(
    folder: str | Path,
    repo: str,
    *,
    private: bool = False,
    allow_simulated: bool = False,
    replace: bool = False,
) -> PublishedModel:
    """Publishes a trained model on the Hub, with a card that names the data's revision.

    Args:
        folder: Folder of a finished stage.
        repo: Model id on the Hub.
        private: Make a new repository private.
        allow_simulated: Publish a model that was trained on simulated data, marked as such.
        replace: Publish into a repository that holds something else; no file of others is deleted.

    Raises:
        DataError: The folder is none of a finished stage.
        HubError: It was refused or failed.
    """
    from ultrainteract.training.publication import push_model as push

    return push(folder, repo, private=private, allow_simulated=allow_simulated, replace=replace)


def score(
    model: str | Path, source: str | Path, *, revision: str | None = None
) -> Iterator[dict[str, float | str]]:
    """Scores rows by a reward model.

    Args:
        model: Folder of the model that the stage `reward` made, or a Hub id.
        source: Rows with `prompt` and `chosen`, `rejected` or `completion`: texts or messages, by the rules of
            `training.plain_rows`.
        revision: Revision of the rows, where they are a Hub dataset.

    Yields:
        For each row, in order, the score of each of these columns that it has; or, under `left_out`, its file and
        line and why it has no score. A row has all of its scores or none.

    Raises:
        ConfigError: The model cannot be loaded, or has no score.
        DataError: The rows cannot be read, or none has a score.
    """
    from ultrainteract.readers.tables import open_tables
    from ultrainteract.training.scoring import RewardModel, score_rows

    loaded, scored, last = RewardModel.load(model), 0, ""
    for table in open_tables(str(source), revision):
        for found in score_rows(loaded, table):
            last = str(found.get("left_out", last))
            scored += "left_out" not in found
            yield found
    if not scored:
        raise DataError(f"{source}: no row has a score{f'; the last one, {last}' if last else ''}.")


def _loaded(config: TrainConfig | str | Path, overrides: Sequence[str]) -> tuple[TrainConfig, Path]:
    """The recipe, and the folder that its paths resolve against."""
    if isinstance(config, TrainConfig):
        return config, Path()
    return load_train_config(config, overrides), Path(config).expanduser().parent
