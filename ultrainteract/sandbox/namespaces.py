"""Why this process may not make the namespaces that a sandbox is built of: the setting, how to see it, what to do.

The kernel answers with one of three error numbers for a dozen causes. Each cause here is found by its own evidence
(a sysctl, the root of the process, its seccomp filter, its capabilities), and the message names that evidence, so that
a reader can check it and somebody with the right to do so can change it.

Source: user_namespaces(7), unshare(2), proc(5); the sysctls of Debian (`unprivileged_userns_clone`) and of Ubuntu
(`apparmor_restrict_unprivileged_userns`).
"""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

_CLONE_NEWUSER = 0x10000000
_CAP_NET_ADMIN, _CAP_SYS_ADMIN = 12, 21
_TRY = (
    "import ctypes, sys; c = ctypes.CDLL(None, use_errno=True); "
    f"sys.exit(ctypes.get_errno() if c.unshare({_CLONE_NEWUSER}) else 0)"
)
_SYSCTLS = (
    ("user.max_user_namespaces", "0"),
    ("kernel.unprivileged_userns_clone", "0"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1"),
)
"""Settings that forbid user namespaces at the value given; the last two for ordinary users alone."""
_FIXES = {
    "user.max_user_namespaces": "sysctl -w user.max_user_namespaces=15000",
    "kernel.unprivileged_userns_clone": "sysctl -w kernel.unprivileged_userns_clone=1",
    "kernel.apparmor_restrict_unprivileged_userns": "apt-get install bubblewrap, whose AppArmor profile allows it, or "
    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
}


def privileged(root: Path = Path("/")) -> bool:
    """Whether this process may make namespaces by its own right: root, and not the curtailed root of a container.

    Args:
        root: Where `proc` is looked for; another folder than `/` only in tests.
    """
    held = int(_status(root).get("CapEff", "0"), 16)
    return os.geteuid() == 0 and all(held >> bit & 1 for bit in (_CAP_NET_ADMIN, _CAP_SYS_ADMIN))


def why_forbidden(root: Path = Path("/")) -> str:
    """What keeps this process from making the namespaces of a sandbox, with a way to check and to change it.

    Args:
        root: Where `proc` and the marks of containers are looked for; another folder than `/` only in tests.

    Returns:
        One sentence or two; empty where no cause was found.
    """
    status = _status(root)
    if not status:
        return "/proc is not mounted here (check: ls /proc/self); mount it: mount -t proc proc /proc."
    if not (root / "proc/self/ns/user").exists():
        return "this kernel has no user namespaces (CONFIG_USER_NS; check: ls /proc/self/ns/user)."
    for name, forbidding in _SYSCTLS:
        path = root / "proc/sys" / name.replace(".", "/")
        if _read(path) == forbidding and (not privileged(root) or name == "user.max_user_namespaces"):
            return f"{name} is {forbidding} (check: sysctl {name}); the administrator can allow it: {_FIXES[name]}."
    number = _unshare_error()
    if _chrooted(root, number):
        return (
            "this process runs in a chroot, in which the kernel makes no user namespaces (user_namespaces(7); check: "
            "/proc/self/mountinfo lists no root). Enter the root by pivot_root instead (scripts/bare-machine, "
            "systemd-nspawn), or leave the chroot."
        )
    container = _container(root)
    if container:
        filtered = status.get("Seccomp") == "2"
        evidence = f"unshare: {errno.errorcode.get(number, 'allowed')}, Seccomp: {status.get('Seccomp', '?')}"
        what = "its seccomp filter and hidden parts of /proc forbid" if filtered else "it forbids"
        return (
            f"this is {container}, and {what} new namespaces or file systems in it ({evidence}; check: grep Seccomp "
            "/proc/self/status). Start it with --security-opt seccomp=unconfined --security-opt systempaths=unconfined "
            "(and --security-opt apparmor=unconfined where the host has AppArmor), or run on the host."
        )
    if number == errno.ENOSPC:
        return "user.max_user_namespaces of them are taken already (check: sysctl user.max_user_namespaces)."
    if number == errno.EPERM and status.get("Seccomp") == "2":
        return "a seccomp filter forbids unshare(2) to this process (check: grep Seccomp /proc/self/status)."
    if number:
        return f"the kernel refuses user namespaces: {os.strerror(number)} (check: unshare --user true)."
    return ""


def _status(root: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in _read(root / "proc/self/status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _unshare_error() -> int:
    """Error number of an attempt in a process of its own; 0 where it succeeds."""
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", _TRY], capture_output=True, timeout=20
    ).returncode


def _chrooted(root: Path, number: int) -> bool:
    """Whether the root of this process is not the root of its mount namespace.

    A root that is no mount point is a chroot for certain. One that is may still be, and then only the refusal tells.
    """
    mounts = [line.split() for line in _read(root / "proc/self/mountinfo").splitlines()]
    if mounts and not any(fields[4] == "/" for fields in mounts if len(fields) > 4):
        return True
    try:
        ours, first = os.stat("/proc/self/root/"), os.stat("/proc/1/root/")
    except OSError:  # of another user: nothing can be said
        return False
    return number == errno.EPERM and (ours.st_dev, ours.st_ino) != (first.st_dev, first.st_ino)


def _container(root: Path) -> str:
    """A container's kind in words; empty outside of one."""
    for mark, words in ((".dockerenv", "a Docker container"), ("run/.containerenv", "a Podman container")):
        if (root / mark).exists():
            return words
    named = re.search(r"^container=(\S+)", _read(root / "proc/1/environ").replace("\0", "\n"), re.MULTILINE)
    return f"a container ({named.group(1)})" if named else ""
