"""What gateways tell us by themselves. Kept once by its id, with its job; the job asks the gateway what is true.

Order and repetition do not matter: an event only says what is worth asking about.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event as Audited
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.cards import changes, expiring
from selfcare.portal.pay import payments, refunds, settling
from selfcare.portal.pay.till import Till
from selfcare.ports.jobs import MONEY
from selfcare.ports.payments import About, Event, Succeeded

HANDLE = "pay.event"


async def keep(till: Till, event: Event, *, body: str) -> bool:
    """False where it was here before. Answer the gateway after this: then it will not be lost."""
    id = new_id()
    async with transaction():
        rows = await execute(
            KEEP.bind(
                id=id,
                gateway=till.gateway.name,
                event_id=event.id,
                kind=event.kind[:80],
                about=event.about,
                ref=event.ref,
                payment_id=event.payment_id,
                body=body,
                now=clock.now(),
            )
        )
        if rows and event.about is not About.OTHER:
            await till.jobs.enqueue(HANDLE, key=f"{HANDLE}:{id}", payload={"event": str(id)}, priority=MONEY)
    return bool(rows)


async def handle(till: Till, event_row_id: UUID) -> str:
    """Outside any transaction; raises what the gateway raises, and is then tried again."""
    row = await fetch_one(ONE.bind(id=event_row_id))
    if row is None or row["handled_at"] is not None:
        return "nothing to do"
    outcome = await _handle(till, row)
    async with transaction():
        await execute(HANDLED.bind(id=event_row_id, outcome=outcome, now=clock.now()))
    return outcome


async def _handle(till: Till, row: dict[str, Any]) -> str:
    ref = row["object_ref"]
    if ref is None:
        return "about nothing"
    match About(row["about"]):
        case About.PAYMENT:
            return await _payment(till, ref, row["payment_id"])
        case About.REFUND:
            return await _refund(till, ref)
        case About.DISPUTE:
            return await _dispute(till, ref, row["payment_id"])
        case About.CARD:
            return await _card(till, ref)
        case _:
            return "not ours to handle"


async def _payment(till: Till, ref: str, payment_id: UUID | None) -> str:
    found = await _find(till, ref, payment_id)
    if found is None:
        return "no such payment here"
    if found["state"] not in UNDECIDED:
        return "decided before"
    known = found["gateway_ref"]
    answer = await till.gateway.get_payment(known or ref)
    if known is None and not isinstance(answer, Succeeded):
        # A card that was refused on a page which is still open is not the end: the payment itself has to be asked.
        return (await payments.look(till, found["id"])).state.value
    payment = await settling.take(till, found["id"], answer)
    return payment.state.value


async def _refund(till: Till, ref: str) -> str:
    refund = await refunds.find_by_gateway_ref(ref)
    if refund is None:
        return "no such refund here"
    answer = await till.gateway.get_refund(ref)
    if answer.amount != refund.amount:
        return "another refund"
    return (await refunds.take(till, refund, answer)).state


async def _dispute(till: Till, ref: str, payment_id: UUID | None) -> str:
    """From here on nothing is given back by itself: the bank takes it already."""
    found = await _find(till, ref, payment_id)
    if found is None:
        return "no such payment here"
    async with transaction():
        if not await execute(DISPUTED.bind(id=found["id"], now=clock.now())):
            return "known"
        await audit.record(audit.system(customer_id=found["customer_id"]), Audited.PAY_DISPUTED, about=found["id"])
    return "disputed"


async def _card(till: Till, token_ref: str) -> str:
    """The bank sent new dates, or a new number, for a card that is kept; or the gateway keeps it no more."""
    rows = await fetch(CARD.bind(gateway=till.gateway.name, token_ref=token_ref))
    if not rows:
        return "no such card here"
    seen = await till.gateway.list_cards(rows[0]["customer_ref"])
    if all(card.token_ref != token_ref for card in seen):
        return "gone" if await changes.forget(rows[0]["customer_id"], token_ref, till.jobs) else "gone before"
    return "refreshed" if await expiring.refresh(rows[0]["customer_id"], list(seen)) else "nothing new"


async def _find(till: Till, ref: str, payment_id: UUID | None) -> dict[str, Any] | None:
    row = await fetch_one(BY_REF.bind(gateway=till.gateway.name, ref=ref))
    if row is None and payment_id is not None:
        row = await fetch_one(BY_ID.bind(gateway=till.gateway.name, id=payment_id))
    return row


# What money may still come for: also what we gave up too early.
UNDECIDED = frozenset({"created", "submitting", "requires_action", "processing", "unknown", "failed", "canceled"})
KEEP = Prepared.sql(
    """
    INSERT INTO webhook_event (id, gateway, event_id, kind, about, object_ref, payment_id, body, received_at)
    VALUES (:id, :gateway, :event_id, :kind, :about, :ref, :payment_id, :body, :now)
    ON CONFLICT (gateway, event_id) DO NOTHING RETURNING id
    """
)
ONE = Prepared.sql("SELECT about, object_ref, payment_id, handled_at FROM webhook_event WHERE id = :id")
HANDLED = Prepared.sql("UPDATE webhook_event SET handled_at = :now, outcome = :outcome WHERE id = :id")
BY_REF = Prepared.sql(
    """
    SELECT id, customer_id, state, gateway_ref FROM payment
    WHERE gateway = :gateway AND (gateway_ref = :ref OR charge_ref = :ref) LIMIT 1
    """
)
BY_ID = Prepared.sql("SELECT id, customer_id, state, gateway_ref FROM payment WHERE gateway = :gateway AND id = :id")
CARD = Prepared.sql(
    """
    SELECT m.customer_id AS customer_id, g.customer_ref AS customer_ref
    FROM payment_method m JOIN gateway_customer g ON g.customer_id = m.customer_id AND g.gateway = :gateway
    WHERE m.token_ref = :token_ref AND m.removed_at IS NULL
    """
)
DISPUTED = Prepared.sql("UPDATE payment SET disputed_at = :now WHERE id = :id AND disputed_at IS NULL RETURNING id")
