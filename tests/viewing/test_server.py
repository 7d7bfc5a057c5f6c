"""Who is answered, with what, and that nothing is written."""

from __future__ import annotations

import hashlib
import http.client
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from tests.viewing.conftest import fetched, serving
from ultrainteract.errors import ConfigError
from ultrainteract.viewing.security import Guard


def asked(address: str, method: str = "GET", path: str = "/", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(urlsplit(address).netloc)
    connection.request(
        method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    answer = connection.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    return answer


@pytest.mark.parametrize(
    "path", ["/", "/viewer.js", "/api/library", "/api/0/trees", "/nothing.js", "/api/7/trees"]
)
def test_every_answer_has_the_policy(address: str, path: str) -> None:
    answer = asked(address, path=path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
def test_only_requests_for_this_address_are_answered(address: str, host: str, status: int) -> None:
    assert asked(address, path="/api/library", Host=host).status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/0/trees", "/", "/api/library"])
def test_nothing_else_may_be_done(address: str, method: str, path: str) -> None:
    assert asked(address, method, path).status in (403, 405)


def test_files_outside_the_page_are_not_given_out(address: str) -> None:
    for path in ("/../server.py", "/%2e%2e/server.py", "/..%2fserver.py", "/index.html/../../server.py"):
        assert asked(address, path=path).status in (403, 404)


def test_a_token_is_asked_for(run: Path) -> None:
    with serving(str(run), "--token", "let-me-in") as address:
        assert address.endswith("?token=let-me-in")
        assert asked(address, path="/api/library").status == 401
        assert asked(address, path="/api/library?token=wrong").status == 401
        opened = asked(address, path="/?token=let-me-in")
        cookie = opened.headers["Set-Cookie"]
        assert opened.status == 200
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert asked(address, path="/api/library", Cookie=cookie.partition(";")[0]).status == 200


def test_the_network_is_not_served_without_a_token() -> None:
    with pytest.raises(ConfigError, match="--token"):
        Guard("0.0.0.0")
    Guard("::1")
    Guard("0.0.0.0", token="t")


def test_a_tree_comes_as_it_is_stored(address: str, run: Path) -> None:
    from ultrainteract.schema import Tree
    from ultrainteract.store import RunStore

    with RunStore.open(run) as store:
        tree = next(store.trees())
    found = fetched(address, f"api/0/tree/{tree.id[:10]}")
    assert Tree.model_validate(found["tree"]) == tree
    assert found["key"] == tree.id
    assert found["others"] == [1]


def test_an_id_that_is_not_there_is_said(address: str) -> None:
    with pytest.raises(HTTPError) as caught:
        fetched(address, "api/0/tree/ffffffffffff")
    assert caught.value.code == 404
    assert "There is no input" in caught.value.read().decode()


def test_every_export_of_a_tree_is_shown(address: str, run: Path) -> None:
    import ultrainteract

    tree = fetched(address, "api/0/trees?state=complete")["lines"][0]["key"]
    formats = fetched(address, f"api/0/tree/{tree}")["formats"]
    assert {"sft", "pair", "trl-preference"} <= set(formats)
    assert "trees" not in formats
    rows = fetched(address, f"api/0/exported/{tree}/pair")["rows"]
    assert rows == [row for row in ultrainteract.to_rows(run, "pair") if row["parent_id"] == tree]
    assert rows


def test_samples_that_were_not_kept_are_shown(address: str, run: Path) -> None:
    import ultrainteract

    tree = fetched(address, "api/0/trees?sort=-depth")["lines"][0]["key"]
    drawn = fetched(address, f"api/0/drawn/{tree}")
    assert [call["text"] for call in drawn] == [call.text for call in ultrainteract.recorded_calls(run, tree)]


def test_the_store_is_not_written(run: Path, other_run: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256((run / "store.sqlite").read_bytes()).digest()
    with serving(str(run)) as address:
        fetched(address, "api/0/trees", whole=True)
        fetched(address, "api/0/live")
    assert hashlib.sha256((run / "store.sqlite").read_bytes()).digest() == digest


def test_figures_are_those_of_stats(address: str, run: Path) -> None:
    import ultrainteract

    assert fetched(address, "api/0/figures")["pairs"] == ultrainteract.stats(run).pairs
