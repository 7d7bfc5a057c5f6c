"""Pairs for a reward model: the multi-turn pairs, and single-turn ones across turns (paper, appendix B).

Every correct action of an instruction is also paired with the incorrect actions of *other* turns. That is done
only where (correct actions) times (incorrect actions) is at most 10; an instruction has then at most 9 pairs in all,
and each action stands in at most 3 of them, the same-turn pairs counted. Three turns give exactly that: nine pairs,
each action in three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import Preference, node_passes, picked_pairs, preferences, spoken
from ultrainteract.schema import Label, Node, Tree

MAX_PRODUCT = 10
"""Trees with more combinations than this are not augmented."""
MAX_PAIRS = 9
"""Most pairs of an instruction."""
MAX_USES = 3
"""Most pairs one action may stand in."""


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
                prompt=(("user", tree.instruction.prompt),),
                chosen=(("assistant", chosen),),
                rejected=(("assistant", rejected),),
                augmented=True,
            )


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
