"""A dataset from the Hub (a server on this machine): streamed at one recorded commit; failures have a message."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import COMMIT, serve

SCRIPT = """
import json, sys
from pathlib import Path
from ultrainteract.config import SeedConfig
from ultrainteract.errors import SeedError
from ultrainteract.seeds.loading import Tally, load_seed
for fields in json.loads(sys.argv[1]):
    tally = Tally()
    seed = SeedConfig.model_validate({"dataset": "gsm8k", "tasks": ["Math_CoT"], **fields})
    try:
        items = [[item.source, getattr(item, "reason", "")] for item in load_seed(seed, Path("."), tally)]
    except SeedError as error:
        items = str(error)
    print(json.dumps([items, tally.revisions]))
"""
CARD = b"---\nconfigs:\n- config_name: main\n  data_files:\n  - {split: train, path: main/train.jsonl}\n---\n"
RECORDS = [{"question": f"{n}+1?", "answer": f"#### {n + 1}"} for n in range(3)] + [
    {"question": "x", "answer": "?"}
]


@pytest.fixture
def endpoint() -> Iterator[str]:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in RECORDS)
    server = serve({"main/train.jsonl": lines, "README.md": CARD})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_hub_datasets(endpoint: str, tmp_path: Path) -> None:
    seeds = [
        {"path": "acme/sums", "subset": "main"},
        {"path": "acme/sums", "subset": "main", "revision": "v9"},
        {"path": "acme/sums", "subset": "other"},
        {"path": "acme/sums", "subset": "main", "split": "test"},
        {"path": "acme/nothing"},
    ]
    environment = {
        **os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(seeds)],
        capture_output=True,
        text=True,
        timeout=240,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    found = [json.loads(line) for line in result.stdout.splitlines()]
    where = f"acme/sums@{COMMIT[:12]}/main/train"
    assert found[0] == [
        [[f"gsm8k/train/main/{n}", ""] for n in (1, 2, 3)]
        + [[f"{where}#4", "the answer has no '####' line"]],
        {"acme/sums": COMMIT},
    ]
    assert "the Hub does not give it" in found[1][0]
    assert "reading failed" in found[2][0]
    assert "reading failed" in found[3][0]
    assert "acme/nothing: not a file or folder here, and the Hub does not give it" in found[4][0]
