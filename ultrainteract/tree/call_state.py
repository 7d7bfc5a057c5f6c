"""Whether an attempt at function calls did what the right calls do: by the calls themselves, by state, and by results.

Wrong is what BFCL's rule for a turn of a dialogue calls wrong: another value of a public attribute, or a result of the
right calls that is lacking. Correct needs evidence that tells right from nothing done: the calls are the right ones, or
the right calls change what can be compared and all of it agrees. In particular:

- The right calls are replayed twice, at different times. What differs comes from the clock or from chance, and is left
  out.
- A right call that raises proves nothing about anyone.
- A private difference, or a part that cannot be looked into, is a doubt: undetermined.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from ultrainteract.config import Limits
from ultrainteract.grading.finding import Basis
from ultrainteract.grading.reliability import reliability
from ultrainteract.readers.rows import Unusable
from ultrainteract.sandbox.base import Sandbox
from ultrainteract.schema import Call, Instruction, Record, Verdict
from ultrainteract.seeds.stated_calls import stated_call
from ultrainteract.tree.call_cells import CallRun, expressions_cell, opening_cells, run_of

CHECK = "final_state"
"""Evidence of verdicts by state and results."""


class RightCalls(Record):
    """What the right calls of an instruction give."""

    before: CallRun
    """The calls before the instruction, and the state without any call after them."""
    gold: CallRun
    """The right calls."""
    again: CallRun
    """The right calls once more, at another time."""

    @property
    def fault(self) -> str:
        """Why they cannot be carried out; empty where they can."""
        for run in (self.before, self.gold):
            if run.status != "ok":
                return run.texts[0] if run.texts else run.status
            for result in run.results:
                if not result.ok:
                    return result.text
        return ""

    def stable(self, part: str) -> dict[str, str]:
        """Hashes of the state after them that are the same both times.

        Args:
            part: `public` or `private`.
        """
        again = getattr(self.again.state, part)
        found = getattr(self.gold.state, part)
        return {name: value for name, value in found.items() if again.get(name) == value}

    @property
    def changed(self) -> bool:
        """Whether they change anything that is the same both times."""
        return any(
            getattr(self.before.state, part).get(name) != value
            for part in ("public", "private")
            for name, value in self.stable(part).items()
        )

    @property
    def results(self) -> list[str | None]:
        """Hashes of their results; None for one that is another the second time."""
        again = [result.whole for result in self.again.results]
        return [
            one.whole if place < len(again) and again[place] == one.whole else None
            for place, one in enumerate(self.gold.results)
        ]


def state_verdict(
    instruction: Instruction,
    right: RightCalls,
    calls: Sequence[Call],
    exchanged: Sequence[CallRun],
    last: CallRun,
) -> Verdict:
    """Whether an attempt did what the right calls do; where no call is right, none may be made.

    Args:
        instruction: The instruction; its backend states the right calls.
        right: What they give.
        calls: All calls of the attempt.
        exchanged: Messages with calls before the attempt's last one.
        last: The last message's calls, and the state after them.
    """
    assert instruction.backend is not None
    made = [result for run in (*exchanged, last) for result in run.results]
    if right.fault:
        return Verdict.undetermined(f"the right calls could not be carried out: {right.fault[:200]}")
    if not all(run.status == "ok" for run in (*exchanged, last)):
        return Verdict.undetermined(f"the calls were stopped: {last.status}")
    if not instruction.backend.gold:
        if made:
            return _wrong("call_where_none_fits: a function is called, and nothing may be done yet")
        return _correct("no function is called, and none may be")
    if not made:
        return _wrong("empty_turn_model_response: no function is called")
    wanted = right.results
    if (
        _same(instruction, calls)
        and all(result.ok for result in made)
        and all(one in (None, result.whole) for one, result in zip(wanted, made, strict=True))
    ):
        return _correct("the calls are the right ones")
    public, private = right.stable("public"), right.stable("private")
    if differing := _differing(public, last.state.public):
        return _wrong(f"instance_state_mismatch: another state of {differing}")
    missing = Counter(filter(None, wanted))
    missing.subtract(Counter(result.whole for result in (*right.before.results, *made)))
    if lacking := sum(count for count in missing.values() if count > 0):
        return _wrong(f"execution_response_mismatch: {lacking} results of the right calls are lacking")
    by_chance = ", ".join(sorted(set(right.gold.state.public) - set(public)))[:200]
    if unseen := (*right.gold.state.unseen, *last.state.unseen):
        return Verdict.undetermined(f"other calls than the right ones, and {unseen[0]} cannot be looked into")
    if not right.changed:
        why = f" ({by_chance} differs each time)" if by_chance else ""
        return Verdict.undetermined(
            f"other calls than the right ones, which change nothing that can be compared{why}"
        )
    extra = {name: "" for name in last.state.private if name not in right.gold.state.private}
    if differing := _differing(private | extra, last.state.private):
        return Verdict.undetermined(
            f"other calls than the right ones, and {differing} differs, which is private"
        )
    return _correct(
        "the state and the results agree" + (f", but for {by_chance}, by chance" if by_chance else "")
    )


def _differing(wanted: dict[str, str], found: dict[str, str]) -> str:
    return ", ".join(sorted(name for name, value in wanted.items() if found.get(name) != value))[:200]


def _same(instruction: Instruction, calls: Sequence[Call]) -> bool:
    """Whether an attempt makes the right calls, in their order, with the same arguments."""
    assert instruction.backend is not None
    try:
        stated = [stated_call(text, instruction.functions) for text in instruction.backend.gold]
    except Unusable:
        return False
    return None not in stated and [_key(call) for call in stated if call] == [_key(call) for call in calls]


def _key(call: Call) -> str:
    return json.dumps([call.name, call.arguments], sort_keys=True)


async def right_calls_fault(sandbox: Sandbox, instruction: Instruction, limits: Limits | None = None) -> str:
    """Why the right calls of an instruction cannot be carried out, or empty: nothing could be judged by them.

    Args:
        sandbox: Where they are tried.
        instruction: An instruction that is judged by its final state.
        limits: Limits of the execution; the sandbox's own if None.
    """
    assert instruction.backend is not None
    texts = [*instruction.backend.before, *instruction.backend.gold]
    if not texts:
        return ""
    cells = [*opening_cells(instruction, before=False), expressions_cell(instruction, texts)]
    run = run_of(await sandbox.run(cells, limits=limits), len(texts))
    failed = next((n for n, result in enumerate(run.results) if not result.ok), None)
    return "" if failed is None else f"the right call {texts[failed]} fails: {run.results[failed].text}"


def _correct(detail: str) -> Verdict:
    return Verdict.correct(CHECK, detail, reliability(CHECK, Basis.EXACT, True))


def _wrong(detail: str) -> Verdict:
    return Verdict.wrong(CHECK, detail, reliability(CHECK, Basis.EXACT, False))
