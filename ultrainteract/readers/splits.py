"""Names of splits: the one rule by which a table is known as training data or as held out.

A table's name is its path below the place that was named, the file's name included (`pair/validation`,
`test_prefs.jsonl`), or the Hub's `<configuration>/<split>`. Each part of the path is read without file endings and
shard numbers. It names a held-out split where its first or last word is one of `HELD_OUT`, else the train split where
one of them is one of `TRAIN`; words end at `-`, `_` and `.`. The last part that names a split decides, and a table
without any is training data.
"""

from __future__ import annotations

import re
from typing import NamedTuple

HELD_OUT = frozenset({"validation", "valid", "val", "dev", "test", "eval", "evaluation", "heldout"})
"""Words for splits that nothing is trained on; `held_out` is read as `heldout`."""
TRAIN = frozenset({"train", "training"})
"""Words for the train split."""

_ENDING = re.compile(r"(\.(parquet|jsonl?|ndjson|csv|tsv|arrow))?(\.gz)?$", re.IGNORECASE)
_SHARD = re.compile(r"[-_.]?(part|shard|chunk)?[-_.]?\d+([-_.]of[-_.]\d+)?$", re.IGNORECASE)


class Place(NamedTuple):
    """Where a table belongs."""

    dataset: str
    """Its path without the names of splits: tables of one dataset belong together."""
    split: str
    """`train`, or the held-out split's name."""

    @property
    def held_out(self) -> bool:
        """Whether nothing is trained on it."""
        return self.split in HELD_OUT


def place_of(table: str) -> Place:
    """The dataset and the split of a table by its name; the module has the rule.

    Args:
        table: `Table.name`, or a path with `/`.

    Example:
        >>> place_of("pair/validation"), place_of("data/train-00001")
        (Place(dataset='pair', split='validation'), Place(dataset='data', split='train'))
        >>> place_of("sums_Test.jsonl.gz"), place_of("eval/train_prefs").split
        (Place(dataset='sums', split='test'), 'train')
    """
    dataset, split = [], "train"
    for part in table.split("/"):
        bare = _SHARD.sub("", _ENDING.sub("", part))
        words = re.split(r"[-_.]", re.sub(r"(held)[-_.](out)", r"\1\2", bare, flags=re.IGNORECASE))
        ends = {word.lower(): word for word in (words[-1], words[0])}
        for names in (HELD_OUT, TRAIN):
            if found := ends.keys() & names:
                name = min(found)
                split = name if names is HELD_OUT else "train"
                words.remove(ends[name])
                break
        if any(words):
            dataset.append("_".join(words))
    return Place("/".join(dataset), split)
