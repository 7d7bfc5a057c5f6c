"""How a model is rolled out on one problem: the policy of a run that is an evaluation."""

from __future__ import annotations

from typing import Literal

from pydantic import PositiveInt

from ultrainteract.schema import Record

Feedback = Literal["none", "binary", "critique"]
Protocol = Literal["single", "rollout", "mint"]


class RolloutConfig(Record):
    """Rollouts per item, and what happens in one."""

    protocol: Protocol = "single"
    """`single`: one answer per rollout. `rollout`: up to `max_turns` answers with feedback between them; success by
    turn is cumulative. `mint`: MINT's protocol, a rollout of its own for each number of steps k = 1 … `max_turns`."""
    samples: PositiveInt = 1
    """Rollouts per item (in MINT's protocol per item and k)."""
    max_turns: PositiveInt = 5
    """Maximum answers of a `rollout`, or steps of `mint`."""
    feedback: Feedback = "binary"
    """What the model is told of a wrong answer besides what its program printed: `none` (that it may look again, not
    whether it is wrong), `binary` (that it is wrong), `critique` (also what a critic says). In MINT's protocol the
    environment always says that a proposed solution is wrong, so that `none` and `binary` are the same."""
    max_proposals: PositiveInt = 2
    """Maximum proposed solutions of a `mint` rollout; 1 at k = 1."""
    prompt: Literal["published", "template", "question"] = "published"
    """`published`: the item's own prompt and nothing else, as trained models know it; `template`: the prompt templates
    that trees are grown with, for models that have to be told the format; `question`: those templates around the bare
    problem, for small models that the published preamble confuses."""
    logprobs: bool = False
    """Ask the server for log-probabilities, for the most probable of n samples."""

    @property
    def turns(self) -> int:
        """Maximum steps of a rollout."""
        return 1 if self.protocol == "single" else self.max_turns
