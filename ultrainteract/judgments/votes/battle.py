"""One vote of one judge on two answers, whatever file it came from."""

from __future__ import annotations

import re
from typing import Literal

from ultrainteract.schema import Record

Winner = Literal["a", "b", "tie", "both_bad"]

_HEADER = re.compile(r"^#{1,6}\s+\S", re.MULTILINE)
_BOLD = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\S", re.MULTILINE)


class Style(Record):
    """What a text looks like, apart from what it says (the Arena's four style features)."""

    tokens: int
    """Length in tokens; words where no tokenizer counted."""
    headers: int = 0
    """Markdown headers."""
    bold: int = 0
    """Bold spans."""
    lists: int = 0
    """List items, ordered or not."""

    @classmethod
    def of(cls, text: str) -> Style:
        """Counts the features of a Markdown text; fenced code counts towards the length alone."""
        prose = re.sub(r"```.*?(?:```|\Z)", "", text, flags=re.DOTALL)
        return cls(
            tokens=len(text.split()),
            headers=len(_HEADER.findall(prose)),
            bold=len(_BOLD.findall(prose)),
            lists=len(_ITEM.findall(prose)),
        )

    def values(self) -> tuple[int, int, int, int]:
        """The features in a fixed order: tokens, headers, bold, lists."""
        return self.tokens, self.headers, self.bold, self.lists


class Battle(Record):
    """One vote."""

    where: str
    """File and line it was read from."""
    item: str
    """What was judged: the prompt (and turn) that both models answered."""
    model_a: str
    """Author of the first answer."""
    model_b: str
    """Author of the second answer."""
    winner: Winner
    """The verdict; `both_bad` counts as a tie in ratings."""
    judge: str | None = None
    """Who voted; None where the file does not say."""
    prompt: str | None = None
    """The last user message, where the file has texts."""
    history: tuple[tuple[str, str], ...] = ()
    """(role, text) of the messages before it, equal for both sides."""
    response_a: str | None = None
    """The first answer."""
    response_b: str | None = None
    """The second answer."""
    style_a: Style | None = None
    """Its style, from the file or from its text."""
    style_b: Style | None = None
    """The style of the second answer."""
    anonymous: bool = True
    """False where the judge saw which model wrote what: never rated."""

    @property
    def score(self) -> float:
        """1 where A won, 0 where B won, one half for a tie."""
        return {"a": 1.0, "b": 0.0}.get(self.winner, 0.5)
