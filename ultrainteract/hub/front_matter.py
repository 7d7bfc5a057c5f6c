"""A card taken apart into its metadata, its owner's text and the program's part, and put together again.

The owner's words stay: comments, quoting (`1.10` is no `1.1`) and order in the metadata, and every character of the
text outside the program's two markers. White space or a byte order mark before the metadata, an empty block, and a
deleted marker cost nothing.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any

from ultrainteract.errors import HubError, require

BEGIN = "<!-- ultrainteract:begin (written by the program; text outside these markers is kept) -->"
END = "<!-- ultrainteract:end -->"
LAST_WORDS = "`run.json` holds the configuration as far as it is public, `stats.json` all figures."
"""End of the program's part, by which it is known where the END marker was deleted."""

_FRONT = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(?P<yaml>.*?)(?<=\n)---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


@dataclass
class Card:
    """The parts of a card."""

    metadata: Any
    """The metadata, a mapping that remembers how it was written."""
    comments: str
    """The whole block where it held comments alone."""
    before: str
    """The owner's text before the program's part."""
    after: str
    """The owner's text after it."""
    indented: bool
    """Whether the owner indents lists below their key."""


def take_apart(text: str) -> Card:
    """Takes a card apart.

    Args:
        text: The card; empty where there is none.

    Raises:
        HubError: Its metadata is no valid YAML.
    """
    require("ruamel.yaml", "hub")
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import YAMLError

    found = _FRONT.match(text)
    block = found["yaml"].replace("\r\n", "\n") if found else ""
    try:
        metadata = _yaml().load(block) if block.strip() else None
    except YAMLError as error:
        raise HubError(
            f"The existing card's metadata is not valid YAML: {error}. Correct it on the Hub first."
        ) from error
    if found is not None and isinstance(metadata, CommentedMap | None):
        rest = text[found.end() :]
    else:  # two rules with text between them, and no metadata
        metadata, block, rest = None, "", text.lstrip("\ufeff")
    before, after = _owners_text(rest)
    comments = block if metadata is None and block.strip() else ""
    indented = re.search(r"^[^\s#][^\n]*:[ \t]*\n +- ", block, re.MULTILINE) is not None
    return Card(CommentedMap() if metadata is None else metadata, comments, before, after, indented)


def put_together(card: Card, body: str) -> str:
    """A card's text, with `body` as the program's part."""
    out = io.StringIO()
    _yaml(indented=card.indented).dump(card.metadata, out)
    before = card.before if card.before.strip() else "\n"
    while before.strip() and not before.replace("\r\n", "\n").endswith("\n\n"):
        before += "\n"
    after = card.after if card.after.strip() else "\n"
    if not after.startswith(("\n", "\r\n")):
        after = f"\n\n{after}"
    return f"---\n{card.comments}{out.getvalue()}---\n{before}{BEGIN}\n\n{body.strip()}\n{END}{after}"


def plain(value: Any) -> Any:
    """A value of the metadata as plain JSON, to compare and to record."""
    if isinstance(value, dict):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    return float(value) if isinstance(value, float) else str(value)


def listed(value: Any) -> list[Any]:
    """A value where a list may stand: nothing, one item, or several."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _owners_text(text: str) -> tuple[str, str]:
    """The text before and after the program's part; all of it before where there is no such part."""
    before, begun, rest = text.partition(BEGIN)
    if not begun:
        return text.replace(END, ""), ""
    _, ended, after = rest.partition(END)
    if not ended:
        _, known, after = rest.partition(LAST_WORDS)
        after = after if known else f"\n\n{rest.strip()}\n"
    return before, after.replace(BEGIN, "").replace(END, "")


def _yaml(*, indented: bool = False) -> Any:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    if indented:
        yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
