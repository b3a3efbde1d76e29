"""Ending a service, now or at the end of its period, and thinking better of it until then."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.cards import cards
from selfcare.portal.orders.order import Order, under_way
from selfcare.portal.services.changes import NUMBER_KEPT_DAYS, key_of, service_of
from selfcare.ports.messages import Messages

LONGEST_REASON = 500
REASONS = ("price", "coverage", "moving", "another_provider", "not_needed", "other")
NOW, AT_END = "now", "end"

_CANCEL_LATER = Prepared.sql(
    """
    UPDATE service SET cancel_at = :at
     WHERE customer_id = :customer_id AND id = :service_id AND state IN ('active', 'suspended') AND cancel_at IS NULL
    RETURNING id
    """
)
_UNDO = Prepared.sql(
    """
    UPDATE service SET cancel_at = NULL
     WHERE customer_id = :customer_id AND id = :service_id AND state <> 'ended' AND cancel_at > :now
    RETURNING id
    """
)
_END = Prepared.sql(
    """
    UPDATE service SET state = 'ended', end_reason = 'cancelled', suspend_reason = NULL, ended_at = :at, renews = :no,
           cancel_at = COALESCE(cancel_at, :at)
     WHERE customer_id = :customer_id AND id = :service_id AND state IN ('active', 'suspended')
    RETURNING id
    """
)
_DUE = Prepared.sql(
    """
    SELECT id, customer_id, cancel_at FROM service
     WHERE cancel_at <= :now AND state IN ('active', 'suspended') ORDER BY cancel_at LIMIT 500
    """
)
_REMEMBER = Prepared.sql(
    """
    INSERT INTO cancellation
        (id, customer_id, service_id, asked_by, asked_at, takes_effect_at, reason, words, request_key, undone_at)
    VALUES (:id, :customer_id, :service_id, :asked_by, :now, :at, :reason, :words, :key, NULL)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
