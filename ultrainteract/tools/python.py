"""The `python` tool: the stateful interpreter itself, which needs no handler."""

from __future__ import annotations

from ultrainteract.config import SandboxConfig
from ultrainteract.tools import tool


@tool("python")
def open_python(config: SandboxConfig) -> None:
    """The sandbox runs the code; there is nothing to answer on the host."""
