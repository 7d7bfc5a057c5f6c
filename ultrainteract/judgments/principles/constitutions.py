"""Principles with their contrasts, and the constitutions that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from random import Random

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from ultrainteract.errors import ConfigError
from ultrainteract.schema import Constitution, Record

MAX_PRINCIPLES = 6
"""Principles of a constitution: there are at most 63 contrasts then."""


class Principle(Record):
    """What a response should be like, and what the opposite is."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    """One word: `concise`."""
    positive: str = Field(min_length=1)
    """A sentence: `Responses should be concise.`"""
    negative: str = Field(min_length=1)
    """The contrast: `Responses should be long-winded.`"""


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

    Args:
        principles: At most `MAX_PRINCIPLES`.

    Raises:
        ConfigError: There are more.
    """
    if len(principles) > MAX_PRINCIPLES:
        raise ConfigError(
            "A constitution has at most six principles: every contrast of them is one of 2^n − 1."
        )
    found = [Constitution(name="positive", principles=tuple(one.positive for one in principles))]
    for count in range(1, len(principles) + 1):
        for turned in combinations(principles, count):
            texts = tuple(one.negative if one in turned else one.positive for one in principles)
            found.append(Constitution(name="not-" + "-".join(one.name for one in turned), principles=texts))
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
