"""What every record shares: frozen, strict about its fields, identified by its content."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints

SCHEMA_VERSION = 1
"""Version of every record written to disk; raised when a field changes its meaning."""


def content_hash(value: Any) -> str:
    """Sha256 hex digest of the canonical JSON (sorted keys, UTF-8, no spaces) of `value`.

    Args:
        value: Anything JSON can hold; pydantic models are taken as their fields.
    """
    return hashlib.sha256(canonical_json(value)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The JSON that `content_hash` hashes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    raise TypeError(f"{type(value).__name__} has no canonical JSON form")


class Record(BaseModel):
    """Base of all records: frozen, strict about its fields, documented field by field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


Tool = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
"""Name of a tool: a Python identifier, the function that a program calls (see `ultrainteract.tools`)."""

ReasoningSchema = Literal["cot", "modular"]
