"""Files of judgments of which nothing can be made: the error says what was read, and what was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ultrainteract import api
from ultrainteract.errors import ConfigError, DataError
from ultrainteract.judgments.reading import Reading
from ultrainteract.readers.files import BadRecord

pytest.importorskip("evalica")

VOTE = {"model_a": "x", "model_b": "y", "winner": "model_a", "judge": "j", "question_id": 1}


def rate(file: Path) -> Any:
    return api.rate_votes(file, resamples=0)


def pairs(file: Path) -> Any:
    return api.vote_pairs(file, output=file.parent / "out")


READERS = (rate, pairs, api.classify_annotations, api.writing_pairs)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("name", "content"), [("a.jsonl", ""), ("a.csv", "model_a,model_b,winner\n"), ("a.json", "[]")]
)
def test_an_empty_file_is_said_to_be_empty(
    reader: Callable[[Path], Any], name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=rf"There is no record in .*{name}"):
        reader(tmp_path / name)
    with pytest.raises(DataError, match=rf"There is no record in .*{name}"):
        api.plan_annotation(tmp_path / name, output=tmp_path / "plan.jsonl")


@pytest.mark.parametrize("reader", READERS)
def test_an_unreadable_file_is_said_to_be_unreadable(reader: Callable[[Path], Any], tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{\n[1]\n" + "{\n" * 10)
    with pytest.raises(DataError) as caught:
        reader(tmp_path / "a.jsonl")
    assert "12 records read = 0 kept + 0 dropped + 12 unreadable" in str(caught.value)
    assert "a.jsonl:1: not valid JSON" in str(caught.value)
    assert "a.jsonl:2: list where an object" in str(caught.value)
    assert "two models" not in str(caught.value)
    assert str(caught.value).count("\n") == 5


def test_of_which_rule_and_reason_nothing_was_left_is_said(tmp_path: Path) -> None:
    shown = VOTE | {
        "conversation_a": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r"}]
    }
    shown |= {"conversation_b": shown["conversation_a"], "anony": False}
    file = tmp_path / "a.jsonl"
    file.write_text("\n".join(map(json.dumps, [VOTE | {"winner": "?"}, shown, shown])))
    for reader in (rate, pairs):
        with pytest.raises(DataError) as caught:
            reader(file)
        assert "no vote that counts. 3 records read = 0 kept + 2 dropped + 1 unreadable" in str(caught.value)
        assert "dropped: models were shown to the judge: 2, the first a.jsonl:2" in str(caught.value)
        assert "unreadable: a.jsonl:1: '?' in 'winner'" in str(caught.value)
    file.write_text("\n".join(map(json.dumps, [VOTE, VOTE | {"winner": "?"}])))
    with pytest.raises(
        DataError, match=r"(?s)No two models can be compared.*2 records read = 1 kept.*a\.jsonl:2"
    ):
        rate(file)
    assert pairs(file)["reasons"] == [
        "unreadable: a.jsonl:2: '?' in 'winner' is no verdict: a, b, tie and both_bad are"
    ]
    with pytest.raises(DataError, match=r"vote without texts: 1, the first a\.jsonl:1"):
        api.classify_annotations(file)


def test_a_report_says_why_records_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    votes = [VOTE, VOTE | {"judge": "k", "winner": "b"}, VOTE]
    file.write_text("\n".join([*map(json.dumps, votes), "{"]))
    report = rate(file).to_json()
    assert (report["votes"]["read"], report["votes"]["kept"], report["votes"]["unreadable"]) == (4, 2, 1)
    dropped, unreadable = report["reasons"]
    assert dropped == "dropped: repeated vote of one judge on one item: 1, the first a.jsonl:3"
    assert unreadable.startswith("unreadable: a.jsonl:4: not valid JSON")


def test_counts_add_up_and_each_rule_names_its_first_record() -> None:
    reading = Reading(
        2, [BadRecord(f"b:{n}", "odd") for n in range(9)], [("a:1", "x"), ("a:2", "y"), ("a:3", "x")]
    )
    found = reading.to_json()
    assert found["read"] == found["kept"] + sum(found["dropped"].values()) + found["unreadable"] == 14
    assert reading.reasons()[:3] == [
        "dropped: x: 2, the first a:1",
        "dropped: y: 1, the first a:2",
        "unreadable: b:0: odd",
    ]
    assert len(reading.reasons()) == 2 + 5


def test_an_unknown_field_of_a_mapping_is_named_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(VOTE))
    with pytest.raises(ConfigError, match=r"fields model_a, .*response_b, not nosuch\."):
        api.rate_votes(tmp_path / "a.jsonl", columns={"nosuch": "x", "judge": "judge"})
