"""The reasoning part of a completion, taken off its answer where the server has not done so.

Reasoning models write it between a pair of tags. The opening tag is often part of the prompt, and so not of the
completion. Guarantee: what is cut off is kept, word for word, and no tag of a cut block is left in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ultrainteract.config import REASONING_TAGS

Pairs = Sequence[tuple[str, str]]


def split_reasoning(
    text: str, pairs: Pairs = REASONING_TAGS, *, leading: bool = False
) -> tuple[str, str | None]:
    """Takes the blocks of reasoning out of a completion.

    A block begins with an opening tag at the start of a line and ends with the last closing tag before the next
    such block: a closing tag that the reasoning names in a sentence does not end it, as in the models' own chat
    templates. A closing tag without an opening one ends reasoning that began in the prompt. A block that is never
    closed was cut off: all of it is reasoning.

    Args:
        text: What the model wrote.
        pairs: Opening and closing tags.
        leading: Take only blocks that the text begins with: where the server has split reasoning off already, a tag
            further down belongs to the answer.

    Returns:
        The answer and the reasoning (blocks joined by blank lines), None where there is none.
    """
    found: list[str] = []
    while True:
        for opening, closing in pairs:
            if opening not in text and closing not in text:
                continue
            answer, reasoning = _split(text, opening, closing, leading=leading)
            if reasoning is not None:
                found.append(reasoning)
                text = answer
                break
        else:
            thoughts = "\n\n".join(part for part in found if part)
            return text, thoughts or None


def _split(text: str, opening: str, closing: str, *, leading: bool) -> tuple[str, str | None]:
    """The text without its first block, and what that holds; None where there is no block."""
    starts = [match.start(1) for match in re.finditer(rf"(?:\A|\n)[ \t\n]*({re.escape(opening)})", text)]
    if starts and not text[: starts[0]].strip():
        begin, head = starts[0], ""
    elif leading:
        return text, None
    elif starts and closing not in text[: starts[0]]:
        begin, head = starts[0], text[: starts[0]]
    elif closing in text and opening not in text[: text.find(closing)]:
        begin, head, starts = 0, "", [0, *starts]  # it began in the prompt
    else:
        return text, None
    after = begin + len(opening) if text.startswith(opening, begin) else begin
    end = -1
    for stop in [start for start in starts if start > begin] + [len(text)]:
        end = text.rfind(closing, after, stop)
        if end >= 0:
            break
    if end < 0:
        return head.rstrip(), text[after:].strip("\n")
    tail = text[end + len(closing) :]
    answer = f"{head.rstrip()}\n{tail.lstrip()}" if head.strip() else tail.lstrip("\n")
    return answer, text[after:end].strip("\n")
