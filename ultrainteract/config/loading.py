"""From a YAML file and dotted overrides to a checked configuration."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ultrainteract.config.credentials import STORED
from ultrainteract.config.evaluation import EvaluationConfig
from ultrainteract.config.exporting import ExportConfig
from ultrainteract.config.problems import Problem, placed, problem_lines
from ultrainteract.config.run import RunConfig
from ultrainteract.config.training import TrainConfig
from ultrainteract.config.yaml_files import parse_yaml
from ultrainteract.errors import ConfigError
from ultrainteract.plugins import use_plugins
from ultrainteract.schema import Record

R = TypeVar("R", bound=Record)


def load_config(
    path: str | Path,
    overrides: Iterable[str] = (),
    check: Callable[[RunConfig], Iterable[Problem]] | None = None,
) -> RunConfig:
    """Reads a YAML file and applies overrides.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML. List items are addressed by number.
        check: Finds further problems, when the configuration's plugins are loaded.

    Raises:
        ConfigError: The file cannot be read, a field is unknown, missing or wrong (each is named), or a plugin fails.
    """
    data, node = _read(path, "; `ultrainteract init` writes an example")
    if isinstance(data.get("executor"), str):  # so that its fields can be overridden
        data["executor"] = {"kind": data["executor"]}
    names = [_apply(data, override) for override in overrides]
    config = parse_config(data, str(path), node, overridden=names)
    use_plugins(config.plugins, Path(path).expanduser().parent)
    if check is not None and (problems := list(check(config))):
        raise _refusal(str(path), placed(problems, node, names))
    return config


def load_train_config(path: str | Path, overrides: Iterable[str] = ()) -> TrainConfig:
    """`load_config` for a training recipe.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown, missing or wrong; each is named.
    """
    data, node = _read(path, "; docs/training.md has examples")
    names = [_apply(data, override) for override in overrides]
    return _validated(TrainConfig, data, str(path), node, overridden=names)


def load_evaluation_config(
    path: str | Path, overrides: Iterable[str] = (), changes: Mapping[str, Any] | None = None
) -> EvaluationConfig:
    """`load_config` for an evaluation.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML.
        changes: Further values by dotted path, from the command line as well.

    Raises:
        ConfigError: The file cannot be read, or a field is unknown, missing or wrong; each is named.
    """
    data, node = _read(path, "; docs/evaluation.md has examples")
    names = [_apply(data, override) for override in overrides]
    config = parse_evaluation(data, changes or {}, str(path), node, overridden=[*names, *(changes or {})])
    use_plugins(config.plugins, Path(path).expanduser().parent)
    return config


def parse_evaluation(
    data: dict[str, Any],
    changes: Mapping[str, Any],
    origin: str = "config",
    node: yaml.Node | None = None,
    *,
    overridden: Collection[str] = (),
) -> EvaluationConfig:
    """Validates plain data as the configuration of an evaluation, after changes by dotted path.

    Args:
        data: The configuration.
        changes: Values by dotted path.
        origin: Where it comes from, for messages.
        node: The nodes of the YAML file that it was read from: messages then name lines.
        overridden: Dotted paths that were set on the command line.

    Raises:
        ConfigError: A field is unknown, missing or wrong; each is named on a line of its own.
    """
    if isinstance(data.get("executor"), str):  # so that its fields can be changed
        data["executor"] = {"kind": data["executor"]}
    for path, value in changes.items():
        _set(data, path, value)
    return _validated(EvaluationConfig, data, origin, node, overridden=overridden)


def parse_config(
    data: dict[str, Any],
    origin: str = "config",
    node: yaml.Node | None = None,
    *,
    stored: bool = False,
    overridden: Collection[str] = (),
) -> RunConfig:
    """Validates plain data.

    Args:
        data: The configuration.
        origin: Where it comes from, for messages.
        node: The nodes of the YAML file that it was read from: messages then name lines.
        stored: It is read from a run directory, which must open even where an earlier version let credentials in.
        overridden: Dotted paths that were set on the command line.

    Raises:
        ConfigError: A field is unknown, missing or wrong; each is named on a line of its own.
    """
    return _validated(RunConfig, data, origin, node, STORED if stored else None, overridden)


def _read(path: str | Path, hint: str) -> tuple[dict[str, Any], yaml.Node | None]:
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"Cannot read the config {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not valid UTF-8: {error}.") from error
    data, node = parse_yaml(text, str(path))
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold a mapping of config fields{hint}.")
    return data, node


def _validated(
    kind: type[R],
    data: dict[str, Any],
    origin: str,
    node: yaml.Node | None,
    context: Any = None,
    overridden: Collection[str] = (),
) -> R:
    try:
        return kind.model_validate(data, context=context)
    except ValidationError as error:
        raise _refusal(origin, problem_lines(error, kind, data, node, overridden)) from error


def _refusal(origin: str, lines: list[str]) -> ConfigError:
    return ConfigError(
        f"{origin} has {len(lines)} problem(s):\n"
        + "\n".join(lines)
        + "\nSee `ultrainteract config docs` for every field."
    )


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
    names = [_apply(data, override) for override in overrides]
    try:
        return ExportConfig.model_validate(data)
    except ValidationError as error:
        lines = problem_lines(error, ExportConfig, data, overridden=[*changes, *names])
        raise ConfigError("The export settings do not fit:\n" + "\n".join(lines)) from error


def _apply(data: dict[str, Any], override: str) -> str:
    """Sets what an override says, and gives its path."""
    dotted, separator, text = override.partition("=")
    if not separator or not dotted:
        raise ConfigError(f"'{override}' is not an override: write dotted.path=value.")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"'{override}': the value is not valid YAML: {error}") from error
    _set(data, dotted, value)
    return dotted


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
