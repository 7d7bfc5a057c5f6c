"""The `wikipedia_search` tool: one query in, the opening of the best articles out.

Answers are worded as by the tool the published data was made with: `Page: …`, `Summary: …`, up to three
articles, 4,000 characters. A query that finds nothing says so. Sources are the MediaWiki API and a local
index made by `ultrainteract wiki build`; the sandbox itself has no network, the call is answered on the host.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import orjson

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import ConfigError, SandboxError
from ultrainteract.sandbox.base import ToolHandler
from ultrainteract.tools import tool

NOTHING_FOUND = "No good Wikipedia Search Result was found"
ARTICLES = 3
"""Articles in an answer."""
ANSWER_CHARS = 4_000
"""Length of an answer."""
QUERY_CHARS = 300
"""Length to which a query is cut: the API's limit."""
API = "https://en.wikipedia.org/w/api.php"
USER_AGENT = "ultrainteract/1 (alignment data research; python-aiohttp)"

_DEADLINE_S = 30.0
_ATTEMPTS = 4
_REMEMBERED = 4_096
_RETRIED = frozenset({408, 429, 500, 502, 503, 504})


def open_wikipedia(spec: str | None) -> ToolHandler:
    """The handler of `wikipedia_search`.

    Args:
        spec: `live` for the MediaWiki API, the address of another wiki's `api.php`, or the path of an index.

    Raises:
        ConfigError: No source is configured, or the index is missing or not an index.
    """
    if spec is None:
        raise ConfigError(
            "Some instructions use wikipedia_search, but sandbox.wikipedia is not set. Set it to 'live' "
            "where there is internet, or to an index made by `ultrainteract wiki build DUMP INDEX`."
        )
    if spec == "live":
        return remembered(LiveWikipedia().search)
    if spec.startswith(("http://", "https://")):
        return remembered(LiveWikipedia(spec).search)
    from ultrainteract.tools.wikipedia_index import WikipediaIndex

    return remembered(WikipediaIndex(Path(spec)).answer)


@tool("wikipedia_search")
def open_configured(config: SandboxConfig) -> ToolHandler:
    """The handler for `sandbox.wikipedia`."""
    return open_wikipedia(config.wikipedia)


def worded(articles: Iterable[tuple[str, str]]) -> str:
    """The answer as the program sees it.

    Args:
        articles: Title and opening text of each article, best first.
    """
    blocks = [f"Page: {title}\nSummary: {summary}" for title, summary in articles if summary]
    return "\n\n".join(blocks[:ARTICLES])[:ANSWER_CHARS] or NOTHING_FOUND


def remembered(handler: ToolHandler) -> ToolHandler:
    """Answers a repeated query with its first answer, so that a replayed cell sees what it saw.

    Equal queries at the same time are one call.

    Args:
        handler: The source. A failed call is not remembered.
    """
    answers: dict[str, str] = {}
    locks: dict[str, asyncio.Lock] = {}

    async def search(query: str) -> str:
        query = " ".join(query.split())[:QUERY_CHARS]
        if query not in answers:
            lock = locks.setdefault(query, asyncio.Lock())
            try:
                async with lock:
                    if query not in answers:
                        found = await handler(query) if query else NOTHING_FOUND
                        while len(answers) >= _REMEMBERED:
                            answers.pop(next(iter(answers)))
                        answers[query] = found
                        return found
            finally:
                if not lock.locked():
                    locks.pop(query, None)
        return answers[query]

    return search


class LiveWikipedia:
    """The MediaWiki API: search and openings in one request.

    Args:
        api: Address of `api.php`.
        pause_s: Seconds before the second attempt; doubled before each further one.
    """

    def __init__(self, api: str = API, *, pause_s: float = 1.0) -> None:
        self._api = api
        self._pause_s = pause_s
        self._slots = asyncio.Semaphore(2)

    async def search(self, query: str) -> str:
        """Answers a query.

        Raises:
            SandboxError: The API cannot be reached or answers with an error: the run is worth nothing.
        """
        import aiohttp

        parameters = {
            "action": "query", "format": "json", "formatversion": "2", "maxlag": "5", "redirects": "1",
            "generator": "search", "gsrsearch": query, "gsrlimit": str(ARTICLES), "gsrnamespace": "0",
            "prop": "extracts", "exintro": "1", "explaintext": "1", "exlimit": "max",
        }  # fmt: skip
        reason = ""
        timeout = aiohttp.ClientTimeout(total=_DEADLINE_S)
        async with (
            self._slots,
            aiohttp.ClientSession(timeout=timeout, headers={"User-Agent": USER_AGENT}) as session,
        ):
            for attempt in range(_ATTEMPTS):
                wait_s = self._pause_s * 2**attempt
                try:
                    async with session.get(self._api, params=parameters) as response:
                        body = await response.read()
                        asked = response.headers.get("Retry-After", "")
                        if asked.isdigit():
                            wait_s = min(float(asked), _DEADLINE_S)
                        if response.status == 200:
                            data = orjson.loads(body)
                            if "error" not in data:
                                return worded(_openings(data))
                            reason = str(data["error"].get("info", data["error"]))
                            if data["error"].get("code") not in (
                                "maxlag",
                                "ratelimited",
                                "internal_api_error_DBQueryError",
                            ):
                                break
                        else:
                            reason = f"HTTP {response.status}"
                            if response.status not in _RETRIED:
                                break
                except (aiohttp.ClientError, TimeoutError, orjson.JSONDecodeError) as error:
                    reason = str(error) or type(error).__name__
                if attempt + 1 < _ATTEMPTS:
                    await asyncio.sleep(wait_s)
        raise SandboxError(
            f"Wikipedia at {self._api} did not answer the query '{query}': {reason}. Check the network, or "
            "set sandbox.wikipedia to an index made by `ultrainteract wiki build`."
        )


def _openings(data: dict[str, object]) -> list[tuple[str, str]]:
    found = data.get("query")
    pages = found.get("pages", []) if isinstance(found, dict) else []
    pages = sorted(pages, key=lambda page: page.get("index", 0))
    return [(page["title"], re.sub(r"\s*\n\s*", "\n", page.get("extract", "")).strip()) for page in pages]
