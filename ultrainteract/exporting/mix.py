"""Rows of other datasets among the exported ones, in a named ratio, as the paper's training recipes have them.

Preference sets (UltraFeedback and its like, also with several rated completions in a row) go into preference
formats, chat and instruction sets into SFT formats. Rows are drawn in a shuffled order that depends on the source's
name alone, are spread evenly among the exported rows of the train split, and end when the source is used up: none is
repeated. Their `direct` mark is false (see `trl.reward`), unless they are such rows of another export.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from ultrainteract.config import ExportConfig, MixSource
from ultrainteract.dataset.samples import Demonstration, Preference, Talk
from ultrainteract.errors import ConfigError, DataError, SeedError
from ultrainteract.exporting.registry import Exporter
from ultrainteract.readers.files import DATA_FILES, BadRecord
from ultrainteract.readers.shuffled import ShuffledRows
from ultrainteract.readers.sources import read_rows
from ultrainteract.schema import content_hash

log = logging.getLogger(__name__)

Row = Mapping[str, Any]

_PROMPTS = ("prompt", "instruction", "question", "trajectory", "conversations", "messages")
_CHATS = ("messages", "conversations", "conversation", "data")
_ANSWERS = ("completion", "response", "output", "answer")
_RATINGS = ("fine-grained_score", "overall_score", "score", "rating")
_ROLES = {"user": "user", "human": "user", "prompter": "user", "assistant": "assistant", "gpt": "assistant",
          "system": "system"}  # fmt: skip


class Mixer:
    """Feeds the rows of one source into one export.

    Args:
        name: Name of the source in the configuration.
        source: The source.
        rows: Its rows.
        exporter: Where its rows go.
    """

    def __init__(self, name: str, source: MixSource, rows: ShuffledRows, exporter: Exporter) -> None:
        self.rows = 0
        self._ratio = source.ratio
        self._credit = 0.0
        self._rows = self._rendered(name, rows, exporter, source.pairs)

    def due(self, exported: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """(problem, row) of the rows to write after `exported` more rows of our own."""
        self._credit += self._ratio * exported
        while self._credit >= 1:
            self._credit -= 1
            row = next(self._rows, None)
            if row is None:
                return
            self.rows += 1
            yield row

    @staticmethod
    def _rendered(
        name: str, rows: Iterable[Row], exporter: Exporter, pairs: Literal["all", "one"]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for sample in samples(name, rows, pairs):
            for row in exporter.render(sample):
                yield content_hash(sample.prompt), row


def mixers(config: ExportConfig, chosen: Iterable[Exporter]) -> dict[str, dict[str, Mixer]]:
    """The mixers of every export, by its name and the source's.

    Raises:
        ConfigError: A source cannot be read, or fits none of the formats.
    """
    found: dict[str, dict[str, Mixer]] = {}
    for name, source in config.mix.items():
        rows = load(name, source)
        kind = "preference" if _is_preference(rows.columns) else "demonstration"
        fitting = [exporter for exporter in chosen if exporter.kind == kind]
        if not fitting:
            raise ConfigError(
                f"export.mix.{name}: {source.path} holds {kind}s, and none of the formats takes those "
                "(the UltraInteract splits are never mixed). Add a trainer format, or drop the source."
            )
        for exporter in fitting:
            found.setdefault(exporter.name, {})[name] = Mixer(name, source, rows, exporter)
    return found


def load(name: str, source: MixSource) -> ShuffledRows:
    """The source's rows in a shuffled order; records that cannot be read are named in the log and left out.

    Raises:
        ConfigError: It cannot be read, or holds no readable record.
    """
    unreadable = 0

    def rows() -> Iterator[Row]:
        nonlocal unreadable
        for row in read_rows(source, Path(), DATA_FILES):
            if isinstance(row, BadRecord):
                unreadable += 1
                log.warning("export.mix.%s: %s: %s", name, row.where, row.reason)
            else:
                yield row.data

    try:
        found = ShuffledRows(rows(), int(content_hash(name)[:8], 16))
    except SeedError as error:
        raise ConfigError(f"export.mix.{name}: cannot read {source.path}: {error}") from error
    if not found:
        raise ConfigError(
            f"export.mix.{name}: {source.path} holds no readable record ({unreadable:,} are not)."
        )
    return found


def samples(
    name: str, rows: Iterable[Row], pairs: Literal["all", "one"] = "all"
) -> Iterator[Demonstration | Preference]:
    """Reads rows of the usual layouts: chosen/rejected (with or without a prompt), messages, instruction and answer.

    A row with rated completions gives a pair for each two of different ratings. Rows without a usable prompt or answer
    are left out.

    Args:
        name: What messages call the source.
        rows: The rows.
        pairs: `one` takes of a row with rated completions the best and the worst alone.

    Raises:
        DataError: The layout is none of the known ones.

    Example:
        >>> row = {"instruction": "Say hi.", "output": "Hi."}
        >>> next(samples("chat", [row]))
        Demonstration(prompt=(('user', 'Say hi.'),), response='Hi.', reasoning=None)
    """
    for row in rows:
        if _is_rated(row):
            for pair in _rated(row, pairs):
                if (preference := _preference(pair)) is not None:
                    yield preference
            continue
        sample = _preference(row) if _is_preference(row) else _demonstration(name, row)
        if sample is not None:
            yield sample


def _is_preference(columns: Iterable[str]) -> bool:
    return {"chosen", "rejected"} <= set(columns) or _is_rated(columns)


def _is_rated(columns: Iterable[str]) -> bool:
    """Whether rows hold several completions of a prompt, each with its rating, as UltraFeedback's do."""
    return "completions" in columns and not {"labels", "chosen"} & set(columns)


