"""Switching on again what was suspended for payment: by itself, once everything overdue is paid or promised."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid5

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, as_moment, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.requests import requests
from selfcare.portal.account.requests.kinds import Kind
from selfcare.portal.account.requests.requests import Wish
from selfcare.portal.account.requests.things import About
from selfcare.portal.orders.network import set_up
from selfcare.portal.orders.outcome import Result
from selfcare.portal.pay import telling
from selfcare.ports.messages import Messages
from selfcare.ports.provisioning import Action, Provisioning, Work

AT_ONCE = 500
# It is promised to be on again after so long.
PROMISED = timedelta(minutes=10)
SINCE = ("paid_at", "topped_up_at", "promised_at", "suspended_at")


async def resume_paid(network: Provisioning, messages: Messages, today: date, *, by_request: bool = True) -> int:
    """What was paid or topped up since it was suspended, and owes nothing any more or promised. How many are on again.

    The network switches it on; where that does not come about in time, a request to us is opened (`by_request`).
    """
    resumed, now = 0, clock.now()
    for row in await fetch(_READY.bind(today=today, most=AT_ONCE)):
        outcome = await set_up(network, _work(row))
        if outcome.result is Result.DONE:
            resumed += await _resume(messages, row["id"], row["customer_id"], today)
        elif by_request and now - max(row[at] for at in SINCE if row[at]) >= PROMISED:
            await _ask_us(messages, row)
    return resumed


def _work(row: Row) -> Work:
    return Work(
        id=uuid5(row["id"], f"resume/{row['suspended_at'].isoformat()}"),
        customer_id=row["customer_id"],
        service_id=row["id"],
        action=Action.RESUME,
        what=row["name"],
    )


async def _ask_us(messages: Messages, row: Row) -> None:
    """Once for each time it was suspended, in the name of whoever owns the account."""
    owner = next(iter(await telling.recipients(row["customer_id"], None)), None)
    if owner is None:
        return
    if row["promised_at"]:
        words = _("It was suspended for a missing payment. Payment is promised, and it is not on again by itself.")
    else:
        words = _("It was suspended for a missing payment. Everything is paid, and it is not on again by itself.")
    wish = Wish(Kind.PROVISIONING, words, About(row["id"], row["name"]))
    key = f"resume:{row['id']}:{row['suspended_at']:%Y%m%d%H%M%S}"
    async with transaction():
        await requests.make_here(audit.system(customer_id=row["customer_id"], user_id=owner), wish, key, messages)


async def _resume(messages: Messages, service_id: UUID, customer_id: UUID, today: date) -> bool:
    async with transaction():
        back = await execute(_RESUME.bind(id=service_id, today=today))
        if not back:
            return False
        promised = await execute(_PROMISE.bind(customer_id=customer_id))
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
                until=promised[0]["pay_by"] if promised else None,
                path=f"/services/{service_id}",
            )
    return True


# Only what this portal saw paid: a suspension that came from elsewhere is ended from there.
_IS_PAID = """
    s.state = 'suspended' AND s.suspend_reason = 'payment' AND s.suspended_at IS NOT NULL
    AND (EXISTS (SELECT 1 FROM payment_promise q WHERE q.customer_id = s.customer_id AND q.state = 'open')
    OR NOT EXISTS (SELECT 1 FROM invoice i WHERE i.customer_id = s.customer_id AND i.state = 'issued'
        AND i.kind = 'regular' AND i.due_on < :today AND i.net_minor + i.tax_minor > i.paid_minor)
    AND (EXISTS (SELECT 1 FROM payment p WHERE p.customer_id = s.customer_id AND p.purpose = 'invoice'
            AND p.state = 'succeeded' AND p.settled_at >= s.suspended_at)
        OR EXISTS (SELECT 1 FROM purchase_order o WHERE o.service_id = s.id AND o.state = 'delivered'
            AND o.kind IN ('topup', 'voucher', 'promise') AND o.delivered_at >= s.suspended_at)))
"""
_READY = Prepared.sql(
    f"""
    SELECT s.id AS id, s.customer_id AS customer_id, COALESCE(s.nickname, s.name) AS name,
           s.suspended_at AS suspended_at,
           (SELECT MAX(p.settled_at) FROM payment p WHERE p.customer_id = s.customer_id AND p.purpose = 'invoice'
               AND p.state = 'succeeded') AS paid_at,
           (SELECT MAX(o.delivered_at) FROM purchase_order o WHERE o.service_id = s.id AND o.state = 'delivered'
               AND o.kind IN ('topup', 'voucher', 'promise')) AS topped_up_at,
           (SELECT q.asked_at FROM payment_promise q WHERE q.customer_id = s.customer_id AND q.state = 'open')
               AS promised_at
      FROM service s WHERE {_IS_PAID} ORDER BY s.id LIMIT :most
    """,
    types=dict.fromkeys(("paid_at", "topped_up_at", "promised_at"), as_moment),
)
_RESUME = Prepared.sql(
    f"""
    UPDATE service SET state = 'active', suspend_reason = NULL, suspended_at = NULL
     WHERE id = :id AND state = 'suspended' AND id IN (SELECT s.id FROM service s WHERE s.id = :id AND {_IS_PAID})
    RETURNING name, nickname
    """
)
_PROMISE = Prepared.sql("SELECT pay_by FROM payment_promise WHERE customer_id = :customer_id AND state = 'open'")
