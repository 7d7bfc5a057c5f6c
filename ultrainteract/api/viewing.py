"""The viewer: trees on a local page, as files for others to read, and as one file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ultrainteract.api.event_loop import complete


def view(
    *sources: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    revision: str | None = None,
    ready: Callable[[str], None] = lambda address: None,
    ended: asyncio.Event | None = None,
) -> None:
    """Serves a page on which the trees of some places are read, until it is interrupted.

    Runs are opened for reading; what is listed and searched is an index of its own, `viewer.sqlite` in the run
    directory, or a temporary file where that cannot be written.

    Args:
        sources: Run directories, folders of shards, exports, Parquet or JSON files, or Hub dataset ids.
        host: Address to listen at; any but a loopback address needs a token.
        port: Port; 0 for any; 7878, or any other where that is taken, if None.
        token: What a user has to know.
        revision: Revision of Hub datasets.
        ready: Called with the page's address.
        ended: Ends serving when it is set.

    Raises:
        StoreError, DataError: A place cannot be read.
        ConfigError: Runs at one place differ in settings, a token is missing, or the port is taken.
    """
    from ultrainteract.viewing import Library, ServerSettings, serve

    with Library(sources, revision) as library:
        library.start()
        complete(lambda: serve(library, ServerSettings(host, port, token), ready, ended))
