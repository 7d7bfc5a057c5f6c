"""verl: reward functions with the signatures that its reward managers call, over a `verl-rl` export.

verl has no reward for "not known": every score is a number. A completion without a verdict gets the mean of the others
of its prompt, at which its advantage is 0 in GRPO and RLOO and their baseline stays what it is; so use the manager that
hands over whole batches (`reward_model.reward_manager=batch`, `custom_reward_function.name=compute_scores`). Where
samples are scored one by one there is no group to be seen, and `undetermined` stands in.

`custom_reward_function.path` names a file; `from ultrainteract.rewards.verl import *` in it is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ultrainteract.errors import DataError
from ultrainteract.rewards.attempts import Attempt, Score
from ultrainteract.rewards.function import RewardFunction, shared

__all__ = ["compute_score", "compute_scores"]

NEUTRAL = 0.5
"""Score that stands in for an unknown one where nothing else is known of its prompt."""
Result = dict[str, float]


def compute_scores(
    data_sources: Sequence[str],
    solution_strs: Sequence[str],
    ground_truths: Sequence[str],
    extra_infos: Sequence[Mapping[str, Any]],
    function: RewardFunction | None = None,
    **_: Any,
) -> list[Result]:
    """Scores of a batch, for the manager `batch`.

    Args:
        data_sources: Names of the datasets.
        solution_strs: The completions.
        ground_truths: The gold answers; graded is by the whole problem in `extra_infos`.
        extra_infos: The column `extra_info` of a `verl-rl` export.
        function: What grades; one for the whole process if None.

    Returns:
        For each completion `score` (1, 0, or the mean of its prompt's others), `acc`, and `undetermined` (0 or 1).

    Raises:
        DataError: A row has no `extra_info.problem`.
    """
    problems = [_problem(info) for info in extra_infos]
    attempts = [Attempt(problem=p, text=text) for p, text in zip(problems, solution_strs, strict=True)]
    scores = (function or shared()).grade(attempts)
    known: defaultdict[str, list[float]] = defaultdict(list)
    for problem, score in zip(problems, scores, strict=True):
        if score.reward is not None:
            known[problem].append(score.reward)
    return [
        _result(score, sum(known[problem]) / len(known[problem]) if known[problem] else NEUTRAL)
        for problem, score in zip(problems, scores, strict=True)
    ]


async def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: str,
    extra_info: Mapping[str, Any] | None = None,
    undetermined: float = NEUTRAL,
    function: RewardFunction | None = None,
    **_: Any,
) -> Result:
    """The score of one completion, for the reward loop and the managers that ask one by one.

    Args:
        data_source: Name of the dataset.
        solution_str: The completion.
        ground_truth: The gold answer; graded is by the whole problem in `extra_info`.
        extra_info: The column `extra_info` of a `verl-rl` export.
        undetermined: Score where nothing is known (`custom_reward_function.reward_kwargs` sets it).
        function: What grades; one for the whole process if None.

    Raises:
        DataError: The row has no `extra_info.problem`.
    """
    attempt = Attempt(problem=_problem(extra_info), text=solution_str)
    [score] = await (function or shared()).score([attempt])
    return _result(score, undetermined)


def _problem(info: Mapping[str, Any] | None) -> str:
    problem = (info or {}).get("problem")
    if not isinstance(problem, str):
        raise DataError("A row has no `extra_info.problem`: train on a `verl-rl` export.")
    return problem


def _result(score: Score, neutral: float) -> Result:
    value = neutral if score.reward is None else score.reward
    return {"score": value, "acc": value, "undetermined": float(score.reward is None)}
