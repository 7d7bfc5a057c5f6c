"""Simulated programs of thought: chains of calculations written as Python, plain or made of tools.

A chain is really computed, by the program when it runs and here to make sure that a wrong one misses the gold
answer. Where a derivation is no plain arithmetic, the program evaluates the closed form of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from random import Random

from ultrainteract.models.simulated.arithmetic import Token, differs, other_number, other_operator
from ultrainteract.models.simulated.chains import Calculation, Chain, chain_values, rounding
from ultrainteract.models.simulated.code import break_name, draw_flaw
from ultrainteract.models.simulated.format import break_syntax, compose, restated
from ultrainteract.models.simulated.math import SHORT_FRACTION, Mathematics, wrong_answer
from ultrainteract.models.simulated.source import annotated, wrong_program
from ultrainteract.schema import ReasoningSchema


def solve_by_program(
    known: Mathematics, rng: Random, right: bool, schema: ReasoningSchema, form: str = ""
) -> str:
    """A solution with a program that computes the answer."""
    modular = form == "modular" or (schema == "modular" and form == "")
    flaw = "" if right else draw_flaw(rng)
    plan: list[str]
    if known.chains:
        chain, shown = rng.choice(known.chains), -1
        assert known.value is not None
        digits = rounding(chain, known.value) or 0
        if flaw == "slip":
            chain, shown = _wrong_chain(chain, known.value, known.given, rng)
        plan, lines = _write_chain(known, chain, shown, digits, rng, modular=modular)
    elif known.programs:
        program = rng.choice(known.programs)
        if flaw == "slip" and not program.sites:
            flaw = "name"
        source = wrong_program(program, rng) if flaw == "slip" else program.source
        plan, lines = _plan(known, rng), annotated(program, source, 3)
    else:
        answer = known.target if flaw != "slip" else wrong_answer(known, rng)
        plan, lines = _write_answer(known, answer, rng, modular=modular)
    if form == "translate":
        lines = [line for line in lines if not line.lstrip().startswith("#") and line]
    code = "\n".join(lines)
    if flaw == "name":
        code = break_name(code, rng)
    elif flaw == "syntax":
        code = break_syntax(code, rng)
    return compose([] if form == "translate" else plan, code)


def _plan(known: Mathematics, rng: Random) -> list[str]:
    """Two steps of thought before any program: what is asked, and what the rationale says beside its calculations."""
    thoughts: list[str] = []
    if known.rationales:
        rationale = rng.choice(known.rationales)
        pairs = zip(rationale.steps[:-1], rationale.equations, strict=False)
        thoughts = [step for step, found in pairs if not found and known.target not in step][:2]
    general = (
        "I take the quantities in the order in which they depend on each other, and compute each from those before it.",
        "The quantities build on one another, so I work through them one at a time.",
        "I start from the numbers in the statement and compute what follows from them until the question is answered.",
    )
    return [restated(known.asked, rng), " ".join(thoughts) or rng.choice(general)]


def _write_chain(
    known: Mathematics, chain: Chain, shown: int, digits: int, rng: Random, *, modular: bool
) -> tuple[list[str], list[str]]:
    names = _names(chain, rng)
    assert known.value is not None
    exact = 10**4 % known.value.denominator != 0
    rough = any(t.text == "/" or "." in t.text for c in chain for t in c.tokens)
    last = names[shown]
    result = f"round({last}, {digits})" if rough and not exact else last
    plan = _plan(known, rng)
    lines = ["from fractions import Fraction", ""] if exact else []
    if not modular:
        for number, (name, calculation) in enumerate(zip(names, chain, strict=True), len(plan) + 1):
            lines.append(f"# Step {number}: {_remark(calculation, rng)}")
            lines.append(f"{name} = {_python(calculation.tokens, names, exact)}")
        return plan, [*lines, f"print({result})"]
    tools, calls = _tools(chain, names, rng, exact)
    kinds = ", ".join(f"`{head}` {does}" for head, does, _ in tools)
    plan.append(
        f"The calculations are of a few kinds, and each becomes a tool: {kinds}. Then I call them in turn."
    )
    for number, (head, does, body) in enumerate(tools, len(plan) + 1):
        lines += [f"# Step {number}: Define a tool that {does}.", f"def {head}:", f"    return {body}", ""]
    for number, (call, calculation) in enumerate(zip(calls, chain, strict=True), len(plan) + len(tools) + 1):
        lines += [f"# Step {number}: {_remark(calculation, rng)}", call]
    return plan, [*lines, f"print({result})"]


_TOOL_NAMES = {
    "+": ("total", "add_up", "sum_of"),
    "-": ("remaining", "difference", "what_is_left"),
    "*": ("product", "multiply", "times"),
    "/": ("share", "divide", "per_part"),
}
_DOES = {
    "+": "adds quantities up",
    "-": "subtracts from a quantity",
    "*": "multiplies quantities",
    "/": "divides a quantity",
}
_VERB = {"+": "Add", "-": "Subtract", "*": "Multiply", "/": "Divide"}


def _tools(
    chain: Chain, names: Sequence[str], rng: Random, exact: bool
) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Functions (head, what it does, body) for the calculations, equal ones once; and the calls."""
    style = rng.randrange(3)
    tools: dict[str, tuple[str, str, str]] = {}
    used: set[str] = set(names)
    calls: list[str] = []
    for calculation, name in zip(chain, names, strict=True):
        body, arguments = "", []
        for token in calculation.tokens:
            if token.kind in ("number", "ref"):
                arguments.append(_python((token,), names, exact))
                body += "abcdefghijklmnopqrstuvwxyz"[(len(arguments) - 1) % 26]
            else:
                body += f" {token.text} " if token.kind == "op" else token.text
        body = body.strip()
        if body not in tools:
            operators = {token.text for token in calculation.tokens if token.kind == "op"}
            single = next(iter(operators)) if len(operators) == 1 else ""
            base = _TOOL_NAMES[single][style] if single else f"compute_{calculation.unit or 'amount'}"
            free = _free(base, used)
            used.add(free)
            parameters = ", ".join("abcdefghijklmnopqrstuvwxyz"[: len(arguments)])
            does = _DOES[single] if single else f"computes {body}"
            tools[body] = (f"{free}({parameters})", does, body)
        function = tools[body][0].partition("(")[0]
        calls.append(f"{name} = {function}({', '.join(arguments)})")
    return list(tools.values()), calls


