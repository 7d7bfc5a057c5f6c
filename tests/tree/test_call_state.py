"""What proves that function calls are right or wrong: state, results, or the right calls themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.builders import config
from ultrainteract.config import SandboxConfig
from ultrainteract.grading import Graders
from ultrainteract.sandbox import open_sandbox
from ultrainteract.schema import (
    Action,
    Backend,
    Call,
    Function,
    Instruction,
    Label,
    Task,
    Verdict,
)
from ultrainteract.schema.calls import calls_text
from ultrainteract.seeds.backends import mcp_backend, python_backend
from ultrainteract.seeds.stated_calls import stated_call
from ultrainteract.store import RunStore
from ultrainteract.tree.call_state import right_calls_fault
from ultrainteract.tree.environment import Environment

pytestmark = pytest.mark.bubblewrap
Judge = Callable[..., Awaitable[Verdict]]
CORRECT, WRONG, UNDETERMINED = Label.CORRECT, Label.WRONG, Label.UNDETERMINED


def instruction_of(backend: Backend, functions: tuple[Function, ...], gold: tuple[str, ...]) -> Instruction:
    return Instruction(
        task=Task("Tools"), dataset="state", prompt="Do it.", question="Do it.", grader="final_state",
        gold="\n".join(gold), functions=functions, backend=backend.model_copy(update={"gold": gold}),
    )  # fmt: skip


@pytest.fixture
async def judge(tmp_path: Path) -> AsyncIterator[Judge]:
    """Judges calls, given in Python, by the state that right calls lead to."""
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=2, containers=1))
    settings = config()

    async def verdict(source: str, gold: list[str], *calls: str | Call, mcp: bool = False) -> Verdict:
        path = tmp_path / "backend.py"
        path.write_text(source)
        if mcp:
            backend, functions = mcp_backend(path), (Function(name="add"),)
        else:
            functions, backend = python_backend(path)
        instruction = instruction_of(backend, functions, tuple(gold))
        made = [stated_call(call, functions) if isinstance(call, str) else call for call in calls]
        action = Action(
            raw="", reasoning_schema="cot", text=calls_text(filter(None, made)), answer="[]",
            calls=tuple(call for call in made if call),
        )  # fmt: skip
        (found,) = await environment.observe(instruction, (), [action])
        return found.verdict

    async with Graders() as graders:
        with RunStore.resume(tmp_path / "run", settings) as store:
            environment = Environment(store, sandbox, graders, settings.sandbox)
            yield verdict
    await sandbox.close()


SERVER = """
import json, sys

total = 0
for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    if message["method"] == "initialize":
        result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "t", "version": "1"}}
    elif "n" in message["params"]["arguments"]:
        total += message["params"]["arguments"]["n"]
        result = {"content": [{"type": "text", "text": str(total)}]}
    else:
        result = {"content": [{"type": "text", "text": "n is missing"}], "isError": True}
    print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
"""


async def test_right_calls_are_found_as_the_calls_of_a_model_are(judge: Judge) -> None:
    """A server's methods, and those of any object that makes them when asked, are in no `dir`."""
    two = [Call(name="add", arguments={"n": 2}), Call(name="add", arguments={"n": 3})]
    gold = ["add(n=2)", "add(n=3)"]
    assert (await judge(SERVER, gold, *two, mcp=True)).label is CORRECT
    wrong = await judge(SERVER, gold, Call(name="add", arguments={"n": 4}), mcp=True)
    assert wrong.evidence is not None
    assert "execution_response_mismatch" in wrong.evidence.detail
    other = await judge(SERVER, ["add(n=2)"], *reversed(two), Call(name="add", arguments={"n": -3}), mcp=True)
    assert other.label is UNDETERMINED, "what the server holds is not seen"
    for broken in ("add(2)", "add()", "add(n=undefined)"):
        found = await judge(SERVER, [broken], two[0], mcp=True)
        assert found.label is UNDETERMINED
        assert "could not be carried out" in (found.reason or "")


