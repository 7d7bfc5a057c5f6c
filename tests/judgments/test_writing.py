"""Writing: polish and distortion are two scores, and a rewrite that distorts is never chosen."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.builders import Scripted, config
from ultrainteract import api
from ultrainteract.cli.writing import app
from ultrainteract.dataset.tree_table import read_trees
from ultrainteract.errors import DataError, StoreError
from ultrainteract.judgments.trees import EQUAL
from ultrainteract.judgments.writing.paragraphs import POLARITY, Paragraph, read_paragraphs
from ultrainteract.judgments.writing.rating import rate_paragraphs, read_rating
from ultrainteract.judgments.writing.scores import WritingRule, scores, verdict
from ultrainteract.models.base import ChatRequest
from ultrainteract.readers.files import BadRecord, read_file

STUDY = Path(__file__).parent / "data" / "writing" / "paragraphs.csv"
"""24 texts and rewrites of the published study, with the means of ten readers."""


def test_the_studys_paragraphs_load_and_their_scores_are_those_of_its_readers() -> None:
    found = [one for one in read_paragraphs(read_file(STUDY)) if isinstance(one, Paragraph)]
    rows = list(csv.DictReader(STUDY.open(encoding="utf-8", newline="")))
    assert len(found) == len(rows) == 48
    own = {(one.writer, one.topic): one for one in found if one.model is None}
    assert len(own) == 24
    by_key: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        by_key.setdefault((row["writer_id"], row["proposition_id"]), {})[row["paragraph_type"]] = row
    exact, rough = [], []
    for rewrite in (one for one in found if one.model is not None):
        key = (rewrite.writer, rewrite.topic)
        measured = scores(own[key], rewrite, WritingRule())
        stances = [float(by_key[key][kind]["writer_stance"]) for kind in ("model", "writer")]
        assert measured.stance == pytest.approx(stances[0] - stances[1])
        polarities = [float(by_key[key][kind]["writer_stance_polarity"]) for kind in ("model", "writer")]
        assert measured.polarity == pytest.approx((polarities[0] - polarities[1]) / 2)
        exact.append(measured.polarity)
        without = [one.model_copy(update={"ratings": {k: v for k, v in one.ratings.items() if k != POLARITY}})
                   for one in (own[key], rewrite)]  # fmt: skip
        rough.append(scores(*without, WritingRule()).polarity)
    assert rank_correlation(exact, rough) > 0.7  # from the means alone: about the same order
    assert sum(exact) / len(exact) > 0  # rewrites are more extreme than what was written


def rank_correlation(one: list[float], other: list[float]) -> float:
    ranks = [[sorted(values).index(value) for value in values] for values in (one, other)]
    mean = sum(ranks[0]) / len(one)
    top = sum((a - mean) * (b - mean) for a, b in zip(*ranks, strict=True))
    norms = [sum((rank - mean) ** 2 for rank in side) ** 0.5 for side in ranks]
    return float(top / (norms[0] * norms[1]))


def row(kind: str, text: str, *, model: str = "", clarity: float = 50, stance: float = 60, confidence: float = 50,
        party: str = "Labour") -> dict[str, Any]:  # fmt: skip
    return {
        "writer_id": "w", "proposition_id": "1", "proposition": "Cats should vote.", "paragraph_type": kind,
        "model_name": model, "paragraph": text, "paragraph_clarity": clarity, "paragraph_informativeness": clarity,
        "paragraph_relevance": clarity, "writer_stance": stance, "writer_confidence": confidence,
        "writer_politicalParty": party,
    }  # fmt: skip


def write(tmp_path: Path, *rows: dict[str, Any]) -> Path:
    path = tmp_path / "rated.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_better_read_but_distorting_rewrite_is_rejected_against_the_faithful_one(tmp_path: Path) -> None:
    path = write(
        tmp_path, row("writer", "i thnk cats shuld vote mabye"),
        row("model", "I think cats should perhaps vote.", model="careful", clarity=75),
        row("model", "Cats must vote, and nobody sane denies it!", model="bold", clarity=95, stance=99, confidence=95),
        row("model", "Dogs should vote.", model="worse", clarity=40),
        row("model", "As a Tory I say: cats should vote, perhaps.", model="other", clarity=80, party="Conservative"),
    )  # fmt: skip
    report = api.writing_pairs(path, output=tmp_path / "out", license="cc-by-4.0")
    assert report["rewrites"] == {"distorting": 1, "faithful and better": 1, "undetermined": 2}
    assert (report["texts"], report["trees"], report["pairs"]) == (1, 1, 1)
    (tree,) = read_trees(tmp_path / "out")
    ((_, pair),) = tree.pairs()
    assert (pair.chosen.provenance.model, pair.rejected.provenance.model) == ("careful", "bold")
    assert tree.instruction.task.value == "Writing"
    assert "i thnk cats" in tree.instruction.prompt
    assert pair.chosen.verdict.evidence is not None
    assert pair.chosen.verdict.evidence.check == "writing"
    assert 0.5 < pair.chosen.verdict.evidence.reliability < 1


def test_a_distorting_winner_is_never_chosen_however_polished(tmp_path: Path) -> None:
    for stance in range(0, 101, 5):
        path = write(
            tmp_path, row("writer", "own", stance=50), row("model", "neat", model="a", clarity=60, stance=50),
            row("model", "brilliant", model="b", clarity=100, stance=stance),
        )  # fmt: skip
        api.writing_pairs(path, output=tmp_path / str(stance))
        if (tmp_path / str(stance)).exists():
            for tree in read_trees(tmp_path / str(stance)):
                assert {pair.chosen.provenance.model for _, pair in tree.pairs()} == {"a"}
                assert abs(stance - 50) >= 20


def test_what_makes_no_pair_is_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path, row("writer", "own"), row("model", "wild", model="m", stance=100),
        row("model", "lost", model="m") | {"writer_id": "nobody"}, row("writer", "bad", stance=500) | {"writer_id": "x"},
    )  # fmt: skip
    report = api.writing_pairs(path)
    assert report["without"] == {"no faithful rewrite": 1}
    assert report["rewrites"] == {"distorting": 1, "without the writer's own text": 1}
    assert report["unreadable"] == 1
    assert report["texts"] == report["trees"] + sum(report["without"].values())


FAITHFUL = row("model", "I think cats should perhaps vote.", model="careful", clarity=75)
DISTORTING = row(
    "model", "Cats must vote, and nobody sane denies it!", model="bold", clarity=95, stance=99, confidence=95
)


@pytest.mark.parametrize("missing", ["", "   "])
def test_a_rewrite_is_scored_against_the_text_on_its_own_proposition(tmp_path: Path, missing: str) -> None:
    """Rows without the id of their proposition are told apart by its text, and an id alone joins no two propositions."""
    own = row("writer", "i thnk cats shuld vote")
    rows = [own, FAITHFUL, DISTORTING]
    dogs = [one | {"proposition": "Dogs should vote."} for one in rows]
    no_id = [one | {"proposition_id": missing} for one in (*rows, *dogs)]
    report = api.writing_pairs(write(tmp_path, *no_id))
    assert (report["texts"], report["trees"], report["without"]) == (2, 2, {})
    unlike = [no_id[0], *(one | {"proposition_id": missing} for one in dogs[1:])]
    for mixed in (unlike, [own, *dogs[1:]]):
        report = api.writing_pairs(write(tmp_path, *mixed))
        assert (report["pairs"], report["rewrites"]) == (0, {"without the writer's own text": 2})
    lines = [
        {k: v for k, v in one.items() if k != "proposition_id"} | {"writer_stance": 60} for one in unlike
    ]
    (tmp_path / "none.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert api.writing_pairs(tmp_path / "none.jsonl")["rewrites"] == {"without the writer's own text": 2}


def test_which_of_several_own_texts_a_rewrite_is_of_is_not_guessed(tmp_path: Path) -> None:
    own = row("writer", "i thnk cats shuld vote")
    report = api.writing_pairs(
        write(tmp_path, own, own | {"paragraph": "Dogs!"}, FAITHFUL, DISTORTING, DISTORTING)
    )
    assert (
        report["rewrites"] == report["without"] == {"several own texts of this writer on this proposition": 2}
    )
    assert (report["read"], report["texts"], report["duplicates"], report["pairs"]) == (5, 2, 1, 0)
    report = api.writing_pairs(write(tmp_path, own, own, FAITHFUL, FAITHFUL, DISTORTING))
    assert (report["read"], report["texts"], report["duplicates"], report["pairs"]) == (5, 1, 2, 1)


def test_two_equal_rewrites_are_no_pair(tmp_path: Path) -> None:
    shouted = DISTORTING | {"paragraph": str(FAITHFUL["paragraph"]).upper()}
    path = write(tmp_path, row("writer", "own"), FAITHFUL, shouted)
    report = api.writing_pairs(path, output=tmp_path / "out")
    assert (report["texts"], report["trees"], report["pairs"]) == (1, 0, 0)
    assert report["without"] == report["refused"] == {EQUAL: 1}
    assert not (tmp_path / "out").exists()
    rows = [row("writer", "own"), FAITHFUL, DISTORTING]
    both = write(tmp_path, *rows, *(one | {"writer_id": "other"} for one in rows))
    report = api.writing_pairs(both, output=tmp_path / "out")
    assert (report["texts"], report["trees"]) == (2, 1)
    assert report["without"] == {"same text as another writer's": 1}
    (tmp_path / "out" / "trees" / "notes.md").write_text("mine")
    equal = write(tmp_path, row("writer", "own"), FAITHFUL, shouted)
    assert api.writing_pairs(equal, output=tmp_path / "out")["trees"] == 0
    assert list(read_trees(tmp_path / "out")) == [], "pairs of an earlier file do not outlive it"
    assert (tmp_path / "out" / "trees" / "notes.md").read_text() == "mine"


def test_fewer_readers_leave_more_undetermined() -> None:
    paragraphs = [
        Paragraph(
            where="x", writer="w", topic="1", proposition="p", text=str(stance), model="m", cues={},
            ratings={
                "paragraph_clarity": 60, "paragraph_informativeness": 60, "paragraph_relevance": 60,
                "writer_stance": stance, "writer_confidence": 50,
            },
        )
        for stance in (50, 78)
    ]  # fmt: skip
    many = verdict(scores(*paragraphs, WritingRule(readers=100)), WritingRule(readers=100))
    few = verdict(scores(*paragraphs, WritingRule(readers=2)), WritingRule(readers=2))
    assert many[0] == "distorting"
    assert many[1] > few[1]


def test_a_row_without_a_rating_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, row("writer", "own") | {"writer_stance": "high"})
    (bad,) = read_paragraphs(read_file(path))
    assert isinstance(bad, BadRecord)
    assert "writer_stance" in bad.reason


@pytest.mark.parametrize(
    "odd",
    [{"paragraph_type": "human"}, {"paragraph_type": ""}, {"paragraph": " "}, {"proposition": ""}, {"writer_id": " "},
     {"model_name": ""}, {"writer_stance": "nan"}, {"writer_confidence": ""}],
)  # fmt: skip
def test_a_row_of_no_known_type_or_with_an_empty_field_is_left_out(
    tmp_path: Path, odd: dict[str, Any]
) -> None:
    path = write(tmp_path, row("writer", "own"), FAITHFUL | odd, DISTORTING)
    report = api.writing_pairs(path)
    assert (report["read"], report["unreadable"], report["pairs"]) == (3, 1, 0)
    (bad,) = (one for one in read_paragraphs(read_file(path)) if isinstance(one, BadRecord))
    assert (bad.where, next(iter(odd)) in bad.reason) == ("rated.csv:3", True)
    if "paragraph" in odd:
        with pytest.raises(DataError, match=r"rated\.csv:3: field 'paragraph' is empty"):
            api.rate_writing(path, api.load_config("configs/demo.yaml"), "actor", tmp_path / "out")


def reader(request: ChatRequest, ordinal: int) -> str:
    """Reads a text's stance off its words, likes large numbers by 6 points, and rambles at times."""
    text = request.messages[-1].content
    found = re.search(r"(?:0 \(|0 means \")(.*?)[\")]", text)
    assert found
    value = (
        (90 if "must" in text else 20 if "never" in text else 55) if "think of the statement" in text else 60
    )
    upwards = not any(
        word in found[1]
        for word in ("for it", "perfectly", "very", "entirely relevant", "entirely confident")
    )
    if ordinal == 1 and "clearly" in text:
        return "Between 40 and 60."
    return f"{min(100, (value if upwards else 100 - value) + 6)}/100"


