"""Orders that the network has a part in, and what it says of its work in the words of orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import timedelta
from uuid import UUID

from selfcare.portal.orders.allowances import Allowances
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, NEVER_BEGAN, RUNNING, UNKNOWN, Outcome, Result
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.provisioning import DONE as READY
from selfcare.ports.provisioning import FAILED as BROKEN
from selfcare.ports.provisioning import Progress, Provisioning, Work


class AtTheNetwork(ABC):
    """Delivers through the provisioning port, puts allowances in through the charging port, then `finish`es here."""

    patience = timedelta(minutes=10)

    def __init__(self, provisioning: Provisioning, allowances: Allowances) -> None:
        self._provisioning, self._allowances = provisioning, allowances

    @abstractmethod
    def work(self, order: Order) -> Work: ...

    @abstractmethod
    async def finish(self, order: Order) -> Outcome:
        """Ready at the network, and everything is put in: what is still missing here, once."""

    def holding(self, order: Order) -> Order:
        """With what is put in now."""
        return order

    async def deliver(self, order: Order) -> Outcome:
        return await self._after(order, await set_up(self._provisioning, self.work(order)))

    async def look(self, order: Order) -> Outcome:
        return await self._after(order, await look(self._provisioning, order.id))

    async def _after(self, order: Order, outcome: Outcome) -> Outcome:
        if outcome.result is not Result.DONE:
            return outcome
        holding = self.holding(order)
        if holding.delivers["puts"]:
            put = await self._allowances.deliver(holding)
            if put.result is Result.FAILED:
                # The network has done it already, so it is no longer certain that nothing was delivered.
                return Outcome(Result.UNKNOWN, f"Set up, but its allowance was refused: {put.words}")
            if put.result is not Result.DONE:
                return put
        return await self.finish(order)


async def set_up(provisioning: Provisioning, work: Work) -> Outcome:
    """Begins it, or says how far it is."""
    try:
        return _outcome(await provisioning.start(work))
    except Declined as refused:
        return Outcome(Result.FAILED, refused.message)
    except Unreachable:
        return RUNNING
    except Unknown as lost:
        return Outcome(Result.UNKNOWN, lost.message)


async def look(provisioning: Provisioning, job_id: UUID) -> Outcome:
    """Without beginning anything; FAILED also where it never began."""
    try:
        found = await provisioning.ask(job_id)
    except (Unreachable, Unknown):
        return UNKNOWN
    return _outcome(found) if found else NEVER_BEGAN


def _outcome(progress: Progress) -> Outcome:
    if progress.status == READY:
        return DONE
    if progress.status == BROKEN:
        return Outcome(Result.FAILED, "The network could not set it up.")
    if not progress.is_known:
        return Outcome(Result.RUNNING, f"The network answers with status {progress.status}, which we do not know.")
    return Outcome(Result.RUNNING, "The network is still at it.")
