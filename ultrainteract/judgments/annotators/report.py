"""Answers of annotators as findings, figures of each annotator, and pairs from genuine preferences alone.

A pair's reliability is measured: by how often the annotators' genuine preferences are right where the better answer
is known, or else by how often they agree with other annotators (Dawid and Skene's model with one parameter per
annotator). Where neither is there nothing was measured, and no pair is made. Several annotators of one item are taken
as independent.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ultrainteract.errors import require
from ultrainteract.grading.reliability import lower_bound
from ultrainteract.judgments.annotators.classify import Finding, classify, decided_by_factor
from ultrainteract.judgments.annotators.measures import Item, Question
from ultrainteract.judgments.trees import Answer, Couple, JudgedTrees, open_instruction
from ultrainteract.judgments.votes.pairs import one_coin
from ultrainteract.schema import Evidence

_HIGHEST = 0.99
"""Highest reliability: annotators are never quite independent."""


@dataclass(frozen=True)
class Rate:
    """A share with its 95 % interval (Wilson)."""

    count: int
    total: int

    def to_json(self) -> dict[str, float | int | None]:
        """Count, total, share, low and high; None where nothing was counted."""
        if not self.total:
            return {"count": 0, "total": 0, "share": None, "low": None, "high": None}
        low, high = lower_bound(self.count, self.total), 1 - lower_bound(self.total - self.count, self.total)
        return {
            "count": self.count, "total": self.total, "share": round(self.count / self.total, 4),
            "low": round(low, 4), "high": round(high, 4),
        }  # fmt: skip


@dataclass
class Annotations:
    """What is known of all annotators and items."""

    measures: int
    unanswered: int
    """Measures that nobody has answered yet."""
    unread: int
    """Measures whose answer cannot be read."""
    findings: dict[tuple[str, str], Finding] = field(default_factory=dict)
    """By annotator and item."""
    items: dict[str, Item] = field(default_factory=dict)
    by_pair: dict[tuple[str, str], list[Question]] = field(default_factory=dict)
    """The measures of each annotator and item."""


def classified(measures: Iterable[Question]) -> Annotations:
    """Classifies every annotator's answers on every item."""
    grouped: dict[tuple[str, str], list[Question]] = defaultdict(list)
    items: dict[str, Item] = {}
    count = unanswered = unread = 0
    for measure in measures:
        count += 1
        items.setdefault(measure.item.id, measure.item)
        unanswered += measure.answer is None
        unread += measure.answer is not None and measure.verdict is None
        grouped[measure.annotator or "unnamed", measure.item.id].append(measure)
    found = Annotations(count, unanswered, unread, items=items, by_pair=dict(sorted(grouped.items())))
    found.findings = {key: classify(asked) for key, asked in found.by_pair.items()}
    return found


def measured_accuracy(found: Annotations) -> dict[str, float]:
    """How often each annotator's genuine preferences are right; those never measured are left out."""
    right: Counter[str] = Counter()
    known: Counter[str] = Counter()
    marks: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for (annotator, item), finding in found.findings.items():
        if finding.kind != "genuine":
            continue
        marks[item].append((annotator, float(finding.verdict == "a")))
        if found.items[item].label is not None:
            known[annotator] += 1
            right[annotator] += finding.verdict == found.items[item].label
    shared = [one for one in marks.values() if len(one) > 1]
    return one_coin(shared) | {name: lower_bound(right[name], known[name]) for name in known}


def couples(found: Annotations, dataset: str, licence: str | None = None) -> tuple[JudgedTrees, Counter[str]]:
    """Pairs from genuine preferences, and why the other items make none.

    Args:
        found: The findings.
        dataset: Name of the dataset on the trees.
        licence: License of the texts.
    """
    accuracy = measured_accuracy(found)
    genuine: dict[str, list[tuple[str, Finding]]] = defaultdict(list)
    kinds: dict[str, set[str]] = defaultdict(set)
    for (annotator, name), finding in found.findings.items():
        kinds[name].add(finding.kind)
        if finding.kind == "genuine":
            genuine[name].append((annotator, finding))
    trees, refused = JudgedTrees(), Counter[str]()
    for item_id, item in found.items.items():
        judged = [(name, one) for name, one in genuine[item_id] if name in accuracy]
        if not judged:
            measured = "reliability of its annotators is not measured" if genuine[item_id] else ""
            refused[measured or " and ".join(sorted(kinds[item_id]))] += 1
            continue
        odds = sum((1 if one.verdict == "a" else -1) * _logit(accuracy[name]) for name, one in judged)
        reliability = min(_HIGHEST, 1 / (1 + math.exp(-abs(odds))))
        if round(reliability, 6) <= 0.5:
            refused["its annotators' reliability is that of a guess"] += 1
            continue
        sides = [Answer(item.response_a, item.model_a), Answer(item.response_b, item.model_b)]
        if odds < 0:
            sides.reverse()
        agreeing = sum((one.verdict == "a") == (odds > 0) for _, one in judged)
        detail = f"{agreeing} of {len(judged)} genuine preferences agree; " + "; ".join(
            f"{name}: {one.agreeing} of {one.verdicts} verdicts, reliability {accuracy[name]:.2f}"
            for name, one in judged
        )
        instruction = open_instruction(
            item.prompt, grader="consistency", dataset=dataset, licence=licence, source=f"{dataset}/{item.id}"
        )
        evidence = Evidence(check="consistency", detail=detail, reliability=round(reliability, 4))
        trees.add(instruction, Couple(sides[0], sides[1], evidence))
    return trees, refused


