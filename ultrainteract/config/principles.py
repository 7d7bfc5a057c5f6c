"""Principles under which a model answers queries: the policy of a run whose trees are unlabelled by design."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from ultrainteract.schema import Record


class Principle(Record):
    """What a response should be like, and what the opposite is."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    """One word: `concise`."""
    positive: str = Field(pattern=r"\S")
    """A sentence: `Responses should be concise.`"""
    negative: str = Field(pattern=r"\S")
    """The contrast: `Responses should be long-winded.`"""


class PrinciplesConfig(Record):
    """Who answers under which principles."""

    model: str
    """The model that answers."""
    count: PositiveInt
    """Constitutions per query."""
    principles: tuple[Principle, ...]
    """The principles, with their contrasts."""
