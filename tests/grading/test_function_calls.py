"""Function calls by schema and value: BFCL's order of checks, the careful reading beside it, and what is read as a call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ultrainteract.grading.call_judging import ANY_CALL, judge_calls, violations
from ultrainteract.grading.call_reading import read_message, written
from ultrainteract.schema import Call, Function
from ultrainteract.schema.calls import calls_json

AREA = Function(
    name="shapes.area",
    description="Area of a triangle.",
    parameters={
        "type": "object",
        "properties": {
            "base": {"type": "integer"},
            "height": {"type": "number"},
            "unit": {"type": "string", "enum": ["cm", "m"]},
            "tags": {"type": "array", "items": {"type": "string"}},
            "where": {"type": "object"},
            "rows": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["base", "height"],
    },
)
PLAY = Function(name="play", parameters={"type": "object", "properties": {"artist": {"type": "string"}}})
SCHEMAS = json.dumps([{"name": f.name, "description": "", "parameters": f.parameters} for f in (AREA, PLAY)])


def gold(name: str, **allowed: Any) -> str:
    return json.dumps({"name": name, "arguments": allowed})


RIGHT = gold("shapes.area", base=[10], height=[5, 5.5], unit=["cm", ""])


def judged(right: list[str], *calls: tuple[str, dict[str, Any]], careful: bool = True) -> str:
    answer = json.dumps([{"name": name, "arguments": arguments} for name, arguments in calls])
    found = judge_calls(SCHEMAS, right, answer, careful=careful)
    return f"{found.outcome}: {found.why}"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"base": 10, "height": 5}, "equal"),
        ({"base": 10, "height": 5.5, "unit": "CM"}, "equal"),
        ({"height": 5}, "unequal: missing_required"),
        ({"base": 10, "height": 5, "colour": "red"}, "unequal: unexpected_param"),
        ({"base": 10, "height": 5, "tags": ["a"]}, "unequal: unexpected_param"),
        ({"base": "10", "height": 5}, "unequal: type_error:simple"),
        ({"base": True, "height": 5}, "unequal: type_error:simple"),
        ({"base": 11, "height": 5}, "unequal: value_error:others"),
        ({"base": 10, "height": 5, "unit": "m"}, "unequal: value_error:string"),
        ({"base": 10.0, "height": 5}, "unknown: wrong by the published rule alone: type_error:simple"),
    ],
)
def test_the_first_error_names_the_verdict(arguments: dict[str, Any], expected: str) -> None:
    assert judged([RIGHT], ("shapes.area", arguments)).startswith(expected)


def test_nested_values_and_signs() -> None:
    right = gold("shapes.area", base=[1], height=[1], tags=[["A b", "c"]], where=[{"k": ["v", 2], "l": ["w", ""]}],
                 rows=[[{"k": [1]}, {"k": [2]}]], unit=["-5"])  # fmt: skip
    fine = {
        "base": 1,
        "height": 1,
        "tags": ["ab", "c"],
        "where": {"k": 2},
        "rows": [{"k": 1}, {"k": 2}],
        "unit": "-5",
    }
    cases: dict[str, dict[str, Any]] = {
        "": {"tags": ["A B", "C"]},
        "value_error:list/tuple": {"tags": ["c", "ab"]},
        "type_error:nested": {"tags": [1]},
        "value_error:dict_key": {"where": {"l": "w"}},
        "value_error:dict_value": {"where": {"k": 3}},
        "value_error:list_dict_count": {"rows": [{"k": 1}]},
        "missing_optional": {"where": None},
    }
    for error, change in cases.items():
        arguments = {k: v for k, v in {**fine, **change}.items() if v is not None}
        said = judged([right], ("shapes.area", arguments), careful=False)
        assert said.startswith(f"unequal: {error}" if error else "equal"), (error, said)
    signed = {**fine, "unit": "5"}
    assert judged([right], ("shapes.area", signed), careful=False).startswith("equal")
    assert judged([right], ("shapes.area", signed)).startswith("unknown: right by the published rule alone")


def test_several_calls_none_and_any() -> None:
    area, play = ("shapes.area", {"base": 10, "height": 5}), ("play", {"artist": "x"})
    both = [RIGHT, gold("play", artist=["X"])]
    assert judged(both, play, area).startswith("equal")
    assert judged(both, play).startswith("unequal: wrong_count")
    assert judged(both, play, play).startswith("unequal: cannot_find_match")
    assert judged([RIGHT]).startswith("unequal: no_call_where_one_fits")
    assert judged([]).startswith("equal")
    assert judged([], play).startswith("unequal: call_where_none_fits: calls play")
    assert judged([ANY_CALL], play, careful=False).startswith("equal")
    assert judged([ANY_CALL], play).startswith("unknown")
    assert judged([ANY_CALL]).startswith("unequal: no_call_where_one_fits")


def test_arguments_without_names_are_no_proof() -> None:
    _, calls = read_message("shapes.area(10, 5)", [AREA])
    assert calls is not None
    assert judge_calls(SCHEMAS, [RIGHT], calls_json(calls), careful=False).why.startswith("missing_required")
    assert judge_calls(SCHEMAS, [RIGHT], calls_json(calls), careful=True).is_unknown


CALL = Call(name="shapes.area", arguments={"base": 10, "height": 5})


@pytest.mark.parametrize(
    "text",
    [
        'I call it.\n<tool_call>\n{"name": "shapes.area", "arguments": {"base": 10, "height": 5}}\n</tool_call>',
        '<tool_call>{"name": "shapes_area", "arguments": "{\\"base\\": 10, \\"height\\": 5}"}',
        '[TOOL_CALLS] [{"name": "shapes.area", "arguments": {"base": 10, "height": 5}}]',
        '<function=shapes.area>{"base": 10, "height": 5}</function>',
        '```json\n[{"name": "shapes.area", "parameters": {"base": 10, "height": 5}}]\n```',
        '{"shapes.area": {"base": 10, "height": 5}}',
        "So:\n```python\nshapes.area(base=10, height=5)\n```",
        "The base is 10.\n[shapes.area(base=10, height=5)]",
        "The base is 10.\nshapes.area(\n  base=10,\n  height=5,\n)",
        *(written([CALL], form) for form in ("hermes", "python", "json")),
    ],
)
def test_every_form_is_read_into_one(text: str) -> None:
    assert read_message(text, [AREA, PLAY])[1] == (CALL,)


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "shapes.area", "arguments": {"base": 10,\n</tool_call>',
        "I would call shapes.area(base=ten).",
        '<tool_call>{"arguments": {"base": 10}}</tool_call>',
        'The call is {"name": "shapes.area"',
        "<tool_call>" + "[" * 5000,
        "x" * 60_000,
    ],
)
def test_what_looks_like_a_call_and_cannot_be_read_is_not_no_call(text: str) -> None:
    assert read_message(text, [AREA])[1] is None


def test_a_message_in_words_makes_no_call() -> None:
    assert read_message("None of the functions can sing. What else can I do?", [AREA]) == (
        "None of the functions can sing. What else can I do?",
        (),
    )


def test_schemas_say_what_a_server_would() -> None:
    bad = Call(name="shapes.area", arguments={"base": "x", "unit": "km", "k": 1})
    (fault,) = violations([bad], [AREA])
    assert "'height' is a required property" in fault
    assert violations([CALL, Call(name="sing")], [AREA]) == ["", "there is no function 'sing'"]
