"""What a top-up would make of what is left: the new total, until when, and how long it will then last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import Unavailable
from selfcare.kernel.money import Money
from selfcare.portal.topup.queries import Quote
from selfcare.portal.usage.balances import Balance, balance_of
from selfcare.portal.usage.forecast import Forecast
from selfcare.portal.usage.history import Step
from selfcare.portal.usage.past import CHARTED, past_of
from selfcare.ports.charging import Charging


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """`amount` and `total` None are unlimited. `replaces`: what is left of the same is lost."""

    kind: str
    scope: str
    amount: int | None
    total: int | None
    ends_at: datetime | None
    replaces: bool
    currency: str


@dataclass(frozen=True, slots=True)
class Gains:
    """`outlook` is the forecast with it, where one can be made. `stale`: the meter did not answer."""

    gains: list[Gain]
    outlook: Forecast | None
    stale: bool


async def gains_of(
    scope: CustomerScope, charging: Charging, quote: Quote, now: datetime, *, repays: Money | None = None
) -> Gains:
    """`repays` of it is not put in: it pays back credit that was had in advance."""
    balance = await balance_of(scope, charging, quote.target.id, now)
    gains = [_gain(quote, grant, balance, now, repays.minor if repays else 0) for grant in quote.offer.grants]
    return Gains(gains, await _outlook(scope, charging, quote, balance), balance.stale)


def _gain(quote: Quote, given: Mapping[str, Any], balance: Balance, now: datetime, repays: int) -> Gain:
    kind, scope = given["kind"], "any" if given.get("scope", "any") == "national" else given.get("scope", "any")
    amount = quote.price.minor if kind == "money" and quote.offer.custom else given["amount"]
    if kind == "money":
        amount = max(amount - repays, 0)
    replaces = given.get("mode") == "reset"
    line = balance.line(kind, scope)
    left = 0 if line is None or replaces else line.left
    unlimited = amount is None or (line is not None and line.is_unlimited)
    return Gain(
        kind=kind,
        scope=scope,
        amount=amount,
        total=None if unlimited else left + amount,
        ends_at=quote.ends_at(now),
        replaces=replaces,
        currency=quote.price.currency,
    )


async def _outlook(scope: CustomerScope, charging: Charging, quote: Quote, balance: Balance) -> Forecast | None:
    if quote.offer.kind not in CHARTED:
        return None
    try:
        past, _kinds = await past_of(scope, charging, balance, quote.offer.kind, Step.DAY, None)
    except Unavailable:
        return None
    return next((what_if.outlook for what_if in past.what_ifs if what_if.name == quote.offer.name), None)
