"""What an exported file says of the run it comes from; never a key, a token, an address or a local path.

Configurations hold free-form fields. Of those, only what is on a list of harmless names goes out, and only as a number,
a switch or a word; whatever else a configuration says of files is cut to its last part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any, Self

from pydantic import Field, model_validator

from ultrainteract._version import __version__
from ultrainteract.config import ExportConfig, ModelConfig, RunConfig, SeedConfig
from ultrainteract.schema import SCHEMA_VERSION, Record, content_hash

INFO_FILE = "run.json"
"""File beside exports that holds their `RunInfo`."""

_MODEL_FIELDS = {"provider", "sampling", "price"}
"""Fields of a model that are published as they are."""
_MODEL_OPTIONS = {
    "beyond", "dtype", "enable_prefix_caching", "feedback_gain", "format_break_rate",
    "guided_accuracy", "kv_cache_dtype", "leak_rate", "max_model_len", "max_num_seqs", "quantization", "reference_rate",
    "search_rate", "skill", "tensor_parallel_size", "truncate_rate",
}  # fmt: skip
"""Published options of a model: those that bear on what it writes."""
_BODY_FIELDS = {
    "enable_thinking", "frequency_penalty", "length_penalty", "min_p", "min_tokens", "presence_penalty",
    "reasoning_effort", "repetition_penalty", "seed", "thinking_budget", "top_k",
}  # fmt: skip
"""Published fields of `extra_body`: sampling and the amount of reasoning."""
_SEED_OPTIONS = {
    "choices", "contexts", "continuation", "hints", "max_solutions", "max_test_chars", "max_tests", "token_field",
}  # fmt: skip
"""Published options of a seed dataset."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,31}")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_DATA_FILE = re.compile(r"\.(jsonl?|csv|tsv|parquet|txt|zip|gz|gguf|safetensors|bin|pt)$", re.IGNORECASE)


class PublishedFiles(Record):
    """What one push put into a dataset on the Hub: the only things that the next one may replace or delete."""

    files: tuple[str, ...]
    """Paths in the repository; the card, which its owner shares, is not among them."""
    configs: tuple[str, ...] = ()
    """Names of the card's configurations."""
    metadata: dict[str, Any] = Field(default_factory=dict)
    """Fields of the card's metadata with the values that were written."""


