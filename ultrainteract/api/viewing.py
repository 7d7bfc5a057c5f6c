"""The viewer: trees on a local page, as files for others to read, and as one file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from ultrainteract.api.event_loop import complete


def view(
    *sources: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    token: str | None = None,
    revision: str | None = None,
    audit: int | None = None,
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
        audit: Draw so many labelled actions to be judged blind, where no audit lies beside the trees yet.
        ready: Called with the page's address.
        ended: Ends serving when it is set.

    Raises:
        StoreError, DataError: A place cannot be read.
        ConfigError: Runs at one place differ in settings, a token is missing, or the port is taken.
    """
    from ultrainteract.viewing import Library, ServerSettings, serve

    with Library(sources, revision) as library:
        if audit is not None:
            for collection in library.collections:
                collection.build()
                collection.draw_audit(audit)
        library.start()
        complete(lambda: serve(library, ServerSettings(host, port, token), ready, ended))


def write_bundle(
    *sources: str,
    output: str | Path,
    revision: str | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Path:
    """Writes the page with all its data as files that any file server gives out (GitHub Pages, a Hugging Face Space).

    Args:
        sources: As of `view`.
        output: The folder; an earlier bundle there is replaced.
        revision: Revision of Hub datasets.
        say: Tells what was left out: trees in which a key or token was found.

    Raises:
        StoreError, DataError, ConfigError: A place cannot be read, or the folder cannot be written.
    """
    from ultrainteract.viewing import Library, bundle

    with Library(sources, revision) as library:
        library.build()
        bundle.write_bundle(library, Path(output), lambda one: complete(one.figures), say)
    return Path(output)


def write_tree_page(
    *sources: str, tree: str, output: str | Path | None = None, revision: str | None = None
) -> Path:
    """Writes one tree as one HTML file that needs neither server nor network.

    Args:
        sources: As of `view`.
        tree: Beginning of its id, or the source id of its record.
        output: The file; `<beginning of the id>.html` here if None.
        revision: Revision of Hub datasets.

    Raises:
        StoreError, DataError, ConfigError: A place cannot be read, it has no such tree, or the file cannot be written.
    """
    from ultrainteract.viewing import Library, bundle

    with Library(sources, revision) as library:
        library.build()
        collection, key = library.find(tree)
        path = Path(output) if output is not None else Path(f"{key[:12]}.html")
        bundle.write_page(collection, key, path)
    return path


def push_viewer(
    source: str | Path, space: str, *, private: bool = False, say: Callable[[str], None] = lambda line: None
) -> str:
    """Publishes the viewer with all trees as a static Space; call it after `push`, which checks what may be published.

    Args:
        source: As of `view`.
        space: Id of the Space.
        private: Make a new Space private.
        say: Tells what was left out.

    Returns:
        Address of the Space.

    Raises:
        HubError: The Space holds something else, or the Hub refused it.
        StoreError, DataError: The place cannot be read.
    """
    import tempfile

    from ultrainteract.hub.spaces import push_space

    with tempfile.TemporaryDirectory(prefix="ultrainteract-space-") as folder:
        return push_space(write_bundle(str(source), output=folder, say=say), space, private=private)
