"""Which items of a benchmark share text with what a model was trained on: by id, or by n-grams.

The training data is read in pieces, so that its size does not matter; only what its rows ask is compared (prompts and
user turns), by the n-grams that decontaminate seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.evaluation.figures import Contaminated
from ultrainteract.readers.files import DATA_FILES, BadRecord
from ultrainteract.readers.sources import read_rows
from ultrainteract.schema import Instruction
from ultrainteract.seeds.selection.ngrams import NGramIndex

_PIECE = 5_000
"""Training rows that are indexed at a time."""
_ASKED = (
    "prompt",
    "instruction",
    "question",
    "problem",
    "input",
    "messages",
    "conversations",
    "trajectory",
    "chosen",
)
"""Columns that hold what a row asks, alone or in turns."""
_IDS = ("parent_id", "instruction_id", "id")


def contaminated(
    items: Sequence[Instruction], training: Sequence[str], base: Path, n: int = 8
) -> tuple[Contaminated, ...]:
    """The items that share their id or an n-gram with a training row, in the order of their ids.

    Args:
        items: The benchmark's items.
        training: Files, folders, globs or Hub ids of the training data.
        base: Folder for relative paths.
        n: Words of an n-gram.

    Raises:
        SeedError: The training data cannot be read.
    """
    open_ = {item.id: item for item in items}
    found: dict[str, Contaminated] = {}
    for path in training:
        rows = _rows(path, base)
        while open_ and (piece := list(islice(rows, _PIECE))):
            known = {identity for ids, _ in piece for identity in ids}
            texts = [text for _, text in piece if text]
            for key in open_.keys() & known:
                found[key] = _match(open_.pop(key), "id", key)
            left = sorted(open_)
            if not texts or not left:
                continue
            index = NGramIndex(texts, n)
            for shared in index.shared([open_[key].question for key in left], lambda text, item: True):
                key = left[shared.text]
                found[key] = _match(open_.pop(key), "ngram", shared.gram)
    return tuple(found[key] for key in sorted(found))


def _match(item: Instruction, match: str, text: str) -> Contaminated:
    return Contaminated(id=item.id, source=item.source, match=match, text=text)


def _rows(path: str, base: Path) -> Iterator[tuple[list[str], str]]:
    source = SeedConfig(dataset="generic", path=path)
    for row in read_rows(source, base, DATA_FILES):
        if not isinstance(row, BadRecord):
            ids = [value for name in _IDS if isinstance(value := row.get(name), str)]
            yield ids, "\n".join(text for name in _ASKED for text in _asked(row.get(name)))


def _asked(value: Any) -> Iterator[str]:
    """The texts of a column that are not the model's own."""
    if isinstance(value, str):
        yield value
    for turn in value if isinstance(value, list) else ():
        if isinstance(turn, dict) and turn.get("role", turn.get("from")) in ("user", "human", "system"):
            said = turn.get("content", turn.get("value"))
            if isinstance(said, str):
                yield said
