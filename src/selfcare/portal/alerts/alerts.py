"""Which conditions deserve a person's attention now, the most costly first. An alert is true or absent, never sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from selfcare.kernel.money import Money
from selfcare.kernel.values import named_value, value
from selfcare.kernel.words import _
from selfcare.portal.billing.invoices import Bill, Label, due_words, label_of
from selfcare.portal.cards.expiry import Expiry, expiry_of
from selfcare.portal.services.services import Life, Mark, status_of
from selfcare.portal.usage.allowances import Allowance


class Kind(StrEnum):
    """In the order of what it costs to overlook it."""

    OVERDUE = "overdue"
    SUSPENDED = "suspended"
    PAYMENT_FAILED = "payment_failed"
    USED_UP = "used_up"
    LOW = "low"
    EXPIRING = "expiring"
    UNPAID = "unpaid"
    CARD_EXPIRED = "card_expired"
    CARD_EXPIRING = "card_expiring"
    VERIFY_EMAIL = "verify_email"


ORDER = tuple(Kind)
LOW_KINDS = frozenset({"data", "voice", "sms", "money"})


@value
class ABill:
    id: UUID
    number: str
    bill: Bill


@value
class AService:
    id: UUID
    name: str
    life: Life
    allowances: tuple[Allowance, ...] = ()


@value
class ACard:
    """Only cards that are needed: the default one and those that would be tried after it."""

    id: UUID
    name: str
    exp_month: int
    exp_year: int


@value
class AFailedPayment:
    """A bill that no card paid by itself; `id` is the bill's."""

    id: UUID
    number: str
    amount: Money


@named_value
class Facts:
    bills: Iterable[ABill] = ()
    services: Iterable[AService] = ()
    cards: Iterable[ACard] = ()
    failed_payments: Iterable[AFailedPayment] = ()
    email_verified: bool = True
    user_id: UUID | None = None


@value
class Alert:
    """`about` is the id of the bill, service, card, payment or user; `amount` is what the action would cost."""

    kind: Kind
    about: UUID | None
    title: str
    detail: str | None = None
    amount: Money | None = None
    at: datetime | date | None = field(default=None)

    @property
    def key(self) -> str:
        """Names the condition, so that a dismissal holds for this one and not for the next of its kind."""
        return f"{self.kind}:{self.about or ''}"


def alerts_for(facts: Facts, *, now: datetime, today: date) -> list[Alert]:
    """`today` is the date in the operator's billing zone."""
    found = [
        *_bill_alerts(facts.bills, today),
        *_service_alerts(facts.services, now),
        *_payment_alerts(facts.failed_payments),
        *_card_alerts(facts.cards, today),
    ]
    if not facts.email_verified:
        found.append(Alert(Kind.VERIFY_EMAIL, facts.user_id, _("Confirm your e-mail address")))
    return sorted(found, key=lambda alert: ORDER.index(alert.kind))


def _bill_alerts(bills: Iterable[ABill], today: date) -> Iterable[Alert]:
    kinds = {Label.OVERDUE: Kind.OVERDUE, Label.UNPAID: Kind.UNPAID, Label.PART_PAID: Kind.UNPAID}
    titles = {Kind.OVERDUE: _("Bill %(number)s is overdue"), Kind.UNPAID: _("Bill %(number)s is waiting to be paid")}
    for each in sorted(bills, key=lambda each: each.bill.due_on):
        kind = kinds.get(label_of(each.bill, today))
        if kind and each.bill.is_payable:
            title = titles[kind] % {"number": each.number}
            detail = due_words(each.bill, today)
            yield Alert(kind, each.id, title, detail, amount=each.bill.remaining, at=each.bill.due_on)


def _service_alerts(services: Iterable[AService], now: datetime) -> Iterable[Alert]:
    for each in services:
        status = status_of(each.life, now)
        if status.mark is Mark.SUSPENDED:
            title = _("%(service)s is suspended") % {"service": each.name}
            yield Alert(Kind.SUSPENDED, each.id, title, status.why)
        elif status.mark is Mark.EXPIRING_SOON and not each.life.renews:
            title = _("%(service)s ends soon") % {"service": each.name}
            yield Alert(Kind.EXPIRING, each.id, title, status.why, at=each.life.ends_at)
        if status.is_running:
            yield from _usage_alerts(each)


def _usage_alerts(service: AService) -> Iterable[Alert]:
    for allowance in service.allowances:
        if allowance.kind not in LOW_KINDS or allowance.scope != "any" or not allowance.buckets:
            continue
        if allowance.is_used_up:
            yield Alert(Kind.USED_UP, service.id, _used_up_title(allowance.kind), service.name)
        elif allowance.is_low:
            yield Alert(Kind.LOW, service.id, _low_title(allowance.kind), service.name)


def _payment_alerts(payments: Iterable[AFailedPayment]) -> Iterable[Alert]:
    for each in payments:
        detail = _("No card could pay bill %(number)s, so it is still open.") % {"number": each.number}
        yield Alert(Kind.PAYMENT_FAILED, each.id, _("Automatic payment failed"), detail, amount=each.amount)


def _card_alerts(cards: Iterable[ACard], today: date) -> Iterable[Alert]:
    for each in cards:
        expiry = expiry_of(each.exp_month, each.exp_year, today)
        if expiry is Expiry.EXPIRED:
            yield Alert(Kind.CARD_EXPIRED, each.id, _("%(card)s has expired") % {"card": each.name})
        elif expiry is Expiry.SOON:
            yield Alert(Kind.CARD_EXPIRING, each.id, _("%(card)s expires soon") % {"card": each.name})


def _low_title(kind: str) -> str:
    return {
        "data": _("Your data is running low"),
        "voice": _("Your minutes are running low"),
        "sms": _("Your texts are running low"),
        "money": _("Your credit is running low"),
    }[kind]


def _used_up_title(kind: str) -> str:
    return {
        "data": _("Your data is used up"),
        "voice": _("Your minutes are used up"),
        "sms": _("Your texts are used up"),
        "money": _("Your credit is used up"),
    }[kind]
