"""One publication, one commit: files are sent, committed on top of what was seen, and read back.

Only files that the last push listed as its own are replaced or deleted; the card is built on the one that is there.
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
from ultrainteract.errors import HubError
from ultrainteract.hub.client import hub_api, passing, status_of, unreachable
from ultrainteract.hub.publication import CARD_FILE, Publication
from ultrainteract.hub.rights import Rights, published_files, refuse_public

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
        HubError: It was refused, a file of others is in the way, attempts ran out, or the Hub has something else than
            was sent.
    """
    api = hub_api()
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError

    info = publication.data.info
    message = message or f"Publish {info.name} ({info.fingerprint[:12]})"
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _attempt(api, publication, rights, config, message, again=attempt > 1)
        except HfHubHTTPError as error:
            if not passing(error) and status_of(error) not in (409, 412):
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


def _make(api: Any, rights: Rights, config: PublishConfig) -> None:
    """Makes the dataset where it is missing; one that came to be since the rights were checked must fit, too."""
    if rights.exists:
        return
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_repo(rights.repo, repo_type="dataset", private=config.private or None)
    except HfHubHTTPError as error:
        if status_of(error) != 409:
            raise
        refuse_public(rights.repo, config, private=api.repo_info(rights.repo, repo_type="dataset").private)


def _attempt(
    api: Any, publication: Publication, rights: Rights, config: PublishConfig, message: str, *, again: bool
) -> Published:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    _make(api, rights, config)
    repo, branch = rights.repo, config.revision or "main"
    opened = _open_request(api, rights, message) if config.create_pr else None
    if opened is not None:
        branch = opened.git_reference
    elif config.revision and not config.create_pr:
        api.create_branch(repo, branch=branch, repo_type="dataset", exist_ok=True)
    head = api.repo_info(repo, repo_type="dataset", revision=branch).sha
    remote = _remote(api, repo, head)
    previous = published_files(api, repo, head, list(remote))
    ours = set(previous.files) if previous else set()
    existing = _card(api, repo, head) if CARD_FILE in remote else ""
    others = [name for name in remote if name not in ours]
    expected = publication.contents(repo, config, existing, previous, others)
    different = _differences(remote, expected)
    blocked = [name for name in different if name in remote and name not in ours and name != CARD_FILE]
    if blocked:
        raise HubError(
            f"{repo} holds {', '.join(blocked[:3])}, which no push of this program made, where this one would write. "
            "Move or delete that on the Hub first, or choose another id: no file of others is replaced or deleted."
        )
    stale = sorted(name for name in ours if name in remote and name not in expected)
    if not stale and not different:
        url = opened.url if opened is not None else f"{api.endpoint}/datasets/{repo}/commit/{head}"
        return Published(repo, head, url, again)
    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        CommitOperationAdd(
            path_in_repo=name, path_or_fileobj=content if isinstance(content, bytes) else str(content)
        )
        for name, content in expected.items()
    ]
    operations += [CommitOperationDelete(path_in_repo=name) for name in stale]
    commit = api.create_commit(
        repo, operations, commit_message=message, repo_type="dataset", revision=branch, parent_commit=head,
        create_pr=config.create_pr and opened is None,
    )  # fmt: skip
    wrong = _differences(_remote(api, repo, commit.oid), expected)
    if wrong:
        raise HubError(
            f"{repo} at {commit.oid} is not what was sent: {', '.join(wrong[:5])}. "
            "Push again; if it stays, report it to the Hub."
        )
    url = opened.url if opened is not None else commit.pr_url or commit.commit_url
    return Published(repo, commit.oid, url, True)


def _card(api: Any, repo: str, revision: str) -> str:
    path = api.hf_hub_download(repo, CARD_FILE, repo_type="dataset", revision=revision)
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def _remote(api: Any, repo: str, revision: str) -> dict[str, tuple[int, str]]:
    """(size, hash) of every file at a revision; the hash is the file's sha256 where it is stored apart, else git's."""
    from huggingface_hub.hf_api import RepoFile

    return {
        entry.path: (entry.size, entry.lfs.sha256 if entry.lfs else entry.blob_id)
        for entry in api.list_repo_tree(repo, repo_type="dataset", revision=revision, recursive=True)
        if isinstance(entry, RepoFile)
    }


def _differences(remote: dict[str, tuple[int, str]], expected: dict[str, Path | bytes]) -> list[str]:
    return [
        name for name, content in expected.items() if name not in remote or not _same(remote[name], content)
    ]


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


def _open_request(api: Any, rights: Rights, title: str) -> Any:
    """The user's open pull request with this title, if there is one: the one to update."""
    for discussion in api.get_repo_discussions(
        rights.repo,
        repo_type="dataset",
        author=rights.user,
        discussion_type="pull_request",
        discussion_status="open",
    ):
        if discussion.title == title:
            return discussion
    return None
