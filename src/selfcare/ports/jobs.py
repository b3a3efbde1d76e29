"""Work that is done after the answer: at least once, and only if the transaction that asked for it commits."""

from __future__ import annotations

from asyncio import Event
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

if TYPE_CHECKING:
    from selfcare.jobs.registry import Registry
    from selfcare.jobs.schedule import Schedule

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

# What is waiting with a lower number goes first.
SECURITY: Final = -20
MONEY: Final = -10
NORMAL: Final = 0
WHENEVER: Final = 20


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A dead letter."""

    key: str
    kind: str
    attempts: int
    error: str
    enqueued_at: datetime
    given_up_at: datetime


class Jobs(Protocol):
    async def enqueue(
        self,
        kind: str,
        *,
        key: str,
        payload: Mapping[str, Json],
        run_at: datetime | None = None,
        priority: int = NORMAL,
    ) -> None:
        """Inside the caller's transaction. `key` names the piece of work: a second one with the same is no more work.

        Keys of finished work are remembered for 30 days. Payloads hold ids, not copies and not secrets.
        """

    async def given_up(self, *, limit: int) -> list[GivenUp]:
        """What failed for the last time, the newest first."""

    async def retry(self, key: str) -> None:
        """Offer a given-up job again, with all its tries, inside the caller's transaction. Raises NotFound."""

    async def run(self, registry: Registry, schedule: Schedule, stop: Event) -> None:
        """Work until `stop` is set."""

    async def drain(self, registry: Registry, schedule: Schedule | None = None) -> int:
        """Do everything that is due by the clock, in order and one by one; how many. Raises what a handler raises."""
