"""Pairs for a reward model: the multi-turn pairs, and single-turn ones across turns (paper, appendix B).

Every correct action of an instruction is also paired with the incorrect actions of *other* turns. That is done
only where (correct actions) times (incorrect actions) is at most 10; an instruction has then at most 9 pairs in all,
and each action stands in at most 3 of them, the same-turn pairs counted. Three turns give exactly that: nine pairs,
each action in three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import Preference, node_passes, opening, picked_pairs, preferences, spoken
from ultrainteract.exporting.formats.trl import PREFERENCE_COLUMNS, preference
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Label, Node, Tree

COLUMNS = {**PREFERENCE_COLUMNS, "direct": "bool", "augmented": "bool"}

MAX_PRODUCT = 10
"""Trees with more combinations than this are not augmented."""
MAX_PAIRS = 9
"""Maximum number of pairs per instruction."""
MAX_USES = 3
"""Maximum number of pairs that one action may stand in."""


def reward_samples(tree: Tree, config: ExportConfig) -> Iterator[Preference]:
    """The pairs of a tree that `config` selects, then the augmented ones; see the module for the rule.

    Args:
        tree: The tree.
        config: Selection of pairs and the filter; augmentation takes place only where all pairs are selected.
    """
    yield from preferences(tree, config)
    if config.pairs != "all":
        return
    correct = _usable(tree, config, Label.CORRECT)
    wrong = _usable(tree, config, Label.WRONG)
    if len(correct) * len(wrong) > MAX_PRODUCT:
        return
    uses: Counter[tuple[Label, str]] = Counter()
    known: set[tuple[str, str]] = set()
    for pair in picked_pairs(tree, "all", config.filter):
        chosen, rejected = spoken(pair.chosen.action), spoken(pair.rejected.action)
        known.add((chosen, rejected))
        uses[Label.CORRECT, chosen] += 1
        uses[Label.WRONG, rejected] += 1
    count = len(known)
    for turn, chosen in correct:
        for other, rejected in wrong:
            if turn == other or chosen == rejected or (chosen, rejected) in known:
                continue
            sides = ((Label.CORRECT, chosen), (Label.WRONG, rejected))
            if count >= MAX_PAIRS or any(uses[side] >= MAX_USES for side in sides):
                continue
            known.add((chosen, rejected))
            uses.update(sides)
            count += 1
            yield Preference(
                prompt=opening(tree.instruction),
                chosen=(("assistant", chosen),),
                rejected=(("assistant", rejected),),
                augmented=True,
            )


@exporter(
    "reward", kind="preference", columns=COLUMNS, samples=reward_samples, levels=("turn",),
    summary="reward model: pairs and pairs across turns (appendix B)",
)  # fmt: skip
def reward(sample: Preference) -> Iterator[dict[str, Any]]:
    """A pair for a reward model, with the marks that the loss of the paper's appendix B needs.

    Where `direct` is true, the loss has all three terms, `-log σ(r_c - r_r) - log σ(r_c) - log σ(-r_r)`; elsewhere
    the first alone. The column is this project's own: `ultrainteract train reward` reads it. `augmented` marks pairs whose
    actions come from different turns.

    Example:
        >>> from ultrainteract.exporting import ExportConfig
        >>> from ultrainteract.exporting.example import example_tree
        >>> rows = [row for pair in reward_samples(example_tree(), ExportConfig()) for row in reward(pair)]
        >>> [(row["augmented"], len(row["prompt"])) for row in rows]
        [(False, 1), (False, 3), (True, 1), (True, 1)]
    """
    for row in preference(sample):
        yield {**row, "direct": sample.direct, "augmented": sample.augmented}


def _usable(tree: Tree, config: ExportConfig, label: Label) -> list[tuple[int, str]]:
    """(turn, text) of the actions that may stand in a pair on the side of `label`, each text once."""
    found: dict[str, int] = {}
    for number, node in tree.nodes():
        turn = tree.turns[number - 1]
        if node.verdict.label is label and _pairable(node) and node_passes(node, turn, number, config.filter):
            found.setdefault(spoken(node.action), number)
    return [(turn, text) for text, turn in found.items()]


def _pairable(node: Node) -> bool:
    """Whether an action may be paired at all: its code parses, and not a judge alone decided on it."""
    evidence = node.verdict.evidence
    return node.action.syntax_ok and evidence is not None and evidence.check != "judge"
