"""How far a run is: read from its ledger's sums, which costs it nothing."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from ultrainteract.schema import TreeState
from ultrainteract.store import summed
from ultrainteract.viewing.collection import Collection

LOG_FILE = "run.log"
_LOG_BYTES = 64 * 1024
_WINDOW_S = 60.0


class Live:
    """Figures of a run as they stand, with its pace over the last minute.

    Args:
        collection: The run.
    """

    def __init__(self, collection: Collection) -> None:
        self._collection = collection
        self._seen: deque[tuple[float, int]] = deque()

    def read(self) -> dict[str, Any]:
        """The ledger, the sums, what was spent, and the end of the log."""
        stores = self._collection.stores
        states = dict.fromkeys((state.value for state in TreeState), 0)
        sums: dict[str, float] = {}
        for store in stores:
            for state, number in store.counts().items():
                states[state.value] += number
            for name, value in store.tallies().items():
                sums[name] = sums.get(name, 0.0) + value
        inputs = [store.inputs() for store in stores]
        done = sum(states.values()) - states[TreeState.FAILED.value]
        live = self._collection.is_live()
        return {
            "states": states,
            "sums": sums,
            "inputs": max((number for number in inputs if number), default=None),
            "spend": [spend.model_dump() for spend in summed(s for store in stores for s in store.spend())],
            "live": live,
            "per_second": self._pace(done) if live else None,
            "log": self._log(),
        }

    def _pace(self, done: int) -> float | None:
        now = time.monotonic()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        (first, before), (last, after) = self._seen[0], self._seen[-1]
        return (after - before) / (last - first) if last - first > 1 else None

    def _log(self) -> list[str]:
        """The last warnings of the run: endpoints that fail or come back, trees that could not be grown."""
        found: list[str] = []
        for folder in self._collection.folders:
            path = folder / LOG_FILE
            try:
                with path.open("rb") as file:
                    file.seek(max(0, path.stat().st_size - _LOG_BYTES))
                    text = file.read().decode("utf-8", "replace")
            except OSError:
                continue
            found += [
                line
                for line in text.splitlines()
                if " WARNING " in line or " ERROR " in line or "ndpoint" in line
            ]
        return found[-30:]
