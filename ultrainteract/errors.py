"""Every error a caller may meet, each with the exit code its command ends with.

A message says what happened, to which item, and what to do next. Bugs are not wrapped: they crash.
"""

from __future__ import annotations


class UltraInteractError(Exception):
    """Base of all expected errors; the command line prints the message and exits with `exit_code`."""

    exit_code = 1


class ConfigError(UltraInteractError):
    """The configuration, or an argument, cannot be used as given."""

    exit_code = 2


class SeedError(UltraInteractError):
    """A seed source cannot be read at all (single bad records are counted and skipped instead)."""

    exit_code = 3


class StoreError(UltraInteractError):
    """The run directory cannot be opened, belongs to another configuration, or a write failed."""

    exit_code = 4


class SandboxError(UltraInteractError):
    """The sandbox is missing or at fault. Never a verdict on the code that was to run."""

    exit_code = 5


class GraderError(UltraInteractError):
    """A grader could not be set up, or was asked for something it does not do."""

    exit_code = 6


class ProviderError(UltraInteractError):
    """A model provider failed for good: the request is not worth sending again as it is.

    Args:
        message: What happened, to which model or endpoint, and what to do next.
        fatal: True where no request to this model can succeed (bad key, unknown model): the run stops
            and can be resumed. False where only this request failed.
        refused: True where the provider will refuse this very request every time (too long, content policy):
            the refusal is recorded, and sampling goes on without it. False where attempts ran out on
            transient errors: the tree is kept for retry.
    """

    exit_code = 7

    def __init__(self, message: str, *, fatal: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.fatal = fatal
        self.refused = refused


class BudgetExceeded(UltraInteractError):
    """A cost or token budget is used up; the run drains and can be resumed after it is raised."""

    exit_code = 8


class HubError(UltraInteractError):
    """Publishing was refused or failed; the run and its exports are untouched."""

    exit_code = 9


class DataError(UltraInteractError):
    """A dataset that was read breaks its format or an invariant."""

    exit_code = 10


class UnreadableError(UltraInteractError):
    """Nothing that the models write can be read: the run was stopped before it spends more, and can be resumed."""

    exit_code = 11


def require(module: str, extra: str) -> None:
    """Checks that an optional dependency is importable.

    Args:
        module: The module to look for.
        extra: The extra of this package that brings it.

    Raises:
        ConfigError: It is not installed; the message says how to install it.
    """
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise ConfigError(
            f"'{module}' is not installed. Install it with: pip install 'ultrainteract[{extra}]'"
        )


def error_from_report(name: str, text: str) -> UltraInteractError:
    """Rebuilds an expected error that another process reports.

    Args:
        name: Name of the error's class.
        text: Its message.
    """
    kind = globals().get(name)
    known = isinstance(kind, type) and issubclass(kind, UltraInteractError)
    return kind(text) if known else UltraInteractError(text)  # type: ignore[misc]
