"""Orders in the books: what was paid waits in `on_order` until it is delivered and earned, or given back."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.db.prepared import Prepared, execute
from selfcare.formats import money
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Entry, Journal
from selfcare.portal.billing.ledger import Kind as Books
from selfcare.portal.orders.order import Kind, Order, load
from selfcare.portal.pay import payments, refunds
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till


@dataclass(frozen=True, slots=True)
class Back:
    by_card: Money
    as_credit: Money


def system(order: Order) -> audit.Actor:
    return audit.system(customer_id=order.customer_id, user_id=order.asked_by)


async def paid_by(order: Order) -> UUID | None:
    """The payment: of a part that of its bundle."""
    if order.parent_id is None:
        return order.payment_id
    return (await load(order.parent_id)).payment_id


async def earn(order: Order) -> None:
    """Delivered: inside the transaction that says so. Of a bundle each part is earned by itself."""
    if not order.price or order.kind is Kind.BUNDLE:
        return
    currency, tax, now = order.price.currency, order.tax, clock.now()
    entries = [
        Entry(Account(Books.ON_ORDER, currency, order.customer_id), order.price.minor),
        Entry(Account(Books.SALES, currency), -(order.price - tax).minor),
        Entry(Account(Books.TAX, currency), -tax.minor),
    ]
    await ledger.post(Journal(f"order:{order.id}", "order", entries, order.customer_id, order.id))
    await execute(
        _CHARGE.bind(
            id=new_id(),
            customer_id=order.customer_id,
            now=now,
            description=f"{order.name} ({order.reference})"[:200],
            net=(order.price - tax).minor,
            tax=tax.minor,
            permille=order.tax_permille,
            currency=currency,
            service_id=order.service_id if order.owner_id is None else None,
            order_id=order.id,
        )
    )


async def give_back(till: Till, order: Order, reason: str) -> Back:
    """All that was paid for it: the card's share by a refund, the rest as credit. Raises Conflict where the bank or
    staff have the payment in hand."""
    payment_id = await paid_by(order)
    assert payment_id is not None
    payment = await payments.load(payment_id)
    nothing = Money.zero(order.price.currency)
    paid = order.price if order.parent_id is not None else payment.parts[0].applied or nothing
    by_card = min(paid, payment.amount - payment.refunded)
    as_credit = paid - by_card
    if by_card:
        try:
            refund = await refunds.refund_here(
                till, system(order), payment.id, by_card, source=Source.ORDER, reason=reason or "not delivered"
            )
        except Rejected as refused:
            raise Conflict(refused.message) from None
        await execute(_GIVEN_BACK.bind(id=order.id, refund_id=refund.id))
    if as_credit:
        entries = ledger.move(
            as_credit,
            to=Account(Books.ON_ORDER, as_credit.currency, order.customer_id),
            out_of=Account(Books.CREDIT, as_credit.currency, order.customer_id),
        )
        await ledger.post(Journal(f"order_back:{order.id}", "order_back", entries, order.customer_id, order.id))
        words = _("%(amount)s of %(reference)s given back") % {
            "amount": money(as_credit),
            "reference": order.reference,
        }
        # A payment moved it from the credit to the order; these two move it back and show it.
        await bookkeeping.add_line(
            "refund",
            as_credit,
            words,
            customer_id=order.customer_id,
            order_id=order.id,
            payment_id=payment.id,
        )
        await bookkeeping.add_line(
            "credit", -as_credit, _("Kept as your credit"), customer_id=order.customer_id, payment_id=payment.id
        )
    return Back(by_card, as_credit)


_GIVEN_BACK = Prepared.sql("UPDATE purchase_order SET refund_id = :refund_id WHERE id = :id")
_CHARGE = Prepared.sql(
    """
    INSERT INTO billing_transaction (id, customer_id, at, kind, description, quantity, amount_minor, tax_permille,
        tax_minor, currency, service_id, order_id, created_at)
    VALUES (:id, :customer_id, :now, 'charge', :description, 1, :net, :permille, :tax, :currency, :service_id,
        :order_id, :now)
    """
)
