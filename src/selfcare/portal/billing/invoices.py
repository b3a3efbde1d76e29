"""What a bill asks for and how far it is paid. Derived at every reading, stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from selfcare.kernel.money import Money
from selfcare.kernel.values import named_value, value
from selfcare.kernel.words import _, ngettext


class Label(StrEnum):
    VOID = "void"
    CREDIT_NOTE = "credit_note"
    PROFORMA = "proforma"
    PAID = "paid"
    ON_ITS_WAY = "on_its_way"
    OVERDUE = "overdue"
    PART_PAID = "part_paid"
    UNPAID = "unpaid"


@named_value
class Bill:
    """The columns of an invoice that say what is owed, and what open payments are about to bring."""

    currency: str
    net_minor: int
    tax_minor: int
    paid_minor: int
    due_on: date
    state: str = "issued"
    kind: str = "regular"
    on_its_way_minor: int = 0

    @property
    def total(self) -> Money:
        return Money(self.net_minor + self.tax_minor, self.currency)

    @property
    def remaining(self) -> Money:
        """What is still to be paid; below zero when more came in than was asked."""
        return Money(self.net_minor + self.tax_minor - self.paid_minor, self.currency)

    @property
    def is_payable(self) -> bool:
        return self.state == "issued" and self.kind != "credit_note" and self.remaining.minor > 0

    def is_overdue(self, today: date) -> bool:
        """`today` is the date in the operator's billing zone. Due today is not overdue."""
        return self.is_owed and self.due_on < today

    @property
    def is_owed(self) -> bool:
        """A pro-forma may be paid, and need not be."""
        return self.is_payable and self.kind != "proforma"


@value
class AmountDue:
    """At most one of the two is above zero."""

    due: Money
    credit: Money


def label_of(bill: Bill, today: date) -> Label:
    """`today` is the date in the operator's billing zone. Due today is not overdue."""
    if bill.state == "void":
        return Label.VOID
    if bill.kind == "credit_note":
        return Label.CREDIT_NOTE
    if bill.remaining.minor <= 0:
        return Label.PAID
    if bill.on_its_way_minor >= bill.remaining.minor:
        return Label.ON_ITS_WAY
    if bill.kind == "proforma":
        # An offer to pay early: never overdue.
        return Label.PART_PAID if bill.paid_minor > 0 else Label.PROFORMA
    if bill.due_on < today:
        return Label.OVERDUE
    return Label.PART_PAID if bill.paid_minor > 0 else Label.UNPAID


def words(label: Label) -> str:
    return {
        Label.VOID: _("Void"),
        Label.CREDIT_NOTE: _("Credit note"),
        Label.PROFORMA: _("Pro-forma"),
        Label.PAID: _("Paid"),
        Label.ON_ITS_WAY: _("Payment on its way"),
        Label.OVERDUE: _("Overdue"),
        Label.PART_PAID: _("Part paid"),
        Label.UNPAID: _("Unpaid"),
    }[label]


def due_words(bill: Bill, today: date) -> str | None:
    """ "Due in 3 days", "Due today", "5 days overdue"; None when nothing is to be paid."""
    if not bill.is_payable or bill.kind == "proforma":
        return None
    days = (bill.due_on - today).days
    if days == 0:
        return _("Due today")
    if days > 0:
        return ngettext("Due in %(n)s day", "Due in %(n)s days", days) % {"n": days}
    return ngettext("%(n)s day overdue", "%(n)s days overdue", -days) % {"n": -days}


def amount_due(bills: Iterable[Bill], *, credit: Money) -> AmountDue:
    """What the customer owes over all issued bills after their credit. Credit beyond that stays credit.

    A pro-forma is an offer to pay early, not a debt. An overpaid bill is not negative debt: the surplus is in `credit`.
    """
    owed = Money(sum(_owed_minor(bill) for bill in bills), credit.currency)
    nothing = Money.zero(credit.currency)
    left = owed - credit
    return AmountDue(due=max(left, nothing), credit=max(-left, nothing))


def _owed_minor(bill: Bill) -> int:
    if bill.state != "issued" or bill.kind == "proforma":
        return 0
    if bill.kind == "credit_note":
        return min(bill.remaining.minor, 0)
    return max(bill.remaining.minor, 0)
