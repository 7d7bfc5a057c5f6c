"""A configuration from its file, with every name in it looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ultrainteract import config as files
from ultrainteract.config import RuleConfig, RunConfig
from ultrainteract.config.problems import Problem, placed
from ultrainteract.errors import ConfigError
from ultrainteract.exporting.registry import chosen_exporters, why_unknown
from ultrainteract.grading.registry import GRADERS
from ultrainteract.models.providers import PROVIDERS
from ultrainteract.seeds.registry import DATASETS
from ultrainteract.seeds.selection.rules import RULES
from ultrainteract.tools import TOOLS


def load_config(path: str | Path, overrides: Iterable[str] = ()) -> RunConfig:
    """Reads a YAML file and applies overrides.

    Args:
        path: The file.
        overrides: `dotted.path=value` each; the value is YAML. List items are addressed by number.

    Raises:
        ConfigError: The file cannot be read, a plugin fails, a field is unknown, missing or wrong, or it names a
            dataset, rule, provider, grader, tool or export that nobody registered. Each problem stands on its line.
    """
    return files.load_config(path, overrides, unknown_names)


def require_names(config: RunConfig) -> None:
    """Looks up every name in a configuration, before anything is written or paid for.

    Raises:
        ConfigError: Nobody registered one of them, or the settings of the exports do not fit together.
    """
    if problems := placed(unknown_names(config)):
        raise ConfigError("The configuration has unknown names:\n" + "\n".join(problems))
    if config.export.formats:
        chosen_exporters(config.export)


def unknown_names(config: RunConfig) -> Iterator[Problem]:
    """The names in a configuration that nobody registered, with the fields that hold them.

    Raises:
        ConfigError: A plugin fails to load.
    """
    for number, seed in enumerate(config.seeds):
        if message := DATASETS.why_unknown(seed.dataset):
            yield ("seeds", number, "dataset"), message
        if seed.grader is not None and (message := GRADERS.why_unknown(seed.grader)):
            yield ("seeds", number, "grader"), message
        for place, tool in enumerate(seed.tools):
            if message := TOOLS.why_unknown(tool):
                yield ("seeds", number, "tools", place), message
    for number, rule in enumerate(config.selection.rules):
        if message := RULES.why_unknown(rule.name if isinstance(rule, RuleConfig) else rule):
            yield ("selection", "rules", number), message
    for name, model in config.models.items():
        if message := PROVIDERS.why_unknown(model.provider):
            yield ("models", name, "provider"), message
    for tool in config.sandbox.tools or {}:
        if message := TOOLS.why_unknown(tool):
            yield ("sandbox", "tools", tool), message
    for number, form in enumerate(config.export.formats):
        if message := why_unknown(form):
            yield ("export", "formats", number), message
