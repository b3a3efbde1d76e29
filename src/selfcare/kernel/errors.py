"""All that a use case may raise. The message is written for the person who reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from selfcare.kernel.words import _


class SelfcareError(Exception):
    """What happened, in words a person may read."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[Callable[..., SelfcareError], tuple[Any, ...]]:
        """As it is, whatever its class is made from: a race that hits a limit in another process must say so."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[SelfcareError], args: tuple[Any, ...], values: dict[str, Any]) -> SelfcareError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(values)
    return error


class Rejected(SelfcareError):
    """What was asked cannot be done as asked; `field` names the form field it belongs to."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class NotFound(SelfcareError):
    """Does not exist, or belongs to somebody else: from outside both look the same."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or _("We could not find that page."))


class DeadLink(NotFound):
    """A link from a mail that was used, replaced, altered, meant for something else or is too old: all the same."""

    def __init__(self) -> None:
        super().__init__(
            _("It was used already, is too old, or a newer one has taken its place. Nothing was changed just now.")
        )


class NotAllowed(SelfcareError):
    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or _("You are not allowed to do this."))


class Conflict(SelfcareError):
    """Somebody or something was faster; the message says what to do now."""


class Unavailable(SelfcareError):
    """Nothing is wrong with the request: try again after `retry_after` seconds."""

    def __init__(self, message: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message or _("This is not available right now. Please try again in a moment."))
        self.retry_after = retry_after
