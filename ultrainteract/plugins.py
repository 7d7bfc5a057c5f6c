"""Plugins that are a file: `plugins: [my.py]` in a configuration imports it, and its decorators register what it adds.

The files' names are kept in an environment variable, so that every process of a run (workers, graders, exporters) finds
the same datasets, graders, rules, providers, tools and exporters.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from ultrainteract.errors import ConfigError

VARIABLE = "ULTRAINTERACT_PLUGINS"
"""Environment variable with the files, absolute, separated as in PATH."""


def use_plugins(paths: Iterable[str | Path], base: str | Path = ".") -> None:
    """Imports plugin files here, and lets processes that are started from here import them too.

    Args:
        paths: Python files.
        base: Folder that relative paths resolve against.

    Raises:
        ConfigError: A file is not there, or fails to load.
    """
    wanted = [str((Path(base) / Path(path).expanduser()).resolve()) for path in paths]
    known = _files()
    os.environ[VARIABLE] = os.pathsep.join(dict.fromkeys([*known, *wanted]))
    load_local_plugins()


def load_local_plugins() -> None:
    """Imports the files that the environment names, each once per process.

    Raises:
        ConfigError: A file is not there, or fails to load.
    """
    for file in _files():
        name = f"ultrainteract_plugin_{Path(file).stem}_{sha256(file.encode()).hexdigest()[:8]}"
        if name in sys.modules:
            continue
        spec = spec_from_file_location(name, file)
        if not Path(file).is_file() or spec is None or spec.loader is None:
            raise ConfigError(f"plugins: {file} is no Python file.")
        module = module_from_spec(spec)
        sys.modules[name] = module  # before it is run, as for any import
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever a user's file may raise
            del sys.modules[name]
            raise ConfigError(f"plugins: {file} fails to load: {type(error).__name__}: {error}") from error


def _files() -> list[str]:
    return [file for file in os.environ.get(VARIABLE, "").split(os.pathsep) if file]
