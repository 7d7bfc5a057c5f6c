"""When two final answers are the same: collections, regions, matrices and equations, down to their scalars.

The comparison has three outcomes. What needs algebra is handed to an `Algebra`, so that the same code serves the
literal path (which has none) and the worker processes (which have sympy). Guarantee: notation that can mean two
things (`(1, 2)`, `1,234`) is never used to call an answer wrong that is right under one of its meanings.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.number import NUMBER_WORDS, Finding, Number, parse_number, same_number
from ultrainteract.grading.quantity import (
    Quantity,
    bodies,
    infinity,
    letter_after_number,
    plain_number,
    quantity,
    same_in_base,
    squeeze,
)
from ultrainteract.grading.regions import as_region, merge
from ultrainteract.grading.setting import Setting
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
from ultrainteract.grading.structure import MATH_WORDS
from ultrainteract.grading.text import same_text
from ultrainteract.grading.units import Unit, conversion_factors, kelvin, make_unit, relation


def compare(gold: Shape, answer: Shape, setting: Setting, algebra: Algebra) -> Finding:
    """Whether an answer is the gold answer.

    Args:
        gold: Shape of the gold answer.
        answer: Shape of the answer.
        setting: What is known about the question.
        algebra: Decides scalars that are not plain numbers.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
    """
    return _Comparison(setting, algebra).shapes(gold, answer)


@dataclass
class _Comparison:
    setting: Setting
    algebra: Algebra

    def shapes(self, gold: Shape, answer: Shape) -> Finding:
        if gold == answer:
            return Finding(True, "the same text")
        gold, answer = _single(gold), _single(answer)
        match gold, answer:
            case (Named() | Relation(), _) | (_, Named() | Relation()):
                return self.named(gold, answer)
            case (Words(), _) | (_, Words()):
                return _words(gold, answer)
            case (Matrix(), _) | (_, Matrix()):
                return self.matrices(gold, answer)
            case (Region() | Interval(), _) | (_, Region() | Interval()):
                return self.regions(gold, answer)
            case Items(), Items():
                return self.items(gold, answer)
            case Items(), Scalar():
                return self.items_and_scalar(gold, answer)
            case Scalar(), Items():
                return self.scalar_and_items(gold, answer)
            case Scalar(), Scalar():
                return self.scalars(gold, answer)
        raise AssertionError("every shape is covered")

    # ------------------------------------------------------------------------------------------ equations

    def named(self, gold: Shape, answer: Shape) -> Finding:
        right, given = _each_named(gold), _each_named(answer)
        if right is not None and given is not None:
            return self.assignments(right, given)
        if isinstance(gold, Named) and isinstance(answer, Named):
            values = self.shapes(gold.value, answer.value)
            if gold.name == answer.name or not (_variable(gold.name) and _variable(answer.name)):
                return values
            if values.equal:
                return Finding(None, f"the value is right, but named {answer.name}, not {gold.name}")
            if _letters(gold.value) or _letters(answer.value):
                return self.equations(gold, answer)
            return values
        if isinstance(gold, Relation) or isinstance(answer, Relation):
            return self.equations(gold, answer)
        if isinstance(gold, Named):
            return self.shapes(gold.value, answer)
        assert isinstance(answer, Named)
        return self.shapes(gold, answer.value)

    def equations(self, gold: Shape, answer: Shape) -> Finding:
        left, right = _as_relation(gold), _as_relation(answer)
        if left is None or right is None:
            return Finding(None, "an equation against something else")
        if squeeze(left) == squeeze(right):
            return Finding(True, "the same equation")
        return self.algebra.equations(left, right)

    # ---------------------------------------------------------------------------------------- collections

    def items(self, gold: Items, answer: Items) -> Finding:
        if "ratio" in (gold.kind, answer.kind):
            return self.ratios(gold, answer)
        if any(isinstance(item, Named) for item in (*gold.items, *answer.items)):
            return self.assignments(gold, answer)
        if _intervals(gold) or _intervals(answer):
            return self.regions(gold, answer)
        unordered = self.unordered(gold.items, answer.items)
        if gold.kind in ("list", "set") and answer.kind in ("list", "set"):
            if unordered.equal and self.setting.ordered and gold.kind == "list":
                ordered = self.ordered(gold.items, answer.items)
                return (
                    ordered if ordered.equal else Finding(None, "the right values, but the order may matter")
                )
            return unordered
        if unordered.equal is False:
            return unordered
        ordered = self.ordered(gold.items, answer.items)
        return self.across(gold, answer, ordered, unordered)

    def across(self, gold: Items, answer: Items, ordered: Finding, unordered: Finding) -> Finding:
        """Collections in different brackets, or both ordered, whose members agree in some order."""
        program, many = self.setting.program, len(gold.items) > 2
        loose = gold.kind in ("list", "set")
        if gold.kind == answer.kind:
            if ordered.equal is False and unordered.equal and gold.kind == "bracket" and many:
                return Finding(None, "the right values, but the order may matter")
            return ordered
        if loose and answer.kind == "bracket" and (program or (many and gold.kind == "list")):
            if self.setting.ordered and not ordered.equal:
                return Finding(None, "the right values, but the order may matter")
            return unordered
        if loose and answer.kind == "paren" and (program or (many and gold.kind == "list")):
            return ordered if ordered.equal else Finding(None, "the right values, but the order may matter")
        if gold.kind == "paren" and answer.kind == "list" and ordered.equal and not self.setting.intervals:
            return Finding(True, ordered.why, min(ordered.reliability, 0.97))
        brackets = {gold.kind, answer.kind}
        if brackets == {"paren", "bracket"}:
            if ordered.equal is False:
                return ordered
            if many and program:
                return ordered
            if not many and not program and not self.setting.points and ordered.equal:
                return Finding(False, "the ends are included on one side only")
        return Finding(None, "the right values, in brackets that may mean something else")

    def ordered(self, gold: Sequence[Shape], answer: Sequence[Shape]) -> Finding:
        if len(gold) != len(answer):
            return Finding(False, "a different number of values")
        return _all(self.shapes(g, a) for g, a in zip(gold, answer, strict=True))

    def unordered(self, gold: Sequence[Shape], answer: Sequence[Shape]) -> Finding:
        """Whether the members agree in some order: a greedy matching, as equality is transitive."""
        if not gold or not answer:
            return Finding(len(gold) == len(answer), "an empty collection")
        left = list(answer)
        doubts: list[Finding] = []
        missing: list[Shape] = []
        certain = 1.0
        for item in gold:
            findings = [self.shapes(item, other) for other in left]
            hit = next((i for i, found in enumerate(findings) if found.equal), None)
            if hit is not None:
                certain = min(certain, findings[hit].reliability)
                del left[hit]
                continue
            missing.append(item)
            doubts.extend(found for found in findings if found.equal is None)
        if not missing and not left:
            return Finding(True, "the same values", certain)
        repeated = all(any(self.shapes(item, other).equal for other in answer) for item in missing) and all(
            any(self.shapes(item, other).equal for item in gold) for other in left
        )
        if repeated:
            return Finding(None, "the same values, repeated a different number of times")
        if len(gold) == len(answer) and doubts:
            return doubts[0]
        return Finding(False, "different values")

    def assignments(self, gold: Items, answer: Items) -> Finding:
        """Lists such as `x = 1, y = 2`, against each other or against a tuple or list."""
        names = [
            {item.name: item.value for item in side.items if isinstance(item, Named)}
            for side in (gold, answer)
        ]
        whole = [len(names[i]) == len(side.items) for i, side in enumerate((gold, answer))]
        if all(whole):
            if names[0].keys() != names[1].keys():
                return Finding(None, "different names are given values")
            return _all(self.shapes(value, names[1][name]) for name, value in names[0].items())
        if not any(whole):
            return Finding(None, "only some of the values are named")
        plain, values = (answer, names[0]) if whole[0] else (gold, names[1])
        by_name = [values[name] for name in sorted(values)]
        sides = (by_name, plain.items) if whole[0] else (plain.items, by_name)
        ordered = self.ordered(*sides)
        if ordered.equal and plain.kind in ("paren", "bracket", "list"):
            return ordered
        unordered = self.unordered(*sides)
        if unordered.equal and plain.kind in ("list", "set") and len({name[0] for name in values}) == 1:
            return unordered  # x_1 = 2, x_2 = 3: the roots of one equation
        if unordered.equal:
            return Finding(None, "the right values, but it is not certain which is which")
        return unordered

    def ratios(self, gold: Items, answer: Items) -> Finding:
        if gold.kind != answer.kind:
            return Finding(None, "a ratio against another collection")
        ordered = self.ordered(gold.items, answer.items)
        if ordered.equal is not False:
            return ordered
        numbers = [[plain_number(item) for item in side.items] for side in (gold, answer)]
        if len(numbers[0]) != len(numbers[1]):
            return Finding(None, "ratios, or times of day, with a different number of parts")
        right = [n.value for n in numbers[0] if n]
        given = [n.value for n in numbers[1] if n]
        if len(right) != len(numbers[0]) or len(given) != len(numbers[1]):
            return Finding(None, "a ratio of expressions")
        if all(a * given[0] == b * right[0] for a, b in zip(right, given, strict=True)):
            return Finding(None, "the same ratio, not in its lowest terms")
        return ordered

    def items_and_scalar(self, gold: Items, answer: Scalar) -> Finding:
        if gold.kind == "ratio":
            return self.ratio_and_scalar(gold, answer)
        if gold.kind == "list" and re.fullmatch(r"\d{1,3}(?:,\d+)+", squeeze(answer)):
            return Finding(None, "a comma that may separate thousands or values")
        if _symbolic(answer, complex_too=gold.kind in ("paren", "bracket")):
            return Finding(None, "an expression that may stand for several values")
        return Finding(False, "one value where several are asked for")

    def scalar_and_items(self, gold: Scalar, answer: Items) -> Finding:
        if answer.kind == "ratio":
            return self.ratio_and_scalar(answer, gold)
        if not answer.items:
            return Finding(False, "no value")
        if plain_number(gold) is None and answer.kind in ("paren", "bracket"):
            return Finding(None, "a tuple against an expression")
        if answer.kind == "list" and all(isinstance(item, Scalar) for item in answer.items):
            texts = [squeeze(item).lstrip("$€£₹¥") for item in answer.items if isinstance(item, Scalar)]
            right = plain_number(gold)
            for joined in (parse_number(".".join(texts)), parse_number("".join(texts))):
                if joined and right and joined.value == right.value:
                    return Finding(None, "a comma that may belong to a number")
        findings = [self.shapes(gold, item) for item in answer.items]
        named = any(isinstance(item, Named) for item in answer.items)
        if all(found.equal for found in findings):
            return Finding(None, "the gold value, given several times")
        if any(found.equal for found in findings) and any(isinstance(item, Words) for item in answer.items):
            return Finding(None, "the gold value with words beside it")
        if any(found.equal is not False for found in findings) and (self.setting.program or named):
            return Finding(None, "several values, one of which may be meant")
        return Finding(False, "several values where one is asked for")

    def ratio_and_scalar(self, ratio: Items, scalar: Scalar) -> Finding:
        numbers = [plain_number(item) for item in ratio.items]
        value = plain_number(scalar)
        if (
            len(numbers) != 2
            or numbers[0] is None
            or numbers[1] is None
            or value is None
            or numbers[1].value == 0
        ):
            return Finding(None, "a ratio against another expression")
        if numbers[0].value / numbers[1].value == value.true_value:
            return Finding(True, "the same ratio", 0.98)
        return same_number(Number(numbers[0].value / numbers[1].value), value, program=self.setting.program)

    # -------------------------------------------------------------------------------------------- regions

    def regions(self, gold: Shape, answer: Shape) -> Finding:
        left, right = as_region(gold), as_region(answer)
        if left is None or right is None:
            if any(isinstance(shape, Scalar) and not _symbolic(shape) for shape in (gold, answer)):
                return Finding(False, "a set of reals against a single value")
            return Finding(None, "a set of reals against something else")
        merged = merge(left), merge(right)
        exact = all(pieces is not None for pieces in merged)
        first, second = merged[0] or left.pieces, merged[1] or right.pieces
        if len(first) != len(second):
            return Finding(False if exact else None, "the sets have a different number of parts")
        rest = list(second)
        doubt = False
        certain = 1.0
        for piece in first:
            findings = [self.piece(piece, other) for other in rest]
            hit = next((i for i, found in enumerate(findings) if found.equal), None)
            if hit is not None:
                certain = min(certain, findings[hit].reliability)
                del rest[hit]
            elif any(found.equal is None for found in findings):
                doubt = True
            else:
                return Finding(False, "different sets of reals")
        return (
            Finding(None, "sets of reals that may differ")
            if doubt
            else Finding(True, "the same set of reals", certain)
        )

    def piece(self, gold: Interval | Scalar, answer: Interval | Scalar) -> Finding:
        if isinstance(gold, Scalar) or isinstance(answer, Scalar):
            if isinstance(gold, Scalar) and isinstance(answer, Scalar):
                return self.scalars(gold, answer)
            return Finding(False, "a point against an interval")
        ends = []
        for right, given, right_open, given_open in (
            (gold.low, answer.low, gold.low_open, answer.low_open),
            (gold.high, answer.high, gold.high_open, answer.high_open),
        ):
            if infinity(right) or infinity(given):
                same = infinity(right) == infinity(given)
                ends.append(Finding(same, "the same end" if same else "one end is infinite"))
                continue
            if right_open != given_open:
                return Finding(False, "an end is included on one side only")
            ends.append(self.scalars(right, given))
        return _all(ends)

    # ------------------------------------------------------------------------------------------- matrices

    def matrices(self, gold: Shape, answer: Shape) -> Finding:
        left, right = _as_rows(gold), _as_rows(answer)
        if left is None or right is None:
            if any(isinstance(shape, Scalar) and _symbolic(shape) for shape in (gold, answer)):
                return Finding(None, "an expression that may stand for a matrix")
            return Finding(False, "a matrix against something else")
        flat = [[cell for row in rows for cell in row] for rows in (left, right)]
        if len(flat[0]) != len(flat[1]):
            return Finding(False, "matrices of different size")
        found = _all(self.shapes(g, a) for g, a in zip(*flat, strict=True))
        if found.equal is False:
            vector = 1 in (len(left), len(left[0]))
            return (
                found if vector or len(left) == len(right) else Finding(False, "matrices of different shape")
            )
        if isinstance(gold, Matrix) and isinstance(answer, Matrix):
            if len(left) == len(right):
                return found
            return Finding(None, "the entries are right, in a matrix of another shape")
        if len(left) == len(right) or self.setting.program:
            return Finding(found.equal, found.why, min(found.reliability, 0.98))
        return Finding(None, "a vector written in two ways")

    # -------------------------------------------------------------------------------------------- scalars

    def scalars(self, gold: Scalar, answer: Scalar) -> Finding:
        if squeeze(gold) == squeeze(answer):
            return Finding(True, "the same expression")
        if infinity(gold) or infinity(answer):
            same = infinity(gold) == infinity(answer)
            return Finding(same, "infinite" if same else "only one of them is infinite")
        right, given = quantity(gold), quantity(answer)
        if right.base or given.base:
            return same_in_base(right, given)
        unit = right.unit or (make_unit(self.setting.unit) if self.setting.unit else None)
        kind, factor = relation(unit, given.unit)
        if right.number and given.number:
            warmth = kelvin(right.number.value, unit), kelvin(given.number.value, given.unit)
            if unit != given.unit and None not in warmth:
                same = warmth[0] == warmth[1]
                return Finding(same, "the same temperature" if same else "different temperatures", 0.98)
            number = given.number
            if kind == "convertible":
                number = Number(number.value * factor, percent=number.percent)
            found = same_number(
                right.number, number, program=self.setting.program,
                asks_percent=self.setting.asks_percent, rounds=self.setting.rounds,
            )  # fmt: skip
        elif kind == "convertible":
            return Finding(None, "the units differ")
        else:
            both = bodies(gold, answer, right, given)
            found = self.algebra.scalars(*both, program=self.setting.program)
            if found.equal is False and letter_after_number(right, given):
                return Finding(None, "a letter that may be a unit or a variable")
            if found.equal is False and _RANGE.fullmatch(given.body.text):
                return Finding(None, "a range, or a difference")
            if found.equal is False and right.number and re.fullmatch(r"[A-E]|[\d.,]+\s*[kKMB]", answer.text):
                return Finding(None, "the letter of a choice, or an abbreviated number")
        return self.with_units(found, kind, right, given, unit)

    def with_units(
        self, found: Finding, kind: str, right: Quantity, given: Quantity, unit: Unit | None
    ) -> Finding:
        """A finding about two bodies, in the light of their units."""
        if found.equal is None:
            return found
        if kind in ("conflict", "unknown") and found.equal:
            return Finding(None, "the number is right, the unit may not be")
        if kind == "convertible" and found.equal:
            return Finding(True, "the same quantity in another unit", min(found.reliability, 0.98))
        if kind == "missing" and found.equal is False:
            known = unit or given.unit
            if known is not None and known.dimension == "angle^1" and _radians(right, given):
                return Finding(None, "an angle in degrees against one in radians")
            if known is not None and right.number and given.number and right.number.value:
                ratio = given.number.value / right.number.value
                if ratio in conversion_factors(known) or (ratio and 1 / ratio in conversion_factors(known)):
                    return Finding(None, "the same quantity if it is in another unit")
        return found


# ------------------------------------------------------------------------------------------------ helpers


def _single(shape: Shape) -> Shape:
    """Unwraps collections of one member, and intervals."""
    while isinstance(shape, Items) and len(shape.items) == 1 and shape.kind != "ratio":
        if shape.items[0] == Items("set", ()):
            break  # the set of the empty set is not empty
        shape = shape.items[0]
    while isinstance(shape, Matrix) and len(shape.rows) == 1 == len(shape.rows[0]):
        shape = shape.rows[0][0]
    if isinstance(shape, Region) and len(shape.pieces) == 1 and isinstance(shape.pieces[0], Scalar):
        return shape.pieces[0]
    return shape


def _all(findings: Iterable[Finding]) -> Finding:
    doubt: Finding | None = None
    certain = 1.0
    for found in findings:
        if found.equal is False:
            return found
        if found.equal is None:
            doubt = doubt or found
        certain = min(certain, found.reliability)
    return doubt or Finding(True, "the same values", certain)


def _radians(right: Quantity, given: Quantity) -> bool:
    """True where one of two angles may be in radians: an expression, or a number that is the other one's in them."""
    if right.number is None or given.number is None:
        return True
    one, other = float(right.number.value), float(given.number.value)
    return any(abs(math.radians(a) - b) < 0.01 * abs(b) for a, b in ((one, other), (other, one)))


