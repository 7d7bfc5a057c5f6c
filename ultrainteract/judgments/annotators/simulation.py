"""Simulated annotators of the three kinds: what a plan can tell apart, before anybody is asked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from ultrainteract.judgments.annotators.classify import Kind, classify
from ultrainteract.judgments.annotators.measures import Question

Answers = Callable[[Question], str]
"""What an annotator writes, on the scale of the question."""
_SAID = {"pairwise": {"1": "1", "2": "2"}, "rating": {"1": "7 4", "2": "4 7"}}
"""An answer by scale and by the preferred one as shown."""


def fixed(rng: random.Random, slip: float = 0.0) -> Answers:
    """Prefers one answer whatever is asked, but for slips."""
    better = rng.choice("ab")

    def answer(question: Question) -> str:
        shown = "1" if (better == "a") == (question.order == "straight") else "2"
        slips = rng.random() < slip
        return _SAID[question.scale]["12".replace(shown, "") if slips else shown]

    return answer


def coin(rng: random.Random) -> Answers:
    """Answers because an answer is due."""
    return lambda question: _SAID[question.scale][rng.choice("12")]


def order_follower(rng: random.Random) -> Answers:
    """Prefers what stands in one place."""
    place = rng.choice("12")
    return lambda question: _SAID[question.scale][place]


def wording_follower(rng: random.Random) -> Answers:
    """Prefers one answer under the first wording and the other one under the others."""
    better = rng.choice("ab")

    def answer(question: Question) -> str:
        preferred = better if question.wording == "1" else "b" if better == "a" else "a"
        return _SAID[question.scale]["1" if (preferred == "a") == (question.order == "straight") else "2"]

    return answer


KINDS: dict[str, tuple[Kind, Callable[[random.Random], Answers]]] = {
    "fixed opinion": ("genuine", fixed),
    "coin": ("non-attitude", coin),
    "follows order": ("constructed", order_follower),
    "follows wording": ("constructed", wording_follower),
}
"""Simulated annotators with the class that each should get."""


def confusion(questions: Sequence[Question], items: int = 200, seed: int = 0) -> dict[str, Counter[Kind]]:
    """How simulated annotators would be classified.

    Args:
        questions: The questions about one item.
        items: Annotators of each kind.
        seed: Seed of their answers.
    """
    found: dict[str, Counter[Kind]] = {}
    for name, (_, make) in KINDS.items():
        rng = random.Random(f"{seed} {name}")
        counts: Counter[Kind] = Counter()
        for _ in range(items):
            answers = make(rng)
            asked = [question.model_copy(update={"answer": answers(question)}) for question in questions]
            counts[classify(asked).kind] += 1
        found[name] = counts
    return found
