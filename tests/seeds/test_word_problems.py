"""Word problems made from templates: right answers, no repetition, splits that share nothing."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultrainteract import api
from ultrainteract.config import parse_config
from ultrainteract.errors import ConfigError
from ultrainteract.seeds.word_problems import OPERATIONS, SPLITS, Operation, Split, word_problems

BOUNDS: dict[Operation, int] = {"add": 60, "subtract": 20, "multiply": 9, "divide": 9}


@given(
    st.integers(0, 10_000),
    st.sampled_from(SPLITS),
    st.dictionaries(st.sampled_from(OPERATIONS), st.integers(3, 99), min_size=1),
)
@settings(max_examples=60, deadline=None)
def test_answers_are_right_and_operands_are_bounded(
    seed: int, split: Split, largest: dict[Operation, int]
) -> None:
    for row in word_problems(12, largest, split=split, seed=seed):
        calculation, _, answer = row.rationale.partition(",")[0].partition(" = ")
        assert eval(calculation) == int(row.answer) == int(answer) > 0
        operands = [int(number) for number in re.findall(r"\d+", calculation)]
        assert sorted(re.findall(r"\d+", row.question)) == sorted(map(str, operands))
        bound = largest[row.operation]
        assert max(operands) <= (
            bound * bound if row.operation == "divide" else bound + (row.operation == "subtract")
        )


def test_the_same_arguments_give_the_same_rows_and_no_question_twice() -> None:
    rows = list(word_problems(200, BOUNDS, seed=3))
    assert rows == list(word_problems(200, BOUNDS, seed=3))
    assert rows != list(word_problems(200, BOUNDS, seed=4))
    assert len({row.question for row in rows}) == 200
    assert [row.operation for row in rows[:8]] == list(BOUNDS) * 2


def test_the_splits_share_no_wording() -> None:
    def shapes(split: Split) -> set[str]:
        rows = word_problems(400, BOUNDS, split=split)
        return {" ".join(re.sub(r"\d+", "#", row.question).split()[3:6]) for row in rows}

    assert not shapes("train") & shapes("held-out")


def test_too_many_are_refused_instead_of_repeated() -> None:
    with pytest.raises(ConfigError, match="no 100000 different problems"):
        list(itertools.islice(word_problems(100_000, {"multiply": 3}), 100_000))


@pytest.mark.parametrize(
    ("largest", "split", "said"),
    [
        ({"power": "3"}, "train", "'power=3'"),
        ({"add": "many"}, "train", "'add=many'"),
        ({"add": "2"}, "train", "at least 3"),
        ({"add": "9"}, "test", "no templates 'test'"),
    ],
)
def test_a_wrong_argument_is_named(
    tmp_path: Path, largest: dict[str, str | int], split: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        api.make_word_problems(tmp_path / "rows.jsonl", 3, largest, split=split)


def test_the_rows_are_seeds_of_a_generic_source(tmp_path: Path) -> None:
    path = tmp_path / "below" / "rows.jsonl"
    api.make_word_problems(path, 6, {"add": 9})
    assert len(path.read_text().splitlines()) == 6
    source = {
        "dataset": "generic", "path": str(path), "name": "word_problems", "tasks": ["Math_CoT"], "grader": "math",
        "mapping": {"question": "question", "gold": "answer", "rationale": "rationale"},
    }  # fmt: skip
    config = parse_config({
        "seeds": [source], "models": {"m": {"provider": "simulated", "model": "m"}}, "critic": {"model": "m"},
        "growth": {"ladder": [{"name": "sample", "model": "m"}]},
    })  # fmt: skip
    report = api.build_seeds(config, out=tmp_path / "seeds")
    assert report.kept == 6, report
    first = json.loads((tmp_path / "seeds" / "instructions.jsonl").read_text().splitlines()[0])
    assert first["gold"] == json.loads(path.read_text().splitlines()[0])["answer"]