def _symbolic(scalar: Scalar, complex_too: bool = False) -> bool:
    """True where letters may stand for anything: a vector, a set, a unit that is not known."""
    if quantity(scalar).number is not None:
        return False
    words = set(re.findall(r"[A-Za-z]+", _COMMANDS.sub(" ", scalar.text)))
    known = MATH_WORDS | {"e", "E", "pi"} | (set() if complex_too else {"i", "I"} if scalar.python else {"i"})
    return bool(words - known) or re.search(r"\\(?:math|text|hat|vec|over)", scalar.text) is not None


_COMMANDS = re.compile(r"\\[A-Za-z]+")
_RANGE = re.compile(r"\d+(?:\.\d+)?\s*-\s*\d+(?:\.\d+|\s*/\s*\d+)?")
_YES_NO = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}


def _words(gold: Shape, answer: Shape) -> Finding:
    texts = [shape.text if isinstance(shape, Words | Scalar) else None for shape in (gold, answer)]
    if texts[0] is None or texts[1] is None:
        if isinstance(answer, Words) and isinstance(gold, Region | Items):
            return Finding(None, "words against a set or list")
        if isinstance(gold, Words) and any(char.isdigit() for char in gold.text):
            return Finding(None, "words against a value")
        return Finding(False if isinstance(gold, Matrix | Region | Items) else None, "words against a value")
    if (
        isinstance(gold, Words)
        and re.fullmatch(r"[A-Z]", gold.text)
        and not re.fullmatch(r"[A-Za-z]", texts[1])
    ):
        return Finding(None, "the gold answer is the letter of a choice")
    plain = [text.strip().lower().rstrip(".") for text in texts if text is not None]
    if plain[0] in _YES_NO and plain[1] in _YES_NO:
        same = _YES_NO[plain[0]] == _YES_NO[plain[1]]
        return Finding(same, "the same answer" if same else "the other answer")
    if plain[0] in _YES_NO:
        return Finding(None, "neither yes nor no")
    numeric = [isinstance(shape, Scalar) and quantity(shape).number is not None for shape in (gold, answer)]
    if any(numeric):
        other = plain[0] if numeric[1] else plain[1]
        if other == "none" and plain[0] != "0":
            return Finding(False, "no value")
        if re.fullmatch(r"[ivxlcdm]{2,}", other):
            return Finding(None, "words that may be a Roman numeral")
        if any(char.isdigit() for char in other) or _COUNTING & set(re.split(r"[\s-]+", other)):
            return Finding(None, "words that hold a number")
        return Finding(False, "words against a number")
    if not all(isinstance(shape, Words) or re.fullmatch(r"[A-Za-z ]+", shape.text) for shape in (gold, answer)
               if isinstance(shape, Words | Scalar)):  # fmt: skip
        return Finding(None, "words against an expression")
    return same_text(texts[0], texts[1])


