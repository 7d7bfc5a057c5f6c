"""A whole run over HTTP against a server that breaks: the same result as against a sound one, nothing paid twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.servers.chaos import Body, Chaos, ChaosServer, fraction
from ultrainteract.api import export, run_async
from ultrainteract.config import RunConfig, parse_config
from ultrainteract.schema import Instruction, TreeState
from ultrainteract.seeds import load_seed
from ultrainteract.store import RunStore

ROOT = Path(__file__).parents[2]
SEED = {"dataset": "gsm8k", "path": str(ROOT / "data/gsm8k/train.jsonl"), "tasks": ["Math_CoT"], "limit": 20}
FAULTS = {
    "429": 0.05, "429-retry-after": 0.02, "500": 0.05, "503": 0.03, "hang": 0.02, "stall": 0.02, "reset": 0.05,
    "truncated": 0.05, "malformed": 0.05, "wrong-json": 0.03, "error-200": 0.03, "empty": 0.03,
}  # fmt: skip


def settings(url: str, folder: Path, **fields: Any) -> RunConfig:
    def model(name: str) -> dict[str, Any]:
        return {
            "model": name, "base_url": url, "timeout_s": 1.0, "sampling": {"seed": 0},
            "price": {"input": 1, "output": 2},
        }  # fmt: skip

    return parse_config(
        {
            "name": "chaos",
            "output": str(folder),
            "seeds": [SEED],
            "models": {name: model(name) for name in ("actor", "stronger", "pool", "critic")},
            "growth": {
                "ladder": [
                    {"name": "sample", "model": "actor", "samples": 8},
                    {"name": "stronger", "model": "stronger", "samples": 4},
                ],
                "pool": ["pool"],
            },
            "critic": {"model": "critic"},
            **fields,
        }
    )


class Actor:
    """Answers problems rightly or wrongly, by the hash of what it was sent and the sample's number."""

    def __init__(self, config: RunConfig) -> None:
        items = [item for item in load_seed(config.seeds[0], ROOT) if isinstance(item, Instruction)]
        self.golds = {item.prompt: item.gold for item in items}

    def __call__(self, body: Body, index: int) -> str:
        if body["model"] == "critic":
            return "Read the problem once more, and write down every quantity before you combine them."
        gold = next(
            gold
            for prompt, gold in self.golds.items()
            if any(prompt in m["content"] for m in body["messages"])
        )
        number = (body.get("seed") or 0) + index
        draw = fraction(body["messages"], body["model"], number)
        answer = gold if draw < 0.3 else str(int(draw * 10_000))
        return f"<thought>\nStep 1: Attempt {draw:.6f}.\n</thought>\n<solution>\n\\boxed{{{answer}}}\n</solution>"


async def grown(server: ChaosServer, folder: Path, **fields: Any) -> tuple[RunStore, dict[str, str]]:
    config = settings(server.url, folder, **fields)
    with RunStore.resume(folder, config) as store:
        await run_async(config, store, base=ROOT)
        export(store, folder / "exports")
    files = sorted(path for path in (folder / "exports").rglob("*.parquet"))
    return RunStore.open(folder), {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.clock  # a sample that takes longer than a second here is asked for again
async def test_a_broken_server_gives_the_same_trees_as_a_sound_one(tmp_path: Path) -> None:
    actor = Actor(settings("http://127.0.0.1:1", tmp_path))
    async with ChaosServer(actor) as sound:
        store, expected = await grown(sound, tmp_path / "sound")
        assert store.counts()[TreeState.COMPLETE] >= 10
        needed = sound.books.whole
        store.close()
    async with ChaosServer(actor, Chaos(rates=FAULTS)) as broken:
        store, found = await grown(broken, tmp_path / "broken")
        assert found == expected
        assert sum(store.counts().values()) == store.inputs() == 20
        assert store.counts()[TreeState.FAILED] == 0
        assert len(broken.books.faults) >= 8, broken.books.faults
        assert broken.books.paid_twice == 0
        assert broken.books.waste(needed) <= 0.02
        store.close()


async def test_no_key_reaches_the_run_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAOS_KEY", "sk-very-secret-key")
    actor = Actor(settings("http://127.0.0.1:1", tmp_path))
    async with ChaosServer(actor, Chaos(rates={"500": 0.2})) as server:
        names = ("actor", "stronger", "pool", "critic")
        models = {name: {"model": name, "base_url": server.url, "api_key_env": "CHAOS_KEY"} for name in names}
        store, _ = await grown(server, tmp_path / "run", models=models)
        store.close()
        assert any(
            headers["Authorization"] == "Bearer sk-very-secret-key" for headers in server.books.headers
        )
    for path in (tmp_path / "run").rglob("*"):
        assert path.is_dir() or b"very-secret" not in path.read_bytes(), path


async def test_requests_that_never_succeed_leave_their_trees_for_retry(tmp_path: Path) -> None:
    actor = Actor(settings("http://127.0.0.1:1", tmp_path))
    poisoned = sorted(actor.golds)[0]
    broken = Chaos(poison=lambda body: any(poisoned in m["content"] for m in body["messages"]))
    quick = {
        name: {"model": name, "timeout_s": 1.0, "max_retries": 1, "sampling": {"seed": 0}}
        for name in ("actor", "stronger", "pool", "critic")
    }
    async with ChaosServer(actor, broken) as server:
        models = {name: {**model, "base_url": server.url} for name, model in quick.items()}
        store, _ = await grown(server, tmp_path / "run", models=models)
        assert store.counts()[TreeState.FAILED] == 1
        assert sum(store.counts().values()) == 20
        store.close()
    async with ChaosServer(actor) as server:
        models = {name: {**model, "base_url": server.url} for name, model in quick.items()}
        store, _ = await grown(server, tmp_path / "run", models=models)
        assert store.counts()[TreeState.FAILED] == 0
        assert server.books.whole < 40, "only the failed tree was grown again"
        store.close()


async def test_refused_requests_end_in_a_stated_state(tmp_path: Path) -> None:
    actor = Actor(settings("http://127.0.0.1:1", tmp_path))
    forbidden = sorted(actor.golds)[:3]
    chaos = Chaos(filtered=lambda body: any(f in m["content"] for f in forbidden for m in body["messages"]))
    async with ChaosServer(actor, chaos) as server:
        store, _ = await grown(server, tmp_path / "run")
        counts = store.counts()
        assert counts[TreeState.FAILED] == 3, "nothing is known of them: the next run asks again"
        assert sum(counts.values()) == 20
        reasons = [found.reason for found in store.outcomes() if found.state is TreeState.FAILED]
        assert all("content filter" in reason for reason in reasons), reasons
        store.close()
