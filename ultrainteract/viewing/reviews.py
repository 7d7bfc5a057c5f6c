"""What a reader writes: marks and judgments, each in a small file beside the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import get_args

import orjson
from aiohttp import web
from pydantic import ValidationError

from ultrainteract.dataset.audits import Answer, Audit, read_audit, write_audit
from ultrainteract.dataset.marks import MARKS_FILE, Mark, action_hash, read_marks, write_marks
from ultrainteract.errors import DataError
from ultrainteract.viewing.answers import answer, whole_key
from ultrainteract.viewing.auditing import judged, shown_audit, shown_item
from ultrainteract.viewing.collection import Collection
from ultrainteract.viewing.summary import Json, nodes_of, plain_tree

MAX_NOTE = 4_000
"""Characters of a note."""


def review_routes(find: Callable[[web.Request], Collection]) -> Sequence[web.RouteDef]:
    """The requests that read and write marks and audits.

    Args:
        find: Gives the collection of a request.
    """
    turn = asyncio.Lock()

    async def marks(request: web.Request) -> web.Response:
        found = await asyncio.to_thread(read_marks, find(request).home / MARKS_FILE)
        return answer([mark.model_dump() for mark in found])

    async def mark(request: web.Request) -> web.Response:
        collection, given = find(request), await _body(request)
        async with turn:
            found = await asyncio.to_thread(put_mark, collection, given)
        return answer([mark.model_dump() for mark in found])

    async def audit(request: web.Request) -> web.Response:
        found = await asyncio.to_thread(read_audit, find(request).home)
        return answer({"items": []} if found is None else shown_audit(found))

    async def item(request: web.Request) -> web.Response:
        collection = find(request)
        found, place = _placed(collection, request.match_info["place"])
        stored = await asyncio.to_thread(collection.tree, found.items[place].tree)
        return answer(shown_item(found, place, plain_tree(stored) if stored else {}))

    async def judge(request: web.Request) -> web.Response:
        collection, given = find(request), await _body(request)
        if given.get("answer") not in get_args(Answer):
            raise web.HTTPBadRequest(text="An answer is one of correct, wrong, unsure.")
        async with turn:
            found, place = _placed(collection, str(given.get("place")))
            made = judged(found, place, given["answer"])
            await asyncio.to_thread(write_audit, collection.home, made)
        return answer(shown_audit(made))

    return [
        web.get("/api/{n:\\d+}/marks", marks),
        web.put("/api/{n:\\d+}/marks", mark),
        web.get("/api/{n:\\d+}/audit", audit),
        web.get("/api/{n:\\d+}/audit/{place}", item),
        web.put("/api/{n:\\d+}/audit", judge),
    ]


def put_mark(collection: Collection, given: Json) -> list[Mark]:
    """Sets, changes or (without a kind) removes the mark of one action; gives all marks.

    Raises:
        DataError: There is no such action, or the marks cannot be read.
        StoreError: They cannot be written.
    """
    key = whole_key(collection, str(given.get("tree")))
    turn, side = given.get("turn"), given.get("side")
    stored = collection.tree(key)
    nodes = nodes_of(plain_tree(stored)) if stored else iter(())
    node = next((node for number, name, node in nodes if (number, name) == (turn, side)), None)
    if node is None:
        raise DataError(f"The tree {key} has no action '{side}' at turn {turn}.")
    path = collection.home / MARKS_FILE
    marks = [mark for mark in read_marks(path) if (mark.tree, mark.turn, mark.side) != (key, turn, side)]
    if given.get("kind"):
        text = str((node.get("action") or {}).get("text") or "")
        fields = {
            "tree": key, "turn": turn, "side": side, "action": action_hash(text), "kind": given["kind"],
            "note": str(given.get("note") or "")[:MAX_NOTE], "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        try:
            marks.append(Mark.model_validate(fields))
        except ValidationError as error:
            raise DataError(f"This is no mark: {error.errors()[0]['msg']}.") from error
    write_marks(path, marks)
    return marks


def marked_trees(collection: Collection) -> set[str]:
    """Ids of the trees with a mark."""
    return {mark.tree for mark in read_marks(collection.home / MARKS_FILE)}


def _placed(collection: Collection, place: str) -> tuple[Audit, int]:
    found = read_audit(collection.home)
    if found is None or not place.isdigit() or int(place) >= len(found.items):
        raise DataError("There is no such action in the audit.")
    return found, int(place)


async def _body(request: web.Request) -> Json:
    try:
        given = orjson.loads(await request.read())
    except ValueError as error:
        raise web.HTTPBadRequest(text="This is no JSON.") from error
    if not isinstance(given, dict):
        raise web.HTTPBadRequest(text="A JSON object is needed.")
    return given
