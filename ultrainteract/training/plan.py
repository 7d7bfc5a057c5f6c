"""What a stage is about to do, and what it did: records that are printed, written to its folder, and compared."""

from __future__ import annotations

from pydantic import Field

from ultrainteract.config.training import Stage
from ultrainteract.schema import Record


class Lengths(Record):
    """Token lengths of one part of the rows."""

    median: int
    """Half of the rows are at most this long."""
    p95: int
    """95 % of the rows are at most this long."""
    longest: int
    """The longest one."""


class TrainPlan(Record):
    """The rows of a stage as its trainer gets them."""

    stage: Stage
    """The stage."""
    start: str
    """Model that it starts from."""
    rows: dict[str, int]
    """Rows by origin, before anything was dropped: `data`, and each source mixed in."""
    kinds: dict[str, int] = Field(default_factory=dict)
    """Kept rows by kind: reward model rows that are direct, augmented or other; wanted and unwanted ones of KTO."""
    kept: int
    """Rows that are trained on."""
    validation: int = 0
    """Rows of the validation split."""
    validation_dropped: dict[str, int] = Field(default_factory=dict)
    """Rows of the validation split that are not used, by reason."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """Rows that are not trained on, by reason."""
    cut: int = 0
    """Kept rows whose completion is cut at `max_length`."""
    max_length: int
    """Maximum length, tokens."""
    lengths: dict[str, Lengths]
    """Token lengths of prompts, completions and whole rows, before dropping and cutting."""
    tokens: int
    """Tokens of one epoch; a pair's prompt counts for each side."""
    learned_tokens: int
    """Those of them that carry loss."""
    steps: int
    """Optimizer steps."""
    batch_size: int
    """Rows per optimizer step."""
    same_prompt_neighbours: int = 0
    """KTO rows whose mismatched completion belongs to their own prompt."""
    example: str
    """The longest kept row, decoded, with what is learned between ⟦ and ⟧; of a pair both sides."""
    warnings: tuple[str, ...] = ()
    """What should be looked at before training."""


class TrainReport(Record):
    """A finished stage."""

    stage: Stage
    """The stage."""
    fingerprint: str
    """Content hash of everything that the model depends on: recipe, rows, start model."""
    start: str
    """Model that it started from."""
    start_digest: str
    """Content hash of that model's files."""
    data: str
    """Name of the data."""
    data_fingerprint: str
    """Fingerprint of the run (or of the places) that the data comes from."""
    data_revisions: dict[str, str] = Field(default_factory=dict)
    """Commit by id of the Hub datasets that it was read from."""
    data_digest: str
    """Content hash of the rows that were trained on."""
    simulated: bool
    """Whether any text of the data was written by a simulated model."""
    plan: TrainPlan
    """What was trained on."""
    steps: int
    """Optimizer steps taken."""
    seconds: float
    """Time of the training loop, in the last session."""
    tokens_per_s: float
    """Tokens trained on per second in the last session, padding not counted."""
    resumed_from: int | None = None
    """Step of the checkpoint that the last session began with; None where it began at the start."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Last logged values, and those of the validation split (`eval_…`)."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Versions of what trained."""
    warnings: tuple[str, ...] = ()
    """What the reward patterns show."""
