"""Trees in, Parquet splits out: one pass, flat memory, every export at once."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.info import INFO_FILE, RunInfo
from ultrainteract.dataset.samples import tree_passes
from ultrainteract.errors import ConfigError, StoreError
from ultrainteract.exporting.mix import mixers
from ultrainteract.exporting.registry import Exporter, chosen_exporters, known_exporters
from ultrainteract.exporting.rendering import Renderer
from ultrainteract.exporting.split import Choice, Split
from ultrainteract.exporting.writer import SplitWriter, replace_folder
from ultrainteract.schema import Tree
from ultrainteract.store.files import write_lines

_SHOWN = 3
"""Failures that are told in full."""
_log = logging.getLogger(__name__)
INDEX_FILE = "dataset_info.json"
"""File beside exports that tells LLaMA-Factory's reader what they hold."""

MIXED = (
    "These trees have proved labels and labels that rest on judgments (votes, annotators, writing scores). Export them "
    "apart: --set filter.checks=[votes] keeps one kind; or say --set mix_judged=true to have both in one export."
)
"""What an export says that would mix the two."""

if TYPE_CHECKING:
    from ultrainteract.statistics.statistics import Statistics


def export_trees(
    trees: Iterable[Tree],
    folder: str | Path,
    config: ExportConfig,
    info: RunInfo,
    statistics: Statistics | None = None,
    jobs: int = 1,
) -> dict[str, int]:
    """Writes the exports that `config` names into `folder`, one sub-folder each.

    Files appear only when all of them are whole; an earlier export stays until then. The same trees in the
    same order give the same bytes. A tree that an export cannot turn into rows is left out of that export, and
    logged.

    Args:
        trees: The trees. Where `config.balance` is on they are read twice, so they must be iterable twice.
        folder: Where to write.
        config: What to write.
        info: What the files say of their origin.
        statistics: Adds up the exported trees on the way.
        jobs: Processes to use where the trees are `Repeatable.of_run` or the like. More than one needs a main
            module that can be imported (`if __name__ == "__main__"`).

    Returns:
        Rows written, by `<format>`, for a validation split `<format>/validation`, and for rows mixed in
        (counted in the former, too) `<format>+<source>`.

    Raises:
        ConfigError: The settings do not fit together, or proved and judged labels meet without `mix_judged`.
        StoreError: A write failed, or an export failed for every tree; what was there before is kept.
    """
    chosen = chosen_exporters(config)
    choice = Choice.of(trees, config)
    mixing = mixers(config, chosen)
    folder = Path(folder)
    staging = folder / ".partial"
    shutil.rmtree(staging, ignore_errors=True)
    splits: tuple[Split, ...] = ("train", "validation") if config.validation else ("train",)
    simulated, read, rests_on = info.simulated, 0, set[bool]()
    failed: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    in_folders = {exporter.name for exporter in chosen if exporter.folders}

    def metadata() -> dict[str, str]:
        return info.metadata(simulated)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="parquet") as pool:
        writers = {
            (exporter.name, split): SplitWriter(
                staging / exporter.name / split, exporter.columns, metadata, pool, spread=exporter.spread
            )
            for exporter in chosen
            for split in splits
        }
        try:
            renderer = Renderer(config, choice, statistics is not None)
            for rendered in renderer.render_all(trees, statistics, jobs):
                simulated = simulated or rendered.simulated
                read += rendered.trees
                rests_on |= rendered.proofs
                if len(rests_on) > 1 and not config.mix_judged:
                    raise ConfigError(MIXED)
                for name, texts in rendered.failed.items():
                    failed[name] += len(texts)
                    examples[name] = (examples.get(name, []) + texts)[:_SHOWN]
                for key, batch in rendered.batches.items():
                    writers[key].add(batch, rendered.sizes[key], rendered.problems.get(key, ()))
                    name, split = key
                    for mixer in mixing.get(name, {}).values() if split == "train" else ():
                        writers[key].add_rows(list(mixer.due(batch.num_rows)))
            _report(failed, examples, {name for (name, _), writer in writers.items() if writer.rows})
            for (name, split), writer in writers.items():
                shards = writer.finish()
                if writer.rows == 0 and any(writers[name, other].rows for other in splits):
                    shutil.rmtree(
                        staging / name / split
                    )  # `datasets` cannot load an empty split beside a full one
                elif name not in in_folders:
                    _name_shards(staging / name, split, shards)
        except BaseException:
            for writer in writers.values():
                writer.abandon()
            shutil.rmtree(staging, ignore_errors=True)
            raise
    for exporter in chosen:
        replace_folder(staging / exporter.name, folder / exporter.name)
    shutil.rmtree(staging, ignore_errors=True)
    write_index(folder)
    write_info(folder, info.of_exports(config, read).model_copy(update={"simulated": simulated}))
    rows = {
        name if split == "train" else f"{name}/{split}": writer.rows
        for (name, split), writer in writers.items()
    }
    return rows | {
        f"{name}+{source}": m.rows for name, sources in mixing.items() for source, m in sources.items()
    }


