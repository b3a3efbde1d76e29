"""What a customer may change on a service: its friendly name and whether it renews.

Each takes the service through the customer, says in words why not, and writes its audit event in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.ports.charging import Charging

LONGEST_NICKNAME = 60
NUMBER_KEPT_DAYS = 30

_SERVICE = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, s.state AS state, s.ends_at AS ends_at,
           s.renews AS renews, s.cancel_at AS cancel_at, s.contract_ends_on AS contract_ends_on,
           s.monthly_minor AS monthly_minor, s.currency AS currency, s.msisdn AS msisdn, c.pays AS pays
      FROM service s JOIN customer c ON c.id = s.customer_id
     WHERE s.customer_id = :customer_id AND s.id = :service_id
    """
)
_CARD = Prepared.sql(
    """
    SELECT id FROM payment_method
     WHERE customer_id = :customer_id AND removed_at IS NULL AND exp_year * 12 + exp_month >= :month LIMIT 1
    """
)
_RENAME = Prepared.sql(
    "UPDATE service SET nickname = :nickname WHERE customer_id = :customer_id AND id = :service_id RETURNING id"
)
_RENEW = Prepared.sql(
    """
    UPDATE service SET renews = :renews
     WHERE customer_id = :customer_id AND id = :service_id AND state = 'active' AND renews <> :renews
       AND cancel_at IS NULL AND ends_at > :now
    RETURNING id
    """
)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What switching would do. `refusal` says why it cannot be switched now."""

    renews: bool
    ends_at: datetime | None
    refusal: str | None
    needs_card: bool = False
    number_lost_at: datetime | None = None


async def rename(identity: Identity, service_id: UUID, nickname: str) -> None:
    """The customer's own name for it; empty gives the system's name back."""
    if len(nickname) > LONGEST_NICKNAME:
        raise Rejected(_("Use at most %(n)d characters.") % {"n": LONGEST_NICKNAME}, "nickname")
    scope = identity.customer
    async with transaction():
        service = await service_of(scope, service_id)
        wanted = nickname or None
        if wanted == service["name"]:
            wanted = None
        if wanted == service["nickname"]:
            return
        await execute(_RENAME.bind(**key_of(scope, service_id), nickname=wanted))
        await audit.record(identity, Event.SERVICES_RENAMED, about=service_id)


async def renewal_of(scope: CustomerScope, service_id: UUID, charging: Charging) -> Renewal:
    """What may be switched, and what it would do."""
    service = await service_of(scope, service_id)
    credit = await _credit(scope, service_id, charging)
    return await _renewal(scope, service, credit, to=not service["renews"])


async def switch_renewal(identity: Identity, service_id: UUID, charging: Charging, *, renews: bool) -> None:
    """Takes effect at once. Raises Rejected inside a contract, and for renewing without a way to pay. Twice is once."""
    scope = identity.customer
    credit = await _credit(scope, service_id, charging)
    async with transaction():
        service = await service_of(scope, service_id)
        if service["renews"] == renews:
            return
        refusal = (await _renewal(scope, service, credit, to=renews)).refusal
        if refusal:
            raise Rejected(refusal)
        if not await execute(_RENEW.bind(**key_of(scope, service_id), renews=renews, now=clock.now())):
            raise Conflict(_("The service has changed meanwhile. Look at it again."))
        await audit.record(identity, Event.SERVICES_RENEWAL_SWITCHED, about=service_id, renews=renews)


async def service_of(scope: CustomerScope, service_id: UUID) -> dict[str, Any]:
    service = await fetch_one(_SERVICE.bind(**key_of(scope, service_id))) if scope.covers(service_id) else None
    if service is None:
        raise NotFound
    return service


async def _credit(scope: CustomerScope, service_id: UUID, charging: Charging) -> int:
    """Before the transaction: the meter may be far away."""
    now = clock.now()
    buckets = (await charging.balances(scope, [service_id])).of(service_id)
    return sum(bucket.remaining for bucket in buckets if bucket.kind == "money" and bucket.is_live(now))


async def _renewal(scope: CustomerScope, service: Mapping[str, Any], credit: int, *, to: bool) -> Renewal:
    now, zone = clock.now(), ZoneInfo(scope.zone)
    today = now.astimezone(zone).date()
    refusal, needs_card = None, False
    contract: date | None = service["contract_ends_on"]
    if service["state"] != "active" or service["ends_at"] is None or service["ends_at"] <= now:
        refusal = _("Only a running service with an end can renew.")
    elif service["cancel_at"] is not None:
        refusal = _("This service is going to end. Undo that first.")
    elif not to and contract is not None and contract > today:
        refusal = _("Inside your contract it renews. You can switch that off when the contract has ended.")
    elif to and _needs_card(service, credit) and not await _has_card(scope, today):
        refusal, needs_card = _("To renew by itself it needs a saved card, or credit for the next period."), True
    number_lost = service["ends_at"] + timedelta(days=NUMBER_KEPT_DAYS) if service["ends_at"] else None
    return Renewal(
        renews=service["renews"],
        ends_at=service["ends_at"],
        refusal=refusal,
        needs_card=needs_card,
        number_lost_at=number_lost if service["msisdn"] else None,
    )


def _needs_card(service: Mapping[str, Any], credit: int) -> bool:
    return bool(service["pays"] == "prepaid" and credit < service["monthly_minor"])


async def _has_card(scope: CustomerScope, today: date) -> bool:
    month = today.year * 12 + today.month
    return await fetch_one(_CARD.bind(customer_id=scope.customer_id, month=month)) is not None


def key_of(scope: CustomerScope, service_id: UUID) -> dict[str, UUID]:
    return {"customer_id": scope.customer_id, "service_id": service_id}
