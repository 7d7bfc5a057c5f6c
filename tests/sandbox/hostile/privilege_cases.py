"""Programs that try to become more than they are, or to reach the kernel's rarer parts."""

from __future__ import annotations

from .case import Case, ends

OK = ends("ok")
REFUSED = ends("ok", "killed")
"""A refused system call fails, or a stricter filter kills the caller."""

FLAGS = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "net": 0x40000000, "ipc": 0x8000000,
         "uts": 0x4000000, "cgroup": 0x2000000, "time": 0x80}  # fmt: skip

CALLS = {
    "mount_tmpfs": '"mount", ctypes.c_char_p(b"t"), ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"tmpfs"), 0, 0',
    "mount_bind": '"mount", ctypes.c_char_p(b"/"), ctypes.c_char_p(b"/tmp"), 0, 4096, 0',
    "mount_rewritable": '"mount", 0, ctypes.c_char_p(b"/"), 0, 32, 0',
    "mount_proc": '"mount", ctypes.c_char_p(b"p"), ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"proc"), 0, 0',
    "mount_by_new_calls": '"fsopen", ctypes.c_char_p(b"tmpfs"), 0',
    "mount_tree": '"open_tree", -100, ctypes.c_char_p(b"/"), 1',
    "mount_attributes": '"mount_setattr", -100, ctypes.c_char_p(b"/"), 0x8000, ctypes.create_string_buffer(32), 32',
    "unmount": '"umount2", ctypes.c_char_p(b"/proc"), 2',
    "pivot_root": '"pivot_root", ctypes.c_char_p(b"/tmp"), ctypes.c_char_p(b"/tmp")',
    "chroot": '"chroot", ctypes.c_char_p(b"/tmp")',
    "trace_parent": '"ptrace", 16, os.getppid(), 0, 0',
    "trace_first_process": '"ptrace", 0x4206, 1, 0, 0',
    "io_uring": '"io_uring_setup", 8, ctypes.create_string_buffer(120)',
    "bpf": '"bpf", 0, ctypes.create_string_buffer(bytes([2, 0, 0, 0, 4, 0, 0, 0, 4, 0, 0, 0, 1]) + bytes(60)), 72',
    "perf_events": '"perf_event_open", ctypes.create_string_buffer(bytes([1, 0, 0, 0, 112]) + bytes(107)), -1, 0, -1, 0',
    "user_faults": '"userfaultfd", 0',
    "kexec": '"kexec_load", 0, 0, 0, 0',
    "kernel_module": '"init_module", ctypes.create_string_buffer(8), 8, ctypes.c_char_p(b"")',
    "reboot": '"reboot", 0xfee1dead, 672274793, 0, 0',
    "file_handles": '"open_by_handle_at", -100, ctypes.create_string_buffer(bytes([8, 0, 0, 0, 1]) + bytes(20)), 0',
    "fanotify": '"fanotify_init", 0, 0',
    "swap": '"swapon", ctypes.c_char_p(b"/tmp/x"), 0',
    "accounting": '"acct", 0',
    "kernel_log": '"syslog", 3, ctypes.create_string_buffer(4096), 4096',
    "host_name": '"sethostname", ctypes.c_char_p(b"pwned"), 5',
    "clock": '"clock_settime", 0, (ctypes.c_long * 2)(1700000000, 0)',
    "memory_of_parent_moved": '"move_pages", os.getppid(), 1, (ctypes.c_long * 1)(4096), 0, (ctypes.c_int * 1)(), 0',
    "memory_policy": '"mbind", 0, 4096, 1, 0, 0, 99999',
    "kernel_keyring": '"keyctl", 0, -3, 1',
    "session_keyring": '"keyctl", 1, 0',
}

