"""What became of a pool, and how the curated set compares with a random and a longest one of equal size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ultrainteract.curation.candidates import Candidate, Refused
from ultrainteract.curation.rule import CurationRule
from ultrainteract.curation.selection import Selection, longest_set, random_set, select
from ultrainteract.curation.topics import nearest, vectors
from ultrainteract.schema import Record

NEAR = 0.9
"""Cosine from which on a problem of the pool counts as covered."""
_LOOKED_AT = 20_000
"""Problems of the pool that coverage is measured on."""
OUTSIDE = "length outside of its task's band"
"""Why a candidate is not eligible."""
_FEWEST = 20
"""Candidates of a task from which on their lengths have a band."""


class SetFigures(Record):
    """Figures of one set."""

    samples: int
    covered: float
    """Share of the pool's problems with a problem of the set at cosine 0.9 or more."""
    nearest: float
    """Mean cosine of the pool's problems with the nearest problem of the set."""
    mean_length: float
    """Characters of a sample."""
    mean_pass_rate: float | None
    """Mean posterior pass rate; None where none is known."""
    pass_rates: dict[str, int]
    """Samples by posterior pass rate, in tenths, and `unknown`."""
    lengths: dict[int, int]
    """Samples by the power of two, in characters, that their length reaches."""
    strata: dict[str, int]
    """Samples by task / dataset / first tag."""


class CurationReport(Record):
    """Trees read = refused + eligible; eligible = kept + near-duplicates + not needed."""

    rule: CurationRule
    trees: int
    """Trees read."""
    refused: dict[str, int]
    """Trees without an eligible sample, by reason."""
    eligible: int
    """Candidates."""
    near_duplicates: int
    """Candidates passed over because the set holds nearly the same problem."""
    not_needed: int
    """Candidates left over."""
    filled: int
    """Of the kept, those taken for coverage once the quotas could not be met."""
    topics: dict[str, int]
    """Topics by task / dataset / first tag."""
    sets: dict[str, SetFigures]
    """Figures of `curated`, `random` and `longest`."""


class Sets(dict[str, list[Candidate]]):
    """The three sets by name."""


def curated_sets(found: Iterable[Candidate | Refused], rule: CurationRule) -> tuple[Sets, CurationReport]:
    """Chooses the three sets.

    Args:
        found: What each tree of the pool has to offer.
        rule: The rule.
    """
    refused: Counter[str] = Counter()
    candidates: list[Candidate] = []
    for one in found:
        if isinstance(one, Refused):
            refused[one.reason] += 1
        else:
            candidates.append(one)
    trees = len(candidates) + refused.total()
    eligible = sorted(_within_band(candidates, rule), key=lambda one: one.id)
    points = vectors([one.words for one in eligible])
    if len(eligible) < len(candidates):
        refused[OUTSIDE] += len(candidates) - len(eligible)
    selection = select(eligible, points, rule) if eligible else Selection([], 0, 0)
    sets = Sets(
        curated=selection.kept, random=random_set(eligible, rule), longest=longest_set(eligible, rule)
    )
    return sets, CurationReport(
        rule=rule, trees=trees, refused=dict(sorted(refused.items())), eligible=len(eligible),
        near_duplicates=selection.near_duplicates,
        not_needed=len(eligible) - len(selection.kept) - selection.near_duplicates, filled=selection.filled,
        topics={" / ".join(stratum): count for stratum, count in sorted(selection.topics.items())},
        sets=_figures(sets, eligible, points),
    )  # fmt: skip


def _within_band(candidates: Sequence[Candidate], rule: CurationRule) -> list[Candidate]:
    by_task: dict[str, list[int]] = {}
    for one in candidates:
        by_task.setdefault(one.stratum[0], []).append(one.length)
    bands = {
        task: np.quantile(lengths, rule.length_band) if len(lengths) >= _FEWEST else (0, np.inf)
        for task, lengths in by_task.items()
    }
    return [one for one in candidates if bands[one.stratum[0]][0] <= one.length <= bands[one.stratum[0]][1]]


def _figures(sets: Sets, eligible: Sequence[Candidate], points: NDArray[np.float32]) -> dict[str, SetFigures]:
    if not eligible:
        return {}
    place = {one.id: number for number, one in enumerate(eligible)}
    pool = points[:: max(1, len(points) // _LOOKED_AT)]
    return {
        name: _of(kept, nearest(pool, points[[place[one.id] for one in kept]])) for name, kept in sets.items()
    }


def _of(kept: Sequence[Candidate], reach: NDArray[np.float32]) -> SetFigures:
    rates = [one.pass_rate for one in kept if one.pass_rate is not None]
    tenths = Counter(
        "unknown" if one.pass_rate is None else f"{int(one.pass_rate * 10) / 10:.1f}" for one in kept
    )
    return SetFigures(
        samples=len(kept),
        covered=round(float((reach >= NEAR - 1e-6).mean()), 4),
        nearest=round(float(reach.mean()), 4),
        mean_length=round(sum(one.length for one in kept) / len(kept), 1) if kept else 0.0,
        mean_pass_rate=round(sum(rates) / len(rates), 4) if rates else None,
        pass_rates=dict(sorted(tenths.items())),
        lengths=dict(sorted(Counter(1 << max(0, one.length - 1).bit_length() for one in kept).items())),
        strata=dict(sorted(Counter(" / ".join(one.stratum) for one in kept).items())),
    )
