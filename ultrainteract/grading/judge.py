"""A strong model as the judge of answers that nothing else can check.

Asked twice: the response stands once before and once after the reference answer (or, where there is none, the
criteria come in the opposite order). Guarantee: only when both say the same is there a verdict, and it says that a
judge gave it, so that no pair can be built on it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from ultrainteract.grading.boundary import wrong_by_form
from ultrainteract.grading.finding import Basis
from ultrainteract.grading.reliability import reliability
from ultrainteract.schema import Instruction, Message, Verdict

if TYPE_CHECKING:
    from ultrainteract.prompts import Prompts

Ask = Callable[[tuple[Message, ...], str], Awaitable[str]]
"""Has the judge's model answer: the messages and a name for the form of the question, which keeps the two apart."""

CRITERIA = (
    "It does what the task asks, all of it, and nothing that contradicts it.",
    "Its code is complete and runs as it stands, in the language the task asks for.",
    "It gives the right result for ordinary inputs and for the edge cases the task names or implies.",
    "What it says about the code is true.",
)
"""What an acceptable response meets."""

_MARK = re.compile(
    r"^[\W_]*Answer\s+([AB])[\W_]*:[\W_]*(not\s+acceptable|unacceptable|acceptable)\b", re.I | re.M
)


async def judge(
    instruction: Instruction,
    response: str,
    ask: Ask,
    reference: str | None = None,
    *,
    prompts: Prompts | None = None,
) -> Verdict:
    """Judges a response twice, with the positions swapped.

    Args:
        instruction: The problem.
        response: The response to judge, as published.
        ask: Sends messages to the judge's model and returns its text. The second argument is `response_first` or
            `response_second`.
        reference: A reference answer to set beside it, if there is one.
        prompts: The templates of the run; the built-in ones if None.

    Returns:
        Correct or wrong (check `judge`) if both judgements agree, else undetermined.
    """
    if not response.strip():
        return wrong_by_form("no answer is given")
    if prompts is None:
        from ultrainteract.prompts import Prompts

        prompts = Prompts()
    marks = []
    for first, letter in ((True, "A"), (False, "A" if reference is None else "B")):
        messages, form = _question(instruction, response, reference, prompts, response_first=first)
        marks.append(_mark(await ask(messages, form), letter))
    if None in marks:
        return Verdict.undetermined("the judge's reply names no mark for the response")
    if marks[0] != marks[1]:
        return Verdict.undetermined("the judge contradicts itself when the positions are swapped")
    trust = reliability("judge", Basis.CONVENTION, bool(marks[0]))
    if marks[0]:
        return Verdict.correct("judge", "acceptable in both positions", trust)
    return Verdict.wrong("judge", "not acceptable in both positions", trust)


def _question(
    instruction: Instruction, response: str, reference: str | None, prompts: Prompts, *, response_first: bool
) -> tuple[tuple[Message, ...], str]:
    """The messages to the judge, and the name of their form."""
    first, second = (response, reference) if response_first or reference is None else (reference, response)
    messages = prompts.render(
        "judge/solution",
        task=instruction.question,
        criteria=CRITERIA if response_first else CRITERIA[::-1],
        first=first,
        second=second,
    )
    return messages, "response_first" if response_first else "response_second"


def _mark(reply: str, letter: str) -> bool | None:
    """The last mark for an answer in the judge's reply."""
    marks = [mark.lower() for name, mark in _MARK.findall(reply) if name.upper() == letter]
    return marks[-1] == "acceptable" if marks else None
