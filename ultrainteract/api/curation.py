"""Small curated sets of a run, of exports or of an imported dataset, beside a random and a longest set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.curation.rule import CurationRule
from ultrainteract.errors import DataError, StoreError
from ultrainteract.schema import Tree, content_hash

if TYPE_CHECKING:
    from ultrainteract.curation.candidates import Candidate
    from ultrainteract.curation.report import CurationReport
    from ultrainteract.dataset.source import Repeatable

REPORT_FILE = "curation.json"
"""File beside the sets that holds their `CurationReport`."""


def curate(
    *sources: str | Path,
    output: str | Path,
    rule: CurationRule | None = None,
    formats: Sequence[str] = ("sft", "trees"),
    jobs: int = 0,
    mixed: bool = False,
    revision: str | None = None,
) -> CurationReport:
    """Chooses n samples of n instructions, and writes them beside a random and a longest set of equal size.

    Args:
        sources: Run directories, folders of exports, or Hub dataset ids.
        output: Folder for the sets `curated`, `random` and `longest`, each a folder of exports, and `curation.json`.
        rule: What is eligible, what is preferred, how the set is spread.
        formats: Exports of each set.
        jobs: Processes to use; 0 for one per core, at most 8. More than one needs a main module that can be imported.
        mixed: Read runs of different settings as one (see `Source.open`).
        revision: Revision of Hub datasets.

    Raises:
        ConfigError: An export is unknown, runs differ in settings, or proved and judged labels would be mixed.
        StoreError: A run cannot be read, or the folder cannot be written.
        DataError: A source holds nothing that trees could be made of, or no tree has an eligible sample.
    """
    from ultrainteract.config import ExportConfig
    from ultrainteract.curation.candidates import processes, read_candidates
    from ultrainteract.curation.report import curated_sets
    from ultrainteract.dataset.source import Source
    from ultrainteract.exporting import chosen_exporters, export_trees

    rule = rule or CurationRule()
    settings = ExportConfig(formats=tuple(formats))
    chosen_exporters(settings)
    with Source.open(*map(str, sources), mixed=mixed, revision=revision) as opened:
        opened.require_current()
        sets, report = curated_sets(read_candidates(opened.trees, rule, jobs or processes()), rule)
        if not report.eligible:
            why = "; ".join(f"{reason}: {count:,}" for reason, count in report.refused.items())
            raise DataError(
                f"None of {report.trees:,} trees has an eligible sample ({why or 'there are no trees'})."
            )
        said = report.model_dump(mode="json", exclude={"sets"})
        for name, candidates in sets.items():
            info = opened.info.model_copy(
                update={
                    "name": f"{opened.info.name}-{name}",
                    "fingerprint": content_hash([opened.info.fingerprint, name, rule]),
                    "config": {
                        **opened.info.config,
                        "curation": {
                            **said,
                            "set": name,
                            "figures": report.sets[name].model_dump(mode="json"),
                        },
                    },
                }
            )
            export_trees(_taken(opened.trees, candidates), Path(output) / name, settings, info)
    try:
        (Path(output) / REPORT_FILE).write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write {Path(output) / REPORT_FILE}: {error.strerror}.") from error
    return report


def _taken(trees: Repeatable, candidates: Sequence[Candidate]) -> Iterator[Tree]:
    """The trees of the candidates, each with its sample alone; no other tree is decoded where they are packed."""
    from ultrainteract.curation.candidates import curated_tree
    from ultrainteract.store import read_tree

    wanted = {candidate.place: candidate for candidate in candidates}
    packed = trees.packed()
    pool: Iterator[Tree | bytes] = iter(trees) if packed is None else packed
    for place, item in enumerate(pool):
        if place in wanted:
            yield curated_tree(read_tree(item) if isinstance(item, bytes) else item, wanted[place])
