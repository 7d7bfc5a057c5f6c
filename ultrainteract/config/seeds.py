"""Seed datasets and the selection among their instructions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveInt, ValidationInfo, field_validator, model_validator

from ultrainteract.config.credentials import check_options, is_stored
from ultrainteract.config.types import Fraction
from ultrainteract.schema import GraderName, Record, Task, Tool


class FieldMapping(Record):
    """How the columns of a generic dataset become an instruction. A dotted path reaches into objects."""

    question: str
    """Column with the problem."""
    gold: str | None = None
    """Column with the gold answer (a list becomes an answer set)."""
    rationale: str | None = None
    """Column with one gold rationale, or a list of them."""
    solution: str | None = None
    """Column with one gold program, or a list of them."""
    choices: str | None = None
    """Column with the list of answer choices."""
    tests: str | None = None
    """Column with `{"inputs": […], "outputs": […], "fn_name"?: …}`, as an object or as JSON text."""
    unit: str | None = None
    """Column with the unit of a numeric answer."""
    difficulty: str | None = None
    """Column with a difficulty or level."""
    source_id: str | None = None
    """Column with the record's own id; the line number if None."""


class SeedConfig(Record):
    """One source of instructions."""

    dataset: str
    """Name of a built-in dataset loader, or `generic` with `mapping`, or the name a plugin registers."""
    path: str
    """File, folder or glob, or a Hub dataset id."""
    split: str = "train"
    """Split, for Hub datasets."""
    subset: str | None = None
    """Configuration (subset) name, for Hub datasets."""
    revision: str | None = None
    """Hub revision; the one found is recorded."""
    tasks: tuple[Task, ...] = ()
    """Make instructions of these tasks only; all the dataset's tasks if empty."""
    limit: PositiveInt | None = None
    """Maximum number of usable instructions per task."""
    name: str | None = None
    """Published dataset name, for `generic` sources."""
    mapping: FieldMapping | None = None
    """Columns, for `generic` sources."""
    grader: GraderName | None = None
    """Check to use, for `generic` sources."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer, for `generic` sources."""
    prompt: str = "{question}"
    """Whole instruction text, for `generic` sources, with `{question}` and `{choices}` filled in. Written out,
    `"{question}"` is the bare problem; where nothing is written, the published wording of the task is used."""
    bare: bool = False
    """Ask the bare problem, for `generic` sources; set by `prompt: "{question}"`."""
    wording: Path | None = None
    """YAML file with the published words of a seed set in another language; see docs/seeds.md."""
    licence: str | None = None
    """Licence of the data, where the loader does not know it."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the loader, such as `tables: PATH` for WikiTableQuestions."""

    @model_validator(mode="before")
    @classmethod
    def _from_evaluation(cls, data: Any) -> Any:
        # `from_eval: PATH` is short for the dataset of that name.
        if not isinstance(data, dict) or "from_eval" not in data:
            return data
        rest = {name: value for name, value in data.items() if name != "from_eval"}
        return {"dataset": "from_eval", "path": data["from_eval"], **rest}

    @model_validator(mode="before")
    @classmethod
    def _bare_where_written(cls, data: Any, info: ValidationInfo) -> Any:
        # A configuration that was stored before there was `bare` has the default written out.
        written = isinstance(data, dict) and data.get("prompt") == "{question}" and "bare" not in data
        return {**data, "bare": True} if written and not is_stored(info) else data

    @field_validator("options")
    @classmethod
    def _no_credentials_in_options(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if not is_stored(info):
            check_options({name: item for name, item in value.items() if name != "token_field"})
        return value


class RuleConfig(Record):
    """A selection rule with settings of its own."""

    name: str
    """Name of the rule; `ultrainteract seeds list` shows all."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Its settings, such as `most: 5` for `mathqa_patterns`."""


class BenchmarkConfig(Record):
    """Test items that must not be shared with the instructions."""

    path: str
    """File, folder or glob, or a Hub dataset id."""
    name: str | None = None
    """Name in reports; the path if None. A known benchmark's name (`humaneval` …) says its tasks and
    columns."""
    tasks: tuple[Task, ...] = ()
    """Tasks whose instructions are compared with it; those of the known benchmark, else all, if empty."""
    fields: tuple[str, ...] = ()
    """Columns that hold a test item's problem; those of the known benchmark, or the usual ones, if empty."""
    match: Literal["auto", "ngram", "substring"] = "auto"
    """How items are compared; `auto` is `substring` for LeetCode and `ngram` for all others."""
    split: str = "test"
    """Split, for Hub datasets."""
    subset: str | None = None
    """Configuration (subset) name, for Hub datasets."""
    revision: str | None = None
    """Hub revision."""


class SelectionConfig(Record):
    """Which of the loaded instructions get a tree. Each rule reports what it dropped."""

    rules: tuple[str | RuleConfig, ...] = ()
    """Named rules in order, such as `mathqa_patterns`, `numglue_tasks`, `tabmwp_levels`,
    `near_duplicates`."""
    drop_solved: PositiveInt | None = None
    """Drop what the actor's first step solves k times out of k; off if None."""
    decontaminate: tuple[str | BenchmarkConfig, ...] = ()
    """Benchmarks (files, folders or Hub ids) whose test items must not be shared."""
    ngram: PositiveInt = 8
    """Words of a decontamination n-gram."""
    decontaminate_near: Fraction | None = None
    """Also drop what is this similar (Jaccard, estimated by MinHash) to a test item; off if None."""
