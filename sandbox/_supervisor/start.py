"""The supervisor's command line: makes the places that executions get, waits for the host, and serves it."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import stat
import sys
import traceback
from typing import Any

from . import cleanup, mounts
from .host import Gone
from .layout import Layout
from .server import Server, hang_up

_PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)


def _stop_ignoring_signals() -> None:
    """Takes back what whoever started the supervisor ignores (`nohup` does SIGHUP): programs would inherit it."""
    for number in signal.valid_signals():
        if number not in _PYTHON_IGNORES and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def main(register_at_fork: Any, at_fork: list[dict[str, Any]]) -> None:
    """Reads the command line and serves; for the arguments see `zygote.start`."""
    parser = argparse.ArgumentParser(prog="supervisor", description=__doc__)
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--fd", type=int, help="descriptor of a connected socket")
    way.add_argument("--socket", help="path of the socket to listen on")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--base-uid", type=int, default=None)
    parser.add_argument("--scratch", default="/box")
    parser.add_argument("--file-mb", type=int, default=64)
    parser.add_argument("--unsafe", action="store_true")
    options = parser.parse_args()
    prefixes = tuple({sys.prefix, sys.base_prefix, sys.exec_prefix, "/usr"})
    sys.meta_path[:] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") != "_Finder"]
    sys.path[:] = ["", *[path for path in sys.path[1:] if path.startswith(prefixes) and os.path.exists(path)]]
    os.environ.pop("LD_BIND_NOW", None)  # has done its work
    _stop_ignoring_signals()
    os.umask(0o022)
    if options.base_uid is not None:
        os.setgroups([])
    layout = Layout(options.slots, options.base_uid, options.scratch, not options.unsafe, options.file_mb)
    try:
        cleanup.make_directories(layout)
        host = socket.socket(fileno=options.fd) if options.socket is None else _accept(options.socket)
        os.set_inheritable(host.fileno(), False)
        places = mounts.slot_namespaces(layout) if layout.isolated and layout.base_uid is not None else []
        server = Server(layout, host, places, register_at_fork, at_fork)
    except BaseException:
        if options.socket is not None:
            with open(f"{os.path.dirname(options.socket)}/error", "w") as file:
                traceback.print_exc(file=file)
        raise
    try:
        server.serve()
    except Gone:
        hang_up()


def _accept(path: str) -> socket.socket:
    """Waits for the host, which must come within a minute, and lets nobody else in."""
    listener = socket.socket(socket.AF_UNIX)
    listener.settimeout(60)
    listener.bind(path)
    owner = os.stat(os.path.dirname(path))
    os.chown(path, owner.st_uid, owner.st_gid)
    os.chmod(path, stat.S_IRUSR | stat.S_IWUSR)
    listener.listen(1)
    host, _ = listener.accept()
    listener.close()
    os.unlink(path)
    return host
