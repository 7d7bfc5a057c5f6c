"""The actor's format, as simulated models write it and as they sometimes break it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random


def compose(steps: Sequence[str], code: str | None = None, answer: str | None = None) -> str:
    """A whole attempt: numbered steps, a program if there is one, a final answer if there is one."""
    parts = []
    if steps:
        parts.append("<thought>\n" + "\n".join(numbered(steps)) + "\n</thought>")
    if code is not None:
        parts.append(f"<execute>\n{code}\n</execute>")
    if answer is not None:
        parts.append(f"<solution>\nAnswer: {answer}\n</solution>")
    return "\n".join(parts)


def numbered(steps: Sequence[str], first: int = 1) -> list[str]:
    """`Step k: …` for each step."""
    return [f"Step {number}: {step}" for number, step in enumerate(steps, first)]


def break_format(text: str, rng: Random) -> str:
    """The attempt with one slip of format: a tag not closed, a fence instead of tags, or the answer left out."""
    kind = rng.randrange(3)
    if kind == 0 and (tags := re.findall(r"</(?:thought|execute|solution)>", text)):
        start = text.rindex(rng.choice(tags))
        return (text[:start] + text[text.index(">", start) + 1 :]).rstrip()
    if kind == 1:
        fenced = text.replace("<execute>", "```python").replace("</execute>", "```")
        return re.sub(r"</?(?:thought|solution)>\n?", "", fenced).strip()
    return re.sub(r"<(execute|solution)>.*?</\1>", "", text, flags=re.DOTALL).strip()


def break_syntax(code: str, rng: Random) -> str:
    """The program with a slip that Python's parser refuses: a parenthesis or a colon that is missing."""
    lines = code.split("\n")
    heads = [
        n for n, line in enumerate(lines) if re.match(r"\s*(?:def|for|while|if|else|elif)\b[^#]*:$", line)
    ]
    calls = [n for n, line in enumerate(lines) if line.endswith(")") and line.count("(") == line.count(")")]
    # The last call is the safest choice: nothing after it can close the parenthesis.
    if calls and (not heads or rng.random() < 0.6):
        lines[calls[-1]] = lines[calls[-1]][:-1]
    elif heads:
        head = rng.choice(heads)
        lines[head] = lines[head][:-1]
    else:
        lines.append("print(")
    return "\n".join(lines)


_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs|etc|e\.g|i\.e|U\.S)|\b[A-Z])\.$")


def sentences(text: str) -> list[str]:
    """The sentences of a text; formulas and LaTeX environments are never cut."""
    formulas = "\\" in text or re.search(r"[\w)}]\$", text) is not None  # else `$` is the currency's sign
    parts: list[str] = []
    for piece in re.split(r"(?<=[.!?])\s+(?=[A-Z$\\\[“\"(0-9])", text.strip()):
        if parts and (_ABBREVIATION.search(parts[-1]) or (formulas and not balanced(parts[-1]))):
            parts[-1] += " " + piece
        elif piece.strip():
            parts.append(piece.strip())
    return parts


def balanced(text: str) -> bool:
    """Whether every formula that begins in a text ends in it."""
    return (
        text.replace("\\$", "").count("$") % 2 == 0
        and text.count("\\[") == text.count("\\]")
        and text.count("\\begin{") == text.count("\\end{")
        and text.count("\\left") == text.count("\\right")
    )


_IMPERATIVE = re.compile(
    r"(?:Find|Compute|Print|Output|Determine|Calculate|Express (?!your|the answer)|Simplify|Evaluate|What)\b.{12}"
)


def question_of(text: str) -> str:
    """The sentence of a problem that asks: the last one with a question mark, else its last imperative one."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text)]
    found = [sentence for paragraph in paragraphs for sentence in sentences(paragraph)]
    asking = [sentence for sentence in found if sentence.endswith("?")] or [
        sentence for sentence in found if _IMPERATIVE.match(sentence)
    ]
    sentence = (asking or found or [text])[-1]
    return sentence if len(sentence) <= 300 else sentence[:297] + "..."


def restated(asked: str, rng: Random) -> str:
    """A problem's question (see `question_of`) as a first step of reasoning."""
    opening = rng.choice(
        ("The question is:", "We are asked:", "First, what is asked?", "What has to be found:")
    )
    return f"{opening} {asked}"


def names_in(text: str) -> tuple[str, ...]:
    """Capitalised names in a text, without words that merely begin a question."""
    found = _NAMES.findall(f" {text}")
    return tuple(dict.fromkeys(name for name in found if name.lower() not in _OPENERS))


def other_names(names: Sequence[str], gold: str) -> list[str]:
    """Those names that share no word with the gold answer."""
    words = set(re.findall(r"\w+", gold.lower()))
    return [name for name in names if not words & set(re.findall(r"\w+", name.lower()))]


_NAMES = re.compile(r"(?<=\s)[A-Z][\w'-]*(?: (?:of |the )?[A-Z][\w'-]*)*")
_OPENERS = frozenset(
    ["are", "can", "could", "did", "do", "does", "has", "have", "how", "if", "in", "is", "must", "should", "the",
     "was", "were", "what", "when", "where", "which", "who", "why", "will", "would"]
)  # fmt: skip
