"""TRL's trainers with our reward in the loop: real steps on a tiny model, and what is not known moves nothing.

OpenRLHF's tensors are looked at here, too, where PyTorch is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.forest import forest
from tests.rewards.problems import CODING, MATH, PROGRAM, RIGHT, SANDBOX, WRONG, fenced
from tests.tinymodel import Shape, build_tiny_model
from ultrainteract.exporting import export_rows
from ultrainteract.rewards import RewardFunction
from ultrainteract.rewards.openrlhf import reward_func
from ultrainteract.rewards.trl import masked, trl_reward

pytestmark = [pytest.mark.trl, pytest.mark.bubblewrap]

SAID = {
    MATH: ["Answer: 42", "Answer: 41", "Hm.", "Answer: 42"],
    PROGRAM: [fenced("print(6 * 7)"), fenced("print(6 + 7)"), fenced("print(1)"), "Hm."],
    CODING: [RIGHT, WRONG, WRONG, "Hm."],
}
"""Four completions of each problem: right, wrong, and not known."""
EXPECTED = {MATH: [1, 0, None, 1], PROGRAM: [1, 0, 0, None], CODING: [1, 0, 0, None]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    shape = Shape(hidden=16, layers=1, heads=1, kv_heads=1, intermediate=16)
    return str(build_tiny_model(tmp_path_factory.mktemp("model"), shape=shape))


@pytest.fixture(scope="module")
def function() -> Iterator[RewardFunction]:
    with RewardFunction(SANDBOX, workers=1) as made:
        yield made


def long(completions: list[Any], **_: Any) -> list[float]:
    """A second reward, which has something to say of every completion."""
    return [1.0 if completion[0]["content"].startswith("Hm.") else 0.0 for completion in completions]


def scripted(trainer: type, tuple_: bool) -> type:
    """The trainer with the completions of `SAID` instead of the model's own."""

    class Scripted(trainer):  # type: ignore[misc, valid-type]
        def _generate_and_score_completions(self, inputs: Any) -> Any:
            texts = [SAID[row["problem"]][number % 4] for number, row in enumerate(inputs)]
            end = self.processing_class.eos_token_id
            self.said = [
                [*self.processing_class(text, add_special_tokens=False)["input_ids"], end] for text in texts
            ]
            self.asked = [row["problem"] for row in inputs]
            self.scored = super()._generate_and_score_completions(inputs)
            return self.scored

        def _generate_single_turn(self, *_: Any, **__: Any) -> Any:
            return (self.said, None) if tuple_ else self.said

        def _calculate_rewards(self, *arguments: Any, **more: Any) -> Any:
            self.rewards = super()._calculate_rewards(*arguments, **more)
            return self.rewards

    return Scripted


def train(
    kind: str, model: str, folder: Path, rewards: Any, *, script: bool = True, mask: bool = True
) -> Any:
    import datasets
    import trl
    from transformers import AutoTokenizer

    trainer, config = getattr(trl, f"{kind}Trainer"), getattr(trl, f"{kind}Config")
    problems = list(SAID)
    data = datasets.Dataset.from_list(
        [{"prompt": [{"role": "user", "content": "Solve."}], "problem": problem} for problem in problems]
    )
    arguments = config(
        output_dir=str(folder), max_steps=2, per_device_train_batch_size=12, num_generations=4, learning_rate=1e-2,
        max_completion_length=32, use_cpu=True, bf16=False, report_to="none", logging_steps=1, save_strategy="no",
        disable_tqdm=True, **({"beta": 0.0} if kind == "RLOO" else {}),
    )  # fmt: skip
    kind_ = masked(trainer) if mask else trainer
    made = (scripted(kind_, kind == "GRPO") if script else kind_)(
        model=model, args=arguments, train_dataset=data, reward_funcs=rewards,
        processing_class=AutoTokenizer.from_pretrained(model),
    )  # fmt: skip
    before = {name: value.clone() for name, value in made.model.named_parameters()}
    made.train()
    made.moved = any(not value.equal(before[name]) for name, value in made.model.named_parameters())
    return made


