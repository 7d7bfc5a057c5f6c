"""vLLM replicas on a real Ray cluster: placed, reached with the run's key, doubled when requests queue."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.tinymodel import build_tiny_model
from ultrainteract.config import ModelConfig, parse_config
from ultrainteract.errors import ConfigError
from ultrainteract.running import Runner
from ultrainteract.running.ray.replicas import replica_options
from ultrainteract.store import RunStore

ENGINE = {"max_model_len": 8192, "max_num_seqs": 2, "dtype": "float32", "enforce_eager": True}


def configuration(folder: Path, weights: Path, replicas: dict[str, Any]) -> Any:
    rows = ({"question": f"What is {i} + {i}?", "answer": str(2 * i)} for i in range(4000))
    (folder / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return parse_config(
        {
            "output": str(folder / "run"),
            "seeds": [
                {"dataset": "generic", "name": "sums", "path": str(folder / "seeds.jsonl"),
                 "tasks": ["Math_CoT"], "grader": "math", "mapping": {"question": "question", "gold": "answer"}}
            ],
            "models": {
                "actor": {
                    "provider": "vllm-server", "model": str(weights), "options": {**ENGINE, "replicas": replicas},
                    "sampling": {"max_tokens": 64},
                }
            },
            "growth": {
                "ladder": [{"name": "sample", "model": "actor", "samples": 4}], "rejected_from": "actor",
                "max_turns": 2,
            },
            "critic": {"model": "actor"},
            "max_inflight_trees": 24,
            "executor": "ray",
        }
    )  # fmt: skip


@pytest.mark.vllm
@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.clock
def test_replicas_serve_the_workers_and_grow_with_their_queue(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    weights = build_tiny_model(tmp_path / "tiny", positions=8192)
    replicas = {"min": 1, "max": 2, "gpus": 0, "cpus": 0.5, "queue": 1, "every_s": 1}
    config = configuration(tmp_path, weights, replicas)
    caplog.set_level(logging.INFO, logger="ultrainteract")

    async def until_there_are_two(store: RunStore) -> None:
        runner = Runner(config, store)
        running = asyncio.create_task(runner.run())
        while "replica 2 answers at" not in caplog.text and not running.done():
            await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        runner.stop()
        await running

    with RunStore.resume(config.output, config) as store:
        asyncio.run(until_there_are_two(store))
        counts, spend = store.counts(), store.spend()
        text = (tmp_path / "run" / "store.sqlite").read_bytes()
    assert sum(counts.values()) > 0
    assert counts["failed"] == 0
    assert sum(item.completions for item in spend) > 0
    assert "replica 2 answers at" in caplog.text
    assert b"ULTRAINTERACT_REPLICA_KEY" not in text, "the key and its name are nowhere in the record"


def test_wrong_replica_options_are_named() -> None:
    with pytest.raises(ConfigError, match=r"models\.actor\.options\.replicas: most"):
        replica_options("actor", ModelConfig(model="m", options={"replicas": {"most": 3}}))
