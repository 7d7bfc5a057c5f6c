"""The file of measured figures, and the page of the documentation that shows them."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from ultrainteract.grading import reliability as reliability_module
from ultrainteract.grading.finding import Basis
from ultrainteract.grading.reliability import figure, reliability_of_tests
from ultrainteract.schema import Label

FIGURES = Path(__file__).parents[1] / "ultrainteract/grading/figures.json"
DOCUMENT = Path(__file__).parents[1] / "docs/grading.md"


class Measured:
    """Verdicts on function calls, counted against those of a published checker."""

    def __init__(self) -> None:
        self._verdicts: dict[str, Counter[str]] = defaultdict(Counter)
        self._sources: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def add(self, check: str, kind: str, label: Label, basis: Basis, *, right: bool) -> None:
        """Counts a verdict.

        Args:
            check: What its evidence is called.
            kind: How the calls were made: `right`, or by which fault.
            label: The verdict.
            basis: What it rests on.
            right: What the published checker says of the calls.
        """
        counts = self._sources[check]["right calls" if kind == "right" else "calls with one fault"]
        counts["answers"] += 1
        if label is Label.UNDETERMINED:
            counts["undetermined"] += 1
            return
        agrees = (label is Label.CORRECT) == right
        kind = f"{check}/{basis.name.lower()}/{label.value}"
        self._verdicts[kind].update(total=1, right=int(agrees))
        if not agrees:
            counts["wrong verdicts"] += 1

    def section(self) -> dict[str, Any]:
        """The section `calls` of the figures: what was counted, and what is there of other checks."""
        known = json.loads(FIGURES.read_text("utf-8")).get("calls", {"verdicts": {}, "by source": {}})
        kept = {k: v for k, v in known["verdicts"].items() if k.partition("/")[0] not in self._sources}
        sources = {
            check: {kind: dict(counts) for kind, counts in sorted(by.items())}
            for check, by in self._sources.items()
        }
        return {
            "verdicts": dict(sorted((kept | {k: dict(v) for k, v in self._verdicts.items()}).items())),
            "by source": dict(sorted((known["by source"] | sources).items())),
        }


def write(**sections: Any) -> None:
    """Replaces sections of the figures, in the package and in the documentation."""
    figures = json.loads(FIGURES.read_text("utf-8")) | sections
    FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
    reliability_module.figures.cache_clear()
    reliability_of_tests.cache_clear()
    DOCUMENT.write_text(in_document(DOCUMENT.read_text("utf-8"), figures), "utf-8")


def tables(figures: dict[str, Any]) -> str:
    """The figures as the documentation shows them."""
    lines = [
        "| check | measured on | answers | wrong verdicts | undetermined |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for check, by in {**figures["by source"], **figures["calls"]["by source"]}.items():
        for source, counts in by.items():
            wrong, unknown = counts.get("wrong verdicts", 0), counts.get("undetermined", 0)
            lines.append(f"| `{check}` | {source} | {counts['answers']:,} | {wrong} | {unknown:,} |")
    lines += [
        "",
        "| verdict | rests on | verdicts | right | reliability |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for kind, counts in {**figures["answers"], **figures["calls"]["verdicts"]}.items():
        check, basis, label = kind.split("/")
        trust = figure(counts["right"], counts["total"])
        lines.append(
            f"| `{check}`, {label} | {basis} | {counts['total']:,} | {counts['right']:,} | {trust:.3f} |"
        )
    if measured := figures["tests"]:
        lines += [
            "",
            "| verdict of tests | programs | that passed (or failed) | reliability |",
            "| --- | ---: | ---: | ---: |",
        ]
        right = measured["right programs"]
        lines.append(
            f"| wrong | {right['total']} right ones | {right['failed']} | {reliability_of_tests(None):.3f} |"
        )
        for tests, counts in measured["wrong programs"].items():
            trust = reliability_of_tests(int(tests))
            lines.append(
                f"| correct, {tests} hidden | {counts['total']} wrong ones | {counts['passed']:.1f} | {trust:.3f} |"
            )
    return "\n".join(lines)


MARKS = ("<!-- measured figures -->\n", "\n<!-- end of measured figures -->")


def in_document(text: str, figures: dict[str, Any]) -> str:
    """The documentation page with the figures between its marks."""
    before, rest = text.split(MARKS[0])
    return before + MARKS[0] + tables(figures) + MARKS[1] + rest.split(MARKS[1])[1]
