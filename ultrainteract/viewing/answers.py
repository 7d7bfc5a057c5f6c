"""What every request of the page needs: a JSON answer, the whole id of a tree."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from ultrainteract.errors import ConfigError
from ultrainteract.viewing.collection import Collection


def answer(value: Any) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS), content_type="application/json"
    )


def whole_key(collection: Collection, name: str) -> str:
    """The id that begins with `name`, or whose record has that source id.

    Raises:
        DataError: There is none.
        ConfigError: There is more than one.
    """
    found = collection.index.find(name)
    if len(found) == 1:
        return found[0]
    if not found:
        collection.tree(name)  # not indexed yet, or not there: then this says so
        return name
    raise ConfigError(f"More than one tree has an id that begins with '{name}'.")
