"""What the supervisor decides once and every zygote and child inherits: slots, their names and their limits."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass

REGION_BYTES = 64 << 20
"""Size of the region through which a request enters a child and its answer leaves; sparse."""
ANSWER = struct.Struct("=8sBIIII")
"""Head of an answer in the region: nonce, outcome, and the bytes of value, traceback, error type and binary data."""
WAKE = struct.Struct("=8sIddIIHI")
"""Message that starts a waiting child: nonce, body bytes, wall and CPU seconds, MiB of address space, file MiB,
processes, and bytes an answer may have."""
TOOL = struct.Struct("=I")
"""Head of a tool call or its answer: bytes that follow."""
EXIT = struct.Struct("=IIiddQ")
"""A zygote's report: slot, pid, wait status, user and system seconds, peak resident KiB."""

FDS = struct.Struct("=iii")
"""What goes with the message that asks a zygote for a child: its control socket, standard output and error."""
FORKED = struct.Struct("=Ii")
"""A zygote's report where users do not tell executions apart: slot and process id of the new child."""

OK, ERROR, MEMORY = 0, 1, 2
"""Outcomes a child may claim in its answer."""


@dataclass(frozen=True)
class Layout:
    """The fixed part of one sandbox."""

    slots: int
    """Executions that may exist at once."""
    base_uid: int | None
    """Slot n runs as user and group `base_uid + n`; None where this process cannot change its user."""
    scratch: str
    """Directory with one sub-directory a slot."""
    isolated: bool
    """False only in the unsafe mode: no seccomp filter, no Landlock domain."""
    file_mb: int
    """Size of the scratch directory of an execution that has one of its own."""

    @property
    def namespaces(self) -> bool:
        """True where executions are kept apart by namespaces instead of users."""
        return self.isolated and self.base_uid is None

    def uid(self, slot: int) -> int | None:
        """The user of a slot."""
        return None if self.base_uid is None else self.base_uid + slot

    def directory(self, slot: int) -> str:
        """The scratch directory of a slot; always of the same length, so that it can be normalised in output."""
        return f"{self.scratch}/{slot:02d}"

    def shared(self, slot: int) -> tuple[str, str]:
        """What a slot with a mount namespace of its own sees as /tmp and as /dev/shm."""
        return f"{self.scratch}/{slot:02d}.tmp", f"{self.scratch}/{slot:02d}.shm"


class Region:
    """Memory shared by the supervisor and the child of one slot; no descriptor of it stays open in the child."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("region", os.MFD_CLOEXEC)
        os.ftruncate(self.fd, REGION_BYTES)

    def map(self) -> mmap.mmap:
        """Maps it into this process."""
        return mmap.mmap(self.fd, REGION_BYTES)  # shared, to be read and written

    def reset(self) -> None:
        """Gives the memory back and leaves zeros."""
        os.ftruncate(self.fd, 0)
        os.ftruncate(self.fd, REGION_BYTES)


START = struct.Struct("=BdiI")
"""What a child sends right before it runs the user's code: a one, the monotonic time, its process id, and the KiB
of private memory it has from its zygote."""
ABSENT = 0xFFFFFFFF
"""Size of a part that an answer does not have."""
