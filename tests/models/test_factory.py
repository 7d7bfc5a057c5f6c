"""From a configuration to models; plugins as the documentation shows them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tests.models.helpers import ask
from ultrainteract.config import ModelConfig, parse_config
from ultrainteract.errors import ConfigError
from ultrainteract.models import PROVIDERS, build_model, build_models
from ultrainteract.models.openai.batch import OpenAIBatchModel
from ultrainteract.models.openai.client import OpenAIModel

ROOT = Path(__file__).parents[2]


def test_an_unknown_provider_is_told_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"no provider 'nonesuch'; there are: .*openai, openai-batch"):
        build_model("actor", ModelConfig(provider="nonesuch", model="m"))


async def test_models_of_a_run_share_limits_and_a_state_directory(tmp_path: Path) -> None:
    server = {"base_url": "http://127.0.0.1:9/v1", "model": "m"}
    config = parse_config(
        {
            "seeds": [{"dataset": "gsm8k", "path": "x"}],
            "models": {
                "actor": {**server, "requests_per_minute": 60},
                "again": {**server, "sampling": {"temperature": 0}},
                "other": {**server, "model": "another"},
                "batch": {**server, "provider": "openai-batch"},
            },
            "growth": {"ladder": [{"name": "sample", "model": "actor"}]},
            "critic": {"model": "again"},
        }
    )
    models = build_models(config, state_dir=tmp_path)
    actor, again, other, batch = (models[name] for name in ("actor", "again", "other", "batch"))
    assert isinstance(actor, OpenAIModel)
    assert isinstance(again, OpenAIModel)
    assert isinstance(other, OpenAIModel)
    assert actor._endpoints == again._endpoints  # one adaptive concurrency
    assert actor._endpoints != other._endpoints
    limits = {address.limits for model in (actor, again, other) for address in model._addresses.values()}
    assert len(limits) == 1  # but one key
    assert isinstance(batch, OpenAIBatchModel)
    assert batch.state_dir == tmp_path
    for model in models.values():
        await model.close()


async def test_the_documented_plugin_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROVIDERS, "_entries", dict(PROVIDERS._entries))
    runpy.run_path(str(ROOT / "examples/plugins/provider/acme_command.py"), run_name="acme_command")
    model = build_model(
        "shout", ModelConfig(provider="acme-command", model="tr", options={"arguments": ["a-z", "A-Z"]})
    )
    reply = await model.sample(ask("two and two", n=3))
    await model.close()
    assert [completion.text for completion in reply.completions] == ["TWO AND TWO"]
    assert model.provider == "acme-command"
    with pytest.raises(ConfigError, match="acme-command, "):
        build_model("actor", ModelConfig(provider="nonesuch", model="m"))
