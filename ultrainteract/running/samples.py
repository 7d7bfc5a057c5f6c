"""What became of the samples of a run: how many got a verdict, why the others got none, and what to change.

A run whose model never answers in a form that can be read ends with exit code 0 and without a pair: each tree is
`unsolved`, which is true and says nothing. These figures say it while the run still works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from ultrainteract.schema import Record, Tree

_ADVICE = (
    ("cut off", "raise `max_tokens` of the model's `sampling`; `growth.prompts: compact` asks for shorter answers"),
    ("no final answer", "the model does not keep to the format: `growth.prompts: compact` is a shorter prompt with an "
     "example for small models; a lower `temperature` helps too"),
    ("no program", "the model writes no code block: try `growth.prompts: compact`, or tasks without code"),
    ("program was stopped", "raise `sandbox.limits`, or look at what the programs wait for"),
    ("withheld", "the provider's filter holds answers back: see its content policy"),
)  # fmt: skip
"""What to change, by words of the reason."""
_SMALL = 0.1
"""Share of samples without a verdict up to which nothing is said of what to change."""
_TREES_READ = 200
"""Trees that are looked through for an example."""


class SampleReport(Record):
    """Samples of a run, or of a part of it."""

    drawn: int
    """Samples of all steps and of the pool."""
    judged: int
    """Of these, proved correct or wrong."""
    undetermined: dict[str, int]
    """The others by reason, the commonest first."""
    example: str | None = None
    """Reason and beginning of one sample without a verdict."""

    @classmethod
    def of(cls, tallies: Mapping[str, float], trees: Iterable[Tree] = ()) -> Self | None:
        """Reads the figures from a run's tallies, and an example from its trees; None where nothing was drawn."""
        head = "undetermined."
        reasons = {name[len(head) :]: int(count) for name, count in tallies.items() if name.startswith(head)}
        ordered = dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0])))
        drawn = int(tallies.get("drawn", 0))
        if not drawn:
            return None
        example = _example(next(iter(ordered)), trees) if ordered else None
        return cls(
            drawn=drawn, judged=int(tallies.get("with_verdict", 0)), undetermined=ordered, example=example
        )

    def brief(self) -> str:
        """The shares in a few words, for the live display."""
        parts = [f"{self.judged / self.drawn:.0%} of {self.drawn:,} samples judged"]
        if self.undetermined and self.judged < self.drawn * (1 - _SMALL):
            reason, count = next(iter(self.undetermined.items()))
            parts.append(f"{count / self.drawn:.0%} without: {reason}")
        return ", ".join(parts)

    def lines(self) -> list[str]:
        """The report: shares, reasons, an example, and what to change."""
        lines = [f"Samples: {self.drawn:,} drawn, {self.judged / self.drawn:.0%} judged"]
        for reason, count in self.undetermined.items():
            lines.append(f"  {count / self.drawn:5.1%} ({count:,}) undetermined: {reason}")
        if self.judged >= self.drawn * (1 - _SMALL):
            return lines
        if self.example:
            reason, _, text = self.example.partition(" | ")
            lines.append(f"  such as, {reason}: {' '.join(text.split())!r}")
        said = " ".join(self.undetermined)
        lines += [f"  To change: {advice}." for words, advice in _ADVICE if words in said]
        return lines


def _example(reason: str, trees: Iterable[Tree]) -> str | None:
    """An example of the reason, or of any where none of it is among the first trees."""
    any_ = None
    for _, tree in zip(range(_TREES_READ), trees, strict=False):
        for step in (step for turn in tree.turns for step in turn.steps if step.example):
            if step.example and step.example.startswith(reason):
                return step.example
            any_ = any_ or step.example
    return any_
