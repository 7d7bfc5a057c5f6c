"""Judged answers as trees: the road of all open domains into statistics, exports and publication.

An answer's label holds within its tree, so an answer that would be preferred in one couple and not in another takes
the label of the couple that is relied on most; the other couple is left out and counted. So is a couple of equal texts,
and one that is there already: texts that differ in case and white space alone are one answer, as for `validate-data`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ultrainteract.dataset.layouts.checker import plain
from ultrainteract.schema import (
    Action,
    Evidence,
    Instruction,
    Label,
    Message,
    Node,
    Observation,
    Pair,
    Provenance,
    SamplingParams,
    Task,
    Tree,
    Turn,
    Verdict,
)

CONTRADICTED = "an answer has the other label in a couple that is relied on more"
EQUAL = "both answers are the same text"
REPEATED = "the same couple is relied on more"
"""Why a couple is left out."""


@dataclass(frozen=True)
class Answer:
    """A text with its author."""

    text: str
    model: str
    """Name of the model, or of the person."""


@dataclass(frozen=True)
class Couple:
    """Two answers to one prompt, of which the first was preferred."""

    chosen: Answer
    rejected: Answer
    evidence: Evidence
    """Why, and how far it can be relied on."""


@dataclass
class JudgedTrees:
    """Couples of answers by prompt; iterating gives a tree per prompt with a pair, in the order of the prompts."""

    couples: dict[str, tuple[Instruction, list[Couple]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    """Couples that are in no tree, by reason; complete once iterated."""

    def add(self, instruction: Instruction, couple: Couple) -> None:
        """Takes a couple in."""
        self.couples.setdefault(instruction.id, (instruction, []))[1].append(couple)

    def __iter__(self) -> Iterator[Tree]:
        self.refused.clear()
        for instruction, couples in self.couples.values():
            kept, refused = consistent(couples)
            self.refused.update(refused)
            if kept:
                yield tree_of(instruction, kept)


def consistent(couples: Iterable[Couple]) -> tuple[list[Couple], Counter[str]]:
    """Couples of different answers, each with one label, those relied on most first; and the others by reason."""
    labels: dict[str, Label] = {}
    kept: list[Couple] = []
    known: set[tuple[str, str]] = set()
    refused: Counter[str] = Counter()
    ordered = sorted(couples, key=lambda one: (-one.evidence.reliability, one.chosen.text, one.rejected.text))
    for couple in ordered:
        chosen, rejected = plain(couple.chosen.text), plain(couple.rejected.text)
        if chosen == rejected:
            refused[EQUAL] += 1
        elif labels.get(chosen) is Label.WRONG or labels.get(rejected) is Label.CORRECT:
            refused[CONTRADICTED] += 1
        elif (chosen, rejected) in known:
            refused[REPEATED] += 1
        else:
            labels |= {chosen: Label.CORRECT, rejected: Label.WRONG}
            known.add((chosen, rejected))
            kept.append(couple)
    return kept, refused


def tree_of(instruction: Instruction, couples: list[Couple]) -> Tree:
    """A tree of one turn: the first couple is its own pair, the others are extra ones."""
    first, *more = (
        Pair(
            chosen=_node(one.chosen, one.evidence, Label.CORRECT),
            rejected=_node(one.rejected, one.evidence, Label.WRONG),
        )
        for one in couples
    )
    turn = Turn(correct=first.chosen, incorrect=first.rejected, paired=True, extra=tuple(more))
    return Tree(instruction=instruction, turns=(turn,), ended="turn_cap")


def open_instruction(
    prompt: str,
    *,
    grader: str,
    dataset: str,
    task: str = "Chat",
    licence: str | None = None,
    source: str = "",
    context: Iterable[tuple[str, str]] = (),
    tags: Iterable[str] = (),
) -> Instruction:
    """The root of a tree whose labels are judgments.

    Args:
        prompt: What was answered.
        grader: The kind of judgment: a name of `schema.JUDGED`, or `principle`.
        dataset: Published dataset name.
        task: Published task name.
        licence: License of the texts.
        source: Where the record comes from.
        context: (role, text) of the messages before the prompt; roles `user` and `assistant`.
        tags: Categories.
    """
    return Instruction(
        task=Task(task), dataset=dataset, prompt=prompt, question=prompt, grader=grader, licence=licence, source=source,
        context=tuple(Message.model_validate({"role": role, "content": text}) for role, text in context),
        tags=tuple(tags),
    )  # fmt: skip


def _node(answer: Answer, evidence: Evidence, label: Label) -> Node:
    return Node(
        action=Action(raw=answer.text, reasoning_schema="cot", text=answer.text),
        observation=Observation(),
        verdict=Verdict(label=label, evidence=evidence),
        provenance=Provenance(
            model=answer.model, provider="external", sampling=SamplingParams(), step=evidence.check, ordinal=0
        ),
    )
