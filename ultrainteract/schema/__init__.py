"""The data model: what a tree is made of, and nothing else.

All records are frozen and refuse unknown fields. They hold no behaviour beyond what is implied by their
fields, so that every other module can depend on this one. Ids are content hashes (sha256 of canonical JSON),
never a position, a path or a time: the same content has the same id on every machine.
"""

from __future__ import annotations

from ultrainteract.schema.base import (
    SCHEMA_VERSION,
    ReasoningSchema,
    Record,
    Tool,
    canonical_json,
    content_hash,
)
from ultrainteract.schema.calls import Backend, Call, Function, calls_json
from ultrainteract.schema.instruction import Checker, FeedbackWording, Instruction, TestCase, TestSuite
from ultrainteract.schema.messages import Exchange, Message, Provenance, SamplingParams, Usage
from ultrainteract.schema.rollout import EvaluatedItem, Rollout, RolloutStep
from ultrainteract.schema.tasks import Task, task
from ultrainteract.schema.tree import (
    Action,
    Constitution,
    Critique,
    Ended,
    Node,
    Observation,
    Pair,
    StepStats,
    Tree,
    TreeState,
    Turn,
)
from ultrainteract.schema.verdict import JUDGED, Evidence, GraderName, Label, Verdict

__all__ = [
    "JUDGED",
    "SCHEMA_VERSION",
    "Action",
    "Backend",
    "Call",
    "Checker",
    "Constitution",
    "Critique",
    "Ended",
    "EvaluatedItem",
    "Evidence",
    "Exchange",
    "FeedbackWording",
    "Function",
    "GraderName",
    "Instruction",
    "Label",
    "Message",
    "Node",
    "Observation",
    "Pair",
    "Provenance",
    "ReasoningSchema",
    "Record",
    "Rollout",
    "RolloutStep",
    "SamplingParams",
    "StepStats",
    "Task",
    "TestCase",
    "TestSuite",
    "Tool",
    "Tree",
    "TreeState",
    "Turn",
    "Usage",
    "Verdict",
    "calls_json",
    "canonical_json",
    "content_hash",
    "task",
]
