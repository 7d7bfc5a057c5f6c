"""What is graded, and what comes of it.

Both are plain, so that they travel to grading processes and over HTTP at little cost.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ultrainteract.dataset.verifiable import packed, unpacked
from ultrainteract.errors import DataError
from ultrainteract.models.base import FinishReason
from ultrainteract.schema import Instruction, Label, Observation, Record, Verdict
from ultrainteract.schema.verdict import Evidence

Completion = str | Sequence[Mapping[str, Any]]
"""A completion as trainers hand it over: a text, or messages of which the assistant's count."""

read_problem = functools.lru_cache(maxsize=4096)(unpacked)
"""`unpacked`, remembered: a group of samples has one problem."""


class Attempt(NamedTuple):
    """One completion to grade. A tuple, since batches of them are compared, sent and remembered."""

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


PlainScore = tuple[str, str, tuple[str, str, float] | None, str | None, str]
"""Label, reason, (check, detail, reliability), output, status."""


class Score(Record):
    """What is known about one attempt."""

    reward: float | None
    """1 for a proved-correct action, 0 for a proved-wrong one, None (no reward: mask it) where nothing is known."""
    verdict: Verdict
    """The verdict with its evidence, or the reason why there is none."""
    observation: Observation = Observation()
    """What the program printed, where one was run."""

    def plain(self) -> PlainScore:
        """The score as a tuple of texts and numbers: what is sent to other processes."""
        verdict, evidence = self.verdict, self.verdict.evidence
        told = None if evidence is None else (evidence.check, evidence.detail, evidence.reliability)
        return verdict.label.value, verdict.reason, told, self.observation.output, self.observation.status

    @classmethod
    def of_plain(cls, plain: PlainScore) -> Score:
        """The score that `plain` gave. Its parts were checked when it was made."""
        label, reason, told, output, status = plain
        evidence = None
        if told is not None:
            evidence = Evidence.model_construct(check=told[0], detail=told[1], reliability=told[2])
        verdict = Verdict.model_construct(label=Label(label), evidence=evidence, reason=reason)
        observation = (
            _SILENT if output is None and status == "ok" else Observation(output=output, status=status)
        )
        return cls.model_construct(
            reward=_REWARDS.get(verdict.label), verdict=verdict, observation=observation
        )

    @classmethod
    def of(cls, verdict: Verdict, observation: Observation | None = None) -> Score:
        """The score of a verdict."""
        return cls(reward=_REWARDS.get(verdict.label), verdict=verdict, observation=observation or _SILENT)


_REWARDS = {Label.CORRECT: 1.0, Label.WRONG: 0.0}
_SILENT = Observation()


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
