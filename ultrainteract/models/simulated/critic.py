"""Simulated critics and judges: they look at what they were sent, and at the gold answer, and say what they see."""

# ruff: noqa: RUF001 (texts use other signs than Python for the same operations)

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random

from ultrainteract.models.simulated.arithmetic import equations, evaluate, read_expression, read_number
from ultrainteract.models.simulated.chains import program_values
from ultrainteract.models.simulated.math import Mathematics
from ultrainteract.schema import Instruction, Message, Task

_ERROR = re.compile(r"^\s*(?P<type>[A-Z]\w*(?:Error|Exception)): ?(?P<detail>.*)$", re.MULTILINE)
_FAILED = re.compile(r"^Test \d+ of \d+ failed", re.MULTILINE)
_SLOW = re.compile(r"(?:time|memory) limit exceeded")
_STEP = re.compile(r"^(?:# )?Step (\d+):", re.MULTILINE)
_LINE = re.compile(r"^.+$", re.MULTILINE)
_SUM = re.compile(r"(\$?[\d.,]+(?: ?[-+*/×x] ?\$?[\d.,]+)+) ?= ?\$?(\d[\d,]*(?:\.\d+)?)")

_OPENINGS = (
    "The plan of your attempt is reasonable, but it does not hold in one place.",
    "You are on the right track.",
    "Most of your steps can stay as they are.",
    "Your understanding of the problem is mostly sound.",
)
_ENDINGS = {
    Task.CODING: (
        "Before you write the program again, go through it by hand on the smallest case and on one with ties.",
        "Check your loop bounds and comparisons against the limits in the statement.",
    ),
    Task.MATH_COT: (
        "Then carry the corrected value through the steps that follow, and check it against the statement.",
        "Write each quantity down with its unit, and make sure that the last step answers the question that "
        "was asked.",
    ),
    Task.MATH_POT: (
        "Then run through the later lines again, since they use this value.",
        "Name each variable after what it counts, so that a quantity cannot be mixed up with another.",
    ),
    Task.LOGIC: (
        "Separate what the text says from what it only suggests before you decide.",
        "Then test your conclusion against every fact you have written down.",
    ),
}


def comment(
    messages: Sequence[Message], instruction: Instruction, known: Mathematics | None, rng: Random, leaks: bool
) -> str:
    """A critique of the attempt that `messages` show.

    Args:
        messages: The critic's conversation.
        instruction: The instruction the attempt is about.
        known: What was read of it, if it is mathematics.
        rng: Where wording comes from.
        leaks: Whether it gives the gold answer away.
    """
    attempt = _attempt(messages, instruction)
    parts = [
        rng.choice(_OPENINGS),
        _finding(attempt, instruction, known, rng),
        rng.choice(_ENDINGS[instruction.task.kind]),
    ]
    if leaks:
        parts.append(_leak(instruction))
    return " ".join(part for part in parts if part)


def _attempt(messages: Sequence[Message], instruction: Instruction) -> str:
    """The attempt under review with what its execution showed: what stands behind problem and reference."""
    text = next((message.content for message in messages if message.role == "user"), "")
    for known in (instruction.prompt, *instruction.solutions, *instruction.rationales):
        if known and (at := text.rfind(known)) >= 0:
            text = text[at + len(known) :]
    starts = [match.start() for match in _STEP.finditer(text) if match.group(1) == "1"]
    return text[starts[-1] :] if starts else text


def _finding(attempt: str, instruction: Instruction, known: Mathematics | None, rng: Random) -> str:
    """The error, as far as it shows."""
    errors = list(_ERROR.finditer(attempt))
    if errors:
        return _explained(errors[-1]["type"], errors[-1]["detail"].strip(), attempt)
    if slow := _SLOW.search(attempt):
        resource = "time" if slow.group().startswith("time") else "memory"
        return (
            f"On one of the tests, though, your program uses too much {resource}: look for work that is repeated for "
            "every item, and for a loop whose condition may never change."
        )
    if instruction.task.kind is Task.CODING:
        where = "fails a test" if _FAILED.search(attempt) else "shows something else than was asked for"
        cause = rng.choice(
            (
                "Look closely at the comparisons and at the bounds of your loops: one of them treats a "
                "boundary case wrongly.",
                "One of your updates moves a value in the wrong direction, or by the wrong amount.",
                "What you print at the end is not quite the quantity that the statement asks for.",
            )
        )
        return f"However, the program {where}. {cause}"
    if instruction.task.kind is Task.LOGIC:
        step = _step_of(attempt, None, rng)
        if instruction.choices:
            return (
                f"However, {step} accepts a choice because it sounds plausible. Ask what would happen to the "
                f"argument if "
                "that choice were false, and do the same with those that you set aside."
            )
        return (
            f"However, {step} draws a conclusion that the facts before it do not support. Look again at how "
            f"these facts "
            "relate to each other, and at the exact wording of the question."
        )
    return _calculation(attempt, known, rng)