HIDDEN = """
import sqlite3
class Shop:
    def __init__(self):
        self._basket = []
        self.open = True
    def add(self, name, count=1):
        self._basket += [name] * count
"""
GLOBALS = "BASKET = []\nLOG = [0]\ndef add(name, count=1):\n    BASKET.extend([name] * count)\n"
OPAQUE = """
import sqlite3
class Shop:
    def __init__(self):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("create table basket (name text)")
        self.calls = 0
    def add(self, name, count=1):
        self.calls += 1
        self.db.executemany("insert into basket values (?)", [(name,)] * count)
"""
SLOTS = """
class _Base:
    __slots__ = ("names",)
class Shop(_Base):
    __slots__ = ("kinds", "__weakref__")
    def __init__(self):
        self.names = []
        self.kinds = {1: {"a", 2, None}, "x": self, None: 3, (1, 2): 4}
    def add(self, name, count=1):
        self.names += [name] * count
        self.kinds[name] = {count, "b", None, (1,)}
"""
CLASS_LEVEL = """
class Shop:
    names = []
    def add(self, name, count=1):
        self.names.extend([name] * count)
"""
NESTED = """
class _Basket:
    def __init__(self):
        self._names = []
class Shop:
    def __init__(self):
        self.basket = _Basket()
    def add(self, name, count=1):
        self.basket._names += [name] * count
"""
COMPUTED = """
class Shop:
    def __init__(self):
        self._names = []
    @property
    def names(self):
        return list(self._names)
    def add(self, name, count=1):
        self._names += [name] * count
"""
CLOSURE = "def add(name, count=1, _names=[]):\n    _names.extend([name] * count)\n"
TWO_PEARS = ["add('pear', 2)"]


@pytest.mark.parametrize(
    ("source", "other_route", "other_thing"),
    [
        (HIDDEN, CORRECT, UNDETERMINED),  # private: a difference is a doubt
        (NESTED, CORRECT, UNDETERMINED),
        (GLOBALS, CORRECT, WRONG),  # the state of plain functions
        (SLOTS, WRONG, WRONG),  # `kinds` holds another count
        (CLASS_LEVEL, CORRECT, WRONG),
        (COMPUTED, CORRECT, WRONG),
        (OPAQUE, WRONG, UNDETERMINED),  # the number of calls is public, the basket is not seen
        (CLOSURE, UNDETERMINED, UNDETERMINED),  # nothing is seen
    ],
    ids=["private", "nested", "globals", "slots", "class", "property", "opaque", "closure"],
)
async def test_correct_needs_evidence_that_tells_right_from_nothing_done(
    judge: Judge, source: str, other_route: Label, other_thing: Label
) -> None:
    assert (await judge(source, TWO_PEARS, "add(name='pear', count=2)")).label is CORRECT
    assert (await judge(source, TWO_PEARS, "add('apple', 2)")).label is other_thing
    again = await judge(source, TWO_PEARS, "add('pear')", "add('pear')")
    assert again.label is other_route, again


async def test_numbers_are_states_by_value(judge: Judge) -> None:
    source = """
from decimal import Decimal
class Account:
    def __init__(self):
        self.balance = 100
        self.log = {"paid": []}
    def pay(self, amount):
        self.balance -= amount
        self.log["paid"].append(amount)
        return {"balance": self.balance, "as": [amount]}
    def put(self, value):
        self.balance = value
    def exactly(self, text):
        self.balance = Decimal(text)
"""
    for amount in ("20", "20.0"):
        for other in (20, 20.0):
            call = Call(name="pay", arguments={"amount": other})
            assert (await judge(source, [f"pay({amount})"], call)).label is CORRECT
    for gold, value, label in [
        ("put(1)", True, WRONG),
        ("put(0)", False, WRONG),
        ("put(1)", 1.0, CORRECT),
        ("put(1)", "1", WRONG),
        ("exactly('80.00')", 80, CORRECT),
        ("put(0.3)", 0.1 + 0.2, CORRECT),
        ("put(0.3)", 0.31, WRONG),
        ("put([1, {'a': 2}])", [1.0, {"a": 2.0}], CORRECT),
        ("put(10**30)", 10**30 + 1, WRONG),
        ("put((1, 2))", [1, 2], CORRECT),
        ("put([1, 2])", [2, 1], WRONG),
    ]:
        found = await judge(source, [gold], Call(name="put", arguments={"value": value}))
        assert found.label is label, (gold, value, found)


