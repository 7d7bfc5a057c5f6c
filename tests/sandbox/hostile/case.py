"""What a hostile program is to the suite: its source, the ways it may end, and what must not be left of it.

A program prints `BREACH` and the reason where an attack worked. Before it runs, `@MARK@` becomes a name of its
own (letters and digits, at most 15) and `@KEY@` a number of its own, so that whatever it leaves behind is found.
"""

from __future__ import annotations

import textwrap
import zlib
from dataclasses import dataclass, field

ENDS = frozenset({"ok", "error", "timeout", "memory", "output_limit", "killed"})
"""Any end but a fault: hostile code never makes the sandbox call itself broken."""

SYSCALLS = r"""
import ctypes, os
_x86 = os.uname().machine == "x86_64"
SYS = {name: numbers[0 if _x86 else 1] for name, numbers in {
    "unshare": (272, 97), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "ptrace": (101, 117),
    "io_uring_setup": (425, 425), "keyctl": (250, 219), "add_key": (248, 217), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "setns": (308, 268), "kexec_load": (246, 104), "init_module": (175, 105),
    "reboot": (169, 142), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262), "swapon": (167, 224),
    "acct": (163, 89), "syslog": (103, 116), "sethostname": (170, 161), "clock_settime": (227, 112),
    "capset": (126, 91), "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
    "chroot": (161, 51), "mknodat": (259, 33), "move_pages": (279, 239), "quotactl": (179, 60),
    "adjtimex": (159, 171), "prctl": (157, 167), "seccomp": (317, 277), "clone3": (435, 435),
    "fsopen": (430, 430), "open_tree": (428, 428), "mount_setattr": (442, 442), "memfd_secret": (447, 447),
    "sched_setscheduler": (144, 119), "fsmount": (432, 432), "landlock_restrict_self": (446, 446),
    "lookup_dcookie": (212, 18), "kcmp": (312, 272), "sigqueue": (129, 138), "clone": (56, 220),
    "rt_sigprocmask": (14, 135), "mbind": (237, 235), "get_mempolicy": (239, 236), "process_madvise": (440, 440),
}.items()}
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
def syscall(name, *arguments):
    ctypes.set_errno(0)
    number = SYS[name] if isinstance(name, str) else name
    plain = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _libc.syscall(ctypes.c_long(number), *plain)
def failed_as_it_should(name, *arguments):
    result = syscall(name, *arguments)
    if result >= 0:
        breach(name, arguments, "returned", result)
    else:
        print(name, "refused, errno", ctypes.get_errno())
"""

HELPERS = r"""
def breach(*why):
    print("BREACH", *why, flush=True)
"""


@dataclass(frozen=True)
class Case:
    """One hostile program."""

    name: str
    """Unique name."""
    code: str
    """Python source of the reported cell."""
    ends: frozenset[str] = ENDS
    """Statuses it may end with."""
    cells: tuple[str, ...] = ()
    """Earlier cells."""
    value: str | None = None
    """Value the last cell must have where it ends `ok`; not checked if None."""
    says: str | None = None
    """Text its output must contain where it ends `ok` or `error`."""
    limits: dict[str, float] = field(default_factory=dict)
    """Limits other than the suite's."""
    alone: bool = False
    """Uses so much memory or so many processes that other programs would feel it: no other runs beside it."""
    wait_s: float = 0.0
    """Seconds before the look for what it left behind."""
    quick: bool = False
    """Must end well before its wall-clock limit."""

    @property
    def number(self) -> int:
        """A number made from the name, for keys and ports."""
        return zlib.crc32(self.name.encode()) % 20_000 + 20_000

    @property
    def mark(self) -> str:
        """The name that everything this program leaves behind carries."""
        return f"hx{zlib.crc32(self.name.encode()):08x}"

    def source(self, text: str) -> str:
        """`text` with its marks set and the helpers it uses in front."""
        text = textwrap.dedent(text).replace("@MARK@", self.mark).replace("@KEY@", str(self.number))
        helpers = HELPERS if "breach(" in text or "failed_as_it_should(" in text else ""
        if "syscall(" in text or "failed_as_it_should(" in text:
            helpers += SYSCALLS
        return helpers + text


def ends(*statuses: str) -> frozenset[str]:
    """The statuses as a set."""
    assert ENDS.issuperset(statuses)
    return frozenset(statuses)
