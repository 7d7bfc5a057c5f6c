"""Runs programs in a real IPython shell, each in a fork of its own: what the sandbox is compared with.

Reads a JSON list of [cells, stdin] from standard input; writes a JSON list of {value, stdout, error_type}.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import tempfile


def observe(cells: list[str], stdin: str) -> dict[str, str | None]:
    """Runs the cells in this process and reports the last one."""
    from IPython.core.interactiveshell import InteractiveShell

    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for fd, text in ((0, stdin), (1, ""), (2, "")):
            handle, path = tempfile.mkstemp()
            os.write(handle, text.encode())
            os.lseek(handle, 0, 0)
            os.dup2(handle, fd)
            os.unlink(path)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (lives as long as the process)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        shell = InteractiveShell.instance()
        # What the shell itself prints (the echo of a value, tracebacks) is not the program's output.
        shell.displayhook.__class__.__call__ = _keep
        shell._showtraceback = lambda *a: None
        shell.showsyntaxerror = lambda *a, **k: None
        result = None
        for number, cell in enumerate(cells):
            if number == len(cells) - 1:
                sys.stdout.flush()
                os.ftruncate(1, 0)
                os.lseek(1, 0, 0)
            result = shell.run_cell(cell, store_history=True)
        sys.stdout.flush()
        os.lseek(1, 0, 0)
        written = b""
        while part := os.read(1, 1 << 20):
            written += part
        error = result.error_before_exec or result.error_in_exec
        value = None if result.result is None or error else repr(result.result)
        os.chdir("/")
        return {
            "value": value,
            "stdout": written.decode("utf-8", "replace"),
            "error_type": type(error).__name__ if error else None,
        }


def _keep(hook: object, result: object = None) -> None:
    """A display hook that keeps the value, as the shell's own does, and shows nothing."""
    if result is not None and not hook.quiet():
        hook.update_user_ns(result)
        hook.fill_exec_result(result)


def main() -> None:
    """Serves the list."""
    from IPython.core.interactiveshell import InteractiveShell

    # Made once; each program runs in a fork of it. The modules are loaded, but in nobody's namespace.
    shell = InteractiveShell.instance()
    for module in ("numpy", "pandas", "scipy.optimize", "scipy.stats", "sympy"):
        importlib.import_module(module)
    shell.history_manager.enabled = False
    shell.run_cell("None")  # loads what the first cell needs
    gc.freeze()
    programs = json.load(sys.stdin)
    answers = []
    for cells, stdin in programs:
        ours, theirs = os.pipe()
        if os.fork() == 0:
            text = json.dumps(observe(cells, stdin)).encode()
            with open(theirs, "wb") as pipe:
                pipe.write(text)
            os._exit(0)
        os.close(theirs)
        with open(ours, "rb") as pipe:
            answers.append(json.loads(pipe.read() or b"null"))
        os.wait()
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
