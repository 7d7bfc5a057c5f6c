"""What a process is allowed to ask of the kernel: a seccomp filter and a Landlock domain, by ctypes.

The filter is installed once, in the zygote, and inherited by every child. The Landlock domain is entered by each
child, so that no two executions share abstract sockets, signals or files.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 4, 22, 38, 36
ENOSYS, EPERM = 38, 1
AF_UNIX = 1
NAMESPACE_FLAGS = 0x7E020080 | 0x00020000
"""CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}."""

# System calls by name: (x86_64, aarch64); None where the architecture lacks it.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171), "bpf": (321, 280), "chroot": (161, 51),
    "clock_adjtime": (305, 266), "clock_settime": (227, 112), "clone": (56, 220), "clone3": (435, 435),
    "delete_module": (176, 106), "fanotify_init": (300, 262), "finit_module": (313, 273),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fsopen": (430, 430), "fspick": (433, 433),
    "init_module": (175, 105), "io_setup": (206, 0), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425), "ioperm": (173, None), "iopl": (172, None), "kcmp": (312, 272),
    "kexec_file_load": (320, 294), "kexec_load": (246, 104), "keyctl": (250, 219),
    "lookup_dcookie": (212, 18), "mbind": (237, 235), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "migrate_pages": (256, 238), "mount": (165, 40), "mount_setattr": (442, 442), "move_mount": (429, 429),
    "move_pages": (279, 239), "mq_open": (240, 180), "mq_unlink": (241, 181), "msgctl": (71, 187),
    "msgget": (68, 186), "msgrcv": (70, 188), "msgsnd": (69, 189), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "open_tree": (428, 428), "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438), "pivot_root": (155, 41), "process_madvise": (440, 440),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "ptrace": (101, 117), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "reboot": (169, 142), "request_key": (249, 218), "semctl": (66, 191),
    "prctl": (157, 167), "sched_setattr": (314, 274), "sched_setscheduler": (144, 119), "setpriority": (141, 140),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "set_mempolicy": (238, 237),
    "setdomainname": (171, 162), "sethostname": (170, 161), "settimeofday": (164, 170),
    "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "shmget": (29, 194), "socket": (41, 198),
    "swapoff": (168, 225), "swapon": (167, 224), "syslog": (103, 116), "umount2": (166, 39),
    "unshare": (272, 97), "userfaultfd": (323, 282), "vhangup": (153, 58), "vmsplice": (278, 75),
}  # fmt: skip
_PRCTL = 157 if platform.machine() == "x86_64" else 167
_FILTERED_BY_ARGUMENT = ("socket", "clone", "clone3", "prctl", "sched_setscheduler", "setpriority")
_SCHED_BATCH, _SCHED_IDLE = 3, 5


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def prctl(option: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0) -> int:
    """prctl(2), raising OSError."""
    return _check(libc.prctl(option, a, b, c, d), f"prctl {option}")


def seccomp_program(unix_sockets: bool) -> bytes:
    """The filter as classic BPF.

    Args:
        unix_sockets: Allow `socket(AF_UNIX)`; socket pairs are always allowed.
    """
    x86 = platform.machine() == "x86_64"
    audit_arch = 0xC000003E if x86 else 0xC00000B7
    number = {name: pair[0 if x86 else 1] for name, pair in _NUMBERS.items()}
    load, jeq, jge, jset, ret, and_ = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
    first, second, third = 16, 24, 32
    """Where the low halves of a call's arguments lie."""
    allow, errno, kill = 0x7FFF0000, 0x00050000, 0x80000000
    code: list[tuple[int, int, int, int]] = [
        (load, 0, 0, 4),
        (jeq, 1, 0, audit_arch),
        (ret, 0, 0, kill),
        (load, 0, 0, 0),
    ]
    if x86:  # the x32 interface would give every call a second number
        code += [(jge, 0, 1, 0x40000000), (ret, 0, 0, errno | ENOSYS)]
    code += [(jeq, 0, 1, number["clone3"] or 0), (ret, 0, 0, errno | ENOSYS)]  # libc falls back to clone
    code += [
        (jeq, 0, 4, number["clone"] or 0),
        (load, 0, 0, first),
        (jset, 0, 1, NAMESPACE_FLAGS),
        (ret, 0, 0, errno | EPERM),
        (ret, 0, 0, allow),
    ]
    code += [
        (jeq, 0, 4, number["socket"] or 0),
        (load, 0, 0, first),
        (jeq, 0, 1, AF_UNIX if unix_sockets else 0xFFFF),
    ]
    code += [(ret, 0, 0, allow), (ret, 0, 0, errno | EPERM)]
    # A program that gave way to others would look like one that the machine is too busy for, and one that hides its
    # maps could hold memory unseen: both calls return as if they had worked.
    code += [
        (jeq, 0, 4, number["setpriority"] or 0),
        (load, 0, 0, third),
        (jset, 1, 0, 0x80000000),  # upwards, which the kernel refuses
        (ret, 0, 0, errno),
        (ret, 0, 0, allow),
        (jeq, 0, 6, number["sched_setscheduler"] or 0),
        (load, 0, 0, second),
        (and_, 0, 0, 0x3FFFFFFF),
        (jeq, 1, 0, _SCHED_BATCH),
        (jeq, 0, 1, _SCHED_IDLE),
        (ret, 0, 0, errno),
        (ret, 0, 0, allow),
        (jeq, 0, 6, number["prctl"] or 0),
        (load, 0, 0, first),
        (jeq, 0, 3, PR_SET_DUMPABLE),
        (load, 0, 0, second),
        (jeq, 0, 1, 0),
        (ret, 0, 0, errno),
        (ret, 0, 0, allow),
    ]
    denied = sorted({n for name, n in number.items() if n is not None and name not in _FILTERED_BY_ARGUMENT})
    for position, n in enumerate(denied):
        code.append((jeq, len(denied) - position, 0, n))
    code += [(ret, 0, 0, allow), (ret, 0, 0, errno | EPERM)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def install_seccomp(program: bytes) -> None:
    """Installs the filter in this process, for good and for all its children."""
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer))
    pointer = ctypes.create_string_buffer(header, len(header))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(pointer))


