"""Simulated coding: gold solutions with their stages explained, and wrong versions of them."""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from random import Random

from ultrainteract.models.simulated.format import break_syntax, compose, question_of, restated
from ultrainteract.models.simulated.source import annotated, read_program, wrong_program
from ultrainteract.schema import Instruction, ReasoningSchema


class Coding:
    """What is known of one coding task, read once.

    Args:
        instruction: A Coding instruction.
    """

    def __init__(self, instruction: Instruction) -> None:
        self.question = instruction.question
        self.asked = question_of(instruction.question)
        self.answers = instruction.gold_set or ((instruction.gold,) if instruction.gold else ())
        self.judged = instruction.grader == "judge"
        self.entry_point = instruction.tests.entry_point if instruction.tests else None
        read = (read_program(solution) for solution in instruction.solutions)
        self.programs = [program for program in read if program is not None]


def solve_task(known: Coding, rng: Random, right: bool, schema: ReasoningSchema) -> str:
    """A program for a coding task, with its plan."""
    if not known.programs:
        return _without_program(known, rng, right)
    program = rng.choice(known.programs)
    flaw = "" if right else draw_flaw(rng, bool(program.sites))
    source = wrong_program(program, rng) if flaw == "slip" else program.source
    plan = [restated(known.asked, rng), *_shuffled(program.ideas, rng)]
    lines = annotated(program, source, len(plan) + 1)
    if schema == "modular" and program.wrappable and known.entry_point is None:
        plan.append("I put the whole computation into one function, `solve()`, and call it at the end.")
        lines = _wrapped(annotated(program, source, len(plan) + 2), len(plan) + 1)
    code = "\n".join(lines).strip("\n")
    if flaw == "name":
        code = break_name(code, rng)
    elif flaw == "syntax":
        code = break_syntax(code, rng)
    return compose(plan, code)


def draw_flaw(rng: Random, slips: bool = True) -> str:
    """What goes wrong in a program: mostly a slip, where it has places for one, else a name or the syntax."""
    flaw = rng.choices(("slip", "name", "syntax"), (84, 9, 7))[0]
    return flaw if slips or flaw != "slip" else "name"


def break_name(code: str, rng: Random) -> str:
    """The program with a use of a name that nothing defines, on a line that is reached."""
    lines = code.split("\n")
    uses = [
        (n, match)
        for n, line in enumerate(lines)
        if line
        and not line[0].isspace()
        and not line.startswith(("#", "def ", "class ", "from ", "import ", "@"))
        for match in _NAME.finditer(line, line.find(" = ") + 1)
        if not hasattr(builtins, match.group())
        and match.group() not in _KEYWORDS
        and '"' not in line
        and "'" not in line
    ]
    if not uses:
        return f"{code}\nprint(final_result)"
    number, match = uses[0] if rng.random() < 0.3 else rng.choice(uses)
    name = match.group()
    misspelt = rng.choice((f"{name}_total", f"the_{name}", f"{name}_list"))
    while re.search(rf"\b{misspelt}\b", code):
        misspelt += "_"
    line = lines[number]
    lines[number] = line[: match.start()] + misspelt + line[match.end() :]
    return "\n".join(lines)


_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w|\s*=[^=])")
_KEYWORDS = frozenset(
    ["and", "as", "assert", "break", "continue", "del", "elif", "else", "except", "finally", "for", "from", "global",
     "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with",
     "yield", "Fraction", "Rational", "sqrt", "pi", "sys"]
)  # fmt: skip


def _shuffled(ideas: Sequence[str], rng: Random) -> list[str]:
    kept = list(ideas)
    if len(kept) > 2:
        kept.pop(rng.randrange(len(kept)))
    return kept


def _without_program(known: Coding, rng: Random, right: bool) -> str:
    """No gold program: the answers themselves where there are any, else an outline."""
    plan = [restated(known.asked, rng)]
    if known.answers:
        answers = list(known.answers)
        if not right:
            words = [word for word in re.findall(r"[A-Z][\w-]+|\d+", known.question) if word not in answers]
            wrong = rng.choice(words) if words else f"{answers[0]} 2"
            answers = [wrong] if len(answers) == 1 or rng.random() < 0.5 else answers[:-1]
        plan.append("I pick the entries that satisfy the condition and print them one by one.")
        lines = ["# Step 3: The entries that the condition leaves.", f"selected = {answers!r}",
                 "# Step 4: Print them.", "for entry in selected:", "    print(entry)"]  # fmt: skip
        return compose(plan, "\n".join(lines))
    plan.append("I read what is given, work through it item by item, and return what was asked for.")
    body = (
        ["    items = list(data)", "    return [item for item in items if item is not None]"]
        if right
        else ["    pass"]
    )
    lines = ["# Step 3: Define the function that does the work.", "def solution(data):", *body]
    return compose(plan, "\n".join(lines))


def _wrapped(lines: Sequence[str], step: int) -> list[str]:
    """The program as one function and a call. Its comments number on from `step + 1`."""
    last = step + sum(1 for line in lines if re.match(r"# Step \d+:", line)) + 1
    return [
        f"# Step {step}: Define the function that does the whole computation.",
        "def solve():",
        *(f"    {line}" if line.strip() else "" for line in lines),
        "",
        f"# Step {last}: Call it.",
        "solve()",
    ]
