"""UltraInteract: preference-tree alignment data for reasoning models.

The names below are the public API; they are imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ultrainteract.api import export, load_config, open_run, run, run_async, run_info
    from ultrainteract.config import RunConfig
    from ultrainteract.schema import Action, Instruction, Node, Pair, Tree, Turn, Verdict

__version__ = "0.1.0"

__all__ = [
    "Action", "Instruction", "Node", "Pair", "RunConfig", "Tree", "Turn", "Verdict", "__version__", "export",
    "load_config", "open_run", "run", "run_async", "run_info",
]  # fmt: skip

_HOMES = {
    **dict.fromkeys(
        ("Action", "Instruction", "Node", "Pair", "Tree", "Turn", "Verdict"), "ultrainteract.schema"
    ),
    "RunConfig": "ultrainteract.config",
    **dict.fromkeys(
        ("export", "load_config", "open_run", "run", "run_async", "run_info"), "ultrainteract.api"
    ),
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'ultrainteract' has no attribute '{name}'")
