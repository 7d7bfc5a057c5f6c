"""Rules on a whole dataset that a row alone cannot break: order, lengths, what is learned, and rows in two places."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ultrainteract.dataset.rules.conversation import learned_of
from ultrainteract.dataset.rules.learned import LearnedRule
from ultrainteract.dataset.rules.lengths import LengthRule
from ultrainteract.dataset.rules.order import OrderRule
from ultrainteract.dataset.rules.places import PlacesRule
from ultrainteract.readers.splits import place_of

__all__ = ["LEARNED", "MEANINGS", "WARNINGS", "DatasetRules", "TableRules"]

LEARNED = LearnedRule.name
_OF_A_TABLE = (LearnedRule, LengthRule, OrderRule)
MEANINGS = {rule.name: rule.meaning for rule in _OF_A_TABLE} | {PlacesRule.leak: PlacesRule.leak_meaning}
"""The rules, in words."""
WARNINGS = frozenset(rule.name for rule in _OF_A_TABLE if rule.warns)
"""Rules that a sound dataset may break: what trainers have to be set up for."""
Found = tuple[str, str]
"""(rule, what is there)"""


class TableRules:
    """The rules for one table, given its rows in order."""

    def __init__(self, name: str, columns: tuple[str, ...], places: PlacesRule | None) -> None:
        self._name, self._columns, self._places = name, columns, places
        self._rules = [rule() for rule in _OF_A_TABLE]

    def check(self, row: Mapping[str, Any]) -> Iterator[Found]:
        """Yields the violations of a row."""
        if self._places is not None:
            yield from self._places.check(self._name, self._columns, row)
        read = learned_of(row)
        if read is None:
            return
        for rule in self._rules:
            for detail in rule.check(read):
                yield rule.name, detail

    def finish(self) -> Iterator[Found]:
        """Yields the violations of the table as a whole."""
        for rule in self._rules:
            for detail in rule.finish():
                yield rule.name, detail


class DatasetRules:
    """The rules for the tables of one dataset.

    Args:
        tables: (name, columns) of all of them.
    """

    def __init__(self, tables: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        self._sizes = Counter(map(self._group, tables))
        self._places = PlacesRule()

    def table(self, name: str, columns: tuple[str, ...]) -> TableRules:
        """The rules for one table; rows are compared with other tables' where there are any like it."""
        alone = self._sizes[self._group((name, columns))] < 2
        return TableRules(name, columns, None if alone else self._places)

    @staticmethod
    def _group(table: tuple[str, tuple[str, ...]]) -> tuple[str, tuple[str, ...]]:
        return place_of(table[0]).dataset, tuple(sorted(table[1]))