async def test_what_the_clock_or_chance_decides_is_left_out(judge: Judge) -> None:
    source = """
import uuid, time, random
from datetime import datetime, date
class Desk:
    def __init__(self):
        self.opened = date.today()
        self.tickets = []
    def create(self, title, note=""):
        ticket = {"id": uuid.uuid4().hex, "at": time.strftime("%Y-%m-%d"), "title": title, "by": datetime(2020, 1, 1)}
        self.tickets.append(ticket)
        return ticket
    def count(self):
        return len(self.tickets)
"""
    gold = ["create('Fire')"]
    assert (await judge(source, gold, "create(title='Fire')")).label is CORRECT
    other = await judge(source, gold, "count()", "create(title='Fire', note='')")
    assert other.label is CORRECT
    assert other.evidence is not None
    assert "by chance" in other.evidence.detail
    assert '["at"]' in other.evidence.detail
    assert '["by"]' not in other.evidence.detail, "a fixed day is no clock"
    assert (await judge(source, gold, "create('Water')")).label is WRONG
    assert (await judge(source, gold, "create('Fire')", "create('Fire')")).label is WRONG
    nothing_left = (
        "import uuid\nclass Keys:\n    def __init__(self):\n        self.key = ''\n"
        "    def renew(self, why=''):\n        self.key = uuid.uuid4().hex\n"
    )
    assert (await judge(nothing_left, ["renew()"], "renew('x')")).label is UNDETERMINED
    assert (await judge(nothing_left, ["renew()"], "renew()")).label is CORRECT


async def test_any_graph_of_objects_is_a_state(judge: Judge) -> None:
    source = """
import collections, datetime, enum, itertools, random, threading, weakref
class _Colour(enum.Enum):
    RED = 1
class _Node:
    def __init__(self, above=None):
        self.above, self.below, self.also = above, [], {}
class _Odd(dict):
    pass
class Tree:
    def __init__(self):
        self.root = _Node()
        self.root.below.append(_Node(self.root))
        self.deep = None
        for _ in range(250):
            self.deep = [self.deep]
        self.keys = {1: 1, "1": 2, None: 3, (1, "a"): 4, _Colour.RED: 5, frozenset([1, "x"]): 6, 2.5: 7}
        self.mixed = {1, "1", None, (2,), _Colour.RED}
        self.odd = _Odd(a=1)
        self.odd.extra = collections.deque([1, 2])
        self.lock, self.chance = threading.RLock(), random.Random(7)
        self.days = [datetime.date(2020, 1, 1), datetime.timedelta(3)]
        self.more = collections.defaultdict(list)
        self.dense = [_Node() for _ in range(12)]
        self.f = lambda: 3
    def grow(self, name, at=0):
        self.root.below[0].also[name] = self.root
        self.odd.extra.append(name)
"""
    found = await judge(source, ["grow('a')"], "grow('a', at=0)")
    assert found.label is CORRECT, found
    assert (await judge(source, ["grow('a')"], "grow('b')")).label is WRONG


async def test_what_cannot_be_looked_into_is_named_and_is_a_doubt(judge: Judge) -> None:
    for secret in (
        "lambda: (n for n in [1])",
        "lambda: open('/dev/null')",
        "type('Evil', (), {'__getattribute__': lambda self, name: 1 / 0})",
        "type('Evil', (), {'__reduce__': lambda self: 1 / 0})",
    ):
        source = (
            f"class Shop:\n    def __init__(self):\n        self.names, self.secret = [], ({secret})()\n"
            "    def add(self, name, count=1):\n        self.names += [name] * count\n"
        )
        assert (await judge(source, TWO_PEARS, "add('pear', 2)")).label is CORRECT
        found = await judge(source, TWO_PEARS, "add('pear')", "add('pear')")
        assert found.label is UNDETERMINED
        assert "backend.secret (" in (found.reason or "")
        assert (await judge(source, TWO_PEARS, "add('apple', 2)")).label is WRONG


async def test_a_right_call_that_fails_is_named(tmp_path: Path) -> None:
    sandbox = open_sandbox(SandboxConfig(kind="bubblewrap", concurrency=1, containers=1))
    (tmp_path / "shop.py").write_text(HIDDEN)
    functions, backend = python_backend(tmp_path / "shop.py")
    try:
        good = instruction_of(backend, functions, ("add('pear')", "add('apple', 2)"))
        bad = instruction_of(backend, functions, ("add('pear')", "add('pear', 'x')"))
        assert await right_calls_fault(sandbox, good) == ""
        assert (await right_calls_fault(sandbox, bad)).startswith(
            "the right call add('pear', 'x') fails: Error during"
        )
    finally:
        await sandbox.close()
