"""The viewer as a Space, against the local Hub with the real client."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi

import ultrainteract
from tests.hub.server import HubServer
from tests.viewing.conftest import grow
from ultrainteract.errors import HubError


def test_the_viewer_is_a_space_and_is_replaced(hub: HubServer, tmp_path: Path) -> None:
    run = grow(tmp_path / "run", limit=3)
    url = ultrainteract.push_viewer(run, "alice/trees")
    assert url == f"{hub.endpoint}/spaces/alice/trees"
    files = set(HfApi(endpoint=hub.endpoint).list_repo_files("alice/trees", repo_type="space"))
    assert {
        "index.html",
        "viewer.js",
        "viewer.css",
        "README.md",
        "data/library.json",
        "data/0/list.json",
    } <= files
    assert ultrainteract.push_viewer(run, "alice/trees") == url


def test_a_space_with_something_else_is_left_alone(hub: HubServer, tmp_path: Path) -> None:
    run = grow(tmp_path / "run", limit=1)
    api = HfApi(endpoint=hub.endpoint)
    api.create_repo("alice/game", repo_type="space", space_sdk="static")
    (tmp_path / "game.js").write_text("play()")
    api.upload_file(
        path_or_fileobj=tmp_path / "game.js", path_in_repo="game.js", repo_id="alice/game", repo_type="space"
    )
    with pytest.raises(HubError, match="no viewer"):
        ultrainteract.push_viewer(run, "alice/game")
    assert "game.js" in api.list_repo_files("alice/game", repo_type="space")
