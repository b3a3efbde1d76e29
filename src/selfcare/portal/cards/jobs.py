"""What the worker does about kept cards."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.portal.cards import adding, cards, changes, expiring
from selfcare.portal.pay import parties
from selfcare.portal.pay.till import Till


def add(known: Registry, till: Till, zone: str) -> None:
    async def detach(job: Job) -> None:
        await till.gateway.detach_card(job.payload["token_ref"])

    async def set_default(job: Job) -> None:
        await _set_default(till, UUID(job.payload["customer_id"]))

    async def look_after(_job: Job) -> None:
        await adding.look_after(till)

    async def tell_expiring(_job: Job) -> None:
        await expiring.tell(till.messages, clock.today(zone))

    known.add(cards.DETACH, detach, tries=20)
    known.add(changes.SET_DEFAULT, set_default, tries=20)
    known.add("cards.look_after", look_after)
    known.add("cards.tell_expiring", tell_expiring)


def repeat(again: Schedule, zone: str) -> None:
    again.every("cards.look_after", timedelta(minutes=5))
    again.daily("cards.tell_expiring", at=time(9, 0), zone=zone)


async def _set_default(till: Till, customer_id: UUID) -> None:
    """Whichever it is by now: of two such jobs the later one is right, and so is the earlier."""
    customer_ref = await parties.find(till.gateway.name, customer_id)
    default = next((card for card in await cards.list_cards(customer_id) if card.is_default), None)
    if customer_ref is not None:
        await till.gateway.set_default(customer_ref, default.token_ref if default else None)