def let_itself_be_seen() -> None:
    """Makes /proc/self this process's own again after a change of user; by the call that Landlock needs as well,
    because the first use of each costs a child more than the call.
    """
    _check(libc.syscall(_PRCTL, PR_SET_DUMPABLE, 1), "prctl dumpable")


# --------------------------------------------------------------------------------------------- Landlock

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_ALL_FS = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_FILE_ONLY = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def landlock_version() -> int:
    """The kernel's Landlock ABI, 0 if there is none."""
    return max(0, libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1))


def landlock_ruleset(readable: list[str], writable: list[str]) -> int:
    """A ruleset (descriptor) under which only the named trees can be read, or also written.

    Where none is named, files are not restricted. TCP, abstract sockets of others and signals to others are
    refused where the kernel knows how to.
    """
    version = landlock_version()
    rights = _ALL_FS | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    if not readable and not writable:
        rights = 0
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", rights, network, scoped), 24)
    ruleset = _check(
        libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0), "landlock_create_ruleset"
    )
    for paths, allowed in ((readable, _EXECUTE | _READ_FILE | _READ_DIR), (writable, rights)):
        for path in paths:
            _add_path(ruleset, path, allowed)
    return ruleset


def _add_path(ruleset: int, path: str, allowed: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            allowed &= _FILE_ONLY
        rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, descriptor), 12)
        _check(libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), f"landlock_add_rule {path}")
    finally:
        os.close(descriptor)


def landlock_restrict(ruleset: int) -> None:
    """Enters a domain of its own under `ruleset`."""
    _check(libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
