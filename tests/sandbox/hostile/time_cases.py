"""Programs that try to run for ever, whatever is done to stop them."""

from __future__ import annotations

from .case import Case, ends

TIMEOUT = ends("timeout")
SHORT = {"wall_s": 1.0, "cpu_s": 1.0}

CASES = [
    Case("while_true", "while True: pass", TIMEOUT, limits=SHORT),
    Case("loop_in_c_sum", "sum(iter(int, 1))", TIMEOUT, limits=SHORT),
    Case(
        "loop_in_c_deque",
        "import collections, itertools\ncollections.deque(itertools.count(), maxlen=0)",
        TIMEOUT, limits=SHORT,
    ),
    Case("loop_in_c_power", "x = 9 ** 9 ** 9", ends("timeout", "memory"), limits=SHORT),
    Case("loop_in_c_regex", "import re\nre.match(r'(a+)+$', 'a' * 64 + 'b')", TIMEOUT, limits=SHORT),
    Case(
        "loop_in_c_digest",
        "import hashlib\nhashlib.pbkdf2_hmac('sha256', b'a', b'b', 2**31 - 1)",
        TIMEOUT, limits=SHORT,
    ),
    Case("sort_what_never_ends", "sorted(iter(int, 1))", ends("timeout", "memory"), limits=SHORT),
    Case(
        "loop_in_machine_code",
        """
        import ctypes, mmap, os, signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        loop = b"\\xeb\\xfe" if os.uname().machine == "x86_64" else b"\\x00\\x00\\x00\\x14"
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(loop)
        ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        """,
        ends("timeout", "error", "killed"), limits=SHORT,
    ),
    Case(
        "all_signals_ignored",
        """
        import signal
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True: pass
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "all_signals_blocked",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\nwhile True: pass",
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "cpu_signal_handled",
        "import signal\nsignal.signal(signal.SIGXCPU, lambda *a: None)\nwhile True: pass",
        TIMEOUT, limits={"wall_s": 12, "cpu_s": 1},
    ),
    Case("cpu_limit_below_wall_limit", "while True: pass", TIMEOUT, limits={"wall_s": 30, "cpu_s": 1}, quick=True),
    Case("sleep_for_ever", "import time\ntime.sleep(10**6)", TIMEOUT, limits=SHORT),
    Case("pause", "import signal\nsignal.pause()", TIMEOUT, limits=SHORT),
    Case("stops_itself", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", TIMEOUT, limits=SHORT),
    Case("reads_a_silent_pipe", "import os\nr, w = os.pipe()\nos.read(r, 1)", TIMEOUT, limits=SHORT),
    Case(
        "deadlock", "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()", TIMEOUT, limits=SHORT
    ),
    Case(
        "everything_caught",
        """
        import sys
        sys.setrecursionlimit(10**6)
        while True:
            try:
                while True: pass
            except BaseException:
                pass
            finally:
                continue
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "alarms_cancelled",
        """
        import signal
        while True:
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "timer_storm",
        """
        import signal
        signal.signal(signal.SIGALRM, lambda *a: 1 / 0)
        signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
        while True:
            try:
                while True: pass
            except ZeroDivisionError:
                pass
        """,
        ends("timeout", "error"), limits=SHORT,
    ),
    Case(
        "cpu_limit_raised",
        """
        import resource
        for kind in (resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE,
                     resource.RLIMIT_NOFILE):
            soft, hard = resource.getrlimit(kind)
            for wish in ((resource.RLIM_INFINITY,) * 2, (hard + 1, hard + 1)):
                try:
                    resource.setrlimit(kind, wish)
                except (ValueError, OSError, OverflowError):
                    continue
                if resource.getrlimit(kind)[1] != hard:
                    breach("raised limit", kind)
            if hard == resource.RLIM_INFINITY:
                breach("no limit", kind)
        while True: pass
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case("earlier_cell_never_ends", "1 + 1", TIMEOUT, cells=("while True: pass",), limits=SHORT),
    Case(
        "many_earlier_cells_sleep",
        "1 + 1", TIMEOUT, cells=("import time\ntime.sleep(0.4)",) * 20, limits=SHORT,
    ),
    Case(
        "repr_never_ends",
        "class A:\n    def __repr__(self):\n        while True: pass\nA()",
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "message_never_ends",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
        ends("timeout", "error"), limits=SHORT,
    ),
    Case(
        "type_name_never_ends",
        """
        class M(type):
            def __getattribute__(cls, name):
                while True: pass
        class E(Exception, metaclass=M): pass
        raise E
        """,
        ends("timeout", "error"), limits=SHORT,
    ),
    Case(
        "exit_handler_never_ends",
        "import atexit\n@atexit.register\ndef f():\n    while True: pass\n1 + 1",
        ends("ok", "timeout"), limits=SHORT,
    ),
    Case(
        "finaliser_never_ends",
        "class A:\n    def __del__(self):\n        while True: pass\na = A()\na.b = a\n1 + 1",
        ends("ok", "timeout"), limits=SHORT,
    ),
    Case(
        "hooks_never_end",
        """
        import sys
        def loop(*a, **k):
            while True: pass
        sys.excepthook = sys.displayhook = sys.unraisablehook = loop
        1 / 0
        """,
        ends("error", "timeout"), limits=SHORT,
    ),
    Case(
        "trace_never_ends",
        "import sys\ndef f(*a):\n    while True: pass\nsys.settrace(f)\nsys.setprofile(f)\ndef g(): pass\ng()",
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "import_never_ends",
        """
        import sys
        class Finder:
            def find_spec(self, *a, **k):
                while True: pass
        sys.meta_path.insert(0, Finder())
        import there_is_no_such_module
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "thread_never_ends",
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()\n1 + 1",
        ends("ok", "timeout"), limits=SHORT,
    ),
    Case(
        "daemon_thread_never_ends",
        "import threading\ndef f():\n    while True: pass\nthreading.Thread(target=f, daemon=True).start()\n1 + 1",
        ends("ok"), value="2",
    ),
    Case(
        "children_never_end",
        """
        import os
        for _ in range(8):
            if os.fork() == 0:
                while True: pass
        os.wait()
        """,
        TIMEOUT, limits=SHORT,
    ),
    Case(
        "event_loop_never_ends",
        "import asyncio\nasync def f():\n    while True: await asyncio.sleep(0)\nasyncio.run(f())",
        TIMEOUT, limits=SHORT,
    ),
    Case("compile_never_ends", "exec('(' * 50 + '1' + ')' * 50)\nwhile True: eval('1+' * 5000 + '1')", TIMEOUT | ends("error", "killed"), limits=SHORT),
    Case("deep_source", "-" * 200_000 + "1", ends("error", "memory", "killed", "timeout")),
    Case("nested_source", "(" * 100_000 + ")" * 100_000, ends("error", "memory", "killed", "timeout")),
    Case("null_byte_in_source", "x = 1\0\nx", ends("error")),
    Case("lone_surrogate_in_source", "x = '\udcff'\nlen(x)", ends("ok", "error")),
]  # fmt: skip
