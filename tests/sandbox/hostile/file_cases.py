"""Programs that fill the disk, write where they must not, or leave something for the next one."""

from __future__ import annotations

from .case import Case, ends

FILL = """
import os
def fill(place, most):
    written = number = 0
    try:
        while written < most:
            with open(os.path.join(place, f"@MARK@{number}"), "wb", buffering=0) as file:
                for _ in range(16):
                    written += file.write(b"x" * (1 << 20))
            number += 1
    except OSError as error:
        print("stopped by", error.errno, "at", written >> 20, "MiB")
    if written >= most:
        breach(written >> 20, "MiB in", place)
"""

CASES = [
    Case(
        "one_large_file",
        FILL + """
written = 0
with open("@MARK@", "wb", buffering=0) as file:
    while written < 1 << 30:
        written += file.write(b"x" * (1 << 20))
        if written > 512 << 20:
            breach("a file of 512 MiB")
            break
""",
        ends("error", "killed"), alone=True,
    ),
    Case("scratch_filled", FILL + "fill(os.getcwd(), 2 << 30)", ends("ok", "killed"), alone=True),
    Case("tmp_filled", FILL + "fill('/tmp', 2 << 30)", ends("ok", "killed"), alone=True),
    Case("var_tmp_filled", FILL + "fill('/var/tmp', 2 << 30)", ends("ok", "killed"), alone=True),
    Case("shm_filled", FILL + "fill('/dev/shm', 2 << 30)", ends("ok", "killed"), alone=True),
    Case("run_filled", FILL + "fill('/run', 1 << 30)\nfill('/dev', 1 << 30)\nfill('/dev/mqueue', 1 << 30)", ends("ok", "killed"), alone=True),
    Case(
        "inodes_used_up",
        """
        import os
        for place in (os.getcwd(), "/tmp", "/dev/shm", "/var/tmp"):
            made = 0
            try:
                while made < 300_000:
                    os.close(os.open(f"{place}/@MARK@{made}", os.O_CREAT | os.O_WRONLY))
                    made += 1
            except OSError as error:
                print(place, "stopped by", error.errno, "at", made)
            if made >= 300_000:
                breach("no limit on files in", place)
        """,
        ends("ok", "timeout", "killed"), alone=True,
    ),
    Case(
        "directories_used_up",
        """
        import os
        made = 0
        try:
            while made < 300_000:
                os.mkdir(f"@MARK@{made}")
                made += 1
        except OSError:
            pass
        if made >= 300_000:
            breach("no limit on directories")
        """,
        ends("ok", "timeout", "killed"), alone=True,
    ),
    Case(
        "directories_nested",
        """
        import os
        try:
            for _ in range(3_000):
                os.mkdir("@MARK@")
                os.chdir("@MARK@")
        except OSError:
            pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "names_that_break_tools",
        r"""
        import os
        for place in (b".", b"/tmp", b"/dev/shm", b"/var/tmp"):
            for name in (b"@MARK@\n", b"@MARK@\xff\xfe", b"-rf @MARK@", b"@MARK@ * ? $(true) `true`", b"@MARK@" + b"a" * 240):
                try:
                    open(os.path.join(place, name), "wb").close()
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "closed_directories",
        """
        import os
        for place in (".", "/tmp", "/dev/shm", "/var/tmp"):
            try:
                os.makedirs(f"{place}/@MARK@/inner")
                open(f"{place}/@MARK@/inner/file", "w").close()
                os.chmod(f"{place}/@MARK@/inner/file", 0)
                os.chmod(f"{place}/@MARK@/inner", 0)
                os.chmod(f"{place}/@MARK@", 0)
            except OSError:
                pass
        os.chmod(".", 0)
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "links_for_the_cleaner",
        """
        import os
        for place in (".", "/tmp", "/dev/shm", "/var/tmp"):
            for number, target in enumerate(("/", "/etc/passwd", "/proc/self", "..", "/dev", os.__file__)):
                try:
                    os.symlink(target, f"{place}/@MARK@{number}")
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "hard_links",
        """
        import os
        for target in ("/etc/passwd", "/etc/shadow", os.__file__):
            for place in (".", "/tmp", "/dev/shm"):
                try:
                    os.link(target, f"{place}/@MARK@{os.path.basename(target)}")
                except OSError:
                    continue
                if os.access(f"{place}/@MARK@{os.path.basename(target)}", os.W_OK):
                    breach("a writable link to", target)
        """,
        ends("ok"),
    ),
    Case(
        "special_files",
        """
        import os, socket
        for place in ("/tmp", "/dev/shm", "/var/tmp", "."):
            try:
                os.mkfifo(f"{place}/@MARK@fifo")
                socket.socket(socket.AF_UNIX).bind(f"{place}/@MARK@socket")
            except OSError:
                pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "immutable_files",
        """
        import array, fcntl, os
        for place in (".", "/tmp", "/dev/shm", "/var/tmp"):
            try:
                with open(f"{place}/@MARK@", "w") as file:
                    fcntl.ioctl(file, 0x40086602, array.array("l", [0x10]))
                breach("an immutable file in", place)
            except OSError:
                pass
        """,
        ends("ok"),
    ),
    Case(
        "sparse_file",
        "with open('@MARK@', 'wb') as f:\n    f.truncate(1 << 40)\nbreach('a file of 1 TiB')",
        ends("error", "killed"),
    ),
    Case(
        "scratch_removed",
        "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\ntry:\n    os.rmdir(os.getcwd())\nexcept OSError: pass\n1 + 1",
        ends("ok"), value="2",
    ),
    Case(
        "scratch_replaced",
        """
        import os
        here = os.getcwd()
        try:
            os.rename(here, here + "@MARK@")
            os.symlink("/etc", here)
        except OSError as error:
            print("refused", error.errno)
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "files_left_open",
        """
        import os
        for place in ("/tmp", "/dev/shm"):
            for number in range(10):
                try:
                    fd = os.open(f"{place}/@MARK@{number}", os.O_CREAT | os.O_RDWR)
                    os.unlink(f"{place}/@MARK@{number}")
                    os.write(fd, b"x" * (1 << 20))
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "locks_left",
        """
        import fcntl, os
        if os.fork() == 0:
            os.setsid()
            f = open("/tmp/@MARK@", "w")
            fcntl.flock(f, fcntl.LOCK_EX)
            import time
            time.sleep(1000)
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "writes_outside",
        """
        import os, sys, sysconfig
        places = ["/", "/bin", "/boot", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/root", "/sbin", "/srv", "/sys",
                  "/usr", "/usr/bin", "/usr/local", "/usr/lib", "/var", "/var/lib", "/var/log", "/proc", "/proc/sys", "/sys/fs",
                  *sys.path, *sysconfig.get_paths().values(), os.path.dirname(sys.executable or "/usr/bin/python3")]
        here = os.path.realpath(os.getcwd())
        for place in places:
            if not place or os.path.realpath(place) == here:
                continue
            try:
                open(os.path.join(place, "@MARK@"), "w").close()
            except OSError:
                continue
            breach("wrote to", place)
        """,
        ends("ok"),
    ),
    Case(
        "files_overwritten",
        """
        import json, os, sys
        for target in (json.__file__, os.__file__, "/etc/passwd", "/etc/hosts", "/etc/resolv.conf", "/etc/ld.so.preload",
                       "/etc/ld.so.cache", sys.executable or "/usr/bin/python3", "/bin/sh"):
            try:
                open(target, "ab").close()
                breach("may write to", target)
            except OSError:
                pass
            try:
                os.chmod(target, 0o777)
                breach("may change", target)
            except OSError:
                pass
        """,
        ends("ok"),
    ),
    Case(
        "supervisor_overwritten",
        """
        import os, sys
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if isinstance(file, str) and os.path.exists(file) and os.access(file, os.W_OK):
                breach("may write to", file)
        """,
        ends("ok"),
    ),
    Case(
        "poisoned_bytecode",
        """
        import importlib.util, json, decimal, random
        for module in (json, decimal, random):
            cache = importlib.util.cache_from_source(module.__file__)
            try:
                open(cache, "ab").close()
                breach("may write to", cache)
            except OSError:
                pass
        """,
        ends("ok"),
    ),
    Case(
        "poisoned_home",
        """
        import os, site, sys
        homes = {os.path.expanduser("~"), os.getcwd(), "/tmp", "/dev/shm", "/var/tmp", "/root", "/nonexistent"}
        try:
            homes.add(site.getuserbase())
        except Exception:
            pass
        for home in homes:
            for name in ("usercustomize.py", "sitecustomize.py", "json.py", ".pythonrc", ".bashrc", "numpy.py", "@MARK@.pth"):
                for folder in ("", ".local/lib/python%d.%d/site-packages" % sys.version_info[:2], ".config", ".cache"):
                    try:
                        os.makedirs(os.path.join(home, folder), exist_ok=True)
                        with open(os.path.join(home, folder, name), "w") as file:
                            file.write("print('BREACH', '@MARK@')")
                    except OSError:
                        pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "poisoned_import_path",
        """
        import os
        for name in ("json", "random", "numpy", "sympy", "decimal", "statistics", "heapq", "bisect"):
            for place in (".", "/tmp", "/dev/shm"):
                try:
                    with open(os.path.join(place, name + ".py"), "w") as file:
                        file.write("raise RuntimeError('@MARK@')")
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "sockets_in_the_file_system",
        """
        import os, socket, stat
        deadline = __import__("time").monotonic() + 5
        for root in ("/run", "/var/run", "/tmp", "/var", "/dev", "/srv", "/opt", "/mnt", "/home", "/root"):
            for folder, _, names in os.walk(root):
                if __import__("time").monotonic() > deadline:
                    break
                for name in names:
                    path = os.path.join(folder, name)
                    try:
                        if stat.S_ISSOCK(os.lstat(path).st_mode):
                            for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
                                try:
                                    with socket.socket(socket.AF_UNIX, kind) as s:
                                        s.settimeout(0.5)
                                        s.connect(path)
                                        breach("connected to", path)
                                except OSError:
                                    pass
                    except OSError:
                        pass
        """,
        ends("ok"),
    ),
    Case(
        "looks_for_secrets",
        """
        import glob, os, sys
        needles = [b"ultrainteract-host-" + b"secret"]
        for pattern in ("/proc/*/environ", "/proc/*/cmdline", "/root/.*", "/home/*/.*", "/run/secrets/*", "/.dockerenv", "/proc/1/task/*/environ"):
            for path in glob.glob(pattern):
                try:
                    with open(path, "rb") as file:
                        text = file.read(1 << 20)
                except OSError:
                    continue
                if any(needle in text for needle in needles):
                    breach("a secret in", path)
        if any("host-" + "secret" in value for value in os.environ.values()):
            breach("a secret in the environment")
        for path in ("/etc/shadow", "/proc/kcore", "/proc/1/root/etc/shadow"):
            try:
                open(path, "rb").read(1)
                breach("may read", path)
            except OSError:
                pass
        for home in glob.glob("/home/*") + ["/root"]:
            try:
                for name in os.listdir(home):
                    path = os.path.join(home, name)
                    # The interpreter itself may be installed in someone's home.
                    if not (sys.base_prefix + "/").startswith(path + "/") and not (sys.prefix + "/").startswith(path + "/"):
                        open(path, "rb").read(1) if os.path.isfile(path) else os.listdir(path)
                        breach("may read", path)
            except OSError:
                pass
        """,
        ends("ok"),
    ),
    Case(
        "secrets_in_own_memory",
        """
        import re
        # Written so that the pattern does not match its own text.
        secret = re.compile(rb"host-secret-valu[e]-[0-9]{6}")
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in maps:
                span, mode = line.split()[:2]
                start, stop = (int(x, 16) for x in span.split("-"))
                if mode[0] != "r" or stop - start > 1 << 27:
                    continue
                try:
                    memory.seek(start)
                    text = memory.read(stop - start)
                except (OSError, OverflowError, ValueError, MemoryError):
                    continue
                if secret.search(text):
                    breach("the host's environment is in this process's memory")
        """,
        ends("ok", "error", "memory"),
    ),
]  # fmt: skip
