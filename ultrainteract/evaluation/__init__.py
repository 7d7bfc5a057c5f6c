"""Evaluation: does a model solve it, at which turn, and what would picking the best of n give.

An evaluation is a run whose policy is rollouts in the place of trees (`tree.rollouts`): models, sandbox, graders,
record, budget and resume are the run's. This package turns what was recorded into figures, compares and shows them, and
hands samples to other tools.
"""
