"""Function calls as notebook cells: what runs in the sandbox, and what comes back.

An attempt's calls are replayed as cells, as programs are: the source of the functions, the first state, the calls that
led to the instruction's state, then one cell per message. A cell's value is JSON: each call's result with a hash of the
whole, and, where it is asked for, a hash of every public attribute of the objects. Names are checked here, before
anything runs: a call can reach nothing but the functions on offer, with plain values.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from ultrainteract.grading.finding import Basis
from ultrainteract.grading.reliability import reliability
from ultrainteract.sandbox.base import Execution
from ultrainteract.schema import Backend, Call, Instruction, Record, Verdict
from ultrainteract.schema.calls import calls_json

RESULT_CHARS = 2_000
"""Characters of a result that a model is shown; the middle of a longer one is cut."""
CHECK = "final_state"
"""Evidence of verdicts by state and results."""

_HELPERS = """
def _ui_define():
    import contextlib, hashlib, io, json

    def find(name, objects):
        for variable in objects:
            method = getattr(globals()[variable], name, None)
            if callable(method):
                return method
        return globals()[name]

    def shown(value):
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            try:
                return json.dumps(value)
            except (TypeError, ValueError):
                pass
        return str(value)

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
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:24]

    def state(objects):
        return {
            variable + "." + name: digest(plain(value, {}))
            for variable in objects
            for name, value in vars(globals()[variable]).items()
            if not name.startswith("_")
        }

    def made(call, limit):
        out = io.StringIO()
        ok = True
        try:
            with contextlib.redirect_stdout(out):
                value = call()
            text = shown(value)
            if value is None and out.getvalue():
                text = out.getvalue().rstrip()
        except Exception as error:
            ok, text = False, "Error during execution: " + str(error)
        whole = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:24]
        if len(text) > limit:
            cut = len(text) - limit // 2 * 2
            text = text[: limit // 2] + "\\n[... %d characters cut ...]\\n" % cut + text[-(limit // 2):]
        return {"text": text.encode("utf-8", "replace").decode(), "whole": whole, "ok": ok}

    def python(code):
        import ast
        out = io.StringIO()
        tree = ast.parse(code)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(out):
            exec(compile(tree, "<cell>", "exec"), globals())
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), globals()) if last else None
        return (out.getvalue() + ("" if value is None else repr(value))).rstrip()

    def calls(text, objects, limit):
        found = []
        for call in json.loads(text):
            if "fault" in call:
                answer = "Error during execution: " + call["fault"]
                found.append(made(lambda: answer, limit) | {"ok": False})
            else:
                def run(name=call["name"], arguments=call["arguments"]):
                    return (python if name == "python" else find(name, objects))(**arguments)
                found.append(made(run, limit))
        return json.dumps({"results": found, "state": state(objects)})

    def expressions(texts, objects, limit):
        names = dict(globals())
        for variable in reversed(objects):
            instance = globals()[variable]
            for name in dir(instance):
                if not name.startswith("_") and callable(getattr(instance, name)):
                    names[name] = getattr(instance, name)
        found = [made(lambda text=text: eval(text, names), limit) for text in texts]
        return json.dumps({"results": found, "state": state(objects)})

    return calls, expressions

_ui_calls, _ui_expressions = _ui_define()
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
    cells = ["\n".join((backend.source, backend.setup, _HELPERS))]
    return cells if not backend.before else [*cells, expressions_cell(backend, backend.before)]


def expressions_cell(backend: Backend, calls: Sequence[str]) -> str:
    """Calls that a data set states, in Python."""
    return f"_ui_expressions({list(calls)!r}, {backend.objects!r}, {RESULT_CHARS})"


def calls_cell(instruction: Instruction, calls: Sequence[Call]) -> str:
    """Calls that a model makes; one of a function that is not on offer is answered with that.

    Args:
        instruction: The instruction, with a backend.
        calls: The calls.
    """
    assert instruction.backend is not None
    made = json.loads(calls_json(calls))
    offered = {function.name for function in instruction.functions}
    for call in made:
        if call["name"] not in offered:
            call["fault"] = f"there is no function '{call['name']}'"
    text = json.dumps(made)
    return f"_ui_calls({text!r}, {instruction.backend.objects!r}, {RESULT_CHARS})"


def run_of(execution: Execution, calls: int) -> CallRun:
    """What an execution of calls gave; where it was stopped, every call says why.

    Args:
        execution: The last cell's execution.
        calls: How many calls it made.
    """
    if execution.status == "ok" and execution.value is not None and not execution.truncated:
        try:
            return CallRun.model_validate(json.loads(ast.literal_eval(execution.value)))
        except (ValueError, SyntaxError):
            pass
    last = (execution.traceback or "").strip().splitlines()[-1:]
    why = {"timeout": "it took too long", "memory": "it used too much memory"}.get(
        execution.status, last[0] if last else f"it ended with {execution.status}"
    )
    result = CallResult(text=f"Error during execution: {why}", whole=execution.status, ok=False)
    return CallRun(
        results=(result,) * calls, status=execution.status if execution.status != "ok" else "error"
    )


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
