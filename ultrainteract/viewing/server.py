"""The server behind the page: lists, trees and figures as JSON, the built page itself, and marks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from ultrainteract._version import __version__
from ultrainteract.dataset.audits import AUDIT_FILE
from ultrainteract.errors import ConfigError, UltraInteractError
from ultrainteract.viewing.answers import answer, whole_key
from ultrainteract.viewing.collection import Collection
from ultrainteract.viewing.exported import export_names, exported
from ultrainteract.viewing.index import SORTS, Page
from ultrainteract.viewing.library import Library
from ultrainteract.viewing.live import Live
from ultrainteract.viewing.reports import reports_of
from ultrainteract.viewing.reviews import marked_trees, review_routes
from ultrainteract.viewing.security import Guard, guarded
from ultrainteract.viewing.summary import ONE_OF, SOME_OF

PAGE = Path(__file__).parent / "page"
"""The built page."""
PORT = 7878
MAX_LIMIT = 200
"""Lines that a list gives at once."""


@dataclass(frozen=True)
class ServerSettings:
    """Where the page is served."""

    host: str = "127.0.0.1"
    """Address to listen at."""
    port: int | None = None
    """Port; 0 for any; 7878, or any other if that is taken, if None."""
    token: str | None = None
    """What a user has to know."""


class Views:
    """The requests of the page.

    Args:
        library: What is shown.
        guard: Who is answered.
    """

    def __init__(self, library: Library, guard: Guard) -> None:
        self._library, self._guard = library, guard
        self._live = [Live(collection) for collection in library.collections]
        self._cache: dict[tuple[str, int, str], bytes] = {}
        self._busy = asyncio.Lock()

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(middlewares=[guarded(self._guard)], client_max_size=64 * 1024)
        app.add_routes([
            web.get("/", self.page),
            web.get("/api/library", self.library),
            web.get("/api/{n:\\d+}/trees", self.trees),
            web.get("/api/{n:\\d+}/tree/{key}", self.tree),
            web.get("/api/{n:\\d+}/drawn/{key}", self.drawn),
            web.get("/api/{n:\\d+}/exported/{key}/{name}", self.exported),
            web.get("/api/{n:\\d+}/live", self.live),
            web.get("/api/{n:\\d+}/figures", self.figures),
            web.get("/api/{n:\\d+}/reports", self.reports),
            *review_routes(self._collection),
            web.get("/{name:[a-zA-Z0-9_-]+\\.(?:js|css|woff2|svg)}", self.file),
        ])  # fmt: skip
        return app

    async def page(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        return web.FileResponse(PAGE / "index.html")

    async def file(self, request: web.Request) -> web.StreamResponse:
        """The script, the stylesheet, a font."""
        path = PAGE / request.match_info["name"]
        if not path.is_file():
            raise web.HTTPNotFound(text="There is no such file.")
        return web.FileResponse(path)

    async def library(self, request: web.Request) -> web.Response:
        """What there is."""
        collections = [describe(number, item) for number, item in enumerate(self._library.collections)]
        return answer({"version": __version__, "page": self._guard.page_token, "collections": collections})

    async def trees(self, request: web.Request) -> web.Response:
        """A part of a list."""
        collection, query = self._collection(request), request.query
        filters = {name: set(query.getall(name)) for name in (*ONE_OF, *SOME_OF) if name in query}
        sort = query.get("sort", "order")
        if sort.lstrip("-") not in SORTS:
            raise web.HTTPBadRequest(text=f"Lists are sorted by one of {', '.join(SORTS)}.")
        marked = await asyncio.to_thread(marked_trees, collection) if query.get("marked") else None
        page = await asyncio.to_thread(
            collection.index.page, filters, query.get("q", ""), marked=marked, sort=sort,
            offset=_number(query.get("offset"), 0), limit=min(MAX_LIMIT, _number(query.get("limit"), 50)),
            around=query.get("around", ""),
        )  # fmt: skip
        return answer(listed(page) | progress(collection))

    async def tree(self, request: web.Request) -> web.Response:
        """A tree as it is stored, between what is known around it."""
        from ultrainteract.store import unpack

        collection = self._collection(request)
        key = await asyncio.to_thread(whole_key, collection, request.match_info["key"])
        stored = await asyncio.to_thread(collection.tree, key)
        tree = b"null" if stored is None else unpack(stored)
        others = [
            number for number, other in enumerate(self._library.collections)
            if other is not collection and key in other.index.find(key)
        ]  # fmt: skip
        around = orjson.dumps({"key": key, "others": others, "formats": export_names() if stored else []})
        return web.Response(body=around[:-1] + b',"tree":' + tree + b"}", content_type="application/json")

    async def drawn(self, request: web.Request) -> web.Response:
        """Every sample that was drawn for a tree."""
        collection = self._collection(request)
        key = whole_key(collection, request.match_info["key"])
        return await self._kept(("drawn", id(collection), key), lambda: collection.drawn(key))

    async def exported(self, request: web.Request) -> web.Response:
        """The rows that one export makes of a tree."""
        collection = self._collection(request)
        key = whole_key(collection, request.match_info["key"])
        rows = await asyncio.to_thread(exported, collection, key, request.match_info["name"])
        return answer({"rows": rows})

    async def live(self, request: web.Request) -> web.Response:
        """How far a run is."""
        collection = self._collection(request)
        found = await asyncio.to_thread(self._live[self._library.collections.index(collection)].read)
        return answer(found | progress(collection))

    async def figures(self, request: web.Request) -> web.Response:
        """The paper's tables and more, computed by a process of its own."""
        collection = self._collection(request)
        count = collection.total() or collection.index.count
        return await self._kept(("figures", id(collection), str(count)), collection.figures)

    async def reports(self, request: web.Request) -> web.Response:
        """Reports of other commands that lie beside the trees."""
        return answer(await asyncio.to_thread(reports_of, self._collection(request)))

    async def _kept(self, name: tuple[str, int, str], make: Callable[[], Any]) -> web.Response:
        if name not in self._cache:
            async with self._busy:
                if name not in self._cache:
                    found = await make()
                    while len(self._cache) >= 16:
                        self._cache.pop(next(iter(self._cache)))
                    self._cache[name] = found if isinstance(found, bytes) else orjson.dumps(found)
        return web.Response(body=self._cache[name], content_type="application/json")

    def _collection(self, request: web.Request) -> Collection:
        number = int(request.match_info["n"])
        if number >= len(self._library.collections):
            raise web.HTTPNotFound(text="There is no such collection.")
        return self._library.collections[number]


