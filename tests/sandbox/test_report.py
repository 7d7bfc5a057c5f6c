"""What is shown of values, output and errors: as a notebook shows them, whatever the objects say of themselves."""

from __future__ import annotations

import pytest

from ultrainteract.config import Limits
from ultrainteract.sandbox.base import Execution
from ultrainteract.sandbox.pool import Pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIAR = """
class M(type):
    __name__ = property(lambda c: 1 / 0)
    __module__ = property(lambda c: 1 / 0)
    def __instancecheck__(c, o): raise KeyError
    def __eq__(a, b): raise KeyError
    __hash__ = None
class E(Exception, metaclass=M):
    def __getattribute__(s, n): raise MemoryError
raise E('told')
"""
ERRORS = [
    ("class E(Exception):\n    __traceback__ = property(lambda s: 1 / 0)\nraise E('told')", "E", "E: told"),
    ("class E(Exception):\n    __cause__ = __context__ = property(lambda s: 1 / 0)\nraise E('told')", "E", "E: told"),
    ("class E(Exception):\n    __suppress_context__ = property(lambda s: 1 / 0)\nraise E('told')", "E", "E: told"),
    ("class E(Exception):\n    def __str__(s): return 5\nraise E", "E", "E: <the message cannot be shown: TypeError>"),
    ("class E(Exception):\n    def __str__(s): raise SystemExit\nraise E", "E", "SystemExit>"),
    ("class S(str):\n    __getitem__ = __format__ = __len__ = __bool__ = None\nraise ValueError(S('told'))", "ValueError", "told"),
    ("class E(Exception):\n    def __str__(s): return S('told')\nclass S(str):\n    __getitem__ = None\nraise E", "E", "told"),
    ("class E(Exception):\n    __class__ = property(lambda s: SyntaxError)\nraise E('told')", "E", "E: told"),
    ("class E(Exception):\n    __notes__ = property(lambda s: 1 / 0)\nraise E('told')", "E", "E: told"),
    ("raise SyntaxError('told', ('<cell 1>', 'one', 'two', None))", "SyntaxError", "told"),
    ("raise SyntaxError('told', ('<cell 1>', 1, 10**30, 'x = '))", "SyntaxError", "told"),
    ("raise SyntaxError('told', ('<cell 1>', 10**30, 1, None))", "SyntaxError", "told"),
    ("raise SyntaxError('told', (['<cell 1>'], 1, 1, None))", "SyntaxError", "told"),
    ("e = SyntaxError('told')\ne.filename = '<cell 1>'\ne.lineno = True\ne.text = 5\nraise e", "SyntaxError", "told"),
    ("e = SyntaxError()\ne.msg = e\nraise e", "SyntaxError", "SyntaxError"),
    (LIAR, "E", "E: told"),
]  # fmt: skip


async def failed(sandbox: Pool, *cells: str) -> Execution:
    result = await sandbox.run(cells)
    assert result.status == "error", result
    assert result.traceback is not None
    return result


@pytest.mark.parametrize(("code", "error_type", "says"), ERRORS)
async def test_odd_errors_keep_class_and_message(
    sandbox: Pool, code: str, error_type: str, says: str
) -> None:
    result = await failed(sandbox, code)
    assert result.error_type == error_type
    assert says in (result.traceback or "")


async def test_the_line_of_an_odd_error_is_shown(sandbox: Pool) -> None:
    code = "class E(Exception):\n    __traceback__ = property(lambda s: 1 / 0)\ndef f():\n    raise E('told')\nf()"
    assert (await failed(sandbox, code)).traceback == (
        "Cell In[1], line 5\n    f()\nCell In[1], line 4, in f\n    raise E('told')\nE: told"
    )


async def test_causes_are_shown(sandbox: Pool) -> None:
    code = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('a') from e"
    assert (await failed(sandbox, code)).traceback == (
        "Cell In[1], line 2\n    1 / 0\nZeroDivisionError: division by zero\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        "Cell In[1], line 4\n    raise ValueError('a') from e\nValueError: a"
    )
    code = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    {}['k']"
    shown = (await failed(sandbox, code)).traceback or ""
    assert shown.splitlines()[4] == ("During handling of the above exception, another exception occurred:")
    assert shown.endswith("KeyError: 'k'")
    code = "try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('a') from None"
    assert "ZeroDivisionError" not in ((await failed(sandbox, code)).traceback or "").splitlines()[0]
    assert (await failed(sandbox, code)).traceback == (
        "Cell In[1], line 4\n    raise ValueError('a') from None\nValueError: a"
    )


