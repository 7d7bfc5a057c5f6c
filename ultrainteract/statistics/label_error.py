"""The share of wrong labels, estimated from a sample that a person judged blind."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ultrainteract.dataset.audits import Audit, read_audit
from ultrainteract.statistics.figures import LabelError

_Z = 1.959964
"""Quantile of the normal distribution for 95 %."""


def estimated_error(audits: Sequence[Audit]) -> LabelError:
    """The share of labels that a person would judge otherwise, over the strata from which something was judged.

    The estimate is the strata's error rates, weighted by their sizes (Cochran, *Sampling Techniques*, chapter 5). The
    interval is Wilson's at 95 %, with the sample size that a simple random sample of the same variance would have
    (Kish's design effect), so that it is not empty where no error was found. Actions that the person could not judge
    count in neither.

    Args:
        audits: Audits of disjoint sets of trees.
    """
    sizes: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    unsure = 0
    for number, audit in enumerate(audits):
        for stratum, size in audit.strata.items():
            sizes[f"{number} {stratum}"] += size
        for item in audit.items:
            if item.answer == "unsure":
                unsure += 1
            elif item.answer is not None:
                judged[f"{number} {item.stratum}"] += 1
                errors[f"{number} {item.stratum}"] += item.answer != item.label
    covered = sum(sizes[stratum] for stratum in judged)
    found = LabelError(
        actions=sum(sizes.values()),
        covered=covered,
        sampled=sum(len(audit.items) for audit in audits),
        judged=sum(judged.values()),
        unsure=unsure,
        disagreements=sum(errors.values()),
    )
    if not covered:
        return found
    weights = {stratum: sizes[stratum] / covered for stratum in judged}
    rate = sum(weights[stratum] * errors[stratum] / judged[stratum] for stratum in judged)
    effective = 1 / sum(weights[stratum] ** 2 / judged[stratum] for stratum in judged)
    low, high = wilson(rate, effective)
    return found.model_copy(update={"error": rate, "low": low, "high": high})


def wilson(rate: float, count: float) -> tuple[float, float]:
    """Wilson's interval of a share at 95 %.

    Args:
        rate: The observed share.
        count: Observations; may be a fraction, where it is an effective number.
    """
    spread = _Z * math.sqrt(rate * (1 - rate) / count + _Z**2 / (4 * count**2))
    middle, scale = rate + _Z**2 / (2 * count), 1 + _Z**2 / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def audited_error(places: Sequence[str]) -> LabelError | None:
    """The estimate from the audits that lie in some folders, or beside some files; None where there is none.

    Raises:
        DataError: An audit cannot be read.
    """
    folders = [path if path.is_dir() else path.parent for path in map(Path, places) if path.exists()]
    audits = [audit for folder in dict.fromkeys(folders) if (audit := read_audit(folder)) is not None]
    return estimated_error(audits) if any(item.answer for audit in audits for item in audit.items) else None
