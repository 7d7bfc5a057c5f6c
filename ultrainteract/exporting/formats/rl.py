"""Prompts for reinforcement learning with verifiable rewards: one row per tree, no answer of any model in it.

A row has the prompt, the ground truth, and how often the actor solved the problem at its first turn. Problems that
only a judge can check are left out, and so are those outside `export.difficulty`: by default those that were never
solved and those that always were, from which a group of samples learns nothing.

- `trl-rl`: TRL's `GRPOTrainer` and `RLOOTrainer` need the column `prompt`; reward functions are called with all others
  by name (documentation of TRL 1.16, "Dataset formats" and "Using a custom reward function").
- `verl-rl`: the five fields of verl's "Prepare Data for Post-Training": `data_source`, `prompt`, `ability`,
  `reward_model` with `style` and `ground_truth`, `extra_info` with `index`.
- `openrlhf-rl`: `--data.input_key prompt --data.label_key label --data.apply_chat_template`; the reward function gets
  nothing but the label, so the label is the whole problem. `datasource` groups its evaluation.
- `nemo-rl`: `ResponseDataset` of NeMo RL reads `input` and `output` from Parquet files. Its math environment verifies
  what the completion says with math-verify, so there are only problems answered in words by an expression or a number.
- `open-instruct-rl`: `messages`, `ground_truth` and `dataset`, which names the verifier: `math` is the one that fits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.verifiable import difficulty, ground_truth, is_verifiable, packed
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Instruction, Task, Tree, content_hash

Row = dict[str, Any]

ABILITIES = {
    Task.CODING: "code", Task.MATH_COT: "math", Task.MATH_POT: "math", Task.LOGIC: "logic",
}  # fmt: skip
"""verl's task categories."""
EXPRESSIONS = ("math", "number")
"""Graders whose gold answer is a mathematical expression."""

_MEASURED = {"pass_rate": "float", "samples": "int", "difficulty": "string"}
_TOLD = {"id": "string", "task": "string", "dataset": "string", "grader": "string"}
TRL_COLUMNS = {"prompt": "messages", "ground_truth": "string", "problem": "string"} | _TOLD | _MEASURED
VERL_COLUMNS = {
    "data_source": "string", "prompt": "messages", "ability": "string", "reward_model": "verl_reward_model",
    "extra_info": "verl_extra_info",
}  # fmt: skip
OPENRLHF_COLUMNS = {"prompt": "messages", "label": "string", "datasource": "string"} | _MEASURED
NEMO_COLUMNS = {"input": "string", "output": "string", "id": "string"} | _MEASURED
OPEN_INSTRUCT_COLUMNS = {
    "messages": "messages", "ground_truth": "string", "dataset": "string", "id": "string",
} | _MEASURED  # fmt: skip


def _states_expression(instruction: Instruction) -> bool:
    """Whether an answer in words is an expression: what trainers' own mathematical verifiers look for."""
    return instruction.grader in EXPRESSIONS and not instruction.task.runs_program


def measured(tree: Tree, config: ExportConfig) -> Row | None:
    """The columns that say how hard a tree's problem is; None where the problem is not exported."""
    found = difficulty(tree)
    keep, rate = config.filter, found.pass_rate
    if (
        not is_verifiable(tree.instruction)
        or found.band not in config.difficulty
        or (rate if rate is not None else 0.0) < keep.min_pass_rate
        or (rate if rate is not None else 1.0) > keep.max_pass_rate
    ):
        return None
    return {"pass_rate": rate, "samples": found.samples, "difficulty": found.band}


def _told(tree: Tree) -> Row:
    instruction = tree.instruction
    return {
        "id": tree.id,
        "task": instruction.task.value,
        "dataset": instruction.dataset,
        "grader": instruction.grader,
    }


def _prompt(tree: Tree) -> list[dict[str, str]]:
    return [{"role": "user", "content": tree.instruction.prompt}]


@exporter(
    "trl-rl", kind="tree", columns=TRL_COLUMNS, summary="TRL: GRPO and RLOO prompts with ground truth",
    reasoning=False,
)  # fmt: skip
def trl(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A prompt with what a reward function needs.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> (row,) = trl(example_tree(), ExportConfig())
        >>> row["ground_truth"], row["pass_rate"], row["difficulty"]
        ('6', 0.25, 'hard')
    """
    if (how_hard := measured(tree, config)) is not None:
        problem = {"ground_truth": ground_truth(tree.instruction), "problem": packed(tree.instruction)}
        yield {"prompt": _prompt(tree), **problem, **_told(tree), **how_hard}


@exporter(
    "verl-rl", kind="tree", columns=VERL_COLUMNS, summary="verl: prompts with ground truth", reasoning=False
)
def verl(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A prompt in verl's five fields.

    Example:
        >>> from ultrainteract.exporting.example import example_tree
        >>> (row,) = verl(example_tree(), ExportConfig())
        >>> row["data_source"], row["ability"], row["reward_model"]
        ('gsm8k', 'math', {'style': 'rule', 'ground_truth': '6'})
    """
    if (how_hard := measured(tree, config)) is not None:
        instruction = tree.instruction
        # `index` groups the samples of a prompt: it has to differ between prompts, in any mixture of files.
        more = {"index": int(content_hash(tree.id)[:13], 16), "problem": packed(instruction)}
        yield {
            "data_source": instruction.dataset,
            "prompt": _prompt(tree),
            "ability": ABILITIES[instruction.task.kind],
            "reward_model": {"style": "rule", "ground_truth": ground_truth(instruction)},
            "extra_info": {**more, **_told(tree), **how_hard},
        }


@exporter(
    "openrlhf-rl", kind="tree", columns=OPENRLHF_COLUMNS, summary="OpenRLHF: prompts with their problem as label",
    reasoning=False,
)  # fmt: skip
def openrlhf(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A prompt with the whole problem as its label."""
    if (how_hard := measured(tree, config)) is not None:
        label = packed(tree.instruction)
        yield {"prompt": _prompt(tree), "label": label, "datasource": tree.instruction.dataset, **how_hard}


@exporter(
    "nemo-rl", kind="tree", columns=NEMO_COLUMNS, summary="NeMo RL: mathematical prompts with ground truth",
    reasoning=False,
)  # fmt: skip
def nemo(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A mathematical prompt and its gold answer."""
    how_hard = measured(tree, config)
    if how_hard is not None and _states_expression(tree.instruction):
        gold = ground_truth(tree.instruction)
        yield {"input": tree.instruction.prompt, "output": gold, "id": tree.id, **how_hard}


@exporter(
    "open-instruct-rl", kind="tree", columns=OPEN_INSTRUCT_COLUMNS, reasoning=False,
    summary="open-instruct: mathematical prompts with ground truth",
)  # fmt: skip
def open_instruct(tree: Tree, config: ExportConfig) -> Iterator[Row]:
    """A mathematical prompt for the verifier `math`."""
    how_hard = measured(tree, config)
    if how_hard is not None and _states_expression(tree.instruction):
        gold = ground_truth(tree.instruction)
        yield {"messages": _prompt(tree), "ground_truth": gold, "dataset": "math", "id": tree.id, **how_hard}
