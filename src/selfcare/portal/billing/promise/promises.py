"""A promise to pay what is overdue by a day: until then nothing is off for it. Once a month, by who kept the last one.

It moves no money and no due date. While it is open, `services.resuming` switches on what is suspended for payment.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_many
from selfcare.formats import day
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotAllowed
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

log = logging.getLogger(__name__)

# After one that was not kept the next one is possible only then.
AFTER_A_BROKEN_ONE = timedelta(days=180)
AT_ONCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`refusal` says why nothing can be promised now. `promised_for`: the day of the promise that is open."""

    overdue: Money
    pay_by: date
    refusal: str | None = None
    promised_for: date | None = None


async def find_open(scope: CustomerScope) -> date | None:
    """The day until which it is promised."""
    rows = await fetch(_OPEN.bind(customer_id=scope.customer_id))
    return rows[0]["pay_by"] if rows else None


async def standing(scope: CustomerScope, days: int) -> Standing:
    today = clock.today(scope.zone)
    overdue, latest, disputed = await fetch_many(
        _OVERDUE.bind(customer_id=scope.customer_id, currency=scope.currency, today=today),
        _LATEST.bind(customer_id=scope.customer_id),
        _DISPUTED.bind(customer_id=scope.customer_id),
    )
    amount = Money(overdue[0]["amount"], scope.currency)
    found = Standing(overdue=amount, pay_by=today + timedelta(days=days))
    last = latest[0] if latest else None
    if last and last["state"] == "open":
        words = _("You have promised to pay by %(day)s.") % {"day": day(last["pay_by"])}
        return _refused(found, words, promised_for=last["pay_by"])
    if not amount:
        return _refused(found, _("Nothing is overdue."))
    if scope.customer_status != "open" or disputed:
        return _refused(found, _("This account cannot promise to pay later now. Please call us."))
    if last and last["state"] == "broken" and (again := last["pay_by"] + AFTER_A_BROKEN_ONE) > today:
        words = _("The last promise was not kept. You can promise again from %(day)s.")
        return _refused(found, words % {"day": day(again)})
    if last and last["month"] == today.replace(day=1):
        again = (last["month"] + timedelta(days=31)).replace(day=1)
        return _refused(found, _("You can promise once a month: again from %(day)s.") % {"day": day(again)})
    return found


async def promise(identity: Identity, days: int, shown: str, *, messages: Messages) -> date:
    """The day. `shown` is what stood on the page (`shown_of`). Raises NotAllowed or Conflict with why not."""
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    scope = identity.customer
    found = await standing(scope, days)
    if found.promised_for is not None:
        # The button was pressed twice.
        return found.promised_for
    if found.refusal:
        raise Conflict(found.refusal)
    if shown != shown_of(found):
        raise Conflict(_("What is overdue has changed meanwhile. Please look again."))
    id, now = new_id(), clock.now()
    today = clock.today(scope.zone)
    about = {"customer_id": scope.customer_id, "month": today.replace(day=1), "today": today, "pay_by": found.pay_by}
    cost = {"amount": found.overdue.minor, "currency": found.overdue.currency}
    async with transaction():
        if not await execute(_ADD.bind(id=id, asked_by=identity.user_id, now=now, **about, **cost)):
            raise Conflict(_("You have promised already."))
        await audit.record(
            identity, Event.BILLING_PROMISED, about=id, amount_minor=cost["amount"], currency=cost["currency"]
        )
        await messages.send_later(
            Message.BILL_PROMISED,
            dedupe_key=f"bill.promised:{id}",
            to_user=identity.user_id,
            customer_id=scope.customer_id,
            about=id,
            amount=found.overdue,
            until=found.pay_by,
            path="/billing",
        )
    return found.pay_by


def shown_of(found: Standing) -> str:
    return f"{found.overdue.minor}/{found.pay_by.isoformat()}"


async def end_due(messages: Messages, today: date) -> None:
    """Kept, as soon as nothing is left that was overdue then; broken, when the day has passed."""
    for row in await fetch(_ENDING.bind(today=today, most=AT_ONCE)):
        try:
            await _end(messages, row)
        except Exception:
            log.exception("could not end a promise to pay", extra={"about": str(row["id"])})


async def _end(messages: Messages, row: Row) -> None:
    state = "broken" if row["still_open"] else "kept"
    async with transaction():
        if not await execute(_END.bind(id=row["id"], state=state, now=clock.now())):
            return
        who = audit.system(customer_id=row["customer_id"])
        if state == "kept":
            await audit.record(who, Event.BILLING_PROMISE_KEPT, about=row["id"])
            return
        await audit.record(who, Event.BILLING_PROMISE_BROKEN, about=row["id"], outcome="failed")
        await messages.send_later(
            Message.BILL_PROMISE_BROKEN,
            dedupe_key=f"bill.promise_broken:{row['id']}",
            to_user=row["asked_by"],
            customer_id=row["customer_id"],
            about=row["id"],
            amount=Money(row["amount_minor"], row["currency"]),
            until=row["pay_by"],
            path="/billing",
        )


def _refused(found: Standing, words: str, *, promised_for: date | None = None) -> Standing:
    return Standing(overdue=found.overdue, pay_by=found.pay_by, refusal=words, promised_for=promised_for)


_OVERDUE = Prepared.sql(
    """
    SELECT COALESCE(SUM(net_minor + tax_minor - paid_minor), 0) AS amount FROM invoice
     WHERE customer_id = :customer_id AND currency = :currency AND state = 'issued' AND kind = 'regular'
       AND due_on < :today AND net_minor + tax_minor > paid_minor
    """,
    types={"amount": int},
)
_LATEST = Prepared.sql(
    """
    SELECT state, month, pay_by FROM payment_promise WHERE customer_id = :customer_id ORDER BY asked_at DESC LIMIT 1
    """
)
_OPEN = Prepared.sql("SELECT pay_by FROM payment_promise WHERE customer_id = :customer_id AND state = 'open'")
_DISPUTED = Prepared.sql("SELECT id FROM payment WHERE customer_id = :customer_id AND disputed_at IS NOT NULL LIMIT 1")
_ADD = Prepared.sql(
    """
    INSERT INTO payment_promise (id, customer_id, month, due_before, pay_by, amount_minor, currency, asked_by,
        asked_at, state)
    VALUES (:id, :customer_id, :month, :today, :pay_by, :amount, :currency, :asked_by, :now, 'open')
    ON CONFLICT DO NOTHING RETURNING id
    """
)
# What became due after the promise was given is another matter.
_ENDING = Prepared.sql(
    """
    SELECT * FROM (
        SELECT p.id AS id, p.customer_id AS customer_id, p.pay_by AS pay_by, p.amount_minor AS amount_minor,
               p.currency AS currency, p.asked_by AS asked_by, p.asked_at AS asked_at,
               EXISTS (SELECT 1 FROM invoice i WHERE i.customer_id = p.customer_id AND i.state = 'issued'
                   AND i.kind = 'regular' AND i.due_on < p.due_before AND i.net_minor + i.tax_minor > i.paid_minor)
               AS still_open
          FROM payment_promise p WHERE p.state = 'open'
    ) q WHERE q.pay_by < :today OR NOT q.still_open ORDER BY q.asked_at LIMIT :most
    """,
    types={"still_open": bool},
)
_END = Prepared.sql(
    "UPDATE payment_promise SET state = :state, ended_at = :now WHERE id = :id AND state = 'open' RETURNING id"
)
