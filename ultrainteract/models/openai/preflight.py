"""What is found out about a server before the first request is paid for: is it there, does it know key and model?

The list of models costs nothing. Only where it does not name the configured model is one short completion asked for,
since some servers answer to names that they do not list.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from difflib import get_close_matches
from typing import Any, NamedTuple

import orjson

from ultrainteract.errors import ProviderError
from ultrainteract.models.clock import Clock
from ultrainteract.models.faults import Fault, advice

log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 8.0
"""Between two looks at a server that is still starting."""
_LISTED = 8
"""Models that a message names."""


class Probe(NamedTuple):
    """How one endpoint is asked."""

    label: str
    """Its address, without credentials."""
    list_models: Callable[[], Awaitable[bytes]]
    """The body of the list of models; raises `Fault`."""
    complete: Callable[[], Awaitable[object]]
    """Asks for one short completion; raises `Fault`."""


async def check_endpoint(probe: Probe, model: str, wait_s: float, clock: Clock) -> str | None:
    """Checks one endpoint; waits for a server that is still starting.

    Args:
        probe: How to ask it.
        model: The model's name at the provider.
        wait_s: Longest wait for a server that does not answer, seconds.
        clock: Source of time.

    Returns:
        Why the endpoint is of no use; None where it is, or where only real requests can tell.
    """
    began, pause = clock.now(), 1.0
    while True:
        try:
            listed = _ids(await probe.list_models())
            break
        except Fault as fault:
            if fault.status in (401, 403):
                return f"{fault.what}. {advice(fault)}"
            if fault.kind != "unreachable":
                return None  # a server without such a list
            waited = clock.now() - began
            if waited >= wait_s:
                return (
                    f"it has not answered once in {waited:.0f} s ({fault.what}). Start the server or "
                    "check `base_url`, then run again"
                )
            if pause == 1.0:
                log.warning("Waiting for %s: %s", probe.label, fault.what)
        await clock.sleep(min(pause, wait_s - waited))
        pause = min(2 * pause, _LONGEST_PAUSE_S)
    if not listed or model in listed:
        return None
    try:
        await probe.complete()
    except Fault as fault:
        if fault.status == 404 or (fault.kind == "unusable" and fault.status != 402):
            near = get_close_matches(model, listed, n=1)
            meant = f"; did you mean '{near[0]}'?" if near else ""
            more = " …" if len(listed) > _LISTED else ""
            return f"it has no model '{model}' (it has: {', '.join(listed[:_LISTED])}{more}){meant}"
    return None


async def check_endpoints(name: str, model: str, probes: list[Probe], wait_s: float, clock: Clock) -> None:
    """Checks all endpoints of a model, which needs one of them.

    Raises:
        ProviderError: None can be used (fatal).
    """
    import asyncio

    found = await asyncio.gather(*(check_endpoint(probe, model, wait_s, clock) for probe in probes))
    if found and all(found):
        why = "; ".join(f"{probe.label}: {reason}" for probe, reason in zip(probes, found, strict=True))
        raise ProviderError(f"Model '{name}' ({model}) cannot be used. {why}.", fatal=True)
    for probe, reason in zip(probes, found, strict=True):
        if reason:
            log.warning("Model '%s' (%s): %s: %s", name, model, probe.label, reason)


def _ids(body: bytes) -> list[str]:
    """Names in a list of models; empty where the body is none."""
    try:
        data: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    items = data.get("data") if isinstance(data, dict) else data
    return (
        [str(item["id"]) for item in items or () if isinstance(item, dict) and "id" in item]
        if isinstance(items, list)
        else []
    )
