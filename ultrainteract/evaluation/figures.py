"""The report of an evaluation: figures with intervals, and everything that shaped them."""

from __future__ import annotations

from typing import Any, Literal

from ultrainteract.evaluation.estimates import Estimate
from ultrainteract.evaluation.outcomes import Outcome
from ultrainteract.evaluation.selection import SelectionRow
from ultrainteract.schema import Record


class Setup(Record):
    """What shaped the figures."""

    name: str
    """Name of the evaluation."""
    model: dict[str, Any]
    """The model: provider, name, options, decoding; no address and no key."""
    critic: dict[str, Any] | None
    """The critic, where there is one."""
    judge: dict[str, Any] | None
    """The judge, where there is one."""
    rollout: dict[str, Any]
    """Protocol, samples, turns, feedback, prompt."""
    benchmarks: tuple[dict[str, Any], ...]
    """The sources as configured."""
    prompts: dict[str, str]
    """Hash of each prompt template that was used."""
    sandbox: dict[str, Any]
    """Limits of the sandbox."""
    seed: int
    """Seed of bootstrap and subsets."""
    confidence: float
    """Level of the intervals."""
    versions: dict[str, str]
    """This package, Python, and the packages that decide on answers or run the model."""
    fingerprint: str
    """Hash of the configuration that the directory is bound to."""


class Turn(Record):
    """Success by turn."""

    turn: int
    """Turn, or steps k."""
    success: Estimate
    """Share of items solved: by this turn (`rollout`), or with this many steps (`mint`)."""


class Group(Record):
    """Accuracy in a part of a benchmark."""

    kind: Literal["level", "subject"]
    """By the dataset's own level or category."""
    name: str
    """Which."""
    accuracy: Estimate
    """pass@1."""


class BenchmarkFigures(Record):
    """One benchmark under one task."""

    benchmark: str
    """Dataset."""
    task: str
    """Task: Math_CoT and Math_PoT are reported apart."""
    metric: str
    """The check that decides."""
    dataset_hash: str
    """Hash over the ids of the items that count."""
    items: int
    """Items that were finished and count; with `failed` and `unfinished`, all that were asked for."""
    full_size: int | None
    """Items of the full set, where it is a known benchmark."""
    failed: int = 0
    """Items that ended by a fault of a server, the sandbox or a grader: they count nowhere. The next run tries those
    again that had not come to an end."""
    unfinished: int
    """Items that were under way when the evaluation was stopped: the next run goes on with them."""
    samples: int
    """Samples per item."""
    outcomes: dict[Outcome, int]
    """Attempts by what became of the last answer."""
    reasons: dict[str, int]
    """Why attempts could not be graded, the commonest first."""
    accuracy: Estimate | None
    """pass@1: mean share of right answers, everything that is not right counting against it."""
    gradable_accuracy: Estimate | None
    """Share of right among right and wrong answers (of one attempt per item: the first gradable one)."""
    pass_at: dict[int, Estimate]
    """pass@k, without bias."""
    majority: Estimate | None
    """The commonest of all samples' answers; None for one sample, and where answers cannot be compared."""
    by_sample: tuple[float, ...]
    """Accuracy of each sample's own run over all items: how much it varies with the seed."""
    protocol: Literal["single", "rollout", "mint"]
    """Which protocol `by_turn` is of."""
    by_turn: tuple[Turn, ...]
    """`rollout`: cumulative within one rollout; `mint`: a rollout of its own for each k, which need not grow."""
    critiques: int
    """Critiques that the model was shown."""
    withheld: int
    """Critiques that were withheld because they gave the answer away."""
    invalid: float | None
    """MINT's protocol: share of steps that were neither a program nor a proposal."""
    groups: tuple[Group, ...]
    """By level and by subject."""
    instructions_followed: dict[str, float] | None = None
    """IFEval: prompts and instructions kept, strictly and loosely read."""
    best_of_n: tuple[SelectionRow, ...] = ()
    """What picking one of n gives."""
    tokens: int = 0
    """Completion tokens of all attempts."""


class Contaminated(Record):
    """An item that shares text with the training data."""

    id: str
    """The item."""
    source: str
    """Where it comes from."""
    match: str
    """`id`: the same instruction; `ngram`: shared words."""
    text: str
    """What is shared."""


class EvaluationReport(Record):
    """The report of one evaluation: `report.json`."""

    schema_version: Literal[1] = 1
    """Version of this record's format."""
    setup: Setup
    """What shaped the figures."""
    complete: bool
    """Whether every item has been finished."""
    left_out: dict[str, int]
    """Records that became no item, by reason."""
    not_asked: int | None = None
    """Items that no model was asked for yet; None while the benchmarks have not been read to their end."""
    benchmarks: tuple[BenchmarkFigures, ...]
    """Per benchmark and task."""
    contamination: tuple[Contaminated, ...] | None
    """Items that share text with the training data; None where none was named."""
    simulated: bool
    """Whether a simulated model answered."""
    requests: int
    """Requests answered."""
    prompt_tokens: int
    """Tokens sent."""
    completion_tokens: int
    """Tokens drawn."""
    cost: float
    """US dollars, over requests of known price."""
    unpriced: int
    """Requests of unknown price."""
