"""The run directory: every paid completion, every observation, every finished tree, durable before it is used."""

from ultrainteract.store.calls import Calls, CallSession, Sample
from ultrainteract.store.database import Outcome, RunStore, Spend

__all__ = ["CallSession", "Calls", "Outcome", "RunStore", "Sample", "Spend"]
