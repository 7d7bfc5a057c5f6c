"""The report of a run: the ledger, what was spent on what, what was kept, and what the quality guards did.

It is computed from the store alone, so that `status` prints the same figures while a run works, after it
ended, and after a kill.
"""

from __future__ import annotations

from typing import Self

from ultrainteract.running.profile import LoopLag
from ultrainteract.running.samples import SampleReport
from ultrainteract.schema import Record, TreeState
from ultrainteract.store import Runs, RunStore, Spend


class RunReport(Record):
    """Figures of a run directory."""

    inputs: int | None
    """Inputs of the seed set; None while it has not been read to its end."""
    states: dict[TreeState, int]
    """Inputs by the state they ended in."""
    pairs: int
    """Pairs in the finished trees."""
    correct: int
    """Correct actions in the finished trees."""
    turns: int
    """Turns of the finished trees."""
    pass_rate: float | None
    """Correct share of what the actor's own step judged."""
    spend: tuple[Spend, ...]
    """What was spent, by role, step, model and task."""
    cost: float
    """US dollars spent, over requests of known price."""
    unpriced: int
    """Requests of unknown price."""
    kept_cost: float
    """US dollars that went into nodes and critiques which were kept."""
    kept_tokens: int
    """Completion tokens of nodes and critiques which were kept."""
    samples: SampleReport | None
    """What became of the samples; None where none was drawn."""
    guards: dict[str, int]
    """What each quality guard did."""
    simulated: bool
    """True where any kept text was written by a simulated model."""
    store_bytes: int
    """Size of the store on disk."""
    set_aside: int = 0
    """Inputs in the run directory that are no longer in the seeds; they count nowhere else."""
    grown: int = 0
    """Inputs that this session settled."""
    stopped: bool = False
    """True where this session ended before all that it was asked for was grown."""
    loop: LoopLag | None = None
    """How late the event loop of this session was; None where it was not measured."""

    @classmethod
    def of(cls, store: RunStore | Runs, loop: LoopLag | None = None) -> Self:
        """Reads the figures of a run directory, or of all shards of a run."""
        tallies = store.tallies()
        spend = tuple(store.spend())
        judged = tallies.get("judged", 0)
        return cls(
            inputs=store.inputs(),
            states=store.counts(),
            pairs=int(tallies.get("pairs", 0)),
            correct=int(tallies.get("correct", 0)),
            turns=int(tallies.get("turns", 0)),
            pass_rate=tallies.get("judged_correct", 0) / judged if judged else None,
            spend=spend,
            cost=sum(item.cost for item in spend),
            unpriced=sum(item.unpriced for item in spend),
            kept_cost=tallies.get("kept_cost", 0.0),
            kept_tokens=int(tallies.get("kept_tokens", 0)),
            samples=SampleReport.of(tallies, store.trees()),
            guards={
                name[6:]: int(value) for name, value in sorted(tallies.items()) if name.startswith("guard.")
            },
            simulated=bool(tallies.get("simulated")),
            store_bytes=store.size(),
            set_aside=store.count_set_aside(),
            loop=loop,
        )

    @property
    def settled(self) -> int:
        """Inputs that have ended, in whatever state."""
        return sum(self.states.values())

    @property
    def finished(self) -> bool:
        """Whether every input of the seed set has ended."""
        return self.inputs is not None and self.settled >= self.inputs
