"""What stands between growing and everything that is paid: samples and observations, answered from the record first."""

from ultrainteract.replay.budget import Budget, Spent
from ultrainteract.replay.observations import Observations
from ultrainteract.replay.protocols import Ask, Observed, Observer, Sampler, Session
from ultrainteract.replay.provenance import Sample, StoredReply, samples_of
from ultrainteract.replay.sessions import RecordedSampler

__all__ = [
    "Ask",
    "Budget",
    "Observations",
    "Observed",
    "Observer",
    "RecordedSampler",
    "Sample",
    "Sampler",
    "Session",
    "Spent",
    "StoredReply",
    "samples_of",
]
