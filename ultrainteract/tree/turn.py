"""One turn: climb the ladder to a correct action, find an incorrect one, pair them (paper, section 2.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ultrainteract.config import EarlyEscalation, LadderStep
from ultrainteract.models.base import Purpose
from ultrainteract.schema import Label, Message, Node, Pair, ReasoningSchema, StepStats, Turn
from ultrainteract.tree.context import Context
from ultrainteract.tree.guards import normalised, speaks_of_reference
from ultrainteract.tree.guided import ground_truths, guide
from ultrainteract.tree.mutated import mutated_from

INCORRECT = "incorrect"
"""Name of the pool's step in provenance and reports."""
_EXAMPLE = 240
"""Characters kept of a sample without a verdict."""


@dataclass
class _Drawn:
    """What one step has drawn at this turn."""

    step: str
    model: str
    guided: bool = False
    nodes: list[Node] = field(default_factory=list)

    def having(self, label: Label) -> list[Node]:
        return [node for node in self.nodes if node.verdict.label is label]

    def stats(self) -> StepStats:
        correct = len(self.having(Label.CORRECT))
        judged = correct + len(self.having(Label.WRONG))
        open_ = self.having(Label.UNDETERMINED)
        # Some reasons go on with particulars behind a colon, of which there may be any number.
        reasons = Counter(node.verdict.reason.partition(":")[0] for node in open_)
        return StepStats(
            step=self.step,
            model=self.model,
            drawn=len(self.nodes),
            judged=judged,
            correct=correct,
            undetermined=dict(sorted(reasons.items())),
            guided=None if self.guided == self.step.startswith("guided") else self.guided,
            example=f"{open_[0].verdict.reason} | {open_[0].action.raw[:_EXAMPLE]}" if open_ else None,
        )


async def take_turn(context: Context) -> Turn:
    """Takes the turn that `context` is at.

    Returns:
        The turn, without the critique of its incorrect action.
    """
    schema = context.schema()
    own, drawn = None, []
    correct: Node | None = None
    for number, step in enumerate(context.config.growth.ladder):
        found = await _climb(
            context, step, schema, wants_wrong=number == 0 and context.config.growth.rejected_from == "actor"
        )
        if found is None:
            continue
        drawn.append(found)
        own = own or found
        correct = _pick(context, _acceptable(context, found, step.guided), "correct")
        if correct is not None:
            break
    assert own is not None, "the first step of a ladder is not guided"
    if (
        context.instruction.grader == "judge"
    ):  # judged actions go to SFT only: nothing to reject, nothing to expand
        return Turn(correct=correct, first_correct=_first(own), steps=tuple(step.stats() for step in drawn))
    incorrect = await _find_incorrect(context, schema, own, correct, drawn)
    extra: tuple[Pair, ...] = ()
    guided = {step.name for step in context.config.growth.ladder if step.guided}
    if correct is not None and correct.provenance.step in guided and not context.extended:
        extra = await _extra_pairs(context, schema, correct, incorrect, drawn)
    if context.config.growth.syntax_filter != "off":
        context.guards["syntax_dropped"] += sum(
            not node.action.syntax_ok for step in drawn for node in step.nodes
        )
    return Turn(
        correct=correct,
        incorrect=incorrect,
        paired=correct is not None and incorrect is not None and _pairable(context, correct, incorrect),
        extra=extra,
        first_correct=_first(own),
        steps=tuple(step.stats() for step in drawn),
    )


async def first_samples(context: Context, n: int) -> list[Node]:
    """The actor's first `n` samples at the turn that `context` is at."""
    step, schema = context.config.growth.ladder[0], context.schema()
    purpose = Purpose(role="actor", step=step.name, turn=context.turn, reasoning_schema=schema)
    return await context.attempt(step.model, context.actor_messages(schema), n, purpose, step.sampling)


# ------------------------------------------------------------------------------------------ correct actions


async def _climb(
    context: Context, step: LadderStep, schema: ReasoningSchema, *, wants_wrong: bool
) -> _Drawn | None:
    """Draws from one step, in waves, until the turn has what it needs. None where a guided step has no ground truth."""
    if step.guided:
        truths = ground_truths(context)
        if not truths:
            return None
        return await _climb_guided(context, step, schema, context.rng("truth").choice(truths))
    purpose = Purpose(role="actor", step=step.name, turn=context.turn, reasoning_schema=schema)
    return await _waves(context, step, context.actor_messages(schema), purpose, wants_wrong=wants_wrong)


