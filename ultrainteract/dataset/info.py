"""What an exported file says of the run it comes from; never a key, a token or a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Self

from pydantic import Field

from ultrainteract._version import __version__
from ultrainteract.config import RunConfig
from ultrainteract.schema import SCHEMA_VERSION, Record, content_hash

INFO_FILE = "run.json"
"""File beside exports that holds their `RunInfo`."""


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
    """The run's configuration; a run's secrets live in the environment and are never part of it."""
    models: dict[str, str] = Field(default_factory=dict)
    """Models by role or ladder step."""
    licences: dict[str, str] = Field(default_factory=dict)
    """Licence of each dataset the instructions come from, where known."""
    simulated: bool = False
    """True where any text was written by a simulated model."""

    @classmethod
    def of_run(cls, config: RunConfig) -> Self:
        """Describes a run from its configuration.

        Licences that only the records themselves know are added while they are exported.
        """
        models = {step.name: config.models[step.model] for step in config.growth.ladder}
        models |= {f"pool {number}": config.models[key] for number, key in enumerate(config.growth.pool, 1)}
        models["critic"] = config.models[config.critic.model]
        if config.judge is not None:
            models["judge"] = config.models[config.judge.model]
        data = config.model_dump(
            mode="json",
            exclude={
                "output",
                "export",
                "publish",
                "budget",
                "max_inflight_trees",
                "executor",
                "shard",
                "limit",
            },
        )
        for model in data["models"].values():
            for field in (
                "base_url",
                "api_key_env",
                "extra_body",
            ):  # addresses and free-form fields stay at home
                model.pop(field, None)
        return cls(
            name=config.name,
            fingerprint=config.fingerprint(),
            config=_without_paths(data),
            models={role: model.model for role, model in models.items()},
            licences={seed.name or seed.dataset: seed.licence for seed in config.seeds if seed.licence},
            simulated=any(model.provider == "simulated" for model in models.values()),
        )

    @classmethod
    def of_import(cls, name: str, sources: Iterable[str]) -> Self:
        """Describes trees that were rebuilt from published rows."""
        return cls(name=name, fingerprint=content_hash(list(sources)), config={"imported": list(sources)})

    def metadata(self, simulated: bool) -> dict[str, str]:
        """Parquet key-value metadata: the schema's version, the run, and whether rows are simulated."""
        return {
            "ultrainteract.schema_version": str(self.schema_version),
            "ultrainteract.version": self.version,
            "ultrainteract.run": self.name,
            "ultrainteract.fingerprint": self.fingerprint,
            "ultrainteract.simulated": "true" if simulated else "false",
        }


def _without_paths(value: Any) -> Any:
    """Plain JSON in which every absolute path is cut down to its last part: where files lie is nobody's business."""
    if isinstance(value, dict):
        return {name: _without_paths(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_paths(item) for item in value]
    if (
        isinstance(value, str)
        and "\n" not in value
        and (value.startswith("~") or PurePath(value).is_absolute())
    ):
        return PurePath(value).name
    return value
