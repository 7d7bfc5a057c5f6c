"""Programs that take memory by every road there is."""

from __future__ import annotations

from .case import Case, ends

SMALL = {"memory_mb": 128, "wall_s": 8, "cpu_s": 8}
MEMORY = ends("memory")

CASES = [
    Case("one_huge_list", "x = [0] * 10**10", MEMORY, limits=SMALL),
    Case("heap_growth", "x = []\nwhile True: x.append(bytearray(1 << 20))", MEMORY, limits=SMALL),
    Case("string_doubling", "x = 'a'\nwhile True: x += x", MEMORY, limits=SMALL),
    Case("many_small_objects", "x = {}\nwhile True: x[len(x)] = str(len(x)) * 50", MEMORY, limits=SMALL),
    Case("numpy_array", "import numpy\nnumpy.ones(10**10)", MEMORY, limits=SMALL),
    Case("numpy_growth", "import numpy\nx = []\nwhile True: x.append(numpy.ones(10**6))", MEMORY, limits=SMALL),
    Case(
        "memory_error_caught",
        """
        x = []
        caught = 0
        while caught < 3:
            try:
                x.append(bytearray(8 << 20))
            except MemoryError:
                caught += 1
                x.clear()
        caught
        """,
        ends("ok", "memory"), value="3", limits=SMALL,
    ),
    Case(
        "memory_in_earlier_cell",
        "1 + 1", ends("ok", "memory"), cells=("x = bytearray(10**11)",), limits=SMALL,
    ),
    Case(
        "anonymous_map",
        """
        import mmap
        maps = []
        while True:
            maps.append(mmap.mmap(-1, 16 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
            for page in range(0, 16 << 20, 4096):
                maps[-1][page] = 1
            if len(maps) > 64:
                breach("mapped 1 GiB")
                break
        """,
        ends("memory", "error", "killed"), limits=SMALL,
    ),
    Case(
        "shared_map",
        """
        import mmap
        maps = []
        while True:
            maps.append(mmap.mmap(-1, 16 << 20))
            for page in range(0, 16 << 20, 4096):
                maps[-1][page] = 1
            if len(maps) > 64:
                breach("mapped 1 GiB")
                break
        """,
        ends("memory", "error", "killed"), limits=SMALL,
    ),
    Case(
        "shared_maps_of_children",
        """
        import mmap, os
        for _ in range(12):
            if os.fork() == 0:
                maps = []
                try:
                    for _ in range(64):
                        maps.append(mmap.mmap(-1, 8 << 20))
                        for page in range(0, 8 << 20, 4096):
                            maps[-1][page] = 1
                finally:
                    os._exit(0)
        for _ in range(12):
            os.wait()
        """,
        ends("ok", "memory", "killed", "error", "timeout"), limits=SMALL, alone=True,
    ),
    Case(
        "memfd",
        """
        import os
        fd = os.memfd_create("@MARK@")
        written = 0
        while written < 1 << 30:
            written += os.write(fd, b"x" * (1 << 20))
        breach("1 GiB in a memfd")
        """,
        ends("error", "memory", "killed"), limits=SMALL, alone=True,
    ),
    Case(
        "many_memfds",
        """
        import os
        written = 0
        files = []
        try:
            while written < 3 << 30:
                files.append(os.memfd_create("@MARK@"))
                for _ in range(32):
                    written += os.write(files[-1], b"x" * (1 << 20))
        except OSError:
            pass
        if written >= 3 << 30:
            breach("3 GiB in memfds")
        """,
        ends("ok", "error", "memory", "killed", "timeout"), limits=SMALL, alone=True,
    ),
    Case(
        "children_with_memfds",
        """
        import os, time
        for _ in range(16):
            if os.fork() == 0:
                try:
                    files = [os.memfd_create("@MARK@") for _ in range(8)]
                    for fd in files:
                        for _ in range(32):
                            os.write(fd, b"x" * (1 << 20))
                except OSError:
                    pass
                time.sleep(1)
                os._exit(0)
        for _ in range(16):
            os.wait()
        """,
        ends("ok", "error", "memory", "killed", "timeout"), limits=SMALL, alone=True,
    ),
    Case(
        "memory_file_by_truncate",
        """
        import mmap, os
        fd = os.memfd_create("@MARK@")
        os.ftruncate(fd, 2 << 30)
        view = mmap.mmap(fd, 2 << 30)
        for page in range(0, 2 << 30, 4096):
            view[page] = 1
        breach("2 GiB")
        """,
        ends("error", "memory", "killed"), limits=SMALL, alone=True,
    ),
    Case(
        "heap_of_children",
        """
        import os, time
        for _ in range(24):
            try:
                if os.fork() == 0:
                    x = []
                    try:
                        while True: x.append(bytearray(4 << 20))
                    except MemoryError:
                        time.sleep(0.5)
                    os._exit(0)
            except OSError:
                break
        try:
            while True: os.wait()
        except ChildProcessError:
            pass
        """,
        ends("ok", "error", "memory", "killed", "timeout"), limits=SMALL, alone=True,
    ),
    Case(
        "heap_of_children_at_default_limit",
        """
        import os, time
        for _ in range(30):
            try:
                if os.fork() == 0:
                    x = []
                    try:
                        while True: x.append(bytearray(16 << 20))
                    except MemoryError:
                        time.sleep(1)
                    os._exit(0)
            except OSError:
                break
        try:
            while True: os.wait()
        except ChildProcessError:
            pass
        """,
        ends("ok", "error", "memory", "killed", "timeout"), limits={"wall_s": 6, "cpu_s": 6}, alone=True,
    ),
    Case(
        "malloc_from_c",
        """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.malloc.restype = ctypes.c_void_p
        for _ in range(256):
            block = libc.malloc(ctypes.c_size_t(8 << 20))
            if not block:
                break
            ctypes.memset(block, 1, 8 << 20)
        else:
            breach("2 GiB")
        """,
        ends("ok", "killed", "memory", "error"), limits=SMALL,
    ),
    Case(
        "break_moved",
        """
        import ctypes
        libc = ctypes.CDLL(None)
        libc.sbrk.restype = ctypes.c_void_p
        if libc.sbrk(ctypes.c_long(1 << 33)) not in (2**64 - 1, -1, None):
            breach("8 GiB of break")
        """,
        ends("ok"), limits=SMALL,
    ),
    Case(
        "huge_pages",
        """
        import mmap
        maps = []
        try:
            for _ in range(512):
                maps.append(mmap.mmap(-1, 2 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000))
                maps[-1][0] = 1
        except OSError:
            pass
        if len(maps) == 512:
            breach("1 GiB of huge pages")
        """,
        ends("ok", "killed", "error", "memory"), limits=SMALL,
    ),
    Case(
        "memory_locked",
        """
        import ctypes, mmap
        page = mmap.mmap(-1, 64 << 20)
        libc = ctypes.CDLL(None)
        if libc.mlock(ctypes.addressof(ctypes.c_char.from_buffer(page)), 64 << 20) == 0:
            breach("locked 64 MiB in memory")
        """,
        ends("ok"),
    ),
    Case("recursion", "def f(): f()\nf()", ends("error"), says="RecursionError"),
    Case(
        "recursion_without_limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(x): return f([x])\nf(0)",
        ends("killed", "memory", "error", "timeout"), limits=SMALL,
    ),
    Case(
        "recursion_in_c",
        "x = []\nfor _ in range(10**6): x = [x]\nrepr(x) if 0 else hash(str(0))\nimport pickle\npickle.dumps(x)",
        ends("error", "killed", "memory"),
    ),
    Case(
        "value_nested_too_deep",
        "x = ()\nfor _ in range(10**5): x = (x,)\nx",
        ends("error", "killed", "memory", "ok"),
    ),
    Case("small_stack_of_threads", "import threading\nthreading.stack_size(1 << 30)\nt = threading.Thread(target=print)\nt.start()", ends("ok", "error", "memory")),
    Case(
        "compressed_bomb",
        """
        import zlib
        one = zlib.compress(b"0" * (32 << 20), 9)
        zlib.decompress(zlib.compress(one)) and b"".join(zlib.decompress(one) for _ in range(64))
        """,
        MEMORY, limits=SMALL,
    ),
    Case(
        "pipes_filled",
        """
        import fcntl, os
        pipes = []
        try:
            while len(pipes) < 4096:
                r, w = os.pipe()
                os.set_blocking(w, False)
                pipes.append((r, w))
                try:
                    fcntl.fcntl(w, 1031, 1 << 20)
                except OSError:
                    pass
                try:
                    os.write(w, b"x" * (1 << 20))
                except OSError:
                    pass
        except OSError:
            pass
        if len(pipes) >= 4096:
            breach("4,096 pipes")
        """,
        ends("ok", "memory"), limits=SMALL,
    ),
    Case(
        "socket_buffers_filled",
        """
        import socket
        kept = []
        try:
            while len(kept) < 4096:
                a, b = socket.socketpair()
                a.setblocking(False)
                a.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
                kept.append((a, b))
                try:
                    while True: a.send(b"x" * 65536)
                except OSError:
                    pass
        except OSError:
            pass
        if len(kept) >= 4096:
            breach("4,096 socket pairs")
        """,
        ends("ok", "memory"), limits=SMALL,
    ),
    Case(
        "descriptors_used_up",
        """
        import os
        taken = 0
        try:
            while taken < 200_000:
                os.dup(1)
                taken += 1
        except OSError:
            pass
        if taken >= 200_000:
            breach("no limit on descriptors")
        6 * 7
        """,
        ends("ok", "error"), value="42",
    ),
    Case(
        "sysv_shared_memory",
        """
        segments = []
        for number in range(64):
            segment = syscall("shmget", @KEY@ + number, 16 << 20, 0o1666)
            if segment >= 0:
                breach("SysV segment", segment)
                break
        """,
        ends("ok"),
    ),
    Case("sysv_queue", 'failed_as_it_should("msgget", @KEY@, 0o1666)', ends("ok")),
    Case("sysv_semaphore", 'failed_as_it_should("semget", @KEY@, 1, 0o1666)', ends("ok")),
    Case(
        "posix_queue",
        """
        import ctypes
        if syscall("mq_open", ctypes.c_char_p(b"@MARK@"), 0o102, 0o666, 0) >= 0:
            breach("a message queue outlives the run")
        """,
        ends("ok"),
    ),
    Case(
        "kernel_keys",
        """
        import ctypes
        for ring in (-3, -4, -5, -2):
            if syscall("add_key", ctypes.c_char_p(b"user"), ctypes.c_char_p(b"@MARK@"), ctypes.c_char_p(b"x"), 1, ring) >= 0:
                breach("a key in keyring", ring)
        """,
        ends("ok"),
    ),
    Case(
        "posix_shared_memory",
        """
        from multiprocessing import shared_memory
        total = 0
        kept = []
        try:
            for number in range(64):
                kept.append(shared_memory.SharedMemory(name=f"@MARK@{number}", create=True, size=32 << 20))
                kept[-1].buf[:] = b"x" * (32 << 20)
                total += 32
        except (OSError, MemoryError):
            pass
        if total >= 2048:
            breach("2 GiB of shared memory")
        """,
        limits=SMALL, alone=True,
    ),
]  # fmt: skip
