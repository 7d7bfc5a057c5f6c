"""What a grader needs to know of an instruction.

A `Question` is small and plain, so that it travels to a worker process as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ultrainteract.grading.setting import Setting
from ultrainteract.schema import GraderName, Instruction


@dataclass(frozen=True)
class Question:
    """The gold answer and how answers to it are compared."""

    grader: GraderName
    gold: str
    gold_set: tuple[str, ...]
    choices: tuple[str, ...]
    setting: Setting
    functions: str = ""
    """Functions on offer, as JSON; empty where there are none."""

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
            instruction.schemas,
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Question:
        """The question whose fields these are (`dataclasses.asdict`, perhaps by way of JSON)."""
        return cls(
            fields["grader"],
            fields["gold"],
            tuple(fields["gold_set"]),
            tuple(fields["choices"]),
            Setting(**fields["setting"]),
            fields["functions"],
        )
