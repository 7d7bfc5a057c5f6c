"""UltraInteract: preference-tree alignment data for reasoning models.

The public API (`ultrainteract.api`) and the types that it takes and returns can be imported from here. Both are
imported when first used, so that the command line starts at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ultrainteract import api
from ultrainteract._version import __version__

if TYPE_CHECKING:
    from ultrainteract.api import *
    from ultrainteract.config import RunConfig
    from ultrainteract.schema import Action, Instruction, Node, Pair, Tree, Turn, Verdict

__all__ = ["Action", "Instruction", "Node", "Pair", "RunConfig", "Tree", "Turn", "Verdict", "__version__"]
__all__ += api.__all__


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'ultrainteract' has no attribute '{name}'")
    home = "config" if name == "RunConfig" else "api" if name in api.__all__ else "schema"
    return getattr(import_module(f"ultrainteract.{home}"), name)
