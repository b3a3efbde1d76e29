"""When paying asks "is it you": the first time with a card, and when a day's purchases by card become many."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.money import Money

_PAID_BEFORE = Prepared.sql(
    """
    SELECT id FROM payment WHERE customer_id = :customer_id AND method_id = :card_id
       AND state IN ('succeeded', 'refund_due', 'refunded') LIMIT 1
    """
)
_TODAY = Prepared.sql(
    """
    SELECT COALESCE(SUM(amount_minor), 0) AS spent FROM payment
     WHERE customer_id = :customer_id AND currency = :currency AND created_at >= :since
       AND purpose IN ('topup', 'addon', 'plan') AND state NOT IN ('failed', 'canceled')
       AND guest_link_id IS NULL
    """,
    types={"spent": int},
)


async def needs_proof(
    identity: Identity, card_id: UUID | None, *, buys: Money | None = None, free_a_day: int = 0
) -> bool:
    """Whether this person has to prove who it is before paying with this card; None is a new one. `buys` is the price
    of what is bought: of that `free_a_day` whole units need no proof with a known card; bills have no limit a day."""
    if identity.recently_proved(clock.now()):
        return False
    if card_id is None:
        return True
    of, zone = identity.customer.customer_id, identity.customer.zone
    currency = buys.currency if buys else identity.customer.currency
    since = clock.midnight(clock.today(zone), zone)
    before, today = await fetch_many(
        _PAID_BEFORE.bind(customer_id=of, card_id=card_id),
        _TODAY.bind(customer_id=of, currency=currency, since=since),
    )
    if not before:
        return True
    free = Money.whole(free_a_day, currency)
    return buys is not None and Money(today[0]["spent"], currency) + buys > free
