"""A sampled audit of labels: which actions were drawn to be judged by a person, and what was judged.

It lies beside the run as one small file. Verdicts are in it, so that the estimate can be made from the file alone; the
viewer shows them only once an action was judged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from ultrainteract.dataset.marks import replace_file
from ultrainteract.errors import DataError
from ultrainteract.schema import Label, Record

AUDIT_FILE = "audit.json"
"""Name of the file in a run directory, or beside exports."""
Answer = Literal["correct", "wrong", "unsure"]


class AuditItem(Record):
    """An action that was drawn."""

    tree: str
    """Id of the tree."""
    turn: int
    """Turn, from 1."""
    side: str
    """As of `Mark.side`."""
    action: str
    """Hash of the action's text."""
    stratum: str
    """Stratum it was drawn from."""
    label: Label
    """The verdict's label."""
    answer: Answer | None = None
    """What the person judged; None where it was not judged yet."""
    at: str = ""
    """When, ISO 8601."""


class Audit(Record):
    """An audit, under way or done."""

    schema_version: Literal[1] = 1
    """Version of this file's format."""
    strata: dict[str, int]
    """Labelled actions of the whole set, by stratum (task, label and check)."""
    items: tuple[AuditItem, ...]
    """The sample, in the order in which it is judged."""


def read_audit(folder: Path) -> Audit | None:
    """The audit in a folder; None where there is none.

    Raises:
        DataError: The file cannot be read.
    """
    path = folder / AUDIT_FILE
    if not path.is_file():
        return None
    try:
        return Audit.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error.strerror
        raise DataError(f"Cannot read the audit {path}: {reason}. Move it away to begin anew.") from error


def write_audit(folder: Path, audit: Audit) -> None:
    """Writes an audit; the earlier one stays until it is written.

    Raises:
        StoreError: It cannot be written.
    """
    replace_file(folder / AUDIT_FILE, audit.model_dump_json(indent=1) + "\n")
