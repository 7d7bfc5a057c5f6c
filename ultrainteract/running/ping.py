"""One request to one model, with the answer shown as a run would read it: what a server's dialect breaks shows here."""

from __future__ import annotations

import time

from ultrainteract.config import RunConfig
from ultrainteract.errors import ProviderError
from ultrainteract.models.base import ChatModel, ChatRequest, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.readers.rows import shorten
from ultrainteract.schema import Action, Instruction, Record, Task
from ultrainteract.tree.actions import parse_action

_SHOWN_CHARS = 160


class Check(Record):
    """One check and what it found."""

    name: str
    """What was checked."""
    passed: bool
    """Whether the run can begin as far as this check goes."""
    detail: str
    """What was found, in one line."""
    items: tuple[str, ...] = ()
    """What failed, item by item (the first ones)."""


async def ping_model(config: RunConfig, name: str, model: ChatModel, instruction: Instruction) -> Check:
    """Asks a model for one attempt at an instruction.

    Args:
        config: The run.
        name: The model's name in it.
        model: The model.
        instruction: What to ask.

    Returns:
        Passed where the answer came whole and, for a model that writes actions, an answer or a program could be read.
    """
    writes_actions = name in {*(step.model for step in config.growth.ladder), *config.growth.pool}
    task = instruction.task
    messages = Prompts(config.growth.prompts).render(
        f"actor/{task.value.lower()}.cot", prompt=instruction.prompt, tools=instruction.tools
    )
    request = ChatRequest(
        messages=messages,
        sampling=config.models[name].sampling,
        purpose=Purpose(role="actor", step="ping", instruction=instruction),
    )
    began = time.monotonic()
    try:
        reply = await model.sample(request)
    except ProviderError as error:
        return Check(name=f"ping {name}", passed=False, detail=str(error))
    completion = reply.completions[0]
    action = parse_action(completion.text, instruction, "cot")
    told = [
        f"{time.monotonic() - began:.1f} s",
        f"{reply.usage.completion_tokens:,} tokens",
        f"ended by {completion.finish_reason}",
    ]
    passed = (
        completion.finish_reason == "stop" or model.simulated
    )  # which is cut off now and then, as others are
    if not passed:
        told.append("the answer is not whole: raise `sampling.max_tokens`, or look at the server's filter")
    elif writes_actions and not _is_readable(action, task):
        passed = False
        told.append("no final answer or program could be read in it")
    parts = {
        "thought": action.text,
        "code": action.code,
        "answer": action.answer,
        "reasoning": completion.reasoning,
    }
    items = [
        f"{part}: {shorten(text, _SHOWN_CHARS)}" if text else f"{part}: none" for part, text in parts.items()
    ]
    return Check(name=f"ping {name}", passed=passed, detail=", ".join(told), items=tuple(items))


def _is_readable(action: Action, task: Task) -> bool:
    return action.code is not None if task is Task.CODING else bool(action.answer or action.code)
