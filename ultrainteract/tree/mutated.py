"""A wrong function call made from a right one, where no model made one: one fault, graded again, marked as mutated."""

from __future__ import annotations

from ultrainteract.dataset.call_samples import said
from ultrainteract.grading.call_mutation import KINDS, mutations, words_for
from ultrainteract.schema import Action, Call, Label, Node, calls_json
from ultrainteract.schema.calls import calls_text
from ultrainteract.tree.calling import BY_CALLS
from ultrainteract.tree.context import Context
from ultrainteract.tree.guards import normalised

STEP = "mutated"
"""Step of such actions in their provenance."""


async def mutated_from(context: Context, correct: Node) -> Node | None:
    """A wrong action that differs from a right one by one fault.

    The kinds of faults are tried in an order of the instruction's own, until one is proved wrong.

    Args:
        context: The tree.
        correct: A right action.

    Returns:
        The action; None where no fault could be proved wrong.
    """
    instruction = context.instruction
    if (
        not instruction.functions
        or instruction.grader not in BY_CALLS
        or not context.config.growth.mutate_calls
    ):
        return None
    rng = context.rng("mutation")
    for kind in rng.sample(KINDS, len(KINDS)):
        exchanges, text, calls = correct.action.exchanges, correct.action.text, correct.action.calls
        if not calls and exchanges:  # the message that says that all is done: what went before it is changed
            text, calls = exchanges[-1].text, exchanges[-1].calls
            exchanges = exchanges[:-1]
        variants = mutations(instruction, calls, kind)
        if not variants:
            continue
        thought = said(text, calls)
        action = _action(correct.action, thought, rng.choice(variants), words_for(instruction, kind))
        action = action.model_copy(update={"exchanges": exchanges})
        (seen,) = await context.observer.observe(instruction, context.cells, [action])
        if seen.verdict.label is Label.WRONG and normalised(action) != normalised(correct.action):
            provenance = correct.provenance.model_copy(
                update={
                    "step": STEP,
                    "mutated": kind,
                    "prompt_tokens": 0,
                    "completion_tokens": 0,
                    "cost": 0.0,
                }
            )
            return Node(
                action=action, observation=seen.observation, verdict=seen.verdict, provenance=provenance
            )
    return None


def _action(right: Action, thought: str, calls: tuple[Call, ...], words: str) -> Action:
    text = "\n".join(part for part in (thought, calls_text(calls)) if part) if calls else words
    return right.model_copy(
        update={"raw": text, "text": text, "answer": calls_json(calls), "calls": calls, "reasoning": None}
    )
