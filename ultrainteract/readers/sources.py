"""Where rows come from: a local file, folder or glob, a URL, or a dataset of the Hugging Face Hub, alike.

Seeds, benchmarks, mixed-in datasets, `import` and `validate-data` all read through this module: the same names are
found, the same formats are understood, and what is wrong is said in the same words. A path that exists (beside the
config file, or below the working folder) is local; anything else that looks like `owner/name` is a Hub id, streamed at
one resolved revision, so that a run can say exactly what it read.
"""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from ultrainteract.errors import SeedError
from ultrainteract.readers.files import DATA_FILES, BadRecord, read_file
from ultrainteract.readers.rows import Row

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+|[A-Za-z0-9][\w-]*")


_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class Place(Protocol):
    """What names a source in a configuration."""

    @property
    def path(self) -> str:
        """File, folder, glob, URL, or Hub dataset id."""
        ...

    @property
    def subset(self) -> str | None:
        """Configuration (subset) name, for Hub datasets."""
        ...

    @property
    def split(self) -> str:
        """Split, for Hub datasets."""
        ...

    @property
    def revision(self) -> str | None:
        """Revision of a Hub dataset."""
        ...


def read_rows(
    seed: Place, base: Path, patterns: tuple[str, ...], revisions: dict[str, str] | None = None
) -> Iterator[Row | BadRecord]:
    """All rows of a source, in a stable order.

    Args:
        seed: The source.
        base: Folder against which relative paths resolve first; the working folder is the second try.
        patterns: File patterns read where the path is a folder: the first that matches anything.
        revisions: Where the commit of a Hub dataset is noted.

    Raises:
        SeedError: Nothing is there, or it cannot be read at all.
    """
    files = local_files(seed.path, base, patterns)
    if files is None:
        if not is_hub_id(seed.path):
            raise SeedError(
                f"{seed.path}: no such file or folder in {base} or {Path.cwd()}, and no Hub dataset id."
            )
        revision = resolve_revision(seed.path, seed.revision)
        if revisions is not None:
            revisions[seed.path] = revision
        yield from _hub_rows(seed.path, seed.subset, seed.split, revision)
        return
    root, paths = files
    for path in paths:
        # Reports name a file as the config writes it, never by where this machine keeps it.
        yield from read_file(
            path, _shown(seed.path) if path == root else str(_fixed(seed.path) / path.relative_to(root))
        )


def is_hub_id(path: str) -> bool:
    """Whether a path that names nothing here can be the id of a dataset on the Hub."""
    data_file = any(Path(path).match(pattern[3:]) for pattern in DATA_FILES)
    return _HUB_ID.fullmatch(path) is not None and not data_file


def _shown(path: str) -> str:
    """A path as reports show it: a URL without what may be secret in it."""
    if not _URL.match(path):
        return path
    parts = urlsplit(path)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


@cache
def download(url: str) -> Path:
    """Fetches a file by its URL, once per process; any scheme that `fsspec` knows (https, s3, hf, …).

    Raises:
        SeedError: It cannot be fetched.
    """
    import fsspec

    name = PurePosixPath(urlsplit(url).path).name
    folder = tempfile.mkdtemp(prefix="ultrainteract-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = Path(folder) / (name or "download")
    try:
        with fsspec.open(url, "rb") as remote, target.open("wb") as file:
            shutil.copyfileobj(remote, file)
    except (OSError, ValueError, ImportError) as error:
        raise SeedError(f"{_shown(url)}: cannot be fetched: {_first_line(error)}") from error
    return target


def _fixed(path: str) -> Path:
    """The part of a glob before its first pattern; the whole path where it is none."""
    parts = Path(path).parts
    magic = next(
        (n for n, part in enumerate(parts) if any(character in part for character in "*?[")), len(parts)
    )
    return Path(*parts[:magic])


def resolved(path: str, base: Path) -> Path:
    """A path of the config: beside the config file if it is there, else as seen from the working folder."""
    given = Path(path).expanduser()
    return base / given if (base / given).exists() else given


def local_files(path: str, base: Path, patterns: tuple[str, ...]) -> tuple[Path, list[Path]] | None:
    """The files that `path` names: its root (or itself) and all files in order; None if nothing is there.

    Raises:
        SeedError: The folder is there but holds no data file.
    """
    if _URL.match(path):
        file = download(path)
        return file, [file]
    given = Path(path).expanduser()
    for root in dict.fromkeys((base / given, given)):
        if root.is_file():
            return root, [root]
        if root.is_dir():
            for pattern in patterns:
                found = sorted((p for p in root.glob(pattern) if p.is_file()), key=_natural)
                if found:
                    return root, found
            raise SeedError(f"{root} holds no data file ({', '.join(patterns)}).")
        fixed = _fixed(str(root))
        if fixed != root and fixed.is_dir():
            found = sorted((p for p in fixed.glob(str(root.relative_to(fixed))) if p.is_file()), key=_natural)
            if found:
                return fixed, found
    return None


def _natural(path: Path) -> list[tuple[int, int, str]]:
    """Sort key under which `2.json` comes before `10.json`, whatever the machine's locale."""
    parts = re.split(r"(\d+)", str(path))
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


@cache
def resolve_revision(repository: str, revision: str | None) -> str:
    """The commit a Hub revision stands for at present.

    Raises:
        SeedError: The Hub does not know the dataset, or cannot be reached.
    """
    from huggingface_hub import HfApi, errors

    try:
        commit = HfApi().dataset_info(repository, revision=revision, timeout=30).sha
    except (errors.HTTPError, errors.HFValidationError, OSError) as error:  # type: ignore[attr-defined]
        raise SeedError(
            f"{repository}: not a file or folder here, and the Hub does not give it: {_first_line(error)} "
            "Check the id, the network, HF_ENDPOINT, and HF_TOKEN for a gated dataset."
        ) from error
    return commit or revision or "main"


def _hub_rows(repository: str, subset: str | None, split: str, revision: str) -> Iterator[Row | BadRecord]:
    import datasets
    from huggingface_hub import errors

    failures = (ValueError, OSError, RuntimeError, datasets.exceptions.DatasetsError, errors.HTTPError)  # type: ignore[attr-defined]
    where = f"{repository}@{revision[:12]}/{subset + '/' if subset else ''}{split}"
    number = 0
    try:
        for data in datasets.load_dataset(repository, subset, split=split, streaming=True, revision=revision):
            number += 1
            yield Row(data, f"{where}#{number}", f"{subset}/{number}" if subset else str(number))
    except failures as error:
        raise SeedError(f"{where}: reading failed at row {number + 1}: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
