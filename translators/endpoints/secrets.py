"""No key in a configuration: options and addresses that could carry one are refused, and their values not repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from spanferry.corpora.errors import ConfigError

URL_HINT = (
    "--set translator.options.url=http://localhost:8000/v1 (contextual: projector.options.generator_options.url=…)"
)
_SECRETS = frozenset({"key", "apikey", "authorization", "bearer", "headers", "password", "secret", "token"})


def refuse_secrets(options: Mapping[str, Any]) -> None:
    """Checks the options of a translator before they are written anywhere.

    Raises:
        ConfigError: One of them is named like a secret, or the address holds one.
    """
    for name, value in options.items():
        if name.lower().replace("_", "").replace("-", "") in _SECRETS:
            raise ConfigError(
                f"the option {name!r} would write a secret into the configuration",
                valid="the key in an environment variable",
                hint="export SPANFERRY_API_KEY=…, or name another variable with translator.options.key_env",
            )
        if isinstance(value, Mapping):
            refuse_secrets(value)
    if "url" in options:
        check_url(str(options["url"]))


def check_url(url: str) -> None:
    """Checks the base address of an endpoint.

    Raises:
        ConfigError: It is none, or it holds a name, a password or a query.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "the endpoint's address holds more than an address",
            valid="scheme, host, port and path",
            hint="put the key into the environment variable SPANFERRY_API_KEY",
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"the endpoint has no address ({url!r})" if url else "the endpoint has no address",
            valid="http://… or https://…, up to the part before /chat/completions",
            hint=URL_HINT,
        )
