"""The published tasks, and how another package adds one.

What a task means to the program (a program is run on tests, a program's output is the answer, an answer in words) is
one of four kinds. A further task has a name, a published sentence and prompt templates of its own and is like one of
them in everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ultrainteract.errors import ConfigError
from ultrainteract.registry import Registry


class Task(StrEnum):
    """The published task names; `Task(name)` also gives a registered further one."""

    CODING = "Coding"
    MATH_COT = "Math_CoT"
    MATH_POT = "Math_PoT"
    LOGIC = "Logic"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        if not isinstance(value, str) or value not in TASKS.names():
            return None
        made = str.__new__(cls, value)
        made._name_ = made._value_ = value
        return cls._value2member_map_.setdefault(value, made)

    @property
    def kind(self) -> Task:
        """The built-in task that decides how it is grown, graded and shown: itself for a built-in one."""
        return self if self._name_ in Task.__members__ else TASKS.find(self.value).like

    @property
    def sentence(self) -> str:
        """First sentence of a further task's instructions; empty for a built-in one (see `ultrainteract.wording`)."""
        return "" if self._name_ in Task.__members__ else TASKS.find(self.value).sentence

    @property
    def runs_program(self) -> bool:
        """Whether an action's program is what is checked: run on tests, or its output graded."""
        return self.kind in (Task.CODING, Task.MATH_POT)


@dataclass(frozen=True)
class FurtherTask:
    """A registered task."""

    name: str
    """Published name."""
    like: Task
    """The built-in task whose kind it is."""
    prompts: Path | None
    """Folder with its templates, such as `actor/NAME.cot.md` and `critic/NAME.md` (the name in small letters); those of
    `like` stand in for what it lacks."""
    sentence: str
    """First sentence of its instructions."""


_OPEN = "ultrainteract.schema.open_tasks"
TASKS: Registry[FurtherTask] = Registry(
    "task", "ultrainteract.tasks", {"Chat": _OPEN, "Writing": _OPEN, "Tools": "ultrainteract.tools.task"}
)
"""Further tasks; those of open domains and function calls are built in."""


def task(
    name: str, *, like: Task | str, prompts: Path | None = None
) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Registers a function that returns the first sentence of a task's instructions.

    Args:
        name: Published name of the task.
        like: The built-in task whose kind it is.
        prompts: Folder with its prompt templates.

    Raises:
        ConfigError: Another task has this name, or there are no such templates.
    """

    def register(sentence: Callable[[], str]) -> Callable[[], str]:
        if name in Task.__members__.values():
            raise ConfigError(f"'{name}' is a built-in task. Give yours another name.")
        if prompts is not None and not prompts.is_dir():
            raise ConfigError(f"The prompt templates of the task '{name}' are missing: {prompts}.")
        TASKS.add(name, FurtherTask(name, Task(like), prompts, sentence()), sentence)
        return sentence

    return register
