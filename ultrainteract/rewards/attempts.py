"""What is graded, and what comes of it.

Both are plain records, so that they travel to worker processes and over HTTP as they are.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ultrainteract.dataset.verifiable import packed, unpacked
from ultrainteract.errors import DataError
from ultrainteract.models.base import FinishReason
from ultrainteract.schema import Instruction, Label, Observation, Record, Verdict

Completion = str | Sequence[Mapping[str, Any]]
"""A completion as trainers hand it over: a text, or messages of which the assistant's count."""

read_problem = functools.lru_cache(maxsize=4096)(unpacked)
"""`unpacked`, remembered: a group of samples has one problem."""


class Attempt(Record):
    """One completion to grade."""

    problem: str
    """The problem as one JSON text: the column `problem` of an `-rl` export."""
    text: str
    """The completion as the policy wrote it, with its reasoning."""
    finish_reason: FinishReason = "stop"
    """`length` where it was cut off: then whatever it says is undetermined, as in a tree."""
    earlier: tuple[str, ...] = ()
    """The policy's own messages of the turns before, oldest first: their code made the notebook's state."""

    @classmethod
    def of(
        cls, completion: Completion, problem: str | Instruction, finish_reason: FinishReason = "stop",
        prompt: Completion = "",
    ) -> Attempt:  # fmt: skip
        """An attempt in whatever form a trainer has it.

        Args:
            completion: The completion.
            problem: The problem, packed or not.
            finish_reason: Why it ended.
            prompt: The conversation before it, from which the earlier turns are taken.
        """
        text = problem if isinstance(problem, str) else packed(problem)
        earlier = () if isinstance(prompt, str) else tuple(_said(prompt))
        written = completion if isinstance(completion, str) else "\n".join(_said(completion))
        return cls(problem=text, text=written, finish_reason=finish_reason, earlier=earlier)


class Score(Record):
    """What is known about one attempt."""

    reward: float | None
    """1 for a proved-correct action, 0 for a proved-wrong one, None (no reward: mask it) where nothing is known."""
    verdict: Verdict
    """The verdict with its evidence, or the reason why there is none."""
    observation: Observation = Observation()
    """What the program printed, where one was run."""

    @classmethod
    def of(cls, verdict: Verdict, observation: Observation | None = None) -> Score:
        """The score of a verdict."""
        reward = {Label.CORRECT: 1.0, Label.WRONG: 0.0}.get(verdict.label)
        return cls(reward=reward, verdict=verdict, observation=observation or Observation())


def attempts_of(
    completions: Sequence[Completion],
    problems: Sequence[str | Instruction],
    finish_reasons: Sequence[FinishReason] | None = None,
    prompts: Sequence[Completion] | None = None,
) -> list[Attempt]:
    """The attempts of a batch.

    Raises:
        DataError: The batch is not of one size.
    """
    count = len(completions)
    for name, given in (("problems", problems), ("finish_reasons", finish_reasons), ("prompts", prompts)):
        if given is not None and len(given) != count:
            raise DataError(
                f"There are {count} completions and {len(given)} {name}: pass one of each per completion."
            )
    ends = finish_reasons or ["stop"] * count
    before = prompts or [""] * count
    return [Attempt.of(*one) for one in zip(completions, problems, ends, before, strict=True)]


def _said(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """The assistant's texts."""
    found = []
    for message in messages:
        content = message.get("content")
        if message.get("role") == "assistant" and content:
            parts = [content] if isinstance(content, str) else [part.get("text") or "" for part in content]
            found.append("".join(parts))
    return found
