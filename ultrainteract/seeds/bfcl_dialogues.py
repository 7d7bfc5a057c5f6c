"""BFCL's dialogues with state: one instruction per user turn, after the right calls of the turns before.

The classes that answer the calls (a file system, a vehicle, a ticket system …) are read from the user's copy of the
benchmark (`options.classes`: its folder `bfcl_eval`, of the package `bfcl-eval` or of a clone) and travel with the
instruction; they run in the sandbox alone. A turn is right by BFCL's rule for it: the same state, and every result of
the right calls. Earlier turns' calls are the right ones, so that each turn is judged by itself.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ultrainteract.config import SeedConfig
from ultrainteract.grading.call_reading import read_message
from ultrainteract.readers.rows import Row, Unusable
from ultrainteract.schema import Backend, Call, Function, Message
from ultrainteract.seeds.functions import dialogue_of, function_of, published, shown_calls
from ultrainteract.seeds.problem import Problem

_FILES = {
    "GorillaFileSystem": "gorilla_file_system", "MathAPI": "math_api", "MessageAPI": "message_api",
    "TwitterAPI": "posting_api", "TicketAPI": "ticket_api", "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking", "VehicleControlAPI": "vehicle_control",
}  # fmt: skip
"""Module of each class, which is also the name of its functions' descriptions."""
_SOURCES = "eval_checker/multi_turn_eval/func_source_code"
_LONG = "long_context"
_MORE_FUNCTIONS = "I have updated some more functions you can choose from. What about now?"
"""What the user says when functions that were held back are handed over: the benchmark's words."""
_DONE = "Done."
_ASKED = "I cannot do that yet. Can you tell me more, or give me another function?"


def dialogue_problems(row: Row, seed: SeedConfig, truths: list[Any]) -> Iterator[Problem]:
    """The turns of a dialogue.

    Args:
        row: The record.
        seed: The source; `options.classes` is the folder of the benchmark.
        truths: Right calls by turn, Python each.

    Raises:
        Unusable: The classes are not at hand, or the record's parts do not fit together.
    """
    folder = _folder(row, seed)
    key, classes = row.text("id"), row.get("involved_classes")
    unknown = [name for name in classes if name not in _FILES] if isinstance(classes, list) else ["?"]
    if unknown:
        raise Unusable(f"there is no class {unknown[0]} in the benchmark")
    questions = row.get("question")
    if not isinstance(questions, list) or len(questions) != len(truths):
        raise Unusable("it has another number of turns than of right answers")
    every = {function.name: function for name in classes for function in _functions(str(folder), name)}
    missed: Mapping[str, list[str]] = row.get("missed_function") if row.has("missed_function") else {}
    excluded = set(row.get("excluded_function") or () if row.has("excluded_function") else ())
    held = {name for names in missed.values() for name in names}
    source = _source(str(folder), tuple(classes), _LONG in key)
    setup = _setup(classes, row.get("initial_config") or {}, long=_LONG in key)
    objects = tuple(f"_{name}" for name in classes)
    dialogue: list[Message] = []
    before: list[str] = []
    for number, (question, gold) in enumerate(zip(questions, truths, strict=True)):
        held -= set(missed.get(str(number), ()))
        offered = tuple(function for name, function in every.items() if name not in held | excluded)
        dialogue += dialogue_of(question) if question else (Message(role="user", content=_MORE_FUNCTIONS),)
        calls = _calls(gold, every)
        if offered:
            yield Problem(
                question=dialogue[-1].content,
                body=published(offered, dialogue),
                grader="final_state",
                gold=shown_calls(calls),
                gold_set=tuple(gold),
                functions=offered,
                dialogue=tuple(dialogue),
                backend=Backend(
                    source=source, setup=setup, objects=objects, before=tuple(before), gold=tuple(gold)
                ),
                record_id=f"{key}_turn_{number}",
                tags=(key.rsplit("_", 1)[0],),
            )
        before += gold
        if calls:
            dialogue.append(Message(role="assistant", content="", calls=calls))
        dialogue.append(Message(role="assistant", content=_DONE if calls else _ASKED))


def _folder(row: Row, seed: SeedConfig) -> Path:
    places = [Path(str(seed.options["classes"]))] if "classes" in seed.options else []
    if row.folder is not None:
        places.append(row.folder.parent)
    for place in places:
        if (place / _SOURCES).is_dir():
            return place
    raise Unusable(
        "its classes are not at hand; set options.classes to the folder bfcl_eval of the package bfcl-eval, or of a "
        "clone of the benchmark"
    )


@lru_cache(maxsize=64)
def _functions(folder: str, name: str) -> tuple[Function, ...]:
    path = Path(folder) / "data" / "multi_turn_func_doc" / f"{_FILES[name]}.json"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(function_of(json.loads(line)) for line in lines if line.strip())
    except (OSError, ValueError) as error:
        raise Unusable(f"the functions of {name} cannot be read: {error}") from None


@lru_cache(maxsize=256)
def _source(folder: str, classes: tuple[str, ...], long: bool) -> str:
    """The classes as one program. What they import of the long contexts stands before them."""
    parts = [_module(folder, _FILES[name]) for name in classes]
    imports = [node for part in parts for node in part.body if _of_long(node)]
    names = sorted({alias.name for node in imports for alias in getattr(node, "names", ())})
    contexts = [ast.unparse(_module(folder, _LONG))] if long else [f"{name} = None" for name in names]
    lines = ["_shared = {}", f"exec({chr(10).join(contexts)!r}, _shared)"]
    for name, part in zip(classes, parts, strict=True):
        part.body = [node for node in part.body if not _of_long(node)]
        lines += [
            "_space = dict(_shared, __name__='backend')",  # modules use the same names for other things
            f"exec({ast.unparse(part)!r}, _space)",
            f"{name} = _space[{name!r}]",
        ]
    return "\n".join(lines)


def _module(folder: str, name: str) -> ast.Module:
    """A module without its docstrings."""
    path = Path(folder) / _SOURCES / f"{name}.py"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, ValueError) as error:
        raise Unusable(f"{path.name} cannot be read: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _of_long(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").endswith(_LONG)


def _setup(classes: list[str], config: Mapping[str, Any], *, long: bool) -> str:
    lines = []
    for name in classes:
        lines.append(f"_{name} = {name}()")
        if name != "MathAPI":  # has no state
            lines.append(f"_{name}._load_scenario({config.get(name, {})!r}, long_context={long})")
    return "\n".join(lines)


def _calls(texts: Any, functions: Mapping[str, Function]) -> tuple[Call, ...]:
    """Right calls with their arguments by name.

    Raises:
        Unusable: One cannot be read.
    """
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Unusable("the right calls of a turn are no list of calls")
    calls: list[Call] = []
    for text in texts:
        _, found = read_message(text, list(functions.values()))
        if found is None or len(found) != 1:
            raise Unusable(f"the right call {text[:60]} cannot be read")
        calls += [call.model_copy(update={"positional": 0}) for call in found]
    return tuple(calls)
