"""The inputs of a run, one by one: which need a tree, which have one, which become no instruction.

Seeds are read in a thread, a chunk at a time, so that no more of them is in memory than is about to be grown.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import islice
from pathlib import Path

from ultrainteract.config import RunConfig
from ultrainteract.running.progress import Progress
from ultrainteract.schema import Instruction, Tree, TreeState
from ultrainteract.seeds import SeedIssue, stream_instructions
from ultrainteract.store import Admission, Outcome, RunStore, skipped_key, tree_number

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
        config: The run; of a shard's, only its slice is read.
        store: The run directory: its ledger says what is done.
        base: Folder that relative seed paths resolve against.
        progress: Told how many inputs there are, once all have been read.
        stopped: Asked between chunks; reading ends early where it says so.

    Raises:
        SeedError: A source cannot be read.
        StoreError: The ledger could not be written.
    """
    inputs = 0
    begun = store.admitted()
    for instruction in begun:  # at once: finding the next ones may take reading the seeds up to there
        yield instruction
    known = {instruction.id for instruction in begun}
    async for chunk in _chunks(stream_instructions(config, base)):
        issues: list[tuple[Outcome, Tree | None]] = []
        fresh: list[Instruction] = []
        for item in chunk:
            issue = _skipped(item) if isinstance(item, SeedIssue) else None
            key = issue.key if issue else item.id  # type: ignore[union-attr]
            if config.shard is not None and not config.shard.holds(tree_number(key)):
                continue
            inputs += 1
            if issue is not None:
                issues.append((issue, None))
            elif isinstance(item, Instruction):
                fresh.append(item)
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
    progress.inputs = inputs
    await store.put_inputs(inputs)


async def _chunks(stream: Inputs) -> AsyncIterator[list[Instruction | SeedIssue]]:
    while chunk := await asyncio.to_thread(lambda: list(islice(stream, _CHUNK))):
        yield chunk


def _skipped(issue: SeedIssue) -> Outcome:
    rule = issue.rule or issue.kind
    return Outcome(
        key=skipped_key(issue.dataset, issue.source, rule), state=TreeState.SKIPPED,
        reason=f"{rule}: {issue.reason}", dataset=issue.dataset, source=issue.source,
    )  # fmt: skip
