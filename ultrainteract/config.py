"""One run is one `RunConfig`: a YAML file, with dotted overrides from the command line.

Every field has a docstring; `ultrainteract config docs` prints them as the reference. Secrets are never
fields: a model names the *environment variable* that holds its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import Field, PositiveFloat, PositiveInt, ValidationError, field_validator, model_validator

from ultrainteract.errors import ConfigError
from ultrainteract.schema import GraderName, Record, SamplingParams, Task, Tool, content_hash

Fraction = Annotated[float, Field(ge=0, le=1)]


# ------------------------------------------------------------------------------------------------- seeds


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
    """Take this many usable instructions a task at the most."""
    name: str | None = None
    """Published dataset name, for `generic` sources."""
    mapping: FieldMapping | None = None
    """Columns, for `generic` sources."""
    grader: GraderName | None = None
    """Check to use, for `generic` sources."""
    tools: tuple[Tool, ...] = ()
    """Tools on offer, for `generic` sources."""
    prompt: str = "{question}"
    """Published instruction text, for `generic` sources: `{question}` and `{choices}` are filled in."""
    licence: str | None = None
    """Licence of the data, where the loader does not know it."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the loader, such as `tables: PATH` for WikiTableQuestions."""


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


# ------------------------------------------------------------------------------------------------ models


class Price(Record):
    """US dollars per million tokens."""

    input: float
    """Prompt tokens."""
    output: float
    """Completion tokens."""


class ModelConfig(Record):
    """One model, used by any number of roles."""

    provider: str = "openai"
    """`openai` (any compatible server), `vllm` (in this process), `vllm-server`, `simulated`, or a plugin's
    name."""
    model: str
    """The model's name at the provider."""
    base_url: str | tuple[str, ...] | None = None
    """Server address, or several that serve the same model."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; servers on this machine need none."""
    sampling: SamplingParams = SamplingParams()
    """Default sampling parameters."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request body, passed on as they are."""
    max_concurrency: PositiveInt = 64
    """Most requests under way at once, an endpoint."""
    n_per_request: PositiveInt | None = None
    """Most samples asked for in one request; no limit if None."""
    timeout_s: PositiveFloat = 300
    """Deadline of one attempt, seconds."""
    max_retries: int = 8
    """Attempts after the first, for transient errors."""
    max_retry_s: PositiveFloat = 900
    """Longest time spent on one request, all attempts together, seconds."""
    requests_per_minute: PositiveFloat | None = None
    """Request limit of the key, shared by all models with the same `api_key_env` and address."""
    input_tokens_per_minute: PositiveFloat | None = None
    """Prompt-token limit of the key."""
    output_tokens_per_minute: PositiveFloat | None = None
    """Completion-token limit of the key."""
    price: Price | None = None
    """Price; costs are shown as unknown without it."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the provider: engine arguments for vLLM, accuracy for the simulated model."""


# ------------------------------------------------------------------------------------------------ growth


