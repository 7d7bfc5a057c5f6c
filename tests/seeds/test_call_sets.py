"""Function-calling sets in their layouts: xLAM/APIGen, ToolACE, and BFCL's dialogues with state."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from seed_helpers import load, load_records, run_config, write_lines

from ultrainteract.config import SandboxConfig, SeedConfig
from ultrainteract.grading import Graders
from ultrainteract.running.validation import validate_run
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import Call, Instruction, Label, Task
from ultrainteract.schema.calls import calls_json
from ultrainteract.seeds.backends import LIST_TOOLS, mcp_backend
from ultrainteract.tree.call_cells import calls_cell, opening_cells, run_of

XLAM = {
    "id": 7,
    "query": "Where can I find live giveaways for beta access?",
    "tools": json.dumps(
        [
            {
                "name": "live_giveaways_by_type", "description": "Retrieve live giveaways.",
                "parameters": {
                    "type": {"description": "The type.", "type": "str", "default": "game"},
                    "limit": {"description": "How many.", "type": "int, optional"},
                    "tags": {"description": "Tags.", "type": "List[str], optional"},
                },
            }
        ]
    ),
    "answers": json.dumps([{"name": "live_giveaways_by_type", "arguments": {"type": "beta"}}]),
}  # fmt: skip

TOOLACE = {
    "system": "You are an expert in composing functions. Here is a list of functions in JSON format that you can "
    'invoke:\n[{"name": "Market Trends API", "description": "Trends.", "parameters": {"type": "dict", "properties": '
    '{"trend_type": {"type": "string"}, "country": {"type": "string"}}, "required": ["trend_type"]}, "required": '
    "null}]\nShould you decide to return the function call(s), put it in the format of [func(name=value)].",
    "conversations": [
        {"from": "user", "value": "What are the trends?"},
        {"from": "assistant", "value": "Which trends do you mean, and of which country?"},
        {"from": "user", "value": "The market index, in the US."},
        {"from": "assistant", "value": '[Market Trends API(trend_type="MARKET_INDEXES", country="us")]'},
        {"from": "tool", "value": '[{"name": "Market Trends API", "results": {"trend": "up"}}]'},
        {"from": "assistant", "value": "They go up."},
    ],
}


async def test_xlam_rows(tmp_path: Path) -> None:
    (found,) = load_records(tmp_path, "xlam", XLAM)
    (function,) = found.functions
    assert function.parameters == {
        "type": "object", "required": [],
        "properties": {
            "type": {"type": "string", "description": "The type.", "default": "game"},
            "limit": {"type": "integer", "description": "How many."},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "Tags."},
        },
    }  # fmt: skip
    assert found.gold == "live_giveaways_by_type(type='beta')"
    async with Graders() as graders:
        right = await graders.grade(
            found, '[{"name": "live_giveaways_by_type", "arguments": {"type": "beta"}}]'
        )
        wrong = await graders.grade(found, '[{"name": "live_giveaways_by_type", "arguments": {}}]')
    assert (right.label, wrong.label) == (Label.CORRECT, Label.WRONG)


def test_toolace_conversations_give_a_problem_per_message_that_can_be_checked(tmp_path: Path) -> None:
    asks, calls = load_records(tmp_path, "toolace", TOOLACE)
    assert (asks.gold, asks.gold_set, len(asks.dialogue)) == ("no call", (), 1)
    assert calls.gold == "Market Trends API(trend_type='MARKET_INDEXES', country='us')"
    assert [message.role for message in calls.dialogue] == ["user", "assistant", "user"]


def test_one_bad_record_never_stops_a_load(tmp_path: Path) -> None:
    bad = [
        {**XLAM, "tools": "[{"},
        {**XLAM, "answers": json.dumps([{"name": "sing", "arguments": {}}])},
        {**XLAM, "answers": json.dumps([{"name": "live_giveaways_by_type", "arguments": {"limit": "many"}}])},
        {**XLAM, "answers": json.dumps([[1]])},
        {**XLAM, "tools": json.dumps([{"name": "x", "parameters": {"type": "object", "properties": [1]}}])},
    ]
    write_lines(tmp_path / "records.jsonl", [*bad, XLAM])
    found, issues = load(SeedConfig(dataset="xlam", path="records.jsonl"), tmp_path)
    assert len(found) == 1
    assert [issue.reason.split(":")[0] for issue in issues] == [
        "its list of functions is no JSON",
        "its answer calls 'sing', which is not among its tools",
        "its right calls fail their own check",
        "a right call has no name, or no arguments",
        "the arguments of function x are no object",
    ]
    worse = [
        {**TOOLACE, "system": "No functions."},
        {**TOOLACE, "conversations": [{"from": "narrator", "value": "x"}]},
        {**TOOLACE, "conversations": [TOOLACE["conversations"][0], {"from": "assistant", "value": "[Market Trends API("}]},
    ]  # fmt: skip
    write_lines(tmp_path / "more.jsonl", worse)
    found, issues = load(SeedConfig(dataset="toolace", path="more.jsonl"), tmp_path)
    assert not found
    assert len(issues) == 3


COUNTER = '''
"""A counter, as the benchmark's classes are made."""
from copy import deepcopy
from bfcl_eval.eval_checker.multi_turn_eval.func_source_code.long_context import MORE

