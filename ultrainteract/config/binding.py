"""The part of a configuration that runs and calls are bound to, in a form that later fields do not change.

Run directories hold the fingerprint of their configuration, and calls are recorded under a hash of their sampling
parameters. A field that is added later and left at its default asks for nothing new, so it must not unbind what was
recorded before: it is left out. Fields of store format 2 are listed here and always written; a renamed field is
written under its old name.
"""

from __future__ import annotations

from typing import Any

from ultrainteract.schema import Record

_FIELDS = {
    name: frozenset(fields.split())
    for name, fields in {
        "FieldMapping": "choices difficulty gold question rationale solution source_id tests unit",
        "SeedConfig": "dataset grader licence limit mapping name options path prompt revision split subset tasks tools",
        "RuleConfig": "name options",
        "BenchmarkConfig": "fields match name path revision split subset tasks",
        "SelectionConfig": "decontaminate decontaminate_near drop_solved ngram rules",
        "Price": "input output",
        "ModelConfig": (
            "api_key_env base_url extra_body input_tokens_per_minute max_concurrency max_retries max_retry_s "
            "model n_per_request options output_tokens_per_minute price provider requests_per_minute sampling "
            "timeout_s"
        ),
        "LadderStep": "guided model name samples sampling",
        "EarlyEscalation": "confidence target_rate",
        "GrowthConfig": (
            "early_escalation extra_pairs ladder max_tool_rounds max_turns modular_share pool pool_samples "
            "prompts rejected_from stop syntax_filter waves"
        ),
        "CriticConfig": "leak_retries model sampling",
        "JudgeConfig": "model sampling",
        "Limits": "cpu_s file_mb memory_mb output_bytes processes wall_s",
        "SandboxConfig": "concurrency containers image kind limits memory_mb runtime wikipedia",
        "RunConfig": (
            "budget critic executor export growth judge max_inflight_trees models name output publish sandbox "
            "seed seeds selection shard"
        ),
        "SamplingParams": "max_tokens seed stop temperature top_p",
    }.items()
}
"""Fields of store format 2, by model."""
_RENAMED = {"SeedConfig": {"license": "licence"}}
"""New name to old name of a field, by model."""


def binding(record: Record) -> dict[str, Any]:
    """A record as plain JSON, without later fields at their default.

    Args:
        record: A model of the configuration; models that format 2 did not know are written in full, but for what they
            leave out themselves.
    """
    kind = type(record)
    known, renamed = _FIELDS.get(kind.__name__), _RENAMED.get(kind.__name__, {})
    plain = record.model_dump(mode="json")
    found: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        value = getattr(record, name)
        written = renamed.get(name, name)
        default = not field.is_required() and value == field.get_default(call_default_factory=True)
        if name in plain and (known is None or written in known or not default):
            found[written] = _nested(value, plain[name])
    return found


def _nested(value: Any, plain: Any) -> Any:
    """`plain`, the JSON of `value`, with the records in it replaced by their binding part."""
    match value:
        case Record():
            return binding(value)
        case dict():
            return {key: _nested(item, plain[str(key)]) for key, item in value.items()}
        case tuple() | list():
            return [_nested(item, other) for item, other in zip(value, plain, strict=True)]
        case _:
            return plain
