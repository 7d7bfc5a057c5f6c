"""Models: where they are, how they are asked, what they cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, ValidationInfo, field_validator

from ultrainteract.config.credentials import check_address, check_options, is_stored
from ultrainteract.schema import Record, SamplingParams


class Price(Record):
    """US dollars per million tokens."""

    input: float
    """Prompt tokens."""
    output: float
    """Completion tokens."""
    reasoning: float | None = None
    """Completion tokens of reasoning; those of `output` if None."""


REASONING_TAGS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("[THINK]", "[/THINK]"),
    ("<seed:think>", "</seed:think>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
"""Pairs of tags between which reasoning models write their reasoning."""


class CallingConfig(Record):
    """How a model is asked for function calls (task `Tools`)."""

    form: Literal["native", "hermes", "python", "json"] | None = None
    """`native`: by `tools=`, for servers and chat templates that know it; else in text: Hermes tags, Python calls, or a
    JSON list. If None, native for the providers `openai`, `vllm` and `vllm-server`, and Hermes for all others."""
    choice: Literal["auto", "required", "none"] = "auto"
    """`tool_choice` of a native request."""
    parallel: bool | None = None
    """`parallel_tool_calls` of a native request; not sent if None."""


class ModelConfig(Record):
    """One model, used by any number of roles."""

    provider: str = "openai"
    """`openai` (any compatible server), `vllm` (in this process), `vllm-server`, `simulated`, or a plugin's
    name."""
    model: str
    """The model's name at the provider."""
    base_url: str | tuple[str, ...] | None = None
    """Server address, or several that serve the same model."""
    api_key_env: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; servers on this machine need none."""
    sampling: SamplingParams = SamplingParams()
    """Default sampling parameters."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Further fields of the request body, passed on as they are."""
    max_concurrency: PositiveInt = 64
    """Maximum concurrent requests per endpoint, over all processes of a local run."""
    n_per_request: PositiveInt | None = None
    """Maximum `n` per request; no limit if None."""
    timeout_s: PositiveFloat = 300
    """Deadline of one attempt, seconds."""
    max_retries: int = 8
    """Attempts after the first, for transient errors."""
    max_retry_s: PositiveFloat = 900
    """Longest time spent on one request, all attempts together, seconds. An endpoint that gives no usable answer
    for this long, though it answers, is given up."""
    startup_timeout_s: PositiveFloat = 60
    """Longest wait for an endpoint that has never answered, seconds; then it is given up."""
    requests_per_minute: PositiveFloat | None = None
    """Request limit of the key, shared by all models with the same `api_key_env` and address."""
    input_tokens_per_minute: PositiveFloat | None = None
    """Prompt-token limit of the key."""
    output_tokens_per_minute: PositiveFloat | None = None
    """Completion-token limit of the key."""
    price: Price | None = None
    """Price; costs are shown as unknown without it."""
    reasoning_tags: tuple[tuple[str, str], ...] = REASONING_TAGS
    """Opening and closing tags around the model's reasoning, for servers that leave it in the answer."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the provider: engine arguments for vLLM, accuracy for the simulated model."""
    calling: CallingConfig = CallingConfig()
    """How it is asked for function calls."""

    @property
    def calling_form(self) -> Literal["native", "hermes", "python", "json"]:
        """The form in which it is asked for calls."""
        native = self.provider in ("openai", "vllm", "vllm-server")
        return self.calling.form or ("native" if native else "hermes")

    @field_validator("base_url")
    @classmethod
    def _whole_addresses_without_credentials(
        cls, value: str | tuple[str, ...] | None, info: ValidationInfo
    ) -> str | tuple[str, ...] | None:
        for address in (value,) if isinstance(value, str) else value or ():
            if "://" not in address:
                raise ValueError(f"'{address}' has no scheme: write http://{address} or https://{address}")
            if not is_stored(info):
                check_address(address)
        return value

    @field_validator("extra_body", "options")
    @classmethod
    def _no_credentials_in_options(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if not is_stored(info):
            check_options(value)
        return value


_RATES = ("requests_per_minute", "input_tokens_per_minute", "output_tokens_per_minute")


_DELIVERY_FIELDS = (
    "base_url", "api_key_env", "max_concurrency", "n_per_request", "timeout_s", "max_retries", "max_retry_s",
    "startup_timeout_s",
    *_RATES, "price",
)  # fmt: skip
"""Fields of a model that change how completions are delivered, not what they say."""
