"""What the store holds: the ledger's lines, what was spent, a settled input in its stored form, and who records.

A tree grows against a `Recorder`. In one process that is the run directory itself; on a cluster it is a
worker's end of a line to the driver, which alone writes the directory.
"""

from __future__ import annotations

import functools
import hashlib
import zlib
from collections.abc import Iterable
from typing import Protocol, Self

from pydantic import Field

from ultrainteract.schema import Record, Tree, TreeState


class Outcome(Record):
    """How one input ended: a line of the ledger."""

    key: str
    """Instruction id, or a content hash of the source for an input that became no instruction."""
    state: TreeState
    """The one state it is in."""
    reason: str = ""
    """Why, for a reader."""
    dataset: str
    """Dataset name."""
    source: str
    """Where the input comes from."""


class Spend(Record):
    """What one (role, step, model, task) has cost so far."""

    role: str
    """Role that asked."""
    step: str
    """Ladder step or role."""
    model: str
    """Model name at the provider."""
    task: str
    """Task of the instruction."""
    requests: int
    """Requests answered."""
    completions: int
    """Completions recorded."""
    prompt_tokens: int
    """Tokens sent."""
    completion_tokens: int
    """Tokens drawn."""
    cost: float
    """US dollars, over the requests whose price is known."""
    unpriced: int
    """Requests whose price is unknown."""
    reasoning_tokens: int = 0
    """Of the tokens drawn, those of reasoning."""


class Settled(Record):
    """An outcome with its tree, in the form in which both are stored."""

    outcome: Outcome
    """The ledger's line."""
    depth: int = 0
    """Turns of the tree."""
    tree: bytes | None = None
    """The tree as JSON, packed or not; None where the input has none."""
    tallies: dict[str, float] = Field(default_factory=dict)
    """What the tree adds to the run's sums: `pairs`, `correct`, `turns`, `kept_tokens`, `guard.<name>` …"""

    @classmethod
    def of(cls, outcome: Outcome, tree: Tree | None) -> Self:
        """Puts an outcome and its tree into their stored form, not packed yet."""
        if tree is None:
            return cls(outcome=outcome)
        written = tree.model_dump_json().encode()
        return cls(outcome=outcome, depth=tree.depth, tree=written, tallies=_tallies(tree))

    def packed(self) -> Self:
        """The same with its tree packed."""
        return self.model_copy(update={"tree": pack(self.tree)})


class Recorder(Protocol):
    """Answers from the record, and records before anything is used."""

    def spend(self) -> list[Spend]:
        """What was spent so far, by role, step, model and task."""
        ...

    def call(self, key: bytes) -> list[tuple[int, bytes]]:
        """The recorded replies under `key`: (first ordinal, JSON), in order."""
        ...

    def observation(self, key: bytes) -> bytes | None:
        """The recorded observation under `key`, as JSON; None if there is none."""
        ...

    async def put_call(self, tree: str, key: bytes, first: int, reply: bytes, spend: Spend) -> None:
        """Records one reply that the tree `tree` asked for, and what it cost, durably.

        Raises:
            StoreError: The write failed.
        """
        ...

    async def put_observations(self, tree: str, rows: list[tuple[bytes, bytes]]) -> None:
        """Records observations (key, JSON) of the tree `tree`, durably. One that is there already stays as it is.

        Raises:
            StoreError: The write failed.
        """
        ...


def pack(payload: bytes | None) -> bytes | None:
    """Compresses JSON; what is packed already (JSON never begins like it) stays as it is."""
    if payload is None or payload[:1] == b"x":
        return payload
    return zlib.compress(payload, 1)


def unpack(payload: bytes) -> bytes:
    """The JSON that was packed."""
    return zlib.decompress(payload) if payload[:1] == b"x" else payload


@functools.lru_cache(maxsize=1024)
def tree_number(key: str) -> int:
    """64 bits of the hash of an input's key, as SQLite holds them: binds calls to their tree, and inputs to shards."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)


def summed(spends: Iterable[Spend]) -> list[Spend]:
    """Adds up what was spent on the same (role, step, model, task), in order of these."""
    sums: dict[tuple[str, ...], Spend] = {}
    for spend in spends:
        where = (spend.role, spend.step, spend.model, spend.task)
        known = sums.get(where)
        if known is None:
            sums[where] = spend
            continue
        names = tuple(Spend.model_fields)[4:]
        more = {name: getattr(known, name) + getattr(spend, name) for name in names}
        sums[where] = known.model_copy(update=more)
    return [sums[where] for where in sorted(sums)]


def _tallies(tree: Tree) -> dict[str, float]:
    nodes = [node for _, node in tree.nodes()]
    written = [part.provenance for node in nodes for part in (node, node.critique) if part is not None]
    tallies: dict[str, float] = {
        "trees": 1,
        "turns": tree.depth,
        "pairs": sum(1 for _ in tree.pairs()),
        "correct": sum(node.verdict.label == "correct" for node in nodes),
        "judged": sum(step.judged for turn in tree.turns for step in turn.steps[:1]),
        "judged_correct": sum(step.correct for turn in tree.turns for step in turn.steps[:1]),
        "samples": sum(step.drawn for turn in tree.turns for step in turn.steps),
        "readable": sum(step.judged for turn in tree.turns for step in turn.steps),
        "kept_tokens": sum(provenance.completion_tokens for provenance in written),
        "kept_cost": sum(provenance.cost or 0.0 for provenance in written),
        "simulated": float(tree.simulated),
    }
    tallies.update({f"guard.{name}": count for name, count in tree.guards.items()})
    return {name: value for name, value in tallies.items() if value}
