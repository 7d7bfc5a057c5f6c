"""Audits: drawing the sample, and showing an action without its verdict until it was judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from random import Random
from typing import Any

from ultrainteract.dataset.audits import Answer, Audit, AuditItem
from ultrainteract.dataset.marks import action_hash
from ultrainteract.schema import Label
from ultrainteract.statistics.label_error import estimated_error
from ultrainteract.viewing.summary import Json, nodes_of

LEAST = 2
"""Minimum number of actions of a stratum, where it has as many."""
_HIDDEN = ("critique", "verdict", "provenance")
"""Parts of a node that give its verdict away, or its author."""


def drawn_audit(trees: Iterable[tuple[str, Json]], count: int, seed: str) -> Audit:
    """Draws labelled actions at random from each stratum (task, label and check), in proportion to their sizes.

    One pass over the trees; memory is `count` places per stratum (reservoir sampling).

    Args:
        trees: Ids and plain trees.
        count: Actions to draw; a few more where there are many small strata.
        seed: The same trees and seed give the same sample.
    """
    random = Random(f"audit {seed}")
    sizes: Counter[str] = Counter()
    reservoirs: dict[str, list[AuditItem]] = {}
    for key, tree in trees:
        task = str((tree.get("instruction") or {}).get("task"))
        for turn, side, node in nodes_of(tree):
            verdict = node.get("verdict") or {}
            if verdict.get("label") not in (Label.CORRECT, Label.WRONG):
                continue
            stratum = f"{task} · {verdict['label']} · {(verdict.get('evidence') or {}).get('check')}"
            sizes[stratum] += 1
            places = reservoirs.setdefault(stratum, [])
            place = len(places) if len(places) < count else random.randrange(sizes[stratum])
            if place >= count:
                continue
            text = str((node.get("action") or {}).get("text"))
            item = AuditItem(
                tree=key,
                turn=turn,
                side=side,
                action=action_hash(text),
                stratum=stratum,
                label=Label(verdict["label"]),
            )
            places[place : place + 1] = [item]
    total = sum(sizes.values())
    items: list[AuditItem] = []
    for stratum in sorted(reservoirs):
        places = reservoirs[stratum]
        share = max(LEAST, round(count * sizes[stratum] / total))
        items += random.sample(places, min(share, len(places)))
    random.shuffle(items)
    return Audit(strata=dict(sorted(sizes.items())), items=tuple(items))


def judged(audit: Audit, place: int, answer: Answer) -> Audit:
    """The audit with one more judgment."""
    item = audit.items[place].model_copy(
        update={"answer": answer, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    )
    return audit.model_copy(update={"items": (*audit.items[:place], item, *audit.items[place + 1 :])})


def shown_audit(audit: Audit) -> Json:
    """What the page knows of an audit: nothing of the verdict of what was not judged."""
    items = [
        {"tree": item.tree, "turn": item.turn, "answer": item.answer}
        | ({"label": item.label, "side": item.side, "stratum": item.stratum} if item.answer else {})
        for item in audit.items
    ]
    return {"items": items, "estimate": estimated_error([audit]).model_dump()}


def shown_item(audit: Audit, place: int, tree: Json) -> Json:
    """One action to judge, with its problem and gold answer.

    The environment's output is shown for programs whose answer is what they print; feedback of tests would tell.
    """
    item = audit.items[place]
    found = next((n for turn, side, n in nodes_of(tree) if (turn, side) == (item.turn, item.side)), None)
    instruction: Json = tree.get("instruction") or {}
    shown: Json = {
        name: instruction.get(name)
        for name in ("task", "dataset", "question", "gold", "gold_set", "choices", "unit")
    }
    if found is None or action_hash(str((found.get("action") or {}).get("text"))) != item.action:
        return {"instruction": shown, "gone": True}
    node: dict[str, Any] = {name: value for name, value in found.items() if name not in _HIDDEN}
    if instruction.get("tests"):
        node["observation"] = {}
    tests = (instruction.get("tests") or {}).get("cases") or []
    return {
        "instruction": shown | {"tests": tests[:5]},
        "node": node,
        "verdict": found.get("verdict") if item.answer else None,
        "critique": found.get("critique") if item.answer else None,
        "answer": item.answer,
    }
