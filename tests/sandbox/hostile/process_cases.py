"""Programs that multiply, hide from their parents, or go for the processes around them."""

from __future__ import annotations

from .case import ENDS, Case, ends

SHORT = {"wall_s": 1.0, "cpu_s": 1.0}
NAME = "import ctypes, os, signal, time\nctypes.CDLL(None).prctl(15, b'@MARK@', 0, 0, 0)\n"
"""Names this process and its children after the case, so that survivors are found."""

CASES = [
    Case(
        "fork_bomb",
        NAME + "while True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        limits=SHORT, alone=True,
    ),
    Case(
        "fork_bomb_of_orphans",
        NAME + """
while True:
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        pass
""",
        limits=SHORT, alone=True,
    ),
    Case(
        "fork_bomb_of_sessions",
        NAME + """
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
""",
        limits=SHORT, alone=True,
    ),
    Case(
        "fork_bomb_of_shells",
        "import subprocess\nsubprocess.run(['sh', '-c', 'f() { f | f & }; f; sleep 100'])",
        limits=SHORT, alone=True,
    ),
    Case(
        "thread_bomb",
        """
        import threading, time
        started = 0
        try:
            while started < 5_000:
                threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
                started += 1
        except (RuntimeError, MemoryError):
            pass
        if started > 1_000:
            breach("threads", started)
        """,
        alone=True,
    ),
    Case(
        "process_count",
        """
        import os, time
        made = 0
        for _ in range(400):
            try:
                child = os.fork()
            except OSError:
                break
            if child == 0:
                time.sleep(1000)
            made += 1
        if made > 100:
            breach("processes", made)
        """,
        ends("ok"), alone=True,
    ),
    Case(
        "daemon",
        NAME + """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.chdir("/")
        time.sleep(1000)
    os._exit(0)
os.wait()
1 + 1
""",
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "daemon_deaf_to_signals",
        NAME + """
if os.fork() == 0:
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    os.setsid()
    while True:
        time.sleep(1)
1 + 1
""",
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "daemon_that_forks_on",
        NAME + """
if os.fork() == 0:
    os.setsid()
    while True:
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            pass
1 + 1
""",
        ends("ok"), value="2", alone=True, wait_s=0.5,
    ),
    Case(
        "daemon_writes_later",
        NAME + """
if os.fork() == 0:
    os.setsid()
    while True:
        for place in ("/tmp/", "/dev/shm/", "/var/tmp/"):
            try:
                open(place + "@MARK@", "a").write("x")
            except OSError:
                pass
        time.sleep(0.05)
1 + 1
""",
        ends("ok"), value="2", wait_s=0.5,
    ),
    Case(
        "daemon_holds_the_output",
        "import subprocess\np = subprocess.Popen(['sleep', '1000'])\n1 + 1",
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "daemon_floods_the_output",
        NAME + "if os.fork() == 0:\n    while True: os.write(1, b'x' * 65536)\n1 + 1",
        ends("ok", "output_limit"), quick=True,
    ),
    Case(
        "stopped_daemon",
        NAME + "if os.fork() == 0:\n    os.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(0.2)\n1 + 1",
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "subreaper",
        NAME + """
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
for _ in range(5):
    if os.fork() == 0:
        if os.fork() == 0:
            time.sleep(1000)
        os._exit(0)
1 + 1
""",
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "zombies",
        NAME + """
for _ in range(12):
    if os.fork() == 0:
        os._exit(3)
time.sleep(0.2)
1 + 1
""",
        ends("ok"), value="2", quick=True,
    ),
    Case("kill_itself", "import os\nos.kill(os.getpid(), 9)", ends("killed"), quick=True),
    Case("segfault", "import ctypes\nctypes.string_at(0)", ends("killed", "error"), quick=True),
    Case("abort", "import os\nos.abort()", ends("killed", "error"), quick=True),
    Case("kill_everyone", "import os\nos.kill(-1, 9)", ends("ok", "error", "killed"), quick=True),
    Case("kill_group", "import os\nos.kill(0, 9)", ends("killed"), quick=True),
    Case(
        "kill_parent",
        """
        import os
        try:
            os.kill(os.getppid(), 9)
        except OSError as error:
            print("refused", error.errno)
        1 + 1
        """,
        ends("ok", "killed"), quick=True,
    ),
    Case(
        "kill_first_process",
        """
        import os
        for number in (9, 15, 19, 11, 1, 2, 10):
            try:
                os.kill(1, number)
                if os.stat("/proc/1").st_uid != os.getuid():
                    breach("signal sent to process 1", number)
            except OSError:
                pass
        1 + 1
        """,
        ends("ok"), value="2", quick=True,
    ),
    Case(
        "kill_every_number",
        """
        import os
        for number in range(1, 40_000):
            if number != os.getpid():
                try:
                    os.kill(number, 9)
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok", "killed"),
    ),
    Case(
        "stop_every_number",
        """
        import os
        for number in range(1, 40_000):
            if number != os.getpid():
                try:
                    os.kill(number, 19)
                except OSError:
                    pass
        1 + 1
        """,
        ends("ok", "killed", "timeout"),
    ),
    Case(
        "kill_parent_by_pidfd",
        """
        import os, signal
        try:
            signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)
        except OSError as error:
            print("refused", error.errno)
        1 + 1
        """,
        ends("ok", "killed"), quick=True,
    ),
    Case(
        "steal_descriptors_of_parent",
        """
        for pid in (os.getppid(), 1) if (os := __import__("os")) else ():
            handle = syscall("pidfd_open", pid, 0)
            for number in range(32):
                if syscall("pidfd_getfd", handle, number, 0) >= 0:
                    breach("took descriptor", number, "of", pid)
        """,
        ends("ok"),
    ),
    Case(
        "limits_of_parent",
        """
        import os, resource
        try:
            resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))
            if os.stat(f"/proc/{os.getppid()}").st_uid != os.getuid():
                breach("changed the limits of the parent")
        except OSError:
            pass
        """,
        ends("ok", "error"),
    ),
    Case(
        "priority_raised",
        """
        import os
        before = os.getpriority(os.PRIO_PROCESS, 0)
        try:
            os.setpriority(os.PRIO_PROCESS, 0, -20)
        except OSError:
            pass
        if os.getpriority(os.PRIO_PROCESS, 0) < before:
            breach("priority raised")
        """,
        ends("ok"),
    ),
    Case(
        "real_time_scheduling",
        """
        import os
        for policy in (os.SCHED_FIFO, os.SCHED_RR):
            try:
                os.sched_setscheduler(0, policy, os.sched_param(50))
                breach("real-time policy", policy)
            except OSError:
                pass
        """,
        ends("ok"),
    ),
    Case(
        "oom_killer_turned_away",
        """
        import os
        for pid in ("self", os.getppid(), 1):
            for wish in ("-1000", "-500"):
                try:
                    open(f"/proc/{pid}/oom_score_adj", "w").write(wish)
                    breach("oom_score_adj of", pid)
                except OSError:
                    pass
        """,
        ends("ok"),
    ),
    Case(
        "becomes_another_program",
        "import os\nos.execvp('sleep', ['@MARK@', '1000'])",
        ends("timeout"), limits=SHORT,
    ),
    Case("becomes_true", "import os\nos.execvp('true', ['true'])", ends("ok", "killed", "error"), quick=True),
    Case(
        "becomes_another_python",
        "import os, sys\nos.execv(sys.executable or '/usr/bin/python3', ['python', '-c', 'print(\"BRE\" \"ACH\" if 0 else 1)'])",
        ends("ok", "killed", "error"),
    ),
    Case(
        "signal_queue_filled",
        """
        import os, signal
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        import ctypes
        libc = ctypes.CDLL(None)
        for _ in range(300_000):
            libc.sigqueue(os.getpid(), signal.SIGRTMIN, 0)
        1 + 1
        """,
        ends("ok", "killed"),
    ),
    Case(
        "pool_never_closed",
        """
        import multiprocessing
        def f(x):
            return x * x
        pool = multiprocessing.get_context("fork").Pool(3)
        pool.map(f, range(4))
        """,
        ends("ok"), value="[0, 1, 4, 9]", quick=True,
    ),
    Case(
        "child_replays_the_supervisor",
        """
        import os, sys
        if os.fork() == 0:
            # The child unwinds every frame it inherited, as if the program were done twice.
            raise SystemExit(0)
        os.wait()
        1 + 1
        """,
        ends("ok"), value="2",
    ),
    Case(
        "child_returns_as_well",
        "import os\npid = os.fork()\n6 * 7",
        ends("ok", "error"), value="42",
    ),
    Case(
        "child_outlives_and_answers",
        """
        import os, time
        if os.fork():
            os._exit(0)
        time.sleep(0.3)
        6 * 7
        """,
        ENDS,
    ),
]  # fmt: skip