def _names(chain: Chain, rng: Random) -> list[str]:
    """A variable for each result, after what it counts."""
    default = rng.choice(("amount", "result", "quantity", "value"))
    names: list[str] = []
    for calculation in chain:
        base = re.sub(r"\W", "", calculation.unit) or default
        names.append(_free(base if base not in _TAKEN else f"{base}_count", set(names)))
    if len(chain) > 1 and rng.random() < 0.5:
        names[-1] = _free("answer", set(names[:-1]))
    return names


_TAKEN = frozenset(
    [
        "print", "round", "int", "sum", "min", "max", "pow", "set", "list", "and", "for", "not", "per", "with",
        "from", "global", "lambda", "Fraction",
    ]
)  # fmt: skip


def _free(base: str, used: set[str]) -> str:
    number, name = 2, base
    while name in used:
        name = f"{base}_{number}"
        number += 1
    return name


def _remark(calculation: Calculation, rng: Random) -> str:
    operators = [token.text for token in calculation.tokens if token.kind == "op"]
    what = f"the {calculation.unit}" if calculation.unit else "the next quantity"
    verb = _VERB[operators[-1]] if operators else "Work out"
    return rng.choice((f"Work out {what}.", f"{verb} to get {what}.", f"Now compute {what}."))


def _python(tokens: Sequence[Token], names: Sequence[str], exact: bool) -> str:
    parts: list[str] = []
    before = "("
    for token in tokens:
        if token.kind == "ref":
            parts.append(names[token.ref])
        elif token.kind == "number":
            parts.append(f"Fraction('{token.text}')" if exact else token.text)
        else:
            between = token.kind == "op" and before not in ("op", "(")
            parts.append(f" {token.text} " if between else token.text)
        before = token.kind
    return "".join(parts)


