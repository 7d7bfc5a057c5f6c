r"""Reads cleaned LaTeX or plain notation into a shape: the brackets, commas and relations around the algebra.

Guarantee: what cannot be read without guessing raises `Unreadable`; the caller may then still find two texts
literally equal, and otherwise knows nothing.
"""

from __future__ import annotations

import re
from itertools import pairwise

from ultrainteract.grading.compound import compound
from ultrainteract.grading.latex import ROW, Malformed, Unreadable, clean, closing, split_top
from ultrainteract.grading.number import parse_number
from ultrainteract.grading.number_words import NUMBER_WORDS
from ultrainteract.grading.quantity import worded
from ultrainteract.grading.regions import INFINITY, MINUS_INFINITY, REALS, as_region, punctured
from ultrainteract.grading.shapes import (
    Interval,
    Items,
    Matrix,
    Named,
    Region,
    Relation,
    Scalar,
    Shape,
    Words,
)

MAX_ITEMS = 200
"""Most members of a collection."""

_WORD = r"[A-Za-z][A-Za-z'’\-]*"
_PHRASE = re.compile(rf"[\"']?{_WORD}(?:[ ,.;&/]+{_WORD})*[.\"'!]*")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")
MATH_WORDS = {
    "sin", "cos", "tan", "cot", "sec", "csc", "log", "exp", "sqrt", "abs", "mod", "max", "min", "gcd", "lcm", "det",
    "inf", "infinity", "theta", "alpha", "beta", "gamma", "lambda", "and",
}  # fmt: skip
"""Words that are part of an expression."""
_ONLY_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_COUNTED = re.compile(r"\d[\d,]*(?:\.\d+)? [A-Za-z]{2,}(?: [A-Za-z]+)*")
_LETTER_CHOICE = re.compile(r"\(?\s*([A-Z])\s*\)")
_SEPARATOR = re.compile(
    r"\s*(?:(?:,|;)\s*(?:and|or)\b\s*|[,;]\s*|\s+(?:and|or)\s+|\s*\\lor(?![A-Za-z])\s*"
    r"|(?<=[\d)\]}])\s*(?:and|or)\s*(?=[-+\d(\[{\\.]|[A-Za-z]\s*=))"  # glued to its neighbours: `4or9`
)
_COMMA = re.compile(r"\s*[,;]\s*")
_THOUSANDS = re.compile(r"(?<![\d,.])\d{1,3}(?:,\d{3})+(?!\d|,\d)")
_HELD = "\x1f"
_UNION = re.compile(r"\s*(?:\\cup(?![A-Za-z])|(?<=[)\]}])\s*U\s*(?=[(\[\\]))\s*")
_RELATION = re.compile(r"\s*(<=|>=|!=|<|>|=|\\in(?![A-Za-z])|\\approx(?![A-Za-z]))\s*")
_OPERATOR = re.compile(r"(<=|>=|!=|<|>|=|\\in(?![A-Za-z])|\\approx(?![A-Za-z]))")
_LONE_LETTER = re.compile(r"(?<![\\A-Za-z])(?!e(?![A-Za-z]))[A-Za-z](?![A-Za-z])")
_CONDITION = re.compile(r"([A-Za-z])(?:\s*\\in\s*\\mathbb\{R\})?\s*(?:\||\\mid(?![A-Za-z])|:)\s*(?=.*\1)")
_MATRIX = re.compile(r"\\begin\{([pbv]?matrix|array|smallmatrix)\}(?:\{[lcr|]*\})?(.*)\\end\{\1\}", re.DOTALL)
_ROWS = re.compile(ROW)
_CELLS = re.compile(r"&")
_GREEK = "theta|alpha|beta|gamma|lambda|phi|mu|omega|rho|sigma|tau|pi"
_NAME = re.compile(
    rf"(?:[A-Za-z]|\\(?:{_GREEK}))(?:_(?:\{{[^{{}}]*\}}|\w))?'*"  # x, x_1, \theta
    r"(?:\s*\(\s*[A-Za-z0-9, ]*\s*\))?"  # f(x)
    r"|(?:\\text\{[^{}]*\}|[A-Z]{2,4}|\\angle\s*[A-Z]+|\\overline\{[A-Z]+\}|[A-Za-z][a-z]{2,}(?: [A-Za-z]+)*)"
    r"|\(\s*[A-Za-z](?:_\w)?(?:\s*,\s*[A-Za-z](?:_\w)?)+\s*\)"
    r"|f\^\{-1\}\(x\)"
)
_VARIABLE = re.compile(r"(?:[A-Za-z]|\\(?:theta|alpha|beta|lambda|phi|mu|omega))(?:_(?:\{\w+\}|\w))?")
_ASSIGNMENT = re.compile(r"([A-Za-z]\w?)\s*=\s*([^\s=]+)")
_ASSIGNED = re.compile(rf"{_ASSIGNMENT.pattern}(?:\s+{_ASSIGNMENT.pattern})+")
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(?:\\text\{)?\s*([AaPp])\s*\.?\s*[Mm]\s*\.?\s*\}?")
_PHRASE_WITH_DIGITS = re.compile(r"[A-Za-z]{3,}\.?[ ,][A-Za-z0-9 ,.'’&-]*\d[A-Za-z0-9 ,.'’&-]*")
_PROSE = re.compile(r"[A-Za-z0-9 ,.;:'’\"()%$\-]*\d[A-Za-z0-9 ,.;:'’\"()%$\-]*")
_CURRENCY = re.compile(r"(?:USD|EUR|INR|GBP|Rs)\b\.?\s*\d")
_RATIO = re.compile(r"\s*:\s*")
_NOTHING = re.compile(r"\\emptyset|\\\{\s*\\\}")


