"""Function calls: by value, in any order, never by texts that differ in a sign."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ultrainteract.grading.calls import same_calls
from ultrainteract.grading.finding import Outcome

OUTCOMES = {
    "=": {Outcome.EQUAL}, "!": {Outcome.UNEQUAL}, "?": {Outcome.UNKNOWN},
    "=?": {Outcome.EQUAL, Outcome.UNKNOWN}, "!?": {Outcome.UNEQUAL, Outcome.UNKNOWN},
}  # fmt: skip


def call(name: str, **arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments, "order": list(arguments)})


def keyed(arguments: dict[str, Any]) -> str:
    return json.dumps({"name": "f", "arguments": arguments, "order": list(arguments)})


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        # arguments named by keywords of Python, and dictionaries of arguments
        ([keyed({"from": ["Bonn"]})], "f(from='Bonn')", "="),
        ([keyed({"class": ["A"], "import": ["x"]})], "f( class = 'A', import='x')", "="),
        ([keyed({"from": ["Bonn"], "x": ["from=1, (from=2"]})], "f(from='Bonn', x='from=1, (from=2')", "="),
        ([keyed({"from": ["Bonn"]})], "f(**{'from': 'Bonn'})", "="),
        ([keyed({"a": [1], "b": [2]})], "f(1, **{'b': 2})", "="),
        ([call("f", a=[1])], "f(**{'a': 2})", "!"),
        # an empty list says nothing of the values
        ([call("f", a=[])], "f()", "="),
        ([call("f", a=[], b=["s"])], "f(b='s')", "="),
        ([call("f", a=[])], "f(a=3)", "?"),
        # signs in texts
        ([call("f", a=["-5"])], "f(a='5')", "?"),
        ([call("f", a=["1.5 mg"])], "f(a='15 mg')", "?"),
        ([call("f", a=["10/1/2023"])], "f(a='1/01/2023')", "?"),
        ([call("f", a=["10,5"])], "f(a='105')", "!?"),
        ([call("f", a=["x^2"])], "f(a='x2')", "?"),
        ([call("f", a=["New York, NY"])], "f(a='new-york NY')", "="),
        ([call("f", a=["user_name"])], "f(a='user name')", "="),
        # numbers
        ([call("f", a=[5])], "f(a=-5)", "!"),
        ([call("f", a=[5])], "f(a=5.0)", "="),
        ([call("f", a=[1])], "f(a=True)", "!"),
        ([call("f", a=[5])], "f(a=1e999)", "!"),
        ([call("f", a=[float("inf")])], "f(a=1e999)", "!?"),
        ([call("f", a=[float("nan")])], "f(a=5)", "!?"),
        ([call("f", a=[10**400])], f"f(a={10**400})", "="),
        ([call("f", a=[1.5])], f"f(a={10**400})", "!"),
        ([call("f", a=[10**16 + 1])], f"f(a={10**16})", "!"),
        # an assignment of calls to right calls, not the first that fits
        ([call("go", n=[1, 2]), call("go", n=[1])], "go(n=1)\ngo(n=2)", "="),
        ([call("go", n=[1, 2]), call("go", n=[2, 3]), call("go", n=[1])], "go(n=2)\ngo(n=3)\ngo(n=1)", "="),
        ([call("go", n=[1, 2]), call("go", n=[1])], "go(n=2)\ngo(n=2)", "!"),
        # objects whose fields are plain values or lists of allowed ones
        ([call("f", box=[{"colour": ["red"], "size": [7]}])], "f(box={'colour': 'red', 'size': 7})", "="),
        ([call("f", box=[{"colour": 7}])], "f(box={'colour': 7})", "="),
        ([call("f", box=[{"colour": 7}])], "f(box={'colour': 8})", "!"),
        ([call("f", box=[{"tags": ["a", "b"]}])], "f(box={'tags': ['a', 'b']})", "?"),
        # names that begin with a marker
        ([call("answer_letter", letter=["b"])], "answer_letter(letter='b')", "="),
        ([call("answer", q=["b"])], "answer(q='b')", "="),
        ([call("answer_letter", letter=["b"])], "Answer: answer_letter(letter='b')", "="),
        # what cannot be read
        ([call("f", a=[5])], "f(a={[]: 1})", "?"),
        ([call("f", a=["x"])], "f(a=x)", "?"),
        ([call("f", a=[1])], "f(a=1, a=1)", "?"),
        ([call("f", a=[1])], "f(" * 300 + ")" * 300, "?"),
        (["not JSON"], "f(a=1)", "?"),
        (["[1]"], "f(a=1)", "?"),
    ],
)
def test_calls(gold: list[str], answer: str, expected: str) -> None:
    found = same_calls(gold, answer)
    assert found.outcome in OUTCOMES[expected], found
