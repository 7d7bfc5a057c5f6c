"""A trained model is published with a card that says what it was trained on, and comes back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub.conftest import hub as hub  # the fixture
from tests.hub.server import HubServer
from ultrainteract import api
from ultrainteract.config import TrainConfig
from ultrainteract.errors import DataError, HubError

pytestmark = pytest.mark.trl


def test_the_card_names_the_data_and_no_place_of_this_machine(
    recipe: Callable[..., TrainConfig], hub: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    config = recipe("nca")
    report = api.train(config, "nca")
    pushed = api.push_model(config.output / "nca", "alice/tiny-nca")
    files = hub.files("alice/tiny-nca", pushed.revision)
    assert files["model.safetensors"] == (config.output / "nca" / "model" / "model.safetensors").read_bytes()
    card = files["README.md"].decode()
    assert f"`{report.data_fingerprint}`" in card
    assert f"`{report.data_digest}`" in card
    assert "36 data" in card
    for name in ("README.md", "train.json"):
        assert str(tmp_path.parent) not in files[name].decode()
    assert (
        api.push_model(config.output / "nca", "alice/tiny-nca").repo == "alice/tiny-nca"
    )  # its own: replaced

    assert pushed.repo in hub.repos
    hub.repos["alice/other"] = hub.repos.pop("alice/tiny-nca")
    hub.repos["alice/other"].commit(
        "main",
        {"weights.bin": hub.repos["alice/other"].commits[pushed.revision]["config.json"]},
        "of somebody",
    )
    with pytest.raises(HubError, match="something else"):
        api.push_model(config.output / "nca", "alice/other")
    with pytest.raises(DataError, match="no trained model"):
        api.push_model(tmp_path, "alice/none")
