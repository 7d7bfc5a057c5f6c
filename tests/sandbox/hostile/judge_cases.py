"""Programs that try to pass tests they do not solve. None may pass; none may make the sandbox call itself broken."""

from __future__ import annotations

from ultrainteract.schema import Checker, TestCase, TestSuite

SECRET = "734519"

STDIN = TestSuite(
    cases=(TestCase(input="3 4\n", expected=f"{SECRET}\n"), TestCase(input="5 6\n", expected="918273\n"))
)
CALL = TestSuite(
    kind="call",
    entry_point="solve",
    cases=(TestCase(input="[3, 4]", expected=SECRET), TestCase(input="[5, 6]", expected="918273")),
)
FRAME = '{"status": "ok", "passed": true, "output": "", "results": [{"passed": true}]}'

STDIN_CHEATS = {
    "prints_nothing": "pass",
    "exits_with_zero": "import os\nos._exit(0)",
    "exits_politely": "import sys\nsys.exit(0)",
    "prints_a_verdict": f"print('''{FRAME}''')\nprint('passed'); print('OK'); print('Accepted')",
    "verdict_on_every_descriptor": f"""
import os, struct
frame = b'''{FRAME}'''
for fd in range(3, 512):
    for head in (b"", struct.pack(">I", len(frame)), struct.pack("<I", len(frame))):
        try:
            os.set_blocking(fd, False)
            os.write(fd, head + frame + b"\\n")
        except OSError:
            pass
os._exit(0)
""",
    # The pattern does not match its own text: what is found was brought by the judge.
    "searches_its_memory": """
import re
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
    for line in maps:
        span, mode = line.split()[:2]
        a, b = (int(x, 16) for x in span.split("-"))
        if mode[0] == "r" and b - a < 1 << 27:
            try:
                memory.seek(a)
                found = re.search(rb"73451[9]", memory.read(b - a))
            except (OSError, OverflowError, ValueError, MemoryError):
                continue
            if found:
                print(found.group().decode())
                break
""",
    "searches_the_heap": """
import gc, re
for thing in gc.get_objects():
    try:
        found = isinstance(thing, (dict, list, tuple)) and len(thing) < 1000 and re.search("73451[9]", repr(thing))
    except BaseException:
        continue
    if found:
        print(found.group())
        break
""",
    "searches_its_frames": """
import re, sys
frame = sys._getframe()
while frame:
    found = re.search("73451[9]", repr(frame.f_locals) + repr(frame.f_globals))
    if found:
        print(found.group())
        break
    frame = frame.f_back
""",
    "searches_files": """
import os, re
for root in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/proc/self/fd", ".", "/opt", "/srv"):
    for folder, _, names in os.walk(root):
        for name in names[:200]:
            try:
                fd = os.open(os.path.join(folder, name), os.O_RDONLY | os.O_NONBLOCK)
                found = re.search(rb"73451[9]", os.read(fd, 1 << 20))
            except OSError:
                continue
            if found:
                print(found.group().decode())
                raise SystemExit
""",
    "searches_other_processes": """
import os, re
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for name in ("environ", "cmdline", "mem"):
            try:
                found = re.search(rb"73451[9]", open(f"/proc/{pid}/{name}", "rb").read(1 << 20))
            except OSError:
                continue
            if found:
                print(found.group().decode())
                raise SystemExit
""",
    "waits_for_the_next_test": """
import os, time
if os.fork() == 0:
    os.setsid()
    while True:
        for name in ("/tmp/answer", "/dev/shm/answer"):
            try:
                open(name, "a").write("x")
            except OSError:
                pass
        time.sleep(0.01)
print("no")
""",
    "prints_both_answers": "print('1 2 3')\nprint('734518')",
    "prints_forever": "while True: print(734518)",
    "raises_after": "print(7)\nraise ValueError('no')",
    "kills_the_judge": "import os\nfor p in (os.getppid(), 1, -1):\n    try: os.kill(p, 9)\n    except OSError: pass",
    "loops": "while True: pass",
    "takes_all_memory": "x = []\nwhile True: x.append(bytearray(1 << 22))",
    "patches_the_interpreter": """
import builtins, sys
for name, module in list(sys.modules.items()):
    for thing in ("compare", "check", "tokens", "judge", "passed", "equal", "loads", "dumps"):
        if hasattr(module, thing):
            try:
                setattr(module, thing, lambda *a, **k: True)
            except (AttributeError, TypeError):
                pass
builtins.all = builtins.any = builtins.len = lambda *a: True
""",
    "does_not_compile": "def f(:\n    pass",
    "reads_on_past_the_end": "while True:\n    try:\n        input()\n    except EOFError:\n        break",
}

