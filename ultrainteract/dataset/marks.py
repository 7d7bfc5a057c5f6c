"""What readers marked: actions with a wrong verdict, a leak, a bad critique; a file beside the run, never in its trees.

A mark names its action by tree, turn and content, so that it also holds in exports of the run, and no longer holds once
the tree was grown anew with another action.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ultrainteract.errors import DataError, StoreError
from ultrainteract.schema import Action, Node, Record, Tree, Turn

MARKS_FILE = "marks.jsonl"
"""Name of the file in a run directory, or beside exports."""
MarkKind = Literal["wrong_verdict", "leak", "bad_critique", "other"]


class Mark(Record):
    """A reader's objection to one action of a tree, its verdict or its critique."""

    tree: str
    """Id of the tree."""
    turn: int
    """Turn, from 1."""
    side: str
    """`correct`, `incorrect`, `extra-1-chosen`, `extra-1-rejected`, …, `more-1`, … or `unlabelled-1`, …."""
    action: str
    """Hash of the action's text (`action_hash`)."""
    kind: MarkKind
    """What is objected to."""
    note: str = ""
    """Why, in the reader's words."""
    at: str = ""
    """When, ISO 8601."""


def action_hash(text: str) -> str:
    """Sha256 of an action's published text, by which marks and audits know it (64 hex digits)."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def read_marks(path: Path) -> list[Mark]:
    """The marks in a file, in order; none where there is no file.

    Raises:
        DataError: The file cannot be read, or a line of it is no mark.
    """
    marks = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"Cannot read the marks {path}: {error}.") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                marks.append(Mark.model_validate_json(line))
            except ValidationError as error:
                raise DataError(f"{path}:{number}: not a mark: {error.errors()[0]['msg']}.") from error
    return marks


def write_marks(path: Path, marks: Iterable[Mark]) -> None:
    """Writes all marks; what was there stays until they are written.

    Raises:
        StoreError: The file cannot be written.
    """
    replace_file(path, "".join(mark.model_dump_json() + "\n" for mark in marks))


def replace_file(path: Path, text: str) -> None:
    """Puts a text in the place of a file's.

    Raises:
        StoreError: It cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.") from error


def without_marked(tree: Tree, path: str) -> Tree:
    """The tree without its marked actions, the pairs that they stand in, and the turns that go on from them.

    Args:
        tree: The tree.
        path: File with the marks (`read_marks`).

    Raises:
        DataError: The file is not there or cannot be read.
    """
    marked = _marked(path).get(tree.id)
    if not marked:
        return tree

    def kept(node: Node | None) -> Node | None:
        return None if node is None or _is_marked(node.action, marked) else node

    turns: list[Turn] = []
    for turn in tree.turns:
        correct, incorrect = kept(turn.correct), kept(turn.incorrect)
        changes: dict[str, object] = {
            "correct": correct,
            "incorrect": incorrect,
            "paired": turn.paired and correct is not None and incorrect is not None,
            "extra": tuple(pair for pair in turn.extra if kept(pair.chosen) and kept(pair.rejected)),
            "more_correct": tuple(node for node in turn.more_correct if kept(node)),
        }
        if any(_is_marked(node.action, marked) for node in turn.unlabelled):
            changes |= {"unlabelled": (), "log_likelihood": ()}  # the others are compared with it
        turns.append(turn.model_copy(update=changes))
        if incorrect is None:  # later turns answer what was said of it
            break
    return tree.model_copy(update={"turns": tuple(turns)})


def _is_marked(action: Action, marked: frozenset[str]) -> bool:
    return action_hash(action.text) in marked


def _marked(path: str) -> dict[str, frozenset[str]]:
    try:
        stat = Path(path).stat()
    except OSError as error:
        raise DataError(f"Cannot read the marks {path}: {error.strerror} (export.filter.marks).") from error
    return _by_tree(path, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(maxsize=4)
def _by_tree(path: str, changed: int, size: int) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for mark in read_marks(Path(path)):
        found.setdefault(mark.tree, set()).add(mark.action)
    return {tree: frozenset(actions) for tree, actions in found.items()}
