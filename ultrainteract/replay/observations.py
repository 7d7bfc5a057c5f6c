"""Observations answered from the record first, and recorded before they are used."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from ultrainteract.schema import Record
from ultrainteract.store import ObservationRecord, Recorder

T = TypeVar("T", bound=Record)


class Observations:
    """The recorded observations of a run.

    Args:
        recorder: Where they are.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def recorded(
        self, tree: str, keys: Sequence[bytes], make: Callable[[int], Awaitable[T]], kind: type[T]
    ) -> list[T]:
        """Answers from the record; makes what is missing, records it, and only then returns.

        Args:
            tree: Id of the instruction.
            keys: One per observation; equal keys are observed once.
            make: Makes the observation of a position in `keys`.
            kind: Type of the observations.

        Raises:
            StoreError: The record could not be written.
        """
        found: dict[bytes, T] = {}
        missing: dict[bytes, int] = {}
        for number, key in enumerate(keys):
            if key in found or key in missing:
                continue
            payload = self._recorder.observation(key)
            if payload is None:
                missing[key] = number
            else:
                found[key] = kind.model_validate_json(payload)
        if missing:
            made = await asyncio.gather(*(make(number) for number in missing.values()))
            rows = [
                ObservationRecord(tree, key, item.model_dump_json().encode())
                for key, item in zip(missing, made, strict=True)
            ]
            await self._recorder.put(rows)
            found.update(zip(missing, made, strict=True))
        return [found[key] for key in keys]
