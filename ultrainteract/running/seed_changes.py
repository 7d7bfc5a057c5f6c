"""Seeds that changed since a run directory last read them: found before anything is grown, told, and acted on.

Reading all seeds twice would cost a large run minutes at every resume. So files are first compared by size and time of
their last change; only where these differ are all seeds read ahead. Whatever that misses is found when the seeds have
been read to their end.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from ultrainteract.config import RunConfig, SeedConfig, Shard
from ultrainteract.errors import SeedError
from ultrainteract.readers.sources import local_files, resolve_revision, resolved
from ultrainteract.schema import Instruction, TreeState, content_hash
from ultrainteract.seeds import SeedIssue, stream_instructions
from ultrainteract.seeds.registry import find_dataset
from ultrainteract.store import (
    SEED_DIGEST,
    Outcome,
    RunStore,
    SeedChanges,
    SeedNumbers,
    find_runs,
    reconcile,
    skipped_key,
    source_number,
    tree_number,
)

log = logging.getLogger(__name__)

_STAMP = "seed_files"
"""Key in the run directory's `meta`: what the seed files looked like when they were last read to their end."""
_BASE = "seed_base"
"""Key in `meta`: the folder that the seeds' relative paths were resolved against. It leaves the directory nowhere."""


class SeedSurvey:
    """What one reading of the seeds met, in 16 bytes per input.

    Args:
        store: The run directory.
        shard: The slice that counts; all inputs if None.
    """

    def __init__(self, store: RunStore, shard: Shard | None) -> None:
        self._store = store
        self._shard = shard
        self._present, self._sources = SeedNumbers(), SeedNumbers()
        self._revised: set[str] = set()
        self._digest = 0

    def add(self, key: str, dataset: str, source: str) -> None:
        """Notes an input."""
        number = tree_number(key)
        self._digest += number
        self._sources.add(source_number(dataset, source))
        if self._shard is None or self._shard.holds(number):
            self._present.add(number)

    def compare(self, instruction: Instruction) -> None:
        """Notes an instruction whose id is that of a finished tree, but whose tests, unit or choices are others."""
        if instruction.tests is None and instruction.unit is None:
            return
        grown = self._store.grown_from(instruction.id)
        if grown is not None and _truth(grown) != _truth(instruction):
            self._revised.add(instruction.id)

    def reconcile(self, stamp: str, base: Path) -> SeedChanges:
        """Brings the run directory in line with the seeds.

        Args:
            stamp: As of `seed_stamp`.
            base: Folder that relative seed paths resolve against.

        Raises:
            StoreError: It cannot be written.
        """
        changes = reconcile(self._store, self._present, self._sources, self._revised)
        if self._shard is not None:  # of all inputs, so that shards which read other seeds are told apart
            self._store.put_meta(SEED_DIGEST, f"{self._digest % 2**64:016x}")
        self._store.put_meta(_STAMP, stamp)
        self._store.put_meta(_BASE, str(base.resolve()))
        return changes


def survey_changes(config: RunConfig, store: RunStore, base: Path) -> SeedChanges:
    """Reads the seeds ahead where their files changed since they were last read, and reports what is different.

    Raises:
        SeedError: A source cannot be read.
        StoreError: The run directory cannot be written.
    """
    stamp = seed_stamp(config, base)
    if not sum(store.counts().values()) or store.meta(_STAMP) == stamp:
        return SeedChanges()
    survey = SeedSurvey(store, config.shard)
    for item in stream_instructions(config, base):
        if isinstance(item, SeedIssue):
            survey.add(skipped(item).key, item.dataset, item.source)
        else:
            survey.add(item.id, item.dataset, item.source)
            survey.compare(item)
    changes = survey.reconcile(stamp, base)
    report(changes, config.shard)
    return changes


def report(changes: SeedChanges, shard: Shard | None) -> None:
    """Tells what changed in the seeds and what follows from it."""
    if not changes:
        return
    told = [
        f"The seeds changed since the last run: {changes.added:,} added, {changes.removed:,} removed, "
        f"{changes.changed:,} changed."
    ]
    if changes.removed + changes.changed:
        told.append(
            f"{changes.removed + changes.changed:,} earlier outcomes are set aside: in no count, export or "
            "publication; `run --prune` deletes them."
        )
    if changes.changed:
        told.append(
            "Changed problems are grown again; recorded completions answer wherever the prompt is the same."
        )
    if changes.restored:
        told.append(f"{changes.restored:,} that were set aside are back.")
    if shard is not None:
        told.append(
            "Run every shard again before you export (which is refused until then): a corrected problem may belong to "
            "another shard, and its earlier tree stays in its old one until that is run."
        )
    log.warning(" ".join(told))


def warn_of_changed_files(places: Iterable[str | Path]) -> None:
    """Says where the seed files of run directories changed after the run read them: its trees are of the earlier ones.

    Files that are elsewhere, on the Hub, or not there any more say nothing.
    """
    with ExitStack() as stack:
        folders = [
            folder for place in map(str, places) if "://" not in place for folder in find_runs(place, stack)
        ]
        for folder in folders:
            store = stack.enter_context(RunStore.open(folder))
            base, stamp, config = store.meta(_BASE), store.meta(_STAMP), store.config()
            with contextlib.suppress(OSError, SeedError):
                here = base and all(_is_here(seed, Path(base)) for seed in config.seeds)
                if here and seed_stamp(config, Path(base)) != stamp:
                    log.warning(
                        "The seed files of %s changed since the run read them: its trees are of the earlier ones. "
                        "`ultrainteract run` brings it up to date.", folder,
                    )  # fmt: skip


def _is_here(seed: SeedConfig, base: Path) -> bool:
    return (
        "://" not in seed.path and local_files(seed.path, base, find_dataset(seed.dataset).files) is not None
    )


def skipped(issue: SeedIssue) -> Outcome:
    """The ledger's line for an input that becomes no instruction."""
    rule = issue.rule or issue.kind
    return Outcome(
        key=skipped_key(issue.dataset, issue.source, rule), state=TreeState.SKIPPED,
        reason=f"{rule}: {issue.reason}", dataset=issue.dataset, source=issue.source,
    )  # fmt: skip


def seed_stamp(config: RunConfig, base: Path) -> str:
    """A hash of what the seeds are read from: settings, files with size and time of their last change, revisions.

    Raises:
        SeedError: A folder holds no data file, or the Hub cannot be asked.
    """
    base = base.resolve()  # a run that is started in its folder says `.`
    parts: list[object] = [config.model_dump(mode="json", include={"seeds", "selection"})]
    for seed in config.seeds:
        dataset = find_dataset(seed.dataset)
        files = local_files(seed.path, base, dataset.files)
        if files is None:
            parts.append(resolve_revision(seed.path, seed.revision))
            continue
        beside = [resolved(str(seed.options[name]), base) for name in dataset.paths if name in seed.options]
        for path in (*files[1], *beside):
            found = path.stat()
            parts.append([str(path), found.st_size, found.st_mtime_ns])
    return content_hash(parts)


def _truth(instruction: Instruction) -> tuple[object, ...]:
    return instruction.tests, instruction.unit, instruction.choices, instruction.grader