def read(text: str) -> Shape:
    r"""The shape of an expression.

    Args:
        text: LaTeX or plain notation, without math delimiters.

    Raises:
        Malformed: It is not well formed.
        Unreadable: It is, but its shape is not known.
    """
    text = clean(text).strip().rstrip(",;")
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1].rstrip()
    if not text:
        raise Malformed("the expression is empty")
    return _read(text, 0)


def _read(text: str, depth: int) -> Shape:
    text = _unwrap(text.strip())
    if depth > 12:
        raise Unreadable("brackets are nested too deeply")
    if not text:
        raise Malformed("a part of the expression is empty")
    if parse_number(text) is not None or compound(text) is not None:
        return Scalar(text)
    if clock := _CLOCK.fullmatch(found[1].strip() if (found := _ONLY_TEXT.fullmatch(text)) else text):
        return Words(f"{int(clock[1])}:{clock[2] or '00'} {clock[3].lower()}m")
    if words := _words(text):
        return words
    parts = _split(text, _SEPARATOR)
    if len(parts) > 1:
        return _list(text, parts, depth)
    if _NOTHING.fullmatch(text):
        return Items("set", ())
    if text == r"\mathbb{R}":
        return REALS
    if found := _MATRIX.fullmatch(text):
        return _matrix(found[1], found[2], depth)
    if len(pieces := split_top(text, _UNION)) > 1:
        return _union(pieces, depth)
    if len(split_top(text, _RELATION)) > 1:
        return _relation(text, depth)
    if r"\pm" in text or r"\mp" in text:
        return _plus_minus(text, depth)
    if enclosed := _enclosed(text, depth):
        return enclosed
    if re.search(r"\\setminus(?![A-Za-z])|\\backslash(?![A-Za-z])", text):
        return _without(text, depth)
    if len(terms := split_top(text, _RATIO)) > 1:
        return Items("ratio", tuple(Scalar(_filled(t)) for t in terms))
    if re.search(
        r"\\(?:cap|mid|forall|exists|to|ldots|cdots|dots)(?![A-Za-z])|\.\.\.|…|\?|\\begin|\\equiv|\\pmod",
        text,
    ):
        raise Unreadable("this notation is not read")
    return Scalar(text)


def _filled(text: str) -> str:
    if not text.strip():
        raise Malformed("a part of the expression is empty")
    return text.strip()


def _unwrap(text: str) -> str:
    r"""Removes braces and parentheses around the whole, and `\text` around a number."""
    while True:
        if text.startswith("{") and closing(text, 0) == len(text) - 1:
            text = text[1:-1].strip()
        elif (found := _ONLY_TEXT.fullmatch(text)) and parse_number(found[1].strip()) is not None:
            text = found[1].strip()
        else:
            return text