DEFAULT_STATE = {"count": 0}

class MathAPI:
    def __init__(self):
        """Counts."""
        self.count = 0

    def up(self, by):
        """Adds."""
        self.count += by
        return {"count": self.count}
'''


def test_dialogues_with_state_become_a_problem_per_turn(tmp_path: Path) -> None:
    classes = tmp_path / "bfcl_eval"
    sources = classes / "eval_checker" / "multi_turn_eval" / "func_source_code"
    documents = classes / "data" / "multi_turn_func_doc"
    answers = classes / "data" / "possible_answer"
    for folder in (sources, documents, answers):
        folder.mkdir(parents=True)
    (sources / "math_api.py").write_text(COUNTER)
    up = {"name": "up", "description": "Adds.", "parameters": {"type": "dict", "properties": {"by": {"type": "integer"}},
          "required": ["by"]}}  # fmt: skip
    write_lines(documents / "math_api.json", [up])
    questions = [[{"role": "user", "content": "Up by 2."}], [], [{"role": "user", "content": "Up by 3."}]]
    record = {"id": "multi_turn_miss_func_0", "question": questions, "initial_config": {}, "involved_classes": ["MathAPI"],
              "missed_function": {"1": ["up"]}, "excluded_function": []}  # fmt: skip
    write_lines(classes / "data" / "BFCL_v4_multi_turn_miss_func.json", [record])
    truth = {"id": "multi_turn_miss_func_0", "ground_truth": [[], ["up(2)"], ["up(by=3)"]]}
    write_lines(answers / "BFCL_v4_multi_turn_miss_func.json", [truth])
    (second, third), issues = load(SeedConfig(dataset="bfcl", path="bfcl_eval/data"), tmp_path)
    assert not issues
    assert second.source.endswith("_turn_1"), "a turn without any function is no problem about functions"
    assert second.dialogue[-1].content.startswith("I have updated some more functions")
    assert third.backend is not None
    assert (third.backend.before, third.backend.gold) == (("up(2)",), ("up(by=3)",))
    assert "Counts" not in third.backend.source, "docstrings are left out"
    assert [message.role for message in third.dialogue] == [
        "user", "assistant", "user", "assistant", "assistant", "user",
    ]  # fmt: skip
    assert calls_json(third.dialogue[3].calls) == '[{"name": "up", "arguments": {"by": 2}}]'


SHOP = '''
from typing import Literal

class Shop:
    """A shop."""

    def __init__(self, money=10):
        self.money = money
        self.basket = []

    def buy(self, name: str, count: int = 1, how: Literal["cash", "card"] = "cash") -> dict:
        """Buys something."""
        self.money -= count
        self.basket += [name] * count
        return {"money": self.money}
