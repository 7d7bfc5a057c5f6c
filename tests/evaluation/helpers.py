"""Evaluations over the slices of benchmarks, with models that know the gold answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.builders import Scripted
from ultrainteract import api
from ultrainteract.api.evaluation import run_of
from ultrainteract.config import EvaluationConfig
from ultrainteract.evaluation.figures import EvaluationReport
from ultrainteract.grading.registry import Gold, find_grader
from ultrainteract.models.base import ChatRequest
from ultrainteract.schema import Instruction
from ultrainteract.seeds.loading import load_seed

DATA = Path(__file__).parent / "data"
FILES = {
    "asdiv": "asdiv.json", "bbh": "bbh", "gsm_plus": "gsmplus.jsonl", "humaneval": "HumanEval.jsonl",
    "ifeval": "ifeval.jsonl", "leetcode": "leetcode.jsonl", "mbpp": "mbpp.json", "mint_code": "mint",
    "mint_math": "mint", "svamp": "svamp.json", "theoremqa": "theoremqa.json",
}  # fmt: skip


def configured(
    output: Path, *names: str, tasks: tuple[str, ...] = (), path: Path | None = None, **fields: Any
) -> EvaluationConfig:
    """An evaluation on slices of some benchmarks, or on a file of one."""
    data: dict[str, Any] = {
        "output": str(output),
        "model": {"provider": "simulated", "model": "scripted"},
        "benchmarks": [
            {"dataset": name, "path": str(path or DATA / FILES[name]), **({"tasks": tasks} if tasks else {})}
            for name in names
        ],
        "sandbox": {"kind": "bubblewrap"},
        **fields,
    }
    return EvaluationConfig.model_validate(data)


def items_of(config: EvaluationConfig) -> list[Instruction]:
    """The items of an evaluation's benchmarks."""
    found = [item for seed in run_of(config).seeds for item in load_seed(seed, Path())]
    assert all(isinstance(item, Instruction) for item in found), found
    return found  # type: ignore[return-value]


def stated(item: Instruction, of: Instruction | None = None) -> str:
    """A response that states the gold answer of `of` (of the item itself, if None)."""
    other = of or item
    if item.grader == "tests":
        return f"```python\n{other.solutions[0]}\n```"
    gold = find_grader(other.grader).stated(Gold(other.gold or "", other.gold_set, other.choices))
    return f"```python\nprint({gold!r})\n```" if item.task == "Math_PoT" else f"I think.\nAnswer: {gold}"


def knowing(items: list[Instruction], shift: int = 0) -> Scripted:
    """A model that answers with the gold answer of the item that stands `shift` further on."""
    answers = {item.prompt: stated(item, items[(n + shift) % len(items)]) for n, item in enumerate(items)}

    def answer(request: ChatRequest, ordinal: int) -> str:
        return answers[request.messages[-1].content]

    return Scripted("actor", answer)


def evaluated(config: EvaluationConfig, actor: Scripted, **models: Scripted) -> EvaluationReport:
    """The report of an evaluation with scripted models."""
    return api.evaluate(config, models={"actor": actor, **models})
