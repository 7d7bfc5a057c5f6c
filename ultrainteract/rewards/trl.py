"""TRL's GRPO and RLOO: a reward function with the signature that they call, and trainers that mask what is not known.

TRL 1.16 leaves a completion out of its group's baseline, and gives it an advantage of 0, where *every* reward function
returns None. With a second reward function (of the format, say) its rewards are summed without ours, which is then 0 in
all but name. `masked` makes a trainer in which our None alone is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

from ultrainteract.errors import DataError
from ultrainteract.models.base import FinishReason
from ultrainteract.rewards.attempts import Completion, attempts_of
from ultrainteract.rewards.function import RewardFunction

T = TypeVar("T", bound=type)

MASKS = "ultrainteract_masks"
"""Attribute of reward functions whose None masks a completion whatever others say."""


def trl_reward(
    function: RewardFunction, *, eos_token_ids: Collection[int] = (), name: str = "verified"
) -> Callable[..., list[float | None]]:
    """A reward function for `GRPOTrainer` and `RLOOTrainer`, over a `trl-rl` export.

    Args:
        function: What grades.
        eos_token_ids: Tokens that end a completion. Where they are given, a completion that ends with none of them was
            cut off, and so has no reward.
        name: Name in the trainer's logs.

    Returns:
        A function of `prompts`, `completions`, `completion_ids` and the column `problem`.
    """

    def reward(
        prompts: Sequence[Completion], completions: Sequence[Completion],
        completion_ids: Sequence[Sequence[int]] | None = None, problem: Sequence[str] | None = None, **columns: Any,
    ) -> list[float | None]:  # fmt: skip
        if problem is None:
            raise DataError("The dataset has no column `problem`: train on a `trl-rl` export.")
        ends = None if not eos_token_ids else _ends(completion_ids or (), frozenset(eos_token_ids))
        scores = function.grade(attempts_of(completions, problem, ends, prompts))
        if (log := columns.get("log_metric")) is not None:
            log(f"rewards/{name}/undetermined", sum(score.reward is None for score in scores) / len(scores))
        return [score.reward for score in scores]

    reward.__name__ = name
    setattr(reward, MASKS, True)
    return reward


def masked(trainer: T) -> T:
    """A trainer in which a completion without a verdict has no advantage, whatever other reward functions say of it.

    Args:
        trainer: `GRPOTrainer`, `RLOOTrainer`, or a subclass.
    """

    def _calculate_rewards(self: Any, *arguments: Any, **more: Any) -> Any:
        found = super(made, self)._calculate_rewards(*arguments, **more)  # (completions, reward functions)
        ours = [
            number for number, function in enumerate(self.reward_funcs) if getattr(function, MASKS, False)
        ]
        if ours:
            found[found[:, ours].isnan().any(dim=1)] = float("nan")
        return found

    made: Any = type(f"Masked{trainer.__name__}", (trainer,), {"_calculate_rewards": _calculate_rewards})
    made.__doc__ = f"{trainer.__name__} that masks completions without a verdict."
    made.__module__ = __name__
    return made  # type: ignore[no-any-return]


def _ends(completion_ids: Sequence[Sequence[int]], eos: frozenset[int]) -> list[FinishReason]:
    return ["stop" if ids and ids[-1] in eos else "length" for ids in completion_ids]
