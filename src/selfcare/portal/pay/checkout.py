"""What is about to be paid, as it is shown before anybody pays: bills, credit first, then a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import queries as billing
from selfcare.portal.billing.queries import InvoiceRow
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import Card
from selfcare.portal.cards.expiry import Expiry
from selfcare.portal.pay import payments, splitting
from selfcare.portal.pay.till import Till

NEW_CARD = "new"


class PaidAlready(Conflict):
    """By this payment, in another tab or by somebody else."""

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(_("This is paid already."))
        self.payment_id = payment_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """`credit` is taken first, `by_card` is the rest. Of one bill a part from `least` up may be paid."""

    bills: tuple[InvoiceRow, ...]
    total: Money
    credit: Money
    by_card: Money
    least: Money
    cards: tuple[Card, ...]

    @property
    def ids(self) -> list[UUID]:
        return [bill.id for bill in self.bills]

    @property
    def card_choices(self) -> list[str]:
        return [*(str(card.id) for card in self.cards), NEW_CARD]


async def checkout(till: Till, scope: CustomerScope, wanted: Sequence[UUID], *, today: date) -> Checkout:
    """For these bills, or for all that can be paid. Raises NotFound for a bill of somebody else, OnItsWay for one that
    is being paid, PaidAlready, and Conflict where nothing of it can be paid any more."""
    open_bills = {bill.id: bill for bill in await billing.open_bills(scope, today=today) if bill.bill.is_payable}
    for one in wanted:
        if one not in open_bills:
            # Somebody else's is not found; our own is paid or void.
            await billing.get_invoice(scope, one, today=today)
    chosen = [open_bills[one] for one in dict.fromkeys(wanted) if one in open_bills] if wanted else _free(open_bills)
    if not chosen:
        if len(wanted) == 1 and (paid := await payments.find_paid(scope.customer_id, wanted[0])):
            raise PaidAlready(paid)
        raise Conflict(_("There is nothing to pay here: what you asked for is paid or cancelled."))
    for bill in chosen:
        if bill.payment_id is not None:
            raise payments.OnItsWay(bill.payment_id)
    chosen = sorted(chosen, key=lambda bill: (bill.due_on, bill.number))[: payments.MOST_BILLS]
    total = sum((bill.bill.remaining for bill in chosen[1:]), chosen[0].bill.remaining)
    split = await splitting.credit_first(till, scope.customer_id, total)
    known = await cards.list_cards(scope.customer_id)
    return Checkout(
        bills=tuple(chosen),
        total=total,
        credit=split.credit,
        by_card=split.by_card,
        least=min(till.gateway.limits(total.currency).least, total),
        cards=tuple(card for card in known if card.expiry(today) is not Expiry.EXPIRED),
    )


def _free(bills: dict[UUID, InvoiceRow]) -> list[InvoiceRow]:
    """What is owed and nobody is paying already; all of one currency, because one payment has one."""
    free = [bill for bill in bills.values() if bill.bill.is_owed and bill.payment_id is None]
    return [bill for bill in free if bill.bill.currency == free[0].bill.currency]