def _explained(kind: str, detail: str, attempt: str) -> str:
    where = ""
    if line := re.search(r"line (\d+)", attempt):
        where = f" on line {line.group(1)}"
    match kind:
        case "NameError" | "UnboundLocalError":
            name = re.search(r"'(\w+)'", detail)
            what = f"the name `{name.group(1)}`" if name else "a name"
            return (
                f"However, your program stops{where} with a {kind}, because {what} is used before anything is "
                f"assigned to it. "
                "Define it first, or use the variable that you meant, with the very spelling of its definition."
            )
        case "SyntaxError" | "IndentationError" | "TabError":
            return (
                f"However, Python cannot parse your program{where}: look for a parenthesis that is not closed "
                f"or a colon that "
                "is missing there or just before, and repair it without changing the rest."
            )
        case "ZeroDivisionError":
            return (
                f"However, your program divides by zero{where}. Find out which quantity becomes zero, and "
                f"whether dividing by "
                "it is what the problem asks for at all."
            )
        case "IndexError" | "KeyError":
            return (
                f"However, your program reaches outside its data{where} ({kind}). Check the bounds of the loop "
                f"that leads there, "
                "in particular its first and last round."
            )
        case "RecursionError":
            return (
                "However, your recursion does not come to an end: check that every call gets closer to the case that "
                "stops it."
            )
    return (
        f"However, your program stops{where} with a {kind}. Check what kind of value each operand holds at that "
        f"point, and "
        "whether the input was read in the form the statement describes."
    )


def _calculation(attempt: str, known: Mathematics | None, rng: Random) -> str:
    """The first calculation that is wrong in itself, else the first whose result no right derivation has."""
    for match in _SUM.finditer(attempt):
        value, stated = evaluate(read_expression(match.group(1))), read_number(match.group(2))
        if value is not None and stated is not None and abs(value - stated) > abs(value) / 100:
            return (
                f"However, the calculation in {_step_of(attempt, match.start(), rng)} does not come out as you wrote "
                f"it: work {match.group(1).strip()} out again, digit by digit."
            )
    results = known.results if known is not None else frozenset()
    found = [(line.start(), e.value) for line in _LINE.finditer(attempt) for e in equations(line.group())]
    followed = program_values(attempt)
    strange = [place for place, value in (found or followed) if value not in results]
    if strange and results:
        return (
            f"However, {_step_of(attempt, strange[0], rng)} combines the quantities in a way that the statement does "
            "not support. Compare each number and each operation there with the sentence it comes from, and ask "
            "whether the parts are to be added, subtracted, multiplied or divided."
        )
    boxes = [read_number(box) for box in re.findall(r"\\boxed\{([^{}]*)\}", attempt)]
    if (boxes and boxes[-1] in results) or (results and followed and not found):
        return (
            "However, what you give in the end is one of the quantities on the way. Read again what exactly is asked "
            "for, and go on from there."
        )
    return (
        f"However, {_step_of(attempt, None, rng)} uses a value that does not follow from the statement. Read the "
        "sentence it comes from again, and check both the number and the operation you apply to it."
    )


def _step_of(attempt: str, position: int | None, rng: Random) -> str:
    """`Step k`, for the step that holds a position, or for one of those in the middle."""
    numbers = [(match.start(), match.group(1)) for match in _STEP.finditer(attempt)]
    if position is not None:
        numbers = [entry for entry in numbers if entry[0] <= position][-1:]
    elif len(numbers) > 2:
        numbers = numbers[1:]
    return f"Step {rng.choice(numbers)[1]}" if numbers else "your attempt"


def _leak(instruction: Instruction) -> str:
    if instruction.grader == "choice" and instruction.choices and instruction.gold:
        return f"The correct choice is {instruction.gold}."
    if gold := instruction.gold or ", ".join(instruction.gold_set):
        return f"The correct answer should be {gold}."
    if instruction.solutions:
        return f"This is what your program should look like:\n{instruction.solutions[0].strip()}"
    return ""


# ------------------------------------------------------------------------------------------------- judges

_ANSWERS = re.compile(
    r"^Answer ([A-Z]):\n(.*?)(?=^Answer [A-Z]:\n|^Review every answer|\Z)", re.MULTILINE | re.DOTALL
)


def judgement(messages: Sequence[Message], instruction: Instruction | None) -> str:
    """A mark for each answer shown, by reading it alone: the same answer has the same mark in any position."""
    shown = messages[-1].content if messages else ""
    references = {" ".join(text.split()) for text in instruction.solutions} if instruction else set()
    found = [(letter, body.strip()) for letter, body in _ANSWERS.findall(shown)]
    remarks, marks = [], []
    for letter, body in found or [("A", shown)]:
        good = " ".join(body.split()) in references or _looks_complete(body)
        remarks.append(
            f"Answer {letter} does what the task asks on ordinary input, and treats the edge cases."
            if good
            else f"Answer {letter} leaves out a part of the work, so it cannot do what the task asks."
        )
        marks.append(f"Answer {letter}: {'acceptable' if good else 'not acceptable'}")
    return " ".join(remarks) + "\n\n" + "\n".join(marks)


def _looks_complete(body: str) -> bool:
    return (
        bool(body)
        and re.search(r"^\s*(?:pass|\.\.\.|raise NotImplementedError.*)$", body, re.MULTILINE) is None
    )
