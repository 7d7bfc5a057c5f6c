"""Choice of a backend, and the reasons why the others are out."""

from __future__ import annotations

import functools
import logging

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox import bubblewrap
from ultrainteract.sandbox.pool import Pool

_log = logging.getLogger(__name__)


def choose(config: SandboxConfig, run_id: str, unsafe: bool) -> Pool:
    """The pool for `config.kind`.

    Raises:
        SandboxError: The kind, or for `auto` any kind, cannot work here.
    """
    why: list[str] = []
    if config.kind in ("auto", "docker"):
        from ultrainteract.sandbox import docker

        reason = docker.why_not(config.image)
        if not reason:
            return Pool(config, "docker", functools.partial(docker.DockerWorker, run_id=run_id))
        why.append(reason)
    if config.kind in ("auto", "bubblewrap"):
        reason = bubblewrap.why_not()
        if not reason:
            return Pool(config, "bubblewrap", bubblewrap.BubblewrapWorker)
        why.append(reason)
    if unsafe:
        from ultrainteract.sandbox.unsafe import UnsafeWorker

        _log.warning("NO ISOLATION: model-written code runs with the rights of this user.")
        return Pool(config, "unsafe", UnsafeWorker)
    raise SandboxError("Model-written code cannot be isolated on this machine:\n  " + "\n  ".join(why))