class LadderStep(Record):
    """One way to come by a correct action. Steps are tried in order until one yields."""

    name: str
    """Name in provenance and reports; a guided step's begins with `guided`."""
    model: str
    """A key of `models`."""
    samples: PositiveInt = 20
    """Most completions drawn at a turn."""
    guided: bool = False
    """True: the model is given the ground truth, in the form that fits the task; skipped where there is
    none."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""

    @model_validator(mode="after")
    def _guided_name(self) -> Self:
        if self.guided != self.name.startswith("guided"):
            raise ValueError(
                f"step '{self.name}': a guided step's name begins with 'guided', and no other's does"
            )
        return self


class EarlyEscalation(Record):
    """Sequential test that gives a step up when its model evidently cannot solve the turn."""

    target_rate: Fraction = 0.25
    """Pass rate worth waiting for."""
    confidence: Fraction = 0.9
    """Give up when, at `target_rate`, this much of the probability says a correct sample would have been
    seen."""


class GrowthConfig(Record):
    """How a tree grows (paper, section 2)."""

    ladder: tuple[LadderStep, ...] = Field(min_length=1)
    """Steps to a correct action; the first step's model is *the actor*."""
    waves: PositiveInt | Literal["off"] = 4
    """Samples drawn at a time, stopping as soon as the turn has what it needs; `off` draws all at once."""
    early_escalation: EarlyEscalation | None = None
    """Give a step up early; off if None."""
    rejected_from: Literal["pool", "actor", "actor_then_pool"] = "actor_then_pool"
    """Where the incorrect action comes from: other models, the actor's own wrong samples, or those first."""
    pool: tuple[str, ...] = ()
    """Keys of `models` from which the incorrect action's model is drawn."""
    pool_samples: PositiveInt = 8
    """Most completions drawn from the pool at a turn."""
    max_turns: PositiveInt = 5
    """Turn cap."""
    stop: Literal["until_solved", "full"] = "until_solved"
    """`until_solved`: the tree ends where the actor's first sample of the turn is correct; `full`: at the
    cap."""
    syntax_filter: Literal["pairs", "all", "off"] = "pairs"
    """Actions that fail Python's syntax check: not paired, not kept at all, or no different."""
    modular_share: Fraction = 0.5
    """Probability of the modularization schema at a turn (else chain of thought), where the task allows
    it."""
    extra_pairs: int = Field(default=4, ge=0)
    """Most additional pairs of a hard instruction, one for each further ground-truth solution."""
    max_tool_rounds: int = Field(default=3, ge=0)
    """Most tool calls within one attempt before its answer is due."""
    prompts: Path | None = None
    """Folder whose templates override the built-in ones of the same name."""


class CriticConfig(Record):
    """Who comments on wrong actions."""

    model: str
    """A key of `models`."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""
    leak_retries: int = Field(default=1, ge=0)
    """How often a critique that gives the gold answer away is asked for again before it is redacted."""


class JudgeConfig(Record):
    """Who judges instructions that nothing else can check."""

    model: str
    """A key of `models`."""
    sampling: SamplingParams | None = None
    """Sampling parameters; the model's own if None."""


# ------------------------------------------------------------------------------------------- environment


class Limits(Record):
    """What one execution (of one test, in `judge`) may use."""

    wall_s: float = 10.0
    """Wall-clock seconds."""
    cpu_s: float = 10.0
    """CPU seconds, over all its processes' own clocks."""
    memory_mb: int = 512
    """Address space beyond the preloaded interpreter, MiB."""
    output_bytes: int = 65_536
    """Bytes of stdout, and of stderr, kept; the rest is cut and marked."""
    processes: int = 32
    """Processes and threads."""
    file_mb: int = 64
    """Size of a file, and of the scratch directory, MiB."""


class SandboxConfig(Record):
    """Where model-written code runs."""

    kind: Literal["auto", "docker", "bubblewrap", "unsafe"] = "auto"
    """`auto` takes Docker, then bubblewrap; `unsafe` (no isolation) only with `--unsafe` on the command
    line."""
    image: str = "ultrainteract-sandbox:latest"
    """Docker image; built by `ultrainteract sandbox build`."""
    runtime: str | None = None
    """Docker runtime, such as `runsc`."""
    containers: PositiveInt | None = None
    """Warm containers (or bubblewrap workers); one for each two cores if None."""
    concurrency: PositiveInt | None = None
    """Executions at once, over all containers; four a core if None."""
    memory_mb: PositiveInt = 4096
    """Memory of one container, MiB."""
    limits: Limits = Limits()
    """Limits of one execution; a coding problem's own time limit replaces `wall_s` and `cpu_s`."""
    wikipedia: str | None = None
    """Source of `wikipedia_search`: `live`, or the path of an index made by `ultrainteract wiki build`."""


class Shard(Record):
    """A slice of the instructions, by content hash: shard 5 of 128 is a half of shard 5 of 64."""

    index: PositiveInt
    """Which slice, from 1."""
    count: PositiveInt
    """How many slices there are."""

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.index > self.count:
            raise ValueError(f"there is no shard {self.index} of {self.count}: shards count from 1")
        return self

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `3/64`.

        Raises:
            ConfigError: It is not of that form.
        """
        index, _, count = text.partition("/")
        try:
            return cls(index=int(index), count=int(count))
        except ValueError as error:
            raise ConfigError(f"--shard {text}: write INDEX/COUNT, such as 3/64, counted from 1.") from error

    @property
    def folder(self) -> str:
        """Name of its run directory, below the run's output."""
        return f"shard-{self.index:04d}-of-{self.count:04d}"

    def holds(self, number: int) -> bool:
        """Whether the input with this number (`store.tree_number`) is in this slice."""
        return number % self.count == self.index - 1


