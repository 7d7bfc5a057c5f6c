"""YAML with the places of its fields: duplicate keys are refused, and an error can name the line it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from ultrainteract.errors import ConfigError


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping, where YAML lets the last one win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if key.value != "<<" and isinstance(key.value, str):
                if key.value in seen:
                    raise ConfigError(
                        f"line {line}: the key '{key.value}' stands here for the second time (first on line "
                        f"{seen[key.value]}). Keep one of them."
                    )
                seen[key.value] = line
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, origin: str) -> tuple[Any, yaml.Node | None]:
    """Reads YAML text.

    Args:
        text: The text.
        origin: Its file, for messages.

    Returns:
        The value, and the tree of nodes that knows its lines.

    Raises:
        ConfigError: It is not valid YAML, or a key is repeated; the message names file and line.
    """
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            return (None if node is None else loader.construct_document(node)), node
        finally:
            loader.dispose()
    except ConfigError as error:
        raise ConfigError(f"{origin}, {error}") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{origin}{line}: not valid YAML: {error.problem}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{origin} is not valid YAML: {error}") from error


def line_of(node: yaml.Node | None, path: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of `path` that the file holds; None where it holds none of it."""
    line = None
    for part in path:
        found: tuple[yaml.Node, yaml.Node] | None = None
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = (node.value[part], node.value[part])
        if found is None:
            return line
        line, node = found[0].start_mark.line + 1, found[1]
    return line
