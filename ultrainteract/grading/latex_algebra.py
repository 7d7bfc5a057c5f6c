r"""Plain algebra in LaTeX, rewritten as a Python expression.

Most symbolic answers are made of numbers, letters, `\frac`, `\sqrt`, powers, the four operations and the functions of a
calculator. Rewritten, they are read by Python's own parser, some thirty times faster than by a full LaTeX grammar.
Whatever has more than one possible reading is left to that grammar.
"""

from __future__ import annotations

import re

from ultrainteract.grading.latex import Malformed, closing

_TOKENS = {
    "number": r"\d+(?:\.\d+)?|\.\d+",
    "fraction": r"\\frac(?=\{)",
    "root": r"\\sqrt(?:\[\d\])?(?=\{)",
    "function": r"\\(?:sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|ln|log(?=_))(?![A-Za-z])",
    "indexed": r"[A-Za-z]_(?:\{[A-Za-z0-9]+\}|[A-Za-z0-9])",
    "letter": r"[A-DF-HJ-Za-z](?!\s*_)",  # not E and I, which Python's notation gives a meaning
    "name": r"\\(?:pi|theta|alpha|beta|gamma|mu|omega|phi|rho)(?![A-Za-z])",
    "times": r"\\cdot(?![A-Za-z])|\\times(?![A-Za-z])|\*",
    "power": r"\^",
    "open": r"[({]",
    "close": r"[)}]",
    "sign": r"[-+/]",
}
_TOKEN = re.compile(r"\s*(?:" + "|".join(f"(?P<{kind}>{form})" for kind, form in _TOKENS.items()) + r")\s*")
_OPERAND = frozenset({"number", "fraction", "root", "function", "indexed", "letter", "name", "open"})
_ENDS_OPERAND = frozenset({"number", "indexed", "letter", "name", "close"})
_MAY_BE_A_FUNCTION = frozenset({"letter", "indexed", "name"})
_PLAIN = {"times": "*", "power": "**", "open": "(", "close": ")"}
_EXPONENT = re.compile(r"\s*\^\s*(?:\{\s*(\d)\s*\}|(\d))\s*")
_DOUBLE_POWER = re.compile(r"\^\s*(?:\{[^{}]*\}|\w)\s*\^")
_BASE = re.compile(r"\s*_\s*(?:\{\s*([^{}]+)\s*\}|(\w))\s*")


class _NotPlain(ValueError):
    """There is something in the text that is left to the full grammar."""


def as_python(text: str) -> str | None:
    """The Python expression with the same meaning, or None where this is not plain algebra.

    Args:
        text: Cleaned LaTeX.
    """
    if _DOUBLE_POWER.search(text):
        return None
    try:
        return _rewrite(text)
    except (Malformed, _NotPlain):
        return None


def _rewrite(text: str) -> str:
    out: list[str] = []
    before, position = "", 0
    while position < len(text):
        kind, written, position = _next(text, position)
        if kind in _OPERAND and before in _ENDS_OPERAND:
            if kind == "number" or (kind == "open" and before in _MAY_BE_A_FUNCTION):
                raise _NotPlain  # `x2`, `3 4`; `f(x)`
            out.append("*")
        before = kind
        if kind in ("fraction", "root"):
            first, position = _group(text, position)
            if kind == "fraction":
                second, position = _group(text, position)
                out.append(f"(({first})/({second}))")
            else:
                out.append(f"root({first}, {re.sub(r'[^0-9]', '', written) or 2})")
            before = "close"
        elif kind == "function":
            call, position = _function(written.lstrip("\\"), text, position)
            out.append(call)
            before = "close"
        elif kind == "number" and "." in written:
            out.append(f"Rational('{written}')")
        else:
            out.append(_PLAIN.get(kind) or re.sub(r"[\\{}]", "", written))
    return "".join(out)


def _next(text: str, position: int) -> tuple[str, str, int]:
    """Kind and text of the token at a position, and where the next one begins."""
    found = _TOKEN.match(text, position)
    if found is None or found.lastgroup is None:
        raise _NotPlain
    return found.lastgroup, found[found.lastgroup], found.end()


def _group(text: str, position: int) -> tuple[str, int]:
    """The braced argument at a position, rewritten, and where it ends."""
    while text[position : position + 1] == " ":
        position += 1
    if text[position : position + 1] != "{":
        raise _NotPlain
    end = closing(text, position)
    return _rewrite(text[position + 1 : end]), end + 1


def _function(name: str, text: str, position: int) -> tuple[str, int]:
    r"""A call with the argument that LaTeX's custom gives it: a group, or a product up to the next sign or function."""
    base = ""
    if name == "log":
        found = _BASE.match(text, position)
        if found is None:
            raise _NotPlain
        base, position = f", {_rewrite(found[1] or found[2])}", found.end()
    power = ""
    if found := _EXPONENT.match(text, position):
        power, position = f"**{found[1] or found[2]}", found.end()
    start = position
    kind, _, after = _next(text, position)
    if kind == "open":
        position = _closing_bracket(text, start)
        argument = _rewrite(text[start:position])
    else:
        while kind in ("number", "letter", "indexed", "name", "fraction", "root"):
            position = after
            if kind in ("fraction", "root"):
                for _ in range(2 if kind == "fraction" else 1):
                    _, position = _group(text, position)
            if position >= len(text):
                break
            kind, written, after = _next(text, position)
            if kind in ("open", "times", "power") or written == "/":
                raise _NotPlain  # `\sin 2(x+1)`, `\sin x^2`, `\sin x/2`
        argument = _rewrite(text[start:position])
    if not argument:
        raise _NotPlain
    return f"{name}({argument}{base}){power}", position


def _closing_bracket(text: str, start: int) -> int:
    depth = 0
    for position in range(start, len(text)):
        depth += (text[position] in "({") - (text[position] in ")}")
        if depth == 0:
            return position + 1
    raise _NotPlain
