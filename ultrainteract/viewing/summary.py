"""What the index holds of one tree: values to filter by, a title, and the text that is searched.

Trees are read as plain JSON here, ten times faster than as records; and a tree that is no record of this version, or
whose text is broken, is still listed and shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from ultrainteract.store import unpack

TITLE_CHARS = 220
"""Characters of a problem that a list shows."""
SEARCHED_CHARS = 200_000
"""Characters of one tree that can be searched."""
ONE_OF = (
    "state",
    "task",
    "dataset",
    "depth",
    "pass_rate",
    "reliability",
    "origin",
    "guided",
    "ended",
    "difficulty",
)
"""Facets of which a tree has one value each."""
SOME_OF = ("model", "evidence", "guard", "tag")
"""Facets of which it has any number."""
_RATES = (
    (0.0, "none right"),
    (0.25, "up to 25 %"),
    (0.5, "25 to 50 %"),
    (0.75, "50 to 75 %"),
    (0.999, "75 to 99 %"),
)
_RELIABILITIES = ((0.9, "below 0.9"), (0.95, "0.9 to 0.95"), (0.99, "0.95 to 0.99"), (0.9999, "0.99 to 1"))
_SURROGATES = re.compile("[\ud800-\udfff]")

Json = dict[str, Any]


class Line(NamedTuple):
    """What a list shows of one input."""

    key: str
    """Its id."""
    title: str
    """The beginning of the problem, or why there is none."""
    source: str
    """Where it comes from."""
    one: dict[str, str]
    """Its values of the facets `ONE_OF`."""
    some: dict[str, list[str]]
    """Its values of the facets `SOME_OF`."""
    pairs: int
    """Pairs."""
    chars: int
    """Characters of all its actions."""
    rate: float | None
    """Pass rate of its first turn."""


class Summary(NamedTuple):
    """What the index holds of one input."""

    line: Line
    """Its line in a list."""
    text: str
    """What is searched."""


def plain_tree(payload: bytes) -> Json:
    """A stored tree as plain JSON; halves of surrogate pairs, which JSON can escape, are kept.

    Raises:
        ValueError: It is no JSON object.
    """
    text = unpack(payload)
    try:
        tree = orjson.loads(text)
    except ValueError:
        tree = json.loads(text.decode("utf-8", "replace"))
    if not isinstance(tree, dict):
        raise ValueError("not a JSON object")
    return tree


def summary_of(
    key: str, state: str, reason: str, dataset: str, source: str, payload: bytes | None
) -> Summary:
    """What the index holds of an input in a run's ledger, with its tree if it has one."""
    tree: Json | None = None
    if payload is not None:
        try:
            tree = plain_tree(payload)
        except ValueError as error:
            reason = f"The tree cannot be read: {error}."
    if tree is None:
        one = dict.fromkeys(ONE_OF, "") | {"state": state, "dataset": dataset}
        line = Line(key, clean(reason)[:TITLE_CHARS], source, one, {}, 0, 0, None)
        return Summary(line, f"{source}\n{clean(reason)}")
    return _summary(key, state, tree, source or str(_dict(tree, "instruction").get("source") or ""))


