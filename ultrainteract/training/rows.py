"""The rows of a stage, written to its folder: an export of the data, whatever the data is.

Trees (of runs, exports or published rows) are exported as `ultrainteract export` does it, with the same selection,
mixing and order. Rows that are in a trainer's format already, or in a usual layout of other datasets, are checked one
by one (see `plain_rows`). So the folder holds exactly what was trained on. Held-out tables, known by their names (see
`readers.splits`), are never trained on: they are the validation split.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.config.training import Stage
from ultrainteract.dataset.importing import is_pair, is_sft
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.source import Source
from ultrainteract.dataset.tree_table import tree_tables
from ultrainteract.errors import DataError
from ultrainteract.exporting.export import export_trees
from ultrainteract.exporting.mix import mixers
from ultrainteract.exporting.registry import Exporter, chosen_exporters
from ultrainteract.exporting.writer import SplitWriter
from ultrainteract.readers.sources import is_hub_id, local_files, resolve_revision
from ultrainteract.readers.splits import place_of
from ultrainteract.readers.tables import Table, open_tables
from ultrainteract.store import find_runs
from ultrainteract.training.plain_rows import LeftOut, trainable

FORMATS: dict[Stage, str] = {
    "sft": "trl-prompt-completion",
    "dpo": "trl-preference",
    "nca": "trl-preference",
    "kto": "trl-kto",
    "reward": "reward",
}
"""The export that each stage trains on."""
HELD_OUT = "held-out"
"""Folder, beside the rows that are trained on, of the rows of held-out trees."""
_BATCH = 512


@dataclass(frozen=True)
class StageRows:
    """Where the rows of a stage lie, and what is known of them."""

    files: tuple[Path, ...]
    """Parquet files of the train split."""
    validation: tuple[Path, ...]
    """Parquet files of the validation split; empty where there is none."""
    counts: dict[str, int]
    """Rows by origin, with those that were left out: `data`, and each source mixed in."""
    left_out: LeftOut
    """Rows of the train split that cannot be trained on."""
    validation_left_out: LeftOut
    """The same of the validation split."""
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
    for earlier in (name, HELD_OUT):
        shutil.rmtree(folder / earlier, ignore_errors=True)
    tables = _plain_tables(places, revision)
    left_out = {"train": LeftOut(), "validation": LeftOut()}
    if tables is None:
        with Source.open(*places, revision=revision, keep=lambda table: not _held_out(table)) as opened:
            opened.require_current()
            info = opened.info
            counts = Counter(export_trees(opened.trees, folder, export, info))
        counts[f"{name}/validation"] += _write_held_out(places, export, folder / HELD_OUT, revision)
    else:
        info = RunInfo.of_import(Path(places[0]).name, places)
        info = info.model_copy(update={"simulated": any(table.simulated for table in tables)})
        counts, left_out = _write_tables(stage, tables, exporter, export, folder, info)
    mixed = {key.partition("+")[2]: rows for key, rows in counts.items() if "+" in key}
    if not counts[name]:
        raise DataError(_nothing(stage, places, left_out["train"], counts[f"{name}/validation"]))
    train: list[Path] = []
    validation = sorted((folder / HELD_OUT).rglob("*.parquet"))
    for path in sorted((folder / name).rglob("*.parquet")):
        held_out = place_of(path.relative_to(folder / name).as_posix()).held_out
        (validation if held_out else train).append(path)
    return StageRows(
        tuple(train),
        tuple(validation),
        {"data": counts[name] - sum(mixed.values()) + left_out["train"].counts.total()} | mixed,
        left_out["train"],
        left_out["validation"],
        info,
        _revisions(places, revision),
    )


def _held_out(table: Table) -> bool:
    return place_of(table.name).held_out


def _write_held_out(places: tuple[str, ...], export: ExportConfig, folder: Path, revision: str | None) -> int:
    """Exports the trees of held-out tables; returns the number of rows."""
    held = []
    for place in places:
        with ExitStack() as stack:
            if not find_runs(place, stack) and any(map(_held_out, open_tables(place, revision))):
                held.append(place)
    if not held:
        return 0
    with Source.open(*held, revision=revision, keep=_held_out) as opened:
        whole = export.model_copy(update={"validation": 0.0, "mix": {}})
        return sum(export_trees(opened.trees, folder, whole, opened.info).values())


def _nothing(stage: Stage, places: tuple[str, ...], left_out: LeftOut, held_out: int) -> str:
    """Why there is no row to train a stage on."""
    found = f"{', '.join(places)}: there is no row to train `{stage}` on with these settings."
    if left_out.counts:
        found += f" Rows left out: {left_out.told()}."
    if held_out:
        found += f" {held_out:,} rows stand in splits whose names say that they are held out; name the train split."
    return found


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
) -> tuple[Counter[str], dict[str, LeftOut]]:
    """Rows of other layouts, and what is mixed in, in the exporter's format; and what was left out of each split."""
    counts: Counter[str] = Counter()
    left_out = {"train": LeftOut(), "validation": LeftOut()}
    mixing = mixers(export, [exporter]).get(exporter.name, {})
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet") as pool:
        for split in left_out:
            chosen = [table for table in tables if _held_out(table) == (split == "validation")]
            writer = SplitWriter(
                folder / exporter.name / split, exporter.columns, lambda: info.metadata(info.simulated), pool,
                spread=exporter.spread,
            )  # fmt: skip
            try:
                for batch in _batches(trainable(stage, chosen, exporter, left_out[split])):
                    writer.add_rows(batch)
                    for mixer in mixing.values() if split == "train" else ():
                        writer.add_rows(list(mixer.due(len(batch))))
                if writer.rows:
                    writer.finish()
            except BaseException:
                writer.abandon()
                raise
            counts[exporter.name if split == "train" else f"{exporter.name}/validation"] = writer.rows
    counts.update({f"{exporter.name}+{name}": mixer.rows for name, mixer in mixing.items()})
    return counts, left_out


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
