"""What a user can add by name: a decorator for code at hand, an entry point for an installed package.

One registry holds one kind of thing: seed datasets, selection rules, model providers, tools, tasks. Built-in entries
are registered by the same decorator as everybody else's; their modules are imported when a name is first looked up.
An entry point of the registry's group names a module, or something in it: loading it runs the decorators. A name
belongs to one entry: a second one is an error, not a replacement. `docs/plugins.md` has an example of each kind.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from ultrainteract.errors import ConfigError
from ultrainteract.plugins import load_local_plugins

T = TypeVar("T")

PROGRAM_MODULES: set[str] = set()
"""Modules of the running program that registered entries without an entry point: no other process knows these."""


class Registry(Generic[T]):
    """Entries by name.

    Args:
        what: What an entry is, in messages: "dataset".
        group: Entry-point group of plugins.
        built_in: Modules of the built-in entries by name; each is imported when its name is looked up, so that a heavy
            one costs nothing before. Or a package, all of whose modules are imported together.
        hint: What to do about an unknown name, at the end of the message.
    """

    def __init__(
        self, what: str, group: str, built_in: Mapping[str, str] | str | None = None, hint: str = ""
    ) -> None:
        self.what = what
        self.group = group
        self._built_in = built_in or {}
        self._hint = hint
        self._entries: dict[str, tuple[T, tuple[str, str]]] = {}
        self._loaded = False
        self._loading = False

    def add(self, name: str, entry: T, source: object = None) -> None:
        """Registers an entry.

        Args:
            name: Its name.
            entry: The entry.
            source: The class or function that it was made of; the same one may be registered again (a module that is
                imported under two names, a notebook cell that is run twice).

        Raises:
            ConfigError: Another entry has this name.
        """
        source = entry if source is None else source
        origin = (getattr(source, "__module__", ""), getattr(source, "__qualname__", repr(source)))
        known = self._entries.get(name)
        if known is not None and known[1] != origin:
            raise ConfigError(
                f"Two {self.what}s are registered as '{name}': {known[1][0]} and {origin[0]}. Give one another name."
            )
        self._entries[name] = (entry, origin)
        if not self._loading and not origin[0].startswith("ultrainteract."):
            PROGRAM_MODULES.add(origin[0])

    def all(self) -> dict[str, T]:
        """All entries by name, sorted; built-in ones and plugins are loaded.

        Raises:
            ConfigError: A plugin fails to load.
        """
        self._load_plugins()
        for name in self._lazy():
            self._import(name)
        return {name: entry for name, (entry, _) in sorted(self._entries.items())}

    def names(self) -> list[str]:
        """All names, sorted; nothing heavy is imported.

        Raises:
            ConfigError: A plugin fails to load.
        """
        self._load_plugins()
        return sorted({*self._entries, *self._lazy()})

    def find(self, name: str, where: str = "") -> T:
        """The entry of a name.

        Args:
            name: The name.
            where: Where it was read, at the beginning of the message: "models.actor.provider".

        Raises:
            ConfigError: There is none, or a plugin fails to load.
        """
        if (known := self._entries.get(name)) is not None:
            return known[0]
        if name in self._lazy():
            self._import(name)
        if name not in self._entries:
            self._load_plugins()
        if name not in self._entries:
            message = self.why_unknown(name)
            raise ConfigError(f"{where}: {message}" if where else message[0].upper() + message[1:])
        return self._entries[name][0]

    def why_unknown(self, name: str) -> str:
        """What to say of a name that no entry has; nothing where one has it. Nothing heavy is imported.

        Raises:
            ConfigError: A plugin fails to load.
        """
        known = self.names()
        if name in known:
            return ""
        folded = {entry.casefold(): entry for entry in known}
        if close := get_close_matches(name.casefold(), folded, n=1):
            return f"there is no {self.what} '{name}'. Did you mean '{folded[close[0]]}'?"
        return f"there is no {self.what} '{name}'; there are: {', '.join(known)}. {self._hint}".rstrip()

    def _lazy(self) -> Mapping[str, str]:
        return {} if isinstance(self._built_in, str) else self._built_in

    def _import(self, name: str) -> None:
        if name not in self._entries:
            import_module(self._lazy()[name])

    def _load_plugins(self) -> None:
        if self._loaded:
            return
        self._loaded = True  # before the imports: a plugin may look something up while it is loaded
        if isinstance(self._built_in, str):
            package = import_module(self._built_in)
            for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
                import_module(module.name)
        load_local_plugins()
        for entry in entry_points(group=self.group):
            try:
                self._loading = True
                entry.load()
            except (ImportError, AttributeError) as error:
                self._loaded = False
                raise ConfigError(
                    f"The {self.what} plugin '{entry.name}' ({entry.value}) fails to load: {error}"
                ) from error
            finally:
                self._loading = False
