"""Trees of function calls for trainers that know tools: TRL, LLaMA-Factory, and OpenAI's fine-tuning.

Other exports hold the same trees as text, with functions, calls and results in Hermes tags. Conversations and
functions are JSON columns here, since no two functions have arguments of one type; `datasets` reads them as objects.
Trees without functions give no rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from ultrainteract.dataset.call_samples import (
    CallDemonstration,
    CallPreference,
    CallSample,
    Conversation,
    demonstrations,
    preferences,
)
from ultrainteract.exporting.formats.llama_factory import index
from ultrainteract.exporting.registry import exporter
from ultrainteract.schema import Message
from ultrainteract.schema.calls import api_names

Row = dict[str, Any]

SFT_COLUMNS = {"prompt": "json", "completion": "json", "tools": "json"}
PREFERENCE_COLUMNS = {"prompt": "json", "chosen": "json", "rejected": "json", "tools": "json"}
KTO_COLUMNS = {"prompt": "json", "completion": "json", "label": "bool", "tools": "json"}
OPENAI_COLUMNS = {"messages": "json", "tools": "json", "parallel_tool_calls": "bool"}
OPENAI_DPO_COLUMNS = {"input": "json", "preferred_output": "json", "non_preferred_output": "json"}
FACTORY_COLUMNS = {"conversations": "from_value_turns", "system": "string", "tools": "string"}
FACTORY_RANKING_COLUMNS = {
    "conversations": "from_value_turns", "chosen": "from_value", "rejected": "from_value", "system": "string",
    "tools": "string",
}  # fmt: skip


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _tools(sample: CallSample) -> str:
    return _json([function.tool() for function in sample.functions])


# ---------------------------------------------------------------------------------------------------- TRL


def _trl(talk: Conversation) -> str:
    """Messages as chat templates take them: arguments are objects, a result has its function's name."""
    names = {call.id: call.name for message in talk for call in message.calls}
    return _json([_trl_message(message, names) for message in talk])


def _trl_message(message: Message, names: dict[str, str]) -> Row:
    row: Row = {"role": message.role, "content": message.content}
    if message.calls:
        row["tool_calls"] = [
            {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
    if message.role == "tool":
        row["name"] = names.get(message.call_id, "")
    return row


@exporter(
    "trl-tools-sft", kind="demonstration", columns=SFT_COLUMNS, samples=demonstrations,
    summary="TRL SFT with tools: prompt, completion, tools",
)  # fmt: skip
def sft(sample: CallDemonstration) -> Iterator[Row]:
    """One message of a right attempt; the trainer learns the completion alone."""
    yield {"prompt": _trl(sample.prompt), "completion": _trl(sample.chosen), "tools": _tools(sample)}


@exporter(
    "trl-tools-preference", kind="preference", columns=PREFERENCE_COLUMNS, samples=preferences,
    levels=("turn",), summary="TRL with tools: prompt, chosen, rejected, tools",
)  # fmt: skip
def preference(sample: CallPreference) -> Iterator[Row]:
    """A pair for `DPOTrainer` and `RewardTrainer`."""
    yield {
        "prompt": _trl(sample.prompt), "chosen": _trl(sample.chosen), "rejected": _trl(sample.rejected),
        "tools": _tools(sample),
    }  # fmt: skip


@exporter(
    "trl-tools-kto", kind="preference", columns=KTO_COLUMNS, samples=preferences, levels=("turn",), spread=True,
    summary="TRL with tools: unpaired completions with a label",
)  # fmt: skip
def kto(sample: CallPreference) -> Iterator[Row]:
    """A pair taken apart for `KTOTrainer`."""
    for completion, label in ((sample.chosen, True), (sample.rejected, False)):
        yield {
            "prompt": _trl(sample.prompt), "completion": _trl(completion), "label": label, "tools": _tools(sample),
        }  # fmt: skip


# ------------------------------------------------------------------------------------------------- OpenAI


def _openai(talk: Conversation, sample: CallSample) -> list[Row]:
    spelled = api_names(sample.functions)
    rows: list[Row] = []
    for message in talk:
        row: Row = {"role": message.role, "content": message.content}
        if message.calls:
            row["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {
                    "name": spelled.get(call.name, call.name), "arguments": _json(call.arguments)}}
                for call in message.calls
            ]  # fmt: skip
        if message.role == "tool":
            row["tool_call_id"] = message.call_id
        rows.append(row)
    return rows


def _openai_tools(sample: CallSample) -> list[Row]:
    spelled = api_names(sample.functions)
    return [function.tool(spelled[function.name]) for function in sample.functions]


