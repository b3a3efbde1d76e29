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
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.money import Money, exponent
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Journal
from selfcare.portal.billing.ledger import Kind as Books
from selfcare.portal.pay import payment, refunds
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import MONEY, Kind
from selfcare.staff.customers import queries

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
    return Money(settings.second_person_above * 10 ** exponent(currency), currency)


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
        await refunds.refund_here(till, who, payment_id, amount, source=source, reason=reason)
    return True


async def credit(settings: Settings, staff: Identity, customer_id: UUID, amount: Money, reason: str) -> bool:
    """Our goodwill: the customer's credit grows. True when it is there, False when a second person has to agree."""
    await queries.find(customer_id)
    most = Money(settings.most_credit * 10 ** exponent(amount.currency), amount.currency)
    if not 0 < amount.minor <= most.minor:
        raise Rejected(_("Give more than nothing and at most %(most)s.") % {"most": money(most)}, "amount")
    who = queries.of_customer(staff, customer_id)
    async with transaction():
        if amount > alone(settings, amount.currency):
            await approvals.ask(who, Kind.CREDIT, reason, amount=amount)
            return False
        await _credit(who, customer_id, ids.new_id(), amount)
    return True


async def decide(till: Till, staff: Identity, approval_id: UUID, *, yes: bool) -> None:
    """By somebody else than who asked; a yes moves the money in the same transaction."""
    async with transaction():
        asked = await approvals.decide(staff, approval_id, MONEY, yes=yes)
        if not yes or asked.amount is None:
            return
        who = queries.of_customer(staff, asked.customer_id)
        if asked.about is not None and asked.source is not None:
            source = Source(asked.source)
            await refunds.refund_here(till, who, asked.about, asked.amount, source=source, reason=asked.reason)
        else:
            await _credit(who, asked.customer_id, approval_id, asked.amount)


async def void(staff: Identity, customer_id: UUID, line_id: UUID, reason: str) -> None:
    """A charge that stands on no bill yet and that nobody paid. Raises NotFound."""
    async with transaction():
        if not await execute(_VOID.bind(id=line_id, customer_id=customer_id, now=clock.now())):
            raise NotFound
        who = queries.of_customer(staff, customer_id)
        await audit.record(who, Event.BILLING_LINE_VOIDED, about=line_id, reason=reason)


async def _credit(who: audit.Actor, customer_id: UUID, key: UUID, amount: Money) -> None:
    words = _("Credit from us")
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
