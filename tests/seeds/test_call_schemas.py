"""Schemas of functions: read from Python, and as JSON Schema in the forms that files have."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from seed_helpers import load, load_records, write_lines

from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.errors import SeedError
from ultrainteract.grading.call_judging import violations
from ultrainteract.readers.rows import Unusable
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Call
from ultrainteract.seeds.argument_types import type_schema
from ultrainteract.seeds.backends import python_backend, read_functions
from ultrainteract.seeds.functions import function_of, schema_of
from ultrainteract.tree.call_cells import calls_cell, expressions_cell, opening_cells, run_of

EVERY_KIND = """
import asyncio, contextlib, functools
from typing import Annotated, Literal, Optional, overload

class _Base:
    def greet(self, name: str = "you"):
        return "hello " + name
    def hidden_by_own(self):
        return "base"

class Shop(_Base):
    def __init__(self):
        self.n = 1
    @staticmethod
    def fixed(a=1):
        return a
    @classmethod
    def of(cls, kind: Literal["a", "b"]):
        return cls.__name__ + kind
    def placed(self, a, b=2, /, c=3, *, d: int | None = None):
        return [a, b, c, d]
    async def later(self, n: int):
        await asyncio.sleep(0)
        self.n += n
        return self.n
    def anything(self, *rest, **more):
        return sorted(more)
    @functools.lru_cache
    def kept(self, x: Annotated[int, "whole"]):
        return x + 1
    twice = lambda self, x: 2 * x
    again = twice
    if True:
        def under(self, x: "list[int]" = []):
            return x
    def hidden_by_own(self):
        return "own"
    def other(self, kind: Literal[1, len], value={1, 2}, far=1e999):
        return kind
    @property
    def total(self):
        return 3
    @total.setter
    def total(self, value):
        pass
    @functools.cached_property
    def slow(self):
        return 3
    def each(self):
        yield 1
    @contextlib.contextmanager
    def open(self):
        yield
    def lost():
        return 1
    def _own(self):
        return 1
