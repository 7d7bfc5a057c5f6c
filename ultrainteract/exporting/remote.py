"""Exports to object storage: written whole on this machine, then copied to where an fsspec URL points."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ultrainteract.errors import StoreError


@contextmanager
def written_to(place: str) -> Iterator[Path]:
    """A folder to write to; what is in it at the end is at `place`.

    Args:
        place: A folder, or an fsspec URL such as `s3://bucket/folder`; the splits that were there before under the
            same names are replaced.

    Raises:
        StoreError: The URL cannot be written.
    """
    if "://" not in place:
        yield Path(place)
        return
    from fsspec.core import url_to_fs

    try:
        files, path = url_to_fs(place)
    except (ValueError, ImportError) as error:
        raise StoreError(f"Cannot write to {place}: {error}.") from error
    with tempfile.TemporaryDirectory(prefix="ultrainteract-export-") as scratch:
        yield Path(scratch)
        try:
            files.makedirs(path, exist_ok=True)
            for item in sorted(Path(scratch).iterdir()):
                target = f"{path.rstrip('/')}/{item.name}"
                if item.is_dir() and files.exists(target):
                    files.rm(target, recursive=True)  # a shard of an earlier, larger export must not stay
                for file in sorted(item.rglob("*")) if item.is_dir() else [item]:
                    if file.is_file():
                        inside = file.relative_to(scratch).as_posix()
                        files.makedirs(f"{path.rstrip('/')}/{inside}".rpartition("/")[0], exist_ok=True)
                        files.put_file(str(file), f"{path.rstrip('/')}/{inside}")
        except OSError as error:
            raise StoreError(f"Cannot write to {place}: {error}.") from error