@exporter(
    "openai-tools", kind="demonstration", columns=OPENAI_COLUMNS, samples=demonstrations,
    summary="OpenAI fine-tuning: messages, tools",
)  # fmt: skip
def openai_sft(sample: CallDemonstration) -> Iterator[Row]:
    """A right message after its conversation, in which no earlier message of the assistant is learned."""
    before = [
        row | {"weight": 0} if row["role"] == "assistant" else row for row in _openai(sample.prompt, sample)
    ]
    several = any(len(message.calls) > 1 for message in sample.chosen)
    yield {
        "messages": _json([*before, *_openai(sample.chosen, sample)]), "tools": _json(_openai_tools(sample)),
        "parallel_tool_calls": several,
    }  # fmt: skip


@exporter(
    "openai-tools-preference", kind="preference", columns=OPENAI_DPO_COLUMNS, samples=preferences,
    levels=("turn",), summary="OpenAI preference fine-tuning with tools",
)  # fmt: skip
def openai_preference(sample: CallPreference) -> Iterator[Row]:
    """A pair of single messages; attempts of several messages do not fit the format and are left out."""
    if len(sample.chosen) == len(sample.rejected) == 1:
        asked = {"messages": _openai(sample.prompt, sample), "tools": _openai_tools(sample)}
        yield {
            "input": _json(asked), "preferred_output": _json(_openai(sample.chosen, sample)),
            "non_preferred_output": _json(_openai(sample.rejected, sample)),
        }  # fmt: skip


# ------------------------------------------------------------------------------------------ LLaMA-Factory


def _factory(talk: Conversation) -> list[Row]:
    """Turns at fixed places: the user or results, then the assistant; several results are one turn."""
    rows: list[Row] = []
    for message in talk:
        if message.role == "system":
            continue
        row = _factory_turn(message)
        if rows and rows[-1]["from"] == row["from"]:
            rows[-1]["value"] += "\n" + row["value"]
        elif rows and {rows[-1]["from"], row["from"]} == {"observation", "human"}:
            rows[-1]["value"] += "\n" + row["value"]  # results, then what was said of them
        elif rows and rows[-1]["from"] == "gpt" and row["from"] == "function_call":
            rows += [{"from": "human", "value": ""}, row]
        else:
            rows.append(row)
    return rows


def _factory_turn(message: Message) -> Row:
    if message.calls:
        calls = [{"name": call.name, "arguments": call.arguments} for call in message.calls]
        return {"from": "function_call", "value": _json(calls if len(calls) > 1 else calls[0])}
    return {
        "from": {"user": "human", "tool": "observation"}.get(message.role, "gpt"),
        "value": message.content,
    }


def _described(sample: CallSample) -> Row:
    system = "\n\n".join(message.content for message in sample.prompt if message.role == "system")
    return {"system": system, "tools": _json([function.tool()["function"] for function in sample.functions])}


_READ_AS = {"messages": "conversations", "system": "system", "tools": "tools"}


@exporter(
    "llama-factory-tools-sft", kind="demonstration", columns=FACTORY_COLUMNS, samples=demonstrations,
    folders=True, summary="LLaMA-Factory with tools: sft",
    index=partial(index, "llama-factory-tools-sft", columns=_READ_AS),
)  # fmt: skip
def factory_sft(sample: CallDemonstration) -> Iterator[Row]:
    """A right message after its conversation; train with `mask_history: true`."""
    turns = _factory((*sample.prompt, *sample.chosen))
    if _alternates(turns):
        yield {"conversations": turns, **_described(sample)}


@exporter(
    "llama-factory-tools-ranking", kind="preference", columns=FACTORY_RANKING_COLUMNS, samples=preferences,
    levels=("turn",), folders=True, summary="LLaMA-Factory with tools: dpo and rm",
    index=partial(index, "llama-factory-tools-ranking", ranking=True,
                  columns={**_READ_AS, "chosen": "chosen", "rejected": "rejected"}),
)  # fmt: skip
def factory_ranking(sample: CallPreference) -> Iterator[Row]:
    """A pair of single messages; attempts of several messages do not fit the format and are left out."""
    turns = _factory(sample.prompt)
    if len(sample.chosen) == len(sample.rejected) == 1 and _alternates([*turns, {"from": "gpt"}]):
        yield {
            "conversations": turns, "chosen": _factory_turn(sample.chosen[0]),
            "rejected": _factory_turn(sample.rejected[0]), **_described(sample),
        }  # fmt: skip


def _alternates(turns: Sequence[Row]) -> bool:
    """Whether turns stand at the places that the reader demands."""
    sides = (("human", "observation"), ("gpt", "function_call"))
    return len(turns) % 2 == 0 and all(turn["from"] in sides[number % 2] for number, turn in enumerate(turns))
