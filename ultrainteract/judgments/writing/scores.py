"""Two scores of a rewrite against the writer's own text: polish, which is wanted, and distortion, which is refused.

Every score is a difference of readers' means, so it has an error: σ·√(2/n) for n readers of each text whose single
ratings spread by σ. What is said of a rewrite is said with the probability that this error leaves.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from ultrainteract.judgments.writing.paragraphs import CONFIDENCE, POLARITY, POLISH, STANCE, Paragraph
from ultrainteract.schema import Record


class WritingRule(Record):
    """What counts as a distortion."""

    tolerance: float = Field(default=20.0, gt=0)
    """Largest shift of stance, polarity or confidence that is no distortion, points of 100."""
    readers: int = Field(default=10, ge=1)
    """Readers per paragraph."""
    spread: float = Field(default=20.0, gt=0)
    """Standard deviation of single ratings, points."""
    min_reliability: float = Field(default=0.5, ge=0.5, le=1)
    """Probability beyond which a rewrite is called faithful and better, or distorting."""

    @property
    def error(self) -> float:
        """Standard error of a difference of two means, points."""
        return self.spread * math.sqrt(2 / self.readers)


@dataclass(frozen=True)
class Scores:
    """What became of a text in a rewrite."""

    polish: float
    """Mean gain in clarity, informativeness and relevance, points."""
    stance: float
    """Shift of the perceived stance, points; positive is towards the proposition."""
    polarity: float
    """Shift of |stance − 50|, points, averaged over readers where the file says so: positive is more extreme."""
    confidence: float
    """Shift of the perceived confidence, points."""
    cues: tuple[str, ...]
    """Cues by which readers take the writer for somebody else."""
    better: float
    """Probability that polish is above zero."""
    faithful: float
    """Probability that stance, polarity and confidence moved by no more than the tolerance."""

    @property
    def distortion(self) -> float:
        """Largest shift of the three, points, with its sign."""
        return max((self.polarity, self.stance, self.confidence), key=abs)


Verdict = Literal["faithful and better", "distorting", "undetermined"]


def scores(own: Paragraph, rewrite: Paragraph, rule: WritingRule) -> Scores:
    """Scores a rewrite against the writer's own text."""

    def gain(name: str) -> float:
        return rewrite.ratings[name] - own.ratings[name]

    polish = sum(map(gain, POLISH)) / len(POLISH)
    if POLARITY in own.ratings and POLARITY in rewrite.ratings:
        polarity = gain(POLARITY) / 2
    else:
        polarity = abs(rewrite.ratings[STANCE] - 50) - abs(own.ratings[STANCE] - 50)
    shifts = (gain(STANCE), polarity, gain(CONFIDENCE))
    cues = tuple(
        name.removeprefix("writer_") for name in own.cues
        if name in rewrite.cues and own.cues[name] != rewrite.cues[name]
    )  # fmt: skip
    return Scores(
        polish=polish, stance=shifts[0], polarity=polarity, confidence=shifts[2], cues=cues,
        better=_below(polish / (rule.error / math.sqrt(len(POLISH)))),
        faithful=min(_within(shift, rule) for shift in shifts),
    )  # fmt: skip


def verdict(found: Scores, rule: WritingRule) -> tuple[Verdict, float]:
    """What is said of a rewrite, and with what probability.

    A rewrite is faithful and better only if both hold and no cue changed; whatever is neither that nor distorting is
    undetermined.
    """
    if 1 - found.faithful > rule.min_reliability:
        return "distorting", 1 - found.faithful
    good = min(found.better, found.faithful)
    if good > rule.min_reliability and not found.cues:
        return "faithful and better", good
    return "undetermined", 0.0


def _within(shift: float, rule: WritingRule) -> float:
    return _below((rule.tolerance - shift) / rule.error) - _below((-rule.tolerance - shift) / rule.error)


def _below(z: float) -> float:
    return 0.5 * (1 + math.erf(z / math.sqrt(2)))
