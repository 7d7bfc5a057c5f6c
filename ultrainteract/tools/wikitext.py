"""Wikitext to plain text, well enough to search and to quote an article's opening.

Every pass is linear in the text: dumps hold unbalanced and hostile markup, and one article must not stop a
build.
"""

from __future__ import annotations

import html
import re

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)
_PAIRED = re.compile(
    r"<(ref|math|gallery|timeline|score|syntaxhighlight|source|imagemap|chem|graph)\b[^<>]*>", re.I
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_NESTED = re.compile(r"\{\{|\}\}|\{\||\|\}(?!\})|\[\[|\]\]")
_EXTERNAL = re.compile(r"\[(?:https?:|ftp:|//)[^\s\[\]]*+[ \t]*+([^\[\]\n]*+)\]")
_QUOTES = re.compile(r"'{2,5}")
_HEADING = re.compile(r"^==[^\n]*=[ \t]*$", re.M)
_LINE_MARK = re.compile(r"^[*#:;]+[ \t]*|^-{4,}", re.M)
_SWITCH = re.compile(r"__[A-Z]+__")
_SPACES = re.compile(r"[ \t\u00a0]+")
_EMPTY_BRACKETS = re.compile(r"\([\s,;:]*+\)")
_MOST_READ = 100_000
"""Characters of wikitext in which an opening is looked for."""
_HIDDEN = ("file:", "image:", "category:", "media:")


def plain_text(source: str) -> str:
    """The readable text of an article, without templates, tables, references, images and headings' marks."""
    text = _COMMENT.sub("", source)
    text = _links(_TAG.sub("", _without_paired(text)))
    text = _EXTERNAL.sub(r"\1", text)
    text = _QUOTES.sub("", _SWITCH.sub("", _LINE_MARK.sub("", text)))
    text = html.unescape(text)
    text = _EMPTY_BRACKETS.sub("", _SPACES.sub(" ", text))
    lines = (line.strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def opening(source: str, characters: int) -> str:
    """The plain text before the first heading, at most `characters` long, cut at a sentence if possible."""
    source = source[:_MOST_READ]
    heading = _HEADING.search(source)
    text = re.sub(r"\n+", "\n", plain_text(source[: heading.start()] if heading else source))
    if len(text) <= characters:
        return text
    cut = text[:characters]
    stop = max(cut.rfind(". "), cut.rfind(".\n"))
    return cut[: stop + 1] if stop > characters // 2 else cut.rstrip()


def _without_paired(text: str) -> str:
    """Drops elements that hold no prose; one that never ends is left for its tag alone to be dropped."""
    kept: list[str] = []
    at = 0
    endless: set[str] = set()
    for tag in _PAIRED.finditer(text):
        name = tag.group(1).lower()
        if tag.start() < at or name in endless:
            continue
        end = tag
        if not tag.group().endswith("/>"):
            closing = re.compile(rf"</{name}\s*>", re.I).search(text, tag.end())
            if closing is None:
                endless.add(name)
                continue
            end = closing
        kept.append(text[at : tag.start()])
        at = end.end()
    return "".join([*kept, text[at:]])


def _links(text: str) -> str:
    """Drops templates and tables, and keeps the shown text of links, however they are nested."""
    # A stack of (what opened, its pieces); what is inside braces is dropped when they close.
    stack: list[tuple[str, list[str]]] = [("", [])]
    at = 0
    for mark in _NESTED.finditer(text):
        stack[-1][1].append(text[at : mark.start()])
        at = mark.end()
        token = mark.group()
        if token in ("{{", "{|", "[["):
            stack.append((token, []))
            continue
        opener = {"}}": "{{", "|}": "{|", "]]": "[["}[token]
        if stack[-1][0] != opener:
            # A stray mark; what is open stays open.
            continue
        pieces = "".join(stack.pop()[1])
        if opener == "[[":
            stack[-1][1].append(_shown(pieces))
    stack[-1][1].append(text[at:])
    return "".join("".join(pieces) for opener, pieces in stack if opener not in ("{{", "{|"))


def _shown(link: str) -> str:
    target, separator, label = link.partition("|")
    if target.strip().lower().startswith(_HIDDEN):
        return ""
    return label.rpartition("|")[2] if separator else target.lstrip(":")
