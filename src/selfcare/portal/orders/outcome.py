"""What came of delivering, and who delivers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Protocol

from selfcare.portal.orders.order import Order


class Result(Enum):
    """FAILED is definite: nothing was delivered and nothing will be. UNKNOWN is not: it may have been."""

    DONE = auto()
    RUNNING = auto()
    UNKNOWN = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """`words` are for staff."""

    result: Result
    words: str = ""


DONE, RUNNING, UNKNOWN = Outcome(Result.DONE), Outcome(Result.RUNNING), Outcome(Result.UNKNOWN)
# There is no trace of it. A question that is still on its way may yet begin it.
NEVER_BEGAN = Outcome(Result.FAILED, "It never began.")


class Deliverer(Protocol):
    """Asked outside of any transaction, again and again until it is DONE or FAILED: by the order's id it acts once.

    After `patience` without either, a person looks.
    """

    @property
    def patience(self) -> timedelta: ...

    async def deliver(self, order: Order) -> Outcome: ...

    async def look(self, order: Order) -> Outcome:
        """How it stands, without doing anything. FAILED: it was not delivered."""


class Undoer(Protocol):
    """Of what may be part of a bundle that is all or nothing."""

    async def take_back(self, order: Order) -> Outcome:
        """As if it had never been delivered; asked again and again. FAILED: it stays with the customer for good."""