class ExecutorConfig(Record):
    """Where trees grow."""

    kind: Literal["local", "ray"] = "local"
    """`local`: in this process; `ray`: in workers on all nodes of a Ray cluster."""
    address: str | None = None
    """Ray cluster to join: `auto`, or `HOST:PORT` of its head; a cluster of this machine alone if None."""
    workers_per_node: PositiveInt = 1
    """Workers on each node; each grows up to `max_inflight_trees` trees and uses about one core, beside the
    sandbox."""
    cpus_per_worker: float = Field(default=1, ge=0)
    """CPUs that Ray sets aside for a worker; nodes with fewer get none."""
    gpus_per_worker: float = Field(default=0, ge=0)
    """GPUs that Ray sets aside for a worker, for models of `provider: vllm` in its process."""


class BudgetConfig(Record):
    """When to stop spending. The run drains and can be resumed after the budget is raised."""

    max_cost: PositiveFloat | None = None
    """US dollars."""
    max_tokens: PositiveInt | None = None
    """Prompt and completion tokens together."""


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
    """Least reliability of the evidence."""
    min_pass_rate: Fraction = 0.0
    """Least pass rate of the turn; a turn whose pass rate is unknown passes only at 0."""
    max_pass_rate: Fraction = 1.0
    """Greatest pass rate of the turn; a turn whose pass rate is unknown passes only at 1."""
    min_chars: int = Field(default=0, ge=0)
    """Least length of an action's text, characters."""
    max_chars: PositiveInt | None = None
    """Greatest length of an action's text, characters."""
    max_turn: PositiveInt | None = None
    """Last turn to export."""


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


class ExportConfig(Record):
    """What is written to `exports/` when the run ends."""

    formats: tuple[str, ...] = ("sft", "pair", "trees")
    """Names of exporters; `ultrainteract export --list` prints them."""
    sft: Literal["all", "leaf"] = "all"
    """Every correct action, or only the last one of each tree."""
    sft_history: Literal["bare", "flat", "turns"] = "bare"
    """What the prompt of a later turn's correct action holds: the instruction alone (as published), the
    history written out as one text, or the history as chat turns (prompt-completion formats only)."""
    pairs: Literal["all", "random", "longest", "deepest"] = "all"
    """Every pair, or one a tree: a random one, the one with the longest text, or the one at the deepest
    turn."""
    pair_history: Literal["full", "none"] = "full"
    """Prompt of a pair: the turns before it, or the instruction alone (single-turn decomposition)."""
    level: Literal["turn", "trajectory"] = "turn"
    """What a pair compares: the last actions, or everything after the instruction (`trl-*` preferences
    only)."""
    filter: ExportFilter = ExportFilter()
    """Which trees and actions are exported."""
    validation: Fraction = 0.0
    """Share of the problems whose rows go to a `validation` split; all rows of a problem go to one side."""
    balance: Literal["off", "task", "dataset"] = "off"
    """Draw the same number of trees from every task, or from every (task, dataset): the smallest one's."""
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
    licence: str | None = None
    """Licence of the whole, as the Hub spells it; made from the seeds' licences if None."""
    language: tuple[str, ...] = ("en",)
    """Languages, ISO 639-1."""
    tags: tuple[str, ...] = ()
    """Further tags."""
    model_terms: dict[str, str] = Field(default_factory=dict)
    """What each model's terms say about its outputs, by model name; shown on the card."""


