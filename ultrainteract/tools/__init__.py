"""Tools on offer to the actor: the interpreter itself, and functions that a program may call, answered on the host.

A tool has a name (the function that a program calls), a description as the published instruction shows it, and, unless
the interpreter provides it, a handler: an `async` function from one text to another that runs on the host, outside the
sandbox. Another package registers its own with the `tool` decorator, in a module that it names in the entry-point group
`ultrainteract.tools`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import ConfigError
from ultrainteract.registry import Registry
from ultrainteract.sandbox.base import ToolHandler
from ultrainteract.schema import Tool

__all__ = ["TOOLS", "RegisteredTool", "described", "open_tools", "tool"]

Opener = Callable[[SandboxConfig], ToolHandler | None]
"""Makes the handler of a tool; None for one that needs none."""

Made = TypeVar("Made", bound=Opener)


@dataclass(frozen=True)
class RegisteredTool:
    """A tool by name."""

    name: Tool
    """The function that a program calls."""
    description: str
    """What a published instruction says of it, where the seed set's wording says nothing."""
    open: Opener
    """Makes its handler."""


TOOLS: Registry[RegisteredTool] = Registry(
    "tool",
    "ultrainteract.tools",
    {"python": "ultrainteract.tools.python", "wikipedia_search": "ultrainteract.tools.wikipedia"},
)
"""All tools that an instruction can offer."""


def tool(name: str, *, description: str = "") -> Callable[[Made], Made]:
    """Registers a function that makes a tool's handler.

    Args:
        name: The function that a program calls.
        description: What an instruction says of it: the signature, then one or two sentences.

    Raises:
        ConfigError: Another tool has this name.
    """

    def register(opener: Made) -> Made:
        TOOLS.add(name, RegisteredTool(name, description, opener), opener)
        return opener

    return register


def described(names: Iterable[Tool]) -> list[tuple[str, str]]:
    """Tools with what each says of itself, for an instruction.

    Raises:
        ConfigError: One is not known.
    """
    return [(name, TOOLS.find(name).description) for name in names]


def open_tools(config: SandboxConfig) -> Mapping[str, ToolHandler]:
    """The handlers of all tools that this configuration has a source for.

    Args:
        config: `wikipedia`, and `tools`: settings of other tools by name.

    Raises:
        ConfigError: `tools` names an unknown one, or a tool cannot be set up as configured.
    """
    wanted = [*(["wikipedia_search"] if config.wikipedia else []), *(config.tools or {})]
    handlers: dict[str, ToolHandler] = {}
    for name in wanted:
        handler = TOOLS.find(name, "sandbox.tools").open(config)
        if handler is not None:
            handlers[name] = handler
    return handlers


def options_of(name: str, config: SandboxConfig) -> Mapping[str, object]:
    """The settings of a tool: `sandbox.tools.NAME`.

    Raises:
        ConfigError: They are no mapping.
    """
    options = (config.tools or {}).get(name) or {}
    if not isinstance(options, Mapping):
        raise ConfigError(f"sandbox.tools.{name}: write its settings as `name: value`.")
    return options
