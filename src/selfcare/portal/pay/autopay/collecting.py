"""Taking bills by themselves: announced three days before, then the default card, then the others in their order.

However often this runs, and by how many workers at once, a bill is announced once and taken once: each attempt has its
own name for ever, and one payment at most is open for a bill.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.messages.events import Message
from selfcare.portal.billing import questions
from selfcare.portal.pay import payments, telling
from selfcare.portal.pay.autopay import consents
from selfcare.portal.pay.payments import BillPart, How, OnItsWay
from selfcare.portal.pay.till import Till
from selfcare.ports.payments import Why

MOST_TRIES = 3
# Three tries within seven days.
BETWEEN = timedelta(days=3)
# While the gateway itself is in trouble, that counts for nobody.
SOON = timedelta(hours=1)
LONGEST = timedelta(days=7)
AT = time(6, 0)
AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scope:
    customer_id: UUID


@dataclass(frozen=True, slots=True)
class ACharge:
    id: UUID
    customer_id: UUID
    consent_id: UUID
    invoice_id: UUID
    charge_on: date
    round: int
    tries: int


async def run(till: Till, zone: str) -> int:
    """Announce what is near, then take what is due. How many bills were looked at."""
    announced = await announce(till, zone)
    rows = await fetch(DUE.bind(now=clock.now(), most=AT_ONCE))
    for row in rows:
        try:
            await collect(till, ACharge(**row), clock.today(zone))
        except Exception:
            log.exception("could not take a bill by itself", extra={"about": str(row["invoice_id"])})
    return announced + len(rows)


async def announce(till: Till, zone: str) -> int:
    today, done = clock.today(zone), 0
    for row in await fetch(NEAR.bind(until=today + consents.NOTICE, most=AT_ONCE)):
        scope = Scope(row["customer_id"])
        if row["id"] not in await questions.paused_bills(scope, clock.now()):
            done += await _announce(till, row, consents.due_day(row["due_on"], today), today, zone)
    return done


async def _announce(till: Till, row: dict[str, Any], on: date, today: date, zone: str) -> bool:
    customer_id = row["customer_id"]
    async with transaction():
        values = {"id": new_id(), "customer_id": customer_id, "consent_id": row["consent_id"], "invoice_id": row["id"]}
        next_at = datetime.combine(on, AT, ZoneInfo(zone)).astimezone(UTC)
        if not await execute(PLAN.bind(**values, on=on, next_at=next_at, now=clock.now())):
            return False
        working = await consents.working_cards(customer_id, today)
        card: dict[str, Any] = {"card": working[0].words} if working else {}
        for user_id in await telling.recipients(customer_id, None):
            await till.messages.send_later(
                Message.AUTOPAY_COMING,
                dedupe_key=f"autopay.coming:{values['id']}:{user_id}",
                to_user=user_id,
                customer_id=customer_id,
                about=row["id"],
                amount=_remaining(row),
                bill=row["number"],
                on=on,
                path=f"/billing/invoices/{row['id']}",
                simulated=till.gateway.is_simulated,
                **card,
            )
    return True


async def collect(till: Till, charge: ACharge, today: date) -> str:
    """One try: card after card until one pays. What is undecided is left to be looked at again."""
    if not await consents.consented(charge.customer_id, charge.consent_id):
        return await _end(charge, "ended")
    if charge.invoice_id in await questions.paused_bills(Scope(charge.customer_id), clock.now()):
        return "paused"
    whys: list[Why] = []
    working = await consents.working_cards(charge.customer_id, today)
    # Credit alone may do; without it there is nothing to ask.
    tried: list[UUID | None] = [card.id for card in working]
    for card_id in tried or [None]:
        how = How(request_key=_key(charge, card_id), card_id=card_id, off_session=True)
        try:
            who = audit.system(customer_id=charge.customer_id)
            payment = await payments.pay_bills(till, who, [BillPart(charge.invoice_id)], how)
        except OnItsWay:
            return "waiting"
        except Conflict:
            # Paid or voided meanwhile, or it has just changed: the next run sees which.
            return "waiting" if await _is_open(charge) else await _end(charge, "ended")
        except Rejected:
            whys.append(Why.OTHER)
            continue
        if payment.is_paid:
            return await _end(charge, "paid")
        if payment.is_undecided:
            return "waiting"
        whys.append(payment.why or Why.OTHER)
    return await _failed(till, charge, whys)


async def _failed(till: Till, charge: ACharge, whys: list[Why]) -> str:
    """No card paid. What only a person can approve is not tried again behind their back."""
    trouble = bool(whys) and all(why is Why.PROVIDER_TROUBLE for why in whys)
    approval = Why.NEEDS_APPROVAL in whys
    tries = charge.tries if trouble else charge.tries + 1
    now = clock.now()
    too_late = now.date() - charge.charge_on > LONGEST
    final = too_late or (not trouble and (approval or tries >= MOST_TRIES))
    async with transaction():
        rows = await execute(
            TRIED.bind(
                id=charge.id,
                round=charge.round,
                tries=tries,
                state="failed" if final else "waiting",
                next_at=now + (SOON if trouble else BETWEEN),
                ended_at=now if final else None,
            )
        )
        if rows and final:
            await _tell_failed(till, charge, approval=approval)
    return "failed" if final else "waiting"


async def _tell_failed(till: Till, charge: ACharge, *, approval: bool) -> None:
    """One message with one link: there the person pays, or approves at the bank."""
    bill = await fetch_one(BILL.bind(customer_id=charge.customer_id, id=charge.invoice_id))
    assert bill is not None
    for user_id in await telling.recipients(charge.customer_id, None):
        await till.messages.send_later(
            Message.AUTOPAY_FAILED,
            dedupe_key=f"autopay.failed:{charge.id}:{user_id}",
            to_user=user_id,
            customer_id=charge.customer_id,
            about=charge.invoice_id,
            amount=_remaining(bill),
            bill=bill["number"],
            path=f"/pay?bill={charge.invoice_id}",
            approval=approval,
            simulated=till.gateway.is_simulated,
        )


async def _end(charge: ACharge, state: str) -> str:
    async with transaction():
        await execute(END.bind(id=charge.id, state=state, now=clock.now()))
    return state


async def _is_open(charge: ACharge) -> bool:
    bill = await fetch_one(BILL.bind(customer_id=charge.customer_id, id=charge.invoice_id))
    return bill is not None and bill["state"] == "issued" and bool(_remaining(bill))


def _key(charge: ACharge, card_id: UUID | None) -> str:
    """The same for the same attempt, whoever makes it."""
    return sha256(f"autopay:{charge.id}:{charge.round}:{card_id}".encode()).hexdigest()


def _remaining(row: dict[str, Any]) -> Money:
    return Money(row["net_minor"] + row["tax_minor"] - row["paid_minor"], row["currency"])


NEAR = Prepared.sql(
    """
    SELECT i.id AS id, i.customer_id AS customer_id, i.number AS number, i.due_on AS due_on, i.currency AS currency,
        i.net_minor AS net_minor, i.tax_minor AS tax_minor, i.paid_minor AS paid_minor, c.id AS consent_id
    FROM autopay_consent c JOIN invoice i ON i.customer_id = c.customer_id
    WHERE c.ended_at IS NULL AND i.state = 'issued' AND i.kind = 'regular' AND i.due_on <= :until
        AND i.net_minor + i.tax_minor > i.paid_minor
        AND NOT EXISTS (SELECT 1 FROM autopay_charge a WHERE a.consent_id = c.id AND a.invoice_id = i.id)
    ORDER BY i.due_on, i.id LIMIT :most
    """
)
PLAN = Prepared.sql(
    """
    INSERT INTO autopay_charge
        (id, customer_id, consent_id, invoice_id, charge_on, next_at, round, tries, state, created_at)
    VALUES (:id, :customer_id, :consent_id, :invoice_id, :on, :next_at, 0, 0, 'waiting', :now)
    ON CONFLICT (consent_id, invoice_id) DO NOTHING RETURNING id
    """
)
DUE = Prepared.sql(
    """
    SELECT id, customer_id, consent_id, invoice_id, charge_on, round, tries FROM autopay_charge
    WHERE state = 'waiting' AND next_at <= :now ORDER BY next_at, id LIMIT :most
    """
)
TRIED = Prepared.sql(
    """
    UPDATE autopay_charge
    SET round = round + 1, tries = :tries, state = :state, next_at = :next_at, ended_at = :ended_at
    WHERE id = :id AND state = 'waiting' AND round = :round RETURNING id
    """
)
END = Prepared.sql(
    "UPDATE autopay_charge SET state = :state, ended_at = :now WHERE id = :id AND state = 'waiting' RETURNING id"
)
BILL = Prepared.sql(
    """
    SELECT number, state, currency, net_minor, tax_minor, paid_minor FROM invoice
    WHERE customer_id = :customer_id AND id = :id
    """
)
