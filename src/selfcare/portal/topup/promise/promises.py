"""Credit in advance: for prepaid lines that have run low, once a month, by who owes nothing.

It is paid back, with its fee, out of the next credit that comes, whoever pays for that: `orders.advances`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.formats import day, money
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound, Unavailable
from selfcare.kernel.money import Money, parse_amount
from selfcare.kernel.words import _
from selfcare.portal.orders import advances, counter, orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.order import Kind, Order, find_by_request_key
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.usage.allowances import LOW_MONEY_MINOR
from selfcare.portal.usage.balances import balance_of
from selfcare.ports.charging import Charging
from selfcare.settings import Settings

# Who came yesterday has shown nothing yet.
KNOWN_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Terms:
    lent: Money
    fee: Money

    @property
    def owed(self) -> Money:
        return self.lent + self.fee

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(_amount(settings.advance, settings), _amount(settings.advance_fee, settings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`refusal` says why nothing is lent now. `owed` is what the next credit pays back first."""

    name: str
    refusal: str | None
    owed: Money | None = None

    @property
    def may_borrow(self) -> bool:
        return self.refusal is None


async def standing(scope: CustomerScope, charging: Charging, service_id: UUID, terms: Terms) -> Standing:
    """Raises NotFound for a line of somebody else, and for one that has no credit of its own."""
    found = await _look(scope, service_id)
    owed = await advances.find_owed(scope.customer_id)
    refusal = await _refusal(scope, found, terms)
    if refusal is None:
        refusal = await _not_low(scope, charging, service_id)
    return Standing(name=found.name, refusal=refusal, owed=owed.amount if owed else None)


async def borrow(shop: Shop, identity: Identity, service_id: UUID, terms: Terms, *, request_key: str) -> Order:
    """At once. The same request key again: the same order again.

    Raises NotFound, Conflict with why not, Unavailable or TooOften; then nothing was lent.
    """
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    scope = identity.customer
    if await find_by_request_key(scope.customer_id, request_key) is None and (
        refusal := await _not_low(scope, shop.charging, service_id)
    ):
        raise Conflict(refusal)
    how = How(request_key=request_key)
    return await counter.serve(shop, identity, how, lambda: _write(shop, identity, service_id, terms, how))


async def _write(shop: Shop, identity: Identity, service_id: UUID, terms: Terms, how: How) -> Order:
    scope = identity.customer
    if refusal := await _refusal(scope, await _look(scope, service_id), terms):
        raise Conflict(refusal)
    credit = {"kind": "money", "amount": terms.lent.minor, "label": "Credit"}
    wanted = Wanted(
        kind=Kind.PROMISE,
        name=_("%(amount)s credit in advance") % {"amount": money(terms.lent)},
        price=Money.zero(terms.lent.currency),
        service_id=service_id,
        delivers={"puts": frozen([credit], terms.lent.currency, now=clock.now()), "owes": terms.owed.minor},
    )
    order = await orders.write(shop, identity, wanted, how)
    if not await advances.note(order, terms.lent, terms.fee, _month(scope)):
        raise Conflict(_("You have had credit in advance already."))
    return order


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    runs: bool
    since: datetime | None
    currency: str
    overdue: bool
    disputed: bool


async def _look(scope: CustomerScope, service_id: UUID) -> _Line:
    """Raises NotFound."""
    today = clock.today(scope.zone)
    services, overdue, disputed = await fetch_many(
        _SERVICE.bind(customer_id=scope.customer_id, id=service_id),
        _OVERDUE.bind(customer_id=scope.customer_id, today=today),
        _DISPUTED.bind(customer_id=scope.customer_id),
    )
    if not services or not scope.covers(service_id) or scope.pays != "prepaid":
        raise NotFound
    row, now = services[0], clock.now()
    runs = row["state"] == "active" and (row["ends_at"] is None or row["ends_at"] > now)
    name = row["nickname"] or row["name"]
    return _Line(name, runs, row["activated_at"], row["currency"], bool(overdue), bool(disputed))


async def _refusal(scope: CustomerScope, line: _Line, terms: Terms) -> str | None:
    if scope.customer_status != "open" or not line.runs or line.currency != terms.lent.currency:
        return _("This line can get no credit in advance now.")
    if owed := await advances.find_owed(scope.customer_id):
        words = _("You still owe %(amount)s for credit you had in advance. The next credit pays it back first.")
        return words % {"amount": money(owed.amount)}
    if line.overdue or line.disputed:
        return _("Credit in advance is there as soon as nothing is overdue or in dispute.")
    if line.since is None or clock.now() - line.since < KNOWN_FOR:
        return _("Credit in advance is there once a line has been with us for a month.")
    if await advances.lent_in(scope.customer_id, _month(scope)):
        return _("Credit in advance is there once a month: again from %(day)s.") % {"day": day(_next_month(scope))}
    return None


async def _not_low(scope: CustomerScope, charging: Charging, service_id: UUID) -> str | None:
    """Raises Unavailable where nobody can tell."""
    balance = await balance_of(scope, charging, service_id, clock.now())
    if balance.stale:
        raise Unavailable(_("We cannot add anything right now. Please try again soon."), 60)
    line = balance.line("money")
    low = Money(LOW_MONEY_MINOR, scope.currency)
    if line is not None and line.left > low.minor:
        return _("Credit in advance is there once you have %(amount)s or less.") % {"amount": money(low)}
    return None


def _month(scope: CustomerScope) -> date:
    return clock.today(scope.zone).replace(day=1)


def _next_month(scope: CustomerScope) -> date:
    return (_month(scope) + timedelta(days=31)).replace(day=1)


def _amount(text: str, settings: Settings) -> Money:
    """ "2.00" also where the currency has no decimals."""
    return parse_amount(text.rstrip("0").rstrip(".") or "0" if "." in text else text, settings.currency)


_SERVICE = Prepared.sql(
    """
    SELECT s.name AS name, s.nickname AS nickname, s.state AS state, s.ends_at AS ends_at,
           s.activated_at AS activated_at, s.currency AS currency
      FROM service s WHERE s.customer_id = :customer_id AND s.id = :id
       AND EXISTS (SELECT 1 FROM product p WHERE p.category = 'topup' AND p.enabled AND p.service_type = s.type
                      AND p.custom_min_minor IS NOT NULL)
    """
)
_OVERDUE = Prepared.sql(
    """
    SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' AND kind = 'regular'
       AND due_on < :today AND net_minor + tax_minor > paid_minor LIMIT 1
    """
)
_DISPUTED = Prepared.sql("SELECT id FROM payment WHERE customer_id = :customer_id AND disputed_at IS NOT NULL LIMIT 1")