async def test_a_chain_without_an_end_is_cut(sandbox: Pool) -> None:
    code = "a, b = ValueError('a'), ValueError('b')\na.__context__ = b\nb.__cause__ = a\nraise a"
    assert ((await failed(sandbox, code)).traceback or "").count("ValueError: a") == 1
    code = "e = None\nfor n in range(100):\n    f = ValueError(n)\n    f.__cause__ = e\n    e = f\nraise e"
    assert ((await failed(sandbox, code)).traceback or "").count("direct cause") == 9


async def test_what_the_notebook_does_itself_is_no_context(sandbox: Pool) -> None:
    result = await failed(
        sandbox, "1 / 0\nreturn 5"
    )  # the compiler refuses the second line, which is not reached
    assert result.traceback == "Cell In[1], line 1\n    1 / 0\nZeroDivisionError: division by zero"


async def test_notes_are_shown(sandbox: Pool) -> None:
    code = "e = ValueError('a')\ne.add_note('look here')\nraise e"
    assert ((await failed(sandbox, code)).traceback or "").endswith("ValueError: a\nlook here")


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nprint('x')\ndel sys.stdout, sys.stderr\nx = 1",
        "import sys\nprint('x')\nsys.stdout = None",
        "import sys\nprint('x')\nsys.stdout = 5\nsys.stderr = 'no'",
        "import sys\nprint('x')\nsys.stdout.close()",
        "import sys, os\nprint('x', flush=True)\nsys.stdout.detach()",
    ],
)
async def test_lost_streams(sandbox: Pool, code: str) -> None:
    result = await sandbox.run([code])
    assert (result.status, result.stdout) == ("ok", "x\n"), result


async def test_other_encodings_of_standard_output(sandbox: Pool) -> None:
    result = await sandbox.run(["import sys\nsys.stdout.reconfigure(encoding='utf-16')\nprint('abc')\n'v'"])
    assert (result.status, result.value) == ("ok", "'v'"), result
    result = await sandbox.run(["import sys\nsys.stdout.reconfigure(encoding='latin-1')\nprint('é')\n'v'"])
    assert (result.status, result.stdout) == ("ok", "\ufffd\n")


async def test_standard_streams_are_pipes_on_every_backend(sandbox: Pool) -> None:
    code = (
        "import sys\n[(s.name, s.mode, s.encoding, s.errors, s.line_buffering, s.seekable(), s.isatty(), s.fileno())"
        " for s in (sys.stdout, sys.stderr)]"
    )
    assert (await sandbox.run([code])).value == (
        "[('<stdout>', 'w', 'utf-8', 'strict', True, False, False, 1), "
        "('<stderr>', 'w', 'utf-8', 'backslashreplace', True, False, False, 2)]"
    )
    code = (
        "open('/dev/stdout', 'w').write('a')\nopen('/dev/stderr', 'w').write('b')\nopen('/dev/stdin').read()"
    )
    result = await sandbox.run([code])
    assert (result.stdout, result.stderr, result.value) == ("a", "b", "''"), result


async def test_output_limits_are_exact(sandbox: Pool) -> None:
    limits = Limits(output_bytes=1000)
    whole = await sandbox.run(["print('x' * 999)\n'y' * 998"], limits=limits)
    assert (whole.stdout, whole.value, whole.truncated) == ("x" * 999 + "\n", repr("y" * 998), False)
    more = await sandbox.run(["print('x' * 1000)\nimport sys\nprint('z' * 999, file=sys.stderr)\n'y' * 999"], limits=limits)  # fmt: skip
    mark = "\n[... output cut at 1,000 bytes]\n"
    assert (more.stdout, more.stderr) == ("x" * 1000 + mark, "z" * 999 + "\n")
    assert (more.value, more.truncated) == (repr("y" * 999)[:1000] + mark, True)
    letters = await sandbox.run(["print('x' + 'é' * 600)"], limits=limits)
    assert letters.stdout == "x" + "é" * 499 + mark  # not the first byte of the next one
    far = 1 << 20
    at = await sandbox.run([f"import os\nn = 0\nwhile n < {far}: n += os.write(1, b'x' * min(65536, {far} - n))"], limits=limits)  # fmt: skip
    assert (at.status, at.truncated) == ("ok", True), at
    for _ in range(5):
        over = await sandbox.run([f"import os\nn = 0\nwhile n < {far + 1}: n += os.write(1, b'x' * min(65536, {far + 1} - n))"], limits=limits)  # fmt: skip
        assert over.status == "output_limit", over


@pytest.mark.parametrize("number", [1, 32, 33, 34, 40, 63, 64])
async def test_every_signal_has_a_name(sandbox: Pool, number: int) -> None:
    result = await sandbox.run([f"import os\nos.kill(os.getpid(), {number})\nimport time\ntime.sleep(0.2)"])
    assert result.status == "killed", result
    assert "signal " in (result.traceback or "")
