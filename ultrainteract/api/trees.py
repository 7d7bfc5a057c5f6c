"""What `show` shows: one tree, or the list of inputs, of a run or of a folder of exports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.event_loop import complete
from ultrainteract.config.problems import did_you_mean
from ultrainteract.dataset.source import Source
from ultrainteract.errors import ConfigError, DataError, StoreError
from ultrainteract.schema import Instruction, Tree, TreeState
from ultrainteract.store import Outcome, Runs, RunStore, find_runs, open_runs

if TYPE_CHECKING:
    from ultrainteract.running.recorded import RecordedCall

_ROWS = 500
"""Lines of the ledger that are completed at a time."""


def find_tree(source: str | Path, prefix: str | None = None, *, shortest: bool = False) -> Tree:
    """One tree of a run or of a folder of exports.

    Args:
        source: A run directory, or a folder of exports.
        prefix: Beginning of its id, or the source id of its record; the tree with the most turns if None.
        shortest: Where there is no prefix, the one with the fewest turns (among those with pairs, if there are any).

    Raises:
        StoreError: The run cannot be read, or has no such tree.
        DataError: The folder holds nothing that trees could be made of, or no such tree.
    """
    with ExitStack() as stack:
        folders = find_runs(str(source), stack)
        if len(folders) == 1:
            store = stack.enter_context(RunStore.open(folders[0]))
            return store.tree(store.deepest(shortest=shortest) if prefix is None else prefix)
        opened = stack.enter_context(Source.open(str(source)))
        if prefix is not None:
            return opened.tree(prefix)
        found = min(opened.trees, key=partial(_order, shortest), default=None)
        if found is None:
            raise DataError(f"{source} has no tree.")
        return found


def _order(shortest: bool, tree: Tree) -> tuple[bool, int]:
    return tree.state is not TreeState.COMPLETE, tree.depth if shortest else -tree.depth


def list_inputs(source: str | Path, state: str | None = None) -> Iterator[Outcome]:
    """Yields the ledger of a run, or the trees of a folder of exports, which knows of no other inputs.

    Args:
        source: A run directory (see `store.find_runs`), or a folder of exports.
        state: Only inputs in this state.

    Raises:
        ConfigError: There is no such state.
        StoreError: The run cannot be read.
        DataError: The folder holds nothing that trees could be made of.
    """
    wanted = None if state is None else tree_state(state)
    with ExitStack() as stack:
        if find_runs(str(source), stack):
            ledger: Iterator[Outcome] = _with_tasks(open_runs([str(source)], stack))
        else:
            ledger = map(_outcome, stack.enter_context(Source.open(str(source))).trees)
        yield from (outcome for outcome in ledger if wanted is None or outcome.state is wanted)


def recorded_calls(source: str | Path, id: str | None = None) -> Iterator[RecordedCall]:
    """Yields every recorded sample of a run with its prompt, also those that no tree kept; refusals and failures too.

    Args:
        source: A run directory (see `store.find_runs`).
        id: Beginning of an instruction's id, or its source id; all trees if None.

    Raises:
        StoreError: The run cannot be read, or has no such tree.
    """
    from ultrainteract.grading import Graders
    from ultrainteract.running.recorded import recorded_calls as calls_of

    async def read(store: RunStore, instruction: Instruction) -> list[RecordedCall]:
        async with Graders() as graders:
            return await calls_of(store, instruction, graders)

    with ExitStack() as stack:
        for store, instruction in _asked(open_runs([str(source)], stack).stores, id):
            yield from complete(partial(read, store, instruction))


def _asked(stores: Sequence[RunStore], id: str | None) -> Iterator[tuple[RunStore, Instruction]]:
    """What models were asked about, each with the store that has the record.

    Raises:
        StoreError: No store has what `id` names.
    """
    if id is None:
        for store in stores:
            yield from ((store, tree.instruction) for tree in store.trees())
            yield from ((store, instruction) for instruction in (*store.failed(), *store.admitted()))
        return
    found = [
        (store, item)
        for store in stores
        for item in (*store.failed(), *store.admitted())
        if (len(id) >= 4 and item.id.startswith(id)) or f"/{item.source}".endswith(f"/{id}")
    ]
    error: StoreError | None = None
    for store in () if found else stores:
        try:
            found.append((store, store.tree(id).instruction))
        except StoreError as why:
            error = error or why
    if not found and error is not None:
        raise error
    yield from found


def tree_state(name: str) -> TreeState:
    """The state of that name.

    Raises:
        ConfigError: There is none.
    """
    try:
        return TreeState(name)
    except ValueError:
        states = [state.value for state in TreeState]
        near = did_you_mean(name, states)
        raise ConfigError(f"There is no state '{name}' (there are: {', '.join(states)}){near}") from None


def _with_tasks(runs: Runs) -> Iterator[Outcome]:
    ledger = (outcome for outcome, _ in runs.ledger())
    while outcomes := list(islice(ledger, _ROWS)):
        tasks: dict[str, str] = {}
        for store in runs.stores:
            tasks |= store.tasks([outcome.key for outcome in outcomes])
        for outcome in outcomes:
            yield outcome.model_copy(update={"task": tasks.get(outcome.key, "")})


def _outcome(tree: Tree) -> Outcome:
    task, dataset, source = tree.instruction.task, tree.instruction.dataset, tree.instruction.source
    return Outcome(key=tree.id, state=tree.state, dataset=dataset, source=source, task=task.value)
