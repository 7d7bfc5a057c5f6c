"""Comparisons of outputs on the host: right for what is right, and no exception whatever a program returns."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ultrainteract.errors import GraderError
from ultrainteract.sandbox.compare import load_json, load_value, same_text, same_value
from ultrainteract.schema import Checker

EXACT = Checker(kind="exact")
TOKENS = Checker(kind="tokens")
FLOATS = Checker(kind="floats", tolerance=1e-6)
BIG = 10**400


def returned(text: str) -> Any:
    return load_value(text.encode())


@pytest.mark.parametrize(
    ("expected", "value", "same"),
    [
        ([1, 2], f'{{"$set": [1, {BIG}]}}', False),
        ([1, BIG], f'{{"$set": [{BIG}, 1]}}', True),
        ([1.5, BIG], f'{{"$set": [{BIG}, 1.5]}}', True),
        ([[1, 2], [3, 4]], '{"$set": [[3, 4], [1, 2.0]]}', True),
        (["\ud800"], '{"$set": ["\\ud800"]}', True),
        ([1], '{"$set": [{"$float": "nan"}]}', False),
        ([[1, 2], None, True], '{"$set": [true, null, [1, 2]]}', True),
        ([0.1, 0.3], '{"$set": [0.30000000000000004, 0.1]}', True),
        (0.3, "0.30000000000000004", True),
        (0.3, "0.3000001", False),
        (3, "3.0", True),
        (3, "3.0000000001", False),
        (12345678901234567, "1.2345678901234568e16", False),
        (1e300, str(10**300), True),
        (BIG, f'{{"$int": "{BIG:x}"}}', True),
        (True, "1", False),
        ({"a": [1, 2.5]}, '{"a": [1, 2.5]}', True),
        ({"$set": [1]}, '{"$set": [1]}', False),
    ],
)
def test_returned_values(expected: Any, value: str, same: bool) -> None:
    assert same_value(EXACT, expected, returned(value)) is same


def test_integers_of_any_length_are_read() -> None:
    digits = "7" * 6000
    assert load_json(f"[{digits}]", "input") == [int(digits[:3000]) * 10**3000 + int(digits[3000:])]
    assert returned(digits) == load_json(digits, "input")
    assert same_text(FLOATS, digits, digits)
    assert not same_text(FLOATS, digits, digits[:-1] + "8")  # both beyond a float's range


def test_depth_beyond_all_reading_is_an_error_of_the_suite_or_a_failed_test() -> None:
    deep = "[" * 100_000 + "]" * 100_000
    with pytest.raises(GraderError):
        load_json(deep, "expected value")
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    assert same_value(EXACT, nested, returned("[[1]]")) is False


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\r"])
def test_only_line_feeds_end_lines(separator: str) -> None:
    assert not same_text(EXACT, f"a{separator}b", "a\nb")
    assert same_text(EXACT, f"a{separator}b\n", f"a{separator}b")
    assert same_text(EXACT, "a\r\nb\r\n", "a\nb")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.just(BIG),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


def as_set(value: Any) -> Any:
    """The value with each list of one to three items made a set."""
    if isinstance(value, list):
        items = [as_set(item) for item in value]
        return {"$set": items} if 0 < len(items) < 4 else items
    if isinstance(value, dict):
        return {key: as_set(item) for key, item in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    return value


@settings(max_examples=150, deadline=None)
@given(expected=values, value=values, kind=st.sampled_from(["exact", "tokens", "floats", "unordered_lines"]))
def test_no_comparison_raises(expected: Any, value: Any, kind: Any) -> None:
    checker = Checker(kind=kind, tolerance=1e-6)
    for item in (value, as_set(value)):
        try:
            loaded = load_value(json.dumps(item, allow_nan=False).encode())
        except ValueError:  # no encoding of the child's
            continue
        assert same_value(checker, expected, loaded) in (True, False)
    text = repr(expected), repr(value)
    assert same_text(checker, *text) in (True, False)


@settings(max_examples=100, deadline=None)
@given(value=values)
def test_a_value_equals_itself(value: Any) -> None:
    encoded = json.dumps(value, allow_nan=True)
    if "NaN" not in encoded and "$" not in encoded:
        assert same_value(EXACT, value, load_value(encoded.encode()))
