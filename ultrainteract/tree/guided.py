"""The guided step: the model is shown the ground truth, in the form that fits the task, and writes a correct action.

Coding: a reference solution, to annotate or to refine. Math_CoT: a gold rationale with its numbers masked,
so that the answer cannot be copied. Math_PoT: a rationale translated to code first, for which a plan is then
written, or which is made modular. Instructions with an answer alone have no guided step (paper, section 2.2).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ultrainteract.config import LadderStep
from ultrainteract.models.base import Purpose
from ultrainteract.schema import Label, Message, ReasoningSchema, Task
from ultrainteract.tree.context import Context

MASK = "<mask>"
"""What stands in a masked rationale where a number was."""

_TRANSLATIONS = 4
"""Translations of one rationale to code that are tried until one computes the gold answer."""

_NUMBER = re.compile(r"(?<![A-Za-z_\\])-?\d+(?:,\d{3})*(?:\.\d+)?")
_BOXED = re.compile(r"\\boxed\s*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}")


@dataclass(frozen=True)
class Guide:
    """What the guided model is asked."""

    messages: tuple[Message, ...]
    form: str


def ground_truths(context: Context) -> tuple[str, ...]:
    """The ground truths the guided step can use for this instruction; empty where it has an answer alone."""
    instruction = context.instruction
    if instruction.task.kind is Task.CODING:
        return instruction.solutions
    if instruction.task.kind is Task.MATH_COT:
        return instruction.rationales
    if instruction.task.kind is Task.MATH_POT:
        return instruction.solutions or instruction.rationales
    return ()


async def guide(context: Context, step: LadderStep, truth: str, schema: ReasoningSchema) -> Guide | None:
    """Prepares the guided request for one ground truth.

    Returns:
        The request; None where no program that computes the gold answer could be made from a rationale.
    """
    instruction = context.instruction
    variables = {
        "prompt": instruction.prompt,
        "gold": instruction.gold or "",
        "rationale": "",
        "solution": "",
        "code": "",
    }
    if instruction.task.kind is Task.CODING:
        form = context.rng(f"form {truth}").choice(("annotate", "refine"))
        variables["solution"] = truth
    elif instruction.task.kind is Task.MATH_COT:
        form = "masked"
        variables["rationale"] = masked(truth, instruction.gold or "")
    else:
        form = "plan" if schema == "cot" else "modular"
        code = truth if truth in instruction.solutions else await _translate(context, step, truth, schema)
        if code is None:
            return None
        variables["code"] = variables["solution"] = code
    name = f"guided/{instruction.task.value.lower()}.{form}"
    return Guide(context.prompts.render(name, **variables), form)


async def _translate(
    context: Context, step: LadderStep, rationale: str, schema: ReasoningSchema
) -> str | None:
    variables = {"prompt": context.instruction.prompt, "gold": context.instruction.gold or "", "rationale": rationale,
                 "solution": "", "code": ""}  # fmt: skip
    messages = context.prompts.render("guided/math_pot.translate", **variables)
    purpose = Purpose(
        role="guided", step=step.name, turn=context.turn, reasoning_schema=schema, form="translate"
    )
    for _ in range(_TRANSLATIONS):
        for node in await context.attempt(step.model, messages, 1, purpose, step.sampling):
            if node.verdict.label is Label.CORRECT:
                return node.action.code
    return None


def masked(rationale: str, gold: str) -> str:
    r"""The rationale without the numbers of its answer: what is boxed, the gold answer anywhere, and results after `=`.

    Example:
        >>> masked("48 / 2 = 24 clips. So \boxed{72}, as 48 + 24 = 72.", "72")
        '48 / 2 = <mask> clips. So \\boxed{<mask>}, as 48 + 24 = <mask>.'
    """
    text = _BOXED.sub(lambda _: f"\\boxed{{{MASK}}}", rationale)
    bare = gold.strip().strip("$")
    if bare:
        text = re.sub(rf"(?<![\w.]){re.escape(bare)}(?!\w|\.\d)", lambda _: MASK, text)
    return re.sub(rf"(=\s*\$?){_NUMBER.pattern}", lambda match: match.group(1) + MASK, text)