def _words(text: str) -> Words | Shape | None:
    if found := _ONLY_TEXT.fullmatch(text):
        text = found[1].strip()
        if letter := _LETTER_CHOICE.fullmatch(text):
            return Words(letter[1])
        if _COUNTED.fullmatch(text):
            return Scalar(text)
        return _known_words(text) or Words(text)
    if (text[0].isalpha() or " and " in text) and worded(text) is not None:
        return _known_words(text) or Words(text)
    if text.lower() in ("yes", "no"):
        return Words(text)
    if letter := re.fullmatch(r"\(\s*(?:\\text\{)?\s*([A-Z])\s*\}?\s*\)", text):
        return Words(letter[1])
    if r"\text" in text and not re.sub(r"\\text\{[^{}]*\}", "", text).strip():
        return Words(" ".join(re.sub(r"\\text\{([^{}]*)\}", r" \1 ", text).split()))
    if _PROSE.fullmatch(text) and len(re.findall(r"[A-Za-z]{2,}", text)) > (3 if text[0].isalpha() else 4):
        raise Unreadable("a sentence without an answer at its end")
    if (
        _PHRASE_WITH_DIGITS.fullmatch(text)
        and not _CURRENCY.match(text)
        and text.split()[0].lower().strip(".,") not in MATH_WORDS
    ):
        return Words(text)
    if not _PHRASE.fullmatch(text) or not _LONG_WORD.search(text):
        return None
    if any(word.lower() in MATH_WORDS for word in re.findall(r"[A-Za-z]+", text)):
        return None if not text.lower().startswith("infinit") else INFINITY
    if re.fullmatch(r"[a-z]{3,4}", text) and len(set(text)) == len(text) and _consecutive(text):
        return None  # `xyz`, `abc`: a product of variables
    return _known_words(text) or Words(text)


def _consecutive(text: str) -> bool:
    return all(ord(b) - ord(a) == 1 for a, b in pairwise(text))


def _known_words(text: str) -> Shape | None:
    plain = re.sub(r"[^a-z ]", "", text.lower()).strip()
    if plain in ("all real numbers", "all reals", "real numbers", "all real values", "the real numbers"):
        return REALS
    if plain in (
        "no solution",
        "no solutions",
        "no real solution",
        "no real solutions",
        "empty set",
        "the empty set",
    ):
        return Items("set", ())
    if plain in NUMBER_WORDS:
        return Scalar(str(NUMBER_WORDS[plain]))
    if plain in ("infinity", "positive infinity"):
        return INFINITY
    return None


def _split(text: str, separators: re.Pattern[str]) -> list[str]:
    """Splits at top-level separators, keeping thousands separators inside their numbers."""
    held = _THOUSANDS.sub(lambda m: m[0].replace(",", _HELD), text)
    return [part.replace(_HELD, ",") for part in split_top(held, separators)]


def _list(text: str, parts: list[str], depth: int) -> Shape:
    if len(parts) > MAX_ITEMS:
        raise Unreadable("too many values")
    shapes = [_read(_filled(part), depth + 1) for part in parts]
    name = shapes[0].name if isinstance(shapes[0], Named) else None
    if name is not None and all(
        isinstance(s, Scalar) or (isinstance(s, Named) and s.name == name) for s in shapes
    ):
        values = tuple(s.value if isinstance(s, Named) else s for s in shapes)
        return Named(name, Items("list", values))
    regions = [shape for shape in shapes if isinstance(shape, Region)]
    if len(regions) == len(shapes):
        return _joined(text, regions)
    flat: list[Shape] = []
    for shape in shapes:
        flat.extend(shape.items if isinstance(shape, Items) and shape.mixed else [shape])
    return Items("list", tuple(flat))


