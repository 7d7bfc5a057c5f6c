"""Judgments of people: ratings of models and pairs of answers from crowd votes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ultrainteract.errors import ConfigError, DataError

if TYPE_CHECKING:
    from ultrainteract.judgments.votes import Battle
    from ultrainteract.judgments.votes.report import VoteReport
    from ultrainteract.readers.files import BadRecord
    from ultrainteract.schema import Tree


def rate_votes(
    *files: str | Path,
    columns: Mapping[str, str] | None = None,
    method: Literal["bradley-terry", "newman"] = "bradley-terry",
    style: bool = False,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
    cleaning: bool = True,
) -> VoteReport:
    """Rates models from votes on their answers, with intervals (see docs/votes.md).

    Args:
        files: Files of votes: an Arena release (55k, 100k, 140k), MT-Bench judgments, or a layout of your own.
        columns: For a layout of your own: columns by field of `judgments.votes.Mapping`.
        method: Ties as half a win and half a loss, or with a parameter of their own.
        style: Rate at equal style as well.
        confidence: Level of the intervals.
        resamples: Bootstrap samples; 0 for none.
        seed: Seed of every random choice.
        cleaning: Drop votes that do not count.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read, or no two models can be compared.
    """
    from ultrainteract.judgments.votes.report import rate_votes as rate

    records = _battles(files, columns)
    return rate(
        records, method=method, style=style, confidence=confidence, resamples=resamples, seed=seed, cleaning=cleaning
    )  # fmt: skip


def vote_pairs(
    *files: str | Path,
    output: str | Path,
    columns: Mapping[str, str] | None = None,
    dataset: str = "votes",
    license: str | None = None,
    min_reliability: float = 0.5,
    seed: int = 0,
    cleaning: bool = True,
    style: bool = True,
) -> dict[str, Any]:
    """Makes trees of votes with texts: `stats`, `export` and `push` work on the folder as on any other.

    Args:
        files: Files of votes (see `rate_votes`).
        output: Folder to write the trees to.
        columns: For a layout of your own: columns by field of `judgments.votes.Mapping`.
        dataset: Name of the dataset on the trees.
        license: License of the texts.
        min_reliability: Minimum reliability of a pair.
        seed: Seed of every random choice.
        cleaning: Drop votes that do not count.
        style: Refuse wins of models that are expected to lose at equal style.

    Returns:
        The report as plain JSON; votes read = kept + dropped + unreadable, couples of answers = pairs + refused.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read.
        StoreError: The folder cannot be written.
    """
    from ultrainteract.judgments.votes.trees import summary, vote_trees

    voted = vote_trees(
        _battles(files, columns), dataset=dataset, licence=license, min_reliability=min_reliability, seed=seed,
        cleaning=cleaning, style=style,
    )  # fmt: skip
    trees, pairs = write_trees(voted.trees, output, dataset, [str(file) for file in files])
    return summary(voted, trees, pairs)


def write_trees(
    trees: Iterable[Tree], output: str | Path, name: str, sources: Sequence[str]
) -> tuple[int, int]:
    """Writes judged trees as a `trees` export.

    Args:
        trees: The trees.
        output: Folder to write to.
        name: Name of the set.
        sources: Files it was made from.

    Returns:
        Trees and pairs written.

    Raises:
        StoreError: The folder cannot be written.
    """
    from ultrainteract.config import ExportConfig
    from ultrainteract.dataset.info import RunInfo
    from ultrainteract.exporting import export_trees
    from ultrainteract.statistics.statistics import Statistics

    counted = Statistics()
    info = RunInfo.of_import(name, sources)
    rows = export_trees(trees, output, ExportConfig(formats=("trees",)), info, counted)
    return rows["trees"], counted.pairs


def _battles(files: Sequence[str | Path], columns: Mapping[str, str] | None) -> list[Battle | BadRecord]:
    """The records of files of votes.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read.
    """
    from pydantic import ValidationError

    from ultrainteract.errors import SeedError
    from ultrainteract.judgments.votes import Mapping as Columns
    from ultrainteract.judgments.votes import read_battles
    from ultrainteract.readers.files import read_file

    try:
        mapping = Columns(**columns) if columns is not None else None
    except ValidationError as error:
        known = ", ".join(Columns.model_fields)
        raise ConfigError(
            f"A mapping of votes has the fields {known}: {error.errors()[0]['msg']}."
        ) from error
    try:
        return [
            record for file in files for record in read_battles(read_file(Path(file).expanduser()), mapping)
        ]
    except SeedError as error:
        raise DataError(str(error)) from error