def _summary(key: str, state: str, tree: Json, source: str) -> Summary:
    instruction, turns = _dict(tree, "instruction"), [t for t in _list(tree, "turns") if isinstance(t, dict)]
    nodes = list(nodes_of(tree))
    actions = [_dict(node, "action") for _, _, node in nodes]
    critiques = [c for _, _, node in nodes if (c := _dict(node, "critique"))]
    origins = [_dict(part, "provenance") for part in (*(node for _, _, node in nodes), *critiques)]
    evidence = [e for _, _, node in nodes if (e := _dict(_dict(node, "verdict"), "evidence"))]
    steps = [s for turn in turns for s in _list(turn, "steps") if isinstance(s, dict)]
    rate = pass_rate(turns[0]) if turns else None
    reliabilities = [float(e.get("reliability", 1.0)) for e in evidence]
    pairs = sum(bool(t.get("paired") and t.get("correct") and t.get("incorrect")) for t in turns)
    pairs += sum(len(_list(turn, "extra")) for turn in turns)
    simulated = bool(tree.get("simulation")) or any(origin.get("simulated") for origin in origins)
    guided = any(str(step.get("step", "")).startswith("guided") and step.get("drawn") for step in steps)
    one = {
        "state": state,
        "task": str(instruction.get("task", "")),
        "dataset": str(instruction.get("dataset", "")),
        "depth": str(len(turns)),
        "pass_rate": "unknown" if rate is None else _band(rate, _RATES, "all right"),
        "reliability": "" if not reliabilities else _band(min(reliabilities), _RELIABILITIES, "1"),
        "origin": "simulated" if simulated else "models",
        "guided": "guided" if guided else "unaided",
        "ended": str(tree.get("ended", "")),
        "difficulty": str(instruction.get("difficulty") or ""),
    }
    some = {
        "model": _names(origin.get("model") for origin in origins),
        "evidence": _names(e.get("check") for e in evidence),
        "guard": _names(tree.get("guards") or ()),
        "tag": _names(instruction.get("tags") or ()),
    }
    question = str(instruction.get("question") or instruction.get("prompt") or "")
    parts = [key, source, question, str(instruction.get("gold") or "")]
    for _, _, node in nodes:
        action = _dict(node, "action")
        parts += [str(action.get("text") or ""), str(_dict(node, "observation").get("output") or "")]
        parts += [str(action.get("reasoning") or ""), str(_dict(node, "critique").get("text") or "")]
        parts += [str(e.get(name) or "") for e in _list(action, "exchanges") for name in ("text", "output")]
    line = Line(
        key=key,
        title=clean(" ".join(question[: 3 * TITLE_CHARS].split()))[:TITLE_CHARS],
        source=clean(source),
        one={name: clean(value) for name, value in one.items()},
        some=some,
        pairs=pairs,
        chars=sum(len(str(action.get("text") or "")) for action in actions),
        rate=rate,
    )
    return Summary(line, clean("\n".join(part for part in parts if part)[:SEARCHED_CHARS]))


def nodes_of(tree: Json) -> Iterator[tuple[int, str, Json]]:
    """Yields (turn, side, node) of a plain tree, in the order of `Tree.nodes`.

    A side is `correct`, `incorrect`, `extra-1-chosen`, `extra-1-rejected`, … `more-1`, … or
    `unlabelled-1`, ….
    """
    for number, turn in enumerate(_list(tree, "turns"), 1):
        for side in ("correct", "incorrect"):
            if node := _dict(turn, side):
                yield number, side, node
        for place, pair in enumerate(_list(turn, "extra"), 1):
            for side in ("chosen", "rejected"):
                if node := _dict(pair, side):
                    yield number, f"extra-{place}-{side}", node
        for place, node in enumerate(_list(turn, "more_correct"), 1):
            if isinstance(node, dict):
                yield number, f"more-{place}", node
        for place, node in enumerate(_list(turn, "unlabelled"), 1):
            if isinstance(node, dict):
                yield number, f"unlabelled-{place}", node


def pass_rate(turn: Json) -> float | None:
    """`Turn.pass_rate` of a plain turn."""
    steps = _list(turn, "steps")
    first = steps[0] if steps and isinstance(steps[0], dict) else {}
    return first.get("correct", 0) / first["judged"] if first.get("judged") else None


def clean(text: str) -> str:
    """Text that can be written as UTF-8 and searched: without halves of surrogate pairs and null characters."""
    return _SURROGATES.sub("\ufffd", text).replace("\0", "\ufffd")


def _dict(value: Any, name: str) -> Json:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: Any, name: str) -> list[Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def _names(values: Any) -> list[str]:
    return list(dict.fromkeys(clean(str(value)) for value in values if value))


def _band(value: float, bands: tuple[tuple[float, str], ...], above: str) -> str:
    return next((name for bound, name in bands if value <= bound), above)