def _wrong_chain(chain: Chain, gold: Fraction, given: Sequence[Fraction], rng: Random) -> tuple[Chain, int]:
    """The chain with a slip in it, and which of its results is shown; never the gold answer."""
    for _ in range(6):
        shown, place = len(chain) - 1, rng.randrange(len(chain))
        kind = rng.choice(("operator", "number", "swap", "reference", "early"))
        tokens = list(chain[place].tokens)
        if kind == "early":
            shown -= 1
        elif kind == "operator":
            tokens = other_operator(tokens, rng)
        elif kind == "number":
            tokens = other_number(tokens, given, rng)
        elif kind == "swap":
            tokens = _swapped(tokens)
        else:
            tokens = _other_reference(tokens, rng)
        slipped = (*chain[:place], Calculation(tuple(tokens), chain[place].unit), *chain[place + 1 :])
        values = chain_values(slipped)
        if shown >= 0 and values is not None and differs(values[shown], gold):
            return slipped, shown
    # Nothing above changed the answer: count one too many at the end.
    one_more = Calculation(
        (Token("ref", "", ref=len(chain) - 1), Token("op", "+"), Token("number", "1", Fraction(1))), ""
    )
    return (*chain, one_more), len(chain)


def _swapped(tokens: Sequence[Token]) -> list[Token]:
    """The operands of a lone subtraction or division the wrong way round."""
    return [tokens[2], tokens[1], tokens[0]] if len(tokens) == 3 else list(tokens)


def _other_reference(tokens: Sequence[Token], rng: Random) -> list[Token]:
    places = [n for n, token in enumerate(tokens) if token.kind == "ref" and token.ref > 0]
    if not places:
        return list(tokens)
    place = rng.choice(places)
    return [t._replace(ref=rng.randrange(t.ref)) if n == place else t for n, t in enumerate(tokens)]


# -------------------------------------------------------------------------------------- answers as programs


def _write_answer(
    known: Mathematics, answer: str, rng: Random, *, modular: bool
) -> tuple[list[str], list[str]]:
    """A program for an answer whose derivation is no plain arithmetic: it evaluates the closed form."""
    rationale = rng.choice(known.rationales).steps[:-1][:4] if known.rationales else ()
    plan = [restated(known.asked, rng), *rationale]
    if not rationale:
        plan.append("The conditions determine the answer, so I put them together in a closed form.")
    expression, imports = _sympy(answer)
    number = len(plan) + 1
    lines = [f"from sympy import {', '.join(imports)}", ""] if imports else []
    if modular:
        lines += [
            f"# Step {number}: Define a tool that evaluates the closed form.",
            "def closed_form():",
            f"    return {expression}",
            "",
            f"# Step {number + 1}: Call it and show the answer.",
            "print(closed_form())",
        ]
    else:
        lines += [
            f"# Step {number}: Evaluate the closed form that the steps lead to.",
            f"result = {expression}",
            f"# Step {number + 1}: Show the answer.",
            "print(result)",
        ]
    return plan, lines


def _sympy(answer: str) -> tuple[str, list[str]]:
    """Python for a final answer: an exact sympy expression where it is one, else the text itself."""
    text = (
        answer.strip().strip("$").rstrip(" .").replace("\\!", "").replace("\\left", "").replace("\\right", "")
    )
    text = re.sub(r"\\[dt]frac", r"\\frac", text).replace("\\pi", "pi")
    text = SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\{(-?\d+)\}\{(\d+)\}", r"Rational(\1, \2)", text)
    text = re.sub(r"\\frac\{([^{}]+)\}\{([^{}]+)\}", r"(\1) / (\2)", text)
    text = re.sub(r"\\sqrt\{([^{}]+)\}", r"sqrt(\1)", text)
    text = re.sub(r"(?<=[\d)])\s*(?=sqrt|pi)", "*", re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text))
    if not re.fullmatch(r"(?:[-+*/().\s]|\d|sqrt|pi|Rational\(-?\d+, \d+\))+", text):
        return repr(answer), []
    return text, [name for name in ("Rational", "pi", "sqrt") if name in text]