_COUNTING = {
    "half", "quarter", "third", "dozen", "hundred", "thousand", "million", "billion", "none", "double", "twice",
    *NUMBER_WORDS,
}  # fmt: skip


def _each_named(shape: Shape) -> Items | None:
    """`(a, b) = (3, 4)` as `a = 3, b = 4`; a list of such equations as it is; None for anything else."""
    if isinstance(shape, Items):
        return shape if shape.items and all(isinstance(item, Named) for item in shape.items) else None
    if not isinstance(shape, Named) or not isinstance(shape.value, Items) or not shape.name.startswith("("):
        return None
    names = shape.name.strip("()").split(",")
    if len(names) != len(shape.value.items) or shape.value.kind != "paren":
        return None
    return Items("list", tuple(map(Named, names, shape.value.items)))


def _variable(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z](?:_\{?\w+\}?)?'*", name) is not None


def _letters(shape: Shape) -> bool:
    return (
        isinstance(shape, Scalar)
        and re.search(r"(?<![\\A-Za-z])[A-Za-z](?![A-Za-z])", shape.text) is not None
    )


def _as_relation(shape: Shape) -> Relation | None:
    if isinstance(shape, Relation):
        return shape
    if isinstance(shape, Named) and isinstance(shape.value, Scalar) and _variable(shape.name):
        return Relation("=", Scalar(shape.name, shape.value.python), shape.value)
    return None


def _as_rows(shape: Shape) -> tuple[tuple[Shape, ...], ...] | None:
    if isinstance(shape, Matrix):
        return shape.rows
    if not isinstance(shape, Items) or shape.kind not in ("paren", "bracket") or not shape.items:
        return None
    if all(isinstance(item, Items) and item.kind in ("paren", "bracket") for item in shape.items):
        rows = tuple(item.items for item in shape.items if isinstance(item, Items))
        return rows if all(len(row) == len(rows[0]) for row in rows) else None
    return tuple((item,) for item in shape.items)


def _intervals(items: Items) -> bool:
    return items.kind == "list" and any(
        isinstance(item, Region | Interval)
        or (isinstance(item, Items) and item.kind in ("paren", "bracket") and any(
            isinstance(end, Scalar) and infinity(end) for end in item.items))
        for item in items.items
    )  # fmt: skip
