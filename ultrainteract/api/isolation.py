"""The sandbox: building its image, checking that it holds, looking around in it, cleaning up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ultrainteract.api.event_loop import complete
from ultrainteract.config import SandboxConfig


def build_sandbox(
    image: str | None = None,
    *,
    base: str | None = None,
    arguments: Mapping[str, str] | None = None,
    network: str = "host",
    if_needed: bool = False,
    cache: bool = True,
    output: Callable[[str], object] = lambda text: None,
) -> bool:
    """Builds the Docker image of the sandbox.

    Args:
        image: Tag of the image; that of the default configuration if None.
        base: Base image with Python 3.11 or newer; `image.DEFAULT_BASE` if None.
        arguments: Arguments of the Dockerfile.
        network: Network mode of the build.
        if_needed: Do nothing if the image is up to date.
        cache: Reuse layers of earlier builds.
        output: Called with the builder's output, piece by piece.

    Returns:
        False where the image was up to date.

    Raises:
        SandboxError: Docker cannot be reached, or the build failed.
    """
    from ultrainteract.sandbox.image import DEFAULT_BASE, build, why_not

    image = image or SandboxConfig().image
    if if_needed and not why_not(image):
        return False
    build(image, base or DEFAULT_BASE, dict(arguments or {}), network, output, cache=cache)
    return True


def check_sandbox(
    config: SandboxConfig, *, unsafe: bool = False, output: Callable[[str], object] = print
) -> int:
    """Starts the sandbox and runs a few programs in it.

    Args:
        config: Kind, image, sizes, limits.
        unsafe: Allow running without isolation.
        output: Called with one line per program.

    Returns:
        How many programs did not behave as they should.

    Raises:
        SandboxError: The sandbox cannot be started.
    """
    from ultrainteract.sandbox.selftest import selftest

    return complete(lambda: selftest(config, unsafe, output))


def sandbox_shell(config: SandboxConfig, *, unsafe: bool = False) -> None:
    """Reads cells from standard input, each ended by an empty line, and prints what a program would see.

    Raises:
        SandboxError: The sandbox cannot be started.
    """
    from ultrainteract.sandbox.selftest import shell

    complete(lambda: shell(config, unsafe))


def prune_sandbox(run: str | None = None) -> int:
    """Removes containers that crashed runs left behind.

    Args:
        run: Only containers of this run id.

    Returns:
        Containers removed.

    Raises:
        SandboxError: Docker cannot be reached.
    """
    from ultrainteract.sandbox.docker import LABEL, RUN_LABEL
    from ultrainteract.sandbox.engine import prune

    return prune(f"{LABEL}=1" if run is None else f"{RUN_LABEL}={run}")
