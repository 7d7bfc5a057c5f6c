"""What a request costs. A price that is not configured is unknown, never zero."""

from __future__ import annotations

from ultrainteract.config import ModelConfig
from ultrainteract.schema import Usage

TOKENS_PER_PRICE_UNIT = 1_000_000


def price_of(config: ModelConfig, usage: Usage) -> float | None:
    """Cost of a request in US dollars.

    Args:
        config: The model that served it.
        usage: Its tokens.

    Returns:
        The cost, or None where the model has no price in the configuration. A simulated model without one is free.
    """
    if config.price is None:
        return 0.0 if config.provider == "simulated" else None
    price = config.price
    thought = price.output if price.reasoning is None else price.reasoning
    written = usage.completion_tokens - usage.reasoning_tokens
    dollars = usage.prompt_tokens * price.input + written * price.output + usage.reasoning_tokens * thought
    return dollars / TOKENS_PER_PRICE_UNIT
