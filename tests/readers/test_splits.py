"""Which tables are held out, by their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ultrainteract.readers.splits import HELD_OUT, place_of
from ultrainteract.readers.tables import open_tables


@pytest.mark.parametrize("word", sorted(HELD_OUT))
@pytest.mark.parametrize(
    "name",
    ["{}", "{}.jsonl", "{}.JSONL.gz", "{}.csv", "{}/00000", "default/{}", "{}_prefs", "sums-{}.parquet", "{}-00000",
     "{}-00001-of-00002.parquet", "data/sums.{}.tsv", "train/{}"],
)  # fmt: skip
def test_a_held_out_split_is_known_wherever_its_word_stands(word: str, name: str) -> None:
    for spelled in (word, word.upper(), word.capitalize()):
        place = place_of(name.format(spelled))
        assert place.held_out
        assert place.split == word


@pytest.mark.parametrize(
    "name",
    ["train", "training.jsonl", "train_prefs", "00000", "rows.jsonl", "revalidation.jsonl", "latest.jsonl",
     "my_test_rows.jsonl", "developers.csv", "eval/train", "test/train-00000-of-00001.parquet", "validated/rows"],
)  # fmt: skip
def test_other_tables_are_training_data(name: str) -> None:
    assert not place_of(name).held_out


def test_the_splits_of_a_dataset_belong_together() -> None:
    names = ("sums-train.jsonl", "sums_validation.jsonl", "sums/test", "sums.held-out.jsonl")
    assert {place_of(name).dataset for name in names} == {"sums"}


def test_shards_of_two_splits_are_two_tables(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for shard in (0, 1):
            path = tmp_path / f"sums-{split}-0000{shard}-of-00002-0a1b.jsonl"
            path.write_text(json.dumps({"split": split}) + "\n")
    tables = {table.name: [row["split"] for _, row in table.rows()] for table in open_tables(str(tmp_path))}
    assert tables == {"sums-test": ["test", "test"], "sums-train": ["train", "train"]}
    assert [place_of(name).split for name in tables] == ["test", "train"]
