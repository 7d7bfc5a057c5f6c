"""The folder that is published: Parquet of every split, the card, the run's configuration, the figures.

It is complete before anything is sent, and its bytes depend on the data alone, so that pushing it again sends
nothing that is there already.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import INFO_FILE, RunInfo
from ultrainteract.errors import ConfigError, HubError, StoreError
from ultrainteract.exporting.registry import EXPORTERS
from ultrainteract.hub.card import SplitFiles, render_card

STATS_FILE = "stats.json"
"""Figures beside the data."""


@dataclass
class Publication:
    """What is published."""

    info: RunInfo
    """The run."""
    figures: Mapping[str, Any]
    """`Statistics.to_json()`."""
    splits: list[SplitFiles]
    """Splits, in the order of their configurations."""
    files: dict[str, Path | bytes] = field(default_factory=dict)
    """Contents by path in the repository; the card is not among them."""
    pictures: tuple[str, ...] = ()
    """Paths of the figures."""

    def card(self, repo: str, config: PublishConfig, existing: str | None = None) -> str:
        """The card, with what an existing one has of its own.

        Raises:
            HubError: The existing card's metadata is not valid.
        """
        return render_card(repo, self.splits, self.info, self.figures, config, self.pictures, existing)

    def write(self, folder: Path, repo: str, config: PublishConfig) -> None:
        """Writes everything into a folder, as it would be published.

        Raises:
            StoreError: It cannot be written.
        """
        try:
            for name, content in {**self.files, "README.md": self.card(repo, config).encode()}.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, bytes):
                    target.write_bytes(content)
                elif content.resolve() != target.resolve():
                    shutil.copyfile(content, target)
        except OSError as error:
            raise StoreError(f"Cannot write {folder}: {error}.") from error


def prepare(
    folder: str | Path,
    info: RunInfo,
    figures: Mapping[str, Any],
    *,
    formats: tuple[str, ...] = (),
    allow_simulated: bool = False,
    draw_figures: bool = True,
) -> Publication:
    """Puts together what is to be published from a folder of exports.

    Args:
        folder: Folder of exports.
        info: The run.
        figures: `Statistics.to_json()` of its trees.
        formats: Exports to publish; all that are there if empty.
        allow_simulated: Publish simulated data, marked as such.
        draw_figures: Draw the figures, where matplotlib is installed.

    Raises:
        HubError: The data is simulated and that is not allowed, or there is nothing to publish.
        ConfigError: A format is not there.
    """
    folder = Path(folder)
    there = [name for name in EXPORTERS if any((folder / name).rglob("*.parquet"))]
    missing = [name for name in formats if name not in there]
    if missing:
        raise ConfigError(f"{folder} has no export '{missing[0]}' (there are: {', '.join(there) or 'none'}).")
    chosen = list(formats) or there
    if not chosen:
        raise HubError(f"{folder} holds no exports to publish.")
    splits: list[SplitFiles] = []
    files: dict[str, Path | bytes] = {}
    simulated = info.simulated or bool(figures["simulated_trees"])
    for name in chosen:
        for split, shards in _shards(folder / name).items():
            found, marked = _split(name, split, shards)
            if not found.rows:
                continue  # `datasets` cannot load an empty split
            splits.append(found)
            simulated = simulated or marked
            files.update({shard.relative_to(folder).as_posix(): shard for shard in shards})
    if not splits:
        raise HubError(f"The exports in {folder} have no rows: there is nothing to publish.")
    check_simulated(simulated, allow_simulated)
    info = info.model_copy(update={"simulated": simulated})
    files[INFO_FILE] = info.model_dump_json(indent=2).encode() + b"\n"
    files[STATS_FILE] = orjson.dumps(figures, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    llama = folder / "dataset_info.json"
    if llama.is_file() and any(name.startswith("llama-factory") for name in chosen):
        files["dataset_info.json"] = llama
    pictures = _pictures(figures, folder / ".figures") if draw_figures else {}
    return Publication(info, figures, splits, files | pictures, tuple(pictures))


def check_simulated(simulated: bool, allowed: bool) -> None:
    """Refuses simulated data unless that is allowed.

    Raises:
        HubError: It is simulated, and that is not allowed.
    """
    if simulated and not allowed:
        raise HubError(
            "This data is written by a simulated model, so it is not published. Use --allow-simulated to publish it "
            "all the same; the card and every file say that it is simulated."
        )


def _shards(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of an export, by split, train first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        split = path.parent.name if path.parent != folder else path.name.partition("-")[0]
        found.setdefault(split, []).append(path)
    return dict(sorted(found.items(), key=lambda item: (item[0] != "train", item[0])))


def _split(name: str, split: str, shards: list[Path]) -> tuple[SplitFiles, bool]:
    import datasets
    import pyarrow.parquet as pq

    heads = [pq.read_metadata(shard) for shard in shards]
    nested = shards[0].parent.name == split
    return (
        SplitFiles(
            config=name,
            split=split,
            pattern=f"{name}/{split}/*" if nested else f"{name}/{split}-*",
            rows=sum(head.num_rows for head in heads),
            download_bytes=sum(shard.stat().st_size for shard in shards),
            data_bytes=sum(
                head.row_group(group).total_byte_size
                for head in heads
                for group in range(head.num_row_groups)
            ),
            features=datasets.Features.from_arrow_schema(heads[0].schema.to_arrow_schema())._to_yaml_list(),
        ),
        any((head.metadata or {}).get(b"ultrainteract.simulated") == b"true" for head in heads),
    )


def _pictures(figures: Mapping[str, Any], folder: Path) -> dict[str, Path | bytes]:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        return {}
    from ultrainteract.statistics.figures import draw

    try:
        return {f"figures/{path.name}": path.read_bytes() for path in draw(dict(figures), folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
