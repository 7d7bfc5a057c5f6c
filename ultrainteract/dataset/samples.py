"""Which actions and pairs of a tree are exported, and with what prompt: the one place where trees become samples.

Exporters render samples, they never walk trees themselves, so that every format holds the same rows under
the same settings. Samples of another dataset (see `ultrainteract.exporting.mix`) have the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from ultrainteract.config import ExportConfig, ExportFilter
from ultrainteract.dataset.sensitive import tree_kinds
from ultrainteract.schema import Action, FeedbackWording, Instruction, Node, Tree, Turn, content_hash
from ultrainteract.wording import feedback, shown_output

Talk = tuple[tuple[str, str], ...]
"""Chat turns: (role, text), roles `user` and `assistant`."""
WhichActions = Literal["all", "leaf"]
WhichPairs = Literal["all", "random", "longest", "deepest"]


class Correct(NamedTuple):
    """A correct action and the turn it was taken at."""

    turn: int
    node: Node


class Picked(NamedTuple):
    """A pair and the turn it stands at; `own` is false for the additional pairs of a hard instruction."""

    turn: int
    chosen: Node
    rejected: Node
    own: bool
    published_id: str | None = None


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A prompt, which ends with a user turn, and a right response to it."""

    prompt: Talk
    response: str
    reasoning: str | None = None
    """The model's reasoning before the response, where it has some that is not part of it."""


@dataclass(frozen=True, slots=True)
class Preference:
    """A prompt, which ends with a user turn, and two ways to go on."""

    prompt: Talk
    chosen: Talk
    """One assistant turn; at trajectory level everything after the instruction."""
    rejected: Talk
    """As `chosen`."""
    direct: bool = True
    """True where chosen is known to be right and rejected to be wrong, not merely better and worse."""
    augmented: bool = False
    """True where the two actions were taken at different turns."""
    chosen_reasoning: str | None = None
    """The model's reasoning before the chosen action, where it is not part of it."""
    rejected_reasoning: str | None = None
    """As `chosen_reasoning`."""


# ---------------------------------------------------------------------------------------------- selection


def correct_actions(
    tree: Tree, which: WhichActions = "all", keep: ExportFilter | None = None
) -> list[Correct]:
    """The correct actions of a tree, by turn; a turn's own before those of its extra pairs.

    Args:
        tree: The tree.
        which: All, or the last one only.
        keep: Filter on actions.
    """
    found: list[Correct] = []
    for number, turn in enumerate(tree.turns, 1):
        nodes = [*filter(None, [turn.correct]), *(pair.chosen for pair in turn.extra), *turn.more_correct]
        texts: set[str] = set()
        for node in nodes:
            if node.action.text not in texts and (keep is None or node_passes(node, turn, number, keep)):
                texts.add(node.action.text)
                found.append(Correct(number, node))
    return found[-1:] if which == "leaf" else found


def picked_pairs(tree: Tree, which: WhichPairs = "all", keep: ExportFilter | None = None) -> list[Picked]:
    """The pairs of a tree, by turn; a turn's own before its extra ones.

    Args:
        tree: The tree.
        which: All, or one a tree: a random one (drawn by the tree's id), the longest, or the deepest.
        keep: Filter on actions and pairs.
    """
    found: list[Picked] = []
    for number, turn in enumerate(tree.turns, 1):
        pairs = [Picked(number, pair.chosen, pair.rejected, False, pair.published_id) for pair in turn.extra]
        if turn.paired and turn.correct and turn.incorrect:
            pairs.insert(0, Picked(number, turn.correct, turn.incorrect, True))
        found += pairs if keep is None else [pair for pair in pairs if _pair_passes(pair, turn, keep)]
    if which == "all" or len(found) < 2:
        return found
    if which == "random":
        return [found[int(content_hash([tree.id, "one pair a tree"]), 16) % len(found)]]
    if which == "longest":
        lengths = [len(p.chosen.action.text) + len(p.rejected.action.text) for p in found]
        return [found[lengths.index(max(lengths))]]
    return [next(pair for pair in found if pair.turn == found[-1].turn)]


def tree_passes(tree: Tree, keep: ExportFilter) -> bool:
    """Whether the filter's rules on task, dataset and sensitive texts let the tree through."""
    instruction = tree.instruction
    return (
        (not keep.tasks or instruction.task in keep.tasks)
        and (not keep.datasets or instruction.dataset in keep.datasets)
        and (not keep.without or not tree_kinds(tree) & set(keep.without))
    )


def node_passes(node: Node, turn: Turn, number: int, keep: ExportFilter) -> bool:
    """Whether an action passes the filter's rules on actions and turns."""
    evidence = node.verdict.evidence
    length = len(node.action.text)
    rate = turn.pass_rate
    return (
        (not keep.models or node.provenance.model in keep.models)
        and node.provenance.model not in keep.exclude_models
        and (keep.mutated or not node.provenance.mutated)
        and (not keep.checks or (evidence is not None and evidence.check in keep.checks))
        and (evidence is None or evidence.reliability >= keep.min_reliability)
        and (rate if rate is not None else 0.0) >= keep.min_pass_rate
        and (rate if rate is not None else 1.0) <= keep.max_pass_rate
        and length >= keep.min_chars
        and (keep.max_chars is None or length <= keep.max_chars)
        and (keep.max_turn is None or number <= keep.max_turn)
    )


