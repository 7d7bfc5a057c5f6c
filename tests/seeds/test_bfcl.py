"""Function calling: requests with their right calls, and what counts as the same call."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from seed_helpers import load, write_lines

from ultrainteract.config import SeedConfig
from ultrainteract.grading import Graders, self_check
from ultrainteract.grading.calls import same_calls
from ultrainteract.grading.finding import Outcome
from ultrainteract.schema import Label

AREA = {"name": "shapes.area", "description": "Area of a triangle.",
        "parameters": {"type": "dict", "properties": {"base": {}, "height": {}, "unit": {}}}}  # fmt: skip
TRUTH = {"shapes.area": {"base": [10], "height": [5, 5.0], "unit": ["units", ""]}}
RIGHT = json.dumps(
    {"name": "shapes.area", "arguments": TRUTH["shapes.area"], "order": ["base", "height", "unit"]}
)
QUERY = json.dumps(
    {"name": "q", "arguments": {"where": [[{"field": ["age"], "at_least": [25, ""]}]], "tags": [["a", "b"]]}}
)

OUTCOMES = {True: Outcome.EQUAL, False: Outcome.UNEQUAL, None: Outcome.UNKNOWN}


def request(text: str) -> list[list[dict[str, str]]]:
    return [[{"role": "user", "content": text}]]


def test_requests_find_their_right_calls(tmp_path: Path) -> None:
    (tmp_path / "possible_answer").mkdir()
    write_lines(
        tmp_path / "BFCL_v4_simple.json",
        [
            {"id": "simple_0", "question": request("Area, base 10, height 5?"), "function": [AREA]},
            {"id": "simple_1", "question": request("And 2?"), "function": [AREA]},
            {"id": "simple_2", "question": [*request("a"), *request("b")], "function": [AREA]},
        ],
    )
    write_lines(
        tmp_path / "possible_answer" / "BFCL_v4_simple.json", [{"id": "simple_0", "ground_truth": [TRUTH]}]
    )
    write_lines(
        tmp_path / "BFCL_v4_irrelevance.json",
        [{"id": "irrelevance_0", "question": request("Sing a song."), "function": [AREA]}],
    )
    (none, call), issues = load(SeedConfig(dataset="bfcl", path=".", tasks=("Logic",)), tmp_path)
    assert (call.gold, call.gold_set) == (
        "shapes.area(base=10, height=5, unit='units')",
        (json.dumps(json.loads(RIGHT), sort_keys=True),),
    )
    assert (none.gold, none.gold_set) == ("no call", ())
    assert call.prompt.startswith(
        'Solve the following problem step-by-step:\nFunctions:\n{"name": "shapes.area"'
    )
    assert "Request: Area, base 10, height 5?\n" in call.prompt
    assert ["right calls are not in" in issues[0].reason, "no single turn" in issues[1].reason] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("answer", "equal"),
    [
        ("shapes.area(base=10, height=5)", True),
        ("shapes.area(10, 5.0, unit='Units')", True),
        ("Answer: `shapes.area(height=5, base=10)`", True),
        ("```python\nshapes.area(base=10, height=5)\n```", True),
        ("[shapes.area(base=10, height=5)]", True),
        ('{"name": "shapes.area", "arguments": {"base": 10, "height": 5}}', True),
        ('[{"name": "shapes.area", "arguments": "{\\"base\\": 10, \\"height\\": 5}"}]', True),
        ("shapes.area(base=5, height=10)", False),
        ("shapes.area(base=10)", False),
        ("shapes.area(base=10, height=5, colour='red')", False),
        ("shapes.area(base=10, height=5, unit='cm')", False),
        ("shapes.area(base='10', height=5)", False),
        ("shapes.area(base=True, height=5)", False),
        ("area(base=10, height=5)", False),
        ("shapes.area(base=10, height=5)\nshapes.area(base=10, height=5)", False),
        ("no call", False),
        ("I would call shapes.area with base 10.", None),
        ("shapes.area(base=x, height=5)", None),
        ("import os\nshapes.area(base=10, height=5)", None),
        ("shapes.area(", None),
        ("(" * 5000, None),
    ],
)
def test_one_call(answer: str, equal: bool | None) -> None:
    assert same_calls([RIGHT], answer).outcome is OUTCOMES[equal]


def test_parallel_calls_in_any_order_and_no_call() -> None:
    other = json.dumps({"name": "play", "arguments": {"artist": ["Taylor Swift"]}})
    assert same_calls([RIGHT, other], "play(artist='taylor swift')\nshapes.area(base=10, height=5)").is_equal
    assert same_calls([RIGHT, other], "play(artist='taylor swift')").outcome is OUTCOMES[False]
    assert same_calls([], "No call.").is_equal
    assert same_calls([], "No function call").is_equal
    assert same_calls([], "[]").is_equal
    assert same_calls([], "play(artist='x')").outcome is OUTCOMES[False]


def test_objects_and_lists() -> None:
    assert same_calls([QUERY], "q(where=[{'field': 'age', 'at_least': 25}], tags=['a', 'b'])").is_equal
    assert same_calls([QUERY], "q(where=[{'field': 'age'}], tags=('A', 'B'))").is_equal
    assert same_calls([QUERY], "q(where=[{'field': 'age'}], tags=['b', 'a'])").outcome is OUTCOMES[False]
    assert (
        same_calls([QUERY], "q(where=[{'field': 'age', 'x': 1}], tags=['a', 'b'])").outcome is OUTCOMES[False]
    )


async def test_graders_know_calls(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "BFCL_v4_irrelevance.json",
        [{"id": "irrelevance_0", "question": request("Sing."), "function": [AREA]}],
    )
    (instruction,), _ = load(SeedConfig(dataset="bfcl", path="."), tmp_path)
    async with Graders() as graders:
        assert (await self_check([instruction], graders)).accepted == 1
        verdict = await graders.grade(
            instruction, '[{"name": "shapes.area", "arguments": {"base": 1, "height": 2}}]'
        )
    assert verdict.label is Label.WRONG
    assert verdict.evidence is not None
    assert verdict.evidence.check == "function_calls"
    assert verdict.evidence.detail.startswith("call_where_none_fits: calls shapes.area")


def test_records_keep_roles_and_say_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "possible_answer").mkdir()
    talk = [
        [
            {"role": "system", "content": "You are a nurse."},
            {"role": "user", "content": "Area, base 10, height 5?"},
        ]
    ]
    typed = {**AREA, "parameters": {"type": "dict", "properties": {"base": {"type": "float"}, "height": {"type": "tuple",
             "items": {"type": "float"}}, "unit": {"type": "any"}}, "required": ["base"]}}  # fmt: skip
    write_lines(
        tmp_path / "BFCL_v4_live_simple.json",
        [
            {"id": "live_simple_0", "question": talk, "function": [typed]},
            {"id": "simple_java_1", "question": request("x"), "function": [AREA]},
            {"id": "live_simple_2", "question": request("x"), "function": [typed]},
        ],
    )
    right = {"shapes.area": {"base": [10], "height": [[5.0]], "unit": ["units", ""]}}
    write_lines(
        tmp_path / "possible_answer" / "BFCL_v4_live_simple.json",
        [
            {"id": "live_simple_0", "ground_truth": [right]},
            {"id": "live_simple_2", "ground_truth": [{"shapes.area": {"height": [[5.0]]}}]},
        ],
    )
    (call,), issues = load(SeedConfig(dataset="bfcl", path="."), tmp_path)
    assert [message.role for message in call.dialogue] == ["system", "user"]
    assert call.functions[0].parameters["properties"] == {
        "base": {"type": "number"}, "height": {"type": "array", "items": {"type": "number"}}, "unit": {},
    }  # fmt: skip
    assert "Java expressions" in issues[0].reason
    assert "fail their own check: missing_required: argument base" in issues[1].reason


@pytest.mark.parametrize("path", [".", "BFCL_v4_simple.json", "BFCL_v4_simple.json.gz"])
@pytest.mark.parametrize("answers", [".json", ".json.gz"])
def test_compressed_files_find_their_right_calls(tmp_path: Path, path: str, answers: str) -> None:
    (tmp_path / "possible_answer").mkdir()
    records = {
        "BFCL_v4_simple.json" if path == "BFCL_v4_simple.json" else "BFCL_v4_simple.json.gz": {
            "id": "simple_0", "question": request("Area, base 10, height 5?"), "function": [AREA],
        },
        f"possible_answer/BFCL_v4_simple{answers}": {"id": "simple_0", "ground_truth": [TRUTH]},
    }  # fmt: skip
    for name, record in records.items():
        data = json.dumps(record).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    (call,), issues = load(SeedConfig(dataset="bfcl", path=path), tmp_path)
    assert not issues
    assert call.gold == "shapes.area(base=10, height=5, unit='units')"
