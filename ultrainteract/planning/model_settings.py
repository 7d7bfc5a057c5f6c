"""What a user knows of a model's service and the configuration does not say: `plan --model NAME=latency_s:8`."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import PositiveFloat, PositiveInt, ValidationError

from ultrainteract.config import RunConfig
from ultrainteract.errors import ConfigError
from ultrainteract.schema import Record


class ModelSetting(Record):
    """What is known of one model's service; the configuration and assumptions fill in the rest."""

    replicas: PositiveInt | None = None
    """Servers of the model."""
    tokens_per_s: PositiveFloat | None = None
    """Completion tokens per second of one replica, over all its requests."""
    latency_s: PositiveFloat | None = None
    """Mean time of a request."""

    @classmethod
    def parse(cls, text: str) -> tuple[str, ModelSetting]:
        """Reads `actor=replicas:48,tokens_per_s:6000`.

        Returns:
            The model's name and its setting.

        Raises:
            ConfigError: It is not of that form.
        """
        name, _, rest = text.partition("=")
        fields = dict(part.partition(":")[::2] for part in rest.split(",") if part)
        try:
            return name, cls.model_validate(fields)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            known = ", ".join(cls.model_fields)
            raise ConfigError(
                f"--model {text}: write NAME=KEY:NUMBER,… with keys of {known} ({wrong})."
            ) from error


def check_settings(config: RunConfig, settings: Mapping[str, ModelSetting]) -> None:
    """Refuses settings of models that there are not.

    Raises:
        ConfigError: A setting names no model of the configuration.
    """
    for name in settings:
        if name not in config.models:
            known = ", ".join(config.models)
            raise ConfigError(f"--model {name}: the configuration has no such model; it has {known}.")
