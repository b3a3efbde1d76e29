"""Switching automatic payment on and off, and what it is going to take next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_many, fetch_one
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import questions
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import Card
from selfcare.portal.cards.expiry import Expiry

# So many days before the money is taken it is told how much.
NOTICE = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Consent:
    id: UUID
    words: str
    given_at: datetime
    given_by: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A bill that is going to be taken."""

    invoice_id: UUID
    number: str
    amount: Money
    on: date


@dataclass(frozen=True, slots=True)
class Overview:
    consent: Consent | None
    coming: list[Coming]
    cards: list[Card]


def consent_words(operator: str) -> str:
    """What people agree to, as it stands above the button and is kept."""
    words = _(
        "On the due date of each bill %(operator)s may take what is still open from my default card, and if that fails "
        "from my other cards here in their order, up to three times within seven days. Three days before I am told "
        "the amount and the day by mail. I can switch this off here at any time."
    )
    return words % {"operator": operator}


async def overview(scope: CustomerScope, *, today: date) -> Overview:
    consent, coming = await _coming(scope, today)
    return Overview(consent, coming, await working_cards(scope.customer_id, today))


async def taken_on(scope: CustomerScope, *, today: date) -> dict[UUID, date]:
    """The bills that are taken by themselves, and when; empty while it is off."""
    consent, coming = await _coming(scope, today)
    return {bill.invoice_id: bill.on for bill in coming} if consent else {}


async def _coming(scope: CustomerScope, today: date) -> tuple[Consent | None, list[Coming]]:
    bound = {"customer_id": scope.customer_id}
    found, bills = await fetch_many(NOW.bind(**bound), OPEN.bind(**bound))
    paused = await questions.paused_bills(scope, clock.now())
    # What failed three times is not taken any more.
    return Consent(**found[0]) if found else None, [
        Coming(
            row["id"],
            row["number"],
            Money(row["net_minor"] + row["tax_minor"] - row["paid_minor"], row["currency"]),
            row["charge_on"] or due_day(row["due_on"], today),
        )
        for row in bills
        if row["id"] not in paused and row["state"] in (None, "waiting")
    ]


async def is_on(customer_id: UUID) -> bool:
    return await fetch_one(NOW.bind(customer_id=customer_id)) is not None


async def working_cards(customer_id: UUID, today: date) -> list[Card]:
    """In the order they are tried."""
    known = await cards.list_cards(customer_id)
    return [card for card in known if card.expiry(today) is not Expiry.EXPIRED]


def due_day(due_on: date, today: date) -> date:
    """When a bill of which nothing was told yet can be taken at the earliest."""
    return max(due_on, today + NOTICE)


async def switch_on(identity: Identity, words: str) -> None:
    """Keeps the very words. Twice is once. Raises Rejected without a card that works."""
    scope = _mine(identity)
    async with transaction():
        await cards.hold(scope.customer_id)
        if await is_on(scope.customer_id):
            return
        if not await working_cards(scope.customer_id, clock.now().date()):
            raise Rejected(_("Add a card first: there is none here that works."))
        await execute(
            GIVE.bind(
                id=new_id(),
                customer_id=scope.customer_id,
                words=words,
                given_by=identity.actor_id,
                now=clock.now(),
                address=identity.origin.address[:64],
                device=identity.origin.device[:200],
            )
        )
        await audit.record(identity, Event.BILLING_AUTOPAY_SWITCHED, on=True)


async def switch_off(identity: Identity) -> None:
    """Takes effect at once: what was announced is not taken either. A payment on its way comes to its end."""
    scope = _mine(identity)
    async with transaction():
        await cards.hold(scope.customer_id)
        ended = await execute(END.bind(customer_id=scope.customer_id, by=identity.actor_id, now=clock.now()))
        if ended:
            await execute(END_CHARGES.bind(consent_id=ended[0]["id"], now=clock.now()))
            await audit.record(identity, Event.BILLING_AUTOPAY_SWITCHED, on=False)


async def consented(customer_id: UUID, consent_id: UUID) -> bool:
    rows = await fetch(NOW.bind(customer_id=customer_id))
    return any(row["id"] == consent_id for row in rows)


def _mine(identity: Identity) -> CustomerScope:
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    return identity.customer


NOW = Prepared.sql(
    """
    SELECT c.id AS id, c.words AS words, c.given_at AS given_at, u.display_name AS given_by
    FROM autopay_consent c JOIN app_user u ON u.id = c.given_by
    WHERE c.customer_id = :customer_id AND c.ended_at IS NULL
    """
)
OPEN = Prepared.sql(
    """
    SELECT i.id AS id, i.number AS number, i.due_on AS due_on, i.net_minor AS net_minor, i.tax_minor AS tax_minor,
        i.paid_minor AS paid_minor, i.currency AS currency, a.charge_on AS charge_on, a.state AS state
    FROM invoice i
    LEFT JOIN autopay_charge a ON a.invoice_id = i.id AND a.consent_id = (
        SELECT id FROM autopay_consent WHERE customer_id = :customer_id AND ended_at IS NULL
    )
    WHERE i.customer_id = :customer_id AND i.state = 'issued' AND i.kind = 'regular'
        AND i.net_minor + i.tax_minor > i.paid_minor
    ORDER BY i.due_on, i.number LIMIT 50
    """
)
GIVE = Prepared.sql(
    """
    INSERT INTO autopay_consent (id, customer_id, words, given_by, given_at, address, device)
    VALUES (:id, :customer_id, :words, :given_by, :now, :address, :device)
    """
)
END = Prepared.sql(
    """
    UPDATE autopay_consent SET ended_at = :now, ended_by = :by
    WHERE customer_id = :customer_id AND ended_at IS NULL RETURNING id
    """
)
END_CHARGES = Prepared.sql(
    "UPDATE autopay_charge SET state = 'ended', ended_at = :now WHERE consent_id = :consent_id AND state = 'waiting'"
)
