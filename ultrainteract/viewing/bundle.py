"""The page as files: a folder that any file server gives out, or one self-contained page of one tree.

The same script reads these files instead of asking a server. Trees and words are cut into many small files, so that a
reader fetches what is looked at and no more. A tree in which a key or token was found is left out, and counted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from ultrainteract._version import __version__
from ultrainteract.dataset.info import public_name
from ultrainteract.dataset.sensitive import tree_kinds
from ultrainteract.errors import StoreError, UltraInteractError
from ultrainteract.schema import Tree
from ultrainteract.viewing.collection import Collection
from ultrainteract.viewing.exported import exported
from ultrainteract.viewing.library import Library
from ultrainteract.viewing.live import Live
from ultrainteract.viewing.reports import reports_of
from ultrainteract.viewing.summary import Json, plain_tree

PAGE = Path(__file__).parent / "page"
_LINES = 2_000
"""Lines per file of a list."""
_PER_FILE = 64
"""Trees per file."""
_META = '<meta name="ultrainteract-data" content="files" />'
_SPACE = "---\ntitle: {title}\nsdk: static\napp_file: index.html\n---\n"
"""What makes the folder a static Space of the Hugging Face Hub."""
Say = Callable[[str], None]


def write_bundle(
    library: Library, folder: Path, figures: Callable[[Collection], bytes | None], say: Say
) -> None:
    """Writes the page with all its data into a folder.

    Args:
        library: What is shown; its indexes are built.
        folder: Where to write; an earlier bundle there is replaced, anything else is refused.
        figures: Gives what `stats --json` prints of a collection; None leaves it out.
        say: Tells what was left out.

    Raises:
        StoreError: The folder holds something else, or cannot be written.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "data" / "library.json").is_file():
        raise StoreError(f"{folder} holds something that is no bundle. Name another folder, or empty it.")
    try:
        shutil.rmtree(folder / "data", ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        for path in PAGE.iterdir():
            shutil.copyfile(path, folder / path.name)
        page = (PAGE / "index.html").read_text(encoding="utf-8").replace("<title>", f"{_META}\n    <title>")
        (folder / "index.html").write_text(page, encoding="utf-8")
        names = " and ".join(collection.name for collection in library.collections)
        (folder / "README.md").write_text(
            _SPACE.format(title=json.dumps(f"Trees of {names}")), encoding="utf-8"
        )
        (folder / ".nojekyll").touch()  # GitHub Pages would leave files out otherwise
        for number, collection in enumerate(library.collections):
            for name, value in _files(library, number, collection, say):
                _write(folder / "data" / str(number) / name, value)
            if (found := figures(collection)) is not None:
                _write(folder / "data" / str(number) / "figures.json", orjson.loads(found))
        _write(folder / "data" / "library.json", _about(library))
    except OSError as error:
        raise StoreError(f"Cannot write the bundle {folder}: {error.strerror}.") from error


def write_page(collection: Collection, key: str, path: Path) -> None:
    """Writes one tree as one HTML file that needs nothing else: no server, no network.

    Args:
        collection: Where it is.
        key: Its id.
        path: The file.

    Raises:
        StoreError: It cannot be written.
        DataError: There is no such tree.
    """
    line = next(
        (line for line in collection.index.page({}, around=key, limit=1).lines if line.key == key), None
    )
    about = {
        "version": __version__,
        "first": f"#/0/tree/{key}",
        "collections": [_described(0, collection, 1)],
    }
    data = {
        "library.json": about,
        "0/list.json": {"parts": ["list-0.json"], "shards": 1},
        "0/marks.json": [],
        "0/reports.json": [],
        "0/list-0.json": [] if line is None else [line._asdict()],
        "0/trees/0.json": {key: _tree(collection, key, [])},
    }
    script, style = ((PAGE / name).read_text(encoding="utf-8") for name in ("viewer.js", "viewer.css"))
    style = re.sub(
        r"@font-face\{[^}]*\}", "", style
    )  # mathematics is set as MathML, in the reader's own fonts
    block = json.dumps(data).replace("<", "\\u003c")
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8" />\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}" />\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1" />\n'
        f'{_META}<title>UltraInteract</title><link rel="icon" href="data:," />\n<style>{style}</style></head>\n'
        f'<body><div id="page"></div><script type="application/json" id="data">{block}</script>\n'
        f"<script>{script}</script></body></html>\n"
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError(f"Cannot write {path}: {error.strerror}.") from error


def shard(key: str, count: int) -> int:
    """Number of the file that holds a tree; the page computes the same."""
    number = 0
    for character in key:
        number = (number * 31 + ord(character)) % 2**32
    return number % count


def _about(library: Library) -> Json:
    counts = [sum(1 for _ in collection.index.lines()) for collection in library.collections]
    described = [_described(n, c, counts[n]) for n, c in enumerate(library.collections)]
    return {"version": __version__, "collections": described}


def _described(number: int, collection: Collection, count: int) -> Json:
    return {
        "number": number, "name": collection.name, "place": public_name(collection.place), "run": collection.is_run,
        "audit": False, "indexed": count, "total": count, "whole": True, "error": "",
    }  # fmt: skip


def _files(library: Library, number: int, collection: Collection, say: Say) -> Iterable[tuple[str, Any]]:
    lines = list(collection.index.lines())
    shards = max(1, min(1024, len(lines) // _PER_FILE))
    names = []
    left_out = set()
    places: dict[int, list[str]] = {}
    for line in lines:
        places.setdefault(shard(line.key, shards), []).append(line.key)
    others = [other for n, other in enumerate(library.collections) if n != number]
    for place, keys in places.items():
        found = {}
        for key in keys:
            tree = _tree(
                collection, key, [library.collections.index(o) for o in others if key in o.index.find(key)]
            )
            if tree is None:
                left_out.add(key)
            else:
                found[key] = tree
        yield f"trees/{place}.json", found
    kept = [line for line in lines if line.key not in left_out]
    for part, start in enumerate(range(0, len(lines), _LINES)):
        names.append(f"list-{part}.json")
        chosen = [line._asdict() for line in lines[start : start + _LINES] if line.key not in left_out]
        yield names[-1], chosen
    moved = {
        old: new for new, old in enumerate(n for n, line in enumerate(lines) if line.key not in left_out)
    }
    words: dict[str, dict[str, list[int]]] = {}
    begin = ""
    for word, rows in collection.index.words():
        if _begin(word) != begin:
            words.setdefault(_begin(word), {})
        begin = _begin(word)
        hits = [moved[row] for row in rows if row in moved]
        if hits:
            words[begin][word] = [
                hits[0],
                *(after - before for before, after in pairwise(hits)),
            ]
    yield "list.json", {"parts": names, "shards": shards, "words": sorted(words)}
    yield "marks.json", []
    for begin, known in words.items():
        yield f"words/{begin}.json", known
    if collection.is_run:
        live = Live(collection).read() | {"live": False, "log": [], "indexed": len(kept), "whole": True}
        yield "live.json", live
    yield "reports.json", reports_of(collection)
    if left_out:
        say(
            f"{collection.name}: {len(left_out)} trees were left out because a key or token was found in them."
        )


def _tree(collection: Collection, key: str, others: list[int]) -> Json | None:
    """What the page asks of one tree; None where a secret was found in it."""
    stored = collection.tree(key)
    if stored is None:
        return {"key": key, "others": others, "formats": [], "tree": None, "rows": {}}
    plain = plain_tree(stored)
    try:
        if "secret" in tree_kinds(Tree.model_validate(plain)):
            return None
        rows = {name: exported(collection, key, name) for name in ("sft", "pair", "trl-preference")}
    except (ValueError, UltraInteractError):  # no tree of this version: shown as it is
        rows = {}
    return {"key": key, "others": others, "formats": list(rows), "tree": plain, "rows": rows}


def _begin(word: str) -> str:
    """Name of the file that holds a word; the page computes the same."""
    return re.sub(r"[^a-z0-9]", "_", word[:2]) or "_"


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS))
    except TypeError:  # halves of surrogate pairs
        path.write_text(json.dumps(value), encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