async def _climb_guided(
    context: Context, step: LadderStep, schema: ReasoningSchema, truth: str
) -> _Drawn | None:
    request = await guide(context, step, truth, schema)
    if request is None:
        return None
    purpose = Purpose(
        role="guided", step=step.name, turn=context.turn, reasoning_schema=schema, form=request.form
    )
    return await _waves(context, step, request.messages, purpose, wants_wrong=False)


async def _waves(
    context: Context, step: LadderStep, messages: tuple[Message, ...], purpose: Purpose, *, wants_wrong: bool
) -> _Drawn:
    growth = context.config.growth
    drawn = _Drawn(step.name, context.config.models[step.model].model, step.guided)
    wave = step.samples if growth.waves == "off" else growth.waves
    while len(drawn.nodes) < step.samples:
        size = min(wave, step.samples - len(drawn.nodes))
        nodes = await context.attempt(step.model, messages, size, purpose, step.sampling)
        drawn.nodes += nodes
        if len(nodes) < size:  # refused for good
            break
        has_correct = bool(_acceptable(context, drawn, step.guided, count=False))
        if has_correct and not (wants_wrong and not _rejectable(context, drawn.nodes)):
            break
        if not has_correct and growth.early_escalation and _hopeless(drawn, growth.early_escalation):
            break
    return drawn


def _hopeless(drawn: _Drawn, test: EarlyEscalation) -> bool:
    """Sequential test: with nothing correct so far, would a model at the target rate have shown a correct sample?"""
    judged = len(drawn.having(Label.WRONG)) + len(drawn.having(Label.CORRECT))
    return bool((1 - test.target_rate) ** judged <= 1 - test.confidence)


def _acceptable(context: Context, drawn: _Drawn, guided: bool, *, count: bool = True) -> list[Node]:
    """Correct actions that may be chosen: a guided one must not speak of what its author was shown."""
    nodes = [node for node in drawn.having(Label.CORRECT) if _kept(context, node)]
    clean = [node for node in nodes if not (guided and speaks_of_reference(node.action.text))]
    if count:
        context.guards["guided_refused"] += len(nodes) - len(clean)
    return clean


def _first(own: _Drawn) -> bool | None:
    """Whether the actor's own first sample of the turn is correct; None where that is not known."""
    if not own.nodes or own.nodes[0].verdict.label is Label.UNDETERMINED:
        return None
    return own.nodes[0].verdict.label is Label.CORRECT


# ---------------------------------------------------------------------------------------- incorrect actions


async def _find_incorrect(
    context: Context, schema: ReasoningSchema, own: _Drawn, correct: Node | None, drawn: list[_Drawn]
) -> Node | None:
    """The incorrect action: from the actor's own wrong samples, from the pool, or the former before the latter."""
    growth = context.config.growth
    if growth.rejected_from != "pool":
        wrong = _partner(context, own.nodes, correct, "rejected")
        if wrong is not None:
            return wrong
        if growth.rejected_from == "actor":
            return await mutated_from(context, correct) if correct is not None else None
    pooled = await _draw_pool(context, schema, correct, growth.pool_samples)
    drawn += pooled
    nodes = [node for step in pooled for node in step.nodes]
    wrong = _partner(context, nodes, correct, "rejected")
    if wrong is None and correct is not None:
        wrong = await mutated_from(context, correct)
    if wrong is None:  # nothing to pair with, but a wrong action can still be expanded
        everything = nodes if growth.rejected_from == "pool" else [*own.nodes, *nodes]
        wrong = _pick(context, _rejectable(context, everything, expandable=True), "expanded")
    return wrong


async def _draw_pool(
    context: Context, schema: ReasoningSchema, correct: Node | None, most: int, taken: int = 0
) -> list[_Drawn]:
    """Draws from pool models, each chosen at random, in waves of 1, 2, 4 … until one sample can be rejected."""
    growth = context.config.growth
    rng = context.rng(f"pool {taken}")
    purpose = Purpose(role="incorrect", step=INCORRECT, turn=context.turn, reasoning_schema=schema)
    messages = context.actor_messages(schema)
    by_model: dict[str, _Drawn] = {}
    size, left = (most if growth.waves == "off" else 1), most
    while left > 0 and growth.pool:
        name = rng.choice(growth.pool)
        step = by_model.setdefault(name, _Drawn(INCORRECT, context.config.models[name].model))
        nodes = await context.attempt(name, messages, min(size, left), purpose)
        step.nodes += nodes
        if _partner(context, nodes, correct, "probe", count=False) is not None:
            break
        left -= min(size, left)
        size *= 2
    return list(by_model.values())


