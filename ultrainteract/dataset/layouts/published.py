"""The layouts of UltraInteract itself: both published splits, and whole trees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import ValidationError

from ultrainteract.dataset.layouts.checker import (
    Found,
    Row,
    RowChecker,
    pair_faults,
    plain,
    role_faults,
    states_answer,
)
from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS, kind_name
from ultrainteract.dataset.rebuild import parse_id, task_of
from ultrainteract.dataset.tree_table import TREE_COLUMNS, tree_rows
from ultrainteract.errors import DataError
from ultrainteract.schema import Tree


class _Published(RowChecker):
    """What both published splits have in common."""

    def types(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from super().types(row)
        for name in ("trajectory", "chosen", "rejected"):
            if name in self.columns and row[name] is not None:
                value = row[name]
                if name != "trajectory" and not isinstance(value, str):
                    yield "type", f"'{name}' holds {kind_name(value)} where text belongs"
                elif name == "trajectory" and isinstance(value, str | Mapping):
                    yield "type", f"'trajectory' holds {kind_name(value)} where a list of turns belongs"

    def _common(self, row: Row) -> Iterator[Found]:
        for name in self.columns:
            value = row[name]
            if value is None or (isinstance(value, str) and not value.strip()) or value == []:
                yield "empty", f"'{name}' is empty"
        try:
            if row["task"]:
                task_of(str(row["task"]))
        except DataError as error:
            yield "task", str(error)
        named = parse_id(str(row["id"]))
        if named is None:
            yield "id", f"id '{row['id']}'"
        elif not 1 <= named.turn <= named.depth:
            yield (
                "id_turn",
                f"id …_{named.depth}_{named.turn}: turn {named.turn} of a tree of depth {named.depth}",
            )
        if not re.fullmatch(r"[0-9a-f]{64}", str(row["parent_id"])):
            yield "id", f"parent_id '{row['parent_id']}'"
        if not self.is_new(["id", row["id"]]):
            yield "duplicate_id", str(row["id"])


class SftRows(_Published):
    """The published SFT split."""

    columns = SFT_COLUMNS

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from self._common(row)
        if not self.is_new([row["parent_id"], row["instruction"], row["response"], str(row["id"])[-4:]]):
            yield "duplicate", f"instruction and response of {row['id']} occurred before"


@dataclass
class _Shape:
    """What the pairs of one instruction have said so far."""

    prompt: int
    depth: int
    history: dict[int, int] = field(default_factory=dict)
    """Hash of (action, feedback) by turn."""
    rejected: dict[int, int] = field(default_factory=dict)
    """Hash of the own pair's rejected action by turn."""
    actions: dict[int, int] = field(default_factory=dict)
    """Hash of the expanded action by turn."""


class PairRows(_Published):
    """The published pairs."""

    columns = PAIR_COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._shapes: dict[str, _Shape] = {}
        self._short: list[str] = []
        """Ids of later turns that stand without a history: right only where the whole table has none."""
        self._longer = False

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from self._common(row)
        talk = [(str(turn.get("from")), str(turn.get("value") or "")) for turn in row["trajectory"] or ()]
        if talk and talk[0][0] == "system":
            yield "roles", "the published layout has no system turn"
        yield from role_faults([role for role, _ in talk], ends_with_user=True)
        if any(not text.strip() for _, text in talk):
            yield "empty", "a turn of the trajectory is empty"
        chosen, rejected = str(row["chosen"] or ""), str(row["rejected"] or "")
        yield from pair_faults(chosen, rejected, [text for _, text in talk])
        if not self.is_new([talk, chosen, rejected]):
            yield "duplicate", f"the pair {row['id']} occurred before"
        named = parse_id(str(row["id"]))
        turn = (len(talk) + 1) // 2
        if named is not None and talk:
            self._longer = self._longer or turn > 1
            if turn == 1 and named.turn > 1:
                self._short.append(str(row["id"]))
            elif named.turn != turn:
                yield "id_turn", f"{row['id']} stands at turn {turn}"
            own = named.hex == row["parent_id"] and named.turn == turn
            yield from self._tree(str(row["parent_id"]), named.depth, turn, talk, rejected if own else None)

    def _tree(
        self, parent: str, depth: int, turn: int, talk: list[tuple[str, str]], rejected: str | None
    ) -> Iterator[Found]:
        prompt = hash(talk[0][1])
        shape = self._shapes.setdefault(parent, _Shape(prompt, depth))
        if shape.prompt != prompt:
            yield "tree", f"instruction {parent} has two prompts"
        if shape.depth != depth:
            yield "tree", f"instruction {parent} has depths {shape.depth} and {depth}"
        for number in range(1, turn):
            step = talk[2 * number - 1 : 2 * number + 1]
            if shape.history.setdefault(number, hash(tuple(step))) != hash(tuple(step)):
                yield "tree", f"instruction {parent} has two histories at turn {number}"
            shape.actions.setdefault(number, hash(step[0][1]))
        if rejected is not None and shape.rejected.setdefault(turn, hash(rejected)) != hash(rejected):
            yield "tree", f"instruction {parent} has two own pairs at turn {turn}"

    def finish(self, columns: tuple[str, ...]) -> Iterator[Found]:
        """As of `RowChecker`."""
        yield from super().finish(columns)
        for name in self._short if self._longer else ():
            yield "id_turn", f"{name} has no history"
        for parent, shape in self._shapes.items():
            for turn, action in shape.actions.items():
                if shape.rejected.get(turn, action) != action:
                    yield "tree", f"instruction {parent} goes on from another action than turn {turn} rejects"


class TreeRows(RowChecker):
    """Whole trees."""

    columns = TREE_COLUMNS

    def check(self, row: Row) -> Iterator[Found]:
        """As of `RowChecker`."""
        try:
            tree = Tree.model_validate_json(row["tree"])
        except (ValidationError, TypeError) as error:
            yield "tree", f"not a tree: {str(error).splitlines()[0]}"
            return
        if tree.id != row["id"] or not self.is_new(row["id"]):
            yield ("duplicate_id" if tree.id == row["id"] else "id"), f"id '{row['id']}'"
        (expected,) = tree_rows(tree)
        wrong = [name for name, value in expected.items() if row.get(name) != value]
        if wrong:
            yield "tree", f"{', '.join(wrong)} differ from the tree of {tree.id}"
        for turn, pair in tree.pairs():
            sides = [
                (plain(one.action.text), one.action.calls, one.action.exchanges)
                for one in (pair.chosen, pair.rejected)
            ]
            if sides[0] == sides[1]:
                yield "equal_pair", f"chosen and rejected of turn {turn} in {tree.id} are the same text"
        for _, node in tree.nodes():
            critique = node.critique
            if critique and tree.instruction.gold and states_answer(critique.text, tree.instruction.gold):
                yield "leak", f"a critique in {tree.id} states the gold answer"
