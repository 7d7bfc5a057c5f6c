"""Simulated mathematics: what a rationale says, and solutions in words, right or wrong on purpose.

Right ones are built from the gold rationale. Wrong ones contain a slip a person might make, whose consequences are
carried through to the answer, and which is checked to change it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from ultrainteract.models.simulated.arithmetic import (
    Equation,
    differs,
    equations,
    evaluate,
    other_number,
    other_operator,
    read_number,
    write_number,
)
from ultrainteract.models.simulated.chains import Chain, chain_of_program, chain_of_text, chain_values
from ultrainteract.models.simulated.format import (
    balanced,
    compose,
    names_in,
    other_names,
    question_of,
    restated,
    sentences,
)
from ultrainteract.models.simulated.source import Program, read_program
from ultrainteract.schema import Instruction

_NUMBERS = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?![\w])")
_WORDS = re.compile(r"[A-Za-z][A-Za-z ,.'-]+")
SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")


@dataclass(frozen=True)
class _Rationale:
    steps: tuple[str, ...]
    equations: tuple[tuple[Equation, ...], ...]
    """The equations of each step."""


class Mathematics:
    """What is known of one instruction, read once.

    Args:
        instruction: A Math_CoT or Math_PoT instruction.
    """

    def __init__(self, instruction: Instruction) -> None:
        self.asked = question_of(instruction.question)
        self.choices = instruction.choices
        self.names = names_in(instruction.question)
        self.target = _target(instruction)
        numbers = _NUMBERS.findall(self.target) if instruction.grader == "choice" else []
        self.value = read_number(numbers[0] if len(numbers) == 1 else self.target)
        texts = [_unboxed(text) for text in instruction.rationales]
        cut = [tuple(_steps(text)) for text in texts]
        self.rationales = [
            _Rationale(steps, tuple(tuple(equations(s)) for s in steps)) for steps in cut if steps
        ]
        self.chains: list[Chain] = []
        self.programs: list[Program] = []
        lines = [line for text in texts for line in text.splitlines()]
        for solution in instruction.solutions:
            chain = chain_of_program(solution, self.value, lines) if self.value is not None else None
            if chain is not None:
                self.chains.append(chain)
            elif (program := read_program(solution)) is not None:
                self.programs.append(program)
        if self.value is not None and not self.chains and not self.programs:
            chains = (chain_of_text(rationale.steps, self.value) for rationale in self.rationales)
            self.chains = [chain for chain in chains if chain is not None]
        self.results = frozenset(
            value
            for values in (
                *(chain_values(chain) or () for chain in self.chains),
                *([e.value for found in rationale.equations for e in found] for rationale in self.rationales),
            )
            for value in values
        )
        """Every intermediate result of a right derivation."""
        given = (read_number(found) for found in _NUMBERS.findall(instruction.question))
        self.given = tuple(dict.fromkeys(n for n in given if n is not None))


# --------------------------------------------------------------------------------------- chain of thought


def solve_in_words(known: Mathematics, rng: Random, right: bool) -> str:
    """A tool-free solution."""
    rationale = rng.choice(known.rationales) if known.rationales else _Rationale((), ())
    if right:
        steps, answer = list(rationale.steps), known.target
    else:
        steps, answer = _slipped(known, rationale, rng) or _bent(known, rationale, rng)
    steps.insert(0, restated(known.asked, rng))
    opening = rng.choice(
        ("So the answer is", "Therefore, the final answer is", "This gives the answer", "Hence the answer is")
    )
    box = f"\\boxed{{{answer}}}"
    return compose([*steps, f"{opening} ${box}$."], answer=box)


def _slipped(known: Mathematics, rationale: _Rationale, rng: Random) -> tuple[list[str], str] | None:
    """The rationale with a slip in one of its equations, carried through; None where that changes nothing."""
    places = [(s, e) for s, found in enumerate(rationale.equations) for e in range(len(found))]
    if not places or known.value is None:
        return None
    for _ in range(4):
        steps, changed = _carried(known, rationale, rng.choice(places), rng)
        answer = changed.get(known.value)
        if answer is not None and answer >= 0 and differs(answer, known.value):
            return steps, write_number(answer)
    return None


def _carried(
    known: Mathematics, rationale: _Rationale, place: tuple[int, int], rng: Random
) -> tuple[list[str], dict[Fraction, Fraction]]:
    kind = rng.choice(("result", "operator", "number"))
    changed: dict[Fraction, Fraction] = {}
    steps: list[str] = []
    for s, (step, found) in enumerate(zip(rationale.steps, rationale.equations, strict=True)):
        edits: list[tuple[int, int, str]] = []
        spans: list[tuple[int, int]] = []
        for e, equation in enumerate(found):
            here = (s, e) == place
            tokens = [
                t._replace(value=changed[t.value], text=write_number(changed[t.value]))
                if t.kind == "number" and t.value in changed
                else t
                for t in equation.tokens
            ]
            if here and kind == "operator":
                tokens = other_operator(tokens, rng)
            elif here and kind == "number":
                tokens = other_number(tokens, known.given, rng)
            value = evaluate(tokens)
            if value is None:
                value = equation.value
            if here and (kind == "result" or value == equation.value):
                value = _slip(value, rng)
            if value != equation.value:
                changed[equation.value] = value
                edits.append((*equation.result, write_number(value)))
            edits += [
                (new.start, new.end, new.text)
                for new, old in zip(tokens, equation.tokens, strict=True)
                if new.text != old.text
            ]
            spans.append((equation.start, equation.result[1]))
        for number in _NUMBERS.finditer(step) if changed else ():
            value = changed.get(read_number(number.group()) or Fraction(-1), Fraction(-1))
            if value >= 0 and not any(start <= number.start() < end for start, end in spans):
                edits.append((*number.span(), write_number(value)))
        steps.append(_edited(step, edits))
    return steps, changed


def _bent(known: Mathematics, rationale: _Rationale, rng: Random) -> tuple[list[str], str]:
    """The rationale with its last sentences bent to a wrong answer."""
    answer = wrong_answer(known, rng)
    pattern = re.compile(rf"(?<![\w.]){re.escape(known.target)}(?!\w|\.\d)")
    steps = list(rationale.steps)
    keep = len(steps) if len(steps) < 2 else rng.randint(max(1, len(steps) // 2), len(steps))
    steps = [pattern.sub(lambda _: answer, step) for step in steps[:keep]]
    if keep < len(rationale.steps):
        steps.append(
            rng.choice(
                (
                    f"Simplifying what is left, we arrive at ${answer}$.",
                    f"The remaining cases do not contribute, which leaves ${answer}$.",
                    f"By symmetry this comes to ${answer}$.",
                )
            )
        )
    return steps, answer


def wrong_answer(known: Mathematics, rng: Random) -> str:
    """A wrong final answer of the same shape as the right one."""
    others = [choice for choice in known.choices if choice.strip() != known.target.strip()]
    if others:
        return rng.choice(others)
    names = other_names(known.names, known.target)
    return rng.choice(names) if names and _WORDS.fullmatch(known.target) else bend(known.target, rng)


def bend(text: str, rng: Random) -> str:
    """An answer like `text`, but another one: one number, letter or word in it is changed."""
    text = SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    numbers = list(re.finditer(r"\d+", text))
    if numbers:
        number = rng.choice(numbers)
        old = int(number.group())
        new = rng.choice([n for n in (old + 1, old + 2, old - 1, old * 2, old + 10) if n > 0 and n != old])
        return text[: number.start()] + str(new).zfill(len(number.group())) + text[number.end() :]
    flips = {"yes": "no", "no": "yes", "true": "false", "false": "true", "even": "odd", "odd": "even"}
    if (word := text.strip().lower()) in flips:
        return flips[word]
    letters = re.search(r"(?<![A-Za-z\\])[A-E](?![A-Za-z])", text)
    if letters:
        other = rng.choice([letter for letter in "ABCDE" if letter != letters.group()])
        return text[: letters.start()] + other + text[letters.end() :]
    return rng.choice((f"2{text}", f"-{text}")) if "\\" in text or len(text) < 3 else f"not {text}"


def _slip(value: Fraction, rng: Random) -> Fraction:
    size = 10 if abs(value) >= 30 and rng.random() < 0.4 else 1 if value.denominator == 1 else Fraction(1, 2)
    return value + size if value <= size or rng.random() < 0.5 else value - size


def _edited(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


# ---------------------------------------------------------------------------------------------- reading


def _target(instruction: Instruction) -> str:
    """The final answer to give: the text of the right choice, or the gold answer."""
    gold = instruction.gold or ", ".join(instruction.gold_set)
    if instruction.grader == "choice" and len(gold) == 1 and instruction.choices:
        index = ord(gold.upper()) - ord("A")
        if 0 <= index < len(instruction.choices):
            return instruction.choices[index]
    return gold


def _steps(text: str) -> Iterator[str]:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    if len(lines) > 1 and all(balanced(line) for line in lines) and "$$" not in text:
        yield from lines
    else:
        yield from sentences(text)


def _unboxed(text: str) -> str:
    r"""The text with `\boxed{…}` replaced by what is in the box."""
    while (start := text.find("\\boxed{")) >= 0:
        depth, end = 0, start + 6
        for end in range(start + 6, len(text)):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            if depth == 0:
                break
        text = text[:start] + text[start + 7 : end] + text[end + 1 :]
    return text
