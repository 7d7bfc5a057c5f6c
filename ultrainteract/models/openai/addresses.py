"""Where a model is reached and with what headers, worked out once instead of for every request.

The `openai` package decides: its defaults, its environment variables (organisation, project, base URL) and
its headers are those that users know.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from multidict import CIMultiDict

from ultrainteract.config import ModelConfig
from ultrainteract.errors import ConfigError
from ultrainteract.models.faults import Redactor, display_address
from ultrainteract.models.scheduler.endpoints import Endpoint
from ultrainteract.models.scheduler.limits import KeyLimits, SharedLimits

_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


@dataclass(frozen=True)
class Address:
    """One base URL, ready to send to."""

    completions_url: str
    health_url: str
    headers: CIMultiDict[str]
    proxy: str | None
    endpoint: Endpoint
    limits: KeyLimits


def resolve_addresses(
    name: str, config: ModelConfig, shared: SharedLimits
) -> tuple[tuple[Address, ...], Redactor]:
    """Looks up all addresses of a model.

    Args:
        name: The model's name in the configuration.
        config: Its configuration.
        shared: Limits shared with other models.

    Returns:
        The addresses, and what removes their secrets from texts.

    Raises:
        ConfigError: The key's environment variable is not set, or an address is none.
    """
    urls = config.base_url if isinstance(config.base_url, tuple) else (config.base_url,)
    keys = [find_key(name, config, url) for url in urls]
    redact = Redactor([*keys, *(urlsplit(url).password for url in urls if url)])
    return tuple(
        _resolve(name, config, url, key, shared) for url, key in zip(urls, keys, strict=True)
    ), redact


def _resolve(name: str, config: ModelConfig, base_url: str | None, key: str, shared: SharedLimits) -> Address:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=key, base_url=base_url)
    url, credentials = _take_credentials(str(client.base_url))
    label = display_address(url)
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ConfigError(f"models.{name}.base_url: '{label}' is no http(s) address.")
    given = {**client.default_headers, **client.auth_headers}
    headers = CIMultiDict({header: value for header, value in given.items() if isinstance(value, str)})
    if credentials:
        headers["Authorization"] = credentials
    endpoint = shared.endpoint(config, label)
    if token_field := config.options.get("token_field"):
        endpoint.dialect.token_field = str(token_field)
    limits = shared.key_limits(config, label)
    return Address(_at(url, "chat/completions"), _at(url, "models"), headers, _proxy(url), endpoint, limits)


def find_key(name: str, config: ModelConfig, url: str | None) -> str:
    """The key to send to an address.

    The key of the default variable goes to no server on this machine unless the configuration names it.

    Raises:
        ConfigError: The environment variable is not set.
    """
    local = url is not None and (urlsplit(url).hostname or "") in _LOCAL_HOSTS
    if local and "api_key_env" not in config.model_fields_set:
        return "none"
    if key := os.environ.get(config.api_key_env):
        return key
    if local:
        return "none"
    raise ConfigError(
        f"Model '{name}' needs a key: set the environment variable {config.api_key_env}, "
        f"or name another one in models.{name}.api_key_env."
    )


def _take_credentials(url: str) -> tuple[str, str | None]:
    """The URL without user and password, and the header that carries them instead."""
    parts = urlsplit(url)
    userinfo, _, host = parts.netloc.rpartition("@")
    if not userinfo:
        return url, None
    encoded = base64.b64encode(unquote(userinfo).encode()).decode()
    return urlunsplit(parts._replace(netloc=host)), f"Basic {encoded}"


def _at(url: str, path: str) -> str:
    """A resource below a base URL, whose query (an API version, say) is kept."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{path}"))


def _proxy(url: str) -> str | None:
    """The proxy that the environment sets for an address."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
