"""The figures of a set of trees, as they are shown, plotted and published in `stats.json`.

A share or a mean without anything to divide by is None: unknown, never zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field

from ultrainteract.schema import Record
from ultrainteract.store import Spend


class KindRow(Record):
    """A row of Table 1 (arXiv 2404.02078): trees of one task, with or without interaction, with or without a tool."""

    task: str
    """Task."""
    interaction: bool
    """False for what stands beside a tree's one trajectory, and for trees that were not to have more than one turn."""
    tool: bool
    """Whether the instructions offer a tool."""
    instructions: int
    """Instructions."""
    trajectories: dict[int, int]
    """Trajectories by the turn they end at."""
    tokens_per_trajectory: float | None
    """Mean tokens of a trajectory."""
    trajectories_per_instruction: float | None
    """Mean number of trajectories."""
    pairs: int
    """Pairs."""
    correct: int
    """Correct actions."""


class DatasetRow(Record):
    """A row of Table 7: one dataset under one task."""

    task: str
    """Task."""
    dataset: str
    """Dataset."""
    prompts: int
    """Instructions."""
    pairs: int
    """Pairs."""
    correct: int
    """Correct actions."""
    tokens_per_trajectory: float | None
    """Mean tokens of a trajectory."""


class TokensRow(Record):
    """Lengths of the pairs of one turn in tokens, without those that a chat template adds."""

    turn: int
    """Turn."""
    pairs: int
    """Pairs."""
    longest: int
    """Tokens of the longest pair: its prompt, history included, and the longer side."""
    over: dict[int, int]
    """Pairs longer than so many tokens: a trainer with that limit cuts their end off."""
    prompt_over: dict[int, int]
    """Pairs whose prompt alone is at least so long: nothing is left to learn, and TRL drops the row."""


class FirstSample(Record):
    """The actor's own first samples at one turn."""

    turn: int
    """Turn."""
    trees: int
    """Trees that reached the turn."""
    judged: int
    """Samples with a verdict."""
    correct: int
    """Correct samples."""
    pass_rate: float | None
    """Correct share of the judged."""


class StepRow(Record):
    """What a ladder step, or the pool, drew with one model."""

    step: str
    """Step."""
    model: str
    """Model."""
    drawn: int
    """Samples drawn."""
    judged: int
    """Samples with a verdict."""
    correct: int
    """Correct samples."""
    pass_rate: float | None
    """Correct share of the judged."""


class Critiques(Record):
    """Critiques, by what the leak guard did."""

    total: int
    """Critiques."""
    leaked: int
    """Critiques that gave the answer away at first."""
    leak_rate: float | None
    """Their share."""
    clean: int
    """Critiques that did not."""
    asked_again: int
    """Critiques that were asked for again."""
    redacted: int
    """Critiques that were redacted."""


class Duplicates(Record):
    """Rows beyond the first of each."""

    prompts: int
    """Instructions with the same text."""
    pairs: int
    """Pairs with the same prompt, chosen and rejected text."""
    responses: int
    """Correct actions with the same text in one tree."""


class CallErrorRow(Record):
    """Wrong function calls of one kind."""

    error: str
    """Name of the error; see docs/calls.md."""
    origin: str
    """`sampled` from a model, or `mutated` from a right call."""
    actions: int
    """Actions."""


class EvidenceRow(Record):
    """Verdicts of one check."""

    check: str
    """Check that decided."""
    label: str
    """Label it gave."""
    actions: int
    """Actions."""


class Agreement(Record):
    """Couples of actions of a tree that state the same answer."""

    couples: int
    """Couples."""
    agree: int
    """Couples with equal labels."""
    share: float | None
    """Their share."""


class ModelRow(Record):
    """Texts kept of one model in one role."""

    role: str
    """Role or ladder step."""
    model: str
    """Model."""
    texts: int
    """Texts."""


class LicenseRow(Record):
    """Trees of one seed dataset under one license."""

    dataset: str
    """Dataset."""
    license: str
    """License as the seeds state it; `unknown` where they do not."""
    trees: int
    """Trees."""


class Kept(Record):
    """What the kept texts cost."""

    completion_tokens: int
    """Completion tokens."""
    cost: float
    """US dollars."""
    unpriced_texts: int
    """Texts whose cost is unknown."""
    cost_per_pair: float | None
    """US dollars per pair; None where any cost is unknown."""
    tokens_per_pair: float | None
    """Completion tokens per pair."""


