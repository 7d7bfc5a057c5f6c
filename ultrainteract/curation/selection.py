"""Which candidates make the set: quotas with a temperature, the best of each topic, no near-duplicates, then coverage.

1. Strata are task × dataset × first tag; within a stratum, topics. A stratum's quota is ∝ size^(1/τ) (LIMA samples its
   sources with τ = 3), and so is a topic's within it; every topic gets one sample where the quota allows.
2. A topic's candidates are taken by rank. A problem whose word 5-grams have a Jaccard similarity of 0.9 or more with
   one
   that was taken is passed over (MinHash).
3. Places that are left are filled one by one with the candidate that brings the pool nearest to the set (facility
   location).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ultrainteract.curation.candidates import Candidate
from ultrainteract.curation.rule import CurationRule
from ultrainteract.curation.topics import clusters
from ultrainteract.errors import require
from ultrainteract.schema import content_hash
from ultrainteract.seeds.selection.rules import minhash

WIDTH, PERMUTATIONS = 5, 64
"""Words of an n-gram, and hashes of a signature."""
MAX_TOPICS = 100
"""Maximum number of topics within a stratum."""
_FILL_FROM, _REFERENCES = 4_000, 2_000
"""Candidates and problems of the pool that the fill looks at."""
K = TypeVar("K", str, int, tuple[str, str, str])


@dataclass
class Selection:
    """The set."""

    kept: list[Candidate]
    """In the pool's order."""
    near_duplicates: int
    """Candidates passed over for another one."""
    filled: int
    """Of the kept, those taken for coverage."""
    topics: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """Topics by stratum."""


def select(ordered: Sequence[Candidate], points: NDArray[np.float32], rule: CurationRule) -> Selection:
    """Chooses up to `rule.n` candidates.

    Args:
        ordered: One per instruction, sorted by id.
        points: Their problems' vectors (see `topics.vectors`).
        rule: The rule.
    """
    require("datasketch", "seeds")
    strata: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, one in enumerate(ordered):
        strata[one.stratum].append(number)
    quotas = allot({stratum: len(members) for stratum, members in strata.items()}, rule.n, rule.temperature)
    taken = _Taken(rule.similarity)
    found = Selection([], 0, 0)
    for stratum in sorted(strata):
        members, quota = strata[stratum], quotas[stratum]
        topic_of = clusters(points[members], min(quota, MAX_TOPICS), rule.seed)
        topics: dict[int, list[int]] = defaultdict(list)
        for number, topic in zip(members, topic_of.tolist(), strict=True):
            topics[topic].append(number)
        found.topics[stratum] = len(topics)
        shares = allot({topic: len(inside) for topic, inside in topics.items()}, quota, rule.temperature)
        for topic in sorted(topics):
            left = shares[topic]
            for number in sorted(topics[topic], key=lambda place: ordered[place].rank):
                if not left:
                    break
                left -= taken.add(number, ordered[number])
    found.filled = _fill(ordered, points, taken, rule)
    found.near_duplicates = taken.passed
    found.kept = sorted((ordered[number] for number in taken.numbers), key=lambda one: one.place)
    return found


def random_set(candidates: Sequence[Candidate], rule: CurationRule) -> list[Candidate]:
    """As many candidates as the rule wants, drawn evenly by the hash of seed and id."""
    drawn = sorted(candidates, key=lambda one: content_hash([rule.seed, one.id]))[: rule.n]
    return sorted(drawn, key=lambda one: one.place)


def longest_set(candidates: Sequence[Candidate], rule: CurationRule) -> list[Candidate]:
    """The candidates with the longest answers."""
    drawn = sorted(candidates, key=lambda one: (-one.length, one.id))[: rule.n]
    return sorted(drawn, key=lambda one: one.place)


def allot(sizes: Mapping[K, int], total: int, temperature: float) -> dict[K, int]:
    """Divides `total` among groups ∝ size^(1/temperature), no group beyond its size.

    Each group gets at least one where there is enough for all; remainders go to the largest fractions, equal ones in
    the order of the keys.

    Example:
        >>> allot({"a": 1000, "b": 8, "c": 1}, 12, 3.0)
        {'a': 9, 'b': 2, 'c': 1}
    """
    keys = sorted(sizes)
    total = min(total, sum(sizes.values()))
    found = dict.fromkeys(keys, 0)
    if total >= len(keys):
        found = {key: min(1, sizes[key]) for key in keys}
    weights = {key: sizes[key] ** (1 / temperature) for key in keys}
    while (left := total - sum(found.values())) > 0:
        open_ = [key for key in keys if found[key] < sizes[key]]
        whole = sum(weights[key] for key in open_)
        wanted = {key: min(sizes[key] - found[key], left * weights[key] / whole) for key in open_}
        given = 0
        for key in open_:
            found[key] += int(wanted[key])
            given += int(wanted[key])
        if given:
            continue
        for key in sorted(open_, key=lambda one: (-wanted[one], keys.index(one)))[:left]:
            found[key] += 1
    return found


class _Taken:
    """What was taken, and an index to find near-duplicates in it."""

    def __init__(self, similarity: float) -> None:
        from datasketch import MinHashLSH

        self.numbers: list[int] = []
        self.passed = 0
        self._seen: set[int] = set()
        self._similarity = similarity
        self._index = MinHashLSH(threshold=min(similarity, 0.9), num_perm=PERMUTATIONS)
        self._signatures: dict[int, object] = {}

    def add(self, number: int, candidate: Candidate) -> bool:
        """Takes a candidate, unless it was looked at before or is nearly one that was taken."""
        if number in self._seen:
            return False
        self._seen.add(number)
        signature = minhash(candidate.question, WIDTH, PERMUTATIONS)
        if any(
            signature.jaccard(self._signatures[int(n)]) >= self._similarity
            for n in self._index.query(signature)
        ):
            self.passed += 1
            return False
        self._index.insert(str(number), signature)
        self._signatures[number] = signature
        self.numbers.append(number)
        return True

    def open(self, candidates: Sequence[Candidate]) -> list[int]:
        """Candidates that were not looked at, best first."""
        left = (number for number in range(len(candidates)) if number not in self._seen)
        return sorted(left, key=lambda number: candidates[number].rank)


def _fill(
    ordered: Sequence[Candidate], points: NDArray[np.float32], taken: _Taken, rule: CurationRule
) -> int:
    """Takes what brings the pool nearest to the set, until it is full; returns how many."""
    filled = 0
    while len(taken.numbers) < rule.n and (left := taken.open(ordered)[:_FILL_FROM]):
        stride = max(1, len(points) // _REFERENCES)
        references = points[::stride]
        reach = points[left] @ references.T
        closest = (
            (references @ points[taken.numbers].T).max(axis=1) if taken.numbers else np.zeros(len(references))
        )
        for _ in range(len(left)):
            gains = np.maximum(reach - closest, 0).sum(axis=1)
            best = int(gains.argmax())
            if gains[best] < 0:
                break
            if taken.add(left[best], ordered[left[best]]):
                filled += 1
                closest = np.maximum(closest, reach[best])
                if len(taken.numbers) == rule.n:
                    return filled
            reach[best] = -np.inf
    return filled
