"""Adding a card: a visit to the gateway's own page, and what came of it. We never see the card's number."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, NotFound, Rejected, Unavailable
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.portal.cards import cards
from selfcare.portal.pay import parties
from selfcare.portal.pay.till import Till
from selfcare.ports import failures
from selfcare.ports.payments import CardSetup, Setup, SetupDone, SetupEnded, SetupOpen, Why

BY_USER = limits.Limit("cards.add", 5, timedelta(hours=1))
# Longer no gateway's page stays open.
PATIENCE = timedelta(hours=24)
LOOK_AFTER = timedelta(minutes=2)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """`state`: open (at `url`), done (`card_id`), refused (`why`), ended without a card, full (no room for it)."""

    id: UUID
    customer_id: UUID
    state: str
    why: Why | None
    url: str | None
    card_id: UUID | None
    back_to: str
    gateway_ref: str | None
    started_by: UUID
    created_at: datetime


async def start(till: Till, identity: Identity, *, request_key: str, back_to: str = "") -> Visit:
    """Opens the gateway's page for one card. The same request key again: the same visit again.

    Raises Rejected where there is no room, limits.TooOften, and Unavailable where the gateway cannot be reached.
    """
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can add a card."))
    scope = identity.customer
    if known := await fetch_one(BY_KEY.bind(request_key=request_key)):
        if known["customer_id"] != scope.customer_id:
            raise NotFound
        return _visit(known)
    await limits.claim(BY_USER, str(identity.actor_id))
    if len(await cards.list_cards(scope.customer_id)) >= cards.MOST:
        raise Rejected(_("You have %(n)d cards already. Remove one first.") % {"n": cards.MOST})
    id = new_id()
    values = {"id": id, "customer_id": scope.customer_id, "request_key": request_key, "gateway": till.gateway.name}
    async with transaction():
        rows = await execute(START.bind(**values, back_to=back_to, started_by=identity.actor_id, now=clock.now()))
    if not rows:
        return await start(till, identity, request_key=request_key, back_to=back_to)
    try:
        customer_ref = await parties.ensure(till.gateway, scope.customer_id)
        redirect = await till.gateway.start_card_setup(
            CardSetup(
                customer_ref=customer_ref,
                currency=scope.currency,
                key=f"card:{id}",
                return_url=f"{till.public_url}/cards/new/{id}?back=1",
                cancel_url=f"{till.public_url}/cards/new/{id}?back=1&gave_up=1",
            )
        )
    except (failures.Unreachable, failures.Unknown, failures.Declined) as problem:
        await _end(id, "ended")
        words = _("We cannot reach the page where cards are entered right now. Try again in a few minutes.")
        raise Unavailable(words, retry_after=60) from problem
    async with transaction():
        await execute(OPEN.bind(id=id, ref=redirect.ref, url=redirect.url))
    return await get(identity.customer_id, id)


async def get(customer_id: UUID | None, visit_id: UUID) -> Visit:
    """Raises NotFound where it is somebody else's."""
    row = await fetch_one(ONE.bind(id=visit_id))
    if row is None or row["customer_id"] != customer_id:
        raise NotFound
    return _visit(row)


async def finish(till: Till, visit: Visit, *, gave_up: bool = False) -> Visit:
    """Asks the gateway what came of it, and keeps the card, once. Outside any transaction."""
    if visit.state != "open" or visit.gateway_ref is None:
        return visit
    try:
        answer = await till.gateway.finish_card_setup(visit.gateway_ref)
        expected = await parties.find(till.gateway.name, visit.customer_id)
    except (failures.Unreachable, failures.Unknown):
        return visit
    except failures.Declined:
        answer, expected = SetupEnded(), None
    await _take(till, visit, answer, expected, gave_up=gave_up)
    return await get(visit.customer_id, visit.id)


async def _take(till: Till, visit: Visit, answer: Setup, customer_ref: str | None, *, gave_up: bool) -> None:
    match answer:
        case SetupDone(card, whose) if whose == customer_ref and card.token_ref is not None:
            who = audit.system(customer_id=visit.customer_id, user_id=visit.started_by)
            async with transaction():
                if not await execute(END.bind(id=visit.id, state="done", why=None, now=clock.now())):
                    return
                card_id = await cards.keep(till.jobs, who, visit.customer_id, card, added_by=visit.started_by)
                if card_id is None:
                    await execute(FULL.bind(id=visit.id))
                else:
                    await execute(KEPT.bind(id=visit.id, card_id=card_id))
        case SetupDone():
            log.error("the gateway kept a card for another customer", extra={"about": str(visit.id)})
            await _end(visit.id, "ended")
        case SetupEnded(why):
            await _end(visit.id, "refused" if why else "ended", why)
        case SetupOpen() if gave_up or clock.now() - visit.created_at > PATIENCE:
            await _end(visit.id, "ended")


async def _end(visit_id: UUID, state: str, why: Why | None = None) -> None:
    async with transaction():
        rows = await execute(END.bind(id=visit_id, state=state, why=why, now=clock.now()))
        if rows and why:
            who = audit.system(customer_id=rows[0]["customer_id"], user_id=rows[0]["started_by"])
            await audit.record(who, Event.CARDS_REFUSED, about=visit_id, outcome="refused", reason=why.value)


async def look_after(till: Till) -> int:
    """For those who closed the window before they came back: the card they entered is not lost."""
    rows = await fetch(WAITING.bind(before=clock.now() - LOOK_AFTER))
    for row in rows:
        visit = _visit(row)
        try:
            if visit.gateway_ref is None:
                await _end(visit.id, "ended")
            else:
                await finish(till, visit)
        except Exception:
            log.exception("could not look after a card", extra={"about": str(visit.id)})
    return len(rows)


def _visit(row: dict[str, Any]) -> Visit:
    known = {name: row[name] for name in Visit.__slots__}
    return Visit(**known | {"why": Why(row["why"]) if row["why"] else None})


_SELECT = """
    SELECT id, customer_id, state, why, url, card_id, back_to, gateway_ref, started_by, created_at FROM card_visit
"""
ONE = Prepared.sql(f"{_SELECT} WHERE id = :id")
BY_KEY = Prepared.sql(f"{_SELECT} WHERE request_key = :request_key")
WAITING = Prepared.sql(f"{_SELECT} WHERE state = 'open' AND created_at <= :before ORDER BY created_at LIMIT 200")
START = Prepared.sql(
    """
    INSERT INTO card_visit (id, customer_id, request_key, gateway, state, back_to, started_by, created_at)
    VALUES (:id, :customer_id, :request_key, :gateway, 'open', :back_to, :started_by, :now)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
OPEN = Prepared.sql("UPDATE card_visit SET gateway_ref = :ref, url = :url WHERE id = :id AND state = 'open'")
END = Prepared.sql(
    """
    UPDATE card_visit SET state = :state, why = :why, ended_at = :now
    WHERE id = :id AND state = 'open' RETURNING customer_id, started_by
    """
)
KEPT = Prepared.sql("UPDATE card_visit SET card_id = :card_id WHERE id = :id")
FULL = Prepared.sql("UPDATE card_visit SET state = 'full' WHERE id = :id")
