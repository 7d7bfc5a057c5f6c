"""A tree of function calls written by hand: parallel calls, a chain with results, a retry with feedback, a mutation."""

from __future__ import annotations

import json

from ultrainteract.schema import (
    Action,
    Call,
    Critique,
    Exchange,
    FeedbackWording,
    Function,
    Instruction,
    Message,
    Node,
    Observation,
    Provenance,
    SamplingParams,
    Task,
    Tree,
    Turn,
    Verdict,
    calls_json,
)
from ultrainteract.schema.calls import calls_text, results_text

WEATHER = Function(
    name="weather.now",
    description="Weather of a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def call(city: str) -> Call:
    return Call(name="weather.now", arguments={"city": city})


def node(right: bool, thought: str, *calls: Call, results: tuple[str, ...] = (), before: tuple[Exchange, ...] = (),
         critique: str = "", mutated: str = "") -> Node:  # fmt: skip
    provenance = Provenance(
        model="actor-8b" if right else "other-7b", provider="openai", sampling=SamplingParams(), step="actor", ordinal=0,
        mutated=mutated,
    )  # fmt: skip
    text = "\n".join(part for part in (thought, calls_text(calls)) if part)
    label = Verdict.correct("function_calls") if right else Verdict.wrong(
        "function_calls", "value_error:string: argument city is not right"
    )  # fmt: skip
    return Node(
        action=Action(raw=text, text=text, reasoning_schema="cot", answer=calls_json(calls), calls=calls, exchanges=before),
        observation=Observation(output=results_text(results) or None, results=results),
        verdict=label,
        critique=Critique(text=critique, provenance=provenance) if critique else None,
        provenance=provenance,
    )  # fmt: skip


def call_tree() -> Tree:
    """The tree: the first attempt asks for one city of two, the second for both."""
    made = Exchange(
        text=f"Bonn first.\n{calls_text([call('Bonn')])}",
        raw="",
        output="",
        calls=(call("Bonn"),),
        results=("20",),
    )
    return Tree(
        instruction=Instruction(
            task=Task("Tools"), dataset="bfcl", prompt="Answer.\nWeather in Bonn and Kiel?", grader="function_calls",
            question="Weather in Bonn and Kiel?", gold="…", functions=(WEATHER,), licence="Apache-2.0", source="bfcl/1",
            gold_set=(json.dumps({"name": "weather.now", "arguments": {"city": ["Bonn"]}}),),
            dialogue=(Message(role="system", content="Be brief."),
                      Message(role="user", content="Weather in Bonn and Kiel?")),
            wording=FeedbackWording(correct="Your answer is correct.", wrong="Your answer is wrong.", output=""),
        ),
        turns=(
            Turn(
                correct=node(True, "Both.", call("Bonn"), call("Kiel")),
                incorrect=node(False, "", call("Bonn"), results=("Error: no such city",), critique="One is missing."),
                paired=True,
            ),
            Turn(
                correct=node(True, "", call("Kiel"), before=(made,)),
                incorrect=node(False, "", call("Köln"), before=(made,), mutated="sibling_value"),
                paired=True,
            ),
        ),
        ended="turn_cap",
    )  # fmt: skip
