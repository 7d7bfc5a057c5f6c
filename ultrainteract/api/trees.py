"""What `show` shows: one tree, or the list of inputs, of a run or of a folder of exports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.api.event_loop import complete
from ultrainteract.config.problems import did_you_mean
from ultrainteract.dataset.source import Source
from ultrainteract.errors import ConfigError, DataError
from ultrainteract.schema import Instruction, Tree, TreeState
from ultrainteract.store import Outcome, RunStore, find_runs, open_runs

if TYPE_CHECKING:
    from ultrainteract.running.recorded import RecordedCall


def find_tree(source: str | Path, prefix: str | None = None) -> Tree:
    """One tree of a run or of a folder of exports.

    Args:
        source: A run directory, or a folder of exports.
        prefix: Beginning of its id, or the source id of its record; the tree with the most turns if None.

    Raises:
        StoreError: The run cannot be read, or has no such tree.
        DataError: The folder holds nothing that trees could be made of, or no such tree.
    """
    with ExitStack() as stack:
        folders = find_runs(str(source), stack)
        if len(folders) == 1:
            store = stack.enter_context(RunStore.open(folders[0]))
            return store.tree(store.deepest() if prefix is None else prefix)
        opened = stack.enter_context(Source.open(str(source)))
        if prefix is not None:
            return opened.tree(prefix)
        deepest = max(opened.trees, key=lambda tree: tree.depth, default=None)
        if deepest is None:
            raise DataError(f"{source} has no tree.")
        return deepest


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
            ledger: Iterator[Outcome] = (outcome for outcome, _ in open_runs([str(source)], stack).ledger())
        else:
            ledger = map(_outcome, stack.enter_context(Source.open(str(source))).trees)
        yield from (outcome for outcome in ledger if wanted is None or outcome.state is wanted)


def recorded_calls(source: str | Path, id: str | None = None) -> Iterator[RecordedCall]:
    """Yields every recorded sample of a run with its prompt, also those that no tree kept; refusals too.

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
        for store in open_runs([str(source)], stack).stores:
            if id is None:
                found: Iterator[Instruction] = chain(
                    (tree.instruction for tree in store.trees()), store.admitted()
                )
            else:
                found = iter((store.tree(id).instruction,))
            for instruction in found:
                yield from complete(partial(read, store, instruction))


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


def _outcome(tree: Tree) -> Outcome:
    instruction = tree.instruction
    return Outcome(key=tree.id, state=tree.state, dataset=instruction.dataset, source=instruction.source)
