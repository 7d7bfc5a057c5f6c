"""The paper's recipe, with stand-in data of its shape at a thousandth of its size."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.conftest import three_turns
from ultrainteract import api
from ultrainteract.config import ExportConfig, load_train_config
from ultrainteract.exporting import RunInfo, export_trees

pytestmark = pytest.mark.trl

CONFIG = Path(__file__).parents[2] / "configs/train/paper-7b.yaml"


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """287 correct actions, 220 pairs and 240 augmented ones; and the sets that are mixed in, with rows to spare."""
    folder = tmp_path_factory.mktemp("paper")
    deep = [three_turns(number) for number in range(40)]
    flat = [tree.model_copy(update={"turns": tree.turns[:1]}) for tree in map(three_turns, range(40, 140))]
    only = [
        tree.model_copy(
            update={"turns": (tree.turns[0].model_copy(update={"incorrect": None, "paired": False}),)}
        )
        for tree in map(three_turns, range(140, 207))
    ]
    info = RunInfo(name="UltraInteract", fingerprint="0" * 64)
    export_trees([*deep, *flat, *only], folder, ExportConfig(formats=("trees",)), info)
    places = {"data": str(folder / "trees")}
    rows = {
        "ultrachat": [{"data": ["Hi?", f"Hi {n}."]} for n in range(60)],
        "sharegpt": [{"conversations": [{"from": "human", "value": f"{n}?"}, {"from": "gpt", "value": "."}]} for n in range(60)],
        "openorca": [{"system_prompt": "", "question": f"Why {n}?", "response": "So."} for n in range(60)],
        "ultrafeedback": [
            {"instruction": f"Say {n}.", "completions": [{"response": r * 3, "fine-grained_score": s} for r, s in zip("abcd", (5, 3, 3, 1), strict=True)]}
            for n in range(90)
        ],
        "ultrasafety": [
            {"prompt": f"Do harm {n}.", "completions": [{"response": r, "rating": s} for r, s in (("No.", 1), ("Yes.", 0), ("Sure.", 0))]}
            for n in range(9)
        ],
    }  # fmt: skip
    for name, found in rows.items():
        path = folder / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in found))
        places[name] = str(path)
    return places


@pytest.mark.parametrize(
    ("stage", "counts", "kinds"),
    [
        ("sft", {"data": 287, "ultrachat": 32, "sharegpt": 30, "openorca": 50}, {}),
        ("dpo", {"data": 220, "ultrafeedback": 340}, {}),
        ("nca", {"data": 220, "ultrafeedback": 340}, {}),
        ("kto", {"data": 440, "ultrafeedback": 680}, {"wanted": 560, "unwanted": 560}),
        ("reward", {"data": 460, "ultrafeedback": 340, "ultrasafety": 3}, {"direct": 220, "augmented": 240, "other": 343}),
    ],
)  # fmt: skip
def test_the_mix_has_the_papers_proportions(
    stage: str, counts: dict[str, int], kinds: dict[str, int], stand_ins: dict[str, str], model: str
) -> None:
    overrides = [
        f"data={stand_ins['data']}",
        f"model={model}",
        f"{stage}.max_length=null",
        f"{stage}.start={model}",
    ]
    overrides += [f"{stage}.export.mix.{name}.path={stand_ins[name]}" for name in counts if name != "data"]
    plan = api.plan_training(CONFIG, stage, overrides=overrides)  # type: ignore[arg-type]
    assert plan.rows == counts
    assert plan.kinds == kinds
    assert not plan.dropped
    assert "[INST]" in plan.example


def test_it_says_what_the_paper_says() -> None:
    config = load_train_config(CONFIG)
    assert config.sft and config.dpo and config.kto and config.nca and config.reward  # noqa: PT018
    for stage, rate in (
        (config.sft, 2e-5),
        (config.dpo, 5e-7),
        (config.kto, 5e-7),
        (config.nca, 5e-7),
        (config.reward, 1e-5),
    ):
        assert (stage.learning_rate, stage.scheduler, stage.warmup, stage.epochs) == (rate, "cosine", 0.1, 1)
    assert {stage.beta for stage in (config.dpo, config.kto, config.nca)} == {0.1}
    assert config.kto.desirable_weight / config.kto.undesirable_weight == 1.33
    assert config.reward.loss == "bt+dr"


def test_the_model_learns_the_answer_between_the_marks(stand_ins: dict[str, str], model: str) -> None:
    """The template for the base model: `[INST] … [/INST]`, and the end-of-sequence token after each answer."""
    plan = api.plan_training(
        CONFIG, "dpo", overrides=[f"data={stand_ins['data']}", f"model={model}", f"dpo.start={model}", "dpo.max_length=null", "dpo.export.mix={}"]
    )  # fmt: skip
    chosen, rejected = plan.example.split("\n<|end|>", 1)
    assert chosen.startswith("<|end|>[INST] Solve this.")
    assert "[/INST]⟦ Add" in chosen
    assert rejected.endswith("<|end|>⟧")
