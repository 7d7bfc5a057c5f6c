"""The run directory: every paid completion, every observation, every finished tree, durable before it is used."""

from ultrainteract.store.directory import RunStore, is_locked
from ultrainteract.store.locations import SEED_DIGEST, Runs, find_runs, open_runs
from ultrainteract.store.merging import compact, inputs_of, merge, resume_run
from ultrainteract.store.reading import STORE_FILE
from ultrainteract.store.records import (
    Admission,
    CallRecord,
    ObservationRecord,
    Outcome,
    OutcomeRow,
    Recorder,
    Settled,
    Spend,
    StoreRecord,
    pack,
    read_tree,
    skipped_key,
    summed,
    tree_number,
    unpack,
)
from ultrainteract.store.upkeep import SeedChanges, SeedNumbers, prune, reconcile, retry, source_number

__all__ = [
    "SEED_DIGEST",
    "STORE_FILE",
    "Admission",
    "CallRecord",
    "ObservationRecord",
    "Outcome",
    "OutcomeRow",
    "Recorder",
    "RunStore",
    "Runs",
    "SeedChanges",
    "SeedNumbers",
    "Settled",
    "Spend",
    "StoreRecord",
    "compact",
    "find_runs",
    "inputs_of",
    "is_locked",
    "merge",
    "open_runs",
    "pack",
    "prune",
    "read_tree",
    "reconcile",
    "resume_run",
    "retry",
    "skipped_key",
    "source_number",
    "summed",
    "tree_number",
    "unpack",
]
