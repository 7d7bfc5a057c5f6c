"""Principles that a model writes: a draft, for a person to read before anything is answered under it.

What a sample states in the form that was asked for (`name: … | positive: … | negative: …`, a line each) is taken; a
name or a principle that is there already, a contrast that equals its principle, and what cannot be read are left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from ultrainteract.config import Principle, RunConfig
from ultrainteract.dataset.layouts.checker import plain
from ultrainteract.errors import ConfigError
from ultrainteract.judgments.principles.constitutions import MAX_PRINCIPLES
from ultrainteract.models.base import ChatModel, ChatRequest, Purpose
from ultrainteract.prompts import Prompts
from ultrainteract.store.files import write_lines

_LINE = re.compile(
    r"^[ \t]*(?:[-*+]|\d+[.)])?[ \t]*\**name\**:[ \t]*(?P<name>[^|\n]+)"
    r"\|[ \t]*\**positive\**:[ \t]*(?P<positive>[^|\n]+)"
    r"\|[ \t]*\**negative\**:[ \t]*(?P<negative>[^|\n]+?)[ \t|]*$",
    re.IGNORECASE | re.MULTILINE,
)


async def ask_for_principles(
    topic: str, config: RunConfig, name: str, model: ChatModel, count: int, attempts: int
) -> tuple[Principle, ...]:
    """Samples until there are `count` principles, or `attempts` samples were drawn.

    Args:
        topic: What responses the principles are for.
        config: The configuration that names the model; its sampling and its prompts are used.
        name: The model's name in it.
        model: The model.
        count: Principles wanted, at most six.
        attempts: Maximum samples.

    Raises:
        ConfigError: More than six are asked for, or no sample states one.
        ProviderError: The model cannot be reached.
    """
    if not 1 <= count <= MAX_PRINCIPLES:
        raise ConfigError(
            f"Ask for 1 to {MAX_PRINCIPLES} principles: every contrast of them is one of 2^n − 1."
        )
    messages = Prompts(config.growth.prompts).render("principles/write", topic=topic, count=count)
    found: dict[str, Principle] = {}
    for number in range(attempts):
        request = ChatRequest(
            messages=messages, sampling=config.models[name].sampling, n=1, first=number,
            purpose=Purpose(role="actor", step="principles"),
        )  # fmt: skip
        for completion in (await model.sample(request)).completions:
            for principle in read_stated(completion.text):
                if all(_same(principle) != _same(known) for known in found.values()):
                    found.setdefault(principle.name, principle)
        if len(found) >= count:
            break
    if not found:
        raise ConfigError(
            f"Model '{name}' stated no principle in {attempts} samples in the form that was asked for. Ask a larger "
            "one, or write them by hand."
        )
    return tuple(found.values())[:count]


def _same(principle: Principle) -> tuple[str, str]:
    return plain(principle.positive), plain(principle.negative)


def read_stated(text: str) -> list[Principle]:
    """The principles that a text states, in order."""
    found = []
    for line in _LINE.finditer(text):
        parts = {key: " ".join(value.strip(' *`"').split()) for key, value in line.groupdict().items()}
        parts["name"] = re.sub(r"[^A-Za-z0-9_-]+", "-", parts["name"].casefold()).strip("-")
        if plain(parts["positive"]) == plain(parts["negative"]):
            continue
        try:
            found.append(Principle.model_validate(parts))
        except ValidationError:
            continue
    return found


def save(principles: Sequence[Principle], path: Path) -> None:
    """Writes principles as `read_principles` reads them.

    Raises:
        StoreError: The file cannot be written.
    """
    text = yaml.safe_dump([one.model_dump() for one in principles], sort_keys=False, allow_unicode=True)
    write_lines([text.rstrip("\n")], path)
