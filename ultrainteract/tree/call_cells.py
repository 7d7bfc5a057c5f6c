"""Function calls as notebook cells: what runs in the sandbox, and what comes back.

An attempt's calls are replayed as cells, as programs are: the source of the functions, the first state, the calls that
led to the instruction's state, then one cell per message. A cell's value is JSON: each call's result with a hash of the
whole, and, where it is asked for, hashes of what the objects hold. Names are checked here, before anything runs: a call
can reach nothing but the functions on offer, with plain values.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import Field

from ultrainteract.sandbox.base import Execution
from ultrainteract.sandbox.image import program_directory
from ultrainteract.schema import Backend, Call, Instruction, Record

RESULT_CHARS = 2_000
"""Characters of a result that a model is shown; the middle of a longer one is cut."""
_EXPRESSIONS = """
def _ui_expressions(texts, offered, objects, limit):
    import ast, builtins
    names = dict(globals())
    for text in texts:
        for node in ast.walk(ast.parse(text.strip(), mode="eval")):
            name = getattr(getattr(node, "func", None), "id", None)
            if name in offered or (name and name not in names and not hasattr(builtins, name)):
                try:
                    names[name] = _ui_find(name, objects)
                except LookupError:
                    pass
    return [_ui_made(lambda text=text: eval(text.strip(), names), limit) for text in texts]
"""
"""A function on offer is found as the model's calls find it, so that both mean the same."""

_PYTHON = """
def python(code):
    import ast, contextlib, io
    out = io.StringIO()
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "<cell>", "exec"), globals())
        value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), globals()) if last else None
    return (out.getvalue() + ("" if value is None else repr(value))).rstrip()
"""

_REFUSED = """
def _ui_refused(name):
    raise LookupError("there is no function '" + name + "'")
"""


class CallResult(Record):
    """What one call gave."""

    text: str
    """As the model is shown it."""
    whole: str
    """Hash of the whole, where the text is cut."""
    ok: bool
    """Whether it returned; False where it raised, or was refused."""


class CallState(Record):
    """What the objects of a backend hold: hashes by path, such as `shop.orders[0]["item"]`."""

    public: dict[str, str] = Field(default_factory=dict)
    """Of public attributes and properties, and of what they hold."""
    private: dict[str, str] = Field(default_factory=dict)
    """Of attributes that begin with `_`, and of global variables beside objects."""
    unseen: tuple[str, ...] = ()
    """What cannot be looked into (a connection, a file, another process), with its type."""


class CallRun(Record):
    """What the calls of one message gave."""

    results: tuple[CallResult, ...] = ()
    """One per call."""
    state: CallState = CallState()
    """What the objects hold after them, where it was asked for."""
    status: str = "ok"
    """Status of the execution."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The results as the model is shown them."""
        return tuple(result.text for result in self.results)


def opening_cells(instruction: Instruction, *, before: bool = True, shifted: bool = False) -> list[str]:
    """The functions, the first state, and the calls before the instruction.

    Args:
        instruction: The instruction, with a backend.
        before: Make the calls before the instruction.
        shifted: At another time of another day: what then differs depends on the clock or on chance.
    """
    backend = instruction.backend
    assert backend is not None
    cells = [_sandbox_text("call_clock")] if shifted else []
    cells += ["\n".join((backend.source, backend.setup)), _sandbox_text("call_cell")]
    return [*cells, expressions_cell(instruction, backend.before)] if before and backend.before else cells


@cache
def _sandbox_text(name: str) -> str:
    """A cell among the sandbox's own files; it has `call_cell` compiled."""
    return (program_directory() / "_supervisor" / f"{name}.py").read_text(encoding="utf-8")


@cache
def _variables(source: str) -> tuple[str, ...]:
    """Names of the global variables that a program assigns."""
    tree = ast.parse(source)
    names = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    for statement in tree.body:
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            names |= {node.id for node in found if isinstance(node.ctx, ast.Store)}
    return tuple(sorted(names))


def _state_of(backend: Backend) -> str:
    names = set(_variables("\n".join((backend.source, backend.setup)))) - set(backend.objects)
    return f'"state": _ui_state({backend.objects!r}, {sorted(names)!r})'


def expressions_cell(instruction: Instruction, calls: Sequence[str]) -> str:
    """Calls that a data set states, in Python, and the state after them.

    Args:
        instruction: The instruction, with a backend.
        calls: The calls; functions on offer are found as those of a model's calls.
    """
    backend = instruction.backend
    assert backend is not None
    offered = sorted(function.name for function in instruction.functions)
    results = f"_ui_expressions({list(calls)!r}, {offered!r}, {backend.objects!r}, {RESULT_CHARS})"
    shown = f'{{"results": {results}, {_state_of(backend)}}}'
    return f'{_sandbox_text("call_state")}{_EXPRESSIONS}__import__("json").dumps({shown})'


def calls_cell(instruction: Instruction, calls: Sequence[Call], *, state: bool = False) -> str:
    """Calls that a model makes; one of a function that is not on offer is answered with that.

    Args:
        instruction: The instruction, with a backend.
        calls: The calls.
        state: Also hash the state after them.
    """
    assert instruction.backend is not None
    objects = instruction.backend.objects
    offered = {function.name for function in instruction.functions}
    made = []
    for call in calls:
        known = call.name in offered
        places = () if call.name in instruction.tools else objects  # the seed's tools are in no object
        function = f"_ui_find({call.name!r}, {places!r})" if known else "_ui_refused"
        arguments = call.arguments if known else {"name": call.name}
        made.append(f"_ui_made(lambda: {function}(**{arguments!r}), {RESULT_CHARS})")
    parts = [_PYTHON] if "python" in instruction.tools else []
    if any(call.name not in offered for call in calls):
        parts.append(_REFUSED)
    shown = f'"results": [{", ".join(made)}]'
    if state:
        parts.append(_sandbox_text("call_state"))
        shown += f", {_state_of(instruction.backend)}"
    return f'{"".join(parts)}__import__("json").dumps({{{shown}}})'


def run_of(execution: Execution, calls: int) -> CallRun:
    """What an execution of calls gave; where it was stopped, every call says why.

    Args:
        execution: The last cell's execution.
        calls: How many calls it made.
    """
    if execution.status == "ok" and execution.value is not None and not execution.truncated:
        try:
            made = json.loads(ast.literal_eval(execution.value))
            return CallRun(
                results=tuple(map(_result, made["results"])),
                state=CallState.model_validate(made.get("state", {})),
            )
        except (ValueError, SyntaxError, LookupError, TypeError, AttributeError):
            pass
    last = (execution.traceback or "").strip().splitlines()[-1:]
    why = {"timeout": "it took too long", "memory": "it used too much memory"}.get(
        execution.status, last[0] if last else f"it ended with {execution.status}"
    )
    result = CallResult(text=f"Error during execution: {why}", whole=execution.status, ok=False)
    return CallRun(
        results=(result,) * calls, status=execution.status if execution.status != "ok" else "error"
    )


def _result(made: dict[str, Any]) -> CallResult:
    """A result as the sandbox states it: with the hash of the whole where the text is cut."""
    data = made["text"].encode("utf-8", "replace")
    whole = made.get("whole") or hashlib.sha256(data).hexdigest()[:24]
    return CallResult(text=data.decode(), whole=whole, ok=made["ok"])
