"""What to have at hand when talking to us."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel.money import Money
from selfcare.portal.services import queries as services
from selfcare.portal.services.queries import ServiceName

MOST_SERVICES = 10

_LAST_PAYMENT = Prepared.sql(
    """
    SELECT reference, created_at, amount_minor, currency FROM payment
     WHERE customer_id = :customer_id ORDER BY created_at DESC, id DESC LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class LastPayment:
    reference: str
    at: datetime
    amount: Money


@dataclass(frozen=True, slots=True)
class ToQuote:
    number: str
    services: list[ServiceName]
    more_services: bool
    payment: LastPayment | None


async def to_quote(identity: Identity) -> ToQuote:
    """Of what this person may see."""
    scope = identity.customer
    known = []
    if identity.can(Right.VIEW_OWN_SERVICES):
        known = await services.list_names(scope, most=MOST_SERVICES + 1)
    (paid,) = await fetch_many(_LAST_PAYMENT.bind(customer_id=scope.customer_id))
    last = paid[0] if paid and identity.can(Right.VIEW_OWN_BILLS) else None
    return ToQuote(
        number=scope.customer_number,
        services=known[:MOST_SERVICES],
        more_services=len(known) > MOST_SERVICES,
        payment=LastPayment(last["reference"], last["created_at"], Money(last["amount_minor"], last["currency"]))
        if last
        else None,
    )
