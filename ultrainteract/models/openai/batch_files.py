"""What a batch model must not forget: which requests it has sent off, and what came back.

A submission is three files in the state directory, named by a random id that is also sent to the provider
as metadata, so that a batch whose creation was not heard of any more can be found again:

* `ID.input.jsonl`: the requests, written before anything is sent;
* `ID.json`: the provider's batch id and status, replaced atomically;
* `ID.output.jsonl`: the answers, there once the batch has ended.

They stay until the run directory is deleted: which answers have been recorded elsewhere is not known here.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ultrainteract.errors import StoreError
from ultrainteract.schema import Record


class Submission(Record):
    """One batch, from the moment it is to be sent."""

    id: str
    """Random id."""
    batch_id: str | None = None
    """The provider's id; None until its creation is known."""
    fresh: bool = False
    """True in the process that made it, until it is read again: the provider cannot have heard of it."""
    ended: bool = False
    """True once its answers are in the output file."""


@dataclass
class BatchFiles:
    """The state directory of one model.

    Args:
        directory: Where the files are; created where it is missing.
    """

    directory: Path

    def __post_init__(self) -> None:
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"Cannot create the batch directory {self.directory}: {error.strerror}."
            ) from error

    def submissions(self) -> list[Submission]:
        """All that were ever made, in no particular order."""
        return [Submission.model_validate_json(path.read_bytes()) for path in self.directory.glob("*.json")]

    def create(self, rows: Iterable[dict[str, Any]]) -> Submission:
        """Writes a new submission with its requests."""
        submission = Submission(id=secrets.token_hex(12))
        self._write(self.input_path(submission), b"".join(orjson.dumps(row) + b"\n" for row in rows))
        self.save(submission)
        return submission.model_copy(update={"fresh": True})

    def save(self, submission: Submission) -> None:
        """Replaces what is known of a submission."""
        known = submission.model_dump_json(exclude={"fresh"})
        self._write(self.directory / f"{submission.id}.json", known.encode())

    def end(self, submission: Submission, output: bytes) -> None:
        """Stores the answers, then marks the submission as ended."""
        self._write(self.output_path(submission), output)
        self.save(submission.model_copy(update={"ended": True}))

    def input_path(self, submission: Submission) -> Path:
        """File with the requests."""
        return self.directory / f"{submission.id}.input.jsonl"

    def output_path(self, submission: Submission) -> Path:
        """File with the answers."""
        return self.directory / f"{submission.id}.output.jsonl"

    def keys(self, submission: Submission) -> list[str]:
        """Keys of the requests of a submission."""
        return [row["custom_id"] for row in read_rows(self.input_path(submission).read_bytes())]

    def _write(self, path: Path, data: bytes) -> None:
        partial = path.with_suffix(path.suffix + ".partial")
        try:
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except OSError as error:
            raise StoreError(f"Cannot write {path}: {error.strerror}. Free some space and resume.") from error


def read_rows(data: bytes) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file; lines that are no JSON objects are left out, as if they were missing."""
    for line in data.splitlines():
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(row, dict):
            yield row