class RunConfig(Record):
    """Everything a run depends on."""

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9._-]+$")
    """Name of the run."""
    seed: int = 0
    """Seed of every random choice."""
    output: Path = Path("runs/run")
    """Run directory."""
    seeds: tuple[SeedConfig, ...] = Field(min_length=1)
    """Sources of instructions, read in order."""
    selection: SelectionConfig = SelectionConfig()
    """Selection rules and decontamination."""
    models: dict[str, ModelConfig]
    """Models by the name the rest of the file uses."""
    growth: GrowthConfig
    """How trees grow."""
    critic: CriticConfig
    """The critic."""
    judge: JudgeConfig | None = None
    """The judge; needed only for instructions whose grader is `judge`."""
    sandbox: SandboxConfig = SandboxConfig()
    """The sandbox."""
    budget: BudgetConfig = BudgetConfig()
    """Spending limits. Not part of the fingerprint."""
    max_inflight_trees: PositiveInt = 96
    """Trees alive at once, in each process: bounds memory. Half as many again as a model's `max_concurrency` keep it
    busy while records are written. Not part of the fingerprint."""
    executor: ExecutorConfig = ExecutorConfig()
    """Where trees grow; `ray` is short for `{kind: ray}`. Not part of the fingerprint."""
    shard: Shard | None = None
    """The slice to grow, set by `--shard`; rates and budgets are divided by the number of shards. Not part of
    the fingerprint."""
    export: ExportConfig = ExportConfig()
    """Exports. Not part of the fingerprint."""
    publish: PublishConfig = PublishConfig()
    """Publication on the Hub. Not part of the fingerprint."""

    @field_validator("executor", mode="before")
    @classmethod
    def _executor_by_name(cls, executor: Any) -> Any:
        return {"kind": executor} if isinstance(executor, str) else executor

    @field_validator("models")
    @classmethod
    def _some_model(cls, models: dict[str, ModelConfig]) -> dict[str, ModelConfig]:
        if not models:
            raise ValueError("name at least one model")
        return models

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        for where, name in self.model_uses():
            if name not in self.models:
                raise ValueError(f"{where}: no model named '{name}' (models: {', '.join(self.models)})")
        if self.growth.ladder[0].guided:
            raise ValueError("growth.ladder.0: the first step is the actor's own and cannot be guided")
        names = [step.name for step in self.growth.ladder]
        if len(set(names)) != len(names):
            raise ValueError("growth.ladder: step names must differ")
        if self.growth.rejected_from == "pool" and not self.growth.pool:
            raise ValueError("growth.pool: name at least one model, or set growth.rejected_from: actor")
        return self

    def model_uses(self) -> Iterator[tuple[str, str]]:
        """Yields (place in the config, model name) for every use of a model."""
        for number, step in enumerate(self.growth.ladder):
            yield f"growth.ladder.{number}.model", step.model
        for number, name in enumerate(self.growth.pool):
            yield f"growth.pool.{number}", name
        yield "critic.model", self.critic.model
        if self.judge is not None:
            yield "judge.model", self.judge.model

    def frozen(self) -> dict[str, Any]:
        """The part a run directory is bound to, as plain JSON: all that can change what the run produces."""
        data = self.model_dump(
            mode="json",
            exclude={
                "output",
                "budget",
                "max_inflight_trees",
                "executor",
                "shard",
                "export",
                "publish",
                "name",
            },
        )
        for model in data["models"].values():
            for field in _DELIVERY_FIELDS:
                model.pop(field, None)
        for field in ("kind", "runtime", "containers", "concurrency"):
            data["sandbox"].pop(field, None)
        return data

    def share(self, parts: int) -> RunConfig:
        """The same run with its rates and budgets divided by `parts`: what each of so many processes may use."""
        models = {
            name: model.model_copy(
                update={
                    field: getattr(model, field) / parts
                    for field in _RATES
                    if getattr(model, field) is not None
                }
            )
            for name, model in self.models.items()
        }
        limits = {
            name: max(1, limit // parts) if isinstance(limit, int) else limit / parts
            for name, limit in self.budget
            if limit is not None
        }
        return self.model_copy(update={"models": models, "budget": self.budget.model_copy(update=limits)})

    def fingerprint(self) -> str:
        """Content hash of `frozen()`."""
        return content_hash(self.frozen())


_RATES = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")
_DELIVERY_FIELDS = (
    "base_url", "api_key_env", "max_concurrency", "n_per_request", "timeout_s", "max_retries", "max_retry_s",
    *_RATES, "price",
)  # fmt: skip
"""Fields of a model that change how completions are delivered, not what they say."""


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """Reads a YAML file and applies overrides.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML. List items are addressed by number.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown, missing or wrong; each is named.
    """
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Cannot read the config {path}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path} must hold a mapping of config fields; `ultrainteract init` writes an example."
        )
    if isinstance(data.get("executor"), str):  # so that its fields can be overridden
        data["executor"] = {"kind": data["executor"]}
    for override in overrides:
        _apply(data, override)
    return parse_config(data, str(path))


