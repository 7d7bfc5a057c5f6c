"""Whether a push can succeed, asked before any work: token, namespace, name, and the right to write.

Tokens come from `HF_TOKEN` or the saved login, never from a flag or a file of ours.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ultrainteract.config import PublishConfig
from ultrainteract.dataset.info import INFO_FILE
from ultrainteract.errors import HubError, require

_BARE = frozenset({".gitattributes", "README.md", ".gitignore"})
"""Files of a dataset that holds nothing yet."""


@dataclass(frozen=True)
class Rights:
    """What the check found."""

    repo: str
    """The dataset's full id."""
    user: str
    """Who the token belongs to."""
    created: bool
    """Whether the dataset was made just now."""
    ours: bool
    """Whether it holds an earlier push of this program."""


def hub_api() -> Any:
    """The Hub's client.

    Raises:
        ConfigError: `huggingface_hub` is not installed.
    """
    require("huggingface_hub", "hub")
    from huggingface_hub import HfApi

    from ultrainteract._version import __version__

    return HfApi(
        endpoint=os.environ.get("HF_ENDPOINT"),
        library_name="ultrainteract",
        library_version=__version__,
    )


def check_rights(config: PublishConfig, *, replace: bool = False) -> Rights:
    """Checks that `config.repo` can be written to; makes it where it is missing.

    Args:
        config: Where to publish.
        replace: Allow a dataset that holds something else.

    Raises:
        HubError: No token, a wrong or read-only one, somebody else's namespace, a name that is taken, no right
            to write, or the Hub cannot be reached.
    """
    api = hub_api()
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    if not config.repo:
        raise HubError("No dataset id to publish to: set publish.repo, or name it on the command line.")
    try:
        account = api.whoami()
    except LocalTokenNotFoundError as error:
        raise HubError(
            "No Hub token. Log in with `hf auth login`, or set HF_TOKEN to a token that may write."
        ) from error
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403):
            raise HubError(
                "The Hub refuses the token (HF_TOKEN, or the saved login). Make a new one that may write at "
                "https://huggingface.co/settings/tokens."
            ) from error
        raise unreachable(error) from error
    except HTTPError as error:
        raise unreachable(error) from error
    user = str(account.get("name"))
    token = (account.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        raise HubError(
            f"The Hub token of {user} can only read. Make one that may write at https://huggingface.co/settings/tokens."
        )
    namespace, _, name = config.repo.rpartition("/")
    namespace = namespace or user
    repo = f"{namespace}/{name}"
    groups = [str(group.get("name")) for group in account.get("orgs") or ()]
    if namespace not in (user, *groups):
        raise HubError(
            f"{user} cannot publish as '{namespace}': that is neither the user nor one of its organisations "
            f"({', '.join(groups) or 'none'}). Use {user}/{name}."
        )
    try:
        created = _create(api, repo, config.private)
        files = [] if created else list(api.list_repo_files(repo, repo_type="dataset"))
        ours = INFO_FILE in files
        if not created:
            api.auth_check(repo, repo_type="dataset", write=True)
    except HFValidationError as error:
        raise HubError(f"'{repo}' is no dataset id: {error}") from error
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 403, 404):
            raise HubError(
                f"{user} may not write to the dataset {repo}: {_reason(error)}. "
                "Check the token's permissions, or choose another id."
            ) from error
        raise unreachable(error) from error
    except HTTPError as error:
        raise unreachable(error) from error
    others = [file for file in files if file not in _BARE]
    if others and not ours and not replace:
        raise HubError(
            f"The name {repo} is taken: that dataset holds {len(others)} files which no push of this program made "
            f"(such as {others[0]}). Choose another id, or add --replace to publish there all the same; "
            "no file of others is deleted."
        )
    return Rights(repo, user, created, ours)


def unreachable(error: BaseException) -> HubError:
    """An error of the connection, or of the Hub itself."""
    return HubError(
        f"The Hub cannot be reached or is at fault: {_reason(error)}. Try again later; nothing is lost."
    )


def _create(api: Any, repo: str, private: bool) -> bool:
    from huggingface_hub.errors import HfHubHTTPError

    try:
        api.create_repo(repo, repo_type="dataset", private=private or None)
    except HfHubHTTPError as error:
        if error.response.status_code == 409:
            return False
        if error.response.status_code in (
            401,
            402,
            403,
        ):  # it may exist, with a right to write but not to create
            try:
                api.repo_info(repo, repo_type="dataset")
            except HfHubHTTPError:
                raise error from None
            return False
        raise
    return True


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