def constructed_rows(found: Annotations) -> list[dict[str, Any]]:
    """Preferences that were made by the asking, each with its verdicts by condition."""
    rows = []
    for (annotator, item), finding in found.findings.items():
        if finding.kind != "constructed":
            continue
        decided = [(m, str(m.verdict)) for m in found.by_pair[annotator, item] if m.verdict in ("a", "b")]
        rows.append(
            {
                "annotator": annotator, "item": found.items[item].model_dump(mode="json"),
                "depends_on": list(finding.factors),
                "verdicts": {
                    factor: {level: {"a": a, "b": b} for level, (a, b) in levels.items()}
                    for factor, levels in decided_by_factor(decided).items()
                },
            }
        )  # fmt: skip
    return rows


def figures(found: Annotations) -> dict[str, Any]:
    """Kinds and flip rates of each annotator, and agreement between them, as plain JSON."""
    names = sorted({annotator for annotator, _ in found.findings})
    accuracy = measured_accuracy(found)
    return {
        "measures": found.measures, "unanswered": found.unanswered, "unread": found.unread, "items": len(found.items),
        "annotators": {name: _annotator(found, name) | {"reliability": accuracy.get(name)} for name in names},
        "alpha": alpha(found),
    }  # fmt: skip


def _annotator(found: Annotations, name: str) -> dict[str, Any]:
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    flips = {factor: [0, 0] for factor in ("repeat", "order", "wording", "scale")}
    first = decided = known = right = 0
    for (annotator, item), finding in found.findings.items():
        if annotator != name:
            continue
        kinds[finding.kind] += 1
        if finding.reason:
            reasons[finding.reason] += 1
        label = found.items[item].label
        if finding.kind == "genuine" and label is not None:
            known += 1
            right += finding.verdict == label
        taken = [(m, m.verdict) for m in found.by_pair[annotator, item] if m.verdict in ("a", "b")]
        decided += len(taken)
        first += sum((verdict == "a") == (m.order == "straight") for m, verdict in taken)
        for number, (one, verdict) in enumerate(taken):
            for other, again in taken[number + 1 :]:
                differ = [f for f in ("order", "wording", "scale") if getattr(one, f) != getattr(other, f)]
                if len(differ) < 2:
                    counts = flips[differ[0] if differ else "repeat"]
                    counts[0] += verdict != again
                    counts[1] += 1
    return {
        "kinds": dict(sorted(kinds.items())), "undetermined": dict(sorted(reasons.items())),
        "flips": {factor: Rate(*counts).to_json() for factor, counts in flips.items()},
        "first_place": Rate(first, decided).to_json(), "right": Rate(right, known).to_json(),
    }  # fmt: skip


def alpha(found: Annotations, *, resamples: int = 1000, seed: int = 0) -> dict[str, float] | None:
    """Krippendorff's alpha between annotators on their majority verdicts, with a 95 % bootstrap interval.

    None for one annotator, or where all verdicts are equal: nothing could disagree.
    """
    rows: dict[str, dict[str, float]] = defaultdict(dict)
    for (annotator, item), asked in found.by_pair.items():
        counts = Counter(m.verdict for m in asked if m.verdict in ("a", "b"))
        if counts and counts["a"] != counts["b"]:
            rows[annotator][item] = float(counts["a"] > counts["b"])
    shared = Counter(item for verdicts in rows.values() for item in verdicts)
    told_apart = {value for verdicts in rows.values() for value in verdicts.values()}
    if len(rows) < 2 or len(told_apart) < 2 or not any(count > 1 for count in shared.values()):
        return None
    require("evalica", "judgments")
    import evalica
    import pandas as pd

    table = pd.DataFrame(rows).T
    result = evalica.alpha_bootstrap(table, n_resamples=resamples, random_state=seed)
    return {"alpha": float(result.alpha), "low": float(result.low), "high": float(result.high)}


def _logit(share: float) -> float:
    share = min(_HIGHEST, max(0.5, share))
    return math.log(share / (1 - share))
