"""Lines of bills in question: marked on the bill, and nobody presses for the bill for 14 days.

A line is in question once at a time. What was decided about it stands in the request and, where it was for the
customer, in a credit note.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _

PAUSE = timedelta(days=14)


class Tenant(Protocol):
    @property
    def customer_id(self) -> UUID: ...


async def ask(scope: Tenant, line_id: UUID, request_id: UUID) -> None:
    """Inside `transaction()`. Raises NotFound, or Conflict where the line is in question already."""
    rows = await fetch(_LINE.bind(customer_id=scope.customer_id, line_id=line_id))
    if not rows:
        raise NotFound
    now = clock.now()
    added = await execute(
        _ASK.bind(
            id=new_id(),
            customer_id=scope.customer_id,
            invoice_id=rows[0]["invoice_id"],
            line_id=line_id,
            request_id=request_id,
            now=now,
            paused_until=now + PAUSE,
        )
    )
    if not added:
        raise Conflict(_("We are looking at this line already."))


async def close(request_id: UUID) -> None:
    """Inside `transaction()`; nothing where the request put no line in question."""
    await execute(_CLOSE.bind(request_id=request_id, now=clock.now()))


async def note_credit(request_id: UUID, net: Money, tax: Money) -> None:
    """What the decision took off the line; in its transaction."""
    await execute(_CREDITED.bind(request_id=request_id, net=net.minor, tax=tax.minor))


async def open_lines(scope: Tenant, invoice_id: UUID) -> dict[UUID, UUID]:
    """The lines of a bill that are in question, and the requests about them."""
    rows = await fetch(_OPEN.bind(customer_id=scope.customer_id, invoice_id=invoice_id))
    return {row["line_id"]: row["request_id"] for row in rows}


async def paused_bills(scope: Tenant, now: datetime) -> frozenset[UUID]:
    """The bills nobody presses for at this moment: no reminder, no collecting by itself."""
    rows = await fetch(_PAUSED.bind(customer_id=scope.customer_id, now=now))
    return frozenset(row["invoice_id"] for row in rows)


_LINE = Prepared.sql(
    """
    SELECT t.invoice_id AS invoice_id FROM billing_transaction t
      JOIN invoice i ON i.id = t.invoice_id AND i.customer_id = t.customer_id
     WHERE t.customer_id = :customer_id AND t.id = :line_id AND t.voided_at IS NULL AND t.kind = 'charge'
       AND i.kind = 'regular' AND i.state IN ('issued', 'settled')
    """
)
_ASK = Prepared.sql(
    """
    INSERT INTO bill_question (id, customer_id, invoice_id, line_id, request_id, asked_at, paused_until)
    VALUES (:id, :customer_id, :invoice_id, :line_id, :request_id, :now, :paused_until)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_CLOSE = Prepared.sql("UPDATE bill_question SET closed_at = :now WHERE request_id = :request_id AND closed_at IS NULL")
_CREDITED = Prepared.sql(
    """
    UPDATE bill_question SET credited_net_minor = :net, credited_tax_minor = :tax WHERE request_id = :request_id
    """
)
_OPEN = Prepared.sql(
    """
    SELECT line_id, request_id FROM bill_question
     WHERE customer_id = :customer_id AND invoice_id = :invoice_id AND closed_at IS NULL LIMIT 200
    """
)
_PAUSED = Prepared.sql(
    """
    SELECT DISTINCT invoice_id FROM bill_question
     WHERE customer_id = :customer_id AND closed_at IS NULL AND paused_until > :now LIMIT 200
    """
)
