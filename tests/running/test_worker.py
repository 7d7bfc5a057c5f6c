"""What a worker needs of its machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ultrainteract.api import run_async
from ultrainteract.config import RunConfig, parse_config
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox import bubblewrap
from ultrainteract.sandbox import docker as docker_backend
from ultrainteract.schema import TreeState
from ultrainteract.store import RunStore


def config(folder: Path, task: str) -> RunConfig:
    seeds = folder / "seeds.jsonl"
    seeds.write_text(json.dumps({"question": "What is 2 + 3?", "answer": "5"}) + "\n", encoding="utf-8")
    return parse_config(
        {
            "output": str(folder / "run"),
            "seeds": [
                {"dataset": "generic", "name": "sums", "path": str(seeds), "tasks": [task], "grader": "math",
                 "mapping": {"question": "question", "gold": "answer"}}
            ],
            "models": {"actor": {"provider": "simulated", "model": "simulated-actor"}},
            "growth": {"ladder": [{"name": "sample", "model": "actor", "samples": 4}], "rejected_from": "actor"},
            "critic": {"model": "actor"},
            "export": {"formats": []},
        }
    )  # fmt: skip


@pytest.mark.parametrize("task", ["Math_CoT", "Math_PoT"])
async def test_only_code_needs_isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    for backend in (bubblewrap, docker_backend):
        monkeypatch.setattr(backend, "why_not", lambda *_: "It is not installed here.")
    settings = config(tmp_path, task)
    with RunStore.resume(settings.output, settings) as store:
        if task == "Math_PoT":
            with pytest.raises(SandboxError, match="cannot be isolated on this machine"):
                await run_async(settings, store, base=tmp_path)
            assert not sum(store.counts().values())
        else:
            await run_async(settings, store, base=tmp_path)
            assert store.counts()[TreeState.FAILED] == 0
            assert sum(store.counts().values()) == 1
