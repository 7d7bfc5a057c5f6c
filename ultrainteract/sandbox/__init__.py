"""Where model-written code runs: Docker, bubblewrap, or, only if told so, without isolation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ultrainteract.errors import SandboxError

if TYPE_CHECKING:
    from ultrainteract.config import SandboxConfig
    from ultrainteract.sandbox.base import Sandbox

__all__ = ["open_sandbox"]


def open_sandbox(config: SandboxConfig, *, run_id: str = "", unsafe: bool = False) -> Sandbox:
    """A sandbox of the configured kind, not started yet.

    Args:
        config: Kind, sizes, limits.
        run_id: Label of the containers, so that `ultrainteract sandbox prune` can tell runs apart: the absolute path
            of the run's directory.
        unsafe: Permission to run model-written code without isolation.

    Raises:
        SandboxError: No isolation is available here; the message says what to install.
    """
    from ultrainteract.sandbox.backends import choose

    if config.kind == "unsafe" and not unsafe:
        raise SandboxError(
            "sandbox.kind is 'unsafe': model-written code would run with your rights. "
            "Pass --unsafe if that is what you want."
        )
    return choose(config, run_id, unsafe)
