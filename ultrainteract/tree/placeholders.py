r"""Placeholders that a model repeats from its prompt: `\boxed{Your Answer}`, `Answer: …`.

Small models echo the form that they were asked for. The echo states nothing, so that it is no answer, neither wrong
nor right; and an answer that stands elsewhere in the same text counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ultrainteract.schema import Action, Instruction
from ultrainteract.tree.actions import parse_action

_SLOT = (
    r"(?:(?:your|the|my|insert|write|put|enter|type)[ \t]+){0,3}(?:(?:final|correct|own|numerical|numeric)[ \t]+){0,2}"
    r"(?:answer|number|result|solution|value)(?:[ \t]+(?:goes[ \t]+)?here)?"
)
_DOTS = r"\.{2,}|…|_{2,}|\?+"
_PLACEHOLDER = re.compile(rf"{_SLOT}|{_DOTS}", re.IGNORECASE)
_COMMAND = re.compile(r"\\(?:boxed|text|textbf|mathrm)\b")
_EMPTY = re.compile(r"[_$*\s]+|\$*\\boxed\s*\{\s*\}\$*")
_AROUND = " \t\n\"'“”*_`$[](){}<>"
_IN_BOX = re.compile(rf"\\boxed\s*\{{\s*(?:\\text\s*\{{)?\s*(?:{_SLOT}|{_DOTS})?\s*\}}{{1,2}}", re.IGNORECASE)
_ON_LINE = re.compile(
    rf"^[ \t*_]*(?:final )?answer[ \t*_]*:[ \t*_\[<(\"']*(?:{_SLOT}|{_DOTS})[\]>)\"'.*_ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def read_action(raw: str, instruction: Instruction, *arguments: Any, **more: Any) -> Action:
    """Reads a completion as `parse_action` does, past placeholders.

    Args:
        raw: The completion as written.
        instruction: The instruction it answers.
        *arguments: Further arguments of `parse_action`.
        **more: The same.

    Returns:
        The action; its answer is None where nothing but a placeholder stands for one.
    """
    action = parse_action(raw, instruction, *arguments, **more)
    golds = (instruction.gold or "", *instruction.gold_set)
    if action.answer is None or not is_placeholder(action.answer, golds):
        return action
    without = _ON_LINE.sub("", _IN_BOX.sub("", raw))
    action = parse_action(without, instruction, *arguments, **more).model_copy(update={"raw": raw})
    if action.answer is not None and is_placeholder(action.answer, golds):
        action = action.model_copy(update={"answer": None})
    return action


def is_placeholder(answer: str, golds: Sequence[str] = ()) -> bool:
    """Whether an answer is the name of the place where an answer belongs, rather than one.

    Args:
        answer: The answer as it was read.
        golds: Gold answers: what is one of them is no placeholder.
    """
    text = answer.strip()
    if text in golds:
        return False
    core = _COMMAND.sub("", text).rstrip(".").strip(_AROUND) or _COMMAND.sub("", text).strip(_AROUND)
    return _EMPTY.fullmatch(text) is not None or _PLACEHOLDER.fullmatch(core) is not None
