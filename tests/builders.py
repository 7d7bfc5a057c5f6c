"""Small instructions, models and configurations that many tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ultrainteract.config import RunConfig, parse_config
from ultrainteract.models.base import ChatRequest, Completion, Reply
from ultrainteract.schema import Instruction, Task, Usage


def math_cot(question: str = "What is 6 times 7?", gold: str = "42", **fields: Any) -> Instruction:
    prompt = (
        "Solve the following math problem step-by-step.\nSimplify your answer as much as possible. "
        f"Present your final answer as \\boxed{{Your Answer}}.\n{question}"
    )
    return Instruction(
        task=Task.MATH_COT,
        dataset="gsm8k",
        prompt=prompt,
        question=question,
        grader="math",
        gold=gold,
        **fields,
    )


def math_pot(question: str = "What is 6 times 7?", gold: str = "42", **fields: Any) -> Instruction:
    prompt = (
        "Tool available:\n[1] Python interpreter\nWhen you send a message containing Python code to python, it will be "
        "executed in a stateful Jupyter notebook environment.\nSolve the following math problem step-by-step.\n"
        + question
    )
    return Instruction(
        task=Task.MATH_POT, dataset="MATH", prompt=prompt, question=question, grader="math", gold=gold,
        tools=("python",), **fields,
    )  # fmt: skip


def config(growth: dict[str, Any] | None = None, **fields: Any) -> RunConfig:
    """A configuration over models `actor`, `strong`, `pool` and `critic`."""
    data: dict[str, Any] = {
        "seeds": [{"dataset": "gsm8k", "path": "unused.jsonl"}],
        "models": {
            name: {"provider": "simulated", "model": name} for name in ("actor", "strong", "pool", "critic")
        },
        "growth": {
            "ladder": [{"name": "sample", "model": "actor", "samples": 8}],
            "pool": ["pool"],
            **(growth or {}),
        },
        "critic": {"model": "critic"},
        **fields,
    }
    return parse_config(data)


class Scripted:
    """A model that answers from a script: `answer(request, ordinal)` gives the text of one sample."""

    provider = "scripted"
    simulated = True

    def __init__(self, name: str, answer: Callable[[ChatRequest, int], str | Completion]) -> None:
        self.name = self.model = name
        self.answer = answer
        self.requests: list[ChatRequest] = []
        self.drawn = 0

    async def sample(self, request: ChatRequest) -> Reply:
        self.requests.append(request)
        self.drawn += request.n
        found = [self.answer(request, request.first + number) for number in range(request.n)]
        completions = tuple(
            item if isinstance(item, Completion) else Completion(text=item, tokens=10) for item in found
        )
        return Reply(
            completions=completions, usage=Usage(prompt_tokens=100, completion_tokens=10 * request.n)
        )

    async def close(self) -> None:
        pass


def cycle(*texts: str) -> Callable[[ChatRequest, int], str]:
    """Sample k is text k, over and over."""
    return lambda request, ordinal: texts[ordinal % len(texts)]


def cot(answer: str, thought: str = "Step 1: Think.") -> str:
    return f"<thought>\n{thought}\n</thought>\n<solution>\n\\boxed{{{answer}}}\n</solution>"


def pot(code: str, thought: str = "Step 1: Compute.") -> str:
    return f"<thought>\n{thought}\n</thought>\n<execute>\n{code}\n</execute>"


def models(
    **answers: Callable[[ChatRequest, int], str | Completion] | Sequence[str] | str,
) -> dict[str, Scripted]:
    """Scripted models by name; a text or list of texts is cycled through."""
    made = {}
    for name, answer in answers.items():
        if isinstance(answer, str):
            answer = cycle(answer)
        elif not callable(answer):
            answer = cycle(*answer)
        made[name] = Scripted(name, answer)
    return made