def proofs(tree: Tree, keep: ExportFilter, *, whole: bool) -> set[bool]:
    """What the exported labels of a tree rest on: True for proof, False for judgments (`schema.JUDGED`).

    Args:
        tree: The tree.
        keep: The filter; its `checks` leave other labels out.
        whole: The tree is exported whole, with all labels.
    """
    found = (node.verdict.evidence for _, node in tree.nodes())
    return {
        not evidence.judged
        for evidence in found
        if evidence is not None and (whole or not keep.checks or evidence.check in keep.checks)
    }


def _pair_passes(pair: Picked, turn: Turn, keep: ExportFilter) -> bool:
    if keep.distinct_models and pair.chosen.provenance.model == pair.rejected.provenance.model:
        return False
    return all(node_passes(node, turn, pair.turn, keep) for node in (pair.chosen, pair.rejected))


# ------------------------------------------------------------------------------------------------ prompts


def reasoning_of(action: Action) -> str | None:
    """A model's reasoning before its action and the tool calls of that turn; None where there is none."""
    parts = [*(exchange.reasoning for exchange in action.exchanges), action.reasoning]
    return "\n\n".join(part for part in parts if part) or None


def tagged(action: Action, text: str, config: ExportConfig) -> str:
    """The text of an exported action, with its reasoning before it where `config` wants that."""
    reasoning = reasoning_of(action) if config.reasoning == "tagged" else None
    return text if reasoning is None else f"<think>\n{reasoning}\n</think>\n\n{text}"


def spoken(action: Action, words: FeedbackWording | None = None) -> str:
    """An action as one assistant turn: the tool calls made within the turn, with their outputs, before the answer."""
    return "\n".join([*_exchanges(action, words), action.text]) if action.exchanges else action.text


def opening(instruction: Instruction) -> Talk:
    """The chat up to and with the instruction's prompt."""
    return (
        *((message.role, message.content) for message in instruction.context),
        ("user", instruction.prompt),
    )


def opening_text(instruction: Instruction) -> str:
    """The same as one text: the prompt alone, where no conversation goes before it."""
    if not instruction.context:
        return instruction.prompt
    return "\n\n".join(f"{role.capitalize()}: {text}" for role, text in opening(instruction))


def history(tree: Tree, turn: int) -> Talk:
    """The chat before `turn` (from 1), without the instruction: wrong actions and what was said of them."""
    talk: list[tuple[str, str]] = []
    words = tree.instruction.wording
    for node in tree.history(turn):
        talk += (("assistant", spoken(node.action, words)), ("user", feedback(node, words)))
    return tuple(talk)


def flat_prompt(tree: Tree, correct: Correct, with_history: bool) -> str:
    """The instruction of a correct action as one text.

    Args:
        tree: The tree.
        correct: The action. Tool calls it made within its turn, with their outputs, follow the instruction.
        with_history: Write the turns before it out as well.
    """
    parts = [opening_text(tree.instruction)]
    if with_history:
        parts += [text for _, text in history(tree, correct.turn)]
    return "\n".join([*parts, *_exchanges(correct.node.action, tree.instruction.wording)])


def _exchanges(action: Action, words: FeedbackWording | None) -> Iterator[str]:
    for exchange in action.exchanges:
        yield exchange.text
        yield shown_output(exchange.output, words)


def demonstrations(tree: Tree, config: ExportConfig) -> Iterator[Demonstration]:
    """The correct actions that `config` selects, as chat samples; none twice.

    Without the turns before it, an action that was taken at two turns would be the same sample twice.
    """
    known: set[Demonstration] = set()
    for correct in correct_actions(tree, config.sft, config.filter):
        action = correct.node.action
        if config.sft_history == "turns":
            before: Talk = (*opening(tree.instruction), *history(tree, correct.turn))
            last = "\n".join([before[-1][1], *_exchanges(action, tree.instruction.wording)])
            prompt: Talk = (*before[:-1], ("user", last))
        else:
            prompt = (("user", flat_prompt(tree, correct, config.sft_history == "flat")),)
        reasoning = reasoning_of(action) if config.reasoning == "column" else None
        sample = Demonstration(prompt, tagged(action, action.text, config), reasoning)
        if sample not in known:
            known.add(sample)
            yield sample


def preferences(tree: Tree, config: ExportConfig) -> Iterator[Preference]:
    """The pairs that `config` selects, as chat samples."""
    start = opening(tree.instruction)
    for pair in picked_pairs(tree, config.pairs, config.filter):
        before = history(tree, pair.turn) if config.pair_history == "full" else ()
        sides = [node.action for node in (pair.chosen, pair.rejected)]
        chosen, rejected = (("assistant", tagged(action, spoken(action), config)) for action in sides)
        own = [reasoning_of(action) if config.reasoning == "column" else None for action in sides]
        if config.level == "trajectory":
            sample = Preference(start, (*before, chosen), (*before, rejected))
        else:
            sample = Preference((*start, *before), (chosen,), (rejected,))
        evidence = [node.verdict.evidence for node in (pair.chosen, pair.rejected)]
        proved = not any(found is not None and found.judged for found in evidence)
        yield replace(sample, direct=proved, chosen_reasoning=own[0], rejected_reasoning=own[1])