def _rated(row: Row, pairs: str) -> Iterator[Row]:
    """The pairs of a row with rated completions; ties are none."""
    found: list[tuple[float, str]] = []
    completions = row["completions"]
    for item in completions if isinstance(completions, list | tuple) else ():
        text = item.get("response") if isinstance(item, Mapping) else None
        rating = next((item[name] for name in _RATINGS if _number(item.get(name))), None) if text else None
        if rating is not None:
            found.append((float(rating), str(text)))
    found.sort(key=lambda entry: -entry[0])  # stable: of equal ratings the first stands first
    rest = {name: value for name, value in row.items() if name != "completions"}
    couples = itertools.combinations(found, 2) if pairs == "all" else [(found[0], found[-1])] if found else []
    for (better, chosen), (worse, rejected) in couples:
        if better > worse:
            yield {**rest, "chosen": chosen, "rejected": rejected}


def _number(value: Any) -> bool:
    try:
        return value is not None and math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _preference(row: Row) -> Preference | None:
    chosen, rejected = _talk(row["chosen"], "assistant"), _talk(row["rejected"], "assistant")
    if len(chosen) > 1 and chosen[:-1] == rejected[:-1]:  # both hold the prompt
        prompt = chosen[:-1]
    else:
        given = next((row[name] for name in _PROMPTS if row.get(name)), None)
        prompt = () if given is None else _talk(given, "user")
    if not prompt or not chosen or not rejected or prompt[-1][0] != "user" or chosen[-1] == rejected[-1]:
        return None
    if any(not text.strip() for _, text in (*prompt, chosen[-1], rejected[-1])):
        return None
    return Preference(prompt, chosen[-1:], rejected[-1:], direct=row.get("direct") is True)


def _demonstration(name: str, row: Row) -> Demonstration | None:
    talk: Talk = ()
    answer = next((row[column] for column in _ANSWERS if row.get(column)), None)
    given = next((row[column] for column in _PROMPTS if row.get(column)), None)
    chat = next((row[column] for column in _CHATS if row.get(column)), None)
    if answer is not None and given is not None:
        more = row.get("input")
        talk = (*_talk(f"{given}\n{more}" if more and isinstance(given, str) else given, "user"),
                *_talk(answer, "assistant"))  # fmt: skip
    elif chat is not None:
        talk = _talk(chat, "user")
    elif not {*_ANSWERS, *_CHATS} & row.keys():
        raise DataError(f"{name}: rows with the columns {', '.join(row)} are of no known layout.")
    while talk and talk[-1][0] != "assistant":
        talk = talk[:-1]
    if len(talk) < 2 or talk[-2][0] != "user" or any(not text.strip() for _, text in talk):
        return None
    return Demonstration(talk[:-1], talk[-1][1])


def _talk(value: Any, first: str) -> Talk:
    """Chat turns from a text, a list of texts in turn, or a list of messages in either usual spelling.

    None at all where one of them has another role or holds no text: without it the others were never said.
    """
    if isinstance(value, str):
        return ((first, value),)
    if isinstance(value, Mapping):
        value = [value]
    turns: list[tuple[str, str]] = []
    for number, turn in enumerate(value if isinstance(value, list | tuple) else ()):
        role: str | None = ("user", "assistant")[(number + (first != "user")) % 2]
        text: Any = turn
        if isinstance(turn, Mapping):
            role = _ROLES.get(str(turn.get("role") or turn.get("from")))
            text = turn.get("content") or turn.get("value") or ""
        if role is None or not isinstance(text, str):
            return ()
        turns.append((role, text))
    return tuple(turns)
