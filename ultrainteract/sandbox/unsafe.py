"""No isolation at all: the same supervisor as an ordinary process, for those who insist."""

from __future__ import annotations

import os
import sys
import tempfile

from ultrainteract.sandbox.image import program_directory
from ultrainteract.sandbox.worker import ENVIRONMENT, ProcessWorker


class UnsafeWorker(ProcessWorker):
    """One supervisor as a plain child process with the rights of this user."""

    _scratch: tempfile.TemporaryDirectory[str] | None = None

    def describe(self) -> str:
        """Name for messages."""
        return "unsafe sandbox"

    def command(self, fd: int) -> list[str]:
        """The supervisor's command line."""
        self._scratch = tempfile.TemporaryDirectory(prefix="ultrainteract-")
        os.chmod(self._scratch.name, 0o711)
        environment = ["/usr/bin/env", "-i", *[f"{name}={value}" for name, value in ENVIRONMENT.items()]]
        command = [
            *environment,
            sys.executable,
            "-s",
            "-B",
            str(program_directory()),
            "--fd",
            str(fd),
            "--unsafe",
        ]
        return [*command, "--slots", str(self.slots), "--scratch", f"{self._scratch.name}/box"]

    async def _reap(self) -> None:
        await super()._reap()
        if self._scratch is not None:
            self._scratch.cleanup()
