"""The Hub's client, and requests that are repeated where the Hub or the connection is at fault."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from ultrainteract.errors import HubError, require

T = TypeVar("T")
Sleep = Callable[[float], None]

ATTEMPTS = 4
"""Attempts at one request."""
WAIT_S = 1.0
"""Wait before the second attempt, seconds; doubled each time."""


def hub_api() -> Any:
    """The Hub's client.

    Raises:
        ConfigError: `huggingface_hub` is not installed.
    """
    require("huggingface_hub", "hub")
    from huggingface_hub import HfApi

    from ultrainteract._version import __version__

    return HfApi(
        endpoint=os.environ.get("HF_ENDPOINT"),
        library_name="ultrainteract",
        library_version=__version__,
    )


def retried(request: Callable[[], T], sleep: Sleep = time.sleep) -> T:
    """Makes a request, and makes it again after an error that may pass.

    Args:
        request: The request; it must be safe to repeat.
        sleep: Waits between attempts.

    Raises:
        HubError: Attempts ran out.
        HfHubHTTPError: The Hub refused it.
    """
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError

    attempt = 1
    while True:
        try:
            return request()
        except HfHubHTTPError as error:
            if not passing(error):
                raise
            failure: Exception = error
        except HTTPError as error:
            failure = error
        if attempt == ATTEMPTS:
            raise unreachable(failure) from failure
        sleep(WAIT_S * 2 ** (attempt - 1))
        attempt += 1


def status_of(error: Any) -> int:
    """The HTTP status of a refusal."""
    return int(error.response.status_code)


def passing(error: Any) -> bool:
    """Whether a refusal by the Hub may be gone at the next attempt."""
    return status_of(error) in (408, 429) or status_of(error) >= 500


def unreachable(error: BaseException) -> HubError:
    """An error of the connection, or of the Hub itself."""
    return HubError(
        f"The Hub cannot be reached or is at fault: {reason(error)}. Try again later; nothing is lost."
    )


def reason(error: BaseException) -> str:
    """The first line of an error."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
