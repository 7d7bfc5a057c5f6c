"""The program that runs inside, and the Docker image made of it: how it is built, and when it is out of date."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from ultrainteract.errors import ConfigError, SandboxError
from ultrainteract.sandbox.engine import engine

DEFAULT_BASE = "python:3.12-slim"
PROGRAM_LABEL = "ultrainteract.program"
"""Label with the digest of the program inside."""
_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT")
"""Settings of the caller's environment that installations in the build follow."""
BUILD_SILENCE_S = 900.0
"""Seconds that a build may go without any output."""


def program_directory() -> Path:
    """The directory of the program that runs inside, in a checkout or in an installed wheel.

    Raises:
        SandboxError: It is in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "_sandbox", package.parent / "sandbox"):
        if (candidate / "_supervisor" / "server.py").is_file():
            return candidate
    raise SandboxError("The sandbox program is missing from this installation; install ultrainteract again.")


def program_digest() -> str:
    """Digest of everything that goes into the image besides its base."""
    root = program_directory()
    digest = hashlib.sha256()
    paths = [
        root / "Dockerfile",
        root / "requirements.txt",
        root / "__main__.py",
        *root.glob("_supervisor/*.py"),
    ]
    for path in sorted(paths):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def why_not(image: str) -> str:
    """What keeps the Docker backend from working here; empty if nothing does."""
    try:
        with engine() as client:
            if not client.api.base_url.startswith("http+docker:"):
                return "Docker: the engine is on another machine; containers are reached by a local socket"
            from docker.errors import ImageNotFound

            try:
                found = client.images.get(image)
            except ImageNotFound:
                return f"Docker: there is no image {image}; build it with: ultrainteract sandbox build"
    except (ConfigError, SandboxError) as error:
        return f"Docker: {error}"
    if found.labels.get(PROGRAM_LABEL) != program_digest():
        return f"Docker: the image {image} is of another version; build it again with: ultrainteract sandbox build"
    return ""


def build(
    image: str,
    base: str,
    build_arguments: Mapping[str, str],
    network: str,
    say: Callable[[str], object],
    *,
    cache: bool = True,
) -> None:
    """Builds the image.

    Args:
        image: Tag of the result.
        base: Base image with Python 3.11 or newer.
        build_arguments: More build arguments, by name.
        network: Network mode of the build.
        say: Called with each piece of the engine's output, line ends included.
        cache: Use layers of earlier builds.

    Raises:
        ConfigError: The Docker SDK is not installed.
        SandboxError: The build failed.
    """
    arguments = {"BASE": base, **{name: os.environ[name] for name in _PIP if os.environ.get(name)}}
    with engine(BUILD_SILENCE_S) as client:
        steps = client.api.build(
            path=str(program_directory()),
            tag=image,
            labels={PROGRAM_LABEL: program_digest()},
            buildargs={**arguments, **build_arguments},
            network_mode=network,
            nocache=not cache,
            rm=True,
            forcerm=True,
            decode=True,
        )
        for step in steps:
            if "error" in step:
                raise SandboxError(
                    f"The image cannot be built: {step['error'].strip()} (the output is above). Where images cannot "
                    "be pulled, make a base with scripts/sandbox-base and pass it with --base."
                )
            say(
                step.get("stream") or (f"{step['status']}\n" if "status" in step and "id" not in step else "")
            )
