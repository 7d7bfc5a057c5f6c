"""The whole tree in one row: nested columns for queries, and the tree's own JSON, read back exactly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ultrainteract.errors import DataError
from ultrainteract.readers.tables import Table, open_tables
from ultrainteract.schema import Node, Tree, Turn

Row = dict[str, Any]

TREE_COLUMNS = {
    "id": "string", "task": "string", "dataset": "string", "instruction": "string", "depth": "int",
    "state": "string", "ended": "string", "hard": "bool", "simulated": "bool", "turns": "tree_turns",
    "tree": "string",
}  # fmt: skip


def tree_rows(tree: Tree) -> Iterator[Row]:
    """Turns a tree into its row of the `trees` split.

    Args:
        tree: The tree.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> (row,) = tree_rows(example_tree())
        >>> row["state"], row["turns"][0]["incorrect"]["critique"]
        ('complete', 'The question asks for a product.')
        >>> Tree.model_validate_json(row["tree"]) == example_tree()
        True
    """
    yield {
        "id": tree.id,
        "task": tree.instruction.task.value,
        "dataset": tree.instruction.dataset,
        "instruction": tree.instruction.prompt,
        "depth": tree.depth,
        "state": tree.state.value,
        "ended": tree.ended,
        "hard": tree.hard,
        "simulated": tree.simulated,
        "turns": [_turn(number, turn) for number, turn in enumerate(tree.turns, 1)],
        "tree": tree.model_dump_json(),
    }


def _turn(number: int, turn: Turn) -> Row:
    return {
        "turn": number,
        "paired": turn.paired,
        "pass_rate": turn.pass_rate,
        "first_correct": turn.first_correct,
        "correct": None if turn.correct is None else _node(turn.correct),
        "incorrect": None if turn.incorrect is None else _node(turn.incorrect),
        "extra": [{"chosen": _node(pair.chosen), "rejected": _node(pair.rejected)} for pair in turn.extra],
        "more_correct": [_node(node) for node in turn.more_correct],
        "steps": [
            {"step": s.step, "model": s.model, "drawn": s.drawn, "judged": s.judged, "correct": s.correct}
            for s in turn.steps
        ],
    }


def _node(node: Node) -> Row:
    action, evidence, origin = node.action, node.verdict.evidence, node.provenance
    return {
        "text": action.text,
        "answer": action.answer,
        "output": node.observation.output,
        "status": node.observation.status,
        "label": node.verdict.label.value,
        "check": None if evidence is None else evidence.check,
        "detail": None if evidence is None else evidence.detail,
        "reliability": None if evidence is None else evidence.reliability,
        "critique": None if node.critique is None else node.critique.text,
        "critic": None if node.critique is None else node.critique.provenance.model,
        "syntax_ok": action.syntax_ok,
        "tool_calls": len(action.exchanges),
        "model": origin.model,
        "provider": origin.provider,
        "simulated": origin.simulated,
        "step": origin.step,
        "prompt_tokens": origin.prompt_tokens,
        "completion_tokens": origin.completion_tokens,
        "cost": origin.cost,
    }


def read_trees(path: str | Path) -> Iterator[Tree]:
    """Reads trees back from a `trees` export, exactly as they were, streamed.

    Args:
        path: The export folder, its `trees` folder, one Parquet file, or a Hub dataset's id.

    Raises:
        DataError: There is no `trees` export there, or a row is not a tree of this version.
    """
    tables = tree_tables(open_tables(str(path)))
    if not tables:
        raise DataError(f"{path} holds no `trees` export; make one with `export --format trees`.")
    return trees_of(tables)


def tree_tables(tables: Iterable[Table]) -> list[Table]:
    """Those tables that are `trees` exports."""
    return [table for table in tables if {"tree", "turns"} <= set(table.columns)]


def trees_of(tables: Iterable[Table]) -> Iterator[Tree]:
    """The trees of `trees` exports.

    Raises:
        DataError: A row is not a tree of this version.
    """
    for table in tables:
        for where, text in table.texts("tree"):
            try:
                yield Tree.model_validate_json(text)
            except ValidationError as error:
                raise DataError(f"{where}: not a tree: {error.errors()[0]['msg']}.") from error


def packed_trees(tables: Iterable[Table]) -> Iterator[bytes]:
    """The trees of `trees` exports as their JSON."""
    for table in tables:
        for _, text in table.texts("tree"):
            yield text.encode()
