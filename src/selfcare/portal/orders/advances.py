"""Credit in advance: lent by one order, paid back out of the next that put credit in, whoever pays for them.

An order takes on what it pays back when it begins to be delivered, and puts in so much less. Where it fails for good
that is owed again. Nothing of this is in the books before money comes: the order that brings it is earned whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.orders.order import Kind, Order


@dataclass(frozen=True, slots=True)
class Owed:
    """`is_coming`: what was lent is not delivered yet."""

    amount: Money
    since: datetime
    is_coming: bool


async def find_owed(customer_id: UUID) -> Owed | None:
    """What nothing on its way pays back."""
    row = await fetch_one(_OPEN.bind(customer_id=customer_id))
    if row is None:
        return None
    return Owed(Money(row["owed_minor"], row["currency"]), row["asked_at"], row["state"] == "asked")


async def lent_in(customer_id: UUID, month: date) -> bool:
    return await fetch_one(_IN_MONTH.bind(customer_id=customer_id, month=month)) is not None


async def note(order: Order, lent: Money, fee: Money, month: date) -> bool:
    """Inside the transaction that writes the order. False where one is owed, or the month had one: roll back."""
    assert order.service_id is not None
    rows = await execute(
        _NOTE.bind(
            id=new_id(),
            customer_id=order.customer_id,
            service_id=order.service_id,
            order_id=order.id,
            month=month,
            lent=lent.minor,
            fee=fee.minor,
            owed=(lent + fee).minor,
            currency=lent.currency,
            now=clock.now(),
        )
    )
    return bool(rows)


async def hold_back(order: Order) -> None:
    """Inside the transaction that begins to deliver: this order pays back what it can. Once for each order."""
    puts = [dict(put) for put in order.delivers.get("puts", ())]
    credit = sum(put["amount"] for put in puts if put["kind"] == "money")
    if order.kind is Kind.PROMISE or "repays" in order.delivers or not credit:
        return
    rows = await execute(_HOLD.bind(customer_id=order.service_owner, currency=order.price.currency))
    if not rows:
        return
    amount = min(rows[0]["owed_minor"], credit)
    key: dict[str, Any] = {"advance_id": rows[0]["id"], "order_id": order.id, "amount": amount}
    if not await execute(_TAKE.bind(**key, customer_id=order.service_owner, now=clock.now())):
        return
    await execute(_LESS.bind(id=rows[0]["id"], amount=amount))
    delivers = {**order.delivers, "puts": _less(puts, amount), "repays": amount}
    await execute(_DELIVERS.bind(id=order.id, delivers=json.dumps(delivers)))


async def delivered(order: Order) -> None:
    """Inside the transaction that says so."""
    now = clock.now()
    if order.kind is Kind.PROMISE:
        await execute(_OWE.bind(order_id=order.id))
    for paid in await execute(_DONE.bind(order_id=order.id, now=now)):
        await execute(_REPAID.bind(id=paid["advance_id"], now=now))
        who = audit.system(customer_id=paid["customer_id"])
        details = {"amount_minor": paid["amount_minor"], "currency": order.price.currency}
        await audit.record(who, Event.TOPUP_ADVANCE_REPAID, about=paid["advance_id"], **details)


async def given_up(order: Order) -> None:
    """Inside the transaction that says so: nothing was lent, or what it was to pay back is owed again."""
    if order.kind is Kind.PROMISE:
        await execute(_FAILED.bind(order_id=order.id, now=clock.now()))
    for back in await execute(_UNTAKE.bind(order_id=order.id)):
        await execute(_MORE.bind(id=back["advance_id"], amount=back["amount_minor"]))


def _less(puts: list[dict[str, Any]], amount: int) -> list[dict[str, Any]]:
    for put in puts:
        if put["kind"] == "money":
            part = min(amount, put["amount"])
            put["amount"] -= part
            amount -= part
    return [put for put in puts if put["kind"] != "money" or put["amount"]]


_OPEN = Prepared.sql(
    """
    SELECT owed_minor, currency, asked_at, state FROM advance
     WHERE customer_id = :customer_id AND state IN ('asked', 'owed') AND owed_minor > 0
    """
)
_IN_MONTH = Prepared.sql(
    "SELECT id FROM advance WHERE customer_id = :customer_id AND month = :month AND state <> 'failed'"
)
_NOTE = Prepared.sql(
    """
    INSERT INTO advance (id, customer_id, service_id, order_id, month, lent_minor, fee_minor, owed_minor, currency,
        state, asked_at)
    VALUES (:id, :customer_id, :service_id, :order_id, :month, :lent, :fee, :owed, :currency, 'asked', :now)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_HOLD = Prepared.sql(
    """
    UPDATE advance SET currency = currency
     WHERE customer_id = :customer_id AND currency = :currency AND state = 'owed' AND owed_minor > 0
    RETURNING id, owed_minor
    """
)
_LESS = Prepared.sql("UPDATE advance SET owed_minor = owed_minor - :amount WHERE id = :id")
_MORE = Prepared.sql("UPDATE advance SET owed_minor = owed_minor + :amount WHERE id = :id")
_TAKE = Prepared.sql(
    """
    INSERT INTO advance_repayment (order_id, advance_id, customer_id, amount_minor, held_at)
    VALUES (:order_id, :advance_id, :customer_id, :amount, :now)
    ON CONFLICT (order_id) DO NOTHING RETURNING order_id
    """
)
_DELIVERS = Prepared.sql("UPDATE purchase_order SET delivers = :delivers WHERE id = :id")
_OWE = Prepared.sql("UPDATE advance SET state = 'owed' WHERE order_id = :order_id AND state = 'asked'")
_FAILED = Prepared.sql(
    "UPDATE advance SET state = 'failed', ended_at = :now WHERE order_id = :order_id AND state = 'asked'"
)
_DONE = Prepared.sql(
    """
    UPDATE advance_repayment SET done_at = :now WHERE order_id = :order_id AND done_at IS NULL
    RETURNING advance_id, customer_id, amount_minor
    """
)
_REPAID = Prepared.sql(
    """
    UPDATE advance SET state = 'repaid', ended_at = :now
     WHERE id = :id AND state = 'owed' AND owed_minor = 0
       AND NOT EXISTS (SELECT 1 FROM advance_repayment r WHERE r.advance_id = advance.id AND r.done_at IS NULL)
    """
)
_UNTAKE = Prepared.sql(
    """
    DELETE FROM advance_repayment WHERE order_id = :order_id AND done_at IS NULL RETURNING advance_id, amount_minor
    """
)
