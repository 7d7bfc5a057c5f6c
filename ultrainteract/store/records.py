"""What the store takes and gives: records of calls and observations, lines of the ledger, what was spent.

The database layout is the store's own affair. Whoever records hands over these records, in one process or, pickled,
from another one; a tree grows against a `Recorder`, which is the run directory itself or a worker's connection to the
process that alone writes the directory.
"""

from __future__ import annotations

import functools
import hashlib
import operator
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol, Self

from pydantic import Field

from ultrainteract.schema import EvaluatedItem, Instruction, Label, Record, Tree, TreeState, content_hash


class CallRecord(NamedTuple):
    """One reply of a model. What is recorded stays: a second reply under the same key and ordinal is ignored."""

    tree: str
    """Id of the instruction whose tree sent the request."""
    key: bytes
    """Hash of the request."""
    first: int
    """Ordinal of the reply's first completion under this key."""
    reply: bytes
    """The reply as JSON, packed or not."""


class ObservationRecord(NamedTuple):
    """One observation. What is recorded stays."""

    tree: str
    """Id of the instruction whose tree made it."""
    key: bytes
    """Hash of what was observed."""
    observation: bytes
    """The observation as JSON, packed or not."""


class Admission(NamedTuple):
    """An instruction that is about to be grown."""

    key: str
    """Its id."""
    instruction: bytes
    """The instruction as JSON."""

    @classmethod
    def of(cls, instruction: Instruction) -> Self:
        """Puts an instruction into its stored form."""
        return cls(instruction.id, instruction.model_dump_json().encode())


class Outcome(Record):
    """How one input ended: a line of the ledger."""

    key: str
    """Instruction id, or `skipped_key` of an input that became no instruction."""
    state: TreeState
    """The one state it is in."""
    reason: str = ""
    """Why, for a reader."""
    dataset: str
    """Dataset name."""
    source: str
    """Where the input comes from."""
    task: str = ""
    """Task of the instruction, where it was asked for and the input became one."""


class OutcomeRow(NamedTuple):
    """A line of the ledger as it lies in the database."""

    number: int
    """Grows with each line that is recorded; a line that takes the place of another has a new one."""
    key: str
    """As of `Outcome`."""
    state: str
    """As of `Outcome`."""
    reason: str
    """As of `Outcome`."""
    dataset: str
    """As of `Outcome`."""
    source: str
    """As of `Outcome`."""
    tree: bytes | None
    """The tree, packed or not; None where the input has none."""


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

    @classmethod
    def of_item(cls, outcome: Outcome, item: EvaluatedItem) -> Self:
        """Puts an outcome and the rollouts of its item into their stored form, in the place of a tree."""
        steps = [step for rollout in item.rollouts for step in rollout.steps]
        judged = sum(step.node.verdict.label is not Label.UNDETERMINED for step in steps)
        tallies = {
            "items": 1.0,
            "samples": len(steps),
            "readable": judged,
            "simulated": float(item.simulation),
        }
        return cls(
            outcome=outcome,
            depth=max((len(rollout.steps) for rollout in item.rollouts), default=0),
            tree=item.model_dump_json().encode(),
            tallies={name: value for name, value in tallies.items() if value},
        )

    def packed(self) -> Self:
        """The same with its tree packed."""
        return self.model_copy(update={"tree": pack(self.tree)})


StoreRecord = CallRecord | ObservationRecord | Admission | Settled | Spend
"""What `Recorder.put` takes. `Spend` and the tallies of `Settled` are added to what is there."""


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

    async def put(self, records: Sequence[StoreRecord]) -> None:
        """Records all of `records`, or none, and returns when they are durable.

        Raises:
            StoreError: The write failed. The run must stop.
        """
        ...


def skipped_key(dataset: str, source: str, rule: str) -> str:
    """Ledger key of an input that became no instruction: by where it is and which rule left it out.

    The reason is for readers and may be worded differently from one version to the next, so it is no part of the key.

    Args:
        dataset: Dataset name.
        source: File and line, or source id of the instruction that was dropped; each once per dataset and rule.
        rule: Name of the rule, or `unusable`.
    """
    return content_hash(["skipped", dataset, source, rule])


def pack(payload: bytes | None) -> bytes | None:
    """Compresses JSON; payloads that are compressed already (leading `x`, never valid JSON) are returned unchanged."""
    if payload is None or payload[:1] == b"x":
        return payload
    return zlib.compress(payload, 1)


def unpack(payload: bytes) -> bytes:
    """The JSON of a payload, compressed or not."""
    return zlib.decompress(payload) if payload[:1] == b"x" else payload


def unpack_beginning(payload: bytes, size: int = 512) -> bytes:
    """The first bytes of a payload's JSON."""
    return zlib.decompressobj().decompress(payload, size) if payload[:1] == b"x" else payload[:size]


def read_tree(payload: bytes) -> Tree:
    """The tree of a payload: its JSON, compressed or not. The one decoder of stored trees."""
    return Tree.model_validate_json(unpack(payload))


@functools.lru_cache(maxsize=1024)
def tree_number(key: str) -> int:
    """64 bits of the hash of an input's key, as SQLite holds them: binds calls to their tree, and inputs to shards."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big", signed=True)


_SPEND_KEYS = 4
"""The first fields of `Spend` say what was spent on, all others are added up."""
_spend_values = operator.attrgetter(*Spend.model_fields)


def summed(spends: Iterable[Spend]) -> list[Spend]:
    """Adds up what was spent on the same (role, step, model, task), in order of these."""
    sums: dict[tuple[str, ...], list[Any]] = {}
    for spend in spends:
        values = _spend_values(spend)
        where, more = values[:_SPEND_KEYS], values[_SPEND_KEYS:]
        known = sums.get(where)
        sums[where] = list(more) if known is None else list(map(operator.add, known, more))
    names = tuple(Spend.model_fields)
    return [Spend(**dict(zip(names, (*where, *sums[where]), strict=True))) for where in sorted(sums)]


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
    steps = [step for turn in tree.turns for step in turn.steps]
    tallies |= {
        "drawn": sum(step.drawn for step in steps),
        "with_verdict": sum(step.judged for step in steps),
    }
    for step in steps:
        for reason, count in step.undetermined.items():
            tallies[f"undetermined.{reason}"] = tallies.get(f"undetermined.{reason}", 0) + count
    return {name: value for name, value in tallies.items() if value}