def _rejectable(context: Context, nodes: Sequence[Node], *, expandable: bool = False) -> list[Node]:
    """Wrong actions that may be rejected; with `expandable`, also those that may only be expanded."""
    wrong = [node for node in nodes if node.verdict.label is Label.WRONG and _kept(context, node)]
    if expandable or context.config.growth.syntax_filter == "off":
        return wrong
    return [node for node in wrong if node.action.syntax_ok]


def _partner(
    context: Context, nodes: Sequence[Node], correct: Node | None, purpose: str, *, count: bool = True
) -> Node | None:
    """A random wrong action that can be paired with `correct` (or with anything, where there is none)."""
    wrong = _rejectable(context, nodes)
    if correct is not None:
        fitting = [node for node in wrong if _pairable(context, correct, node)]
        if count:
            context.guards["equal_pair"] += len(wrong) - len(fitting)
        wrong = fitting
    return _pick(context, wrong, purpose)


# --------------------------------------------------------------------------------------------------- pairs


async def _extra_pairs(
    context: Context, schema: ReasoningSchema, correct: Node, incorrect: Node | None, drawn: list[_Drawn]
) -> tuple[Pair, ...]:
    """Hard instructions: one more correct action for each further ground truth, each with its own partner."""
    context.extended = True
    step = next(step for step in context.config.growth.ladder if step.name == correct.provenance.step)
    used_truth = context.rng("truth").choice(ground_truths(context))
    rest = [truth for truth in dict.fromkeys(ground_truths(context)) if truth != used_truth]
    pairs: list[Pair] = []
    used = {normalised(node.action) for node in (correct, incorrect) if node is not None}
    for number, truth in enumerate(rest[: context.config.growth.extra_pairs]):
        found = await _climb_guided(context, step, schema, truth)
        if found is None:
            continue
        drawn.append(found)
        fresh = [node for node in _acceptable(context, found, True) if normalised(node.action) not in used]
        chosen = _pick(context, fresh, f"extra correct {number}")
        if chosen is None:
            continue
        wrong = await _extra_wrong(context, schema, chosen, used, drawn, number)
        if wrong is not None:
            pairs.append(Pair(chosen=chosen, rejected=wrong))
            used |= {normalised(chosen.action), normalised(wrong.action)}
    return tuple(pairs)


async def _extra_wrong(
    context: Context,
    schema: ReasoningSchema,
    chosen: Node,
    used: set[bytes],
    drawn: list[_Drawn],
    number: int,
) -> Node | None:
    """A wrong action of this turn that no pair has used yet; from the pool where none is left."""
    growth = context.config.growth
    sources = {"pool": (INCORRECT,), "actor": (growth.ladder[0].name,)}.get(
        growth.rejected_from, (growth.ladder[0].name, INCORRECT)
    )

    def unused() -> list[Node]:
        nodes = [node for step in drawn if step.step in sources for node in step.nodes]
        return [node for node in nodes if normalised(node.action) not in used]

    wrong = _partner(context, unused(), chosen, f"extra rejected {number}")
    if wrong is None and INCORRECT in sources:
        drawn += await _draw_pool(context, schema, chosen, growth.pool_samples, taken=number + 1)
        wrong = _partner(context, unused(), chosen, f"extra rejected {number}")
    return wrong


def _pairable(context: Context, correct: Node, wrong: Node) -> bool:
    """Whether the two may form a pair: both pass the syntax filter, and they differ in more than looks."""
    if context.config.growth.syntax_filter != "off" and not (
        correct.action.syntax_ok and wrong.action.syntax_ok
    ):
        return False
    return normalised(correct.action) != normalised(wrong.action)


def _kept(context: Context, node: Node) -> bool:
    return node.action.syntax_ok or context.config.growth.syntax_filter != "all"


def _pick(context: Context, nodes: Sequence[Node], purpose: str) -> Node | None:
    return context.rng(purpose).choice(nodes) if nodes else None
