"""The environment package that `verifiers` loads as `ultrainteract-trees`."""

from ultrainteract_trees.taskset import TreesTaskset

__all__ = ["TreesTaskset"]
