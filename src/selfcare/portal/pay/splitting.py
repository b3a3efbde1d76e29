"""How a sum is paid: what of it by credit, and what a card takes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.formats import money
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import ledger
from selfcare.portal.pay.till import Till


@dataclass(frozen=True, slots=True)
class Split:
    """How a sum is paid: credit first, the rest by card, in steps a card can take."""

    credit: Money
    by_card: Money


def by_card_alone(till: Till, total: Money) -> Split:
    return Split(Money.zero(total.currency), in_steps(till, total))


async def credit_first(till: Till, customer_id: UUID, total: Money) -> Split:
    credit = await _credit(till, customer_id, total)
    return Split(credit, in_steps(till, total - credit))


async def _credit(till: Till, customer_id: UUID, total: Money) -> Money:
    """As much credit as there is, but never so much that the rest is too small for a card."""
    there = await ledger.credit_of(Scope(customer_id, total.currency))
    credit = min(there, total)
    rest = total - credit
    least = till.gateway.limits(total.currency).least
    if Money.zero(total.currency) < rest < least:
        credit = max(total - least, Money.zero(total.currency))
    return credit


def in_steps(till: Till, amount: Money) -> Money:
    """Where cards take only whole steps: up to the next one. What is too much becomes the customer's credit."""
    step = till.gateway.limits(amount.currency).step
    return Money(-(-amount.minor // step) * step, amount.currency)


def check_limits(till: Till, amount: Money) -> None:
    limit = till.gateway.limits(amount.currency)
    if amount and amount < limit.least:
        words = _("The least that can be paid by card is %(least)s.")
        raise Rejected(words % {"least": money(limit.least)}, "amount")
    if amount > limit.most:
        words = _("The most that can be paid by card at once is %(most)s.")
        raise Rejected(words % {"most": money(limit.most)}, "amount")


@dataclass(frozen=True, slots=True)
class Scope:
    customer_id: UUID
    currency: str
