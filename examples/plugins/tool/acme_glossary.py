"""A tool: `define(word)`, answered from a glossary on the host.

In a configuration (the seed set says which instructions offer it):

    seeds:
      - {dataset: generic, path: terms.jsonl, mapping: {question: q, gold: a}, tools: [define], tasks: [Logic]}
    sandbox:
      tools:
        define: {glossary: glossary.json}
"""

from __future__ import annotations

import json
from pathlib import Path

from ultrainteract.config import SandboxConfig
from ultrainteract.errors import ConfigError
from ultrainteract.sandbox.base import ToolHandler
from ultrainteract.tools import options_of, tool

DESCRIPTION = """define(word: str) -> str
The glossary gives the definition of one term of the field."""


@tool("define", description=DESCRIPTION)
def open_glossary(config: SandboxConfig) -> ToolHandler:
    """Reads the glossary once; a program's calls are answered from it."""
    path = Path(str(options_of("define", config).get("glossary", "glossary.json")))
    try:
        terms = {word.casefold(): text for word, text in json.loads(path.read_text(encoding="utf-8")).items()}
    except (OSError, ValueError) as error:
        raise ConfigError(f"sandbox.tools.define.glossary: cannot read {path}: {error}.") from error

    async def define(word: str) -> str:
        return terms.get(word.strip().casefold(), f"The glossary has no entry for '{word}'.")

    return define
