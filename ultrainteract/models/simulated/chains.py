"""Chains of calculations that refer to each other: what a rationale or a straight-line program computes, step by step.

They are what simulated programs of thought are written from, and what a critic follows a program with. Nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ultrainteract.models.simulated.arithmetic import Token, equations, evaluate, python_number, read_number


@dataclass(frozen=True)
class Calculation:
    """One calculation of a chain."""

    tokens: tuple[Token, ...]
    """The expression; earlier results are references."""
    unit: str = ""
    """What the result counts."""


Chain = tuple[Calculation, ...]


def chain_values(chain: Sequence[Calculation]) -> list[Fraction] | None:
    """The results in order; None where one cannot be computed."""
    values: list[Fraction] = []
    for calculation in chain:
        value = evaluate(calculation.tokens, values)
        if value is None:
            return None
        values.append(value)
    return values


def rounding(chain: Sequence[Calculation], gold: Fraction) -> int | None:
    """The most decimal places, up to four, to which the last result rounds to the gold answer; None without any."""
    values = chain_values(chain)
    if values is None:
        return None
    if values[-1] == gold:
        return 4
    return next((digits for digits in (4, 3, 2, 1, 0) if round(values[-1], digits) == gold), None)


def chain_of_text(lines: Sequence[str], gold: Fraction) -> Chain | None:
    """The chain of a rationale's equations that ends in the gold answer; None where there is none."""
    chain: list[Calculation] = []
    seen: dict[Fraction, int] = {}
    last = -1
    for line in lines:
        for equation in equations(line):
            tokens = tuple(
                Token("ref", "", ref=seen[token.value])
                if token.kind == "number" and token.value in seen
                else token
                for token in equation.tokens
            )
            seen[equation.value] = len(chain)
            chain.append(Calculation(tokens, equation.unit))
            if equation.value == gold:
                last = len(chain)
    return _used(chain[:last]) if last > 0 else None


def chain_of_program(source: str, gold: Fraction, lines: Sequence[str]) -> Chain | None:
    """The chain of a straight-line program (`name = expression` …, `print(name)`); None for any other program."""
    units = {equation.value: equation.unit for line in lines for equation in equations(line)}
    names: dict[str, int] = {}
    chain: list[Calculation] = []
    shown = ""
    for line in source.strip().splitlines():
        if assigned := re.fullmatch(r"([A-Za-z_]\w*)\s*=\s*([\w\s.+\-*/()]+)", line.strip()):
            tokens = _program_tokens(assigned.group(2), names)
            if tokens is None:
                return None
            names[assigned.group(1)] = len(chain)
            chain.append(Calculation(tokens))
        elif printed := re.fullmatch(
            r"print\((?:(?:int|round)\()?([A-Za-z_]\w*)(?:, ?\d)?\)?\)", line.strip()
        ):
            shown = printed.group(1)
        elif line.strip():
            return None
    if shown not in names:
        return None
    chain = chain[: names[shown] + 1]
    values = chain_values(chain)
    if values is None or rounding(chain, gold) is None:
        return None
    named = [Calculation(c.tokens, units.get(v, "")) for c, v in zip(chain, values, strict=True)]
    return _used(named)


def program_values(code: str) -> list[tuple[int, Fraction]]:
    """What the assignments of a program compute, as far as it is plain arithmetic, tools included.

    Returns:
        (offset of the line in `code`, value), in order, up to the first line that cannot be followed.
    """
    tools = {
        name: ([parameter.strip() for parameter in parameters.split(",")], body)
        for name, parameters, body in _TOOL.findall(code)
    }
    names: dict[str, int] = {}
    found: list[tuple[int, Fraction]] = []
    for line in _ASSIGNMENT.finditer(code):
        text = line.group(2)
        if (call := re.fullmatch(r"(\w+)\(([^()]*)\)", text)) and call.group(1) in tools:
            parameters, body = tools[call.group(1)]
            given = [part.strip() for part in call.group(2).split(",")]
            values: dict[str, str] = dict(zip(parameters, given, strict=False))
            text = "".join(values.get(piece, piece) for piece in re.findall(r"[A-Za-z_]\w*|\W+|\d+", body))
        tokens = _program_tokens(text, names)
        value = evaluate(tokens, [value for _, value in found]) if tokens is not None else None
        if value is None:
            break
        names[line.group(1)] = len(found)
        found.append((line.start(), value))
    return found


_TOOL = re.compile(r"^def (\w+)\(([^()]*)\):\n    return (.+)$", re.MULTILINE)
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*) = (.+)$", re.MULTILINE)


def _program_tokens(text: str, names: dict[str, int]) -> tuple[Token, ...] | None:
    tokens: list[Token] = []
    for piece in re.findall(r"[A-Za-z_]\w*|[\d.]+|[-+*/()]|\S", text):
        if piece in names:
            tokens.append(Token("ref", "", ref=names[piece]))
        elif piece in "+-*/":
            tokens.append(Token("op", piece))
        elif piece in "()":
            tokens.append(Token("(" if piece == "(" else ")", piece))
        elif (value := read_number(piece)) is not None:
            tokens.append(Token("number", python_number(piece), value))
        else:
            return None
    return tuple(tokens)


def _used(chain: Sequence[Calculation]) -> Chain:
    """The calculations that the last one depends on, renumbered."""
    wanted = {len(chain) - 1}
    for index in range(len(chain) - 1, -1, -1):
        if index in wanted:
            wanted |= {token.ref for token in chain[index].tokens if token.kind == "ref"}
    number = {old: new for new, old in enumerate(sorted(wanted))}
    return tuple(
        Calculation(
            tuple(t._replace(ref=number[t.ref]) if t.kind == "ref" else t for t in chain[old].tokens),
            chain[old].unit,
        )
        for old in sorted(wanted)
    )
