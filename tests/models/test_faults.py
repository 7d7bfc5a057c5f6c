"""What servers say, and what is made of it."""

from __future__ import annotations

import random

import pytest

from ultrainteract.models.faults import Redactor, backoff, display_address, error_message, retry_after
from ultrainteract.models.openai.wire import named_fields

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_backoff_doubles_up_to_a_cap_with_jitter() -> None:
    rng = random.Random(1)
    waits = [backoff(attempt, rng) for attempt in range(1, 30)]
    assert all(0.25 * 2**i <= wait <= 0.5 * 2**i for i, wait in enumerate(waits[:6]))
    assert all(15 <= wait <= 30 for wait in waits[7:])
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ("Unrecognized request argument supplied: n", {"n"}),
        ("Unknown parameter: n", {"n"}),
        ("Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
         {"max_tokens", "max_completion_tokens"}),
        ('[{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]', {"seed"}),
        ("Unrecognized request argument supplied: continue_final_message", {"continue_final_message"}),
        ("n must be 1 for this model", {"n"}),
        ("'n' : number must be at most 1", {"n"}),
        ("Only one completion choice is allowed (param n)", {"n"}),
        ("This model's maximum context length is 10 tokens; you asked for 12 (max_tokens: 4)", set()),
        ("messages is not valid", set()),
    ],
)  # fmt: skip
def test_fields_that_a_refusal_names(message: str, fields: set[str]) -> None:
    assert named_fields(message) == fields


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error": {"message": "no", "type": "t", "code": "c", "param": null}}', "no (type t, code c)"),
        (b'{"error": "no"}', "no"),
        (b'[{"error": {"message": "no"}}]', "no"),
        (b'{"detail": [{"msg": "no"}]}', '[{"msg":"no"}]'),
        (b'{"message": "no"}', "no"),
        (b"<html>Bad gateway</html>", "<html>Bad gateway</html>"),
    ],
)
def test_error_bodies_of_all_shapes_are_read(raw: bytes, message: str) -> None:
    assert error_message(raw) == message


def test_secrets_are_removed() -> None:
    redact = Redactor(["my-literal-key"])
    told = redact(
        "key my-literal-key, sk-proj-abcdef123456, hf_ABCDEFGH12, Authorization: Bearer abc.def\nnext"
    )
    assert told == "key ***, ***, ***, Authorization: *** next"


def test_addresses_are_shown_without_credentials_and_query() -> None:
    assert (
        display_address("https://u:p@example.com:8443/v1/?api-version=2&key=abc")
        == "https://example.com:8443/v1"
    )
    assert display_address("http://[::1]:8000/v1/") == "http://[::1]:8000/v1"
