"""Verifiable rewards: completions graded by the graders and in the sandbox that trees are grown with.

A reward is 1 where an action is proved correct, 0 where it is proved wrong, and None where nothing is known: a policy
must learn nothing from a grader that gave up. `RewardFunction` grades batches in worker processes, `Episode` is the
environment of a whole trajectory; `trl`, `verl` and `openrlhf` have the signatures that those trainers call.
"""

from ultrainteract.rewards.attempts import Attempt, Score
from ultrainteract.rewards.environment import Episode, Step
from ultrainteract.rewards.function import RewardFunction
from ultrainteract.rewards.scorer import Scorer, ScorerConfig

__all__ = ["Attempt", "Episode", "RewardFunction", "Score", "Scorer", "ScorerConfig", "Step"]
