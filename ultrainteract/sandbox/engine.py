"""The Docker Engine, through the Docker SDK for Python: imported when it is needed, each call with a deadline."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ultrainteract.errors import SandboxError, require

if TYPE_CHECKING:
    from docker import DockerClient

CALL_S = 60.0


@contextlib.contextmanager
def engine(timeout_s: float = CALL_S) -> Iterator[DockerClient]:
    """A connection to the engine that `docker` itself would use (DOCKER_HOST, the current context, the local socket).

    Args:
        timeout_s: Seconds that the engine may be silent in one call.

    Raises:
        ConfigError: The SDK is not installed.
        SandboxError: The engine cannot be reached, refuses a call or does not answer in time; raised for whatever
            the SDK raises inside the `with` block, too.
    """
    require("docker", "docker")
    import docker
    import requests

    try:
        client = docker.from_env(timeout=timeout_s)
        with contextlib.closing(client):
            yield client
    except docker.errors.APIError as error:
        raise SandboxError(f"The Docker Engine refused: {error.explanation or error}") from error
    except docker.errors.DockerException as error:
        raise SandboxError(f"The Docker Engine cannot be reached: {error}") from error
    except requests.exceptions.Timeout as error:
        raise SandboxError(f"The Docker Engine did not answer within {timeout_s:g} s.") from error
    except requests.exceptions.RequestException as error:
        raise SandboxError(f"The connection to the Docker Engine broke: {error}") from error


def remove(container: str) -> None:
    """Kills and removes a container; nothing happens if it is gone, or going, already.

    Raises:
        ConfigError: The SDK is not installed.
        SandboxError: The engine does not do it.
    """
    from docker.errors import APIError, NotFound

    with engine() as client:
        try:
            client.api.remove_container(container, force=True)
        except NotFound:
            pass
        except APIError as error:
            if error.status_code != 409:  # its removal is in progress
                raise


def prune(labels: str | list[str]) -> int:
    """Removes all containers with the labels, running or not.

    Args:
        labels: `name=value`, one or more.

    Returns:
        How many there were.

    Raises:
        ConfigError: The SDK is not installed.
        SandboxError: The engine does not do it.
    """
    with engine() as client:
        found = [container["Id"] for container in client.api.containers(all=True, filters={"label": labels})]
    for container in found:
        remove(container)
    return len(found)
