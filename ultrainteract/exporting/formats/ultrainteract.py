"""The published UltraInteract rows: columns, order, types and ids exactly as in the released splits.

Ids: a turn's own pair is `<instruction id>_<depth>_<turn>`, so that a tree can be rebuilt from its pairs. The
additional pairs of a hard instruction and all SFT rows take a content hash in place of the instruction id, so that
every id is unique. `parent_id` is the instruction id in both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import ExportConfig, ExportFilter
from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS
from ultrainteract.dataset.samples import (
    WhichActions,
    WhichPairs,
    correct_actions,
    flat_prompt,
    history,
    opening_text,
    picked_pairs,
    reasoning_of,
    spoken,
    tagged,
)
from ultrainteract.dataset.tree_table import TREE_COLUMNS, tree_rows
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Tree, content_hash

Row = dict[str, Any]


def sft_rows(
    tree: Tree, which: WhichActions = "all", *, with_history: bool = False, keep: ExportFilter | None = None
) -> Iterator[Row]:
    r"""Turns a tree into rows of the `sft` split: one for each correct action.

    Args:
        tree: The tree.
        which: All correct actions, or the last one only.
        with_history: Write the turns before the action into `instruction`. The released rows of later turns
            carry the bare instruction, which is the default.
        keep: Filter.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> [row["response"][-10:] for row in sft_rows(example_tree())]
        ['print(3*2)', 'print(2*3)']
        >>> [row["id"][64:] for row in sft_rows(example_tree(), "leaf")]
        ['_2_2']
    """
    for correct in correct_actions(tree, which, keep):
        text = correct.node.action.text
        yield {
            "task": tree.instruction.task.value,
            "dataset": tree.instruction.dataset,
            "instruction": flat_prompt(tree, correct, with_history),
            "response": text,
            "id": correct.node.published_id
            or f"{content_hash([tree.id, correct.turn, text])}_{tree.depth}_{correct.turn}",
            "parent_id": tree.id,
        }


def pair_rows(
    tree: Tree, which: WhichPairs = "all", *, with_history: bool = True, keep: ExportFilter | None = None
) -> Iterator[Row]:
    """Turns a tree into rows of the `pair` split: one for each pair, with the turns before it.

    Args:
        tree: The tree.
        which: All pairs, or one a tree.
        with_history: Keep the turns before the pair; without them, rows are the single-turn decomposition.
        keep: Filter.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = list(pair_rows(example_tree()))
        >>> [(len(row["trajectory"]), row["id"][64:]) for row in rows]
        [(1, '_2_1'), (3, '_2_2')]
        >>> print(rows[1]["trajectory"][2]["value"])
        Out: 1
        Your answer is wrong.
        The question asks for a product.
    """
    for pair in picked_pairs(tree, which, keep):
        talk = (("user", opening_text(tree.instruction)), *(history(tree, pair.turn) if with_history else ()))
        chosen, rejected = spoken(pair.chosen.action), spoken(pair.rejected.action)
        parent = tree.id if pair.own else content_hash([tree.id, pair.turn, chosen, rejected])
        yield {
            "task": tree.instruction.task.value,
            "dataset": tree.instruction.dataset,
            "trajectory": [{"from": role, "value": text} for role, text in talk],
            "chosen": chosen,
            "rejected": rejected,
            "id": pair.published_id or f"{parent}_{tree.depth}_{pair.turn}",
            "parent_id": tree.id,
        }


@exporter("sft", kind="tree", columns=SFT_COLUMNS, histories=("bare", "flat"),
          summary="UltraInteract SFT: every correct action")  # fmt: skip
def _sft(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    rows = sft_rows(tree, config.sft, with_history=config.sft_history == "flat", keep=config.filter)
    for row, correct in zip(rows, correct_actions(tree, config.sft, config.filter), strict=True):
        action = correct.node.action
        more = {"reasoning": reasoning_of(action)} if config.reasoning == "column" else {}
        yield {**row, "response": tagged(action, row["response"], config), **more}


@exporter(
    "pair", kind="tree", columns=PAIR_COLUMNS, summary="UltraInteract pairs, with the turns before them"
)
def _pair(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    rows = pair_rows(tree, config.pairs, with_history=config.pair_history == "full", keep=config.filter)
    return _with_reasoning(tree, config, rows)


@exporter("single-turn", kind="tree", columns=PAIR_COLUMNS, summary="UltraInteract pairs without history")
def _single_turn(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    rows = pair_rows(tree, config.pairs, with_history=False, keep=config.filter)
    return _with_reasoning(tree, config, rows)


def _with_reasoning(tree: Tree, config: ExportConfig, rows: Iterator[Row]) -> Iterator[Row]:
    """Pair rows with the reasoning of both sides, as `config` wants it."""
    for row, pair in zip(rows, picked_pairs(tree, config.pairs, config.filter), strict=True):
        found = dict(row)
        for side, node in (("chosen", pair.chosen), ("rejected", pair.rejected)):
            found[side] = tagged(node.action, row[side], config)
            if config.reasoning == "column":
                found[f"{side}_reasoning"] = reasoning_of(node.action)
        yield found


@exporter("trees", kind="tree", columns=TREE_COLUMNS, summary="whole trees, nested", reasoning=False)
def _trees(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    return iter(tree_rows(tree))