def parse_config(data: dict[str, Any], origin: str = "config") -> RunConfig:
    """Validates plain data.

    Raises:
        ConfigError: A field is unknown, missing or wrong; each is named on a line of its own.
    """
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc'])) or '(whole file)'}: {e['msg']}" for e in error.errors()]
        raise ConfigError(
            f"{origin} has {len(lines)} problem(s):\n"
            + "\n".join(lines)
            + "\nSee `ultrainteract config docs` for every field."
        ) from error


def apply_overrides(
    export: ExportConfig, changes: Mapping[str, Any], overrides: Iterable[str]
) -> ExportConfig:
    """Export settings with some of them changed.

    Args:
        export: The settings to start from.
        changes: New values by dotted path.
        overrides: `dotted.path=value` each; the value is YAML.

    Raises:
        ConfigError: A setting is unknown or its value wrong; each is named.
    """
    data = export.model_dump(mode="json")
    for path, value in changes.items():
        _set(data, path, value)
    for override in overrides:
        _apply(data, override)
    try:
        return ExportConfig.model_validate(data)
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ConfigError("The export settings do not fit:\n" + "\n".join(lines)) from error


def _apply(data: dict[str, Any], override: str) -> None:
    dotted, separator, text = override.partition("=")
    if not separator or not dotted:
        raise ConfigError(f"'{override}' is not an override: write dotted.path=value.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{override}': the value is not valid YAML: {error}") from error
    _set(data, dotted, value)


def _set(data: dict[str, Any], dotted: str, value: Any) -> None:
    keys = dotted.split(".")
    here: Any = data
    try:
        for key in keys[:-1]:
            here = here[int(key)] if isinstance(here, list) else here.setdefault(key, {})
        if isinstance(here, list):
            here[int(keys[-1])] = value
        else:
            here[keys[-1]] = value
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        raise ConfigError(f"There is no field '{dotted}' in this config.") from error


def config_docs() -> str:
    """The reference of every field as Markdown, made from the models."""
    sections: list[str] = []
    seen: set[type[Record]] = set()

    def visit(model: type[Record]) -> None:
        if model in seen:
            return
        seen.add(model)
        lines = [f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| field | type | default | meaning |",
                 "| --- | --- | --- | --- |"]  # fmt: skip
        nested: list[type[Record]] = []
        for name, field in model.model_fields.items():
            kind = _type_name(field.annotation)
            default = (
                "required"
                if field.is_required()
                else f"`{_default_text(field.get_default(call_default_factory=True))}`"
            )
            lines.append(
                f"| `{name}` | `{kind}` | {default} | {(field.description or '').replace(chr(10), ' ')} |"
            )
            nested += [t for t in _types(field.annotation) if isinstance(t, type) and issubclass(t, Record)]
        sections.append("\n".join(lines))
        for child in nested:
            visit(child)

    visit(RunConfig)
    return "# Configuration reference\n\n" + "\n\n".join(sections) + "\n"


def _types(annotation: Any) -> Iterator[Any]:
    arguments = get_args(annotation)
    if not arguments:
        yield annotation
    for argument in arguments:
        yield from _types(argument)


def _type_name(annotation: Any) -> str:
    text = (
        annotation.__name__ if isinstance(annotation, type) and not get_args(annotation) else str(annotation)
    )
    for noise in ("typing.", "ultrainteract.config.", "ultrainteract.schema.", "pathlib.", "NoneType"):
        text = text.replace(noise, "" if noise != "NoneType" else "None")
    import re

    text = re.sub(r"Annotated\[(\w+), [^\]]*\]", r"\1", text)
    return text.replace("|", "\\|")


def _default_text(value: Any) -> str:
    if isinstance(value, Record):
        return "see below" if value.model_fields_set else "defaults"
    if isinstance(value, Path):
        return str(value)
    return "null" if value is None else str(value).replace("|", "\\|")
