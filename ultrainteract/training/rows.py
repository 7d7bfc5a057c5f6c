"""The rows of a stage, written to its folder: an export of the data, whatever the data is.

Trees (of runs, exports or published rows) are exported as `ultrainteract export` does it, with the same selection,
mixing and order. Rows that are in a trainer's format already, or in a usual layout of other datasets, are taken as
they are. So the folder holds exactly what was trained on.
"""

from __future__ import annotations

import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.config.training import Stage
from ultrainteract.dataset.importing import is_pair, is_sft
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.samples import Demonstration
from ultrainteract.dataset.source import Source
from ultrainteract.dataset.tree_table import tree_tables
from ultrainteract.errors import DataError
from ultrainteract.exporting.export import export_trees
from ultrainteract.exporting.mix import mixers, samples
from ultrainteract.exporting.registry import Exporter, chosen_exporters
from ultrainteract.exporting.writer import SplitWriter
from ultrainteract.readers.sources import is_hub_id, local_files, resolve_revision
from ultrainteract.readers.tables import Table, open_tables
from ultrainteract.schema import content_hash
from ultrainteract.store import find_runs

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

FORMATS: dict[Stage, str] = {
    "sft": "trl-prompt-completion",
    "dpo": "trl-preference",
    "nca": "trl-preference",
    "kto": "trl-kto",
    "reward": "reward",
}
"""The export that each stage trains on."""
_BATCH = 512


@dataclass(frozen=True)
class StageRows:
    """Where the rows of a stage lie, and what is known of them."""

    files: tuple[Path, ...]
    """Parquet files of the train split."""
    validation: tuple[Path, ...]
    """Parquet files of the validation split; empty where there is none."""
    counts: dict[str, int]
    """Rows by origin: `data`, and each source mixed in."""
    info: RunInfo
    """Where the data comes from."""
    revisions: dict[str, str]
    """Commit by id of the Hub datasets that were read."""


def write_rows(
    stage: Stage, places: tuple[str, ...], export: ExportConfig, folder: Path, revision: str | None = None
) -> StageRows:
    """Writes the rows that a stage trains on.

    Args:
        stage: The stage.
        places: Run directories, folders of exports, files, or Hub dataset ids.
        export: Selection, history, validation share and what is mixed in.
        folder: Where to write; what an earlier call left there is replaced.
        revision: Revision of Hub datasets.

    Raises:
        ConfigError: The settings do not fit together.
        DataError: A place holds nothing that this stage can be trained on.
        StoreError: A run cannot be read, or the rows cannot be written.
    """
    name = FORMATS[stage]
    export = export.model_copy(update={"formats": (name,)})
    (exporter,) = chosen_exporters(export)
    shutil.rmtree(folder / name, ignore_errors=True)
    tables = _plain_tables(places, revision)
    if tables is None:
        with Source.open(*places, revision=revision) as opened:
            opened.require_current()
            info = opened.info
            counts = Counter(export_trees(opened.trees, folder, export, info))
    else:
        info = RunInfo.of_import(Path(places[0]).name, places)
        info = info.model_copy(update={"simulated": any(table.simulated for table in tables)})
        counts = _write_tables(stage, tables, exporter, export, folder, info)
    mixed = {key.partition("+")[2]: rows for key, rows in counts.items() if "+" in key}
    found = sorted((folder / name).glob("**/*.parquet"))
    validation = tuple(
        path for path in found if path.relative_to(folder / name).parts[0].startswith("validation")
    )
    if not counts[name]:
        raise DataError(f"{', '.join(places)}: there is no row to train `{stage}` on with these settings.")
    return StageRows(
        tuple(path for path in found if path not in validation),
        validation,
        {"data": counts[name] - sum(mixed.values())} | mixed,
        info,
        _revisions(places, revision),
    )


def _revisions(places: tuple[str, ...], revision: str | None) -> dict[str, str]:
    """The commits of those places that are Hub datasets."""
    found = {}
    for place in places:
        with ExitStack() as stack:
            local = local_files(place, Path(), ("**/*",)) is not None or find_runs(place, stack)
        if not local and is_hub_id(place):
            found[place] = resolve_revision(place, revision)
    return found


def _plain_tables(places: tuple[str, ...], revision: str | None) -> list[Table] | None:
    """The tables of places that hold rows rather than trees; None where trees can be made."""
    found: list[Table] = []
    for place in places:
        with ExitStack() as stack:
            if find_runs(place, stack):
                return None
        tables = open_tables(place, revision)
        if tree_tables(tables) or any(is_sft(table) or is_pair(table) for table in tables):
            return None
        found += tables
    return found


def _write_tables(
    stage: Stage, tables: list[Table], exporter: Exporter, export: ExportConfig, folder: Path, info: RunInfo
) -> Counter[str]:
    """Rows of other layouts, and what is mixed in, in the exporter's format."""
    counts: Counter[str] = Counter()
    mixing = mixers(export, [exporter]).get(exporter.name, {})
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet") as pool:
        for split in ("train", "validation"):
            chosen = [table for table in tables if ("validation" in table.name) == (split == "validation")]
            if not chosen:
                continue
            writer = SplitWriter(
                folder / exporter.name / split, exporter.columns, lambda: info.metadata(info.simulated), pool,
                spread=exporter.spread,
            )  # fmt: skip
            try:
                for batch in _batches(row for table in chosen for row in _rows(stage, table, exporter)):
                    writer.add_rows(batch)
                    for mixer in mixing.values() if split == "train" else ():
                        writer.add_rows(list(mixer.due(len(batch))))
                writer.finish()
            except BaseException:
                writer.abandon()
                raise
            counts[exporter.name if split == "train" else f"{exporter.name}/validation"] = writer.rows
    return counts + Counter({f"{exporter.name}+{name}": mixer.rows for name, mixer in mixing.items()})


def _rows(stage: Stage, table: Table, exporter: Exporter) -> Iterator[tuple[str, dict[str, Any]]]:
    """(problem, row) of one table."""
    if set(exporter.columns) <= set(table.columns):
        for _, row in table.rows():
            yield content_hash(row["prompt"][0]), {name: row[name] for name in exporter.columns}
        return
    kind = "demonstration" if stage == "sft" else "preference"
    for sample in samples(table.name, (row for _, row in table.rows())):
        found = "demonstration" if isinstance(sample, Demonstration) else "preference"
        if found != kind:
            raise DataError(
                f"{table.name} holds {found}s ({', '.join(table.columns)}); `{stage}` is trained on {kind}s."
            )
        for row in exporter.render(sample):
            yield content_hash(sample.prompt), row


def _batches(
    rows: Iterable[tuple[str, dict[str, Any]]],
) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    batch: list[tuple[str, dict[str, Any]]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