def _joined(text: str, regions: list[Region]) -> Shape:
    """Regions joined by `or` (their union) or, for two half-lines of plain numbers, by `and` (what they share)."""
    if re.search(r"(?<![A-Za-z])or(?![A-Za-z])|\\lor(?![A-Za-z])", text) or any(
        mark in text for mark in ")]"
    ):
        return Region(tuple(piece for region in regions for piece in region.pieces))
    pieces = [piece for region in regions for piece in region.pieces]
    low = [p for p in pieces if isinstance(p, Interval) and p.high == INFINITY]
    high = [p for p in pieces if isinstance(p, Interval) and p.low == MINUS_INFINITY]
    if len(pieces) == 2 and len(low) == len(high) == 1:
        left, right = parse_number(low[0].low.text), parse_number(high[0].high.text)
        if left is not None and right is not None and left.value < right.value:
            return Region((Interval(low[0].low, high[0].high, low[0].low_open, high[0].high_open),))
    raise Unreadable("joined inequalities that are not read")


def _matrix(kind: str, body: str, depth: int) -> Shape:
    if kind == "vmatrix":
        raise Unreadable("a determinant is not read")
    rows = [row for row in split_top(body, _ROWS) if row.strip()]
    cells = [tuple(_read(_filled(cell), depth + 1) for cell in split_top(row, _CELLS)) for row in rows]
    if not cells or any(len(row) != len(cells[0]) for row in cells):
        raise Malformed("the rows of the matrix differ in length")
    return Matrix(tuple(cells))


def _union(pieces: list[str], depth: int) -> Shape:
    found: list[Interval | Scalar] = []
    for piece in pieces:
        shape = _read(_filled(piece), depth + 1)
        region = as_region(shape)
        if region is None:
            raise Unreadable("a union of something else than intervals and points")
        found.extend(region.pieces)
    return Region(tuple(found))


def _relation(text: str, depth: int) -> Shape:
    parts = [_filled(part) for part in split_top(text, _RELATION)]
    operators = _top_operators(text)
    if len(operators) != len(parts) - 1:
        raise Unreadable("the relation is not read")
    if _ASSIGNED.fullmatch(text):
        return Items(
            "list", tuple(Named(name, _read(value, depth + 1)) for name, value in _ASSIGNMENT.findall(text))
        )
    if set(operators) <= {"=", r"\approx"}:
        left, right = parts[0], parts[-1]
        if _NAME.fullmatch(left):
            return Named("".join(left.split()), _read(right, depth + 1))
        if len(parts) == 2 and _VARIABLE.fullmatch(right):
            return Named("".join(right.split()), _read(left, depth + 1))
        if len(parts) > 2:
            raise Unreadable("a chain of equations")
        return Relation("=", Scalar(left), Scalar(right))
    if operators == [r"\in"]:
        return _read(parts[1], depth + 1)
    if operators == ["!="] and _VARIABLE.fullmatch(parts[0]):
        return punctured([Scalar(parts[1])])
    if len(parts) == 2 and operators[0] in ("<", ">", "<=", ">="):
        return _half_line(parts[0], operators[0], parts[1])
    if len(parts) == 3 and _VARIABLE.fullmatch(parts[1]):
        low, high = (parts[0], parts[2]) if operators[0] in ("<", "<=") else (parts[2], parts[0])
        signs = operators if operators[0] in ("<", "<=") else operators[::-1]
        if {s[0] for s in signs} in ({"<"}, {">"}) and not set(signs) - {"<", "<=", ">", ">="}:
            return Region((Interval(Scalar(low), Scalar(high), len(signs[0]) == 1, len(signs[1]) == 1),))
    raise Unreadable("the relation is not read")


def _top_operators(text: str) -> list[str]:
    found: list[str] = []

    class Recorder:
        def match(self, string: str, position: int) -> re.Match[str] | None:
            hit = _RELATION.match(string, position)
            if hit and hit.end() > position:
                found.append(hit[1])
            return hit

    split_top(text, Recorder())  # type: ignore[arg-type]
    return found


def _half_line(left: str, operator: str, right: str) -> Shape:
    opened = len(operator) == 1
    if _VARIABLE.fullmatch(right) and not _VARIABLE.fullmatch(left):
        left, right = right, left
        operator = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}[operator]
    if not _VARIABLE.fullmatch(left) or _LONE_LETTER.search(right):
        return Relation(operator, Scalar(left), Scalar(right))
    if operator[0] == "<":
        return Region((Interval(MINUS_INFINITY, Scalar(right), True, opened),))
    return Region((Interval(Scalar(right), INFINITY, opened, True),))


