"""Principles with their contrasts, and the constitutions that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from random import Random

import yaml
from pydantic import TypeAdapter, ValidationError

from ultrainteract.config import Principle
from ultrainteract.dataset.layouts.checker import plain
from ultrainteract.errors import ConfigError
from ultrainteract.schema import Constitution

MAX_PRINCIPLES = 6
"""Principles of a constitution: there are at most 63 contrasts then."""


def read_principles(path: Path) -> tuple[Principle, ...]:
    """Reads a YAML or JSON list of principles.

    Raises:
        ConfigError: The file cannot be read, or is no list of principles with different names.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        found = TypeAdapter(tuple[Principle, ...]).validate_python(data)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"Cannot read the principles {path}: {error}.") from error
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"]))
        raise ConfigError(
            f"{path}: {place or 'the file'}: {problem['msg']}. Write a list of name, positive, negative."
        ) from error
    if not found or len({one.name for one in found}) < len(found):
        raise ConfigError(f"{path}: name at least one principle, and each only once.")
    return found


def constitutions(principles: Sequence[Principle]) -> tuple[Constitution, ...]:
    """The positive constitution, then every contrast: one or more principles turned round, fewest first.

    Each has a name of its own (`not-concise+polite`; a principle's name holds no plus sign), and says something else
    than the others.

    Args:
        principles: At most `MAX_PRINCIPLES`.

    Raises:
        ConfigError: There are more, or two constitutions say the same in whatever order.
    """
    if len(principles) > MAX_PRINCIPLES:
        raise ConfigError(
            "A constitution has at most six principles: every contrast of them is one of 2^n − 1."
        )
    found = [Constitution(name="positive", principles=tuple(one.positive for one in principles))]
    for count in range(1, len(principles) + 1):
        for turned in combinations(principles, count):
            texts = tuple(one.negative if one in turned else one.positive for one in principles)
            found.append(Constitution(name="not-" + "+".join(one.name for one in turned), principles=texts))
    said: dict[tuple[str, ...], str] = {}
    for one in found:
        same = said.setdefault(tuple(sorted(plain(text) for text in one.principles)), one.name)
        if same != one.name:
            raise ConfigError(
                f"The constitutions '{same}' and '{one.name}' say the same: each principle needs a contrast of its own."
            )
    return tuple(found)


def drawn(known: Sequence[Constitution], count: int, rng: Random) -> tuple[Constitution, ...]:
    """The positive constitution and `count` − 1 contrasts, each with its principles in a random order.

    Raises:
        ConfigError: There are fewer contrasts.
    """
    if not 2 <= count <= len(known):
        raise ConfigError(
            f"These principles make {len(known)} constitutions: ask for 2 to {len(known)} per query."
        )
    chosen = (known[0], *rng.sample(known[1:], count - 1))
    return tuple(one.model_copy(update={"principles": tuple(rng.sample(one.principles, len(one.principles)))})
                 for one in chosen)  # fmt: skip
