"""Principles: a model writes them, answers queries under them, and is asked how well it tells them apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.models import with_model
from ultrainteract.errors import DataError, StoreError

if TYPE_CHECKING:
    from ultrainteract.config import RunConfig
    from ultrainteract.judgments.principles.information import Score


def write_principles(
    topic: str,
    config: RunConfig,
    model: str,
    output: str | Path,
    *,
    count: int = 4,
    attempts: int = 8,
    force: bool = False,
) -> int:
    """Has a model write principles with their contrasts, for a person to read before they are used.

    Args:
        topic: What responses they are for, in words: "summaries of news".
        config: A configuration with the model.
        model: Its name there.
        output: The YAML file to write.
        count: Principles wanted, at most six.
        attempts: Maximum samples: each adds the principles that it states in the form that was asked for.
        force: Overwrite an existing file.

    Returns:
        Principles written; fewer than `count` where the model states no more.

    Raises:
        ConfigError: There is no such model, more than six principles are asked for, or none could be read.
        ProviderError: The model cannot be reached.
        StoreError: The file is there already, or cannot be written.
    """
    from ultrainteract.judgments.principles.authoring import ask_for_principles, save

    if Path(output).exists() and not force:
        raise StoreError(f"{output} is there already; choose another name or add --force.")
    found = with_model(
        config, model, lambda built: ask_for_principles(topic, config, model, built, count, attempts)
    )
    save(found, Path(output))
    return len(found)


def answer_under_principles(
    queries: str | Path,
    principles: str | Path,
    config: RunConfig,
    model: str,
    output: str | Path,
    *,
    count: int = 2,
    column: str = "prompt",
    dataset: str = "principles",
    license: str | None = None,
    accept_config: bool = False,
) -> dict[str, int]:
    """Has a model answer queries under several constitutions: unlabelled trees, in a run directory.

    Args:
        queries: File with a column of queries.
        principles: YAML or JSON file: a list of `name`, `positive`, `negative`.
        config: A configuration with the model.
        model: Its name there.
        output: The run directory.
        count: Constitutions per query: the positive one and `count` - 1 contrasts.
        column: Column of the queries.
        dataset: Name of the dataset on the trees.
        license: License of the queries.
        accept_config: Go on with a directory of other principles or another configuration: queries are answered again,
            and recorded replies are reused.

    Returns:
        Queries by state, and by reason where one was skipped.

    Raises:
        ConfigError: There is no such model, or the principles cannot be read or are too few.
        DataError: The queries cannot be read.
        ProviderError, BudgetExceeded: No further request can be sent.
        StoreError: The directory cannot be written, or belongs to other principles or another configuration.
    """
    from ultrainteract.api.judgments import read_rows
    from ultrainteract.judgments.principles.constitutions import read_principles
    from ultrainteract.judgments.principles.growing import answer_queries
    from ultrainteract.readers.files import BadRecord
    from ultrainteract.readers.rows import Unusable

    known = read_principles(Path(principles))
    texts = []
    for row in read_rows(queries):
        if isinstance(row, BadRecord):
            raise DataError(f"{row.where}: {row.reason}.")
        try:
            texts.append(row.filled(column))
        except Unusable as problem:
            raise DataError(f"{row.where}: {problem}. Name the column with --column.") from problem

    return dict(
        sorted(
            with_model(
                config,
                model,
                lambda built: answer_queries(
                    texts, known, config, model, {model: built}, Path(output), dataset=dataset, licence=license,
                    count=count, accept_config=accept_config,
                ),
            ).items()
        )
    )  # fmt: skip


def score_principles(folder: str | Path, config: RunConfig, model: str) -> dict[str, Score]:
    """Asks a model how likely each response is under each constitution of its query; the trees keep the answers.

    Args:
        folder: A run directory of `answer_under_principles`; what was scored before is left as it is.
        config: A configuration with the model.
        model: Its name there: one that gives log-probabilities of given answers (provider `vllm`).

    Returns:
        Figures by contrast; `told_apart` says whether the model tells its constitutions apart.

    Raises:
        ConfigError: There is no such model, it gives no log-probabilities, or another one has scored this directory.
        ProviderError: The model cannot be reached.
        StoreError: There is no run directory, or it cannot be written.
    """
    from ultrainteract.judgments.principles.scoring import score_trees

    return with_model(config, model, lambda built: score_trees(Path(folder), config, built))
