"""The chat completions protocol: bodies out, completions in, and the dialects of servers that differ.

Only the fields that are used are read, straight from JSON: the SDK's response objects cost more than the
whole rest of a request.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from ultrainteract.config import REASONING_TAGS, ModelConfig
from ultrainteract.models.base import ChatRequest, Completion, FinishReason, Offer
from ultrainteract.models.faults import status_of_error
from ultrainteract.models.openai.functions import FINISHED, message_body, offer_body, with_calls
from ultrainteract.models.reasoning import Pairs, split_reasoning
from ultrainteract.schema import SamplingParams, Usage
from ultrainteract.schema.calls import api_names

log = logging.getLogger(__name__)

LEAST_LOGPROB = -9999.0
"""Stands for minus infinity, which JSON cannot say."""
CHARS_PER_TOKEN = 4
"""Used for estimates alone: rates before a request, and usage that a server does not report."""

_FINISH: dict[str, FinishReason] = {
    **dict.fromkeys(
        ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "end", "complete", "completed", "finished"),
        "stop",
    ),
    **dict.fromkeys(("length", "max_tokens", "max_output_tokens", "max_length", "model_length"), "length"),
    **dict.fromkeys(
        ("content_filter", "safety", "recitation", "refusal", "prohibited_content"), "content_filter"
    ),
}
"""What servers call the end of a text. An empty or missing one is a whole text where nothing says otherwise."""


class WireError(ValueError):
    """An answer that is not a chat completion: broken JSON, another shape, no choices.

    Args:
        message: What it is instead.
        status: HTTP status that fits it, where it is an error sent with status 200, as some gateways do.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Dialect:
    """What a server understands: assumed at first, corrected by what it answers, kept per endpoint."""

    token_field: str = "max_completion_tokens"
    """Its name for the cap on completion tokens."""
    samples: int | None = None
    """Maximum samples per request; None while nothing is known against any number."""
    seed: bool = True
    """Takes `seed`."""
    continuation: bool = True
    """Takes vLLM's and SGLang's fields for continuing the assistant's message; others do it unasked."""
    omitted: set[str] = field(default_factory=set)
    """Of `temperature` and `top_p`, those it takes no value for: left out where they are 1, its default."""
    drew_several: bool = False
    """Has drawn several samples in one request: a single one is then a fault of the moment."""
    short_replies: int = 0
    """Requests for several samples that were answered with one."""
    refused: set[str] = field(default_factory=set)
    """Fields that it refused or ignored."""

    def learn_from_refusal(self, fields: set[str], sampling: SamplingParams, n: int) -> str | None:
        """Adapts to a refusal that names fields of the body.

        Args:
            fields: Names found in the refusal.
            sampling: How samples were asked for.
            n: Samples asked for.

        Returns:
            What changed, in words; None where nothing can be done about it.
        """
        if self.token_field in fields and self._change_token_field():
            return f"it refuses the other field for the token limit, so '{self.token_field}' is sent"
        if "n" in fields and n > 1:
            self.samples = 1
            return "it draws one sample a request"
        if "seed" in fields and self.seed and sampling.seed is not None:
            self.seed = False
            return "it does not take 'seed': its samples will not be repeatable"
        for name in ("temperature", "top_p"):
            if name in fields and name not in self.omitted and getattr(sampling, name) == 1:
                self.omitted.add(name)
                return f"it does not take '{name}', so it is left out where it is 1"
        if fields & {"continue_final_message", "add_generation_prompt"} and self.continuation:
            self.continuation = False
            return "it has no fields for continuing a message, so none are sent"
        return None

    def learn_from_answer(self, asked: int, got: int, tokens: int, cap: int) -> str | None:
        """Notes what a server silently ignores.

        Args:
            asked: Samples asked for.
            got: Samples that came.
            tokens: Completion tokens that came.
            cap: Most completion tokens a sample that were allowed.

        Returns:
            What changed, in words, or None.
        """
        if tokens > got * cap and not self.refused and self._change_token_field():
            return f"it ignores the limit of {cap} tokens, so '{self.token_field}' is sent"
        self.drew_several |= got > 1
        self.short_replies += asked > 1 and got == 1
        if self.short_replies >= 2 and not self.drew_several and self.samples != 1:
            self.samples = 1
            return "it ignores 'n', so samples are asked for one by one"
        return None

    def _change_token_field(self) -> bool:
        self.refused.add(self.token_field)
        for other in ("max_completion_tokens", "max_tokens"):
            if other not in self.refused:
                self.token_field = other
                return True
        return False


