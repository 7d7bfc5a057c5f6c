"""OpenRLHF 0.11: the reward function that `--reward.remote_url FILE.py` loads, over an `openrlhf-rl` export.

It is called with one completion at a time, and every reward is a number. A completion without a verdict gets 0.5,
between right and wrong, as `rewards`, and NaN as `scores`: `--algo.dynamic_filtering_enable`, which keeps groups whose
mean score lies in a range, then drops its whole group. Turn that on, so that nothing is learned from what is not known.

The file may hold the one line `from ultrainteract.rewards.openrlhf import reward_func`.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from ultrainteract.rewards.attempts import Attempt
from ultrainteract.rewards.function import RewardFunction, shared
from ultrainteract.rewards.verl import NEUTRAL

__all__ = ["reward_func"]


def reward_func(
    queries: Sequence[str],
    prompts: Sequence[str],
    labels: Sequence[str],
    function: RewardFunction | None = None,
    **_: Any,
) -> dict[str, Any]:
    """Rewards of a batch.

    Args:
        queries: Prompts with their completions, special tokens included.
        prompts: The prompts.
        labels: The problems: the column `label` of an `openrlhf-rl` export.
        function: What grades; one for the whole process if None.

    Returns:
        `rewards` for the advantage, `scores` for dynamic filtering, `extra_logs`; all tensors of shape (batch,).

    Raises:
        DataError: A label is no problem.
    """
    torch = import_module("torch")
    texts = [query.removeprefix(prompt) for query, prompt in zip(queries, prompts, strict=True)]
    attempts = [Attempt(problem=label, text=text) for label, text in zip(labels, texts, strict=True)]
    found = [score.reward for score in (function or shared()).grade(attempts)]
    unknown = torch.tensor([float(reward is None) for reward in found])
    rewards = torch.tensor([NEUTRAL if reward is None else reward for reward in found])
    scores = torch.where(unknown.bool(), torch.nan, rewards)
    return {"rewards": rewards, "scores": scores, "extra_logs": {"undetermined": unknown}}
