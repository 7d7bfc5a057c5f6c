"""Workers in Docker: hardened containers, each with one supervisor, reached by a unix socket.

A container ends by itself when its connection does, so that nothing outlives this process, however it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import SandboxError
from ultrainteract.sandbox.channel import Channel
from ultrainteract.sandbox.image import why_not
from ultrainteract.sandbox.worker import CAPABILITIES, Worker, uid_range

__all__ = ["LABEL", "RUN_LABEL", "DockerWorker", "why_not"]

LABEL = "ultrainteract.sandbox"
RUN_LABEL = "ultrainteract.run"
INSIDE = "/run/host"
_POLL_S = 0.02


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
        self.directory: Path | None = None

    def describe(self) -> str:
        """Name for messages."""
        return f"Docker container of {self.config.image}"

    def command(self, directory: Path) -> list[str]:
        """The `docker run` command line; `directory` holds the socket."""
        base = uid_range(self.slots)
        limits = self.config.limits
        megabytes = self.config.memory_mb
        processes = self.slots * (limits.processes + 2) + 16
        shared = f"size={self.slots * limits.file_mb}m,nr_inodes=65536,mode=1777,nosuid,nodev"
        command = ["docker", "run", "--detach", "--rm", "--init", "--network", "none", "--read-only"]
        command += ["--cap-drop", "ALL", *[f"--cap-add={name}" for name in CAPABILITIES]]
        command += ["--security-opt", "no-new-privileges", "--ipc", "private", "--hostname", "sandbox"]
        command += ["--memory", f"{megabytes}m", "--memory-swap", f"{megabytes}m"]
        command += ["--pids-limit", str(processes), "--cpus", str(os.cpu_count() or 1)]
        command += ["--ulimit", "core=0", "--ulimit", "nofile=1024:1024", "--log-driver", "none"]
        command += ["--shm-size", f"{self.slots * limits.file_mb}m", "--tmpfs", f"/tmp:{shared}"]
        for slot in range(self.slots):
            options = f"size={limits.file_mb}m,nr_inodes=8192,mode=0700,uid={base + slot},gid={base + slot}"
            command += ["--tmpfs", f"/box/{slot:02d}:{options},nosuid,nodev"]
        command += ["--label", f"{LABEL}=1", "--label", f"{RUN_LABEL}={self.run_id}"]
        command += ["--mount", f"type=bind,src={directory},dst={INSIDE}"]
        if self.config.runtime:
            command += ["--runtime", self.config.runtime]
        command += [self.config.image, "--socket", f"{INSIDE}/socket", "--slots", str(self.slots)]
        return [*command, "--base-uid", str(base), "--scratch", "/box"]

    async def _launch(self) -> Channel:
        self.directory = Path(tempfile.mkdtemp(prefix="ultrainteract-"))
        process = await asyncio.create_subprocess_exec(
            *self.command(self.directory),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            raise
        if process.returncode:
            lines = err.decode(errors="replace").strip().splitlines() or ["no message"]
            raise OSError(f"docker run: {lines[0]}")
        self.container = out.decode().strip()
        path = self.directory / "socket"
        loop = asyncio.get_running_loop()
        while True:
            if (self.directory / "error").exists():
                raise OSError("the supervisor failed")
            with contextlib.suppress(FileNotFoundError, ConnectionRefusedError, PermissionError):
                _, channel = await loop.create_unix_connection(Channel, str(path))
                return channel
            await asyncio.sleep(_POLL_S)

    async def _reap(self) -> None:
        if self.container:
            container, self.container = self.container, ""
            process = await asyncio.create_subprocess_exec(
                "docker", "rm", "--force", container,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
            try:
                async with asyncio.timeout(30):
                    await process.wait()
            except TimeoutError as error:
                process.kill()
                raise SandboxError(
                    f"docker rm {container[:12]} did not end; is the Docker Engine well?"
                ) from error
        if self.directory is not None:
            shutil.rmtree(self.directory, ignore_errors=True)

    async def _diagnosis(self) -> str:
        if self.directory is None:
            return ""
        with contextlib.suppress(OSError):
            return (self.directory / "error").read_text(errors="replace").strip().splitlines()[-1]
        return ""