def build_body(
    request: ChatRequest, config: ModelConfig, dialect: Dialect, n: int, first: int
) -> dict[str, Any]:
    """The JSON body that asks for samples from `first` on: `n`, or as many as the server draws."""
    n = min(n, dialect.samples or n)
    sampling = request.sampling
    spelled = api_names(request.offer.functions) if request.offer else {}
    messages = [message_body(message, spelled) for message in request.messages]
    body: dict[str, Any] = {
        "model": config.model,
        "messages": messages,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        dialect.token_field: sampling.max_tokens,
    }
    for name in dialect.omitted:
        if body[name] == 1:
            del body[name]
    if n > 1:
        body["n"] = n
    if sampling.stop:
        body["stop"] = list(sampling.stop)
    if sampling.seed is not None and dialect.seed:
        body["seed"] = sampling.seed + first
    if messages and messages[-1]["role"] == "assistant":
        if config.options.get("continuation") == "prefix":
            messages[-1]["prefix"] = True
        elif dialect.continuation:
            body["continue_final_message"] = True
            body["add_generation_prompt"] = False
    if request.offer is not None:
        body.update(offer_body(request.offer))
    body.update(config.extra_body)
    return body


def parse_answer(
    raw: bytes, request: ChatRequest, pairs: Pairs = REASONING_TAGS
) -> tuple[list[Completion], Usage]:
    """Reads the completions and the usage of an answer.

    Args:
        raw: The body.
        request: What was asked.
        pairs: Tags around reasoning that the server has left in the text.

    Raises:
        WireError: It is not a chat completion with at least one choice.
    """
    data = _read(raw)
    choices = data.get("choices") if isinstance(data, dict) else None
    if isinstance(data, dict) and (fault := data.get("error")) and not choices:
        raise WireError("an error", status_of_error(fault))
    if not isinstance(choices, list):
        raise WireError("the answer is JSON but no chat completion")
    if not choices:
        raise WireError("the answer has no choices")
    try:
        whole = [choice for choice in choices if not _broken(choice)]
        if not whole:
            raise WireError(f"all choices broke off ({choices[0].get('error')})")
        parts = [
            _parts(choice, pairs, request.offer)
            for choice in sorted(whole, key=lambda choice: int(choice.get("index") or 0))
        ]
        usage = _usage(data.get("usage"), request, parts)
    except WireError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WireError(f"the answer is no chat completion ({type(error).__name__}: {error})") from None
    cap = request.sampling.max_tokens
    completions = _share_tokens(parts, usage)
    if len(completions) == 1 and not whole[0].get("finish_reason") and completions[0].tokens >= cap:
        completions = [completions[0].model_copy(update={"finish_reason": "length"})]  # it says so itself
    return completions, usage