def describe(number: int, collection: Collection) -> dict[str, Any]:
    """What the page knows of a collection before it asks for more."""
    return {
        "number": number, "name": collection.name, "place": collection.place, "run": collection.is_run,
        "audit": (collection.home / AUDIT_FILE).is_file(),
        **progress(collection),
    }  # fmt: skip


def progress(collection: Collection) -> dict[str, Any]:
    """How far the index is."""
    return {
        "indexed": collection.index.count, "total": collection.total(), "whole": collection.finished,
        "error": collection.error,
    }  # fmt: skip


def listed(page: Page) -> dict[str, Any]:
    """A part of a list as JSON."""
    return {
        "matched": page.matched, "offset": page.offset, "facets": page.facets,
        "lines": [line._asdict() for line in page.lines],
    }  # fmt: skip


@web.middleware
async def _errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Expected errors as answers that the page shows."""
    try:
        return await handler(request)  # type: ignore[no-any-return]
    except UltraInteractError as error:
        return web.json_response({"error": str(error)}, status=404)


async def serve(
    library: Library,
    settings: ServerSettings,
    ready: Callable[[str], None],
    ended: asyncio.Event | None = None,
) -> None:
    """Serves the page until it is cancelled.

    Args:
        library: What is shown.
        settings: Where.
        ready: Called with the page's address once it is served.
        ended: Ends serving when it is set.

    Raises:
        ConfigError: It may not listen there, or the port is taken.
    """
    guard = Guard(settings.host, settings.token)
    app = Views(library, guard).app()
    app.middlewares.append(_errors)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        port = await _listen(runner, settings)
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        ready(f"http://{shown}:{port}/" + (f"?token={settings.token}" if settings.token else ""))
        await (ended or asyncio.Event()).wait()
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, settings: ServerSettings) -> int:
    wanted: Sequence[int] = (PORT, 0) if settings.port is None else (settings.port,)
    for port in wanted:
        site = web.TCPSite(runner, settings.host, port, reuse_address=True)
        try:
            await site.start()
        except OSError as error:
            if port == wanted[-1]:
                where = f"{settings.host}:{port}"
                raise ConfigError(
                    f"Cannot listen at {where}: {error.strerror}. Set another --port."
                ) from error
            continue
        return int(runner.addresses[0][1])
    raise AssertionError


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