_FORGET = Prepared.sql(
    """
    UPDATE cancellation SET undone_at = :now
     WHERE customer_id = :customer_id AND service_id = :service_id AND undone_at IS NULL AND takes_effect_at > :now
    """
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What ending it would mean. The fees are what leaving inside the contract costs, now and at the end.

    `last_period` is what the running one costs, nothing where it was paid before it began.
    """

    end_at: datetime
    asked_for: datetime | None
    fee_now: Money
    fee_at_end: Money
    last_period: Money
    contract_ends_on: date | None
    number: str | None
    # An order for it that is not finished: until then it cannot be ended.
    waits_for: Order | None = None

    def final_bill(self, *, now: bool) -> Money:
        """About, and at most: what was used beyond the plan comes on top."""
        return self.last_period + (self.fee_now if now else self.fee_at_end)


def reason_words() -> dict[str, str]:
    """Why people leave, in the order of the form; empty for saying nothing."""
    return {
        "": _("I would rather not say"),
        "price": _("It costs too much"),
        "coverage": _("Coverage or speed is not good enough"),
        "moving": _("I am moving"),
        "another_provider": _("I go to another provider"),
        "not_needed": _("I do not need it any more"),
        "other": _("Something else"),
    }


async def cancelling_of(scope: CustomerScope, service_id: UUID) -> Cancelling:
    """Raises Rejected for what cannot be ended any more."""
    cancelling = _cancelling(await service_of(scope, service_id), scope)
    return replace(cancelling, waits_for=await _coming(scope, service_id))


async def leaving_costs(scope: CustomerScope, service_id: UUID) -> Money | None:
    """What ending it now would cost inside its contract; None where it is free or cannot be ended."""
    service = await service_of(scope, service_id)
    if service["state"] not in ("active", "suspended"):
        return None
    return _cancelling(service, scope).fee_now or None


async def cancel(
    identity: Identity,
    service_id: UUID,
    *,
    when: str,
    reason: str | None,
    words: str | None,
    key: str,
    messages: Messages,
) -> datetime:
    """At the end of the period, until when it can be undone, or now. The moment of the end. The same key ends once."""
    scope, now = identity.customer, clock.now()
    async with transaction():
        # Whoever buys something for it meanwhile comes before or after.
        await cards.hold(scope.customer_id)
        service = await service_of(scope, service_id)
        if waits_for := await _coming(scope, service_id):
            raise Rejected(_("Wait until your order “%(order)s” is finished.") % {"order": waits_for.name})
        at = now if when == NOW else _cancelling(service, scope, again=True).end_at
        remembered = await execute(
            _REMEMBER.bind(
                id=ids.new_id(),
                **key_of(scope, service_id),
                asked_by=identity.actor_id,
                now=now,
                at=at,
                reason=reason,
                words=words,
                key=key,
            )
        )
        if not remembered:
            return at
        statement = _END if when == NOW else _CANCEL_LATER
        more = {"no": False} if when == NOW else {}
        if not await execute(statement.bind(**key_of(scope, service_id), at=at, **more)):
            raise Conflict(_("This service is ending already."))
        await audit.record(identity, Event.SERVICES_CANCELLATION_ASKED, about=service_id, when=at.isoformat())
        if when == NOW:
            await audit.record(identity, Event.SERVICES_ENDED, about=service_id, reason="cancelled")
        await messages.send_later(
            Message.SERVICE_CANCELLED,
            to_user=identity.user_id,
            dedupe_key=f"service.cancelled:{key}",
            service=service["nickname"] or service["name"],
            at=at,
            over=when == NOW,
            kept_until=at + timedelta(days=NUMBER_KEPT_DAYS) if service["msisdn"] else None,
            path=f"/services/{service_id}",
        )
    return at


async def undo(identity: Identity, service_id: UUID, messages: Messages) -> None:
    """While it has not ended. Twice is once."""
    scope, now = identity.customer, clock.now()
    async with transaction():
        service = await service_of(scope, service_id)
        if service["cancel_at"] is None and service["state"] != "ended":
            return
        if not await execute(_UNDO.bind(**key_of(scope, service_id), now=now)):
            raise Conflict(_("The service has ended, so this cannot be undone. Talk to us to start it again."))
        await execute(_FORGET.bind(**key_of(scope, service_id), now=now))
        await audit.record(identity, Event.SERVICES_CANCELLATION_UNDONE, about=service_id)
        await messages.send_later(
            Message.SERVICE_KEPT,
            to_user=identity.user_id,
            dedupe_key=f"service.kept:{service_id}:{identity.origin.request_id}",
            service=service["nickname"] or service["name"],
            path=f"/services/{service_id}",
        )


async def end_due(now: datetime) -> int:
    """Ends what was to end by now; how many. Run again and again by the worker."""
    ended = 0
    for due in await fetch(_DUE.bind(now=now)):
        try:
            ended += await _end(due)
        except Exception:
            log.exception("could not end a service on its day", extra={"about": str(due["id"])})
    return ended


async def _end(due: Mapping[str, Any]) -> bool:
    async with transaction():
        key = {"customer_id": due["customer_id"], "service_id": due["id"]}
        if not await execute(_END.bind(**key, at=due["cancel_at"], no=False)):
            return False
        who = audit.system(customer_id=due["customer_id"])
        await audit.record(who, Event.SERVICES_ENDED, about=due["id"], reason="cancelled")
        return True


async def _coming(scope: CustomerScope, service_id: UUID) -> Order | None:
    return next((order for order in await under_way(scope, service_id) if order.is_coming), None)


def _cancelling(service: Mapping[str, Any], scope: CustomerScope, *, again: bool = False) -> Cancelling:
    now = clock.now()
    if service["state"] not in ("active", "suspended"):
        raise Rejected(_("Only a service that runs or is suspended can be cancelled."))
    zone, contract = ZoneInfo(scope.zone), service["contract_ends_on"]
    end_at = _end_of_period(service, now, zone)

    def fee(leaving: datetime) -> Money:
        months = _months_between(leaving.astimezone(zone).date(), contract) if contract else 0
        return Money(service["monthly_minor"] * months, service["currency"])

    return Cancelling(
        end_at=end_at,
        asked_for=service["cancel_at"] if not again else None,
        fee_now=fee(now),
        fee_at_end=fee(end_at),
        last_period=Money(service["monthly_minor"] if service["pays"] == "postpaid" else 0, service["currency"]),
        contract_ends_on=contract,
        number=service["msisdn"],
    )


def _end_of_period(service: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> datetime:
    """Of a service without an end that is the end of the month."""
    if service["ends_at"] and service["ends_at"] > now:
        return cast("datetime", service["ends_at"])
    first = now.astimezone(zone).date().replace(day=1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return clock.midnight(next_month, zone.key)


def _months_between(today: date, end: date) -> int:
    """Months that have begun count; none when it is over."""
    whole = (end.year - today.year) * 12 + end.month - today.month
    return max(0, whole + (1 if end.day > today.day else 0))
