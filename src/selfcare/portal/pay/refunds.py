"""Money on its way back to the card. Taken out of the books first, sent by a job, finished when the gateway says so.

Whose it was until then: `bill` opens the bill again, `order` is what was paid for and never delivered, `credit` is the
customer's, `goodwill` is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.formats import money
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Journal, Kind
from selfcare.portal.pay import telling
from selfcare.portal.pay.payment import Payment, load
from selfcare.portal.pay.till import Till
from selfcare.ports import failures
from selfcare.ports.jobs import MONEY
from selfcare.ports.payments import Refunded, RefundState

SEND = "pay.refund"
RESEND_FOR = timedelta(hours=20)


class Source(StrEnum):
    BILL = "bill"
    ORDER = "order"
    CREDIT = "credit"
    GOODWILL = "goodwill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    id: UUID
    payment_id: UUID
    customer_id: UUID
    number: int
    amount: Money
    source: Source
    reason: str
    state: str
    gateway_ref: str | None
    created_at: datetime
    sent_at: datetime | None
    done_at: datetime | None

    @property
    def key(self) -> str:
        return f"refund:{self.payment_id}:{self.number}"


async def refund(
    till: Till,
    who: audit.Who,
    payment_id: UUID,
    amount: Money,
    *,
    source: Source,
    reason: str,
) -> Refund:
    """Promises it: the job sends it. Raises Rejected, Conflict or NotFound, and then nothing has moved."""
    async with transaction():
        return await refund_here(till, who, payment_id, amount, source=source, reason=reason)


async def refund_here(
    till: Till, who: audit.Who, payment_id: UUID, amount: Money, *, source: Source, reason: str
) -> Refund:
    """As `refund`, inside the caller's transaction: an order that cannot be delivered gives its money back with it."""
    payment = await load(payment_id)
    left = payment.amount - payment.refunded
    if amount.currency != left.currency or not 0 < amount.minor <= max(left.minor, 0):
        raise Rejected(_("At most %(left)s of this payment can still be given back.") % {"left": money(left)}, "amount")
    bills = {}
    if source is Source.BILL:
        on_bills = [part.target_id for part in payment.parts if part.target == "invoice"]
        bills = await bookkeeping.lock(payment.customer_id, on_bills)
    rows = await execute(RESERVE.bind(id=payment_id, minor=amount.minor))
    if not rows:
        raise Conflict(_refusal(payment))
    number = await _next_number(payment_id)
    id = new_id()
    await execute(
        ADD.bind(
            id=id,
            payment_id=payment_id,
            customer_id=payment.customer_id,
            number=number,
            amount=amount.minor,
            currency=amount.currency,
            source=source,
            reason=reason[:200],
            asked_by=who.actor_id,
            now=clock.now(),
        )
    )
    await _take_back(payment, bills, amount, source, id)
    of_customer = audit.Actor(who.actor_id, who.user_id, who.grant_id, payment.customer_id, who.origin)
    await audit.record(
        of_customer,
        Event.PAY_REFUND_STARTED,
        about=payment_id,
        amount_minor=amount.minor,
        currency=amount.currency,
    )
    await till.jobs.enqueue(SEND, key=f"{SEND}:{id}", payload={"refund_id": str(id)}, priority=MONEY)
    return await load_refund(id)


def _refusal(payment: Payment) -> str:
    if payment.disputed_at is not None:
        return _("The bank is taking this payment back already: giving it back too would double it.")
    return _("This payment cannot be given back.")


async def _next_number(payment_id: UUID) -> int:
    """Nobody else counts meanwhile: the payment's row is ours."""
    rows = await execute(COUNT.bind(payment_id=payment_id))
    return int(rows[0]["count"]) + 1


