"""Files beside a run that appear whole: a reader, and a kill at any moment, finds the old one or the new one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ultrainteract.errors import StoreError


def write_lines(lines: Iterable[str], path: Path) -> int:
    """Writes a file that appears when it is whole, and returns the number of its lines.

    Raises:
        StoreError: It cannot be written.
    """
    temporary, count = path.with_name(f".{path.name}.new"), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
        os.replace(temporary, path)
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.") from error
    return count
