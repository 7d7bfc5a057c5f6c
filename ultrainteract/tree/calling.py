"""Requests about functions: what a model is asked, in the form that it takes, and what it answers.

A conversation is kept in one form, with calls and results as such. A model that takes functions natively is sent it as
it is; for others it becomes text: Hermes tags, Python or JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ultrainteract.config import ModelConfig
from ultrainteract.grading.call_reading import read_message, written
from ultrainteract.models.base import Offer
from ultrainteract.prompts import Prompts
from ultrainteract.schema import Action, Exchange, Instruction, Message, ReasoningSchema
from ultrainteract.schema.calls import calls_json, calls_text, results_text
from ultrainteract.tree.actions import own_words, take_answer

BY_CALLS = ("function_calls", "bfcl_calls", "final_state")
"""Graders that look at calls, and not at a final answer."""


def read_calling(
    raw: str,
    instruction: Instruction,
    schema: ReasoningSchema,
    exchanges: tuple[Exchange, ...] = (),
    reasoning: str | None = None,
) -> Action:
    """Reads a message that may call functions.

    Args:
        raw: The message as written, without its reasoning part.
        instruction: The instruction it answers.
        schema: The reasoning schema that was asked for.
        exchanges: Messages with calls before it, within this turn.
        reasoning: The reasoning part, kept beside the action.

    Returns:
        The action; its `answer` is what graders read: the calls as JSON, or the final answer of a chain of calls. None
        where neither can be read.
    """
    thought, calls = read_message(own_words(raw, instruction), instruction.functions)
    text = "\n".join(part for part in (thought, calls_text(calls or ())) if part)
    answer: str | None = None
    if calls is not None and (calls or thought):
        if instruction.grader in BY_CALLS:
            answer = calls_json(calls)
        elif not calls:
            rest, answer = take_answer(thought)
            text = f"{rest}\nAnswer:{answer}".lstrip("\n") if answer is not None else thought
    return Action(
        raw=raw, reasoning_schema=schema, text=text, answer=answer, exchanges=exchanges, reasoning=reasoning,
        calls=calls or (),
    )  # fmt: skip


# ----------------------------------------------------------------------------------------- conversations


def request(
    prompts: Prompts, instruction: Instruction, model: ModelConfig, dialogue: Sequence[Message],
    attempts: Sequence[Message],
) -> tuple[tuple[Message, ...], Offer | None]:  # fmt: skip
    """What a model is sent.

    Args:
        prompts: The templates.
        instruction: The instruction.
        model: The model.
        dialogue: The conversation up to the request.
        attempts: Earlier attempts with their feedback, and this one's messages so far.

    Returns:
        The messages in the model's form, and the functions where it takes them natively.
    """
    form = model.calling_form
    talk = [message for message in dialogue if message.role != "system"]
    opening = prompts.render(
        "calling/system",
        form=form,
        functions=[json.dumps(function.tool(), ensure_ascii=False) for function in instruction.functions],
        system="\n\n".join(message.content for message in dialogue if message.role == "system"),
        executed=instruction.backend is not None,
        answers=instruction.grader not in BY_CALLS,
    )
    opening = tuple(message.model_copy(update={"content": message.content.strip()}) for message in opening)
    messages = (*opening, *talk, *attempts)
    if form == "native":
        asking = model.calling
        return messages, Offer(
            functions=instruction.functions, choice=asking.choice, parallel=asking.parallel
        )
    return tuple(_in_text(messages, form)), None


def _in_text(messages: Iterable[Message], form: str) -> Iterable[Message]:
    """Messages whose calls and results are text; results and the user's words after them are one message."""
    results: list[str] = []
    for message in messages:
        if message.role == "tool":
            results.append(message.content)
            continue
        content = message.content
        if results and message.role == "user":
            content = "\n".join((results_text(results), content))
            results = []
        elif results:
            yield Message(role="user", content=results_text(results))
            results = []
        if message.calls:
            content = "\n".join(part for part in (content, written(message.calls, form)) if part)
        yield Message(role=message.role, content=content)
    if results:
        yield Message(role="user", content=results_text(results))
