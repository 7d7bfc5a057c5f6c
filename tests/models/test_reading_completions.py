"""What a chat completion says: its text, its reasoning, why it ended, what it cost."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from ultrainteract.config import ModelConfig
from ultrainteract.models.base import ChatRequest, Completion, Purpose
from ultrainteract.models.openai.wire import parse_answer
from ultrainteract.models.pricing import price_of
from ultrainteract.models.reasoning import split_reasoning
from ultrainteract.schema import Message, SamplingParams, Usage


def read(message: dict[str, Any], **more: Any) -> tuple[Completion, Usage]:
    usage = more.pop("usage", None)
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop", **more}
    request = ChatRequest(
        messages=(Message(role="user", content="?"),),
        sampling=SamplingParams(max_tokens=50),
        purpose=Purpose(role="actor", step="sample"),
    )
    (completion,), used = parse_answer(json.dumps({"choices": [choice], "usage": usage}).encode(), request)
    return completion, used


@pytest.mark.parametrize(
    ("text", "answer", "reasoning"),
    [
        ("<think>\na </think> later.\n</think>\n\nx", "x", "a </think> later."),
        ("<thinking>hm 9</thinking>\nx", "x", "hm 9"),
        ("[THINK]hm[/THINK]x", "x", "hm"),
        ("hm\n[/THINK]\nx", "x", "hm"),
        ("<think>a</think>\nx\n<think>b</think>\ny", "x\ny", "a\n\nb"),
        ("<think>I open <think> again</think>x", "x", "I open <think> again"),
        ("<think>cut off", "", "cut off"),
        ("x\n<think>cut off", "x", "cut off"),
        ("<think>\n\n</think>\n\nx", "x", None),
        ("The tag `<think>` is opened with <think>.", "The tag `<think>` is opened with <think>.", None),
        ("no tags", "no tags", None),
        ("<think>a</think><thinking>b</thinking>x", "x", "a\n\nb"),
    ],
)
def test_reasoning_is_cut_wherever_it_ends(text: str, answer: str, reasoning: str | None) -> None:
    assert split_reasoning(text) == (answer, reasoning)


def test_the_tags_of_other_models_are_configured() -> None:
    assert split_reasoning("<r>a</r>x", [("<r>", "</r>")]) == ("x", "a")
    assert split_reasoning("<think>a</think>x", [("<r>", "</r>")]) == ("<think>a</think>x", None)


def test_tags_in_an_answer_stay_where_the_server_has_split_reasoning_off() -> None:
    completion, _ = read({"content": "Close it with </think>.", "reasoning_content": "r"})
    assert (completion.text, completion.reasoning) == ("Close it with </think>.", "r")
    completion, _ = read({"content": "<think>b</think>x", "reasoning_content": "r"})
    assert (completion.text, completion.reasoning) == ("x", "r\n\nb")


def test_reasoning_details_are_reasoning() -> None:
    details = [{"type": "reasoning.text", "text": "a"}, {"type": "reasoning.summary", "summary": "b"}]
    assert read({"content": "x", "reasoning_details": details})[0].reasoning == "ab"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        *(
            (name, "stop")
            for name in ("stop", "eos", "eos_token", "end_turn", "stop_sequence", "", None, "STOP")
        ),
        ("max_tokens", "length"),
        ("SAFETY", "content_filter"),
        ("tool_calls", "other"),
    ],
)
def test_finish_reasons_of_all_servers(said: str | None, meant: str) -> None:
    assert read({"content": "x"}, finish_reason=said)[0].finish_reason == meant


def test_a_missing_finish_reason_means_a_whole_text_unless_something_else_says_otherwise() -> None:
    cut = read({"content": "x"}, finish_reason=None, usage={"prompt_tokens": 1, "completion_tokens": 50})
    assert cut[0].finish_reason == "length"
    refused = read({"content": None, "refusal": "no"}, finish_reason="")
    assert refused[0].finish_reason == "content_filter"


def test_an_unknown_finish_reason_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            read({"content": "x"}, finish_reason="full_moon")
    assert [record.getMessage().count("full_moon") for record in caplog.records] == [1]


@pytest.mark.parametrize(
    ("usage", "completion_tokens", "reasoning_tokens"),
    [
        ({"completion_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 20}}, 30, 20),
        (
            {
                "completion_tokens": 30,
                "total_tokens": 60,
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            50,
            20,
        ),
        ({"completion_tokens": 30}, 30, 15),  # by its share of the text
    ],
)
def test_reasoning_tokens_are_counted_apart(
    usage: dict[str, Any], completion_tokens: int, reasoning_tokens: int
) -> None:
    completion, used = read(
        {"content": "x" * 40, "reasoning_content": "y" * 40}, usage={"prompt_tokens": 10, **usage}
    )
    assert (used.completion_tokens, used.reasoning_tokens) == (completion_tokens, reasoning_tokens)
    assert completion.reasoning_tokens == reasoning_tokens


def test_reasoning_tokens_have_a_price_of_their_own() -> None:
    usage = Usage(prompt_tokens=0, completion_tokens=3_000_000, reasoning_tokens=2_000_000)
    same = ModelConfig(model="m", price={"input": 1, "output": 4})
    other = ModelConfig(model="m", price={"input": 1, "output": 4, "reasoning": 1})
    assert (price_of(same, usage), price_of(other, usage)) == (12.0, 6.0)


def test_an_empty_text_with_no_log_probabilities_is_read() -> None:
    """As llama.cpp's server answers where the model ends at once."""
    completion, _ = read({"content": ""}, logprobs={"content": []})
    assert (completion.text, completion.finish_reason, completion.logprobs) == ("", "stop", ())
