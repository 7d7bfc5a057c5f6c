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
    why = []
    for kind in ("docker", "bubblewrap"):
        if config.kind not in ("auto", kind):
            continue
        reason = _why_not(kind, config)
        if not reason:
            return _pool(kind, config, run_id)
        why.append(reason)
    if unsafe:
        from ultrainteract.sandbox.unsafe import UnsafeWorker

        _log.warning("NO ISOLATION: model-written code runs with the rights of this user.")
        return Pool(config, "unsafe", UnsafeWorker)
    raise SandboxError("Model-written code cannot be isolated on this machine:\n  " + "\n  ".join(why))


def explain(config: SandboxConfig, chosen: str) -> list[str]:
    """Says which backend is used and, of each other one, why it is not.

    Args:
        config: The sandbox's configuration.
        chosen: Kind of the backend that is used.

    Returns:
        One line for each backend, the chosen one first.
    """
    where = {"docker": f"image {config.image}", "bubblewrap": bubblewrap.find()[0]}.get(
        chosen, "no isolation"
    )
    lines = [f"{chosen} is used ({where})"]
    for kind in ("docker", "bubblewrap"):
        if kind == chosen:
            continue
        if config.kind not in ("auto", kind):
            why = f"sandbox.kind is '{config.kind}'"
        else:  # `auto` takes the first that works
            why = _why_not(kind, config) or f"it would work, but {chosen} comes first"
        lines.append(f"{kind} is not used: {why}")
    return lines


def _why_not(kind: str, config: SandboxConfig) -> str:
    if kind == "bubblewrap":
        return bubblewrap.why_not()
    from ultrainteract.sandbox import docker

    return docker.why_not(config.image)


def _pool(kind: str, config: SandboxConfig, run_id: str) -> Pool:
    if kind == "bubblewrap":
        return Pool(config, kind, bubblewrap.BubblewrapWorker)
    from ultrainteract.sandbox import docker

    return Pool(config, kind, functools.partial(docker.DockerWorker, run_id=run_id))