async def test_a_model_rates_blind_and_in_both_directions(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    texts = ["Cats must vote, all of them.", "Cats may vote, I think.", "Cats should never vote."]
    rows = [row("writer" if n == 1 else "model", text, model="" if n == 1 else "m", stance=[80, 50, 30][n])
            for n, text in enumerate(texts)]  # fmt: skip
    path.write_text("".join(json.dumps(one) + "\n" for one in rows))
    records = [one for one in read_file(path) if not isinstance(one, BadRecord)]
    model = Scripted("actor", reader)
    found = await rate_paragraphs(records, config(), "actor", {"actor": model}, tmp_path / "run", 2)
    assert not found.unrated
    assert [one["writer_stance"] for one in found.rows] == [90, 55, 20], (
        "the liking for large numbers cancels out"
    )
    assert set(found.direction.values()) == {12.0}
    assert found.agreement == {"writer_stance": pytest.approx(0.98, abs=0.02)}
    assert (found.answers, found.unread, found.readers) == (3 * 5 * 4 * 2, 3 * 4, 8)
    for asked in (message.content for request in model.requests for message in request.messages):
        assert sum(text in asked for text in texts) == 1, "one text at a time"
        assert not re.search(r"rewrit|model|original|version", asked)
    (tmp_path / "rated.jsonl").write_text("".join(json.dumps(one) + "\n" for one in found.rows))
    report = api.writing_pairs(
        tmp_path / "rated.jsonl", rule=WritingRule(readers=8, spread=max(found.spread, 1))
    )
    assert report["rewrites"] == {"distorting": 2}
    sent = len(model.requests)
    again = await rate_paragraphs(records, config(), "actor", {"actor": model}, tmp_path / "run", 2)
    assert (again.rows, len(model.requests)) == (found.rows, sent), "nothing is paid for twice"


@pytest.mark.parametrize(
    ("text", "value"),
    [("72", 72), ("Rating: 72/100", 72), ("I give 0.", 0), ("100", 100), ("72.5", 72.5), ("7 or 8", None), ("", None),
     ("1,000", None), ("On a scale from 0 to 100: 35", 35), ("250", None), ("**41**", 41),
     ("-5", None), ("65-70", None), ("5/1000", None), ("70%", None), ("72,5", None), ("72 / 100", 72), ("35 of 40", None)],
)  # fmt: skip
def test_a_rating_is_one_number(text: str, value: float | None) -> None:
    assert read_rating(text) == value


@pytest.mark.parametrize("constant", [True, False])
def test_what_rate_proposes_is_what_pairs_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, constant: bool
) -> None:
    settings = api.load_config("configs/demo.yaml")
    name = next(iter(settings.models))
    answers = (lambda request, ordinal: "50") if constant else reader
    monkeypatch.setattr("ultrainteract.api.models.build_model", lambda *_: Scripted(name, answers))
    path = write(tmp_path, row("writer", "own"), FAITHFUL)
    arguments = ["rate", str(path), "--config", "configs/demo.yaml", "--model", name]
    result = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    proposed = result.output.splitlines()[-1].split()
    assert ("--spread" in proposed) is not constant
    assert CliRunner().invoke(app, proposed[2:]).exit_code == 0
    held = (tmp_path / "out" / "rated.jsonl").read_bytes()
    other = write(tmp_path, row("writer", "another text"))
    with pytest.raises(StoreError, match=r"2 answers by .* that would be lost"):
        api.rate_writing(other, settings, name, tmp_path / "out")
    assert (tmp_path / "out" / "rated.jsonl").read_bytes() == held
    assert api.rate_writing(other, settings, name, tmp_path / "out", force=True)["rated"] == 1
    (tmp_path / "out" / "rated.jsonl").write_text('{"rated_by": {}, "paragraph": []}\nnot JSON\n')
    with pytest.raises(StoreError, match="2 answers by"):
        api.rate_writing(other, settings, name, tmp_path / "out")