'''

SERVER = """
import json, sys

total = 0
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "t", "version": "1"}}
    elif message["method"] == "tools/list":
        result = {"tools": [{"name": "add", "description": "Adds to the total.", "inputSchema": {
            "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}]}
    elif message["params"]["name"] == "add" and "n" in message["params"]["arguments"]:
        total += message["params"]["arguments"]["n"]
        result = {"content": [{"type": "text", "text": str(total)}]}
    else:
        result = {"content": [{"type": "text", "text": "n is missing"}], "isError": True}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


def test_functions_of_a_class_have_schemas_by_their_signatures(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    rows = [{"question": "Two pears.", "after": ["buy('pear', 2)"], "initial": "money=5"}]
    (found,) = load_records(tmp_path, "tool_tasks", *rows, options={"python": "shop.py"})
    (buy,) = found.functions
    assert buy.parameters == {
        "type": "object", "required": ["name"],
        "properties": {
            "name": {"type": "string"}, "count": {"type": "integer", "default": 1},
            "how": {"enum": ["cash", "card"], "default": "cash"},
        },
    }  # fmt: skip
    assert found.backend is not None
    assert (found.backend.setup, found.grader) == ("backend = Shop(money=5)", "final_state")
    for bad in ("money=", "1); import os; f(2", "\0"):
        write_lines(tmp_path / "bad.jsonl", [{**rows[0], "initial": bad}, rows[0]])
        good, issues = load(
            SeedConfig(dataset="tool_tasks", path="bad.jsonl", options={"python": "shop.py"}), tmp_path
        )
        assert len(good) == len(issues) == 1
        assert "field 'initial'" in issues[0].reason


def test_gsm8k_as_chains_of_given_functions(tmp_path: Path) -> None:
    (found,) = load_records(
        tmp_path, "gsm8k", {"question": "6 bags of 7?", "answer": "So 42.\n#### 42"}, tasks=("Tools",)
    )
    assert (found.grader, found.gold, found.task.value) == ("number", "42", "Tools")
    assert [function.name for function in found.functions][:2] == ["add", "subtract"]


@pytest.mark.bubblewrap
async def test_an_mcp_server_answers_calls_inside_the_sandbox(tmp_path: Path) -> None:
    (tmp_path / "server.py").write_text(SERVER)
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=1, containers=1))
    try:
        alone = Instruction(
            task=Task("Tools"), dataset="mcp", prompt="", question="", grader="final_state",
            backend=mcp_backend(tmp_path / "server.py"),
        )  # fmt: skip
        listing = await sandbox.run([*opening_cells(alone), LIST_TOOLS])
        assert listing.value is not None, listing.text
        (tmp_path / "tools.json").write_text(ast.literal_eval(listing.value))
        (found,) = load_records(
            tmp_path, "tool_tasks", {"question": "Add 2 and 3.", "answer": "5"},
            options={"mcp": "server.py", "functions": "tools.json", "grader": "number"},
        )  # fmt: skip
        assert found.functions[0].required == ("n",)
        first, second = (Call(name="add", arguments={"n": n}) for n in (2, 3))
        cells = [calls_cell(found, [first]), calls_cell(found, [second, Call(name="add")])]
        execution = await sandbox.run([*opening_cells(found), *cells])
        assert run_of(execution, 2).texts == ("5", "Error during execution: n is missing")
    finally:
        await sandbox.close()


@pytest.mark.bubblewrap
async def test_the_interpreter_and_wikipedia_are_functions_among_others(tmp_path: Path) -> None:
    (found,) = load_records(
        tmp_path, "tool_tasks", {"question": "q", "answer": "42"}, tools=("python", "wikipedia_search")
    )
    assert [function.name for function in found.functions] == ["python", "wikipedia_search"]
    assert found.backend is not None

    async def search(query: str) -> str:
        return f"Page: {query}"

    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=1, containers=1))
    try:
        calls = [
            Call(name="python", arguments={"code": "x = 6\nprint('six')\nx * 7"}),
            Call(name="wikipedia_search", arguments={"query": "Bonn"}),
        ]
        cells = [*opening_cells(found), calls_cell(found, calls)]
        execution = await sandbox.run(cells, tools={"wikipedia_search": search})
        assert run_of(execution, 2).texts == ("six\n42", "Page: Bonn")
    finally:
        await sandbox.close()
    (tmp_path / "shop.py").write_text(SHOP)
    write_lines(tmp_path / "state.jsonl", [{"question": "q", "after": ["buy('pear')"]}])
    seed = SeedConfig(
        dataset="tool_tasks", path="state.jsonl", options={"python": "shop.py"}, tools=("python",)
    )
    assert "proves nothing beside an interpreter" in load(seed, tmp_path)[1][0].reason


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("buy('pear'", "is no Python expression"),
        ("buy('pear'); buy('fig')", "is no Python expression"),
        ("x = buy('pear')", "is no Python expression"),
        ("'pear'", "calls no function"),
        ("byu('pear')", "calls 'byu', which is not among the functions"),
        ("backend.buy('pear')", "calls 'backend.buy', which is not among the functions"),
        ("buy()", "lacks argument name"),
        ("buy(count=2)", "lacks argument name"),
        ("buy('pear', kind='big')", "has an argument kind, which buy does not take"),
        ("buy('pear', 1, 'cash', 3)", "has too many arguments"),
        ("buy('pear', name='fig')", "gives argument name twice"),
    ],
)
def test_a_right_call_that_no_model_could_make_is_refused_by_name(
    tmp_path: Path, call: str, reason: str
) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    rows = [{"question": "q", "after": [call]}, {"question": "p", "after": ["buy('pear', count=1 + 1)"]}]
    write_lines(tmp_path / "rows.jsonl", rows)
    seed = SeedConfig(dataset="tool_tasks", path="rows.jsonl", options={"python": "shop.py"})
    found, issues = load(seed, tmp_path)
    assert [item.question for item in found] == ["p"], "the other record is read"
    assert [issue.source for issue in issues] == ["rows.jsonl:1"]
    assert reason in issues[0].reason


@pytest.mark.bubblewrap
async def test_validation_names_right_calls_that_raise(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SHOP)
    rows = [{"question": "q", "after": ["buy('pear', None)"]}, {"question": "p", "after": ["buy('pear')"]}]
    write_lines(tmp_path / "rows.jsonl", rows)
    seeds = [{"dataset": "tool_tasks", "path": "rows.jsonl", "options": {"python": "shop.py"}}]
    settings = run_config(seeds).model_copy(update={"sandbox": SandboxConfig(kind="bubblewrap")})
    report = await validate_run(settings, tmp_path, limit=10)
    (check,) = [check for check in report.checks if check.name == "right calls of tool_tasks"]
    assert not check.passed
    assert check.detail == "1 of 2 can be carried out"
    assert check.items[0].startswith("tool_tasks/train/1: the right call buy('pear', None) fails: Error")
