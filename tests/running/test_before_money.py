"""What is found before a request is paid for, by `validate` and by `run` alike; `--ping` shows what a model's answer is read as."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.running.first_day import answer, problems, settings
from tests.servers.chaos import Body, ChaosServer, in_thread
from ultrainteract.api import run_async, validate_async
from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError, ProviderError
from ultrainteract.running.validation import ValidationReport
from ultrainteract.store import resume_run

ROOT = Path(__file__).parents[2]


class OneModel(ChaosServer):
    """Lists and serves `actor` and `critic` alone, as vLLM's server does."""

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "actor"}, {"id": "critic"}]})

    async def _serve(self, request: web.Request, body: Body) -> web.StreamResponse:
        if body["model"] not in ("actor", "critic"):
            return web.json_response({"error": {"message": "no such model"}}, status=404)
        return await super()._serve(request, body)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    run = [sys.executable, "-m", "ultrainteract", *arguments]
    return subprocess.run(run, capture_output=True, text=True, cwd=ROOT, timeout=120)


async def checked(config: RunConfig, **options: Any) -> tuple[ValidationReport, str]:
    """The report, and its failures as one text."""
    report = await validate_async(config, base=ROOT, **options)
    failed = [
        f"{check.name}: {check.detail} {' '.join(check.items)}" for check in report.checks if not check.passed
    ]
    return report, "\n".join(failed)


async def refused(config: RunConfig, error: type[Exception], match: str) -> None:
    with resume_run(config) as store:
        with pytest.raises(error, match=match):
            await run_async(config, store, base=ROOT)
        assert store.spend() == []


async def test_a_misspelt_export_format(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with OneModel(answer) as server:
        config = settings(tmp_path, server.url, export={"formats": ["pair", "trl-preferences"]})
        _, failed = await checked(config)
        assert "exports: " in failed
        assert "Did you mean 'trl-preference'?" in failed
        await refused(config, ConfigError, "Did you mean 'trl-preference'")
        assert server.books.requests == 0


async def test_a_model_that_the_server_does_not_have(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with OneModel(answer) as server:
        config = settings(tmp_path, server.url)
        actor = config.models["actor"].model_copy(update={"model": "acter"})
        config = config.model_copy(update={"models": {**config.models, "actor": actor}})
        said = r"it has no model 'acter' \(it has: actor, critic\); did you mean 'actor'\?"
        _, failed = await checked(config)
        assert "did you mean 'actor'?" in failed
        await refused(config, ProviderError, said)
        assert server.books.whole == 0


async def test_a_server_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ultrainteract.running.validation._SERVER_WAIT_S", 0.1)
    problems(tmp_path / "problems.csv")
    _, failed = await checked(settings(tmp_path, "http://127.0.0.1:9/v1"))
    assert "http://127.0.0.1:9/v1" in failed
    assert "2 of 2 cannot be used" in failed, "both models are named, not the first alone"


async def test_ping_shows_what_an_answer_is_read_as(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with OneModel(answer) as server:
        report, failed = await checked(settings(tmp_path, server.url), ping=True)
        assert not failed
        assert server.books.whole == 2, "one request per model"
        (ping,) = [check for check in report.checks if check.name == "ping actor"]
    shown = dict(item.split(": ", 1) for item in ping.items)
    assert shown["thought"].startswith("Step 1: Add 3 and 1")
    assert shown["answer"] == r"\boxed{4}"
    assert (shown["code"], shown["reasoning"]) == ("none", "none")
    assert "ended by stop" in ping.detail


async def test_ping_finds_answers_that_cannot_be_read(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    async with ChaosServer(lambda body, index: "Let us think about it.") as server:
        report, failed = await checked(settings(tmp_path, server.url), ping=True)
    assert not report.passed
    assert "ping actor" in failed
    assert "no final answer or program could be read in it" in failed
    assert "ping critic" not in failed, "a critic writes no answers"


def test_validate_and_seeds_check_agree_on_a_gold_that_is_words_among_values(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv", p3="I do not know")
    with in_thread(lambda: OneModel(answer)) as server:
        config = tmp_path / "my.yaml"
        config.write_text(settings(tmp_path, server.url).model_dump_json(exclude_none=True))
        for words in (("validate",), ("seeds", "check")):
            done = command(*words, str(config))
            assert done.returncode == 1, (words, done.stdout, done.stderr)
            assert "I do not know" in done.stdout
            assert "Traceback" not in done.stderr
        problems(tmp_path / "problems.csv")
        for words in (("validate",), ("seeds", "check")):
            assert command(*words, str(config)).returncode == 0, words
        assert server.books.requests == 0


def test_a_missing_key_is_named_by_both(tmp_path: Path) -> None:
    problems(tmp_path / "problems.csv")
    data = settings(tmp_path, "https://models.example/v1").model_dump(mode="json", exclude_none=True)
    data["models"]["actor"]["api_key_env"] = "NO_SUCH_KEY"
    config = tmp_path / "my.yaml"
    config.write_text(json.dumps(data))
    done = command("validate", str(config))
    assert done.returncode == 1
    assert "NO_SUCH_KEY" in done.stdout
    done = command("run", str(config))
    assert done.returncode == 2
    assert "NO_SUCH_KEY" in done.stderr
