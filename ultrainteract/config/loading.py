"""From a YAML file and dotted overrides to a checked configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ultrainteract.config.credentials import STORED
from ultrainteract.config.exporting import ExportConfig
from ultrainteract.config.problems import problem_lines
from ultrainteract.config.run import RunConfig
from ultrainteract.config.yaml_files import parse_yaml
from ultrainteract.errors import ConfigError
from ultrainteract.plugins import use_plugins


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """Reads a YAML file and applies overrides.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML. List items are addressed by number.

    Raises:
        ConfigError: The file cannot be read, a field is unknown, missing or wrong (each is named), or a plugin fails.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"Cannot read the config {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid UTF-8: {error}.") from error
    data, node = parse_yaml(text, str(path))
    if not isinstance(data, dict):
        raise ConfigError(
            f"{path} must hold a mapping of config fields; `ultrainteract init` writes an example."
        )
    if isinstance(data.get("executor"), str):  # so that its fields can be overridden
        data["executor"] = {"kind": data["executor"]}
    for override in overrides:
        _apply(data, override)
    config = parse_config(data, str(path), node)
    use_plugins(config.plugins, Path(path).expanduser().parent)
    return config


def parse_config(
    data: dict[str, Any], origin: str = "config", node: yaml.Node | None = None, *, stored: bool = False
) -> RunConfig:
    """Validates plain data.

    Args:
        data: The configuration.
        origin: Where it comes from, for messages.
        node: The nodes of the YAML file that it was read from: messages then name lines.
        stored: It is read from a run directory, which must open even where an earlier version let credentials in.

    Raises:
        ConfigError: A field is unknown, missing or wrong; each is named on a line of its own.
    """
    try:
        return RunConfig.model_validate(data, context=STORED if stored else None)
    except ValidationError as error:
        lines = problem_lines(error, RunConfig, data, node)
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
        lines = problem_lines(error, ExportConfig, data)
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
