"""Workers in Docker: hardened containers, each with one supervisor, reached by a unix socket.

A container ends by itself when its connection does, so that nothing outlives this process, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox.channel import Channel
from ultrainteract.sandbox.engine import engine, remove
from ultrainteract.sandbox.image import why_not
from ultrainteract.sandbox.worker import CAPABILITIES, START_S, Worker, uid_range

__all__ = ["LABEL", "RUN_LABEL", "DockerWorker", "why_not"]

LABEL = "ultrainteract.sandbox"
RUN_LABEL = "ultrainteract.run"
INSIDE = "/run/host"
_POLL_S = 0.02
_REMOVE_S = 30.0


class DockerWorker(Worker):
    """One container.

    Args:
        config: Image, runtime, limits.
        slots: Executions it may hold at once.
        run_id: Label of the run it belongs to.
    """

    def __init__(self, config: SandboxConfig, slots: int, run_id: str = "") -> None:
        super().__init__(config, slots)
        self.run_id = run_id
        self.container = ""
        """Its name; empty where there is none."""
        self.directory: Path | None = None

    def describe(self) -> str:
        """Name for messages."""
        return f"Docker container of {self.config.image}"

    def options(self, directory: Path) -> dict[str, Any]:
        """What the container is created with, as arguments of the SDK; `directory` holds the socket."""
        from docker.types import LogConfig, Mount, Ulimit

        base = uid_range(self.slots)
        limits = self.config.limits
        memory = f"{self.config.memory_mb}m"
        size = f"{limits.file_mb}m"
        shared = f"{self.slots * limits.file_mb}m"
        tmpfs = {"/tmp": f"size={shared},nr_inodes=65536,mode=1777,nosuid,nodev"}
        for slot in range(self.slots):
            owner = f"uid={base + slot},gid={base + slot}"
            tmpfs[f"/box/{slot:02d}"] = f"size={size},nr_inodes=8192,mode=0700,{owner},nosuid,nodev"
        command = ["--socket", f"{INSIDE}/socket", "--slots", str(self.slots)]
        command += ["--base-uid", str(base), "--scratch", "/box", "--file-mb", str(limits.file_mb)]
        found: dict[str, Any] = {
            "auto_remove": True,
            "init": False,  # the supervisor is the first process: no other one keeps what it starts with
            "network_mode": "none",
            "read_only": True,
            "cap_drop": ["ALL"],
            "cap_add": list(CAPABILITIES),
            # Docker's AppArmor profile refuses all mounts, those in a user namespace too.
            "security_opt": ["no-new-privileges", "apparmor=unconfined"],
            "ipc_mode": "private",
            "hostname": "sandbox",
            "mem_limit": memory,
            "memswap_limit": memory,
            "pids_limit": self.slots * (limits.processes + 2) + 16,
            "cpu_shares": 1024 * self.slots,  # as much as so many processes outside of any container have
            "nano_cpus": (os.cpu_count() or 1) * 10**9,
            "ulimits": [Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=1024, hard=1024)],
            "log_config": LogConfig(type="none"),
            "shm_size": shared,
            "tmpfs": tmpfs,
            "labels": {LABEL: "1", RUN_LABEL: self.run_id},
            "mounts": [Mount(INSIDE, str(directory), type="bind")],
            "command": command,
        }
        if self.config.runtime:
            found["runtime"] = self.config.runtime
        return found

    def _create(self, name: str, directory: Path) -> None:
        with engine(START_S) as client:
            container = client.containers.create(self.config.image, name=name, **self.options(directory))
            if self.container == name:  # it is not wanted any more where the start was given up meanwhile
                container.start()
                return
        remove(name)

    async def _launch(self) -> Channel:
        self.directory = Path(tempfile.mkdtemp(prefix="ultrainteract-"))
        self.container = f"ultrainteract-{secrets.token_hex(8)}"
        try:
            await asyncio.to_thread(self._create, self.container, self.directory)
        except SandboxError as error:
            raise OSError(str(error)) from error
        loop = asyncio.get_running_loop()
        path = self.directory / "socket"
        while True:
            if (self.directory / "error").exists():
                raise OSError("the supervisor failed")
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError, PermissionError):
                _, channel = await loop.create_unix_connection(Channel, str(path))
                return channel
            await asyncio.sleep(_POLL_S)

    async def _reap(self) -> None:
        container, self.container = self.container, ""
        if container:
            try:
                async with asyncio.timeout(_REMOVE_S):
                    await asyncio.to_thread(remove, container)
            except TimeoutError as error:
                raise SandboxError(f"{container} cannot be removed; is the Docker Engine well?") from error
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def _diagnosis(self) -> str:
        if self.directory is None:
            return ""
        with contextlib.suppress(OSError):
            return (self.directory / "error").read_text(errors="replace").strip().splitlines()[-1]
        return ""
