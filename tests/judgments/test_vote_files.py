"""Files of votes as they come: missing names, odd spellings, damaged counts; every record is a vote or has a reason."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from ultrainteract.errors import DataError
from ultrainteract.judgments.votes import Battle, Mapping, Style, read_battles
from ultrainteract.judgments.votes.cleaning import clean
from ultrainteract.judgments.votes.formats import read_winner
from ultrainteract.judgments.votes.report import agreement
from ultrainteract.judgments.writing.paragraphs import read_paragraphs
from ultrainteract.readers.files import BadRecord, read_file

ABSENT = object()
NOTHING = [None, "", "  ", float("nan"), ABSENT, [], [None], [None, "x"], [""]]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    rows = tuple({name: value for name, value in row.items() if value is not ABSENT} for row in rows)
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def read(tmp_path: Path, *rows: dict[str, Any], mapping: Mapping | None = None) -> list[Battle | BadRecord]:
    return list(read_battles(read_file(write(tmp_path / "votes.jsonl", *rows)), mapping))


def battles(found: list[Battle | BadRecord]) -> list[Battle]:
    return [one for one in found if isinstance(one, Battle)]


LABEL = {"model_a": "x", "model_b": "y", "winner": "model_a", "judge": "j", "question_id": 1}
COUNTS: dict[str, Any] = {
    f"{name}_{side}{end}": value
    for side in "ab"
    for name, end, value in (
        ("sum_assistant", "_tokens", 10), ("header_count", "", {"h1": 1}), ("bold_count", "", {"**": 2}),
        ("list_count", "", {"ordered": 0, "unordered": 3}),
    )
}  # fmt: skip


# ------------------------------------------------------------------------------------- missing identities


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("layout", ["labels", "counts", "mapped"])
def test_a_missing_item_is_never_equal_to_another(nothing: object, layout: str, tmp_path: Path) -> None:
    """Votes of one judge on the same models stay all, and so do those of another file with the same name."""
    row = LABEL | {"question_id": nothing}
    row |= {"conv_metadata": COUNTS} if layout == "counts" else {}
    mapping = Mapping(item="question_id", judge="judge") if layout == "mapped" else None
    named = LABEL | row | {"question_id": 7}
    (tmp_path / "more").mkdir()
    found = read(tmp_path, row, row, row, named, named, mapping=mapping)
    found += read(tmp_path / "more", row, row, named, mapping=mapping)
    cleaned = clean(battles(found), anomalies=False)
    assert len(battles(found)) == 8
    assert len(cleaned.kept) == 6
    assert cleaned.counts() == {"repeated vote of one judge on one item": 2}


@pytest.mark.parametrize("nothing", NOTHING)
@pytest.mark.parametrize("layout", ["labels", "counts", "mapped"])
def test_a_missing_judge_is_nobody(nothing: object, layout: str, tmp_path: Path) -> None:
    row = LABEL | {"judge": nothing}
    row |= {"conv_metadata": COUNTS} if layout == "counts" else {}
    mapping = Mapping(item="question_id", judge="judge") if layout == "mapped" else None
    found = battles(read(tmp_path, row, row, row, LABEL | row | {"judge": 0}, mapping=mapping))
    assert [battle.judge for battle in found] == [None, None, None, "0"]
    assert len(clean(found, anomalies=False).kept) == 4
    assert agreement(found).couples == 0  # three unnamed judges may be one


@pytest.mark.parametrize("nothing", [None, "", "  ", ABSENT, float("nan"), [], {}])
@pytest.mark.parametrize("side", ["model_a", "model_b"])
def test_a_vote_on_a_model_without_a_name_is_unreadable(nothing: object, side: str, tmp_path: Path) -> None:
    good, odd = read(tmp_path, LABEL, LABEL | {side: nothing}, mapping=Mapping(item="question_id"))
    assert isinstance(good, Battle)
    assert isinstance(odd, BadRecord)
    assert side in odd.reason


def test_an_id_is_the_same_however_it_is_written(tmp_path: Path) -> None:
    rows = [LABEL | {"question_id": one, "turn": turn} for one, turn in ((81, 1), ("81", None), (81.0, "1"))]
    found = battles(read(tmp_path, *rows, LABEL | {"question_id": 81, "turn": 0}, LABEL | {"question_id": 0}))
    assert [battle.item for battle in found] == ["81/1"] * 3 + ["81/0", "0/1"]
    (paired,) = battles(read(tmp_path, LABEL | {"judge": ["gpt-4", "pair-v2"]}))
    assert paired.judge == "gpt-4:pair-v2"


def test_the_same_question_with_other_answers_is_another_couple(tmp_path: Path) -> None:
    mapping = Mapping(judge="judge", prompt="q", response_a="l", response_b="r")
    row = LABEL | {"q": "hi", "l": "one", "r": "two"}
    turned = row | {"l": "two", "r": "one", "model_a": "y", "model_b": "x"}
    found = battles(read(tmp_path, row, turned, row | {"l": "three"}, mapping=mapping))
    assert [battle.response_a for battle in clean(found).kept] == ["one", "three"]


@pytest.mark.parametrize("field", ["writer_id", "paragraph_type", "model_name"])
@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_a_rewrite_of_nobody_is_scored_against_nobodys_text(
    field: str, nothing: object, tmp_path: Path
) -> None:
    scales = ("paragraph_clarity", "paragraph_informativeness", "paragraph_relevance", "writer_stance")
    row: dict[str, Any] = dict.fromkeys((*scales, "writer_confidence"), 50)
    row |= {
        "paragraph_type": "model", "writer_id": "w", "model_name": "m", "proposition": "p", "paragraph": "text",
        "proposition_id": 1,
    }  # fmt: skip
    good, odd = read_paragraphs(read_file(write(tmp_path / "p.jsonl", row, row | {field: nothing})))
    assert not isinstance(good, BadRecord)
    assert isinstance(odd, BadRecord)
    assert field in odd.reason


# ---------------------------------------------------------------------------------------------- spellings


@pytest.mark.parametrize(
    ("texts", "winner"),
    [
        (["both_bad", "bothbad", "Both bad", "both-bad", "tie (bothbad)", "Tie (Both Bad)", "TIE_BOTH_BAD"], "both_bad"),
        (["tie", " Tie ", "draw", "tie (inconsistent)", "Tie_Inconsistent"], "tie"),
        (["a", "A", "model_a", "Model A", "model-a", "MODELA", "left", "1"], "a"),
        (["b", "model_b", "Model (B)", "right", "2"], "b"),
        (["", "-1", "(1)", "_2", "12", "1 2", "a b", "model", "model_c", "not bad", "bad", "tie a", "1.", "--"], None),
    ],
)  # fmt: skip
def test_verdicts_are_read_whatever_stands_between_words(texts: list[str], winner: str | None) -> None:
    assert {text: read_winner(text) for text in texts} == dict.fromkeys(texts, winner)


@pytest.mark.parametrize("said", [False, "False", "false", 0, "0", "no"])
def test_votes_that_were_not_blind_are_told_in_any_spelling(said: object, tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]
    row = LABEL | {"conversation_a": talk, "conversation_b": json.dumps(talk), "anony": said}
    blind = [row | {"anony": one} for one in (True, "True", None, 1)]
    found = battles(read(tmp_path, row, *blind))
    assert [battle.anonymous for battle in found] == [False, True, True, True, True]


# ------------------------------------------------------------------------------------------------- counts


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), -1, "many", None, [], True, {"x": "y"}, {"x": -1}, 1e400]
)
@pytest.mark.parametrize(
    "field", ["sum_assistant_a_tokens", "header_count_a", "bold_count_a", "list_count_a"]
)
def test_counts_that_are_none_leave_the_vote_without_a_style(field: str, value: Any, tmp_path: Path) -> None:
    (battle,) = battles(read(tmp_path, LABEL | {"conv_metadata": COUNTS | {field: value}}))
    assert (battle.style_a, battle.style_b) == (None, Style(tokens=10, headers=1, bold=2, lists=3))


def test_null_in_an_object_of_counts_is_an_absent_key(tmp_path: Path) -> None:
    counts = COUNTS | {"header_count_a": {"h1": 2, "h2": None}, "bold_count_a": {}, "list_count_a": 1.0}
    for metadata in (counts, json.dumps(counts)):
        (battle,) = battles(read(tmp_path, LABEL | {"conv_metadata": metadata}))
        assert battle.style_a == Style(tokens=10, headers=2, bold=0, lists=1)
    for metadata in (None, "", [], 5, ABSENT):
        (battle,) = battles(read(tmp_path, LABEL | {"conv_metadata": metadata}))
        assert battle.style_a is None


# ------------------------------------------------------------------------------------------------ layouts


def test_arena_55k_rows(tmp_path: Path) -> None:
    row = {
        "id": 1, "model_a": "x", "model_b": "y", "prompt": '["one", "two"]', "response_a": '["r1", "good"]',
        "response_b": '["r1", "bad"]', "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0,
    }  # fmt: skip
    battle, null, two = read(tmp_path, row, row | {"response_a": "[null, null]"}, row | {"winner_tie": 1})
    assert isinstance(battle, Battle)
    assert (battle.winner, battle.prompt, battle.history) == (
        "a",
        "two",
        (("user", "one"), ("assistant", "r1")),
    )
    assert isinstance(null, BadRecord)
    assert isinstance(two, BadRecord)


def test_conversations_with_different_histories_are_rated_but_make_no_pair(tmp_path: Path) -> None:
    def talk(*texts: str) -> list[dict[str, str]]:
        return [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]

    row = {
        "question_id": "q", "model_a": "x", "model_b": "y", "winner": "tie (bothbad)", "judge_hash": "j",
        "conversation_a": talk("hi", "A", "more", "AA"), "conversation_b": talk("hi", "B", "more", "BB"), "turn": 2, "anony": True,
    }  # fmt: skip
    (battle,) = read(tmp_path, row)
    assert isinstance(battle, Battle)
    assert battle.winner == "both_bad"
    assert battle.prompt is None
    assert battle.style_a == Style(tokens=2)


def test_arena_140k_counts(tmp_path: Path) -> None:
    counts = {
        "sum_assistant_a_tokens": 10,
        "header_count_a": {"h1": 1, "h2": 2},
        "bold_count_a": {"**": 3},
        "list_count_a": {"ordered": 1, "unordered": 1},
    }
    counts |= {"sum_assistant_b_tokens": 5, "header_count_b": {}, "bold_count_b": {}, "list_count_b": {}}
    (battle,) = read(tmp_path, {"model_a": "x", "model_b": "y", "winner": "model_b", "conv_metadata": counts})
    assert isinstance(battle, Battle)
    assert battle.style_a == Style(tokens=10, headers=3, bold=3, lists=2)


def test_a_layout_of_ones_own(tmp_path: Path) -> None:
    row = {"left": "x", "right": "y", "better": "left", "who": "me", "q": "p", "l": "1", "r": "2"}
    mapping = Mapping(
        model_a="left",
        model_b="right",
        winner="better",
        judge="who",
        prompt="q",
        response_a="l",
        response_b="r",
    )
    (battle, odd) = read(tmp_path, row, row | {"better": "perhaps"}, mapping=mapping)
    assert isinstance(battle, Battle)
    assert (battle.winner, battle.judge, battle.response_b) == ("a", "me", "2")
    assert isinstance(odd, BadRecord)
    assert "perhaps" in odd.reason
    with pytest.raises(DataError, match="--map"):
        read(tmp_path, row)


def test_a_record_of_no_layout_is_passed_over_unless_all_are(tmp_path: Path) -> None:
    first, second = read(tmp_path, {"left": "x"}, LABEL)
    assert isinstance(first, BadRecord)
    assert "--map" in first.reason
    assert isinstance(second, Battle)
    with pytest.raises(DataError, match=r"votes\.jsonl:1: no known layout .* left"):
        read(tmp_path, {"left": "x"}, {"right": "x"})
    assert read(tmp_path) == []


@pytest.mark.parametrize("field", ["winner", "judge", "prompt", "item"])
def test_a_mapped_column_that_no_record_has_is_refused(field: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"votes\.jsonl:2: .*--map {field}=nosuch.*question_id"):
        read(tmp_path, LABEL, LABEL, mapping=Mapping(**({"item": "question_id"} | {field: "nosuch"})))
    some = LABEL | {"deep": {"judge": None}}
    found = read(tmp_path, LABEL, some, mapping=Mapping(item="question_id", judge="judge"))
    assert len(battles(found)) == 2


def test_whatever_stands_in_a_field_ends_no_reading(tmp_path: Path) -> None:
    """Every record comes out as a vote or with a reason, for random values in random fields of every layout."""
    talk = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "yes"}]},
    ]
    layouts: list[dict[str, Any]] = [
        LABEL | {"conversation_a": talk, "conversation_b": talk, "anony": True, "turn": 1},
        LABEL | {"conv_metadata": COUNTS, "id": 5},
        LABEL | {"turn": 1},
        {"model_a": "x", "model_b": "y", "prompt": '["p"]', "response_a": '["r"]', "response_b": '["s"]',
         "winner_model_a": 1, "winner_model_b": 0, "winner_tie": 0},
    ]  # fmt: skip
    odd: list[Any] = [
        None, "", 0, -1, 1.5, float("nan"), float("inf"), True, [], {}, [None], {"a": None}, "[", "[" * 5000, "{[]: 1}",
        '["\\ud83d"]', [[1]], [{"role": 1}], [{"role": "user", "content": [{"text": 5}]}] * 2, "x" * 200_000, "5", "\0",
    ]  # fmt: skip
    random_ = random.Random(0)
    for layout in layouts:
        for _ in range(300):
            row = layout | {name: random_.choice(odd) for name in random_.sample(sorted(layout), 2)}
            (found,) = read(tmp_path, row)
            assert isinstance(found, Battle | BadRecord)
            found.model_dump_json() if isinstance(found, Battle) else found.reason.encode()
