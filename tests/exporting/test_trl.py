"""The real trainers of TRL read every export meant for them: two steps on a tiny model, on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.exporting.call_tree import call_tree
from tests.exporting.forest import copies, forest
from tests.exporting.principled_tree import principled_tree
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract.config import ExportConfig
from ultrainteract.exporting import RunInfo, export_trees
from ultrainteract.statistics.lengths import LIMITS
from ultrainteract.statistics.statistics import Statistics

pytestmark = pytest.mark.trl


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    shape = Shape(hidden=16, layers=1, heads=1, kv_heads=1, intermediate=16)
    return str(build_tiny_model(tmp_path_factory.mktemp("model"), shape=shape))


def exported(folder: Path, name: str, **settings: Any) -> Any:
    import datasets

    config = ExportConfig.model_validate({"formats": (name,), **settings})
    export_trees(forest() * 2, folder / name, config, RunInfo(name="forest", fingerprint="0" * 64))
    return datasets.load_dataset(str(folder / name / name), split="train", cache_dir=str(folder / "cache"))


def train(trainer: type, config: type, model: Any, data: Any, folder: Path, **options: Any) -> Any:
    """Trains for two steps and returns the trainer."""
    from transformers import AutoTokenizer

    options = {"max_steps": 2, "per_device_train_batch_size": 2, "max_length": 512, "report_to": "none", "use_cpu": True,
               "logging_steps": 1, "save_strategy": "no", "disable_tqdm": True} | options  # fmt: skip
    arguments = config(output_dir=str(folder / "out"), **options)
    run = trainer(
        model=model, args=arguments, train_dataset=data, processing_class=AutoTokenizer.from_pretrained(model)
    )
    run.train()
    losses = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
    assert len(losses) == 2
    assert all(loss == loss and loss > 0 for loss in losses)
    return run


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("trl-preference", {}),
        ("trl-preference", {"level": "trajectory"}),
        ("trl-preference", {"pair_history": "none"}),
        ("trl-implicit", {}),
        ("openrlhf-preference", {}),
    ],
)
def test_dpo(name: str, settings: dict[str, Any], model: str, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    data = exported(tmp_path, name, **settings)
    assert len(data) == 10
    train(DPOTrainer, DPOConfig, model, data, tmp_path, beta=0.1)


def test_dpo_under_principles(model: str, tmp_path: Path) -> None:
    import datasets
    from trl import DPOConfig, DPOTrainer

    export_trees(
        [principled_tree()], tmp_path, ExportConfig(formats=("principle-pair",)),
        RunInfo(name="principles", fingerprint="0" * 64),
    )  # fmt: skip
    rows = str(tmp_path / "principle-pair")
    data = datasets.load_dataset(rows, split="train", cache_dir=str(tmp_path / "cache"))
    assert len(data) == 2
    assert [row["prompt"][0]["role"] for row in data] == ["system", "system"]
    train(DPOTrainer, DPOConfig, model, data, tmp_path, beta=0.1)


def test_kto(model: str, tmp_path: Path) -> None:
    from trl import KTOConfig, KTOTrainer

    data = exported(tmp_path, "trl-kto")
    assert sum(data["label"]) == 10
    train(KTOTrainer, KTOConfig, model, data, tmp_path, desirable_weight=1.33)


@pytest.mark.parametrize("batch", [2, 4, 8, 16])
def test_the_kl_completion_of_a_row_is_never_of_its_own_problem(
    batch: int, model: str, tmp_path: Path
) -> None:
    """The trainer's own rotation within a batch, over the export as it lies on the disk."""
    import datasets
    from transformers import AutoTokenizer
    from trl import KTOConfig, KTOTrainer

    trees = copies(12)
    export_trees(
        trees, tmp_path, ExportConfig(formats=("trl-kto",)), RunInfo(name="forest", fingerprint="0" * 64)
    )
    data = datasets.load_dataset(str(tmp_path / "trl-kto"), split="train", cache_dir=str(tmp_path / "cache"))
    data = data.select(range(len(data) // batch * batch))
    arguments = KTOConfig(
        output_dir=str(tmp_path / "out"), per_device_train_batch_size=batch, max_length=4096, report_to="none", use_cpu=True,
        disable_tqdm=True, bf16=False,
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows = KTOTrainer(
        model=model, args=arguments, train_dataset=data, processing_class=tokenizer
    ).train_dataset
    assert len(rows) == len(data)
    problems = [row["prompt"][0]["content"] for row in data]
    for start in range(0, len(rows), batch):
        for number in range(start, start + batch):
            before = number - 1 if number > start else start + batch - 1
            assert rows[number]["KL_completion_ids"] == rows[before]["completion_ids"]
            assert problems[number] != problems[before]


def test_pairs_that_are_reported_as_too_long_are_those_that_the_trainer_drops(
    model: str, tmp_path: Path
) -> None:
    """With the trainer's tokenizer, `prompt_over` counts its dropped rows, but for the chat template's own tokens."""
    from transformers import AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    tree = forest()[0]
    long = tree.model_copy(
        update={"instruction": tree.instruction.model_copy(update={"prompt": "one two three " * 600})}
    )
    tokenizer = AutoTokenizer.from_pretrained(model)
    counted = Statistics(
        count_tokens=lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])
    )
    export_trees([long, *forest()[1:]], tmp_path, ExportConfig(formats=("trl-preference",)),
                 RunInfo(name="forest", fingerprint="0" * 64), counted)  # fmt: skip
    import datasets

    data = datasets.load_dataset(
        str(tmp_path / "trl-preference"), split="train", cache_dir=str(tmp_path / "cache")
    )
    arguments = DPOConfig(
        output_dir=str(tmp_path / "out"), report_to="none", use_cpu=True, disable_tqdm=True, bf16=False
    )
    assert arguments.max_length == LIMITS[0]
    kept = DPOTrainer(
        model=model, args=arguments, train_dataset=data, processing_class=tokenizer
    ).train_dataset
    rows = counted.figures().pair_tokens
    assert sum(row.prompt_over[LIMITS[0]] for row in rows) == len(data) - len(kept) == 2
    assert {row.turn: row.prompt_over[LIMITS[0]] for row in rows} == {1: 1, 2: 1}


@pytest.mark.parametrize("name", ["reward", "trl-preference", "trl-implicit"])
def test_reward_model(name: str, model: str, tmp_path: Path) -> None:
    from trl import RewardConfig, RewardTrainer

    data = exported(tmp_path, name)
    run = train(RewardTrainer, RewardConfig, model, data, tmp_path)
    assert run.model.config.num_labels == 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("trl-prompt-completion", {}),
        ("trl-prompt-completion", {"sft_history": "turns"}),
        ("trl-messages", {"sft_history": "flat"}),
        ("openrlhf-sft", {}),
    ],
)
def test_sft(name: str, settings: dict[str, Any], model: str, tmp_path: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    data = exported(tmp_path, name, **settings)
    assert len(data) == 14
    train(SFTTrainer, SFTConfig, model, data, tmp_path)


def test_the_completion_alone_is_learned(model: str, tmp_path: Path) -> None:
    """With history as turns, the wrong actions in it carry no loss."""
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    data = exported(tmp_path, "trl-prompt-completion", sft_history="turns")
    tokenizer = AutoTokenizer.from_pretrained(model)
    arguments = SFTConfig(
        output_dir=str(tmp_path / "out"), max_length=2048, report_to="none", use_cpu=True, disable_tqdm=True,
        per_device_train_batch_size=len(data),
    )  # fmt: skip
    run = SFTTrainer(model=model, args=arguments, train_dataset=data, processing_class=tokenizer)
    (batch,) = run.get_train_dataloader()
    learned = {
        tokenizer.decode(labels[labels != -100], skip_special_tokens=True) for labels in batch["labels"]
    }
    assert learned == {row["completion"][0]["content"] for row in data}


# ------------------------------------------------------------------------------------------------- with tools

TOOL_TEMPLATE = (
    "{% if tools %}<|system|>{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|end|>{% endif %}"
    "{% for message in messages %}{{ '<|' + message['role'] + '|>' }}{{ message['content'] or '' }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function.name }}"
    "{{ call.function.arguments | tojson }}</tool_call>{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@pytest.fixture(scope="module")
def tool_model(model: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    import shutil

    from transformers import AutoTokenizer

    folder = tmp_path_factory.mktemp("tool-model") / "model"
    shutil.copytree(model, folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = TOOL_TEMPLATE
    tokenizer.save_pretrained(folder)
    return str(folder)


def exported_calls(folder: Path, name: str) -> Any:
    import datasets

    config = ExportConfig(formats=(name,))
    export_trees([call_tree()] * 2, folder / name, config, RunInfo(name="calls", fingerprint="0" * 64))
    return datasets.load_dataset(str(folder / name / name), split="train", cache_dir=str(folder / "cache"))


CALL = '<tool_call>weather.now{"city": "Kiel"}</tool_call><|end|>'
BONN = CALL.replace("Kiel", "Bonn")


def test_dpo_with_tools(tool_model: str, tmp_path: Path) -> None:
    from trl import DPOConfig, DPOTrainer

    data = exported_calls(tmp_path, "trl-tools-preference")
    run = train(DPOTrainer, DPOConfig, tool_model, data, tmp_path, beta=0.1)
    row = run.train_dataset[1]
    prompt, chosen, rejected = (
        run.processing_class.decode(row[f"{side}_ids"]) for side in ("prompt", "chosen", "rejected")
    )
    assert '"name": "weather.now"' in prompt, "the template was given the functions"
    assert "<|tool|>Error: no such city<|end|>" in prompt.replace("< |", "<|")
    assert (chosen, "Köln" in rejected or "K" in rejected) == (CALL, True), "the calls alone are learned"


def test_kto_with_tools(tool_model: str, tmp_path: Path) -> None:
    from trl import KTOConfig, KTOTrainer

    train(KTOTrainer, KTOConfig, tool_model, exported_calls(tmp_path, "trl-tools-kto"), tmp_path)


def test_sft_with_tools_learns_the_calls_alone(tool_model: str, tmp_path: Path) -> None:
    from trl import SFTConfig, SFTTrainer

    run = train(SFTTrainer, SFTConfig, tool_model, exported_calls(tmp_path, "trl-tools-sft"), tmp_path)
    learned = {
        run.processing_class.decode(labels[labels != -100])
        for batch in run.get_train_dataloader()
        for labels in batch["labels"]
    }
    both = '<tool_call>weather.now{"city": "Bonn"}</tool_call>' + CALL
    assert learned == {f"Both.{both}", f"Bonn first.{BONN}", CALL}
