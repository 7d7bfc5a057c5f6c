"""Programs that forge what is reported, flood the reader, or spoil the process for what runs after them."""

from __future__ import annotations

from .case import ENDS, Case, ends

SHORT = {"wall_s": 1.5, "cpu_s": 1.5}
FLOOD = ends("ok", "output_limit", "timeout", "killed")
SENT = ends("ok", "error", "killed")

CASES = [
    # ------------------------------------------------------------------------------------------- floods
    Case("one_gigabyte", "import sys\nfor _ in range(1024): sys.stdout.write('x' * (1 << 20))", FLOOD, limits=SHORT),
    Case("endless_lines", "while True: print('x' * 80)", FLOOD, limits=SHORT),
    Case("endless_errors", "import sys\nwhile True: sys.stderr.write('x' * 65536)", FLOOD, limits=SHORT),
    Case("endless_raw_output", "import os\nwhile True: os.write(1, b'x' * (1 << 20))", FLOOD, limits=SHORT),
    Case("endless_empty_lines", "while True: print()", FLOOD, limits=SHORT),
    Case(
        "endless_output_of_children",
        "import os\nfor _ in range(6):\n    if os.fork() == 0:\n        while True: os.write(1, b'y' * 65536)\nos.wait()",
        FLOOD, limits=SHORT,
    ),
    Case("endless_output_of_programs", "import subprocess\nsubprocess.run(['yes', 'x' * 1000])", FLOOD, limits=SHORT),
    Case("flood_in_earlier_cell", "1 + 1", FLOOD | ends("error"), cells=("print('x' * (1 << 26))",), limits=SHORT),
    Case("huge_value", "'x' * 10**8", ends("ok", "output_limit", "memory"), limits={"wall_s": 8, "cpu_s": 8}),
    Case("huge_message", "raise ValueError('x' * 10**8)", ends("error", "output_limit", "memory"), limits={"wall_s": 8, "cpu_s": 8}),
    Case("huge_type_name", "raise type('E' * 10**7, (Exception,), {})", ends("error", "output_limit", "memory")),
    Case(
        "huge_chain",
        """
        def f(n):
            try:
                1 / 0
            except Exception as error:
                if n:
                    f(n - 1)
                raise ValueError(n) from error
        f(200)
        """,
        ends("error"), says="ValueError",
    ),
    Case("bytes_that_are_no_text", "import os\nos.write(1, bytes(range(256)) * 4)\n1 + 1", ends("ok"), value="2"),
    Case("surrogates", "print('\\ud800')", ends("ok", "error")),
    Case("surrogate_value", "'\\ud800'", ends("ok", "error")),
    Case("terminal_codes", "print('\\x1b[2J\\x1b]0;x\\x07\\x00\\r\\b')", ends("ok")),
    Case("output_closed", "import os\nos.close(1)\nos.close(2)\nprint('x')\n1 + 1", SENT),
    Case("streams_replaced", "import sys\nsys.stdout = sys.stderr = None\n1 + 1", SENT, value="2"),
    Case("streams_of_another_kind", "import sys\nclass S:\n    def __getattr__(s, n): raise MemoryError\nsys.stdout = sys.__stdout__ = S()\n1 + 1", ENDS),
    # ------------------------------------------------------------------------------------------ forgeries
    Case(
        "frames_on_standard_output",
        """
        import json, struct, sys
        for status in ("ok", "error", "fault"):
            text = json.dumps({"status": status, "value": "FORGED", "passed": True, "nonce": ""})
            sys.stdout.write(text + "\\n")
            sys.stdout.buffer.write(struct.pack(">I", len(text)) + text.encode())
            sys.stdout.buffer.write(struct.pack("<I", len(text)) + text.encode())
        6 * 7
        """,
        ends("ok"), value="42",
    ),
    Case(
        "frames_on_every_descriptor",
        """
        import json, marshal, os, pickle, struct
        body = {"status": "ok", "value": "FORGED", "stdout": "FORGED", "ok": True, "passed": True, "result": "FORGED"}
        frames = [json.dumps(body).encode(), pickle.dumps(body), marshal.dumps(body), repr(body).encode(), b"\\x00" * 64]
        for name in os.listdir("/proc/self/fd"):
            if int(name) > 2:
                for frame in frames:
                    for head in (b"", struct.pack(">I", len(frame)), struct.pack("<I", len(frame)), struct.pack(">Q", len(frame))):
                        try:
                            os.set_blocking(int(name), False)
                            os.write(int(name), head + frame + b"\\n")
                        except OSError:
                            pass
        6 * 7
        """,
        ends("ok", "error", "killed"), value="42",
    ),
    Case(
        "noise_on_every_descriptor",
        """
        import os
        for fd in range(3, 1024):
            try:
                os.set_blocking(fd, False)
                for _ in range(64):
                    os.write(fd, b"\\xff" * 65536)
            except OSError:
                pass
        """,
        ENDS,
    ),
    Case(
        "reads_every_descriptor",
        """
        import os
        for fd in range(3, 1024):
            try:
                os.set_blocking(fd, False)
                if os.read(fd, 1 << 16):
                    breach("there is something to read on", fd)
            except OSError:
                pass
        """,
        ENDS,
    ),
    Case("descriptors_closed", "import os\nos.closerange(3, 65536)\n6 * 7", ENDS, value="42"),
    Case("every_descriptor_closed", "import os\nos.closerange(0, 65536)\n6 * 7", ENDS, value="42"),
    Case("descriptors_crossed", "import os\nfor fd in range(3, 200): os.dup2(1, fd)\nprint('FORGED' * 0)\n6 * 7", ENDS, value="42"),
    Case(
        "sockets_in_the_heap",
        """
        import gc, io, socket
        for thing in gc.get_objects():
            if isinstance(thing, socket.socket):
                try:
                    thing.settimeout(0.1)
                    thing.sendall(b'{"status": "ok", "value": "FORGED"}\\n' * 3)
                except OSError:
                    pass
            elif isinstance(thing, io.IOBase) and not thing.closed:
                try:
                    if thing.fileno() > 2:
                        thing.write(b"FORGED\\n")
                except (OSError, TypeError, ValueError):
                    pass
        6 * 7
        """,
        ENDS, value="42",
    ),
    Case(
        "frames_below",
        """
        import sys
        frame = sys._getframe()
        while frame is not None:
            for space in (frame.f_globals,):
                for name, thing in list(space.items()):
                    if callable(thing) and not name.startswith("__") and space is not globals():
                        space[name] = lambda *a, **k: {"status": "ok", "value": "FORGED"}
            frame = frame.f_back
        6 * 7
        """,
        ENDS, value="42",
    ),
    Case(
        "code_of_the_caller",
        """
        import gc, types
        def forged(*a, **k):
            return {"status": "ok", "value": "FORGED"}
        for thing in gc.get_objects():
            if isinstance(thing, types.FunctionType) and "supervisor" in (thing.__module__ or "") + thing.__code__.co_filename:
                try:
                    thing.__code__ = forged.__code__
                except ValueError:
                    pass
        6 * 7
        """,
        ENDS, value="42",
    ),
    Case("exit_zero", "import os\nprint('before', flush=True)\nos._exit(0)", ends("ok", "killed", "error")),
    Case("exit_code", "import os\nos._exit(77)", ends("ok", "killed", "error")),
    Case("system_exit", "import sys\nsys.exit(0)", ends("ok", "error")),
    Case("system_exit_with_text", "raise SystemExit('FORGED'.lower())", ends("ok", "error")),
    Case("interrupt", "raise KeyboardInterrupt", ends("error"), says="KeyboardInterrupt"),
    Case("base_exception", "class E(BaseException): pass\nraise E('x')", ends("error"), says="E: x"),
    Case("exception_without_text", "class E(Exception):\n    def __str__(self): raise self\nraise E", ends("error")),
    Case("exception_with_false_class", "class E(Exception):\n    __class__ = property(lambda s: int)\nraise E('x')", ends("error")),
    Case("repr_raises", "class A:\n    def __repr__(self): raise ValueError('no')\nA()", ends("ok", "error")),
    Case("repr_is_no_text", "class A:\n    def __repr__(self): return 7\nA()", ends("ok", "error")),
    Case("repr_exits", "import os\nclass A:\n    def __repr__(self): os._exit(0)\nA()", ENDS),
    Case("repr_of_a_text_kind", "class S(str):\n    def __len__(s): return 10**9\n    def __getitem__(s, i): raise MemoryError\n    def encode(s, *a): return b'FORGED' * 0\nclass A:\n    def __repr__(s): return S('a')\nA()", ENDS),
    Case("value_with_everything_true", "class A:\n    def __eq__(s, o): return True\n    def __getattr__(s, n): return s\n    def __call__(s, *a, **k): return s\n    def __iter__(s): return iter(())\nA()", ends("ok", "error")),
    Case("reduce_runs_code", "import os\nclass A:\n    def __reduce__(s): return (os.system, ('touch /tmp/@MARK@',))\nA()", ends("ok")),
    # --------------------------------------------------------------------------------- poisoned modules
    Case(
        "builtins_patched",
        """
        import builtins
        for name in ("len", "repr", "str", "print", "isinstance", "open", "type", "getattr", "hasattr", "dict", "list", "bytes", "int", "min", "max", "range", "sorted", "compile", "exec", "eval", "super", "id", "iter", "next"):
            setattr(builtins, name, lambda *a, **k: "FORGED")
        6 * 7
        """,
        ENDS, value="42",
    ),
    Case("builtins_removed", "import builtins\nfor n in list(vars(builtins)):\n    if n not in ('__import__',): delattr(builtins, n)\n6 * 7", ENDS, value="42"),
    Case(
        "modules_patched",
        """
        import json, marshal, os, pickle, signal, socket, struct, sys, time, traceback
        forged = lambda *a, **k: b"FORGED"
        for module in (json, marshal, pickle, struct, traceback, time, socket, signal):
            for name in dir(module):
                if not name.startswith("__") and callable(getattr(module, name)):
                    try:
                        setattr(module, name, forged)
                    except (AttributeError, TypeError):
                        pass
        6 * 7
        """,
        ENDS, value="42",
    ),
    Case("system_calls_patched", "import os\nfor n in ('write', 'read', 'close', '_exit', 'dup', 'dup2', 'kill', 'waitpid', 'getpid', 'fork', 'pipe', 'fdopen'):\n    setattr(os, n, lambda *a, **k: 0)\n6 * 7", ENDS, value="42"),
    Case("modules_removed", "import sys\nfor name in list(sys.modules):\n    if name not in ('sys',): del sys.modules[name]\n6 * 7", ENDS, value="42"),
    Case("compiler_patched", "import ast, builtins, codeop\nbuiltins.compile = ast.parse = codeop.compile_command = lambda *a, **k: 1 / 0\n6 * 7", ENDS, value="42"),
    Case("traceback_patched", "import linecache, traceback, sys\nfor m in (traceback, linecache):\n    for n in list(vars(m)):\n        if not n.startswith('__'): setattr(m, n, None)\n1 / 0", ends("error")),
    Case("main_removed", "import sys\ndel sys.modules['__main__']\nglobals().clear()", ENDS),
    Case("earlier_cell_patches", "len([1, 2])", ENDS, cells=("import builtins\nbuiltins.len = lambda x: 'FORGED'.lower()",)),
    Case("numpy_poisoned", "import numpy\nnumpy.sum = numpy.array = lambda *a, **k: 'FORGED'\nnumpy.pi = 3\n1 + 1", ends("ok"), value="2"),
    Case("sympy_poisoned", "import sympy\nfrom sympy.core.cache import clear_cache\nclear_cache()\nsympy.Integer.__add__ = lambda a, b: 'FORGED'\nsympy.solve = None\n1 + 1", ends("ok"), value="2"),
    Case("small_numbers_changed", "import ctypes, sys\nctypes.memmove(id(257 - 252) + 24, id(7) + 24, 4)\n0", ENDS),
    Case("type_made_writable", "import gc\nd = gc.get_referents(str.__dict__)[0]\nd['upper'] = lambda s: 'FORGED'.lower()\n1 + 1", ENDS),
    Case("random_seeded", "import random\nrandom.seed(1)\nimport numpy\nnumpy.random.seed(1)\n1 + 1", ends("ok"), value="2"),
    Case("environment_spoiled", "import os, locale, time, decimal, sys\nos.environ.clear()\nos.environ['PYTHONPATH'] = '/tmp/@MARK@'\nos.umask(0)\ndecimal.getcontext().prec = 1\nsys.path.clear()\nsys.setswitchinterval(1e-6)\n1 + 1", ends("ok"), value="2"),
    Case("collector_off", "import gc\ngc.disable()\ngc.set_threshold(0)\ngc.freeze()\n1 + 1", ends("ok"), value="2"),
    Case("audit_hook", "import sys\ndef hook(*a): raise RuntimeError('no')\nsys.addaudithook(hook)\n1 + 1", ENDS),
    Case("interactive_hooks", "import sys\nsys.ps1 = '>'\nsys.displayhook = lambda v: print('FORGED'.lower())\n6 * 7", ends("ok"), says=None),
    Case("threads_at_exit", "import threading\nthreading._shutdown = lambda: __import__('time').sleep(100)\n1 + 1", ends("ok", "timeout"), limits=SHORT),
    Case("finalisers_at_exit", "import atexit, os\natexit.register(os.write, 1, b'late')\natexit.register(os._exit, 9)\n6 * 7", SENT, value="42"),
]  # fmt: skip
