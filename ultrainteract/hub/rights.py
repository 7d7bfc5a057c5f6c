"""Whether a push can succeed, asked before any work: token, namespace, name, and the right to write. Nothing is made.

Tokens come from `HF_TOKEN` or the saved login, never from a flag or a file of ours.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import INFO_FILE, PublishedFiles, RunInfo
from ultrainteract.errors import HubError
from ultrainteract.hub.client import Sleep, hub_api, reason, retried, status_of

_BARE = frozenset({".gitattributes", "README.md", ".gitignore"})
"""Files of a dataset that holds nothing yet."""


@dataclass(frozen=True)
class Rights:
    """What the check found."""

    repo: str
    """The dataset's full id."""
    user: str
    """Who the token belongs to."""
    exists: bool
    """Whether the dataset is there; where it is not, the push makes it."""
    ours: bool
    """Whether it holds an earlier push of this program."""


def check_rights(config: PublishConfig, *, replace: bool = False, sleep: Sleep = time.sleep) -> Rights:
    """Checks that `config.repo` can be published to. Nothing is made or changed.

    Args:
        config: Where to publish.
        replace: Allow a dataset that holds something else; files of others are left alone all the same.
        sleep: Waits between attempts.

    Raises:
        HubError: No token, a wrong or read-only one, somebody else's namespace, a name that is taken, no right
            to write, a public dataset where a private one is asked for, or the Hub cannot be reached.
    """
    api = hub_api()
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    if not config.repo:
        raise HubError("No dataset id to publish to: set publish.repo, or name it on the command line.")
    try:
        account: Mapping[str, Any] = retried(api.whoami, sleep)
    except LocalTokenNotFoundError as error:
        raise HubError(
            "No Hub token. Log in with `hf auth login`, or set HF_TOKEN to a token that may write."
        ) from error
    except HfHubHTTPError as error:
        raise HubError(
            "The Hub refuses the token (HF_TOKEN, or the saved login). Make a new one that may write at "
            "https://huggingface.co/settings/tokens."
        ) from error
    user = str(account.get("name"))
    token = (account.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        raise HubError(
            f"The Hub token of {user} can only read. Make one that may write at https://huggingface.co/settings/tokens."
        )
    namespace, _, name = config.repo.rpartition("/")
    namespace = namespace or user
    repo = f"{namespace}/{name}"
    own = _may_create(account, token, namespace)
    if own is None and not config.create_pr:
        groups = [str(group.get("name")) for group in account.get("orgs") or ()]
        raise HubError(
            f"{user} cannot publish as '{namespace}': that is neither the user nor one of its organisations "
            f"({', '.join(groups) or 'none'}). Use {user}/{name}, or open a pull request with --create-pr."
        )
    try:
        head = retried(lambda: _head(api, repo, config.revision), sleep)
        if head is None:
            if not own:
                raise HubError(
                    f"There is no dataset {repo}, and {user} may not make it. Check the id and the token's permissions."
                )
            return Rights(repo, user, exists=False, ours=False)
        if not config.create_pr:
            retried(lambda: api.auth_check(repo, repo_type="dataset", write=True), sleep)
        files = retried(
            lambda: list(api.list_repo_files(repo, repo_type="dataset", revision=head.sha)), sleep
        )
        published = retried(lambda: published_files(api, repo, head.sha, files), sleep)
    except HFValidationError as error:
        raise HubError(f"'{repo}' is no dataset id: {error}") from error
    except HfHubHTTPError as error:
        raise HubError(
            f"{user} may not write to the dataset {repo}: {reason(error)}. "
            "Check the token's permissions, or choose another id."
        ) from error
    refuse_public(repo, config, private=head.private)
    others = [file for file in files if file not in _BARE]
    if others and published is None and not replace:
        raise HubError(
            f"The name {repo} is taken: that dataset holds {len(others)} files which no push of this program made "
            f"(such as {others[0]}). Choose another id, or add --replace to publish there all the same; "
            "no file of others is replaced or deleted."
        )
    return Rights(repo, user, exists=True, ours=published is not None)


def refuse_public(repo: str, config: PublishConfig, *, private: bool) -> None:
    """Refuses to publish into a public dataset what is meant to be private.

    Raises:
        HubError: The dataset is public, and `config` asks for a private one.
    """
    if config.private and not private:
        raise HubError(
            f"The dataset {repo} is public, and a private one is asked for. Make it private in its settings on the "
            "Hub, or choose another id."
        )


def published_files(api: Any, repo: str, revision: str, files: list[str]) -> PublishedFiles | None:
    """What the last push of this program listed as its own at a revision; None where there was none.

    A file of the same name that somebody else made has no such list, or not with itself in it.
    """
    if INFO_FILE not in files:
        return None
    path = api.hf_hub_download(repo, INFO_FILE, repo_type="dataset", revision=revision)
    return list_in(Path(path).read_bytes())


def list_in(data: bytes) -> PublishedFiles | None:
    """The list of files in the contents of a `run.json`; None where it is not one of a push."""
    try:
        published = RunInfo.model_validate_json(data).published
    except ValidationError:
        return None
    return published if published is not None and INFO_FILE in published.files else None


def _head(api: Any, repo: str, revision: str | None) -> Any:
    """The dataset at a branch, or at the main one where that is still to be made; None where there is no dataset."""
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        return api.repo_info(repo, repo_type="dataset", revision=revision)
    except RevisionNotFoundError:
        return api.repo_info(repo, repo_type="dataset")
    except RepositoryNotFoundError as error:
        if status_of(error) == 401:  # the Hub hides what a token may not see
            return None
        return None


def _may_create(account: Mapping[str, Any], token: Mapping[str, Any], namespace: str) -> bool | None:
    """Whether the token may make datasets in a namespace; None where the user has nothing to do with it."""
    roles = {str(group.get("name")): group.get("roleInOrg") for group in account.get("orgs") or ()}
    if namespace != account.get("name") and namespace not in roles:
        return None
    if roles.get(namespace) == "read":
        return False
    if token.get("role") != "fineGrained":
        return True
    scopes = (token.get("fineGrained") or {}).get("scoped") or ()
    return any(
        "repo.write" in (scope.get("permissions") or ())
        and (scope.get("entity") or {}).get("name") == namespace
        for scope in scopes
    )
