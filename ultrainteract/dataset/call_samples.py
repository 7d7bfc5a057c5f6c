"""Trees of function calls as conversations with calls and results: what exports with tools are made of.

Guarantee: the side of a sample that a trainer learns holds what the assistant wrote; results of calls and earlier
attempts stand in the prompt, but for attempts of several messages, whose results lie between their calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ultrainteract.config import ExportConfig
from ultrainteract.dataset.samples import correct_actions, picked_pairs, reasoning_of, tagged
from ultrainteract.schema import Action, Exchange, Function, Instruction, Message, Node, Tree
from ultrainteract.schema.calls import TAGS, numbered
from ultrainteract.wording import feedback

UNANSWERED = "(The call was not carried out.)"
"""Result of a call that nothing answers."""
Conversation = tuple[Message, ...]


@dataclass(frozen=True)
class CallSample:
    """A prompt, and a right way to go on."""

    functions: tuple[Function, ...]
    """Functions on offer."""
    prompt: Conversation
    """The conversation before; it ends with the user's words or with results."""
    chosen: Conversation
    """Right: the assistant's messages, with the results between them."""


@dataclass(frozen=True)
class CallDemonstration(CallSample):
    """A prompt, and one right message."""

    reasoning: str | None = None
    """The model's reasoning before it, where it is not part of it."""


@dataclass(frozen=True)
class CallPreference(CallSample):
    """A prompt, and two ways to go on."""

    rejected: Conversation = ()
    """Wrong."""
    chosen_reasoning: str | None = None
    """The model's reasoning in the chosen attempt, where it is not part of it."""
    rejected_reasoning: str | None = None
    """As `chosen_reasoning`."""


def demonstrations(tree: Tree, config: ExportConfig) -> Iterator[CallDemonstration]:
    """The messages of the correct actions that `config` selects, one sample each: what went before is its prompt."""
    instruction = tree.instruction
    if not instruction.functions:
        return
    known: list[tuple[Conversation, Conversation]] = []
    for correct in correct_actions(tree, config.sft, config.filter):
        before = [] if config.sft_history == "bare" else history(tree, correct.turn)
        prompt = (*instruction.dialogue, *before)
        action = correct.node.action
        messages = _reasoned(attempt(action, instruction, f"turn {correct.turn} right"), action, config)
        reasoning = reasoning_of(action) if config.reasoning == "column" else None
        for number, message in enumerate(messages):
            sample = ((*prompt, *messages[:number]), (message,))
            if message.role == "assistant" and sample not in known:
                known.append(sample)
                yield CallDemonstration(instruction.functions, *sample, reasoning)


def preferences(tree: Tree, config: ExportConfig) -> Iterator[CallPreference]:
    """The pairs that `config` selects; what both attempts begin with belongs to the prompt."""
    instruction = tree.instruction
    if not instruction.functions:
        return
    for pair in picked_pairs(tree, config.pairs, config.filter):
        before = history(tree, pair.turn) if config.pair_history == "full" else []
        where = f"turn {pair.turn}"
        sides = [node.action for node in (pair.chosen, pair.rejected)]
        chosen, rejected = (_reasoned(attempt(a, instruction, where), a, config) for a in sides)
        shared = 0
        while shared < min(len(chosen), len(rejected)) and chosen[shared] == rejected[shared]:
            shared += 1
        while (
            shared and chosen[shared - 1].role == "assistant"
        ):  # a message is learned, or its results are known
            shared -= 1
        if shared < len(chosen) and shared < len(rejected):
            own = [reasoning_of(action) if config.reasoning == "column" else None for action in sides]
            prompt = (*instruction.dialogue, *before, *chosen[:shared])
            yield CallPreference(
                instruction.functions, prompt, tuple(chosen[shared:]), tuple(rejected[shared:]), *own
            )


def _reasoned(messages: list[Message], action: Action, config: ExportConfig) -> list[Message]:
    """The messages of an attempt, the last one with its reasoning before it where `config` wants that."""
    content = tagged(action, messages[-1].content, config)
    return [*messages[:-1], messages[-1].model_copy(update={"content": content})]


def history(tree: Tree, turn: int) -> list[Message]:
    """The attempts before `turn` (from 1), with their results and the feedback on them."""
    nodes = enumerate(tree.history(turn), 1)
    return [message for number, node in nodes for message in attempted(node, tree.instruction, number)]


def attempt(action: Action, instruction: Instruction, where: str) -> list[Message]:
    """The messages of an action: calls and results in turn, then its last message.

    Args:
        action: The action.
        instruction: Its instruction.
        where: What tells this attempt apart from others of its conversation.
    """
    messages = exchanged(action.exchanges, instruction, where)
    calls = numbered(action.calls, f"{where} {len(action.exchanges)}")
    return [*messages, Message(role="assistant", content=said(action.text, calls), calls=calls)]


def attempted(node: Node, instruction: Instruction, turn: int) -> list[Message]:
    """An attempt with its results and the feedback on it, as the next attempt is shown it."""
    messages = attempt(node.action, instruction, f"turn {turn}")
    messages += _results(messages[-1], node.observation.results)
    silent = node.model_copy(update={"observation": node.observation.model_copy(update={"output": None})})
    return [*messages, Message(role="user", content=feedback(silent, instruction.wording))]


def exchanged(exchanges: Iterable[Exchange], instruction: Instruction, where: str) -> list[Message]:
    """Messages with calls, and their results."""
    messages: list[Message] = []
    for number, exchange in enumerate(exchanges):
        calls = numbered(exchange.calls, f"{where} {number}")
        messages.append(Message(role="assistant", content=said(exchange.text, calls), calls=calls))
        messages += _results(messages[-1], exchange.results)
    return messages


def said(text: str, calls: Sequence[object]) -> str:
    """What a message says beside its calls, by its published rendering."""
    return text.partition(TAGS[0])[0].strip() if calls else text


def with_results(dialogue: Sequence[Message], results: Sequence[str]) -> Conversation:
    """A dialogue whose earlier calls have their results behind them.

    Args:
        dialogue: The dialogue.
        results: The results of all of its calls, in order.
    """
    if any(message.role == "tool" for message in dialogue):
        return tuple(dialogue)  # it came with its results
    messages: list[Message] = []
    left = iter(results)
    for number, message in enumerate(dialogue):
        calls = numbered(message.calls, f"dialogue {number}")
        messages.append(message.model_copy(update={"calls": calls}) if calls else message)
        messages += _results(messages[-1], [next(left, UNANSWERED) for _ in calls])
    return tuple(messages)


def _results(message: Message, results: Sequence[str]) -> list[Message]:
    every = results or (UNANSWERED,) * len(message.calls)
    pairs = zip(message.calls, every, strict=True)
    return [Message(role="tool", content=result, call_id=call.id) for call, result in pairs]
