"""Stages and scores on users' plain tables: what is left out is counted, and nothing ends in a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.tinymodel import CHAT_TEMPLATE
from ultrainteract import api
from ultrainteract.config import TrainConfig
from ultrainteract.config.training import Stage
from ultrainteract.errors import ConfigError, DataError

pytestmark = pytest.mark.trl

Recipe = Callable[..., TrainConfig]
STAGES = get_args(Stage)


def row(number: int, **changes: Any) -> dict[str, Any]:
    right, wrong = f"It is {number}.", f"It may be {number + 1}."
    return {"prompt": f"Count to {number}.", "completion": right if number % 2 else wrong, "label": number % 2,
            "chosen": right, "rejected": wrong} | changes  # fmt: skip


def demonstration(number: int, **changes: Any) -> dict[str, Any]:
    return {"prompt": f"Count to {number}.", "completion": f"It is {number}."} | changes


def written(file: Path, rows: list[Any]) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return str(file)


@pytest.mark.parametrize("stage", STAGES)
def test_a_table_of_texts_is_trained_on(stage: Stage, recipe: Recipe, tmp_path: Path) -> None:
    made = demonstration if stage == "sft" else row
    rows = [made(n) for n in range(1, 9)] + [made(9, prompt=None)]
    config = recipe(stage, data=written(tmp_path / "rows.jsonl", rows))
    told: list[str] = []
    plan = api.train(config, stage, say=told.append).plan
    assert plan.rows == {"data": 9}
    assert plan.kept == 8
    assert plan.dropped == {"prompt is missing": 1}
    assert "warning: rows left out: 1 × prompt is missing (rows.jsonl:9)." in told
    one = api.plan_training(recipe(stage, data=written(tmp_path / "one.jsonl", [row(1)])), stage)
    assert "<|user|>Count to 1.<|end|><|assistant|>⟦It is 1.<|end|>⟧" in one.example


@pytest.mark.parametrize("stage", STAGES)
def test_a_table_without_a_usable_row_says_why(stage: Stage, recipe: Recipe, tmp_path: Path) -> None:
    for bad, why in (([row(1, prompt=[])], r"1 × prompt is empty \(rows.jsonl:1\)"), ([], "no row to train")):
        data = written(tmp_path / "rows.jsonl", bad)
        with pytest.raises(DataError, match=why):
            api.plan_training(recipe(stage, data=data), stage)


def test_settings_that_trl_refuses_are_refused_by_a_dry_run(recipe: Recipe, tmp_path: Path) -> None:
    data = written(tmp_path / "rows.jsonl", [demonstration(n) for n in range(8)])
    for settings in ({"scheduler": "zigzag"}, {"options": {"nothing": 1}}, {"batch_size": 6}):
        with pytest.raises(ConfigError, match=r"sft"):
            api.plan_training(recipe("sft", data=data, **settings), "sft")


@pytest.mark.parametrize(
    "name", ["validation.jsonl", "val.jsonl", "test-00000-of-00001.jsonl", "dev/rows.jsonl"]
)
def test_a_held_out_table_is_the_validation_split(name: str, recipe: Recipe, tmp_path: Path) -> None:
    written(tmp_path / "data" / "train.jsonl", [demonstration(n) for n in range(8)])
    rows = [demonstration(20), demonstration(21, completion=""), demonstration(22)]
    written(tmp_path / "data" / name, rows)
    plan = api.plan_training(recipe("sft", data=str(tmp_path / "data")), "sft")
    assert (plan.rows, plan.kept, plan.validation) == ({"data": 8}, 8, 2)
    assert plan.validation_dropped == {"completion is blank": 1}
    (tmp_path / "data" / "train.jsonl").unlink()
    with pytest.raises(DataError, match=r"2 rows stand in splits .* held out"):
        api.plan_training(recipe("sft", data=str(tmp_path / "data")), "sft")


@pytest.mark.parametrize("formats", [["trees"], ["sft", "pair"]])
def test_held_out_trees_are_the_validation_split(
    formats: list[str], recipe: Recipe, trees: str, tmp_path: Path
) -> None:
    api.export(trees, tmp_path / "data", changes={"formats": formats, "validation": 0.3})
    counts = api.export(
        trees, tmp_path / "rows", changes={"formats": ["trl-preference"], "validation": 0.3}
    ).rows
    plan = api.plan_training(recipe("dpo", data=str(tmp_path / "data")), "dpo")
    assert plan.rows == {"data": counts["trl-preference"]}
    assert plan.validation == counts["trl-preference/validation"] > 0


def test_rows_that_the_template_refuses_are_counted(recipe: Recipe, tmp_path: Path) -> None:
    template = tmp_path / "template.jinja"
    refusal = "{% if messages[0].role == 'system' %}{{ raise_exception('No system message.') }}{% endif %}"
    template.write_text(refusal + CHAT_TEMPLATE)
    asked = [{"role": "system", "content": "Count."}, {"role": "user", "content": "To 3."}]
    rows = [row(n) for n in range(8)] + [row(9, prompt=asked)]
    config = recipe("kto", data=written(tmp_path / "rows.jsonl", rows), chat_template=template)
    plan = api.plan_training(config, "kto")
    assert plan.kept == 8
    assert plan.dropped == {"refused by the chat template": 1}
    assert any("No system message." in warning for warning in plan.warnings)
    config = recipe("kto", data=written(tmp_path / "rows.jsonl", rows[-1:]), chat_template=template)
    with pytest.raises(DataError, match="No system message"):
        api.plan_training(config, "kto")


def test_sides_that_are_equal_as_tokens_teach_nothing(recipe: Recipe, tmp_path: Path) -> None:
    template = tmp_path / "template.jinja"
    template.write_text(CHAT_TEMPLATE.replace("message['content']", "message['content'] | trim"))
    rows = [row(n) for n in range(1, 5)] + [row(5, chosen="It is 5.", rejected="It is 5.\n")]
    config = recipe("dpo", data=written(tmp_path / "rows.jsonl", rows), chat_template=template)
    plan = api.plan_training(config, "dpo")
    assert (plan.kept, plan.dropped) == (4, {"sides are equal as tokens": 1})


def test_kto_tells_of_one_label_alone_and_of_completions_with_both(recipe: Recipe, tmp_path: Path) -> None:
    wanted = [row(n, label=1) for n in range(8)]
    plan = api.plan_training(recipe("kto", data=written(tmp_path / "one.jsonl", wanted)), "kto")
    assert plan.kinds == {"wanted": 8, "unwanted": 0}
    assert any(warning.startswith("All rows are wanted") for warning in plan.warnings)
    plan = api.plan_training(
        recipe("kto", data=written(tmp_path / "both.jsonl", [*wanted, row(0, label=0)])), "kto"
    )
    assert plan.kinds == {"wanted": 8, "unwanted": 1}
    assert any(warning.startswith("1 completions are wanted in one row") for warning in plan.warnings)
    plan = api.plan_training(
        recipe("kto", data=written(tmp_path / "fine.jsonl", [row(n) for n in range(8)])), "kto"
    )
    assert not plan.warnings


@pytest.fixture(scope="module")
def reward_model(model: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A reward model that names no padding token, as models of others may."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    folder = tmp_path_factory.mktemp("reward")
    loaded = AutoModelForSequenceClassification.from_pretrained(model, num_labels=1)
    loaded.config.pad_token_id = None
    loaded.save_pretrained(folder)
    AutoTokenizer.from_pretrained(model).save_pretrained(folder)
    return str(folder)


def test_rows_without_a_score_are_named_in_their_place(reward_model: str, tmp_path: Path) -> None:
    rows = [
        row(1), row(2, prompt=[]), row(3, completion=None), row(4, chosen="much " * 600),
        {"prompt": "a"}, row(5, prompt=[{"role": "user", "content": "Count to 5."}]),
    ]  # fmt: skip
    data = written(tmp_path / "rows.jsonl", rows)
    found = list(api.score(reward_model, data))
    assert [set(scores) for scores in found] == [
        {"chosen", "rejected", "completion"}, {"left_out"}, {"chosen", "rejected"}, {"left_out"}, {"left_out"},
        {"chosen", "rejected", "completion"},
    ]  # fmt: skip
    assert found[1] == {"left_out": "rows.jsonl:2: prompt is empty"}
    assert "rows.jsonl:4: chosen is longer than the model's context of 512 tokens" in str(
        found[3]["left_out"]
    )
    alone = next(api.score(reward_model, written(tmp_path / "alone.jsonl", [row(5)])))
    assert found[5] == pytest.approx(alone)
    with pytest.raises(DataError, match="no row has a score"):
        list(api.score(reward_model, written(tmp_path / "none.jsonl", rows[1:2])))
    done = subprocess.run(
        [sys.executable, "-m", "ultrainteract", "train", "score", reward_model, data],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0
    assert [json.loads(line).keys() for line in done.stdout.splitlines()] == [each.keys() for each in found]
    assert "3 of 6 rows have no score" in done.stderr


def test_scores_do_not_depend_on_a_padding_token(reward_model: str) -> None:
    from ultrainteract.training.scoring import RewardModel

    asked: list[tuple[Any, Any]] = [
        ([{"role": "user", "content": "a " * n}], [{"role": "assistant", "content": "b"}])
        for n in (1, 30, 600, 7)
    ]
    model = RewardModel.load(reward_model)
    scores = []
    for pad in (None, -1, 5000, 5):  # none, two that are no tokens, and one that occurs in no text
        model._model.config.pad_token_id = pad
        scores.append(model.score(asked))
    assert scores[0][2] is None
    assert None not in (scores[0][0], scores[0][1], scores[0][3])
    for others in scores[1:]:
        assert others == [score if score is None else pytest.approx(score, abs=1e-5) for score in scores[0]]
