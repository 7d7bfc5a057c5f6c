"""Functions on the wire of chat completions: `tools` and `tool_calls` out, calls back in as tagged text.

A server's calls join the text of its answer in Hermes tags, the one form in which calls are recorded; so a record does
not depend on whether a model was asked natively. Arguments that are no JSON stay as the model wrote them: whoever reads
the text finds them unreadable, not empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ultrainteract.models.base import Offer
from ultrainteract.schema import Call, Function, Message
from ultrainteract.schema.calls import TAGS, api_names

FINISHED = frozenset({"tool_calls", "function_call", "tool_use", "tool_call"})
"""What servers call the end of a message that makes calls."""


def message_body(message: Message, spelled: Mapping[str, str]) -> dict[str, Any]:
    """A message as the wire has it.

    Args:
        message: The message.
        spelled: Names as the server takes them, by function.
    """
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.calls:
        body["tool_calls"] = [_call_body(call, spelled) for call in message.calls]
        body["content"] = message.content or None
    if message.call_id:
        body["tool_call_id"] = message.call_id
    return body


def _call_body(call: Call, spelled: Mapping[str, str]) -> dict[str, Any]:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    function = {"name": spelled.get(call.name, call.name), "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def offer_body(offer: Offer) -> dict[str, Any]:
    """The fields of a request that offer functions."""
    spelled = api_names(offer.functions)
    body: dict[str, Any] = {
        "tools": [function.tool(spelled[function.name]) for function in offer.functions],
        "tool_choice": offer.choice,
    }
    if offer.parallel is not None:
        body["parallel_tool_calls"] = offer.parallel
    return body


def with_calls(content: str, message: Mapping[str, Any], functions: Iterable[Function]) -> str:
    """The text of an answer, with the calls of its message below.

    Args:
        content: Its text.
        message: The message of the server.
        functions: Functions that were on offer: their names are given back their own spelling.

    Raises:
        TypeError: A call has another shape.
    """
    listed = message.get("tool_calls") or []
    if not listed and message.get("function_call"):
        listed = [{"function": message["function_call"]}]
    if not isinstance(listed, list):
        raise TypeError("tool_calls is no list")
    own = {spelled: name for name, spelled in api_names(functions).items()}
    parts = [content.strip()] if content.strip() else []
    for item in listed:
        made = item["function"]
        name, arguments = made["name"], made.get("arguments")
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments or {}, ensure_ascii=False)
        arguments = re.sub(r"\s*\n\s*", " ", arguments).strip() or "{}"
        head = json.dumps(own.get(name, name), ensure_ascii=False)
        parts.append(f'{TAGS[0]}\n{{"name": {head}, "arguments": {arguments}}}\n{TAGS[1]}')
    return "\n".join(parts)
