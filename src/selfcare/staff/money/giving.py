"""Giving money back or away: up to a limit at once, above it when a second member of staff agrees.

Raises Rejected, Conflict or NotFound, and then nothing has moved.
"""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Journal
from selfcare.portal.billing.ledger import Kind as Books
from selfcare.portal.orders.order import load as load_order
from selfcare.portal.pay import payment, refunds, reviewing, telling
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import Kind
from selfcare.staff.customers import queries

# Whose money staff give back. That of an order goes back with the order: `orders.stuck`.
SOURCES = (Source.GOODWILL, Source.CREDIT, Source.BILL)
HERE = frozenset({Kind.REFUND, Kind.CREDIT, Kind.CHARGE, Kind.OUTSIDE})
_VOID = Prepared.sql(
    """
    UPDATE billing_transaction SET voided_at = :now
     WHERE id = :id AND customer_id = :customer_id AND invoice_id IS NULL AND voided_at IS NULL
       AND kind IN ('charge', 'adjustment') AND payment_id IS NULL AND order_id IS NULL
    RETURNING id
    """
)


def alone(settings: Settings, currency: str) -> Money:
    """What one person may give without asking another."""
    return Money.whole(settings.second_person_above, currency)


async def refund(
    till: Till, settings: Settings, staff: Identity, payment_id: UUID, amount: Money, source: Source, reason: str
) -> bool:
    """True when it is on its way, False when a second person has to agree first."""
    paid = await payment.load(payment_id)
    left = paid.amount - paid.refunded
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise Rejected(_("At most %(left)s of this payment can still be given back.") % {"left": money(left)}, "amount")
    who = queries.of_customer(staff, paid.customer_id)
    async with transaction():
        if amount > alone(settings, amount.currency):
            await approvals.ask(who, Kind.REFUND, reason, amount=amount, about=payment_id, source=source.value)
            return False
        await refund_here(till, who, payment_id, amount, source=source, reason=reason)
    return True


async def refund_here(
    till: Till, who: audit.Who, payment_id: UUID, amount: Money, *, source: Source, reason: str
) -> refunds.Refund:
    """Inside `transaction()`. What an order that is not finished was paid with goes back by way of the order alone: by
    both ways it would go back twice."""
    for part in (await payment.load(payment_id)).parts:
        if part.target == "order" and (order := await load_order(part.target_id)).is_under_way:
            words = _("Order %(reference)s is not finished yet. Its money goes back on the page of the order.")
            raise Conflict(words % {"reference": order.reference})
    if source not in SOURCES:
        raise Conflict(_("The money of an order goes back on the page of the order."))
    return await refunds.refund_here(till, who, payment_id, amount, source=source, reason=reason)


async def adjust(
    till: Till, settings: Settings, staff: Identity, customer_id: UUID, kind: Kind, amount: Money, reason: str
) -> bool:
    """CREDIT is our goodwill: the customer's credit grows. CHARGE comes on the next bill, and the reason is what the
    customer reads there. True when it is done, False when a second person has to agree."""
    await queries.find(customer_id)
    most = Money.whole(settings.most_credit, amount.currency)
    if not 0 < amount.minor <= most.minor:
        raise Rejected(_("Choose more than nothing and at most %(most)s.") % {"most": money(most)}, "amount")
    who = queries.of_customer(staff, customer_id)
    async with transaction():
        if amount > alone(settings, amount.currency):
            await approvals.ask(who, kind, reason, amount=amount)
            return False
        await _adjust(till, who, customer_id, kind, ids.new_id(), amount, reason)
    return True


