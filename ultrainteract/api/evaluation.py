"""Evaluations: rolling a model out on benchmarks, and what is made of the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultrainteract.api.event_loop import complete
from ultrainteract.config import RunConfig
from ultrainteract.config.evaluation import EvaluationConfig
from ultrainteract.config.loading import load_evaluation_config, parse_evaluation
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.models import PROVIDERS
from ultrainteract.models.base import ChatModel
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.seeds.registry import find_dataset
from ultrainteract.store import resume_run

if TYPE_CHECKING:
    from rich.console import Console

    from ultrainteract.evaluation.comparing import Comparison
    from ultrainteract.evaluation.figures import EvaluationReport
    from ultrainteract.evaluation.mint_outputs import MintRow
    from ultrainteract.evaluation.rewards import PairwiseReport, ScoresAnswers
    from ultrainteract.evaluation.selection import SelectionRow


def load_evaluation(
    path: str | Path, overrides: Iterable[str] = (), changes: Mapping[str, Any] | None = None
) -> EvaluationConfig:
    """Reads the YAML file of an evaluation and applies overrides (see `load_config`).

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML.
        changes: Further values by dotted path.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown, missing or wrong.
    """
    return load_evaluation_config(path, overrides, changes)


def quick_evaluation(
    model: str, benchmarks: Iterable[str], changes: Mapping[str, Any] | None = None
) -> EvaluationConfig:
    """The configuration of an evaluation without a file.

    Args:
        model: The model's name at its provider, behind `PROVIDER:` where that is not `openai`.
        benchmarks: `NAME=PATH` or `NAME/TASK=PATH` each.
        changes: Further values by dotted path.

    Raises:
        ConfigError: A benchmark is not written so, or a field is wrong.
    """
    provider, separator, name = model.partition(":")
    if not separator or provider not in PROVIDERS.names():
        provider, name = "openai", model
    sources = []
    for text in benchmarks:
        dataset, separator, path = text.partition("=")
        if not separator:
            raise ConfigError(f"--benchmark {text}: write NAME=PATH, such as svamp=data/SVAMP.json.")
        dataset, _, task = dataset.partition("/")
        sources.append({"dataset": dataset, "path": path, **({"tasks": [task]} if task else {})})
    data = {"model": {"provider": provider, "model": name}, "benchmarks": sources}
    return parse_evaluation(data, changes or {}, "the command line")


def evaluate(
    config: EvaluationConfig,
    *,
    base: str | Path = ".",
    accept_config: bool = False,
    unsafe: bool = False,
    console: Console | None = None,
    models: Mapping[str, ChatModel] | None = None,
    sandbox: Sandbox | None = None,
) -> EvaluationReport:
    """Evaluates a model, or goes on where an earlier evaluation of this configuration stopped.

    `report.json` and `items.jsonl` are written into `config.output`, the directory of the record.

    Args:
        config: What to evaluate, on what.
        base: Folder that relative paths resolve against.
        accept_config: Go on with a directory that was made by another configuration: items are rolled out again,
            recorded calls answer whatever did not change.
        unsafe: Allow running model-written code without isolation.
        console: Shows progress here; nothing is shown if None.
        models: Models to use instead of those configured: `actor`, and `critic` and `judge` where they are used.
        sandbox: Sandbox to use instead of the configured one.

    Returns:
        The report; `complete` is False where the evaluation was stopped or items failed.

    Raises:
        UltraInteractError: What is wrong, and what to do next.
        asyncio.CancelledError: A second signal aborted it; the directory resumes.
    """
    return complete(
        lambda: evaluate_async(
            config, base=base, accept_config=accept_config, unsafe=unsafe, console=console, models=models,
            sandbox=sandbox,
        )
    )  # fmt: skip


async def evaluate_async(
    config: EvaluationConfig,
    *,
    base: str | Path = ".",
    accept_config: bool = False,
    unsafe: bool = False,
    console: Console | None = None,
    models: Mapping[str, ChatModel] | None = None,
    sandbox: Sandbox | None = None,
) -> EvaluationReport:
    """`evaluate` for callers with an event loop; arguments, result and errors are the same."""
    from ultrainteract.api.runs import run_async
    from ultrainteract.evaluation.report import report_of
    from ultrainteract.evaluation.writing import write_report
    from ultrainteract.schema import TreeState
    from ultrainteract.store import retry

    run = run_of(config)
    with resume_run(run, accept_config=accept_config) as store:
        retry(store, TreeState.FAILED)  # a fault of the infrastructure is no result
        await run_async(run, store, base=base, unsafe=unsafe, console=console, models=models, sandbox=sandbox)
        report, items = report_of(
            store,
            confidence=config.confidence,
            training=config.training_data,
            ngram=config.ngram,
            base=Path(base),
        )
        write_report(report, items, store.folder)
        return report


def run_of(config: EvaluationConfig) -> RunConfig:
    """The run that an evaluation is: benchmarks are read in the split that they are evaluated in.

    Raises:
        ConfigError: A benchmark is not known.
    """
    benchmarks = []
    for source in config.benchmarks:
        known = find_dataset(source.dataset).benchmark
        change: dict[str, Any] = {}
        if known is not None and "split" not in source.model_fields_set:
            change["split"] = known.split
        benchmarks.append(source.model_copy(update=change))
    return config.model_copy(update={"benchmarks": tuple(benchmarks)}).run_config()


def evaluation_report(folder: str | Path) -> EvaluationReport:
    """The report of an evaluation's directory, or a report file.

    Raises:
        StoreError: There is none.
    """
    from pydantic import ValidationError

    from ultrainteract.evaluation.figures import EvaluationReport
    from ultrainteract.evaluation.report import REPORT_FILE

    path = Path(folder)
    path = path / REPORT_FILE if path.is_dir() else path
    try:
        return EvaluationReport.model_validate_json(path.read_bytes())
    except OSError as error:
        raise StoreError(f"{path}: there is no report of an evaluation here ({error.strerror}).") from error
    except ValidationError as error:
        raise StoreError(f"{path} is no report of an evaluation: {error.errors()[0]['msg']}.") from error


def compare_evaluations(*folders: str | Path, confidence: float = 0.95) -> Comparison:
    """Several evaluations in one table, each tested against the first on the items that both have.

    Args:
        folders: Directories of evaluations.
        confidence: Level of the intervals of differences.

    Raises:
        StoreError: One has no report.
        ConfigError: None is named.
    """
    from ultrainteract.evaluation.comparing import compare
    from ultrainteract.evaluation.writing import read_judged

    reports, items = {}, {}
    for folder in folders:
        report = evaluation_report(folder)
        label = report.setup.name if report.setup.name not in reports else str(folder)
        reports[label] = report
        items[label] = list(read_judged(Path(folder)))
    return compare(reports, items, confidence)


def best_of_n(
    folder: str | Path, reward_model: str | Path | ScoresAnswers | None = None
) -> tuple[SelectionRow, ...]:
    """What picking one of n recorded answers gives: random, most probable, majority, a reward model's choice, oracle.

    Args:
        folder: Directory of an evaluation with one answer per rollout and several samples.
        reward_model: Folder or Hub id of a sequence-classification checkpoint, or anything that scores answers.

    Raises:
        StoreError: It is no directory of an evaluation, or its rollouts have several turns.
        ConfigError: The reward model cannot be loaded.
    """
    from ultrainteract.evaluation.report import read_items
    from ultrainteract.evaluation.rewards import with_rewards
    from ultrainteract.evaluation.selection import best_of_n as rows_of
    from ultrainteract.store import RunStore

    with RunStore.open(folder, readonly=True) as store:
        config = store.config()
        if config.rollout is None or config.rollout.protocol != "single":
            raise StoreError(f"{folder}: best of n is of single answers; evaluate with protocol `single`.")
        if reward_model is None:
            items = read_items(store)[0]
        else:
            items = list(with_rewards(store.items(), _reward_model(reward_model)))
    return rows_of(items, 0.95, config.seed)


def pairwise_accuracy(
    reward_model: str | Path | ScoresAnswers, data: str | Path, *, base: str | Path = "."
) -> PairwiseReport:
    """How often a reward model scores the chosen of two answers higher, by subset and RewardBench's sections.

    Args:
        reward_model: Folder or Hub id of a sequence-classification checkpoint, or anything that scores answers.
        data: Preference set: rows with `prompt`, `chosen`, `rejected`.
        base: Folder for relative paths.

    Raises:
        ConfigError: The reward model cannot be loaded.
        DataError: No row is a pair.
    """
    from ultrainteract.evaluation.rewards import pairwise_accuracy as measure

    name = str(reward_model) if isinstance(reward_model, str | Path) else type(reward_model).__name__
    return measure(_reward_model(reward_model), str(data), name=name, base=Path(base))


def _reward_model(model: str | Path | ScoresAnswers) -> ScoresAnswers:
    if not isinstance(model, str | Path):
        return model
    from ultrainteract.training.scoring import RewardModel

    return RewardModel.load(model)


def export_samples(folder: str | Path, layout: str, output: str | Path) -> int:
    """Writes the samples of an evaluation as another tool reads them, or its failures as seeds.

    Args:
        folder: Directory of an evaluation.
        layout: `evalplus`, `lm-eval`, `rewardbench`; or `failures`, for the dataset `from_eval`.
        output: The JSON Lines file to write.

    Returns:
        Lines written.

    Raises:
        ConfigError: The layout is unknown.
        StoreError: There is no evaluation, or the file cannot be written.
    """
    from ultrainteract.evaluation.bridges import failures, rows
    from ultrainteract.store import RunStore
    from ultrainteract.store.files import write_lines

    with RunStore.open(folder, readonly=True) as store:
        lines = failures(store.items()) if layout == "failures" else rows(store.items(), layout)
        return write_lines(lines, Path(output))


def mint_outputs(folder: str | Path) -> tuple[MintRow, ...]:
    """Success by turn of outputs in the layout of MINT's published ones.

    Raises:
        DataError: There are none, or a line is none.
    """
    from ultrainteract.evaluation.mint_outputs import read_mint_outputs

    return read_mint_outputs(folder)
