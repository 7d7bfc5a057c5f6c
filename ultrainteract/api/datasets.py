"""Trees as datasets: exporting, importing, counting and checking them."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.config import ExportConfig, apply_overrides
from ultrainteract.dataset.info import RunInfo
from ultrainteract.dataset.source import Repeatable, Source
from ultrainteract.errors import ConfigError
from ultrainteract.schema import Record
from ultrainteract.store import RunStore

if TYPE_CHECKING:
    from ultrainteract.dataset.validate import Report
    from ultrainteract.statistics.figures import Figures

log = logging.getLogger(__name__)


class ExportReport(Record):
    """What `export` wrote."""

    folder: str
    """Where it was written: a folder or a URL."""
    rows: dict[str, int]
    """Rows per format; a validation split counts as `<format>/validation`, mixed-in rows as `<format>+<source>`."""
    issues: tuple[str, ...]
    """Rows of published sources that did not fit a tree (the first ones), in words."""
    notes: tuple[str, ...] = ()
    """What somebody who trains on the exports has to know: lengths, what is learned, formats without a trainer."""


class ImportReport(Record):
    """What `import_` rebuilt."""

    read: dict[str, int]
    """Rows read, by split."""
    trees: int
    """Trees written."""
    issues: dict[str, int]
    """Rows that did not fit, by kind."""
    examples: tuple[str, ...]
    """The first of these, in words."""


def export(
    source: RunStore | str | Path | Sequence[str | Path],
    folder: str | Path | None = None,
    config: ExportConfig | None = None,
    *,
    changes: Mapping[str, object] | None = None,
    overrides: Sequence[str] = (),
    jobs: int = 1,
    mixed: bool = False,
    tokenizer: str | None = None,
) -> ExportReport:
    """Writes finished trees as datasets that trainers read: Parquet, one folder per export.

    Args:
        source: An open run; or run directories, folders of exports, or Hub dataset ids.
        folder: Folder or URL to write to; `exports` in the run directory if None.
        config: Formats and options; those of the run if None, the defaults where there is no run.
        changes: Changes to `config`, by dotted path.
        overrides: Further changes, `dotted.path=value` each.
        jobs: Processes to use; 0 for one per core, at most 8. More than one needs a main module that can be imported
            (`if __name__ == "__main__"`).
        mixed: Read runs of different settings as one (see `Source.open`).
        tokenizer: Measure lengths with this tokenizer.json or Hub model; estimated if None.

    Raises:
        ConfigError: A format or an option is unknown, it is not said where to write, or runs differ in settings.
        StoreError: The run cannot be read, or the folder cannot be written.
        DataError: A source holds nothing that trees could be made of.
    """
    from ultrainteract.exporting import chosen_exporters, export_trees
    from ultrainteract.exporting.remote import written_to
    from ultrainteract.running.seed_changes import warn_of_changed_files
    from ultrainteract.statistics.lengths import too_long
    from ultrainteract.statistics.statistics import Statistics, token_counter

    count, name = token_counter(tokenizer)
    counted = Statistics(count_tokens=count, tokenizer=name)
    with ExitStack() as stack:
        opened = None
        if isinstance(source, RunStore):
            trees, info = Repeatable.of_run(source), RunInfo.of_run(source.config())
            settings, home = source.config().export, source.folder
        else:
            places = [source] if isinstance(source, str | Path) else list(source)
            opened = stack.enter_context(Source.open(*map(str, places), mixed=mixed))
            opened.require_current()
            warn_of_changed_files(places)
            trees, info, settings = opened.trees, opened.info, opened.export
            home = Path(places[0])
            if folder is None and not (opened.is_run and home.is_dir()):
                raise ConfigError(f"{places[0]} is not a run directory: say with --output where to write.")
        settings = apply_overrides(config or settings, changes or {}, overrides)
        place = str(home / "exports" if folder is None else folder)
        with written_to(place) as target:
            rows = export_trees(trees, target, settings, info, counted, jobs or _processes())
        issues = tuple(issue for part in (opened.imported if opened else ()) for issue in part.examples)
    notes = [note for exporter in chosen_exporters(settings) for note in exporter.notes(settings)]
    notes += [f"{line} ({name})." for line in too_long(counted.figures())]
    return ExportReport(folder=place, rows=rows, issues=issues, notes=tuple(notes))


def import_(
    *sources: str, output: str | Path, name: str | None = None, revision: str | None = None
) -> ImportReport:
    """Rebuilds trees from published rows, so that `stats`, `find_tree` and every export work on them.

    Args:
        sources: Files, folders or Hub ids with an SFT split, a pair split, or both.
        output: Folder to write the trees to.
        name: Name of the set; the first source's if None.
        revision: Revision of Hub datasets.

    Raises:
        DataError: A source holds no published split, or one of its rows cannot be used.
        StoreError: The folder cannot be written.
    """
    from ultrainteract.dataset.importing import ImportedTrees
    from ultrainteract.exporting import export_trees

    with ImportedTrees.of(*sources, revision=revision) as trees:
        info = RunInfo.of_import(name or Path(sources[0]).name, sources)
        info = info.model_copy(update={"simulated": trees.simulated})
        rows = export_trees(trees, output, ExportConfig(formats=("trees",)), info)
        return ImportReport(
            read=dict(trees.rows),
            trees=rows["trees"],
            issues=dict(trees.issues),
            examples=tuple(trees.examples),
        )


def stats(
    *sources: str | Path, tokenizer: str | None = None, revision: str | None = None, mixed: bool = False
) -> Figures:
    """Counts trees: the paper's Table 1 and Table 7, turns, lengths, pass rates, cost, leaks, duplicates, evidence.

    Args:
        sources: Run directories (globs, URLs), folders of exports, or Hub dataset ids.
        tokenizer: Count tokens with this tokenizer.json or Hub model; estimated from lengths if None.
        revision: Revision of Hub datasets.
        mixed: Read runs of different settings as one (see `Source.open`).

    Raises:
        ConfigError: The tokenizer cannot be loaded, or runs differ in settings.
        StoreError: A run directory cannot be read.
        DataError: A source holds nothing that trees could be made of.
    """
    from ultrainteract.statistics.label_error import audited_error
    from ultrainteract.statistics.statistics import Statistics, token_counter

    count, name = token_counter(tokenizer)
    counted = Statistics(count_tokens=count, tokenizer=name)
    with Source.open(*map(str, sources), revision=revision, mixed=mixed) as opened:
        if opened.stale:
            log.warning("%s", opened.stale)
        for tree in opened.trees:
            counted.add(tree)
        found = counted.figures(opened.spend)
        if (error := audited_error([*map(str, sources)])) is not None:
            found = found.model_copy(update={"label_error": error})
        if not opened.imported:
            return found
        issues = sum((part.issues for part in opened.imported), start=type(counted.guards)())
    return found.model_copy(update={"import_issues": dict(issues)})


def validate_data(source: str | Path, *, revision: str | None = None) -> Report:
    """Checks a dataset in UltraInteract's or a trainer's layout against every rule that it should keep.

    Args:
        source: A file, a folder, or a Hub dataset id.
        revision: Revision of a Hub dataset.

    Returns:
        What breaks where; `ok` where nothing does.

    Raises:
        DataError: The source cannot be read.
    """
    from ultrainteract.dataset.validate import validate
    from ultrainteract.readers.tables import open_tables

    return validate(open_tables(str(source), revision))


def data_rules() -> dict[str, str]:
    """The rules of `validate_data` and what each means."""
    from ultrainteract.dataset.validate import RULES

    return dict(RULES)


def _processes() -> int:
    return min(8, os.cpu_count() or 1)
