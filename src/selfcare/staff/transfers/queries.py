"""What staff read before they transfer a service, and what would stand in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, as_json, fetch_one
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.services.cancelling import leaving_costs
from selfcare.portal.services.extras import Held, held_on
from selfcare.ports.charging import Balances, Bucket, Charging
from selfcare.staff.customers import queries as customers
from selfcare.staff.customers.queries import Customer

SERVICE = Prepared.sql(
    """
    SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, s.state AS state, s.msisdn AS msisdn,
           s.currency AS currency, s.next_product_id AS next_product_id, s.cancel_at AS cancel_at,
           s.contract_ends_on AS contract_ends_on, s.monthly_minor AS monthly_minor, s.ends_at AS ends_at,
           p.name AS product, p.customer_types AS customer_types,
           (SELECT count(*) FROM sim i WHERE i.service_id = s.id AND i.replaced_at IS NULL) AS sims
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.id = :service_id
    """,
    types={"customer_types": as_json},
)
_BY_NUMBER = Prepared.sql("SELECT id FROM customer WHERE number = :number")
_OPEN_PAYMENT = Prepared.sql(
    """
    SELECT reference FROM payment
     WHERE customer_id = :customer_id
       AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown', 'manual_review')
     ORDER BY created_at LIMIT 1
    """
)


_OPEN_ORDER = Prepared.sql(
    """
    SELECT reference FROM purchase_order
     WHERE service_id = :service_id
       AND state IN ('open', 'paid', 'delivering', 'refund_due', 'review')
     ORDER BY created_at LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a transfer would do. `why_not` is empty where it can be done."""

    service: Row
    old: Customer
    new: Customer
    buckets: list[Bucket]
    credit: Money
    leaving: Money | None
    contract_ends_on: date | None
    addons: list[Held]
    why_not: list[str]

    @property
    def worth(self) -> Money:
        """What changes hands in money: credit, and what the rest of a contract costs."""
        return self.credit + (self.leaving or Money.zero(self.credit.currency))


async def service_of(customer_id: UUID, service_id: UUID) -> Row:
    """Raises NotFound."""
    row = await fetch_one(SERVICE.bind(customer_id=customer_id, service_id=service_id))
    if row is None:
        raise NotFound
    return row


async def find_by_number(number: str) -> UUID | None:
    row = await fetch_one(_BY_NUMBER.bind(number=number))
    return row["id"] if row else None


async def plan(old: Customer, service_id: UUID, to: UUID, charging: Charging) -> Plan:
    """Raises NotFound. Not inside a transaction: the meter may be far away."""
    service = await service_of(old.id, service_id)
    new = await customers.find(to)
    balances = await charging.balances(old.scope, [service_id])
    now = clock.now()
    buckets = [one for one in balances.of(service_id) if one.is_live(now) and not (one.is_empty and not one.blocker)]
    credit = sum(one.remaining for one in buckets if one.kind == "money")
    return Plan(
        service=service,
        old=old,
        new=new,
        buckets=buckets,
        credit=Money(credit, service["currency"]),
        leaving=await leaving_costs(old.scope, service_id),
        contract_ends_on=_running(service["contract_ends_on"], old.scope),
        addons=await held_on(old.scope, service_id, now),
        why_not=[*await recheck(service, old, new), *_refusals_of(balances, buckets)],
    )


def refusals(service: Row, old: Customer, new: Customer) -> list[str]:
    """Every reason that stands in the rows of the service and its two owners."""
    found = {
        _("It belongs to this customer already."): old.id == new.id,
        _("The new owner's account is not open."): new.status != "open",
        _("The new owner pays in another currency."): new.scope.currency != service["currency"],
        _("This product is not sold to customers of the new owner's type."): bool(service["customer_types"])
        and new.type not in service["customer_types"],
        _("Only a service that runs can be transferred."): service["state"] != "active",
        _("A change of its plan waits. Take that back first."): service["next_product_id"] is not None,
        _("It is going to end. Take the cancellation back first."): service["cancel_at"] is not None,
    }
    return [words for words, stands in found.items() if stands]


async def _payments(customer_id: UUID) -> list[str]:
    row = await fetch_one(_OPEN_PAYMENT.bind(customer_id=customer_id))
    if row is None:
        return []
    return [_("Payment %(reference)s of the old owner is not decided yet.") % {"reference": row["reference"]}]


async def _orders(service_id: UUID) -> list[str]:
    row = await fetch_one(_OPEN_ORDER.bind(service_id=service_id))
    if row is None:
        return []
    return [_("Order %(reference)s for it is under way.") % {"reference": row["reference"]}]


async def recheck(service: Row, old: Customer, new: Customer) -> list[str]:
    """The same inside the transaction, without the meter."""
    return [*refusals(service, old, new), *await _orders(service["id"]), *await _payments(old.id)]


def _refusals_of(balances: Balances, buckets: list[Bucket]) -> list[str]:
    found = {
        _("The meter does not answer. Try again when it does."): balances.stale,
        _("It shares an allowance with other services. Take it out of the sharing first."): any(
            one.shared for one in buckets
        ),
        _("Its credit is below zero. It has to be topped up first."): any(one.remaining < 0 for one in buckets),
    }
    return [words for words, stands in found.items() if stands]


def _running(contract: date | None, scope: CustomerScope) -> date | None:
    today = clock.now().astimezone(ZoneInfo(scope.zone)).date()
    return contract if contract and contract > today else None
