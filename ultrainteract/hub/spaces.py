"""The viewer as a static Space of the Hub, beside the dataset that it shows."""

from __future__ import annotations

from pathlib import Path

from ultrainteract.errors import HubError
from ultrainteract.hub.client import hub_api

MARK = "data/library.json"
"""A file that every bundle of the viewer has."""


def push_space(folder: Path, space: str, *, private: bool) -> str:
    """Puts a bundle of the viewer into a static Space; one that holds an earlier bundle is replaced.

    Args:
        folder: The bundle.
        space: Id of the Space.
        private: Make a new Space private.

    Returns:
        Its address.

    Raises:
        HubError: The Space holds something else, or the Hub refused it.
        ConfigError: `huggingface_hub` is not installed.
    """
    api = hub_api()
    from httpx2 import HTTPError
    from huggingface_hub.errors import HfHubHTTPError

    try:
        if api.repo_exists(space, repo_type="space"):
            there = set(api.list_repo_files(space, repo_type="space"))
            if MARK not in there and there - {".gitattributes", "README.md", "index.html", "style.css"}:
                raise HubError(f"The Space {space} holds something that is no viewer. Name another one.")
        else:
            api.create_repo(space, repo_type="space", space_sdk="static", private=private)
        api.upload_folder(
            folder_path=folder,
            repo_id=space,
            repo_type="space",
            commit_message="Trees to read",
            delete_patterns=["*"],
        )
    except (HfHubHTTPError, HTTPError) as error:
        raise HubError(f"The Hub did not take the Space {space}: {error}.") from error
    return f"{api.endpoint.rstrip('/')}/spaces/{space}"