class RunInfo(Record):
    """Where exported rows come from: written into every Parquet file, and published beside the data."""

    schema_version: int = SCHEMA_VERSION
    """Version of the tree records."""
    version: str = __version__
    """Version of the program."""
    name: str
    """Name of the run, or of the imported dataset."""
    fingerprint: str
    """Content hash of everything that could change what the run produced."""
    config: dict[str, Any] = Field(default_factory=dict)
    """The run's configuration, as far as it can be published."""
    models: dict[str, str] = Field(default_factory=dict)
    """Models by role or ladder step."""
    licenses: dict[str, str] = Field(default_factory=dict)
    """License of each dataset the instructions come from, where known."""
    simulated: bool = False
    """True where any text was written by a simulated model."""
    export: dict[str, Any] | None = None
    """Settings of the exports it lies beside; None where they were not made by `export`."""
    trees: int | None = None
    """Trees the exports were made from, before any selection; None where there are no exports."""
    published: PublishedFiles | None = None
    """What the push put on the Hub; None in a folder that was not published."""

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, data: Any) -> Any:
        """Reads files written with the key `licences`."""
        if isinstance(data, dict) and "licences" in data:
            data = {("licenses" if name == "licences" else name): value for name, value in data.items()}
        return data

    @classmethod
    def of_run(cls, config: RunConfig) -> Self:
        """Describes a run from its configuration.

        Licenses that only the records themselves know are added while they are exported.
        """
        models = {step.name: config.models[step.model] for step in config.growth.ladder}
        models |= {f"pool {number}": config.models[key] for number, key in enumerate(config.growth.pool, 1)}
        models["critic"] = config.models[config.critic.model]
        if config.judge is not None:
            models["judge"] = config.models[config.judge.model]
        kept_apart = {
            "output", "export", "publish", "budget", "max_inflight_trees", "executor", "shard", "limit", "plugins",
            "models", "seeds",
        }  # fmt: skip
        data = _without_paths(config.model_dump(mode="json", exclude=kept_apart))
        data["models"] = {name: _model(model) for name, model in config.models.items()}
        data["seeds"] = [_seed(seed) for seed in config.seeds]
        return cls(
            name=config.name,
            fingerprint=config.fingerprint(),
            config=data,
            models={role: public_name(model.model) for role, model in models.items()},
            licenses={seed.name or seed.dataset: seed.licence for seed in config.seeds if seed.licence},
            simulated=any(model.provider == "simulated" for model in models.values()),
        )

    @classmethod
    def of_import(cls, name: str, sources: Iterable[str]) -> Self:
        """Describes trees that were rebuilt from published rows."""
        listed = list(sources)
        return cls(
            name=name,
            fingerprint=content_hash(listed),
            config={"imported": [public_name(source) for source in listed]},
        )

    def of_exports(self, config: ExportConfig, trees: int) -> Self:
        """The same run, with what is said of exports.

        Args:
            config: Their settings.
            trees: Trees they were made from, before any selection.
        """
        settings = config.model_dump(mode="json", exclude={"mix"})
        if config.filter.marks is not None:
            settings["filter"]["marks"] = public_name(config.filter.marks)
        settings["mix"] = {
            name: source.model_dump(mode="json", exclude=set() if source.pairs != "all" else {"pairs"})
            | {"path": public_name(source.path)}
            for name, source in config.mix.items()
        }
        return self.model_copy(update={"export": settings, "trees": trees})

    def metadata(self, simulated: bool) -> dict[str, str]:
        """Parquet key-value metadata: the schema's version, the run, and whether rows are simulated."""
        return {
            "ultrainteract.schema_version": str(self.schema_version),
            "ultrainteract.version": self.version,
            "ultrainteract.run": self.name,
            "ultrainteract.fingerprint": self.fingerprint,
            "ultrainteract.simulated": "true" if simulated else "false",
        }


def public_name(place: str) -> str:
    """A model, dataset or file by the name that may be published: a Hub id whole, a path's last part alone.

    Example:
        >>> public_name("Qwen/Qwen2.5-7B"), public_name("../secret/project/train.jsonl"), public_name("~/models/mine")
        ('Qwen/Qwen2.5-7B', 'train.jsonl', 'mine')
    """
    if "://" in place:
        place = place.partition("?")[0]
    elif _HUB_ID.fullmatch(place) and not _DATA_FILE.search(place):
        return place
    return PurePath(place.replace("\\", "/")).name


def _model(model: ModelConfig) -> dict[str, Any]:
    """The published part of a model's configuration."""
    data = model.model_dump(mode="json", include=_MODEL_FIELDS)
    return data | {
        "model": public_name(model.model),
        "options": _allowed(model.options, _MODEL_OPTIONS),
        "extra_body": _allowed(model.extra_body, _BODY_FIELDS),
    }


def _seed(seed: SeedConfig) -> dict[str, Any]:
    """The published part of a seed dataset's configuration."""
    data = seed.model_dump(mode="json", exclude={"path", "options"})
    return data | {"path": public_name(seed.path), "options": _allowed(seed.options, _SEED_OPTIONS)}


def _allowed(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Those of `options` that are on the list and are a number, a switch or one word."""
    return {
        name: options[name]
        for name in sorted(names)
        if isinstance(options.get(name), bool | int | float)
        or (isinstance(options.get(name), str) and _WORD.fullmatch(options[name]))
    }


def _numbers(options: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a selection rule: its numbers and switches alone."""
    return {name: value for name, value in options.items() if isinstance(value, bool | int | float)}


def _without_paths(value: Any, key: str = "") -> Any:
    """Plain JSON in which every path is cut to its last part: where files lie is nobody's business."""
    if isinstance(value, dict):
        return {
            name: _numbers(item)
            if name == "options" and isinstance(item, dict)
            else _without_paths(item, name)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_paths(item, key) for item in value]
    if not isinstance(value, str) or "\n" in value:
        return value
    if key in ("path", "prompts") or value.startswith(("~", "./", "../")) or PurePath(value).is_absolute():
        return public_name(value)
    return value if " " in value or "/" not in value else public_name(value)
