"""Function calls as notebook cells: what runs in the sandbox, and what comes back.

An attempt's calls are replayed as cells, as programs are: the source of the functions, the first state, the calls that
led to the instruction's state, then one cell per message. A cell's value is JSON: each call's result with a hash of the
whole, and, where it is asked for, a hash of every public attribute of the objects. Names are checked here, before
anything runs: a call can reach nothing but the functions on offer, with plain values.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from pydantic import Field

from ultrainteract.grading.finding import Basis
from ultrainteract.grading.reliability import reliability
from ultrainteract.sandbox.base import Execution
from ultrainteract.sandbox.image import program_directory
from ultrainteract.schema import Backend, Call, Instruction, Record, Verdict

RESULT_CHARS = 2_000
"""Characters of a result that a model is shown; the middle of a longer one is cut."""
CHECK = "final_state"
"""Evidence of verdicts by state and results."""

_STATE = """
def _ui_state(objects):
    import hashlib, json

    def plain(value, seen):
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return repr(value)
        if isinstance(value, dict):
            return ["dict", sorted([plain(k, seen), plain(v, seen)] for k, v in value.items())]
        if isinstance(value, (list, tuple)):
            return [type(value).__name__, *(plain(item, seen) for item in value)]
        if isinstance(value, (set, frozenset)):
            return ["set", sorted(json.dumps(plain(item, seen)) for item in value)]
        if id(value) in seen:
            return ["seen", seen[id(value)]]
        seen[id(value)] = len(seen)
        if hasattr(value, "__dict__"):
            fields = sorted((k, plain(v, seen)) for k, v in vars(value).items() if not k.startswith("_"))
            return [type(value).__name__, fields]
        return [type(value).__name__, str(value)]

    def digest(value):
        return hashlib.sha256(json.dumps(plain(value, {}), sort_keys=True).encode()).hexdigest()[:24]

    return {
        variable + "." + name: digest(value)
        for variable in objects
        for name, value in vars(globals()[variable]).items()
        if not name.startswith("_")
    }
"""
"""Hashes every public attribute; only where a state is compared."""

_EXPRESSIONS = """
def _ui_expressions(texts, objects, limit):
    names = dict(globals())
    for variable in reversed(objects):
        instance = globals()[variable]
        for name in dir(instance):
            if not name.startswith("_") and callable(getattr(instance, name)):
                names[name] = getattr(instance, name)
    return [_ui_made(lambda text=text: eval(text, names), limit) for text in texts]
"""

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


class CallRun(Record):
    """What the calls of one message gave."""

    results: tuple[CallResult, ...] = ()
    """One per call."""
    state: dict[str, str] = Field(default_factory=dict)
    """Hashes of the objects' public attributes after them."""
    status: str = "ok"
    """Status of the execution."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The results as the model is shown them."""
        return tuple(result.text for result in self.results)


def opening_cells(backend: Backend) -> list[str]:
    """The functions, the first state, and the calls before the instruction."""
    cells = ["\n".join((backend.source, backend.setup)), _helper()]
    return cells if not backend.before else [*cells, expressions_cell(backend, backend.before)]


@cache
def _helper() -> str:
    """The cell that carries calls out. The sandbox has it compiled: it stands among its own files."""
    return (program_directory() / "_supervisor" / "call_cell.py").read_text(encoding="utf-8")


def expressions_cell(backend: Backend, calls: Sequence[str]) -> str:
    """Calls that a data set states, in Python, and the state after them."""
    results = f"_ui_expressions({list(calls)!r}, {backend.objects!r}, {RESULT_CHARS})"
    shown = f'{{"results": {results}, "state": _ui_state({backend.objects!r})}}'
    return f'{_STATE}{_EXPRESSIONS}__import__("json").dumps({shown})'


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
        function = f"_ui_find({call.name!r}, {objects!r})" if known else "_ui_refused"
        arguments = call.arguments if known else {"name": call.name}
        made.append(f"_ui_made(lambda: {function}(**{arguments!r}), {RESULT_CHARS})")
    parts = [_PYTHON] if "python" in offered else []
    if any(call.name not in offered for call in calls):
        parts.append(_REFUSED)
    shown = f'"results": [{", ".join(made)}]'
    if state:
        parts.append(_STATE)
        shown += f', "state": _ui_state({objects!r})'
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
            return CallRun(results=tuple(map(_result, made["results"])), state=made.get("state", {}))
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


def state_verdict(
    instruction: Instruction, before: CallRun, gold: CallRun, exchanged: Sequence[CallRun], last: CallRun
) -> Verdict:
    """Whether an attempt did what the right calls do: BFCL's rule for a turn of a dialogue.

    Every public attribute must be equal, and every result of the right calls must be among the attempt's results and
    those before it. Where no call is right, none may be made.

    Args:
        instruction: The instruction; its backend states the right calls.
        before: The calls before the instruction.
        gold: The right calls.
        exchanged: Messages with calls before the attempt's last one.
        last: The last message's calls, and the state after them.
    """
    assert instruction.backend is not None
    made = [result for run in (*exchanged, last) for result in run.results]
    if gold.status != "ok" or before.status != "ok":
        return Verdict.undetermined("the right calls could not be carried out")
    if not all(run.status == "ok" for run in (*exchanged, last)):
        return Verdict.undetermined(f"the calls were stopped: {last.status}")
    if not instruction.backend.gold:
        if made:
            return Verdict.wrong(
                CHECK, "call_where_none_fits: a function is called, and nothing may be done yet"
            )
        return _correct("no function is called, and none may be")
    if not made:
        return _wrong("empty_turn_model_response: no function is called")
    changed = sorted(name for name, value in gold.state.items() if last.state.get(name) != value)
    if changed:
        return _wrong(f"instance_state_mismatch: another state of {', '.join(changed)[:200]}")
    missing = Counter(result.whole for result in gold.results)
    missing.subtract(Counter(result.whole for result in (*before.results, *made)))
    lacking = sum(count for count in missing.values() if count > 0)
    if lacking:
        return Verdict.wrong(
            CHECK, f"execution_response_mismatch: {lacking} results of the right calls are lacking"
        )
    return _correct("the state and the results agree")


def _correct(detail: str) -> Verdict:
    return Verdict.correct(CHECK, detail, reliability(CHECK, Basis.EXACT, True))


def _wrong(detail: str) -> Verdict:
    return Verdict.wrong(CHECK, detail, reliability(CHECK, Basis.EXACT, False))