@pytest.mark.parametrize("kind", ["GRPO", "RLOO"])
def test_steps_are_taken_and_what_is_not_known_has_no_advantage(
    kind: str, model: str, function: RewardFunction, tmp_path: Path
) -> None:
    run = train(kind, model, tmp_path, trl_reward(function))
    assert run.moved
    steps = [entry for entry in run.state.log_history if "reward" in entry]
    assert len(steps) == 2
    assert steps[0]["rewards/verified/undetermined"] == pytest.approx(0.25)
    assert all(step["loss"] == step["loss"] for step in steps)
    wanted = [EXPECTED[problem][number % 4] for number, problem in enumerate(run.asked)]
    rewards = [None if value != value else value for value in run.rewards[:, 0].tolist()]
    assert rewards == wanted
    assert set(run.asked) == set(SAID)
    advantages = list(run._logs["advantages"])[-12:]
    for number, reward in enumerate(wanted):
        if reward is None:
            assert advantages[number] == 0
        elif (
            kind == "GRPO"
        ):  # above the mean of what is known in its group where it is right, below where it is wrong
            assert (advantages[number] > 0) == (reward == 1)
    groups = [advantages[start : start + 4] for start in range(0, 12, 4)]
    if kind == "GRPO":
        assert all(
            sum(group) == pytest.approx(0, abs=1e-4) for group in groups
        )  # the unknown is not in the mean


def test_another_reward_does_not_make_an_unknown_one_0(
    model: str, function: RewardFunction, tmp_path: Path
) -> None:
    plain = train("GRPO", model, tmp_path, [trl_reward(function), long], mask=False)
    unknown = [EXPECTED[problem][number % 4] is None for number, problem in enumerate(plain.asked)]
    moved = [
        value for value, hidden in zip(list(plain._logs["advantages"])[-12:], unknown, strict=True) if hidden
    ]
    assert any(moved)  # TRL alone sums the other reward without ours
    run = train("GRPO", model, tmp_path, [trl_reward(function), long])
    unknown = [EXPECTED[problem][number % 4] is None for number, problem in enumerate(run.asked)]
    still = [
        value for value, hidden in zip(list(run._logs["advantages"])[-12:], unknown, strict=True) if hidden
    ]
    assert len(still) == 3
    assert not any(still)


def test_the_models_own_completions_are_graded(model: str, function: RewardFunction, tmp_path: Path) -> None:
    run = train("GRPO", model, tmp_path, trl_reward(function), script=False)
    assert sum("reward" in entry for entry in run.state.log_history) == 2


def test_an_export_is_a_dataset_for_the_trainer(model: str, function: RewardFunction, tmp_path: Path) -> None:
    import datasets
    import trl
    from transformers import AutoTokenizer

    data = datasets.Dataset.from_list(list(export_rows("trl-rl", forest())))
    arguments = trl.GRPOConfig(
        output_dir=str(tmp_path), max_steps=1, per_device_train_batch_size=2, num_generations=2, report_to="none",
        max_completion_length=8, use_cpu=True, bf16=False, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(model)
    call = trl_reward(function, eos_token_ids=[tokenizer.eos_token_id])
    run = trl.GRPOTrainer(
        model=model, args=arguments, train_dataset=data, reward_funcs=call, processing_class=tokenizer
    )
    run.train()
    assert run.state.global_step == 1


def test_openrlhf_gets_tensors_and_drops_a_group_that_is_not_known(function: RewardFunction) -> None:
    import torch

    prompts = ["<|im_start|>user\n?<|im_end|>\n<|im_start|>assistant\n"] * 3
    said = ["Answer: 42<|im_end|>", "Answer: 1<|im_end|>", "Hm.<|im_end|>"]
    found = reward_func(
        [p + text for p, text in zip(prompts, said, strict=True)], prompts, [MATH] * 3, function=function
    )
    assert found["rewards"].tolist() == [1.0, 0.0, 0.5]
    assert found["extra_logs"]["undetermined"].tolist() == [0, 0, 1]
    mean = sum(found["scores"].tolist()) / 3  # as the trainer takes it
    assert not 0 < mean < 1
    assert torch.isnan(found["scores"][2])