class Spent(Record):
    """What runs have cost in all, kept or not."""

    requests: int
    """Requests."""
    completions: int
    """Completions."""
    prompt_tokens: int
    """Prompt tokens."""
    completion_tokens: int
    """Completion tokens."""
    cost: float
    """US dollars."""
    unpriced_requests: int
    """Requests whose cost is unknown."""
    cost_per_pair: float | None
    """US dollars per pair; None where any cost is unknown."""
    tokens_per_pair: float | None
    """Completion tokens per pair."""

    @classmethod
    def of(cls, spend: Sequence[Spend], pairs: int) -> Self:
        """Adds up what runs have spent.

        Args:
            spend: `RunStore.spend()`.
            pairs: Pairs that came of it.
        """
        cost = round(sum(item.cost for item in spend), 9)
        unpriced = sum(item.unpriced for item in spend)
        tokens = sum(item.completion_tokens for item in spend)
        return cls(
            requests=sum(item.requests for item in spend),
            completions=sum(item.completions for item in spend),
            prompt_tokens=sum(item.prompt_tokens for item in spend),
            completion_tokens=tokens,
            cost=cost,
            unpriced_requests=unpriced,
            cost_per_pair=cost / pairs if pairs and not unpriced else None,
            tokens_per_pair=tokens / pairs if pairs else None,
        )


class LabelError(Record):
    """Labels that a person judged otherwise, estimated from a sample (`ultrainteract view --audit`)."""

    actions: int
    """Labelled actions."""
    covered: int
    """Of these, actions in strata from which something was judged: what the estimate is about."""
    sampled: int
    """Actions drawn."""
    judged: int
    """Of these, judged correct or wrong."""
    unsure: int
    """Of these, such that the person could not tell."""
    disagreements: int
    """Of the judged, those whose label is another one."""
    error: float | None = None
    """Estimated share of wrong labels; None where nothing was judged."""
    low: float | None = None
    """Lower end of its 95 % interval."""
    high: float | None = None
    """Upper end."""


class Figures(Record):
    """Everything that is counted of a set of trees."""

    trees: int
    """Trees."""
    pairs: int
    """Pairs."""
    correct: int
    """Correct actions."""
    simulated_trees: int
    """Trees with a text by a simulated model."""
    hard_trees: int
    """Trees that needed the guided step."""
    tokenizer: str
    """What tokens are counted with."""
    table1: tuple[KindRow, ...]
    """Table 1."""
    table7: tuple[DatasetRow, ...]
    """Table 7."""
    states: dict[str, int]
    """Trees by state."""
    endings: dict[str, int]
    """Trees by what ended them."""
    turns: dict[int, int]
    """Trees by the turn they end at."""
    pairs_by_turn: dict[int, int]
    """Pairs by turn."""
    pair_tokens: tuple[TokensRow, ...]
    """Lengths of pairs in tokens, by turn."""
    actor_first_sample: tuple[FirstSample, ...]
    """The actor's own success by turn."""
    steps: tuple[StepRow, ...]
    """Pass rates by step and model."""
    length_chars: dict[str, dict[int, int]]
    """Characters of `chosen`, `rejected` and `instruction`: counts by the power of two that bounds them."""
    chosen_longer_share: float | None
    """Share of the pairs whose chosen text is the longer one."""
    same_model_share: float | None
    """Share of the pairs, of those whose models are known, with both sides by one model."""
    critiques: Critiques
    """Critiques."""
    guards: dict[str, int]
    """What guards did, by name."""
    duplicates: Duplicates
    """Duplicates."""
    evidence: tuple[EvidenceRow, ...]
    """Verdicts by check and label."""
    call_errors: tuple[CallErrorRow, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Wrong function calls by kind of error."""
    mean_reliability: float | None
    """Mean reliability of the evidence."""
    same_answer_agreement: Agreement
    """Whether equal answers got equal verdicts."""
    models: tuple[ModelRow, ...]
    """Texts kept, by role and model."""
    licenses: tuple[LicenseRow, ...]
    """Trees by dataset and license."""
    kept: Kept
    """Cost of what was kept."""
    spent: Spent | None = None
    """Cost of all that the runs drew; None where it is not known."""
    label_error: LabelError | None = Field(default=None, exclude_if=lambda value: value is None)
    """Estimated share of wrong labels; None where no person judged any."""
    import_issues: dict[str, int] | None = None
    """Imported rows that did not fit, by reason; None where nothing was imported."""
