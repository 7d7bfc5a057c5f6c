"""Runs in processes of their own, and what two of them are compared by."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ultrainteract.store import RunStore, Spend

ROOT = Path(__file__).parents[2]
OVERRIDES = [f"seeds.{number}.limit=8" for number in range(5)]


def start(folder: Path, *overrides: str, limits: bool = True) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "ultrainteract",
        "run",
        "configs/demo.yaml",
        "-o",
        str(folder),
        *(OVERRIDES if limits else ()),
        *overrides,
    ]
    environment = {**os.environ, "COLUMNS": "120"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> None:
    _, talk = process.communicate(timeout=240)
    assert process.returncode == 0, talk


def recorded(folder: Path) -> int:
    try:
        with sqlite3.connect(f"file:{folder / 'store.sqlite'}?mode=ro", uri=True, timeout=5) as connection:
            return int(connection.execute("SELECT count(*) FROM calls").fetchone()[0])
    except sqlite3.Error:
        return 0


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in (folder / "exports").rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def until(what: Callable[[], object], process: subprocess.Popen[str], seconds: float = 120) -> None:
    """Waits for something, or for the end of the process."""
    deadline = time.monotonic() + seconds
    while not what() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)


def assert_equal(one: Path, other: Path) -> None:
    """Both runs hold and export the same, and have paid the same."""
    assert digests(one) == digests(other)
    with RunStore.open(one) as a, RunStore.open(other) as b:
        assert a.spend() == b.spend(), "nothing recorded was paid for twice"
        assert list(a.outcomes()) == list(b.outcomes())
        assert a.tallies() == pytest.approx(b.tallies())
        assert sum(b.counts().values()) == b.inputs()


def tokens(spends: Iterable[Spend]) -> int:
    """Tokens paid for."""
    return sum(item.prompt_tokens + item.completion_tokens for item in spends)