def _report(failed: Counter[str], examples: dict[str, list[str]], written: set[str]) -> None:
    """Says which trees an export could not turn into rows: they are left out of it, and nothing else is.

    Args:
        failed: Number of such trees by export.
        examples: What went wrong with the first of them.
        written: Exports that have rows all the same.

    Raises:
        StoreError: An export has none.
    """
    for name, count in (+failed).items():
        shown = "; ".join(examples[name])
        if name not in written:
            raise StoreError(f"The export '{name}' failed for all of {count:,} trees: {shown}")
        _log.warning("The export '%s' leaves out %d trees, for which it failed: %s", name, count, shown)


def exported_trees(trees: Iterable[Tree], config: ExportConfig) -> Iterator[Tree]:
    """The trees that `export_trees` exports.

    Args:
        trees: The trees; they must be iterable twice where `config.balance` is on.
        config: The settings.
    """
    choice = Choice.of(trees, config)
    return (tree for tree in trees if tree_passes(tree, config.filter) and choice.takes(tree))


def split_folders(folder: Path, exporter: Exporter) -> list[str]:
    """The splits of an export that has a folder for each, train first."""
    inside = folder / exporter.name
    found = {path.name for path in inside.iterdir() if path.is_dir()} if inside.is_dir() else set()
    return sorted(found, key=lambda split: (split != "train", split))


def write_index(folder: Path) -> None:
    """Writes `dataset_info.json` for the exports in a folder whose reader needs one; entries of others are kept.

    Raises:
        StoreError: The file cannot be read or written.
    """
    path = folder / INDEX_FILE
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise StoreError(f"Cannot read {path}: {error}. Correct or move it, then export again.") from error
    indexed = [exporter for exporter in known_exporters().values() if exporter.index is not None]
    made = tuple(f"{exporter.name}/" for exporter in indexed)
    kept = {
        name: entry for name, entry in known.items()
        if not (isinstance(entry, dict) and str(entry.get("file_name", "")).startswith(made))
    }  # fmt: skip
    ours: dict[str, Any] = {}
    for exporter in indexed:
        if exporter.index is not None:
            ours.update(exporter.index(split_folders(folder, exporter)))
    if ours or kept != known:
        write_lines([json.dumps(kept | ours, indent=2)], path)
    if not (ours or kept):
        path.unlink(missing_ok=True)


def write_info(folder: Path, info: RunInfo) -> None:
    """Writes `RunInfo` beside the exports, so that they can be published later without the run.

    Raises:
        StoreError: The file cannot be written.
    """
    write_lines([info.model_dump_json(indent=2)], folder / INFO_FILE)


def _name_shards(folder: Path, split: str, shards: list[Path]) -> None:
    """Gives shards the names by which the Hub and `datasets` know their split."""
    for number, shard in enumerate(shards):
        shard.rename(folder / f"{split}-{number:05d}-of-{len(shards):05d}.parquet")
    shutil.rmtree(folder / split)
