"""One publication, one commit: files are sent, committed on top of what was seen, and read back.

Sending the same publication again sends only what is missing, so an interrupted push is finished by repeating it.
A commit that met another one in between is built anew on top of that; one whose answer was lost is
recognised by its contents and not made twice.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import INFO_FILE
from ultrainteract.errors import HubError
from ultrainteract.exporting.registry import EXPORTERS
from ultrainteract.hub.publication import Publication
from ultrainteract.hub.rights import Rights, hub_api, unreachable

ATTEMPTS = 6
"""Attempts at one push; the client retries single requests by itself."""
WAIT_S = 2.0
"""Wait before the second attempt, doubled each time."""


@dataclass(frozen=True)
class Published:
    """What was published, and where."""

    repo: str
    """The dataset's id."""
    revision: str
    """The commit that was read back and compared."""
    url: str
    """Address of the commit, or of the pull request."""
    changed: bool
    """False where everything was there already."""


def push(
    publication: Publication,
    rights: Rights,
    config: PublishConfig,
    *,
    message: str = "",
    sleep: Callable[[float], None] = time.sleep,
) -> Published:
    """Publishes in one commit, and compares what the Hub then has with what was sent.

    Args:
        publication: What to publish.
        rights: What `check_rights` found.
        config: Branch or pull request, and what the card says.
        message: Commit message; made from the run if empty.
        sleep: Waits between attempts.

    Raises:
        HubError: It was refused, attempts ran out, or the Hub has something else than was sent.
    """
    api = hub_api()
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError

    info = publication.info
    message = message or f"Publish {info.name} ({info.fingerprint[:12]})"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(api, publication, rights, config, message, again=attempt > 1)
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status not in (408, 409, 412, 429) and status < 500:
                raise HubError(f"The Hub refused the push to {rights.repo}: {error}") from error
            failure: Exception = error
        except HTTPError as error:
            failure = error
        except RuntimeError as error:  # what the client makes of an upload that failed
            if not isinstance(error.__cause__, HTTPError):
                raise
            failure = error
        except ValueError as error:  # what the client makes of a card that the Hub finds wrong
            raise HubError(f"The Hub refused the push to {rights.repo}: {error}") from error
        if attempt < ATTEMPTS:
            sleep(WAIT_S * 2 ** (attempt - 1))
    raise HubError(
        f"The push to {rights.repo} failed {ATTEMPTS} times, the last time with: {unreachable(failure)} "
        "Repeat the command to go on: what has arrived is not sent again."
    ) from failure


def _attempt(
    api: Any, publication: Publication, rights: Rights, config: PublishConfig, message: str, *, again: bool
) -> Published:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    repo, branch = rights.repo, config.revision or "main"
    if config.revision:
        api.create_branch(repo, branch=branch, repo_type="dataset", exist_ok=True)
    if config.create_pr and again:
        opened = _open_request(api, repo, message)
        if opened is not None:  # the answer to an earlier attempt was lost, not the request
            head = api.repo_info(repo, repo_type="dataset", revision=opened.git_reference).sha
            expected = _contents(publication, repo, config, api, branch)
            if _matches(api, repo, head, expected):
                return Published(repo, head, opened.url, True)
    head = api.repo_info(repo, repo_type="dataset", revision=branch).sha
    expected = _contents(publication, repo, config, api, head)
    remote = _remote(api, repo, head)
    stale = _stale(remote, expected)
    if not stale and _differences(remote, expected) == []:
        return Published(repo, head, f"{api.endpoint}/datasets/{repo}/commit/{head}", again)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(
            path_in_repo=name, path_or_fileobj=content if isinstance(content, bytes) else str(content)
        )
        for name, content in expected.items()
    ]
    operations += [CommitOperationDelete(path_in_repo=name) for name in stale]
    commit = api.create_commit(
        repo, operations, commit_message=message, repo_type="dataset", revision=branch, parent_commit=head,
        create_pr=config.create_pr,
    )  # fmt: skip
    wrong = _differences(_remote(api, repo, commit.oid), expected)
    if wrong:
        raise HubError(
            f"{repo} at {commit.oid} is not what was sent: {', '.join(wrong[:5])}. "
            "Push again; if it stays, report it to the Hub."
        )
    return Published(repo, commit.oid, commit.pr_url or commit.commit_url, True)


def _contents(
    publication: Publication, repo: str, config: PublishConfig, api: Any, revision: str
) -> dict[str, Path | bytes]:
    """Everything to publish, with the card built on the one that is there."""
    existing = None
    if api.file_exists(repo, "README.md", repo_type="dataset", revision=revision):
        path = api.hf_hub_download(repo, "README.md", repo_type="dataset", revision=revision)
        existing = Path(path).read_text(encoding="utf-8")
    card = publication.card(repo, config, existing)
    return {**publication.files, "README.md": card.encode()}


def _remote(api: Any, repo: str, revision: str) -> dict[str, tuple[int, str]]:
    """(size, hash) of every file at a revision; the hash is the file's sha256 where it is stored apart, else git's."""
    from huggingface_hub.hf_api import RepoFile

    return {
        entry.path: (entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id)
        for entry in api.list_repo_tree(repo, repo_type="dataset", revision=revision, recursive=True)
        if isinstance(entry, RepoFile)
    }


def _stale(remote: dict[str, tuple[int, str]], expected: dict[str, Path | bytes]) -> list[str]:
    """Files of an earlier push that this one does not have: shards of exports, and figures."""
    managed = (*(f"{name}/" for name in EXPORTERS), *(("figures/",) if INFO_FILE in remote else ()))
    return [
        name for name in remote
        if name not in expected and name.startswith(managed) and name.endswith((".parquet", ".png"))
    ]  # fmt: skip


def _differences(remote: dict[str, tuple[int, str]], expected: dict[str, Path | bytes]) -> list[str]:
    return [
        name for name, content in expected.items() if name not in remote or not _same(remote[name], content)
    ]


def _matches(api: Any, repo: str, revision: str, expected: dict[str, Path | bytes]) -> bool:
    return not _differences(_remote(api, repo, revision), expected)


def _same(remote: tuple[int, str], content: Path | bytes) -> bool:
    size, known = remote
    actual = len(content) if isinstance(content, bytes) else content.stat().st_size
    if actual != size:
        return False
    digest = hashlib.sha256() if len(known) == 64 else hashlib.sha1(f"blob {size}\0".encode())
    if isinstance(content, bytes):
        digest.update(content)
    else:
        with content.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest() == known


def _open_request(api: Any, repo: str, title: str) -> Any:
    """The open pull request with this title, if there is one."""
    for discussion in api.get_repo_discussions(
        repo, repo_type="dataset", discussion_type="pull_request", discussion_status="open"
    ):
        if discussion.title == title:
            return discussion
    return None