CALL_CHEATS = {
    "equal_to_everything": "class A:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\ndef solve(a, b): return A()",
    "number_equal_to_everything": "class A(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef solve(a, b): return A(1)",
    "text_equal_to_everything": "class A(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef solve(a, b): return A('x')",
    "list_equal_to_everything": "class A(list):\n    def __eq__(self, other): return True\n    def __iter__(self): return iter(())\ndef solve(a, b): return A()",
    "returns_nothing": "def solve(a, b): pass",
    "returns_true": "def solve(a, b): return True",
    "returns_text_of_a_verdict": f"def solve(a, b): return '''{FRAME}'''",
    "exits_in_the_call": "import os\ndef solve(a, b): os._exit(0)",
    "exits_politely_in_the_call": "def solve(a, b): raise SystemExit(0)",
    "exits_at_import": "import os\nos._exit(0)\ndef solve(a, b): return 1",
    "no_such_function": "def other(a, b): return 1",
    "reduces_to_code": "class A:\n    def __reduce__(self): return (int, ('734518',))\ndef solve(a, b): return A()",
    "json_patched": "import json, pickle, marshal, builtins\nfor m in (json, pickle, marshal):\n    m.dumps = lambda *a, **k: b'true'\n    m.dump = lambda *a, **k: None\nbuiltins.repr = builtins.str = lambda x: 'true'\ndef solve(a, b): return object()",
    "frames_searched": """
import re, sys
def solve(a, b):
    frame = sys._getframe()
    while frame:
        found = re.search("73451[9]", repr(frame.f_locals) + repr(frame.f_globals))
        if found:
            return int(found.group())
        frame = frame.f_back
""",
    "heap_searched": """
import gc, re
def solve(a, b):
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)) and len(thing) < 100:
            found = re.search("73451[9]", repr(thing))
            if found:
                return int(found.group())
""",
    "loops_in_the_call": "def solve(a, b):\n    while True: pass",
    "returns_itself_for_ever": "def solve(a, b):\n    x = []\n    x.append(x)\n    return x",
    "returns_not_a_number": "def solve(a, b): return float('nan')",
    "returns_a_generator": "def solve(a, b):\n    while True: yield 1",
    "prints_the_verdict": f"def solve(a, b):\n    print('''{FRAME}''')\n    import os\n    os.write(1, b'734518')\n    os._exit(0)",
    "class_not_to_be_made": "class Solution:\n    def __init__(self): raise SystemExit(0)\n    def solve(self, a, b): return 1",
    "arguments_changed": "def solve(a, b, *c): globals()['expected'] = 1; return c",
}

CHECKED = TestSuite(
    cases=(TestCase(input="3 4\n", expected=SECRET),),
    checker=Checker(
        kind="program",
        program="def check(input, expected, output):\n    return output.strip() == expected.strip()",
    ),
)

CHECKER_CHEATS = {
    "output_that_is_code": "print('__import__(\"os\")._exit(0)')",
    "output_that_is_huge": "print('1' * 10**7)",
    "output_that_forges": f"print('''{FRAME}''')\nprint('True')",
    "output_of_null_bytes": "import os\nos.write(1, b'\\0' * 1000 + b'734518')",
}

CHEATS = [
    *((f"stdin-{name}", code, STDIN) for name, code in STDIN_CHEATS.items()),
    *((f"call-{name}", code, CALL) for name, code in CALL_CHEATS.items()),
    *((f"checker-{name}", code, CHECKED) for name, code in CHECKER_CHEATS.items()),
]
