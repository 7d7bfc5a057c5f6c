"""The checker that all layouts are built on, and the rules that several of them share."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ultrainteract.dataset.published import kind_name
from ultrainteract.readers.code import code_blocks, syntax_ok, with_line_feeds
from ultrainteract.readers.rows import Ambiguous
from ultrainteract.schema import content_hash
from ultrainteract.wording import WRONG

Row = Mapping[str, Any]
Found = tuple[str, str]
"""(rule, what is there)"""

_SAYS_ANSWER = (
    r"(?:answer|result|value|solution|output)\s*"
    r"(?:is|are|was|should\s+(?:have\s+been|be)|must\s+be|equals|=|:)\s*[\"'$`*(\[]*"
)


class RowChecker:
    """Checks the rows of one table in order."""

    columns: Mapping[str, str] = {}

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def types(self, row: Row) -> Iterator[Found]:
        """Yields the fields that hold what they cannot hold; such a row is not checked further."""
        for name, value in row.items():
            if isinstance(value, Ambiguous):
                yield "type", f"'{name}' occurs twice, with different values"
            elif name in _TEXTS and not isinstance(value, str | None):
                yield "type", f"'{name}' holds {kind_name(value)} where text belongs"
            elif name in _TURNS and value is not None:
                yield from _turn_types(name, value)

    def check(self, row: Row) -> Iterator[Found]:
        """Yields the violations of a row."""
        raise NotImplementedError

    def finish(self, columns: tuple[str, ...]) -> Iterator[Found]:
        """Yields the violations of the table as a whole."""
        if self.columns and columns != tuple(self.columns):
            yield "columns", f"{', '.join(columns)} instead of {', '.join(self.columns)}"

    def is_new(self, value: Any) -> bool:
        """Whether `value` has not been seen before."""
        key = int(content_hash(value)[:16], 16)
        known = key in self._seen
        self._seen.add(key)
        return not known


_TEXTS = frozenset(
    {"task", "dataset", "instruction", "response", "id", "parent_id", "input", "output", "tree"}
)
"""Fields that hold a text in every layout."""
_TURNS = frozenset(
    {"prompt", "chosen", "rejected", "completion", "messages", "conversations", "trajectory", "completions"}
)
"""Fields that hold a text, a turn, or a list of them."""


def _turn_types(name: str, value: Any) -> Iterator[Found]:
    if isinstance(value, str):
        return
    for turn in (
        [value] if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else [None]
    ):
        if isinstance(turn, str) and name == "completions":
            continue
        if not isinstance(turn, Mapping):
            what = kind_name(value) if turn is None else f"a list of {kind_name(turn)}"
            yield "type", f"'{name}' holds {what} where text or turns belong"
            return
        for key in ("role", "from", "content", "value"):
            if not isinstance(turn.get(key), str | None):
                yield "type", f"'{key}' of a turn in '{name}' holds {kind_name(turn[key])} where text belongs"
                return


def turns_of(value: Any, role: str = "user") -> list[tuple[str, str]]:
    """(role, text) of a text, one message or a list of messages, in either usual spelling of keys and roles."""
    if isinstance(value, str):
        return [(role, value)]
    turns = [value] if isinstance(value, Mapping) else value or []
    names = {"human": "user", "gpt": "assistant"}
    found = []
    for turn in turns:
        role = str(turn.get("role") or turn.get("from"))
        found.append((names.get(role, role), str(turn.get("content") or turn.get("value") or "")))
    return found


def role_faults(roles: list[str], *, ends_with_user: bool) -> Iterator[Found]:
    """User and assistant alternate; who speaks last is as it should be."""
    roles = roles[1:] if roles[:1] == ["system"] else roles
    if any(role != ("user", "assistant")[number % 2] for number, role in enumerate(roles)):
        yield "roles", f"roles are {', '.join(roles)}"
    elif roles and (roles[-1] == "user") != ends_with_user:
        yield "roles", f"the last turn is the {roles[-1]}'s"


def pair_faults(chosen: str, rejected: str, prompt: list[str]) -> Iterator[Found]:
    """Chosen and rejected differ, their code parses, and no feedback before them states the chosen answer."""
    if plain(chosen) == plain(rejected):
        yield "equal_pair", "chosen and rejected are the same text"
    for name, text in (("chosen", chosen), ("rejected", rejected)):
        blocks = code_blocks(with_line_feeds(text))
        if any(not syntax_ok(block.code) for block in blocks if block.python):
            yield "syntax", f"the code of {name} does not parse"
    answer = _answer(chosen)
    for feedback in prompt[2::2]:
        critique = feedback.partition(f"{WRONG}\n")[2]
        if answer and states_answer(critique, answer):
            yield "leak", f"feedback says that the answer is {answer!r}, as chosen does"
            return


def plain(text: str) -> str:
    """A text without case and white space: two that are equal in this are no pair."""
    return " ".join(text.casefold().split())


def _answer(text: str) -> str:
    """The answer a text states, after `Answer:`, without a box around it; empty if it states none."""
    _, stated, answer = text.rpartition("Answer:")
    answer = answer.strip().strip("$").removesuffix(".")
    if answer.startswith("\\boxed{") and answer.endswith("}"):
        answer = answer[len("\\boxed{") : -1]
    return answer if stated and "\n" not in answer and len(answer) <= 80 else ""


def states_answer(text: str, answer: str) -> bool:
    """Whether `text` calls `answer` the answer."""
    pattern = _SAYS_ANSWER + re.escape(answer.strip()) + r"(?![\w.]*\d)(?!\w)"
    return re.search(pattern, text, re.IGNORECASE) is not None
