"""What is exported and published."""

from __future__ import annotations

import difflib
from typing import Any, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from ultrainteract.config.licenses import HUB_LICENSES, hub_license, license_name
from ultrainteract.config.types import Fraction, PositiveFloat
from ultrainteract.schema import Record, Task


class ExportFilter(Record):
    """Which trees and actions are exported.

    An action passes where every rule that is set holds for it; a pair where both its actions pass. The `trees` export
    obeys `tasks` and `datasets` alone.
    """

    tasks: tuple[Task, ...] = ()
    """Keep these tasks; all if empty."""
    datasets: tuple[str, ...] = ()
    """Keep these datasets; all if empty."""
    models: tuple[str, ...] = ()
    """Keep actions by these models; all if empty."""
    exclude_models: tuple[str, ...] = ()
    """Drop actions by these models."""
    distinct_models: bool = False
    """Drop pairs whose two actions were written by the same model."""
    checks: tuple[str, ...] = ()
    """Keep actions whose verdict one of these checks decided (`tests`, `equivalence` …); all if empty."""
    min_reliability: Fraction = 0.0
    """Minimum reliability of the evidence."""
    min_pass_rate: Fraction = 0.0
    """Minimum pass rate of the turn; a turn whose pass rate is unknown passes only at 0."""
    max_pass_rate: Fraction = 1.0
    """Maximum pass rate of the turn; a turn whose pass rate is unknown passes only at 1."""
    min_chars: int = Field(default=0, ge=0)
    """Minimum length of an action's text, characters."""
    max_chars: PositiveInt | None = None
    """Maximum length of an action's text, characters."""
    max_turn: PositiveInt | None = None
    """Last turn to export."""
    mutated: bool = True
    """Keep actions that no model wrote as they stand: right function calls that were given one fault."""
    marks: str | None = Field(default=None, exclude_if=lambda value: value is None)
    """File with the marks of `ultrainteract view` (`marks.jsonl` in a run directory): leave out marked actions, their
    pairs, and the turns that go on from them."""
    without: tuple[Literal["secret", "email", "phone"], ...] = ()
    """Drop trees in whose texts one of these was found: keys and tokens, mail addresses, telephone numbers."""


class MixSource(Record):
    """Another dataset whose rows are mixed in among the exported ones."""

    path: str
    """File, folder, glob, or Hub dataset id."""
    ratio: PositiveFloat
    """Its rows for each exported row: 0.5 adds one row to every two."""
    split: str = "train"
    """Split, for Hub datasets and folders."""
    subset: str | None = None
    """Configuration (subset) name, for Hub datasets."""
    revision: str | None = None
    """Hub revision."""
    pairs: Literal["all", "one"] = "all"
    """Of a row with several rated completions: every pair of different ratings, or the best against the worst."""


class ExportConfig(Record):
    """What is written to `exports/` when the run ends."""

    formats: tuple[str, ...] = ("sft", "pair", "trees")
    """Names of exporters; `ultrainteract export --list` prints them."""
    sft: Literal["all", "leaf"] = "all"
    """Every correct action, or only the last one of each tree."""
    reasoning: Literal["drop", "tagged", "column"] = "drop"
    """What becomes of a reasoning model's reasoning before the exported actions: left out, written before the action
    in `<think>` tags, or put in a column of its own. The turns before never hold it; whole trees always do."""
    sft_history: Literal["bare", "flat", "turns"] = "bare"
    """What the prompt of a later turn's correct action holds: the instruction alone (as published), the
    history written out as one text, or the history as chat turns (prompt-completion formats only)."""
    pairs: Literal["all", "random", "longest", "deepest"] = "all"
    """Every pair, or one per tree: a random one, the one with the longest text, or the one at the deepest
    turn."""
    pair_history: Literal["full", "none"] = "full"
    """Prompt of a pair: the turns before it, or the instruction alone (single-turn decomposition)."""
    level: Literal["turn", "trajectory"] = "turn"
    """What a pair compares: the last actions, or everything after the instruction (`trl-*` preferences
    only)."""
    difficulty: tuple[Literal["unmeasured", "never", "hard", "medium", "easy", "always"], ...] = (
        "hard", "medium", "easy",
    )  # fmt: skip
    """Problems of the `-rl` formats, by the pass rate of their first turn: `never` 0, `hard` up to 1/4, `medium` below
    3/4, `easy` below 1, `always` 1, `unmeasured` where no sample was judged. `filter.min_pass_rate` and
    `filter.max_pass_rate` narrow it down."""
    filter: ExportFilter = ExportFilter()
    """Which trees and actions are exported."""
    validation: Fraction = 0.0
    """Share of the problems whose rows go to a `validation` split; all rows of a problem go to one side."""
    balance: Literal["off", "task", "dataset"] = "off"
    """Draw the same number of trees from every task, or from every (task, dataset): the smallest one's."""
    mix_judged: bool = Field(default=False, exclude_if=lambda value: not value)
    """Write labels that rest on judgments (votes, annotators, writing scores) beside proved ones. Without it an export
    of both is refused."""
    mix: dict[str, MixSource] = Field(default_factory=dict)
    """Other datasets to mix into the train split of every trainer format, by name."""


class PublishConfig(Record):
    """Where and how `push` and `run --publish` publish the exports on the Hugging Face Hub."""

    repo: str | None = None
    """Dataset id, `name` or `namespace/name`; needed by `run --publish`."""
    private: bool = False
    """Make a new dataset private."""
    revision: str | None = None
    """Branch to push to; made where it is missing. The main branch if None."""
    create_pr: bool = False
    """Open a pull request instead of committing."""
    title: str | None = None
    """Name shown on the card; made from the dataset's id if None."""
    license: str | None = None
    """License of the whole, by its SPDX or Hub identifier; made from the seeds' licenses if None. The spelling
    `licence` is read, too."""
    license_name: str | None = None
    """Name of the license, where it is `other`."""
    license_link: str | None = None
    """Address of its text, where it is `other`."""
    language: tuple[str, ...] = ("en",)
    """Languages, ISO 639-1."""
    tags: tuple[str, ...] = ()
    """Further tags."""
    model_terms: dict[str, str] = Field(default_factory=dict)
    """What each model's terms say about its outputs, by model name; shown on the card."""

    @model_validator(mode="before")
    @classmethod
    def _other_spelling(cls, data: Any) -> Any:
        if isinstance(data, dict) and "licence" in data and "license" not in data:
            data = {("license" if name == "licence" else name): value for name, value in data.items()}
        return data

    @field_validator("license")
    @classmethod
    def _hub_identifier(cls, value: str | None) -> str | None:
        known = hub_license(value) if value is not None else None
        if value is not None and known is None:
            near = difflib.get_close_matches(value.lower(), HUB_LICENSES, 3)
            guess = f" (is it {' or '.join(near)}?)" if near else ""
            raise ValueError(
                f"the Hub has no license '{value}'{guess}; for another one write license: other with license_name: "
                f"{license_name(value)}"
            )
        return known

    @model_validator(mode="after")
    def _other_has_a_name(self) -> Self:
        if self.license == "other" and not self.license_name:
            raise ValueError("license 'other' needs a license_name, such as my-license-1.0")
        if self.license_name is not None and self.license_name != license_name(self.license_name):
            raise ValueError(
                f"license_name must be lower-case words joined by '-': {license_name(self.license_name)}"
            )
        return self
