"""Switching on again what was suspended for payment: by itself, once everything overdue is paid."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.messages.events import Message
from selfcare.portal.pay import telling
from selfcare.ports.messages import Messages

AT_ONCE = 500


async def resume_paid(messages: Messages, today: date) -> int:
    """What was paid or topped up since it was suspended, and owes nothing any more. How many are on again."""
    rows = await fetch(_READY.bind(today=today, most=AT_ONCE))
    return sum([await _resume(messages, row["id"], row["customer_id"], today) for row in rows])


async def _resume(messages: Messages, service_id: UUID, customer_id: UUID, today: date) -> bool:
    async with transaction():
        back = await execute(_RESUME.bind(id=service_id, today=today))
        if not back:
            return False
        who = audit.system(customer_id=customer_id)
        await audit.record(who, Event.SERVICES_RESUMED, about=service_id)
        for user_id in await telling.recipients(customer_id, None):
            await messages.send_later(
                Message.SERVICE_RESUMED,
                dedupe_key=f"service.resumed:{service_id}:{clock.now().isoformat()}:{user_id}",
                to_user=user_id,
                customer_id=customer_id,
                about=service_id,
                service=back[0]["nickname"] or back[0]["name"],
                at=clock.now(),
                path=f"/services/{service_id}",
            )
    return True


# Only what this portal saw paid: a suspension that came from elsewhere is ended from there.
_IS_PAID = """
    s.state = 'suspended' AND s.suspend_reason = 'payment' AND s.suspended_at IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.customer_id = s.customer_id AND i.state = 'issued'
        AND i.kind = 'regular' AND i.due_on < :today AND i.net_minor + i.tax_minor > i.paid_minor)
    AND (EXISTS (SELECT 1 FROM payment p WHERE p.customer_id = s.customer_id AND p.purpose = 'invoice'
            AND p.state = 'succeeded' AND p.settled_at >= s.suspended_at)
        OR EXISTS (SELECT 1 FROM purchase_order o WHERE o.service_id = s.id AND o.state = 'delivered'
            AND o.kind IN ('topup', 'voucher', 'promise') AND o.delivered_at >= s.suspended_at))
"""
_READY = Prepared.sql(
    f"SELECT s.id AS id, s.customer_id AS customer_id FROM service s WHERE {_IS_PAID} ORDER BY s.id LIMIT :most"
)
_RESUME = Prepared.sql(
    f"""
    UPDATE service SET state = 'active', suspend_reason = NULL, suspended_at = NULL
     WHERE id = :id AND state = 'suspended' AND id IN (SELECT s.id FROM service s WHERE s.id = :id AND {_IS_PAID})
    RETURNING name, nickname
    """
)
