"""Repositories of the small Hub: files by content, commits, branches, and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Blob:
    data: bytes
    lfs: bool

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def oid(self) -> str:
        content = self.data if not self.lfs else self.pointer
        return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

    @property
    def pointer(self) -> bytes:
        return f"version https://git-lfs.github.com/spec/v1\noid sha256:{self.sha256}\nsize {len(self.data)}\n".encode()


@dataclass
class Repo:
    id: str
    private: bool
    commits: dict[str, dict[str, Blob]] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    """(branch, commit, title)"""
    branches: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)

    def commit(self, branch: str, files: dict[str, Blob], title: str) -> str:
        tree = json.dumps(sorted((path, blob.oid) for path, blob in files.items()))
        oid = hashlib.sha1(f"{self.branches.get(branch)}{tree}{title}{len(self.log)}".encode()).hexdigest()
        self.commits[oid] = files
        self.branches[branch] = oid
        self.log.append((branch, oid, title))
        return oid

    def resolve(self, revision: str) -> str:
        oid = self.branches.get(revision.removeprefix("refs/heads/"), revision)
        if oid not in self.commits:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return oid


class Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