def _without(text: str, depth: int) -> Shape:
    whole, *removed = split_top(text, re.compile(r"\s*\\(?:setminus|backslash)(?![A-Za-z])\s*"))
    if len(removed) != 1 or whole.strip() not in (r"\mathbb{R}", r"(-\infty,\infty)", r"(-\infty, \infty)"):
        raise Unreadable("the set difference is not read")
    shape = _read(_filled(removed[0]), depth + 1)
    if not isinstance(shape, Items) or shape.kind != "set":
        raise Unreadable("the set difference is not read")
    points = [item for item in shape.items if isinstance(item, Scalar)]
    if len(points) != len(shape.items):
        raise Unreadable("the set difference is not read")
    return punctured(points)


def _plus_minus(text: str, depth: int) -> Shape:
    inside = _enclosed(text, depth)
    if inside is not None:
        return inside
    if len(re.findall(r"\\[pm][mp](?![A-Za-z])", text)) > 1:
        raise Unreadable("more than one ± in an expression")
    upper = re.sub(r"\\pm(?![A-Za-z])", "+", re.sub(r"\\mp(?![A-Za-z])", "-", text))
    lower = re.sub(r"\\pm(?![A-Za-z])", "-", re.sub(r"\\mp(?![A-Za-z])", "+", text))
    return Items("list", (_read(upper, depth + 1), _read(lower, depth + 1)), mixed=True)


_OPENERS = (("\\{", "\\}", "set"), ("\\langle", "\\rangle", "paren"), ("(", ")", "paren"), ("[", "]", "bracket"),
            ("(", "]", "left"), ("[", ")", "right"))  # fmt: skip


def _enclosed(text: str, depth: int) -> Shape | None:
    """The shape of a text that one pair of brackets encloses."""
    for opener, closer, kind in _OPENERS:
        if not (text.startswith(opener) and text.endswith(closer) and len(text) > len(opener) + len(closer)):
            continue
        inside = text[len(opener) : -len(closer)].strip()
        if not _one_group(text, len(text) - len(closer)):
            return None
        if kind == "set" and (condition := _CONDITION.match(inside)):
            return _read(inside[condition.end() :], depth + 1)
        if kind == "set" and re.search(r"\||\\mid(?![A-Za-z])|(?<!\\):", inside):
            raise Unreadable("a set given by a condition")
        if kind == "set" and re.search(r"\\l?dots|\.\.\.", inside):
            raise Unreadable("a set given by a pattern")
        parts = _split_inside(inside)
        if len(parts) == 1 and kind in ("paren", "left", "right"):
            return _read(inside, depth + 1) if kind == "paren" and opener == "(" else None
        items: list[Shape] = []
        for part in parts:
            item = _read(_filled(part), depth + 1)
            items.extend(item.items if isinstance(item, Items) and item.mixed and kind == "set" else [item])
        if kind in ("left", "right"):
            return _half_open(items, kind)
        return Items(kind, tuple(items))  # type: ignore[arg-type]
    return None


def _half_open(items: list[Shape], kind: str) -> Shape:
    if len(items) != 2 or not all(isinstance(item, Scalar) for item in items):
        raise Unreadable("mismatched brackets")
    low, high = items
    assert isinstance(low, Scalar)
    assert isinstance(high, Scalar)
    return Region((Interval(low, high, kind == "left", kind == "right"),))


def _one_group(text: str, last: int) -> bool:
    """True where the bracket at the start is closed by the one at `last`, not before."""
    depth, i = 0, 0
    while i < last:
        if text[i] == "\\":
            command = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL).match(text, i)
            name = command[1] if command else ""
            depth += (name in ("{", "langle")) - (name in ("}", "rangle"))
            i += len(command[0]) if command else 1
        else:
            depth += (text[i] in "([{") - (text[i] in ")]}")
            i += 1
        if depth == 0:
            return False
    return True


def _split_inside(text: str) -> list[str]:
    r"""Splits the inside of brackets: there a comma separates, unless others with a space after them do."""
    if re.search(r",\s", text):
        return _split(text, _COMMA)
    return split_top(text, _COMMA)