CASES = [
    *(Case(f"call_{name}", f"failed_as_it_should({call})", REFUSED) for name, call in CALLS.items()),
    *(
        Case(f"namespace_{name}", f'failed_as_it_should("unshare", {flag})', REFUSED)
        for name, flag in FLAGS.items()
    ),
    Case(
        "namespace_by_clone",
        """
        for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000):
            pid = syscall("clone", flag | 17, 0, 0, 0, 0)
            if pid == 0:
                os._exit(7)
            if pid > 0:
                os.waitpid(pid, 0)
                breach("clone with namespace flag", hex(flag))
        """,
        REFUSED,
    ),
    Case(
        "namespace_by_clone3",
        """
        import struct
        for flag in (0x10000000, 0x40000000):
            pid = syscall("clone3", ctypes.create_string_buffer(struct.pack("=8Q", flag, 0, 0, 0, 17, 0, 0, 0)), 64)
            if pid == 0:
                os._exit(7)
            if pid > 0:
                os.waitpid(pid, 0)
                breach("clone3 with namespace flag", hex(flag))
        """,
        REFUSED,
    ),
    Case(
        "namespace_joined",
        """
        import os
        for pid in (1, os.getppid()):
            for name in ("mnt", "net", "pid", "user", "ipc", "uts", "cgroup"):
                try:
                    fd = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
                except OSError:
                    continue
                if syscall("setns", fd, 0) == 0:
                    breach("joined namespace", name, "of", pid)
        """,
        REFUSED,
    ),
    Case(
        "other_user",
        """
        import os
        if 0 in (os.getuid(), os.geteuid()):
            breach("runs as root")
        for call in (lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setreuid(0, 0), lambda: os.setresuid(0, 0, 0),
                     lambda: os.setuid(os.getuid() + 1), lambda: os.setresuid(-1, 0, -1)):
            try:
                call()
                breach("changed user")
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "other_group",
        """
        import os
        if 0 in (os.getgid(), os.getegid(), *os.getgroups()):
            breach("runs in root's group")
        for call in (lambda: os.setgid(0), lambda: os.setegid(0), lambda: os.setgroups([0]), lambda: os.setresgid(0, 0, 0)):
            try:
                call()
                breach("changed group")
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "capabilities",
        """
        status = dict(line.rstrip("\\n").split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
        for name in ("CapPrm", "CapEff", "CapAmb"):
            if int(status[name], 16):
                breach(name, status[name])
        if status.get("NoNewPrivs", "").strip() != "1":
            breach("no_new_privs is off")
        if status.get("Seccomp", "").strip() != "2":
            breach("no system call filter")
        """,
        OK,
    ),
    Case(
        "capabilities_taken",
        """
        import struct
        head = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0))
        if syscall("capset", head, ctypes.create_string_buffer(struct.pack("=6I", *[0xffffffff] * 6))) == 0:
            breach("took capabilities")
        for capability in range(41):
            if syscall("prctl", 47, 2, capability, 0, 0) == 0:
                breach("ambient capability", capability)
        """,
        OK,
    ),
    Case(
        "filter_removed",
        """
        syscall("prctl", 22, 0, 0, 0, 0)
        syscall("prctl", 38, 0, 0, 0, 0)
        status = open("/proc/self/status").read()
        if "Seccomp:\\t0" in status or "NoNewPrivs:\\t0" in status:
            breach("the filter is gone")
        """,
        REFUSED,
    ),
    Case(
        "set_user_id_programs",
        """
        import glob, os, stat, subprocess
        for folder in ("/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local/bin"):
            for path in glob.glob(folder + "/*"):
                try:
                    mode = os.stat(path)
                except OSError:
                    continue
                if mode.st_mode & (stat.S_ISUID | stat.S_ISGID) and stat.S_ISREG(mode.st_mode):
                    try:
                        found = subprocess.run([path, "root", "-c", "id"], capture_output=True, stdin=subprocess.DEVNULL, timeout=3)
                    except (OSError, subprocess.TimeoutExpired):
                        continue
                    if b"uid=0" in found.stdout:
                        breach(path, "gave root")
        """,
        ends("ok", "error"),
    ),
    Case(
        "set_user_id_file_made",
        """
        import os, shutil, subprocess
        for place in (".", "/tmp", "/dev/shm"):
            try:
                shutil.copy("/bin/sh", place + "/@MARK@")
                os.chmod(place + "/@MARK@", 0o6777)
                os.chown(place + "/@MARK@", 0, 0)
                breach("gave a file to root in", place)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "device_nodes",
        """
        import os, stat
        for number, device in enumerate((os.makedev(1, 1), os.makedev(8, 0), os.makedev(254, 0), os.makedev(10, 229))):
            for kind in (stat.S_IFBLK, stat.S_IFCHR):
                for place in (".", "/tmp", "/dev", "/dev/shm"):
                    try:
                        os.mknod(f"{place}/@MARK@{number}", kind | 0o666, device)
                        breach("made a device in", place)
                    except OSError:
                        pass
        """,
        OK,
    ),
    Case(
        "devices",
        """
        import glob, os, stat
        harmless = {"null", "zero", "full", "random", "urandom", "tty", "ptmx"}
        for path in glob.glob("/dev/**", recursive=True):
            try:
                if os.path.basename(path) in harmless or path.startswith(("/dev/pts", "/dev/fd", "/dev/shm")):
                    continue
                mode = os.stat(path).st_mode
                if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and path not in ("/dev/console", "/dev/stdin", "/dev/stdout", "/dev/stderr")):
                    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
                    breach("may open", path)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "kernel_switches",
        """
        import os
        for path in ("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches",
                     "/proc/sys/vm/overcommit_memory", "/proc/sys/net/ipv4/ip_forward", "/sys/kernel/uevent_helper", "/proc/1/oom_score_adj",
                     "/sys/power/state", "/proc/sys/fs/binfmt_misc/register", "/proc/timer_list", "/sys/kernel/debug", "/proc/acpi"):
            try:
                os.close(os.open(path, os.O_WRONLY))
                breach("may write to", path)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "kernel_memory",
        """
        for path in ("/dev/mem", "/dev/kmem", "/proc/kcore", "/dev/kmsg", "/dev/port", "/proc/kmsg"):
            try:
                if open(path, "rb", buffering=0).read(16):
                    breach("may read", path)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "control_groups",
        """
        import os
        for folder, folders, names in os.walk("/sys/fs/cgroup"):
            if folder.count("/") > 7:
                folders.clear()
            try:
                os.mkdir(folder + "/@MARK@")
                breach("made a control group in", folder)
            except OSError:
                pass
            for name in names:
                if name in ("cgroup.procs", "tasks", "release_agent", "notify_on_release", "memory.max", "memory.limit_in_bytes", "pids.max", "cpu.max", "cgroup.kill"):
                    try:
                        os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                        breach("may write to", folder, name)
                    except OSError:
                        pass
        """,
        OK,
    ),
    Case(
        "memory_of_parent",
        """
        import os
        for pid in (os.getppid(), 1):
            for name in ("mem", "environ", "maps", "auxv", "syscall", "stack"):
                try:
                    if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                        continue
                    with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
                        if file.read(1):
                            breach("may read", name, "of", pid)
                except OSError:
                    pass
            for name in ("fd", "cwd", "root", "exe", "map_files"):
                try:
                    if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                        continue
                    path = f"/proc/{pid}/{name}"
                    os.listdir(path) if name in ("fd", "map_files") else os.readlink(path)
                    breach("may see", name, "of", pid)
                except OSError:
                    pass
        """,
        OK,
    ),
    Case(
        "memory_of_parent_by_call",
        """
        buffer = ctypes.create_string_buffer(8)
        local = (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8)
        address = id(0)
        remote = (ctypes.c_void_p * 2)(address, 8)
        for pid in {os.getppid(), 1}:
            for name in ("process_vm_readv", "process_vm_writev"):
                if syscall(name, pid, local, 1, remote, 1, 0) > 0:
                    try:
                        if os.stat(f"/proc/{pid}").st_uid == os.getuid():
                            continue
                    except OSError:
                        pass
                    breach(name, "on", pid)
        """,
        REFUSED,
    ),
    Case(
        "memory_of_every_process",
        """
        import os
        mine = os.getuid()
        for pid in [p for p in os.listdir("/proc") if p.isdigit()]:
            try:
                if os.stat("/proc/" + pid).st_uid == mine:
                    continue
                open(f"/proc/{pid}/mem", "rb", buffering=0)
                breach("may open the memory of", pid)
            except OSError:
                pass
            try:
                open(f"/proc/{pid}/environ", "rb").read()
                breach("may read the environment of", pid)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "trace_child",
        """
        import time
        pid = os.fork() if (os := __import__("os")) else 0
        if pid == 0:
            time.sleep(2)
            os._exit(0)
        if syscall("ptrace", 16, pid, 0, 0) == 0:
            breach("may trace")
        os.kill(pid, 9)
        """,
        REFUSED,
    ),
    Case("trace_me", 'failed_as_it_should("ptrace", 0, 0, 0, 0)', REFUSED),
    Case(
        "calls_of_32_bits",
        """
        import ctypes, mmap, os
        if os.uname().machine == "x86_64":
            # mov eax, 310 (unshare); mov ebx, CLONE_NEWUSER; int 0x80; ret
            code = b"\\x53\\xb8\\x36\\x01\\x00\\x00\\xbb\\x00\\x00\\x00\\x10\\xcd\\x80\\x5b\\xc3"
            page = mmap.mmap(-1, 4096, prot=7)
            page.write(code)
            if ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))() == 0:
                breach("unshare by the 32-bit call gate")
        """,
        ends("ok", "killed", "error"),
    ),
    Case(
        "calls_of_x32",
        """
        if _x86:
            for number in (272, 101, 425, 165):
                if syscall(0x40000000 | number, 0x10000000, 0, 0, 0, 0) >= 0:
                    breach("x32 call", number)
        """,
        REFUSED,
    ),
    Case(
        "io_ports",
        """
        if _x86:
            for number, arguments in ((172, (3,)), (173, (0, 1, 1))):
                if syscall(number, *arguments) == 0:
                    breach("I/O ports")
        """,
        REFUSED,
    ),
    Case(
        "terminal_input",
        """
        import fcntl, os, termios
        for path in ("/dev/tty", "/dev/console", "/dev/pts/0", "/proc/self/fd/0", "/proc/self/fd/1"):
            try:
                fcntl.ioctl(os.open(path, os.O_RDWR | os.O_NONBLOCK), termios.TIOCSTI, b"x")
                breach("typed into", path)
            except OSError:
                pass
        """,
        OK,
    ),
    Case(
        "core_dumps",
        """
        import ctypes, os, resource
        if resource.getrlimit(resource.RLIMIT_CORE)[1] != 0:
            breach("core dumps are allowed")
        """,
        OK,
    ),
    Case(
        "secret_memory",
        """
        fd = syscall("memfd_secret", 0)
        total = 0
        if fd >= 0:
            os.ftruncate(fd, 4 << 30)
            if syscall("mbind", 0, 0, 0, 0, 0, 0) > 0:
                breach("policy")
        """,
        ends("ok", "error", "killed"),
    ),
]  # fmt: skip
