"""What a grader needs to know of an instruction, and the one function that settles an answer to it.

A `Question` is small and plain, so that it travels to a worker process as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass

from ultrainteract.grading.algebra import Algebra
from ultrainteract.grading.answer_set import same_set
from ultrainteract.grading.calls import same_calls
from ultrainteract.grading.choice import same_boolean, same_choice, truth
from ultrainteract.grading.equivalence import decide
from ultrainteract.grading.extract import NoAnswer, candidates
from ultrainteract.grading.latex import Malformed
from ultrainteract.grading.number import Finding
from ultrainteract.grading.setting import Setting
from ultrainteract.grading.text import same_text
from ultrainteract.schema import GraderName, Instruction


@dataclass(frozen=True)
class Question:
    """The gold answer and how answers to it are compared."""

    grader: GraderName
    gold: str
    gold_set: tuple[str, ...]
    choices: tuple[str, ...]
    setting: Setting

    @classmethod
    def of(cls, instruction: Instruction) -> Question:
        """The question of an instruction."""
        program = instruction.task.runs_program
        return cls(
            instruction.grader,
            instruction.gold or "",
            instruction.gold_set,
            instruction.choices,
            Setting.of(instruction.question, program=program, unit=instruction.unit),
        )


def settle(question: Question, answer: str, algebra: Algebra) -> Finding:
    """Whether an answer is right.

    Args:
        question: The question; its grader is none of `tests` and `judge`.
        answer: The final answer as stated, or a program's whole output.
        algebra: Decides what exact arithmetic cannot.

    Raises:
        NeedsAlgebra: The algebra is that of the literal path, and cannot decide.
        Failed: The answer is a program's error report.
    """
    program = question.setting.program
    if question.grader == "answer_set":
        return same_set(question.gold_set or (question.gold,), answer, program=program)
    if question.grader == "calls":
        return (
            same_calls(question.gold_set, answer) if answer.strip() else Finding(False, "no answer is given")
        )
    if not question.gold.strip():
        return Finding(None, "gold answer is missing")
    if not answer.strip():
        return Finding(False, "no answer is given")
    match question.grader:
        case "choice":
            return same_choice(question.gold, question.choices, answer, question.setting, algebra)
        case "boolean":
            return same_boolean(question.gold, answer, program=program)
        case "text":
            return _text(question, answer)
        case _:
            return decide(question.gold, answer, question.setting, algebra)


def _text(question: Question, answer: str) -> Finding:
    if truth(question.gold) is not None:
        return same_boolean(question.gold, answer, program=question.setting.program)
    try:
        found = candidates(answer, program=question.setting.program)
    except (NoAnswer, Malformed) as error:
        return Finding(None, str(error))
    whole = same_text(question.gold, answer)
    if whole.equal or not found:
        return whole
    final = same_text(question.gold, found[-1].text)
    if len(found) > 1 and not found[-1].marked:
        if final.equal:
            return Finding(None, "several lines, of which the last is the gold answer")
        if any(same_text(question.gold, candidate.text).equal is not False for candidate in found[:-1]):
            return Finding(None, "several lines, of which another may be the answer")
    return final
