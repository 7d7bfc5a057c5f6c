"""The program that runs inside, and the Docker image made of it: how it is built, and when it is out of date.

Needs the standard library only, so that an image can be built before anything is installed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ultrainteract.errors import SandboxError

DEFAULT_BASE = "python:3.12-slim"
PROGRAM_LABEL = "ultrainteract.program"
"""Label with the digest of the program inside."""
_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_CERT")
"""Settings of the caller's environment that installations in the build follow."""


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


def docker(*arguments: str, timeout: float = 60.0, check: bool = True) -> str:
    """Runs the `docker` command and returns what it prints.

    Raises:
        SandboxError: It is missing, failed, or did not end in time.
    """
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=timeout)
    except FileNotFoundError as error:
        raise SandboxError("The docker command is not installed.") from error
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"docker {arguments[0]} did not end within {timeout:g} s.") from error
    if check and done.returncode:
        raise SandboxError(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


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
    if shutil.which("docker") is None:
        return "Docker: the docker command is not installed (https://docs.docker.com/engine/install)"
    if os.environ.get("DOCKER_HOST", "unix:").partition(":")[0] != "unix":
        return (
            "Docker: DOCKER_HOST names an engine on another machine; containers are reached by a local socket"
        )
    try:
        found = json.loads(docker("image", "inspect", image, check=False) or "[]")
        if not found:
            docker("version", "--format", "{{.Server.Version}}")
    except SandboxError as error:
        return f"Docker: {error}"
    if not found:
        return f"Docker: there is no image {image}; build it with: ultrainteract sandbox build"
    label = (found[0]["Config"].get("Labels") or {}).get(PROGRAM_LABEL)
    if label != program_digest():
        return f"Docker: the image {image} is of another version; build it again with: ultrainteract sandbox build"
    return ""


def build(
    image: str, base: str, build_arguments: Mapping[str, str], network: str, extra: Sequence[str]
) -> None:
    """Builds the image, showing what docker prints.

    Args:
        image: Tag of the result.
        base: Base image with Python 3.11 or newer.
        build_arguments: More build arguments, by name.
        network: Network mode of the build.
        extra: More options of `docker build`.

    Raises:
        SandboxError: The build failed.
    """
    arguments = {"BASE": base, **{name: os.environ[name] for name in _PIP if os.environ.get(name)}}
    command = ["docker", "build", "--network", network, "--tag", image]
    command += ["--label", f"{PROGRAM_LABEL}={program_digest()}"]
    for name, value in {**arguments, **build_arguments}.items():
        command += ["--build-arg", f"{name}={value}"]
    try:
        done = subprocess.run([*command, *extra, str(program_directory())])
    except FileNotFoundError as error:
        raise SandboxError("The docker command is not installed.") from error
    if done.returncode:
        raise SandboxError(
            f"docker build failed with exit code {done.returncode}; its output is above. Where images cannot be "
            "pulled, make a base with scripts/sandbox-base and pass it with --base."
        )
