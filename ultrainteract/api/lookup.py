"""The local source of `wikipedia_search`: building it and asking it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ultrainteract.api.event_loop import complete


def build_wikipedia(
    dump: str | Path, index: str | Path, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Builds the index in bounded memory; an existing one is replaced once the new one is whole.

    Args:
        dump: MediaWiki XML dump, or JSON lines of title and text; compressed or not.
        index: The index to write.
        progress: Called with the number of articles so far.

    Returns:
        Articles in the index.

    Raises:
        ConfigError: The dump cannot be read, or the index cannot be written.
    """
    from ultrainteract.tools.wikipedia_index import build_index

    return build_index(Path(dump), Path(index), progress)


def search_wikipedia(source: str, query: str) -> str:
    """The answer that a program would get from `wikipedia_search`.

    Args:
        source: An index, `live`, or the address of an api.php.
        query: What the program passes.

    Raises:
        ConfigError: The source cannot be used.
    """
    from ultrainteract.tools.wikipedia import open_wikipedia

    async def ask() -> str:
        return await open_wikipedia(source)(query)

    return complete(ask)