def _read(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        first = error
    # What Python's json writes and takes, and orjson does not: half a surrogate pair, -Infinity. It was paid for.
    try:
        return json.loads(raw, object_hook=_whole_texts)
    except (ValueError, RecursionError):
        raise WireError(f"the answer is not JSON ({len(raw)} bytes: {first})") from None


def _whole_texts(found: dict[str, Any]) -> dict[str, Any]:
    for name, value in found.items():
        if isinstance(value, str):
            found[name] = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return found


def _broken(choice: dict[str, Any]) -> bool:
    """Whether a gateway's upstream failed within this choice."""
    return bool(choice.get("error")) or choice.get("finish_reason") == "error"


_Parts = tuple[str, str | None, FinishReason, tuple[float, ...] | None]
"""(text, reasoning, why it ended, log-probabilities)"""


def finish_reason(said: Any, message: dict[str, Any]) -> FinishReason:
    """What a server's finish reason means; one that is not known is kept as `other`, and logged once.

    Args:
        said: The `finish_reason` of a choice.
        message: Its message: tool calls and refusals are no whole answers, whatever the reason says.
    """
    if said is None or said == "":
        return "content_filter" if message.get("refusal") else "stop"
    known = _FINISH.get(str(said).lower())
    if known is None and str(said) not in _unknown and len(_unknown) < 100:
        _unknown.add(str(said))
        log.warning(
            "Finish reason %r is not known: samples that end with it are undetermined. If it means that the text is "
            "whole, please report it.", str(said)[:60],
        )  # fmt: skip
    return known or "other"


_unknown: set[str] = set()
"""Finish reasons that were logged."""


def _parts(choice: dict[str, Any], pairs: Pairs, offer: Offer | None) -> _Parts:
    message = choice["message"]
    content = message.get("content")
    reasoning = (
        message.get("reasoning_content") or message.get("reasoning") or message.get("reasoning_details")
    )
    said = choice.get("finish_reason")
    finish = "stop" if offer and said in FINISHED else finish_reason(said, message)
    if isinstance(content, list):  # typed parts: text, and thinking as a list of its own
        typed = [{"type": "text", "text": p} if isinstance(p, str) else p for p in content]
        reasoning = reasoning or "".join(_texts(p["thinking"]) for p in typed if p.get("type") == "thinking")
        content = "".join(p["text"] for p in typed if p.get("type") in ("text", "output_text"))
    if isinstance(reasoning, list):
        reasoning = _texts(reasoning)
    if content is None:
        if message.get("refusal"):
            finish = "content_filter"
        content = ""
    if not isinstance(content, str) or not isinstance(reasoning, str | None):
        raise TypeError("the message has no text")
    content, inside = split_reasoning(content, pairs, leading=bool(reasoning))
    if offer is not None:
        content = with_calls(content, message, offer.functions)
    reasoning = "\n\n".join(part for part in (reasoning, inside) if part)
    tokens = (choice.get("logprobs") or {}).get("content")
    logprobs = None
    if tokens is not None and all(token["logprob"] is not None for token in tokens):
        logprobs = tuple(max(LEAST_LOGPROB, float(token["logprob"])) for token in tokens)
    return content, reasoning or None, finish, logprobs


def _texts(parts: Any) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(
        part if isinstance(part, str) else part.get("text") or part.get("summary") or "" for part in parts
    )


def _usage(data: Any, request: ChatRequest, parts: list[_Parts]) -> Usage:
    data = data or {}
    prompt, completion = data.get("prompt_tokens"), data.get("completion_tokens")
    if not prompt or int(prompt) < 0:  # some servers send zeros, which would spend a budget without end
        prompt = estimate_tokens(request)
    whole = max(
        1, sum(map(_weight, parts))
    )  # an empty text with an empty list of log probabilities weighs nothing
    if not completion or int(completion) < 0:
        completion = whole
    completion = int(completion)
    details = data.get("completion_tokens_details") or {}
    thought = details.get("reasoning_tokens") or data.get("reasoning_tokens")
    if not isinstance(thought, int) or thought <= 0:
        thought = sum(_thought(part, completion / whole) for part in parts)
    elif (
        data.get("total_tokens") == int(prompt) + completion + thought
    ):  # counted beside the completion, not in it
        completion += thought
    return Usage(
        prompt_tokens=int(prompt), completion_tokens=completion, reasoning_tokens=min(thought, completion)
    )


def _thought(part: _Parts, tokens_per_weight: float) -> int:
    """Tokens of reasoning, by its share of the characters, where the server does not count them."""
    text, reasoning, _, _ = part
    if not reasoning:
        return 0
    return int(_weight(part) * tokens_per_weight * len(reasoning) / (len(text) + len(reasoning)))


def estimate_tokens(request: ChatRequest) -> int:
    """Prompt tokens of a request, roughly."""
    said = sum(len(message.content) for message in request.messages)
    offered = len(str(offer_body(request.offer))) if request.offer else 0
    return 1 + (said + offered) // CHARS_PER_TOKEN


def _weight(part: _Parts) -> int:
    text, reasoning, _, logprobs = part
    if logprobs is not None:
        return len(logprobs)
    return 1 + (len(text) + len(reasoning or "")) // CHARS_PER_TOKEN


def _share_tokens(parts: list[_Parts], usage: Usage) -> list[Completion]:
    """Completions with their share of the total, by length, since servers report only the sum of all."""
    weights = [_weight(part) for part in parts]
    whole, total, given, seen = max(1, sum(weights)), usage.completion_tokens, 0, 0
    estimates = [_thought(part, total / whole) for part in parts]
    scale = usage.reasoning_tokens / sum(estimates) if sum(estimates) else 0.0
    completions = []
    for (text, reasoning, finish, logprobs), weight, estimate in zip(parts, weights, estimates, strict=True):
        seen += weight
        tokens = total * seen // whole - given
        given += tokens
        completions.append(
            Completion(
                text=text,
                finish_reason=finish,
                reasoning=reasoning,
                tokens=tokens,
                reasoning_tokens=min(tokens, round(estimate * scale)),
                logprobs=logprobs,
            )
        )
    return completions


_FIELDS = {
    "n": re.compile(
        r"""['"`]n['"`]|\bparam(?:eter)? n\b|\bbest_of\b|(?:supplied|parameter|argument|field)s?: n\b|"""
        r"""(?:^|[\s.])n (?:must|should|is|not|greater|>)"""
    ),
    "temperature": re.compile(r"\btemperature\b"),
    "top_p": re.compile(r"\btop_p\b"),
    "seed": re.compile(r"\bseed\b"),
    "max_completion_tokens": re.compile(r"\bmax_completion_tokens\b"),
    "max_tokens": re.compile(r"\bmax_tokens\b"),
    "continue_final_message": re.compile(r"\bcontinue_final_message\b"),
    "add_generation_prompt": re.compile(r"\badd_generation_prompt\b"),
}
_UNSUPPORTED = re.compile(
    r"un(?:supported|recogni[sz]ed|known|expected)|not (?:support|permit|allow|recogni[sz]|implement)|"
    r"(?:extra|additional) (?:input|field|propert)|must be|should be|only|does not",
    re.IGNORECASE,
)


def named_fields(message: str, others: tuple[str, ...] = ()) -> set[str]:
    """Fields of the body that a refusal complains about; empty where it is about something else.

    Args:
        message: The refusal.
        others: Further fields to look for.
    """
    if not _UNSUPPORTED.search(message):
        return set()
    extra = {name for name in others if re.search(rf"\b{re.escape(name)}\b", message)}
    return extra | {name for name, pattern in _FIELDS.items() if pattern.search(message)}