"""


@pytest.mark.bubblewrap
async def test_every_method_is_offered_and_can_be_called_or_is_named_with_a_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "shop.py").write_text(EVERY_KIND, encoding="utf-8-sig")
    with caplog.at_level(logging.WARNING):
        (found,) = load_records(
            tmp_path, "tool_tasks", {"question": "q", "answer": "5"}, options={"python": "shop.py"}
        )
    called: list[tuple[str, dict[str, Any], str]] = [
        ("greet", {}, "hello you"),
        ("hidden_by_own", {}, "own"),
        ("fixed", {"a": 7}, "7"),
        ("of", {"kind": "b"}, "Shopb"),
        ("placed", {"a": 1}, "[1, 2, 3, None]"),
        ("placed", {"a": 1, "c": 5, "d": 4}, "[1, 2, 5, 4]"),
        ("placed", {"b": 1}, "Error during execution:"),
        ("later", {"n": 4}, "5"),
        ("later", {"n": 4}, "9"),
        ("anything", {"x": 1, "y": 2}, "['x', 'y']"),
        ("kept", {"x": 1}, "2"),
        ("twice", {"x": 2}, "4"),
        ("again", {"x": 2}, "4"),
        ("under", {"x": [1]}, "[1]"),
        ("other", {"kind": 1}, "1"),
    ]
    assert {function.name for function in found.functions} == {name for name, _, _ in called}
    for function in found.functions:
        Draft202012Validator.check_schema(function.parameters)
        json.dumps(function.parameters, allow_nan=False)
    (said,) = caplog.messages
    for name in ("total", "slow", "each", "open", "lost"):
        assert f"{name} (" in said
    schemas = {function.name: function.parameters for function in found.functions}
    assert schemas["placed"]["properties"] == {
        "a": {}, "b": {"default": 2}, "c": {"default": 3}, "d": {"type": ["integer", "null"], "default": None},
    }  # fmt: skip
    assert schemas["placed"]["required"] == ["a"]
    assert schemas["anything"]["additionalProperties"] is True
    assert schemas["under"]["properties"]["x"] == {
        "type": "array",
        "items": {"type": "integer"},
        "default": [],
    }
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=1, containers=1))
    try:
        calls = [Call(name=name, arguments=arguments) for name, arguments, _ in called]
        results = run_of(
            await sandbox.run([*opening_cells(found), calls_cell(found, calls)]), len(calls)
        ).texts
        for (name, _, expected), result in zip(called, results, strict=True):
            assert result.startswith(expected), (name, result)
        stated = ["placed(1, 5, d=2)", "later(2)", "of('a')", "fixed()"]
        cells = [*opening_cells(found), expressions_cell(found, stated)]
        assert run_of(await sandbox.run(cells), 4).texts == ("[1, 5, 3, 2]", "3", "Shopa", "1")
    finally:
        await sandbox.close()


def test_a_file_without_functions_says_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "shop.py"
    for source, reason in [
        ("class A:\n    pass\nclass B:\n    pass\n", "several public classes"),
        ("class A:\n    @property\n    def b(self): return 1\n", "a property is read"),
        ("x = 1\n", "has no function to offer"),
        ("def f(:\n", "no Python"),
    ]:
        path.write_text(source)
        with pytest.raises(SeedError, match=reason):
            python_backend(path)


VALID: list[dict[str, Any]] = [
    {"type": "object"},
    {"type": "object", "properties": {}},
    {"type": "object", "additionalProperties": False},
    {"type": ["object", "null"], "properties": {"a": {"type": ["string", "null"], "default": None}}},
    {"type": "object", "properties": {"a": True, "b": False, "type": {"type": "string"}, "items": {"type": "integer"}}},
    {"type": "object", "properties": {"properties": {"type": "object", "properties": {"required": {"type": "null"}}}}},
    {
        "type": "object", "$defs": {"Item": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}},
        "properties": {
            "one": {"$ref": "#/$defs/Item"}, "any": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "either": {"oneOf": [{"const": 1}, {"const": None}]}, "all": {"allOf": [{"type": "integer"}, {"multipleOf": 3}]},
            "pair": {"type": "array", "prefixItems": [{"type": "string"}], "items": False, "uniqueItems": True},
            "map": {"type": "object", "additionalProperties": {"type": "number"}, "patternProperties": {"^x": {}}},
            "text": {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "a", "examples": ["a"], "x-own": None},
            "mode": {"enum": ["a", 1, None]}, "not": {"not": {"type": "string"}},
        },
        "required": ["one"], "dependentRequired": {"one": ["any"]}, "title": "T", "$schema":
        "https://json-schema.org/draft/2020-12/schema",
    },
    {"type": "object", "$ref": "#/$defs/A", "$defs": {"A": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
    {"type": "object", "anyOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}, "b": {}}},
    {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "array", "items": {"enum": [1]}}}}},
]  # fmt: skip


@pytest.mark.parametrize("parameters", VALID)
@pytest.mark.parametrize("key", ["parameters", "inputSchema"])
def test_valid_json_schema_is_left_as_it_is(parameters: dict[str, Any], key: str) -> None:
    Draft202012Validator.check_schema(parameters)
    function = function_of({"name": "f", key: parameters})
    assert function.parameters == parameters
    assert all(isinstance(part, dict) for part in function.properties.values())
    for part in parameters.get("properties", {}).values():
        if isinstance(part, dict):
            assert schema_of(part) == part


@pytest.mark.parametrize(
    ("parameters", "properties", "required"),
    [
        ({"properties": {"type": "str", "description": "Which."}, "limit": {"type": "int, optional"}},
         {"properties": {"type": "string", "description": "Which."}, "limit": {"type": "integer"}}, ["properties"]),
        ({"type": {"type": "str"}, "required": {"type": "bool"}, "items": {"type": "List[str]"}},
         {"type": {"type": "string"}, "required": {"type": "boolean"},
          "items": {"type": "array", "items": {"type": "string"}}}, ["type", "required", "items"]),
        ({"type": "dict", "properties": {"a": {"type": "float", "required": True, "items": None},
                                         "b": {"anyOf": [{"type": "str"}, {"type": "any"}]},
                                         "c": {"type": ["str", "None"]}}, "required": ["a"]},
         {"a": {"type": "number"}, "b": {"anyOf": [{"type": "string"}, {}]}, "c": {"type": ["string", "null"]}}, ["a"]),
    ],
)  # fmt: skip
def test_layouts_of_data_sets_become_json_schema(
    parameters: dict[str, Any], properties: dict[str, Any], required: list[str]
) -> None:
    found = function_of({"name": "f", "parameters": parameters}).parameters
    assert found == {"type": "object", "properties": properties, "required": required}
    Draft202012Validator.check_schema(found)


@pytest.mark.parametrize(
    ("text", "schema"),
    [
        ("int", {"type": "integer"}),
        ("str, optional", {"type": "string"}),
        ("str (optional, default: 'a')", {"type": "string"}),
        ("List[str]", {"type": "array", "items": {"type": "string"}}),
        ("List[Optional[int]], optional", {"type": "array", "items": {"type": ["integer", "null"]}}),
        ("Union[int, List[str]]", {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "string"}}]}),
        ("int | str | None", {"type": ["integer", "string", "null"]}),
        ("int | Item", {}),
        ("Dict[str, float]", {"type": "object", "additionalProperties": {"type": "number"}}),
        ("dict[str, Any]", {"type": "object"}),
        ("Tuple[int, str]", {"type": "array"}),
        ("tuple[int, ...]", {"type": "array", "items": {"type": "integer"}}),
        ("typing.Sequence['int']", {"type": "array", "items": {"type": "integer"}}),
        ("list(str)", {"type": "array"}),
        ("array<string>", {"type": "array"}),
        ("Literal['a', 2, None]", {"enum": ["a", 2, None]}),
        ("Literal[Colour.RED]", {}),
        ("any", {}),
        ("optional", {}),
        ("", {}),
        ("(" * 500, {}),
    ],
)  # fmt: skip
def test_types_as_python_writes_them(text: str, schema: dict[str, Any]) -> None:
    assert type_schema(text) == schema


def test_one_bad_function_never_refuses_the_others(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "tools.json"
    good = [
        {"name": "a", "inputSchema": {"type": "object"}},
        {"name": "b"},
        {"type": "function", "function": {"name": "c"}},
    ]
    bad = [{"name": ""}, 3, None, {"name": "d", "parameters": [1]}, {"name": "a", "description": "another"},
           {"name": "e", "parameters": {"type": "array"}}]  # fmt: skip
    for listed in (
        [*bad, *good],
        {"tools": [*good, *bad]},
        {"jsonrpc": "2.0", "result": {"tools": [*good, *bad]}},
    ):
        path.write_text(json.dumps(listed), encoding="utf-8-sig")
        assert sorted(function.name for function in read_functions(path))[-2:] == ["b", "c"]
    assert "number 7 (the arguments of function d are no object)" in caplog.text
    for text, reason in [
        ("[]", "no function to offer"),
        ("{", "no JSON"),
        ("3", "no list of functions"),
        ("[3]", "number 1"),
    ]:
        path.write_text(text)
        with pytest.raises(SeedError, match=reason):
            read_functions(path)
    with pytest.raises(Unusable):
        function_of({"name": "f", "parameters": {"type": "object", "properties": [1]}})


def test_calls_are_checked_by_all_that_a_schema_says() -> None:
    item = {"A": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}
    for parameters, arguments, good in [
        ({"type": "object"}, {"a": 1}, True),
        ({"type": "object", "properties": {}}, {"a": 1}, False),
        ({"type": "object", "$ref": "#/$defs/A", "$defs": item}, {"a": 1}, True),
        ({"type": "object", "$ref": "#/$defs/A", "$defs": item}, {"a": "x"}, False),
        ({"type": "object", "properties": {"b": {"$ref": "#/$defs/A"}}, "$defs": item}, {"b": {}}, False),
        ({"type": "object", "properties": {"b": {"type": ["integer", "null"]}}}, {"b": None}, True),
    ]:
        function = function_of({"name": "f", "parameters": parameters})
        (fault,) = violations([Call(name="f", arguments=arguments)], [function])
        assert (fault == "") is good, (parameters, arguments, fault)


def test_a_function_of_the_seed_and_a_tool_of_the_same_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def python(code):\n    return code\n")
    write_lines(tmp_path / "rows.jsonl", [{"question": "q", "answer": "1"}])
    seed = SeedConfig(
        dataset="tool_tasks", path="rows.jsonl", options={"python": "own.py"}, tools=("python",)
    )
    found, issues = load(seed, tmp_path)
    assert not found
    assert "python is a tool of the seed and one of its own functions" in issues[0].reason
