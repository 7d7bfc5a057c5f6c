"""Which trees are exported and to which split they go: decided by content, never by position or by chance.

All trees of a problem (the same question with and without a tool, say) go to the same split, so that nothing a
model is validated on was seen in training.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import tree_passes
from ultrainteract.errors import ConfigError
from ultrainteract.exporting.order import problem_of
from ultrainteract.schema import Tree, content_hash

Split = Literal["train", "validation"]
_WHOLE = 2**64


@dataclass(frozen=True)
class Choice:
    """Draws trees and sorts them into splits."""

    config: ExportConfig
    bounds: dict[tuple[str, str], int] = field(default_factory=dict)
    """For each group, the draw below which its trees are taken; empty where all are."""

    @classmethod
    def of(cls, trees: Iterable[Tree], config: ExportConfig) -> Choice:
        """Reads the trees once where the groups have to be balanced, else not at all.

        Raises:
            ConfigError: They have to be balanced but can be read only once.
        """
        if config.balance == "off":
            return cls(config)
        if isinstance(trees, Iterator):
            raise ConfigError(
                "export.balance reads the trees twice: pass a list, or an object that can be iterated again."
            )
        draws: dict[tuple[str, str], array[int]] = {}
        for tree in trees:
            if tree_passes(tree, config.filter):
                draws.setdefault(_group(tree, config), array("Q")).append(_draw(tree.id, "balance"))
        least = min((len(group) for group in draws.values()), default=0)
        return cls(config, {group: sorted(numbers)[least - 1] + 1 for group, numbers in draws.items()})

    def takes(self, tree: Tree) -> bool:
        """Whether the tree is exported."""
        return not self.bounds or _draw(tree.id, "balance") < self.bounds[_group(tree, self.config)]

    def split(self, tree: Tree) -> Split:
        """The split of all rows of this tree."""
        if not self.config.validation:
            return "train"
        inside = _draw(problem_of(tree), "validation") < self.config.validation * _WHOLE
        return "validation" if inside else "train"


def _group(tree: Tree, config: ExportConfig) -> tuple[str, str]:
    instruction = tree.instruction
    return instruction.task.value, instruction.dataset if config.balance == "dataset" else ""


def _draw(text: str, purpose: str) -> int:
    return int(content_hash([purpose, text])[:16], 16)