async def given_outside(till: Till, settings: Settings, staff: Identity, refund_id: UUID, evidence: str) -> bool:
    """A refund the bank refused was given back past this portal. False when a second person has to agree."""
    found = await refunds.load_refund(refund_id)
    who = queries.of_customer(staff, found.customer_id)
    async with transaction():
        if found.amount > alone(settings, found.amount.currency):
            if await approvals.is_asked(Kind.OUTSIDE, refund_id):
                raise Conflict(_("This waits for a second person already."))
            await approvals.ask(who, Kind.OUTSIDE, evidence, amount=found.amount, about=refund_id)
            return False
        await reviewing.given_outside(till, who, refund_id, evidence)
    return True


async def send_again(till: Till, staff: Identity, refund_id: UUID, reason: str) -> None:
    found = await refunds.load_refund(refund_id)
    async with transaction():
        await reviewing.send_again(till, queries.of_customer(staff, found.customer_id), refund_id, reason)


async def nothing_taken(till: Till, staff: Identity, payment_id: UUID, evidence: str) -> None:
    paid = await payment.load(payment_id)
    async with transaction():
        await reviewing.nothing_taken(till, queries.of_customer(staff, paid.customer_id), payment_id, evidence)


async def decide(till: Till, staff: Identity, approval_id: UUID, *, yes: bool) -> None:
    """By somebody else than who asked; a yes moves the money in the same transaction."""
    async with transaction():
        asked = await approvals.decide(staff, approval_id, HERE, yes=yes)
        if not yes or asked.amount is None:
            return
        who = queries.of_customer(staff, asked.customer_id)
        if asked.kind is Kind.OUTSIDE and asked.about is not None:
            await reviewing.given_outside(till, who, asked.about, asked.reason)
        elif asked.about is not None and asked.source is not None:
            source = Source(asked.source)
            await refund_here(till, who, asked.about, asked.amount, source=source, reason=asked.reason)
        else:
            await _adjust(till, who, asked.customer_id, asked.kind, approval_id, asked.amount, asked.reason)


async def void(staff: Identity, customer_id: UUID, line_id: UUID, reason: str) -> None:
    """A charge that stands on no bill yet and that nobody paid. Raises NotFound."""
    async with transaction():
        if not await execute(_VOID.bind(id=line_id, customer_id=customer_id, now=clock.now())):
            raise NotFound
        who = queries.of_customer(staff, customer_id)
        await audit.record(who, Event.BILLING_LINE_VOIDED, about=line_id, reason=reason)


async def _adjust(
    till: Till, who: audit.Actor, customer_id: UUID, kind: Kind, key: UUID, amount: Money, reason: str
) -> None:
    charged = kind is Kind.CHARGE
    what = reason if charged else _("Credit from us")
    if charged:
        await _charge(who, customer_id, key, amount, reason)
    else:
        await _credit(who, customer_id, key, amount, what)
    for user_id in await telling.recipients(customer_id, None):
        await till.messages.send_later(
            Message.BILLING_ADJUSTED,
            to_user=user_id,
            customer_id=customer_id,
            about=key,
            dedupe_key=f"billing.adjusted:{key}:{user_id}",
            amount=amount,
            what=what,
            charged=charged,
            path="/billing/transactions",
        )


async def _charge(who: audit.Actor, customer_id: UUID, key: UUID, amount: Money, words: str) -> None:
    """Not owed before it stands on a bill, so the books learn of it there."""
    await bookkeeping.add_line("adjustment", amount, words, customer_id=customer_id)
    await audit.record(
        who,
        Event.BILLING_CHARGED,
        about=key,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=words,
    )


async def _credit(who: audit.Actor, customer_id: UUID, key: UUID, amount: Money, words: str) -> None:
    await bookkeeping.add_line("credit", -amount, words, customer_id=customer_id)
    own = Account(Books.CREDIT, amount.currency, customer_id)
    entries = ledger.move(amount, to=Account(Books.GOODWILL, amount.currency), out_of=own)
    await ledger.post(Journal(f"goodwill:{key}", "goodwill", entries, customer_id, key))
    await audit.record(
        who,
        Event.BILLING_CREDITED,
        about=key,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason="goodwill",
    )
