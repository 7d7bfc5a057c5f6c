"""Judgments of people and models: ratings and pairs from crowd votes, and scores of rewrites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ultrainteract.errors import ConfigError, DataError, StoreError

if TYPE_CHECKING:
    from ultrainteract.config import RunConfig
    from ultrainteract.judgments.votes import Battle
    from ultrainteract.judgments.votes.report import VoteReport
    from ultrainteract.judgments.writing.scores import WritingRule
    from ultrainteract.readers.files import BadRecord
    from ultrainteract.readers.rows import Row
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
        DataError: A file cannot be read or has another layout, no vote counts, or no two models can be compared.
    """
    from ultrainteract.judgments.reading import refuse_empty
    from ultrainteract.judgments.votes.report import rate_votes as rate

    records = read_votes(files, columns)
    refuse_empty(files, records)
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
        style: Refuse wins that the style of the two answers explains (see docs/votes.md).

    Returns:
        The report as plain JSON; votes read = kept + dropped + unreadable, couples of answers = pairs + refused.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read or has another layout, or no vote counts.
        StoreError: The folder cannot be written.
    """
    from ultrainteract.judgments.reading import refuse_empty
    from ultrainteract.judgments.votes.trees import summary, vote_trees

    records = read_votes(files, columns)
    refuse_empty(files, records)
    voted = vote_trees(
        records, dataset=dataset, licence=license, min_reliability=min_reliability, seed=seed,
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


def read_votes(files: Sequence[str | Path], columns: Mapping[str, str] | None) -> list[Battle | BadRecord]:
    """The records of files of votes.

    Raises:
        ConfigError: `columns` names an unknown field.
        DataError: A file cannot be read, or no record of it has a known layout, or that of `columns`.
    """
    from ultrainteract.judgments.votes import Mapping as Columns
    from ultrainteract.judgments.votes import read_battles

    if unknown := set(columns or ()) - set(Columns.model_fields):
        raise ConfigError(
            f"--map: votes have the fields {', '.join(Columns.model_fields)}, not {min(unknown)}."
        )
    mapping = None if columns is None else Columns(**columns)
    return [record for file in files for record in read_battles(read_rows(file), mapping)]


def read_rows(file: str | Path) -> Iterator[Row | BadRecord]:
    """The rows of a file.

    Raises:
        DataError: It cannot be read.
    """
    from ultrainteract.errors import SeedError
    from ultrainteract.readers.files import read_file

    try:
        yield from read_file(Path(file).expanduser())
    except SeedError as error:
        raise DataError(str(error)) from error


def refuse_loss(file: Path, authors: Sequence[str]) -> None:
    """Refuses to overwrite a file where that loses answers.

    Args:
        file: The file.
        authors: Who gave the answers that would be lost, once for each of them.

    Raises:
        StoreError: There are any.
    """
    if authors:
        raise StoreError(
            f"{file} holds {len(authors):,} answers by {', '.join(sorted(set(authors)))} that would be lost. "
            "Choose another place to write to, or --force."
        )


def rate_writing(
    file: str | Path,
    config: RunConfig,
    model: str,
    output: str | Path,
    *,
    repeats: int = 2,
    force: bool = False,
) -> dict[str, Any]:
    """Has a model rate paragraphs as `writing_pairs` reads them: blind, in both directions and two wordings of a scale.

    Args:
        file: Paragraphs in the layout of the study; ratings that it holds are compared with the model's.
        config: A configuration with the model.
        model: Its name there.
        output: Folder for the replies, and for `rated.jsonl`.
        repeats: Samples per question; a scale has four questions.
        force: Overwrite ratings by another model, or of paragraphs that `file` does not hold.

    Returns:
        The report as plain JSON: rows = rated + unrated.

    Raises:
        ConfigError: There is no such model.
        DataError: A row has no text or no proposition.
        ProviderError, BudgetExceeded: No further request can be sent.
        StoreError: The folder cannot be written, belongs to another configuration, or holds ratings that would be lost.
    """
    import json

    from ultrainteract.api.models import with_model
    from ultrainteract.judgments.annotators.asking import annotator_name
    from ultrainteract.judgments.writing.rating import rate_paragraphs
    from ultrainteract.readers.files import BadRecord
    from ultrainteract.readers.rows import Unusable
    from ultrainteract.store.files import write_lines

    rows = []
    for row in read_rows(file):
        if isinstance(row, BadRecord):
            raise DataError(f"{row.where}: {row.reason}.")
        try:
            row.filled("proposition"), row.filled("paragraph")
        except Unusable as problem:
            raise DataError(f"{row.where}: {problem}.") from problem
        rows.append(row)
    rated = Path(output) / "rated.jsonl"
    if model in config.models and rated.exists() and not force:
        name = annotator_name(config, model)
        again = {(name, str(row.get("proposition")), str(row.get("paragraph"))) for row in rows}
        held = [
            tuple(
                str(getattr(row, "data", {}).get(field)) for field in ("rated_by", "proposition", "paragraph")
            )
            for row in read_rows(rated)
        ]
        refuse_loss(rated, [one[0] for one in held if one not in again])
    found = with_model(
        config,
        model,
        lambda built: rate_paragraphs(rows, config, model, {model: built}, Path(output), repeats),
    )
    write_lines((json.dumps(row, default=str) for row in found.rows), rated)
    return {
        "rows": len(rows), "rated": len(found.rows), "unrated": found.unrated, "answers": found.answers,
        "unread": found.unread, "readers": found.readers, "spread": found.spread, "direction": found.direction,
        "agreement": found.agreement, "file": str(rated),
    }  # fmt: skip


def writing_pairs(
    *files: str | Path,
    output: str | Path | None = None,
    rule: WritingRule | None = None,
    dataset: str = "writing",
    license: str | None = None,
) -> dict[str, Any]:
    """Scores rewrites for polish and distortion, and makes trees of faithful beside distorting ones (docs/writing.md).

    Args:
        files: Rated paragraphs in the layout of the study of persona distortion.
        output: Folder to write the trees to; nothing is written if None.
        rule: What counts as a distortion.
        dataset: Name of the dataset on the trees.
        license: License of the texts.

    Returns:
        The report as plain JSON; rows read = own texts + rewrites + duplicates + unreadable, own texts = trees + those
        without a pair.

    Raises:
        DataError: A file cannot be read, or holds no paragraph.
        StoreError: The folder cannot be written.
    """
    from ultrainteract.judgments.reading import Reading, refuse_empty
    from ultrainteract.judgments.writing.paragraphs import read_paragraphs
    from ultrainteract.judgments.writing.scores import WritingRule as Rule
    from ultrainteract.judgments.writing.trees import writing_trees

    records = [record for file in files for record in read_paragraphs(read_rows(file))]
    refuse_empty(files, records)
    found = writing_trees(records, rule or Rule(), dataset=dataset, licence=license)
    doubles = [(where, "the same as an earlier row") for where in found.duplicates]
    reading = Reading(len(records) - len(found.unreadable) - len(doubles), found.unreadable, doubles)
    if not reading.kept:
        raise reading.nothing_left("There is no rated paragraph.")
    trees = list(found.trees)
    if output is not None and (trees or (Path(output) / "trees").exists()):
        write_trees(trees, output, dataset, [str(file) for file in files])
    means = {
        name: round(sum(getattr(one, name) for _, one in found.scored) / len(found.scored), 3)
        for name in ("polish", "polarity", "stance", "confidence")
        if found.scored
    }
    return {
        "read": len(records), "unreadable": len(found.unreadable), "duplicates": len(doubles), "texts": found.texts,
        "rewrites": dict(sorted(found.rewrites.items())), "mean_shift": means, "trees": len(trees),
        "pairs": sum(1 for tree in trees for _ in tree.pairs()), "without": dict(sorted(found.without.items())),
        "refused": dict(found.trees.refused), "reasons": reading.reasons(),
    }  # fmt: skip
