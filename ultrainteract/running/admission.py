"""The inputs of a run, one by one: which need a tree, which have one, which become no instruction.

Seeds are read in a thread, a chunk at a time, so that no more of them is in memory than is about to be grown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.errors import SeedError
from ultrainteract.running.progress import Progress
from ultrainteract.running.seed_changes import SeedSurvey, report, seed_stamp, skipped, survey_changes
from ultrainteract.schema import Instruction, Tree
from ultrainteract.seeds import SeedIssue, stream_instructions
from ultrainteract.seeds.check import GoldKinds
from ultrainteract.store import Admission, Outcome, RunStore, tree_number

log = logging.getLogger(__name__)

_CHUNK = 64
"""Instructions read from the seeds at a time."""

Inputs = Iterator[Instruction | SeedIssue]


async def admitted(
    config: RunConfig,
    store: RunStore,
    base: Path,
    progress: Progress,
    stopped: Callable[[], bool],
) -> AsyncIterator[Instruction]:
    """Yields every instruction that has no outcome yet, those that an earlier session began first; settles the others.

    Args:
        config: The run; of a shard's, only its slice is read, and at most `config.limit` instructions.
        store: The run directory: its ledger says what is done.
        base: Folder that relative seed paths resolve against.
        progress: Told how many inputs there are, once all have been read.
        stopped: Asked between chunks; reading ends early where it says so.

    Raises:
        SeedError: A source cannot be read, or all sources together hold no usable record.
        StoreError: The ledger could not be written.
    """
    if await asyncio.to_thread(survey_changes, config, store, base):
        progress.begin(store)
    inputs = 0
    usable, first_issue = 0, ""
    survey = SeedSurvey(store, config.shard)
    taken, is_limited = 0, False
    kinds, told = GoldKinds(), set[str]()
    begun = [] if config.limit else store.admitted()
    for instruction in begun:  # at once: finding the next ones may take reading the seeds up to there
        yield instruction
    known = {instruction.id for instruction in begun}
    async for chunk in _chunks(stream_instructions(config, base)):
        issues: list[tuple[Outcome, Tree | None]] = []
        fresh: list[Instruction] = []
        for item in chunk:
            issue = skipped(item) if isinstance(item, SeedIssue) else None
            key = issue.key if issue else item.id  # type: ignore[union-attr]
            if config.limit and isinstance(item, Instruction):
                if is_limited := taken == config.limit:
                    break
                taken += 1
            survey.add(key, item.dataset, item.source)
            usable += isinstance(item, Instruction) or item.kind == "dropped"
            first_issue = first_issue or (f"{issue.source}: {issue.reason}" if issue else "")
            if config.shard is not None and not config.shard.holds(tree_number(key)):
                continue
            inputs += 1
            if issue is not None:
                issues.append((issue, None))
            elif isinstance(item, Instruction):
                fresh.append(item)
                kinds.add(item)
        _warn_of_words(kinds, told)
        done = store.done([item.id for item in fresh])
        progress.resumed += len(done)
        fresh = [item for item in fresh if item.id not in done and item.id not in known]
        if issues:
            await store.put_outcomes(issues)
        if fresh:
            await store.put([Admission.of(item) for item in fresh])
        for item in fresh:
            yield item
        if stopped():
            return
        if is_limited:
            progress.inputs = inputs
            return
    if not usable:
        raise SeedError(f"The seeds hold no usable record. The first one: {first_issue or 'there is none'}.")
    report(await asyncio.to_thread(survey.reconcile, seed_stamp(config, base), base), config.shard)
    progress.inputs = inputs
    await store.put_inputs(inputs)


def _warn_of_words(kinds: GoldKinds, told: set[str]) -> None:
    """Warns once of gold answers that are words among values."""
    odd = kinds.odd()
    if odd and not told:
        shown = ", ".join(f"{where} '{gold}'" for where, gold in odd[:3]) + (" …" if len(odd) > 3 else "")
        log.warning(
            "Gold answers that are words where the others are values: %s. Right answers may be taken for wrong: "
            "`ultrainteract validate` lists all.", shown,
        )  # fmt: skip
    told.update(where for where, _ in odd)


async def _chunks(stream: Inputs) -> AsyncIterator[list[Instruction | SeedIssue]]:
    while chunk := await asyncio.to_thread(lambda: list(islice(stream, _CHUNK))):
        yield chunk
