"""What the tests of simulated models share: instructions of the shipped seeds, and requests about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ultrainteract.config import ModelConfig, SeedConfig
from ultrainteract.models.base import ChatRequest, Completion, Purpose, Role
from ultrainteract.models.simulated.model import SimulatedModel
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Instruction, ReasoningSchema, SamplingParams, Task
from ultrainteract.seeds import load_seed

DATA = Path(__file__).parents[2] / "data"
PROMPTS = Prompts()
FLAWLESS = {
    "truncate_rate": 0, "format_break_rate": 0, "leak_rate": 0, "reference_rate": 0, "guided_accuracy": 1,
}  # fmt: skip
BLANK = {"rationale": "", "solution": "", "code": ""}


def demo(dataset: str, path: str, task: str | None = None) -> list[Instruction]:
    found = load_seed(SeedConfig(dataset=dataset, path=path, tasks=(task,) if task else ()), DATA)
    return [item for item in found if isinstance(item, Instruction)]


GSM8K = demo("gsm8k", "gsm8k/train.jsonl")
MATH = demo("MATH", "math/train.jsonl")
LSAT = demo("lsat_lr", "agieval_lsat_lr/lsat-lr.jsonl")
STRATEGY = demo("strategyqa", "strategyqa/train.json")
CONTESTS = demo("codecontest", "codecontests/train.jsonl")
EVERYTHING = [*GSM8K, *MATH, *LSAT, *STRATEGY, *CONTESTS]


def simulated(model: str = "simulated", **options: Any) -> SimulatedModel:
    return SimulatedModel("actor", ModelConfig(provider="simulated", model=model, options=options))


def asked(
    instruction: Instruction,
    n: int = 1,
    first: int = 0,
    schema: ReasoningSchema = "cot",
    role: Role = "actor",
    **fields: Any,
) -> ChatRequest:
    plain = instruction.task in (Task.LOGIC, Task.MATH_COT)
    name = f"actor/{instruction.task.value.lower()}.{'cot' if plain else schema}"
    return ChatRequest(
        messages=fields.pop("messages", None)
        or PROMPTS.render(name, prompt=instruction.prompt, tools=instruction.tools),
        sampling=fields.pop("sampling", SamplingParams()),
        n=n,
        first=first,
        purpose=Purpose(role=role, step="step", reasoning_schema=schema, instruction=instruction, **fields),
    )


async def drawn(model: SimulatedModel, request: ChatRequest) -> tuple[Completion, ...]:
    return (await model.sample(request)).completions