async def _take_back(
    payment: Payment, bills: dict[UUID, bookkeeping.Locked], amount: Money, source: Source, refund_id: UUID
) -> None:
    of, currency = payment.customer_id, amount.currency
    words = _("Given back to your card (%(reference)s)") % {"reference": payment.reference}
    if source is Source.BILL:
        await _reopen(payment, bills, amount, words)
        out_of = Account(Kind.RECEIVABLE, currency, of)
    else:
        if source is Source.GOODWILL:
            await bookkeeping.add_line("credit", -amount, words, customer_id=of, payment_id=payment.id)
        order = payment.parts[0].target_id if source is Source.ORDER and payment.parts else None
        await bookkeeping.add_line("refund", amount, words, customer_id=of, order_id=order, payment_id=payment.id)
        kinds = {Source.ORDER: Kind.ON_ORDER, Source.CREDIT: Kind.CREDIT}
        kind = kinds.get(source)
        out_of = Account(kind, currency, of) if kind else Account(Kind.GOODWILL, currency)
    entries = ledger.move(amount, to=out_of, out_of=Account(Kind.REFUNDING, currency, of))
    try:
        await ledger.post(Journal(f"refund:{refund_id}", "refund", entries, of, payment.id))
    except ledger.Overdrawn:
        raise Conflict(_("The customer has used this money already.")) from None


async def _reopen(payment: Payment, bills: dict[UUID, bookkeeping.Locked], amount: Money, words: str) -> None:
    """The newest bill opens first: the oldest was paid first."""
    left = amount
    for part in reversed(payment.parts):
        # What was paid on a bill that is void by now became the customer's credit.
        if part.target_id not in bills or bills[part.target_id].state == "void":
            continue
        applied = part.applied or Money.zero(amount.currency)
        taken = min(left, applied, bills[part.target_id].paid)
        if taken:
            await bookkeeping.reopen(bills[part.target_id], taken, payment_id=payment.id, words=words)
            left -= taken
    if left:
        raise Conflict(_("So much of this payment is not on bills."))


async def send_now(till: Till, refund_id: UUID) -> Refund:
    """Asks the gateway, or asks again what became of it. Outside any transaction; as often as one likes."""
    refund = await load_refund(refund_id)
    if refund.state in ("done", "failed"):
        return refund
    payment = await load(refund.payment_id)
    assert payment.charge_ref is not None
    if refund.gateway_ref is not None:
        return await take(till, refund, await till.gateway.get_refund(refund.gateway_ref))
    async with transaction():
        await execute(SENDING.bind(id=refund_id, now=clock.now()))
    if refund.sent_at is not None and clock.now() - refund.sent_at > RESEND_FOR:
        found = await till.gateway.find_refund(payment.charge_ref, refund.key)
        if found is not None:
            return await take(till, refund, found)
    try:
        answer = await till.gateway.refund(payment.charge_ref, refund.amount, payment_id=payment.id, key=refund.key)
    except failures.Declined:
        await _fail(refund)
        return await load_refund(refund_id)
    return await take(till, refund, answer)


async def take(till: Till, refund: Refund, answer: Refunded) -> Refund:
    """What the gateway says of it."""
    if answer.state is RefundState.FAILED:
        await _fail(refund, answer.ref)
    elif answer.state is RefundState.DONE:
        await _finish(till, refund, answer.ref)
    else:
        async with transaction():
            await execute(PENDING.bind(id=refund.id, ref=answer.ref))
    return await load_refund(refund.id)


async def _finish(till: Till, refund: Refund, ref: str) -> None:
    async with transaction():
        if not await execute(DONE.bind(id=refund.id, ref=ref, now=clock.now())):
            return
        payment = await load(refund.payment_id)
        currency = refund.amount.currency
        entries = ledger.move(
            refund.amount,
            to=Account(Kind.REFUNDING, currency, refund.customer_id),
            out_of=Account(Kind.GATEWAY, currency, part=payment.gateway),
        )
        await ledger.post(Journal(f"refunded:{refund.id}", "refunded", entries, refund.customer_id, refund.payment_id))
        await execute(RETURNED.bind(id=refund.payment_id))
        who = audit.system(customer_id=refund.customer_id)
        minor = refund.amount.minor
        await audit.record(who, Event.PAY_REFUNDED, about=refund.payment_id, amount_minor=minor, currency=currency)
        await telling.refunded(till, payment, refund.id, refund.amount)
        await tell_order(till, payment, refund)


async def tell_order(till: Till, payment: Payment, refund: Refund) -> None:
    """Inside the transaction in which its money is back: the order ends with it."""
    if refund.source is Source.ORDER:
        kind = f"{payment.purpose}.refunded"
        payload = {"payment_id": str(payment.id), "order_id": str(payment.parts[0].target_id)}
        await till.jobs.enqueue(kind, key=f"{kind}:{refund.id}", payload=payload, priority=MONEY)


