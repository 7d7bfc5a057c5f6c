"""A local index of Wikipedia: one SQLite file with full-text search, built from a dump in bounded memory.

The index is written beside its place and moved there when it is whole: an interrupted build leaves no half an
index. It holds titles, openings and redirects; the full text is indexed but not kept.
"""

from __future__ import annotations

import asyncio
import bz2
import gzip
import os
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from ultrainteract.errors import ConfigError, SandboxError
from ultrainteract.tools.wikipedia import ARTICLES, worded
from ultrainteract.tools.wikitext import opening, plain_text

FORMAT = 1
"""Version of the layout; kept in SQLite's `user_version`."""
APPLICATION = 0x55495749
OPENING_CHARS = 2_000
"""Length of the opening that is kept of an article."""
INDEXED_CHARS = 20_000
"""Length of an article's text that is searchable."""
SEARCH_S = 20.0
"""Deadline of one search; a broader one that misses it answers with what the narrower one found."""

_BATCH = 2_000
_LAYOUT = """
CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, opening TEXT NOT NULL);
CREATE TABLE names (name TEXT PRIMARY KEY, target TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE search
    USING fts5 (title, body, content='', tokenize="porter unicode61 remove_diacritics 2");
"""
_WORD = re.compile(r"\w+")
_COMMON_WORDS = """
a an and are as at be been but by did do does for from had has have he her his how i if in into is it its many
much of on or she that the their them then there these they this to was we were what when where which who whom
whose why will with would you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class Page:
    """One page of a dump: an article, or a redirect to one."""

    title: str
    text: str
    """Wikitext, or plain text where the source holds plain text."""
    redirect: str | None = None
    """Title of the article that this page stands for."""
    is_plain: bool = False


def build_index(dump: Path, index: Path, progress: Callable[[int], None] = lambda count: None) -> int:
    """Builds an index; an existing one is replaced when the new one is whole.

    Args:
        dump: A MediaWiki XML dump or JSON lines of `title` and `text`; plain, bzip2 or gzip.
        index: Where the index is to be.
        progress: Told the number of articles now and then.

    Returns:
        The number of articles.

    Raises:
        ConfigError: The dump cannot be read, is cut short, or holds no article.
    """
    partial = index.with_name(index.name + f".partial-{os.getpid()}")
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(partial, isolation_level=None)) as database:
            # Nothing needs to survive a crash before the file is moved to its place.
            database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_LAYOUT}")
            count = _fill(database, dump, progress)
            database.executescript(
                f"INSERT INTO search (search) VALUES ('optimize'); PRAGMA user_version = {FORMAT}; "
                f"PRAGMA application_id = {APPLICATION};"
            )
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, index)
    except (OSError, sqlite3.Error, EOFError) as error:
        raise ConfigError(
            f"No index could be made from {dump}: {error}. Check the file and the free space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return count


def _fill(database: sqlite3.Connection, dump: Path, progress: Callable[[int], None]) -> int:
    count = 0
    database.execute("BEGIN")
    for page in read_pages(dump):
        if page.redirect is not None:
            _name(database, page.title, page.redirect)
            continue
        start = page.text[:OPENING_CHARS].strip() if page.is_plain else opening(page.text, OPENING_CHARS)
        if not start:
            continue
        # Markup is at most a few times the text: the rest need not be read.
        body = page.text if page.is_plain else plain_text(page.text[: 4 * INDEXED_CHARS])
        count += 1
        _name(database, page.title, page.title)
        database.execute("INSERT INTO articles VALUES (?, ?, ?)", (count, page.title, start))
        database.execute(
            "INSERT INTO search (rowid, title, body) VALUES (?, ?, ?)",
            (count, page.title, body[:INDEXED_CHARS]),
        )
        if count % _BATCH == 0:
            database.execute("COMMIT")
            database.execute("BEGIN")
            progress(count)
    if not count:
        raise ConfigError(
            f"{dump} holds no article. It must be a MediaWiki XML dump (pages-articles) or JSON lines of "
            "title and text."
        )
    database.execute("CREATE INDEX articles_by_title ON articles (title)")
    database.execute("COMMIT")
    progress(count)
    return count


def _name(database: sqlite3.Connection, name: str, target: str) -> None:
    # An article's own title wins over a redirect that differs from it in case only.
    rule = "REPLACE" if name == target else "IGNORE"
    database.execute(f"INSERT OR {rule} INTO names VALUES (?, ?)", (_folded(name), target))


def _folded(text: str) -> str:
    return " ".join(text.replace("_", " ").casefold().split())


# ------------------------------------------------------------------------------------------------ dumps


def read_pages(dump: Path) -> Iterator[Page]:
    """Reads the pages of a dump, one at a time.

    Raises:
        ConfigError: It cannot be read or is not in a known format; the message says where.
    """
    try:
        with _opened(dump) as file:
            start = file.peek(64).lstrip() if hasattr(file, "peek") else b""
            yield from _xml_pages(file, dump) if start.startswith(b"<") else _json_pages(file, dump)
    except (OSError, EOFError) as error:
        raise ConfigError(f"Cannot read the dump {dump}: {error}.") from error


def _opened(dump: Path) -> Any:
    with open(dump, "rb") as file:
        magic = file.read(3)
    if magic == b"BZh":
        return bz2.open(dump, "rb")
    return gzip.open(dump, "rb") if magic[:2] == b"\x1f\x8b" else open(dump, "rb")


def _json_pages(file: IO[bytes], dump: Path) -> Iterator[Page]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
            title, text = row["title"], row["text"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise ConfigError(
                f"{dump}, line {number}: not a JSON object with title and text ({error})."
            ) from error
        # HotpotQA's files hold the sentences of an opening as a list.
        text = "".join(text) if isinstance(text, list) else text
        if not isinstance(title, str) or not isinstance(text, str):
            raise ConfigError(f"{dump}, line {number}: title and text must be texts.")
        yield Page(title, text, is_plain=True)


def _xml_pages(file: IO[bytes], dump: Path) -> Iterator[Page]:
    from xml.etree.ElementTree import Element, ParseError, iterparse

    root: Element | None = None
    try:
        for event, element in iterparse(file, ("start", "end")):
            if root is None:
                root = element
            if event != "end" or _local(element.tag) != "page":
                continue
            fields = {_local(child.tag): child for child in element}
            title, namespace = _text(fields.get("title")), _text(fields.get("ns"))
            if title and namespace in ("", "0"):
                redirect = fields.get("redirect")
                if redirect is not None:
                    yield Page(title, "", redirect=redirect.get("title", ""))
                else:
                    revision = fields.get("revision")
                    texts = [] if revision is None else [c for c in revision if _local(c.tag) == "text"]
                    yield Page(title, _text(texts[0]) if texts else "")
            root.clear()
    except ParseError as error:
        raise ConfigError(f"{dump} is not a whole XML dump: {error}.") from error


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _text(element: Any) -> str:
    return (element.text or "") if element is not None else ""


# ----------------------------------------------------------------------------------------------- search


class WikipediaIndex:
    """An index, opened for reading; safe to use from several tasks.

    Args:
        path: The file.

    Raises:
        ConfigError: There is none, or the file is not an index of this version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        try:
            found = self._database.execute(
                "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version"
            )
            known = found.fetchone() == (APPLICATION, FORMAT)
        except sqlite3.Error as error:
            raise ConfigError(
                f"Cannot open the Wikipedia index {path}: {error}. Make one with "
                "`ultrainteract wiki build DUMP INDEX`."
            ) from error
        if not known:
            raise ConfigError(
                f"{path} is not a Wikipedia index of this version; make it again with "
                "`ultrainteract wiki build DUMP INDEX`."
            )

    async def answer(self, query: str) -> str:
        """The answer as the program sees it.

        Raises:
            SandboxError: The index cannot be read any more.
        """
        try:
            return worded(await asyncio.to_thread(self.search, query))
        except sqlite3.Error as error:
            raise SandboxError(f"The Wikipedia index {self._path} cannot be read: {error}.") from error

    def search(self, query: str, limit: int = ARTICLES) -> list[tuple[str, str]]:
        """Titles and openings, best first: the article of that name, then by BM25, titles weighted tenfold.

        Args:
            query: Words, in any order.
            limit: Most articles.
        """
        database = self._database
        exact = database.execute(
            "SELECT id FROM names JOIN articles ON title = target WHERE name = ?", (_folded(query),)
        ).fetchall()
        found = [number for (number,) in exact][:limit]
        words = [word for word in _WORD.findall(query) if word.casefold() not in _COMMON] or _WORD.findall(
            query
        )
        deadline = time.monotonic() + SEARCH_S
        database.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        try:
            for joint in (" ", " OR "):
                if words and len(found) < limit:
                    for (number,) in database.execute(
                        "SELECT rowid FROM search WHERE search MATCH ? "
                        "ORDER BY bm25(search, 10.0, 1.0), rowid LIMIT ?",
                        (joint.join(f'"{word}"' for word in words), limit + len(found)),
                    ):
                        if number not in found and len(found) < limit:
                            found.append(number)
        except sqlite3.OperationalError as error:
            if "interrupted" not in str(error):
                raise
        finally:
            database.set_progress_handler(None, 0)
        rows = [
            database.execute("SELECT title, opening FROM articles WHERE id = ?", (n,)).fetchone()
            for n in found
        ]
        return [(title, start) for title, start in rows]

    @property
    def _database(self) -> sqlite3.Connection:
        """This thread's connection; the file never changes, so nothing is locked."""
        if not hasattr(self._local, "database"):
            address = f"{self._path.resolve().as_uri()}?mode=ro&immutable=1"
            self._local.database = sqlite3.connect(address, uri=True)
        database: sqlite3.Connection = self._local.database
        return database
