"""Where a run's log goes: all of it into a file with times, and what a user must see above the live display."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ultrainteract.errors import StoreError

if TYPE_CHECKING:
    from rich.console import Console

LOG_FILE = "run.log"
"""Everything that a run logged, in its run directory."""
_QUIET_S = 60.0
_KIND_WORDS = 5


class OncePerMinute(logging.Handler):
    """Hands a kind of message on once per minute; the next one says how many were left out.

    Messages are of one kind where their first words are: a hundred trees that fail for a hundred texts of one server
    are one fault to a reader. The log file has them all.

    Args:
        shown: Shows a message.
        clock: Seconds, monotonic.
    """

    def __init__(self, shown: logging.Handler, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._handler = shown
        self._clock = clock
        self._shown: dict[str, tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Shows a message, or counts it."""
        now = self._clock()
        kind = _kind(record.getMessage())
        at, left_out = self._shown.get(kind, (float("-inf"), 0))
        if now - at < _QUIET_S:
            self._shown[kind] = at, left_out + 1
            return
        self._shown[kind] = now, 0
        if left_out:
            text = f"{record.getMessage()} (and {left_out:,} more like it before)"
            record = logging.makeLogRecord({**record.__dict__, "msg": text, "args": None})
        self._handler.emit(record)


def _kind(text: str) -> str:
    """The first plain words of a message: without names, numbers and addresses."""
    return " ".join([word for word in text.split() if word.isalpha()][:_KIND_WORDS])


@contextmanager
def logged(console: Console | None, folder: Path) -> Iterator[None]:
    """Keeps the package's log in the run directory, and shows warnings and errors on the display's own console.

    A second console would draw over the live display, and leave pieces of it behind.

    Args:
        console: The console of the display; nothing is shown if None.
        folder: The run directory.

    Raises:
        StoreError: The file cannot be written.
    """
    log = logging.getLogger("ultrainteract")
    handlers: list[logging.Handler] = []
    try:
        kept = logging.FileHandler(folder / LOG_FILE, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write {folder / LOG_FILE}: {error.strerror}.") from error
    kept.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    handlers.append(kept)
    if console is not None:
        from rich.logging import RichHandler

        handlers.append(OncePerMinute(RichHandler(console=console, show_path=False, show_time=False)))
    level = log.level
    log.setLevel(logging.INFO)
    for handler in handlers:
        log.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            log.removeHandler(handler)
        kept.close()
        log.setLevel(level)
