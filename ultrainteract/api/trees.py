"""What `show` shows: one tree, or the list of inputs, of a run or of a folder of exports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ultrainteract.dataset.source import Source
from ultrainteract.errors import DataError
from ultrainteract.schema import Tree
from ultrainteract.store import Outcome, RunStore, find_runs, open_runs


def find_tree(source: str | Path, prefix: str | None = None) -> Tree:
    """One tree of a run or of a folder of exports.

    Args:
        source: A run directory, or a folder of exports.
        prefix: Beginning of its id; the tree with the most turns if None.

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
        StoreError: The run cannot be read.
        DataError: The folder holds nothing that trees could be made of.
    """
    with ExitStack() as stack:
        if find_runs(str(source), stack):
            ledger: Iterator[Outcome] = (outcome for outcome, _ in open_runs([str(source)], stack).ledger())
        else:
            ledger = map(_outcome, stack.enter_context(Source.open(str(source))).trees)
        yield from (outcome for outcome in ledger if state is None or outcome.state == state)


def _outcome(tree: Tree) -> Outcome:
    instruction = tree.instruction
    return Outcome(key=tree.id, state=tree.state, dataset=instruction.dataset, source=instruction.source)