async def _fail(refund: Refund, ref: str | None = None) -> None:
    """The money stays in `refunding` until staff decided. The customer goes on reading that it is on its way."""
    async with transaction():
        if await execute(FAILED.bind(id=refund.id, ref=ref)):
            words = "The gateway could not give the money back."
            await execute(REVIEW.bind(id=refund.payment_id, why=words))
            who = audit.system(customer_id=refund.customer_id)
            await audit.record(who, Event.PAY_REFUND_FAILED, about=refund.payment_id, outcome="failed")
            await audit.record(who, Event.PAY_REVIEW_NEEDED, about=refund.payment_id, reason="refund")


async def load_refund(refund_id: UUID) -> Refund:
    row = await fetch_one(ONE.bind(id=refund_id))
    if row is None:
        raise NotFound
    return _refund(row)


async def list_refunds(payment: Payment) -> list[Refund]:
    return [_refund(row) for row in await fetch(OF_PAYMENT.bind(payment_id=payment.id))]


async def find_by_gateway_ref(ref: str) -> Refund | None:
    row = await fetch_one(BY_REF.bind(ref=ref))
    return _refund(row) if row else None


async def due_again(before: datetime) -> list[UUID]:
    return [row["id"] for row in await fetch(WAITING.bind(before=before))]


def _refund(row: dict[str, Any]) -> Refund:
    plain = {name: value for name, value in row.items() if name not in ("amount_minor", "currency")}
    plain["source"] = Source(row["source"])
    return Refund(**plain, amount=Money(row["amount_minor"], row["currency"]))


RESERVE = Prepared.sql(
    """
    UPDATE payment SET refunded_minor = refunded_minor + :minor,
        state = CASE WHEN refunded_minor + :minor = amount_minor THEN 'refund_due' ELSE state END
    WHERE id = :id AND state IN ('succeeded', 'refund_due') AND disputed_at IS NULL
        AND refunded_minor + :minor <= amount_minor
    RETURNING id
    """
)
COUNT = Prepared.sql("SELECT COUNT(*) AS count FROM refund WHERE payment_id = :payment_id")
ADD = Prepared.sql(
    """
    INSERT INTO refund (id, payment_id, customer_id, number, amount_minor, currency, source, reason, state, asked_by,
        created_at)
    VALUES (:id, :payment_id, :customer_id, :number, :amount, :currency, :source, :reason, 'due', :asked_by, :now)
    """
)
SENDING = Prepared.sql(
    """
    UPDATE refund SET state = 'sending', sent_at = COALESCE(sent_at, :now)
    WHERE id = :id AND state IN ('due', 'sending')
    """
)
PENDING = Prepared.sql(
    "UPDATE refund SET state = 'pending', gateway_ref = :ref WHERE id = :id AND state IN ('due', 'sending', 'pending')"
)
DONE = Prepared.sql(
    """
    UPDATE refund SET state = 'done', gateway_ref = :ref, done_at = :now
    WHERE id = :id AND state IN ('due', 'sending', 'pending') RETURNING id
    """
)
FAILED = Prepared.sql(
    """
    UPDATE refund SET state = 'failed', gateway_ref = COALESCE(gateway_ref, :ref)
    WHERE id = :id AND state <> 'failed' RETURNING id
    """
)
# All of it is promised, and nothing of it is still on its way.
RETURNED = Prepared.sql(
    """
    UPDATE payment SET state = 'refunded' WHERE id = :id AND state = 'refund_due' AND NOT EXISTS (
        SELECT 1 FROM refund WHERE refund.payment_id = payment.id AND refund.state <> 'done'
    )
    """
)
REVIEW = Prepared.sql("UPDATE payment SET state = 'manual_review', review = :why WHERE id = :id")
COLUMNS = """id, payment_id, customer_id, number, amount_minor, currency, source, reason, state, gateway_ref,
    created_at, sent_at, done_at"""
ONE = Prepared.sql(f"SELECT {COLUMNS} FROM refund WHERE id = :id")
OF_PAYMENT = Prepared.sql(f"SELECT {COLUMNS} FROM refund WHERE payment_id = :payment_id ORDER BY number")
BY_REF = Prepared.sql(f"SELECT {COLUMNS} FROM refund WHERE gateway_ref = :ref")
WAITING = Prepared.sql(
    """
    SELECT id FROM refund WHERE state IN ('due', 'sending', 'pending') AND COALESCE(sent_at, created_at) <= :before
    ORDER BY created_at LIMIT 500
    """
)
