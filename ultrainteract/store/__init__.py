"""The run directory: every paid completion, every observation, every finished tree, durable before it is used."""

from ultrainteract.store.calls import Calls, CallSession, Sample
from ultrainteract.store.database import RunStore
from ultrainteract.store.merging import compact, inputs_of, merge, resume_run
from ultrainteract.store.places import Runs, find_runs, open_runs
from ultrainteract.store.records import Outcome, Recorder, Settled, Spend
from ultrainteract.store.upkeep import SeedChanges, prune, retry

__all__ = [
    "CallSession",
    "Calls",
    "Outcome",
    "Recorder",
    "RunStore",
    "Runs",
    "Sample",
    "SeedChanges",
    "Settled",
    "Spend",
    "compact",
    "find_runs",
    "inputs_of",
    "merge",
    "open_runs",
    "prune",
    "resume_run",
    "retry",
]
