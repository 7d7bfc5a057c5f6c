"""What went wrong with a request, what that says about the server, and whether asking again can help.

Nothing here, and so no exception and no log line of a provider, ever holds a key: texts of servers pass
through a `Redactor`, and exceptions of the HTTP layer, whose request headers hold it, are not chained.
"""

from __future__ import annotations

import email.utils
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import orjson

FaultKind = Literal[
    "refused",  # this request will never be served
    "unusable",  # no request will
    "overloaded",  # too many requests: ask again, later and less
    "failed",  # this request broke the server, or its answer was broken
    "unreachable",  # no connection, or a gateway without a server behind it
]

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
QUOTED_CHARS = 300
"""Of a server's message, as much is quoted."""


@dataclass
class Fault(Exception):
    """One failed attempt. Never leaves the model layer."""

    kind: FaultKind
    what: str
    """What happened, redacted, for people."""
    retry_after: float | None = None
    """Seconds the server asked to wait."""
    status: int | None = None
    """HTTP status, where there was an answer."""


class Redactor:
    """Removes secrets from texts.

    Args:
        secrets: Literal secrets; common patterns of keys are removed in any case.
    """

    _PATTERNS = re.compile(r"(?i)\b(?:sk|pk|rk|hf|gsk|xai)[-_][A-Za-z0-9*_\-]{6,}|bearer\s+[^\s\"',]+")

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._secrets = sorted((s for s in secrets if s and len(s) > 3), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text on one line, without secrets, cut to a quotable length."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        text = " ".join(self._PATTERNS.sub("***", text).split())
        return text if len(text) <= QUOTED_CHARS else text[:QUOTED_CHARS] + "…"


def display_address(url: str) -> str:
    """An address without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}".rstrip("/")


def backoff(attempt: int, rng: random.Random) -> float:
    """Seconds to wait before the next attempt: doubling, capped, with jitter over the upper half.

    Args:
        attempt: Failed attempts so far, from 1.
        rng: Source of the jitter.
    """
    longest = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempt - 1, 16))
    return longest * rng.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds a server asks to wait, from `Retry-After` (seconds or a date) or `retry-after-ms`.

    Args:
        headers: Of the answer, case-insensitive.
        now: Seconds since the epoch.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return float(text) * unit
        if text:
            try:
                return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
            except ValueError:
                continue
    return None


_TOO_LONG = re.compile(
    r"context.?length|maximum context|too long|too many tokens|reduce the length|longer than the",
    re.IGNORECASE,
)
_POLICY = re.compile(r"content.?(?:filter|policy)|moderation|flagged|safety|usage policies", re.IGNORECASE)
_QUOTA = re.compile(r"insufficient.?(?:quota|balance|credit|fund)|billing|payment", re.IGNORECASE)
_NO_MODEL = re.compile(
    r"model.{0,80}(?:not found|not exist|not available|no access)|(?:unknown|invalid) model|model_not_found",
    re.IGNORECASE,
)


_RATE = re.compile(r"rate.?limit|too many requests|overloaded", re.IGNORECASE)
_KEY = re.compile(r"(?:invalid|incorrect).{0,20}key|authentication|unauthori[sz]ed", re.IGNORECASE)


def status_of_error(error: object) -> int:
    """The HTTP status that an error object sent with status 200 should have had; 500 where it does not say.

    Args:
        error: The value of the answer's `error`.
    """
    code = error.get("code") if isinstance(error, dict) else None
    if isinstance(code, int | str) and str(code).isdecimal() and 400 <= int(code) < 600:
        return int(code)
    text = orjson.dumps(error).decode()
    meanings = ((_QUOTA, 402), (_RATE, 429), (_KEY, 401), (_NO_MODEL, 404), (_TOO_LONG, 400), (_POLICY, 400))
    return next((status for pattern, status in meanings if pattern.search(text)), 500)


def fault_of_status(status: int, message: str, wait: float | None) -> Fault:
    """Classifies an HTTP error.

    Args:
        status: HTTP status, or the code of an error object sent with status 200.
        message: What the server says, redacted: type, code and text.
        wait: Seconds it asks to wait.
    """
    what = f"HTTP {status}" + (f": {message}" if message else "")
    if status in (429, 529) and not (status == 429 and _QUOTA.search(message)):
        return Fault("overloaded", what, wait, status)
    if status == 503 and wait is not None:
        return Fault("overloaded", what, wait, status)
    if status in (502, 503, 504):
        return Fault("unreachable", what, wait, status)
    if status in (408, 409, 425) or (status >= 500 and status != 501):
        return Fault("failed", what, wait, status)
    refused = status in (400, 403, 413, 422) and not _NO_MODEL.search(message)
    if status == 403 and not _POLICY.search(message):
        refused = False
    return Fault("refused" if refused else "unusable", what, None, status)


def advice(fault: Fault) -> str:
    """What to do about a fault that asking again does not help."""
    if fault.status is not None and 300 <= fault.status < 400:
        return "Set `base_url` to where the server is."
    if fault.status == 401 or (fault.status == 403 and fault.kind == "unusable"):
        return "Check the key in the environment variable that `api_key_env` names."
    if fault.status == 404 or _NO_MODEL.search(fault.what):
        return "Check `model` and `base_url`."
    if fault.status == 402 or _QUOTA.search(fault.what):
        return "Add credit to the account, then resume the run."
    if fault.status == 413 or _TOO_LONG.search(fault.what):
        return "Conversation and `max_tokens` exceed the model's context: lower `max_tokens` or the turn cap."
    if _POLICY.search(fault.what):
        return "The provider's content filter refuses this conversation; other instructions are not affected."
    return "Check the model's `sampling` and `extra_body`."


def error_message(raw: bytes) -> str:
    """The type, code and text of an error body in any of the usual shapes; not redacted."""
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return raw[: 2 * QUOTED_CHARS].decode("utf-8", "replace")
    if isinstance(data, list) and data:
        data = data[0]
    error = data.get("error", data) if isinstance(data, dict) else data
    if not isinstance(error, dict):
        return error if isinstance(error, str) else orjson.dumps(error).decode()
    text = error.get("message") or error.get("detail") or error.get("error") or error
    if not isinstance(text, str):
        text = orjson.dumps(text).decode()
    marks = [f"{name} {error[name]}" for name in ("type", "code", "param") if error.get(name)]
    return f"{text} ({', '.join(marks)})" if marks else text
