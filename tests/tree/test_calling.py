"""Trees of function calls: asked natively and in text, carried out in the sandbox, graded by calls, state and answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders import Scripted, config
from ultrainteract.config import RunConfig, SandboxConfig, parse_config
from ultrainteract.grading import Graders
from ultrainteract.models import price_of
from ultrainteract.models.base import ChatRequest, Offer, Purpose
from ultrainteract.models.openai.wire import Dialect, build_body, parse_answer
from ultrainteract.replay import RecordedSampler
from ultrainteract.sandbox import open_sandbox
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import (
    Backend,
    Call,
    Function,
    Instruction,
    Label,
    Message,
    SamplingParams,
    Task,
    Tree,
)
from ultrainteract.store import RunStore
from ultrainteract.tree import Grower
from ultrainteract.tree.environment import Environment

WEATHER = Function(
    name="weather.now",
    description="Weather of a city.",
    parameters={
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city"],
    },
)
SINGLE = Instruction(
    task=Task("Tools"), dataset="bfcl", prompt="Answer the request.\nHow warm is it in Bonn?", grader="function_calls",
    question="How warm is it in Bonn?", gold="weather.now(city='Bonn')", functions=(WEATHER,),
    gold_set=(json.dumps({"name": "weather.now", "arguments": {"city": ["Bonn"], "unit": ["celsius", ""]}}),),
    dialogue=(Message(role="system", content="Be brief."), Message(role="user", content="How warm is it in Bonn?")),
)  # fmt: skip
RIGHT = '<tool_call>\n{"name": "weather.now", "arguments": {"city": "Bonn"}}\n</tool_call>'
WRONG = '<tool_call>\n{"name": "weather.now", "arguments": {"city": "Bonn", "unit": "kelvin"}}\n</tool_call>'

SHOP = Instruction(
    task=Task("Tools"), dataset="shop", prompt="Answer the request.\nTwo more pears.", question="Two more pears.",
    grader="final_state", gold="add(name='pear', count=2)",
    functions=tuple(
        Function(name=name, parameters={"type": "object", "required": list(fields),
                 "properties": {field: {"type": kind} for field, kind in fields.items()}})
        for name, fields in {"add": {"name": "string", "count": "integer"}, "total": {}}.items()
    ),
    dialogue=(
        Message(role="user", content="Three apples."),
        Message(role="assistant", content="", calls=(Call(name="add", arguments={"name": "apple", "count": 3}),)),
        Message(role="assistant", content="Done."),
        Message(role="user", content="Two more pears."),
    ),
    backend=Backend(
        source=(
            "class Shop:\n"
            "    def __init__(self):\n"
            "        self.basket, self._log = {}, []\n"
            "    def add(self, name, count):\n"
            "        if count < 1:\n"
            "            raise ValueError('count must be positive')\n"
            "        self.basket[name] = self.basket.get(name, 0) + count\n"
            "        return {'basket': sorted(self.basket)}\n"
            "    def total(self):\n"
            "        return sum(self.basket.values())\n"
            "    def _secret(self):\n"
            "        self.basket.clear()\n"
        ),
        setup="shop = Shop()",
        objects=("shop",),
        before=("add('apple', 3)",),
        gold=("add(name='pear', count=2)",),
    ),
)  # fmt: skip


def asked(*names: str, **settings: Any) -> RunConfig:
    """A configuration whose models take calls in the given form."""
    plain = config(settings).model_dump(mode="json")
    for model in plain["models"].values():
        model["calling"] = {"form": names[0] if names else None}
    return parse_config(plain)


@pytest.fixture
async def graders() -> AsyncIterator[Graders]:
    async with Graders() as found:
        yield found


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    found = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=2, containers=1))
    yield found
    await found.close()


async def grow(
    settings: RunConfig, answer: Callable[[ChatRequest, int], str], graders: Graders, folder: Path,
    instruction: Instruction, sandbox: Sandbox | None = None,
) -> tuple[Tree, dict[str, Scripted]]:  # fmt: skip
    scripted = {name: Scripted(name, answer) for name in ("actor", "strong", "pool", "critic")}
    with RunStore.resume(folder, settings) as store:
        calls = RecordedSampler(store, scripted, settings, price_of)
        environment = Environment(store, sandbox, graders, settings.sandbox)  # type: ignore[arg-type]
        return await Grower(settings, calls, environment).grow(instruction), scripted


# ------------------------------------------------------------------------------------------------ one message


async def test_a_wrong_call_is_shown_what_the_schema_says_and_is_tried_again(
    graders: Graders, tmp_path: Path
) -> None:
    def answer(request: ChatRequest, ordinal: int) -> str:
        if request.purpose.role == "critic":
            return "Look at the unit."
        return RIGHT if request.purpose.turn == 2 else WRONG

    tree, scripted = await grow(asked("native"), answer, graders, tmp_path, SINGLE)
    first, second = tree.turns
    assert first.incorrect is not None
    assert second.correct is not None
    assert first.incorrect.verdict.evidence is not None
    assert first.incorrect.verdict.evidence.detail.startswith("value_error:string")
    assert first.incorrect.observation.results == (
        "Error: unit: 'kelvin' is not one of ['celsius', 'fahrenheit']",
    )
    request = next(r for r in scripted["actor"].requests if r.purpose.turn == 2)
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "tool", "user"]
    assert request.messages[0].content.endswith("Be brief.")
    assert request.messages[2].calls[0].id == request.messages[3].call_id
    assert request.messages[4].content == "Your answer is wrong.\nLook at the unit."
    assert request.offer is not None
    assert request.offer.functions == (WEATHER,)
    critic = scripted["critic"].requests[0].messages[-1].content
    assert "value_error:string" in critic


@pytest.mark.parametrize(
    ("form", "call"),
    [
        ("hermes", "<tool_call>"),
        ("python", "weather.now(city='Bonn', unit='kelvin')"),
        ("json", '[{"name": '),
    ],
)
async def test_models_without_native_calls_are_asked_in_text(
    graders: Graders, tmp_path: Path, form: str, call: str
) -> None:
    def answer(request: ChatRequest, ordinal: int) -> str:
        return RIGHT if request.purpose.turn == 2 else WRONG

    _, scripted = await grow(asked(form), answer, graders, tmp_path, SINGLE)
    request = next(r for r in scripted["actor"].requests if r.purpose.turn == 2)
    assert request.offer is None
    assert [message.role for message in request.messages] == ["system", "user", "assistant", "user"]
    assert '"name": "weather.now"' in request.messages[0].content
    assert call in request.messages[2].content
    assert request.messages[3].content.startswith("<tool_response>\nError: unit")


async def test_where_no_sample_is_wrong_a_right_call_is_given_one_fault(
    graders: Graders, tmp_path: Path
) -> None:
    tree, _ = await grow(asked("hermes"), lambda request, ordinal: RIGHT, graders, tmp_path / "a", SINGLE)
    wrong = tree.turns[0].incorrect
    assert wrong is not None
    assert wrong.provenance.mutated
    assert wrong.provenance.step == "mutated"
    assert wrong.verdict.label is Label.WRONG
    assert tree.turns[0].paired
    off, _ = await grow(
        asked("hermes", mutate_calls=False), lambda request, ordinal: RIGHT, graders, tmp_path / "b", SINGLE
    )
    assert off.turns[0].incorrect is None


async def test_unreadable_calls_and_silence_prove_nothing(graders: Graders, tmp_path: Path) -> None:
    none = SINGLE.model_copy(update={"gold_set": (), "gold": "no call"})
    texts = ["", '<tool_call>{"name": "weather.now", "arguments": {</tool_call>', "None of them can do that."]
    tree, _ = await grow(
        asked("hermes", ladder=[{"name": "sample", "model": "actor", "samples": 3}], waves="off", pool=[],
              rejected_from="actor", mutate_calls=False),
        lambda request, ordinal: texts[ordinal], graders, tmp_path, none,
    )  # fmt: skip
    (stats,) = tree.turns[0].steps
    assert (stats.drawn, stats.judged, stats.correct) == (3, 1, 1)


# ---------------------------------------------------------------------------------------------------- the wire


def test_native_calls_on_the_wire() -> None:
    offer = Offer(functions=(WEATHER,), choice="required", parallel=True)
    call = Call(name="weather.now", arguments={"city": "Köln"}, id="abc123def")
    request = ChatRequest(
        messages=(
            Message(role="user", content="Warm?"),
            Message(role="assistant", content="", calls=(call,)),
            Message(role="tool", content="20", call_id="abc123def"),
        ),
        sampling=SamplingParams(), purpose=Purpose(role="actor", step="sample"), offer=offer,
    )  # fmt: skip
    body = build_body(request, config().models["actor"], Dialect(), 1, 0)
    assert body["tools"][0]["function"]["name"] == "weather_now"
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", True)
    assert body["messages"][1]["tool_calls"] == [
        {"id": "abc123def", "type": "function",
         "function": {"name": "weather_now", "arguments": '{"city": "Köln"}'}},
    ]  # fmt: skip
    assert body["messages"][2] == {"role": "tool", "content": "20", "tool_call_id": "abc123def"}
    made = {"function": {"name": "weather_now", "arguments": '{"city": "Bonn"}'}}
    broken = {"function": {"name": "weather_now", "arguments": '{"city": '}}
    answer = {
        "choices": [
            {"message": {"content": None, "tool_calls": [made, broken]}, "finish_reason": "tool_calls"}
        ]
    }
    (completion,), _ = parse_answer(json.dumps(answer).encode(), request)
    assert completion.finish_reason == "stop"
    assert completion.text.startswith('<tool_call>\n{"name": "weather.now", "arguments": {"city": "Bonn"}}')
    assert '"arguments": {"city":}' in completion.text, "what is no JSON stays unreadable"
    plain = request.model_copy(update={"offer": None})
    assert parse_answer(json.dumps(answer).encode(), plain)[0][0].finish_reason == "other"


# ------------------------------------------------------------------------------------------------ carried out


def shopper(wrong: str) -> Callable[[ChatRequest, int], str]:
    """Makes `wrong` at the first turn, then what is right; says that it is done once it was answered."""

    def answer(request: ChatRequest, ordinal: int) -> str:
        if request.purpose.role == "critic":
            return "Count again."
        if request.messages[-1].role == "tool":
            return "It is done."
        return "add(name='pear', count=2)" if request.purpose.turn == 2 else wrong

    return answer


@pytest.mark.bubblewrap
@pytest.mark.parametrize(
    ("wrong", "result", "error"),
    [
        ("add(name='pear', count=5)\ntotal()", "8", "instance_state_mismatch: another state of shop.basket"),
        (
            "add(name='pear', count=0)",
            "Error during execution: count must be positive",
            "instance_state_mismatch",
        ),
        ("add(name='pear')", "missing 1 required positional argument: 'count'", "instance_state_mismatch"),
        ('{"name": "_secret", "arguments": {}}', "there is no function '_secret'", "instance_state_mismatch"),
        ("Which pears do you mean?", "", "empty_turn_model_response"),
    ],
)
async def test_a_wrong_call_shows_what_its_execution_gave(
    graders: Graders, sandbox: Sandbox, tmp_path: Path, wrong: str, result: str, error: str
) -> None:
    tree, scripted = await grow(asked("native"), shopper(wrong), graders, tmp_path, SHOP, sandbox)
    first, second = tree.turns
    assert first.incorrect is not None
    assert second.correct is not None, "what the wrong attempt changed is undone"
    assert first.incorrect.verdict.evidence is not None
    assert first.incorrect.verdict.evidence.detail.startswith(error)
    shown = [text for exchange in first.incorrect.action.exchanges for text in exchange.results]
    assert result in " ".join(shown)
    opening = scripted["actor"].requests[0].messages
    assert [message.role for message in opening] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert opening[3].content == '{"basket": ["apple"]}', "earlier calls have their real results"


@pytest.mark.bubblewrap
async def test_a_tree_of_calls_is_replayed_without_models_or_sandbox(
    graders: Graders, sandbox: Sandbox, tmp_path: Path
) -> None:
    answer = shopper("add(name='pear', count=1)")
    first, _ = await grow(asked("native"), answer, graders, tmp_path, SHOP, sandbox)
    again, scripted = await grow(asked("native"), answer, graders, tmp_path, SHOP, None)
    assert again == first
    assert all(model.drawn == 0 for model in scripted.values())


@pytest.mark.bubblewrap
async def test_a_chain_of_calls_is_graded_by_its_final_answer(
    graders: Graders, sandbox: Sandbox, tmp_path: Path
) -> None:
    chain = Instruction(
        task=Task("Tools"), dataset="gsm8k", prompt="Answer the request.\n6 times 7?", question="6 times 7?",
        grader="number", gold="42", dialogue=(Message(role="user", content="6 times 7?"),),
        functions=(Function(name="times", parameters={"type": "object", "properties": {"a": {"type": "number"},
                            "b": {"type": "number"}}, "required": ["a", "b"]}),),
        backend=Backend(source="def times(a, b):\n    return a * b"),
    )  # fmt: skip

    def answer(request: ChatRequest, ordinal: int) -> str:
        last = request.messages[-1]
        if last.role == "user" and last.content.startswith("<tool_response>"):
            return f"That is it.\nAnswer: {last.content.split()[1]}"
        return "times(a=6, b=7)" if ordinal else "times(a=6, b=6)"

    tree, _ = await grow(asked("hermes"), answer, graders, tmp_path, chain, sandbox)
    assert tree.turns[0].correct is not None
    assert tree.turns[0].incorrect is not None
    assert tree.turns[0].correct.action.exchanges[0].results == ("42",)
    assert tree.turns[0].incorrect.action.answer == "36"
    assert tree.ended != "solved"
