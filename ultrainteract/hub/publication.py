"""The folder that is published: Parquet of every split, the card, the run's configuration, the figures.

It is complete, and searched for keys, before anything is sent, and its bytes depend on the data alone, so that pushing
it again sends nothing that is there already.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import INFO_FILE, PublishedFiles, RunInfo, public_name
from ultrainteract.errors import ConfigError, HubError, StoreError
from ultrainteract.exporting.export import INDEX_FILE, split_folders
from ultrainteract.exporting.registry import known_exporters
from ultrainteract.hub.card import CardData, SplitFiles, render_card
from ultrainteract.hub.rights import list_in
from ultrainteract.hub.scan import Findings, scan
from ultrainteract.statistics.figures import Figures

STATS_FILE = "stats.json"
"""Figures beside the data."""
CARD_FILE = "README.md"
"""The card."""


@dataclass
class Publication:
    """What is published."""

    data: CardData
    """What the card says."""
    files: dict[str, Path | bytes] = field(default_factory=dict)
    """Contents by path in the repository, without the card and `run.json`, which depend on what is there."""
    findings: Findings = field(default_factory=Findings)
    """What was found in the files."""

    def contents(
        self,
        repo: str,
        config: PublishConfig,
        existing: str = "",
        previous: PublishedFiles | None = None,
        others: Sequence[str] = (),
    ) -> dict[str, Path | bytes]:
        """Everything that is published, by its path in the repository.

        Args:
            repo: The dataset's id.
            config: What the card says.
            existing: The card that is there now.
            previous: What the last push put there.
            others: Files of others that are there.

        Raises:
            HubError: The existing card cannot be built upon.
        """
        card, metadata = render_card(self.data, repo, config, existing, previous, others)
        listed = PublishedFiles(
            files=tuple(sorted([*self.files, INFO_FILE])), configs=tuple(self.data.configs), metadata=metadata
        )
        info = self.data.info.model_copy(update={"published": listed})
        return {
            **self.files,
            INFO_FILE: info.model_dump_json(indent=2).encode() + b"\n",
            CARD_FILE: card.encode(),
        }

    def write(self, folder: Path, repo: str, config: PublishConfig) -> None:
        """Writes everything into a folder, as it would be published, over what an earlier call wrote there.

        Raises:
            HubError: A file of others is in the way, or the card there cannot be built upon.
            StoreError: It cannot be written.
        """
        try:
            card, info = folder / CARD_FILE, folder / INFO_FILE
            previous = list_in(info.read_bytes()) if info.is_file() else None
            existing = card.read_text(encoding="utf-8") if card.is_file() else ""
            contents = self.contents(repo, config, existing, previous)
            ours = {*(previous.files if previous else ()), CARD_FILE}
            blocked = [
                name for name, content in contents.items()
                if name not in ours and (folder / name).exists() and not _same(folder / name, content)
            ]  # fmt: skip
            if blocked:
                raise HubError(
                    f"{folder} holds {blocked[0]}, which is not of an earlier dry run. Choose another folder."
                )
            for name in sorted(ours - contents.keys()):
                (folder / name).unlink(missing_ok=True)
            for name, content in contents.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, bytes):
                    target.write_bytes(content)
                elif content.resolve() != target.resolve():
                    shutil.copyfile(content, target)
        except OSError as error:
            raise StoreError(f"Cannot write {folder}: {error}.") from error


def _same(path: Path, content: Path | bytes) -> bool:
    if isinstance(content, Path):
        return content.resolve() == path.resolve()
    return path.is_file() and path.read_bytes() == content


def prepare(
    folder: str | Path,
    info: RunInfo,
    figures: Figures,
    *,
    formats: tuple[str, ...] = (),
    allow_simulated: bool = False,
    draw_figures: bool = True,
) -> Publication:
    """Puts together what is to be published from a folder of exports.

    Args:
        folder: Folder of exports.
        info: The run.
        figures: Figures of its trees.
        formats: Exports to publish; all that are there if empty.
        allow_simulated: Publish simulated data, marked as such.
        draw_figures: Draw the figures, where matplotlib is installed.

    Raises:
        HubError: The data is simulated and that is not allowed, it holds keys, or there is nothing to publish.
        ConfigError: A format is not there.
    """
    folder = Path(folder)
    chosen = available(folder, formats)
    splits: list[SplitFiles] = []
    files: dict[str, Path | bytes] = {}
    simulated = info.simulated or bool(figures.simulated_trees)
    for name in chosen:
        for split, shards in _shards(folder / name).items():
            found, marked = _split(folder, name, split, shards)
            if not found.rows:
                continue  # `datasets` cannot load an empty split
            splits.append(found)
            simulated = simulated or marked
            files.update(zip(found.files, shards, strict=True))
    if not splits:
        raise HubError(f"The exports in {folder} have no rows: there is nothing to publish.")
    check_simulated(simulated, allow_simulated)
    info = info.model_copy(update={"simulated": simulated})
    figures = _public(figures)
    files[STATS_FILE] = figures.model_dump_json(indent=2).encode() + b"\n"
    if index := _index(folder, chosen):
        files[INDEX_FILE] = index
    pictures = _pictures(figures, folder / ".figures") if draw_figures else {}
    findings = scan({**files, INFO_FILE: info.model_dump_json(indent=2).encode()})
    findings.refuse_secrets()
    data = CardData(
        splits, info, figures, tuple(pictures), {str(kind): n for kind, n in findings.counts.items()}
    )
    return Publication(data, files | pictures, findings)


def available(folder: Path, formats: tuple[str, ...] = ()) -> list[str]:
    """The exports to publish from a folder.

    Args:
        folder: Folder of exports.
        formats: Those that are wanted; all that are there if empty.

    Raises:
        HubError: There are none.
        ConfigError: A wanted one is unknown or not there.
    """
    check_formats(formats)
    there = [name for name in known_exporters() if any((folder / name).rglob("*.parquet"))]
    missing = [name for name in formats if name not in there]
    if missing:
        raise ConfigError(f"{folder} has no export '{missing[0]}' (there are: {', '.join(there) or 'none'}).")
    if not there:
        raise HubError(f"{folder} holds no exports to publish.")
    return list(dict.fromkeys(formats)) or there


def check_formats(formats: tuple[str, ...]) -> None:
    """Refuses names that are no export's.

    Raises:
        ConfigError: There is one among them.
    """
    unknown = [name for name in formats if name not in known_exporters()]
    if unknown:
        raise ConfigError(f"No export is called '{unknown[0]}'. There are: {', '.join(known_exporters())}.")


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


def _public(figures: Figures) -> Figures:
    """The figures with models named as they may be published: one from a local path by its last part."""
    return figures.model_copy(
        update={
            "models": tuple(
                row.model_copy(update={"model": public_name(row.model)}) for row in figures.models
            ),
            "steps": tuple(row.model_copy(update={"model": public_name(row.model)}) for row in figures.steps),
        }
    )


def _index(folder: Path, chosen: Sequence[str]) -> bytes | None:
    """`dataset_info.json` of the exports to publish; None where none of their readers needs it."""
    entries: dict[str, Any] = {}
    for name in chosen:
        exporter = known_exporters()[name]
        if exporter.index is not None:
            entries.update(exporter.index(split_folders(folder, exporter)))
    return orjson.dumps(entries, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE) if entries else None


def _shards(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files of an export, by split, train first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*.parquet")):
        split = path.parent.name if path.parent != folder else path.name.partition("-")[0]
        found.setdefault(split, []).append(path)
    return dict(sorted(found.items(), key=lambda item: (item[0] != "train", item[0])))


def _split(folder: Path, name: str, split: str, shards: list[Path]) -> tuple[SplitFiles, bool]:
    import datasets
    import pyarrow.parquet as pq

    heads = [pq.read_metadata(shard) for shard in shards]
    nested = shards[0].parent.name == split
    return (
        SplitFiles(
            config=name,
            split=split,
            pattern=f"{name}/{split}/*" if nested else f"{name}/{split}-*",
            files=tuple(shard.relative_to(folder).as_posix() for shard in shards),
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


def _pictures(figures: Figures, folder: Path) -> dict[str, Path | bytes]:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        return {}
    from ultrainteract.statistics.plots import draw

    try:
        return {f"figures/{path.name}": path.read_bytes() for path in draw(figures, folder)}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
