"""The best sample of each tree, or why it has none: one pass over the pool, on several cores.

What is kept of a tree is small (its problem's text, a few numbers, 256 bytes of word counts), so that a pool of 100,000
trees fits into memory. Guarantee: an instruction has at most one sample.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from ultrainteract.curation.rule import (
    BREVITY,
    CLEAN,
    DIFFICULTY,
    FULL_REPAIR,
    QUALITY,
    RELIABILITY,
    REPAIR,
    CurationRule,
)
from ultrainteract.curation.topics import word_counts
from ultrainteract.dataset.samples import correct_actions
from ultrainteract.dataset.source import Repeatable
from ultrainteract.schema import Node, Tree, Turn
from ultrainteract.store import read_tree

CHUNK = 200
"""Trees handed to a process at a time."""
_WORTH_IT = 2000
"""Trees from which on other cores are asked."""


class Candidate(NamedTuple):
    """The best sample of a tree."""

    id: str
    place: int
    """Position of its tree in the pool."""
    stratum: tuple[str, str, str]
    """Task, dataset, first tag."""
    question: str
    words: bytes
    """Counts of the question's hashed words (see `topics.word_counts`)."""
    turn: int
    number: int
    """Position among the tree's correct actions."""
    length: int
    """Characters."""
    pass_rate: float | None
    """Posterior mean of turn 1's pass rate; None where nothing was judged."""
    second_choice: bool
    """Easier than the rule's band, or hard without guided actions allowed."""
    score: float
    """Difficulty and quality, 0 to 1."""

    @property
    def rank(self) -> tuple[bool, float, str]:
        """Order in which candidates are taken: the first is the best."""
        return self.second_choice, -self.score, self.id


class Refused(NamedTuple):
    """A tree without an eligible sample."""

    reason: str


def candidate_of(tree: Tree, rule: CurationRule, place: int = 0) -> Candidate | Refused:
    """The best eligible sample of a tree; lengths are compared later, within the pool."""
    instruction = tree.instruction
    if tree.simulated and not rule.simulated:
        return Refused("simulated")
    if rule.licenses and (instruction.licence or "unknown") not in rule.licenses:
        return Refused("license not allowed")
    actions = correct_actions(tree)
    if not actions:
        return Refused("no correct action")
    longest = max(len(found.node.action.text) for found in actions)
    why: list[str] = []
    best: tuple[float, int, int] | None = None
    for number, found in enumerate(actions):
        if reason := _unfit(found.node, rule):
            why.append(reason)
            continue
        quality = _quality(tree, found.turn, found.node, longest)
        if best is None or (quality, -len(found.node.action.text)) > (best[0], -best[1]):
            best = quality, len(found.node.action.text), number
    if best is None:
        return Refused(min(why, key=_REASONS.index))
    quality, length, number = best
    rate = posterior_pass_rate(tree.turns[0])
    score = DIFFICULTY * (0.5 if rate is None else 1 - rate) + QUALITY * quality
    return Candidate(
        id=tree.id, place=place,
        stratum=(instruction.task.value, instruction.dataset, instruction.tags[0] if instruction.tags else ""),
        question=instruction.question, words=word_counts(instruction.question), turn=actions[number].turn,
        number=number, length=length, pass_rate=rate,
        second_choice=(rate is not None and rate > rule.max_pass_rate) or (tree.hard and not rule.guided),
        score=round(score, 9),
    )  # fmt: skip


def posterior_pass_rate(turn: Turn) -> float | None:
    """Mean of the pass rate's posterior under Beta(1, 1): few samples are neither 0 % nor 100 %."""
    first = turn.steps[0] if turn.steps else None
    return (first.correct + 1) / (first.judged + 2) if first is not None and first.judged else None


def curated_tree(tree: Tree, candidate: Candidate) -> Tree:
    """The tree with the candidate's sample alone: its turn, the wrong actions before it, its pair if it has one."""
    found = correct_actions(tree)[candidate.number]
    turns = [
        turn.model_copy(update={"correct": None, "paired": False, "extra": (), "more_correct": ()})
        for turn in tree.turns[: found.turn - 1]
    ]
    last = tree.turns[found.turn - 1]
    own = last.correct is found.node
    extra = next((pair for pair in last.extra if pair.chosen is found.node), None)
    turns.append(
        last.model_copy(
            update={
                "correct": found.node,
                "incorrect": last.incorrect if own else extra.rejected if extra else None,
                "paired": last.paired if own else extra is not None,
                "extra": (),
                "more_correct": (),
            }
        )
    )
    return tree.model_copy(update={"turns": tuple(turns)})


_REASONS = (
    "reliability below the minimum", "its code does not parse", "guided actions alone", "empty answer",
)  # fmt: skip
"""Why an action is not eligible; the first that holds for any of a tree's actions is said of the tree."""


def _unfit(node: Node, rule: CurationRule) -> str:
    evidence = node.verdict.evidence
    if not node.action.text.strip():
        return _REASONS[3]
    if node.provenance.step.startswith("guided") and not rule.guided:
        return _REASONS[2]
    if not node.action.syntax_ok:
        return _REASONS[1]
    if evidence is None or evidence.reliability < rule.min_reliability:
        return _REASONS[0]
    return ""


def _quality(tree: Tree, turn: int, node: Node, longest: int) -> float:
    evidence = node.verdict.evidence
    critiques = [earlier.critique for earlier in tree.history(turn) if earlier.critique is not None]
    clean = not tree.guards and all(critique.guard == "clean" for critique in critiques)
    return (
        RELIABILITY * (evidence.reliability if evidence else 0.0)
        + CLEAN * clean
        + REPAIR * min(len(tree.history(turn)), FULL_REPAIR) / FULL_REPAIR
        + BREVITY * (1 - len(node.action.text) / longest)
    )


# ------------------------------------------------------------------------------------------- the pool


def read_candidates(trees: Repeatable, rule: CurationRule, jobs: int) -> Iterator[Candidate | Refused]:
    """What each tree of a pool has to offer, in the pool's order.

    Args:
        trees: The pool; other cores can help where its trees are stored packed.
        rule: The rule.
        jobs: Processes to use.
    """
    packed = trees.packed() if jobs > 1 else None
    if packed is None:
        for place, tree in enumerate(trees):
            yield candidate_of(tree, rule, place)
        return
    head = list(islice(packed, _WORTH_IT))
    if len(head) < _WORTH_IT:
        yield from _of_blobs(rule, 0, head)
        return
    waiting: deque[Future[list[Candidate | Refused]]] = deque()
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        for first, chunk in _chunks(head, packed):
            waiting.append(pool.submit(partial(_of_blobs, rule), first, chunk))
            if len(waiting) > 2 * jobs:  # bounds memory
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def processes() -> int:
    """Processes to use: one per core, at most 8."""
    return min(8, os.cpu_count() or 1)


def _of_blobs(rule: CurationRule, first: int, blobs: list[bytes]) -> list[Candidate | Refused]:
    return [candidate_of(read_tree(blob), rule, first + number) for number, blob in enumerate(blobs)]


def _chunks(head: Iterable[bytes], rest: Iterator[bytes]) -> Iterator[tuple[int, list[bytes]]]:
    def whole() -> Iterator[Any]:
        yield from head
        yield from rest

    blobs, first = whole(), 0
    while chunk := list(islice(blobs, CHUNK)):
        yield first, chunk
        first += len(chunk)
