"""Checks of any dataset in UltraInteract's layout, or in a trainer's, against every rule it should keep.

One pass over the rows, with memory that grows by a few bytes a row (for duplicates and for the shape of trees). A
violation says which rule, where, and what is there.

What the rows of each layout have to keep is in `dataset.layouts`, what a whole dataset has to keep in `dataset.rules`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from ultrainteract.dataset.layouts.checker import RowChecker
from ultrainteract.dataset.layouts.published import PairRows, SftRows, TreeRows
from ultrainteract.dataset.layouts.trainers import (
    Chats,
    Completions,
    Preferences,
    Principles,
    Prompts,
    Stepwise,
    ToolRows,
    TurnLabels,
)
from ultrainteract.dataset.published import PAIR_COLUMNS, SFT_COLUMNS
from ultrainteract.dataset.rules import LEARNED, MEANINGS, WARNINGS, DatasetRules, tools
from ultrainteract.dataset.rules import prompts as rl
from ultrainteract.readers.files import BadRecord
from ultrainteract.readers.tables import Table

RULES = (
    {
        "columns": "exactly the published columns, in their order",
        "readable": "every record of a file can be read",
        "type": "texts are texts, turns are objects with a role and a text",
        "empty": "no field is missing or blank",
        "task": "the task is one of the published names",
        "id": "an id is 64 hex digits, the tree's depth, the turn; a parent id is 64 hex digits",
        "id_turn": "the id names the turn the row stands at, which is within the tree's depth",
        "duplicate_id": "no id occurs twice",
        "roles": "user and assistant alternate, the user first; a prompt ends with the user",
        "equal_pair": "chosen and rejected differ in more than case and white space",
        "duplicate": "no row occurs twice",
        "tree": "the pairs of an instruction make one tree: same prompt, same depth, one history",
        "leak": "no feedback states the answer that the chosen action gives",
        "syntax": "Python code in a paired action parses",
        "label": "labels are booleans, as many as there are steps",
        "prefix": "chosen and rejected begin with the same prompt",
    }
    | MEANINGS
    | rl.MEANINGS
)
"""Every rule, in words."""
EXAMPLES = 5
"""Violations shown of each rule."""


@dataclass
class Report:
    """What was checked and what broke."""

    rows: dict[str, int] = field(default_factory=dict)
    """Rows checked, by table."""
    layouts: dict[str, str] = field(default_factory=dict)
    """The layout each table was taken for."""
    broken: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Violations by (table, rule)."""
    examples: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """The first violations of each, with their places."""
    warnings: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """What a sound dataset may be, but a trainer has to be set up for, by (table, rule)."""

    @property
    def ok(self) -> bool:
        """Whether nothing broke."""
        return not self.broken

    def add(self, table: str, rule: str, where: str, detail: str) -> None:
        """Notes one violation, or warning."""
        if rule in WARNINGS:
            self.warnings.setdefault((table, rule), []).append(detail)
            return
        self.broken[table, rule] += 1
        if len(self.examples[table, rule]) < EXAMPLES:
            self.examples[table, rule].append(f"{where}: {detail}")

    def to_json(self) -> dict[str, Any]:
        """The report as plain JSON."""
        return {
            "ok": self.ok,
            "tables": [
                {"table": name, "layout": self.layouts[name], "rows": rows} for name, rows in self.rows.items()
            ],
            "violations": [
                {"table": table, "rule": rule, "meaning": RULES[rule], "rows": count,
                 "examples": self.examples[table, rule]}
                for (table, rule), count in sorted(self.broken.items())
            ],
            "warnings": [
                {"table": table, "rule": rule, "meaning": RULES[rule], "details": details}
                for (table, rule), details in sorted(self.warnings.items())
            ],
        }  # fmt: skip


def validate(tables: Iterable[Table]) -> Report:
    """Checks tables; those of an unknown layout are reported as a violation of `columns`."""
    report = Report()
    tables = list(tables)
    across = DatasetRules((table.name, table.columns) for table in tables)
    for table in tables:
        layout, checker = _layout(table.columns)
        report.layouts[table.name] = layout
        if checker is None:
            missing = [name for name in _PUBLISHED.get(layout, ()) if name not in table.columns]
            said = (
                f"without {', '.join(missing)}" if missing else f"unknown layout: {', '.join(table.columns)}"
            )
            report.add(table.name, "columns", table.name, said)
            report.rows[table.name] = 0
            for record in table.records(None) if not table.columns else ():
                if isinstance(record, BadRecord):
                    report.add(table.name, "readable", record.where, record.reason)
            continue
        rows = 0
        more = across.table(table.name, table.columns)
        absent = dict.fromkeys(table.columns)  # JSONL rows may lack what the first one has
        for record in table.records(None):
            rows += 1
            if isinstance(record, BadRecord):
                report.add(table.name, "readable", record.where, record.reason)
                continue
            where, row = record
            whole = {**absent, **row}
            found = list(checker.types(whole))
            if not found:
                found = list(checker.check(whole))
                blank = any(
                    rule == "empty" for rule, _ in found
                )  # then nothing is learned, either: said once
                silent = blank or layout in rl.LAYOUTS
                further = more.check(whole) if layout != tools.LAYOUT else ()
                found += [(rule, detail) for rule, detail in further if not (silent and rule == LEARNED)]
            for rule, detail in found:
                report.add(table.name, rule, where, detail)
        report.rows[table.name] = rows
        for rule, detail in chain(checker.finish(table.columns), more.finish()):
            report.add(table.name, rule, table.name, detail)
    return report


def _layout(columns: tuple[str, ...]) -> tuple[str, RowChecker | None]:
    layouts: tuple[tuple[str, Set[str], Callable[[], RowChecker] | None], ...] = (
        ("UltraInteract trees", {"id", "tree", "turns"}, TreeRows),
        ("UltraInteract pair", set(PAIR_COLUMNS), PairRows),
        ("UltraInteract sft", set(SFT_COLUMNS), SftRows),
        *((layout, known, partial(Prompts, layout)) for layout, known in rl.LAYOUTS.items()),
        ("UltraInteract pair", {"trajectory", "chosen"}, None),
        ("UltraInteract sft", {"instruction", "response", "task"}, None),
        ("preference", {"chosen", "rejected"}, Preferences),
        ("stepwise", {"prompt", "completions", "labels"}, Stepwise),
        ("turn labels", {"prompt", "actions", "labels", "solved_at"}, TurnLabels),
        ("responses under constitutions", {"constitutions", "prompts", "responses"}, Principles),
        ("unpaired preference", {"completion", "label"}, Completions),
        ("prompt-completion", {"prompt", "completion"}, Completions),
        ("conversations", {"messages"}, Chats),
        ("conversations", {"conversations"}, Chats),
    )
    if any(wanted <= set(columns) for wanted in tools.COLUMNS):
        return tools.LAYOUT, ToolRows()
    for layout, wanted, checker in layouts:
        if wanted <= set(columns):
            return layout, checker() if checker else None
    return "unknown", None


_PUBLISHED = {"UltraInteract pair": PAIR_COLUMNS, "UltraInteract sft": SFT_COLUMNS}
"""Layouts whose columns are all needed."""
