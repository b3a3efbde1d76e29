"""Stored cards as others use them: what may be shown, and the gateway's name for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute, fetch, insert_many
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.portal.cards.expiry import Expiry, expiry_of, last_valid_day
from selfcare.portal.cards.tables import PaymentMethod
from selfcare.ports.jobs import Jobs
from selfcare.ports.payments import CardSeen


@dataclass(frozen=True, slots=True)
class Card:
    id: UUID
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    holder: str
    nickname: str | None
    is_default: bool
    position: int
    created_at: datetime
    token_ref: str = field(repr=False)
    fingerprint: str = field(repr=False)

    @property
    def words(self) -> str:
        """ "Visa 4242": what receipts say."""
        return f"{self.brand.capitalize()} {self.last4}"

    @property
    def name(self) -> str:
        """What its owner calls it."""
        return self.nickname or self.words

    @property
    def last_day(self) -> date:
        return last_valid_day(self.exp_month, self.exp_year)

    def expiry(self, today: date) -> Expiry:
        return expiry_of(self.exp_month, self.exp_year, today)


async def list_cards(customer_id: UUID) -> list[Card]:
    """In the order they are tried, the default first."""
    return [_card(row) for row in await fetch(ALL.bind(customer_id=customer_id))]


async def list_usable(customer_id: UUID, added_by: UUID | None) -> list[Card]:
    """As `list_cards`, where `added_by` is given only the cards that this person added."""
    known = await list_cards(customer_id)
    if added_by is None:
        return known
    own = {row["id"] for row in await fetch(ADDED_BY.bind(customer_id=customer_id, user_id=added_by))}
    return [card for card in known if card.id in own]


async def get_card(customer_id: UUID, card_id: UUID) -> Card:
    """Raises NotFound where it is removed or somebody else's."""
    found = [card for card in await list_cards(customer_id) if card.id == card_id]
    if not found:
        raise NotFound
    return found[0]


def _card(row: dict[str, Any]) -> Card:
    return Card(**row)


ALL = Prepared.sql(
    """
    SELECT id, brand, last4, exp_month, exp_year, holder, nickname, is_default, position, created_at, token_ref,
        fingerprint
    FROM payment_method WHERE customer_id = :customer_id AND removed_at IS NULL
    ORDER BY is_default DESC, position, created_at
    """
)


ADDED_BY = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id AND added_by = :user_id")


async def token_of(customer_id: UUID, card_id: UUID) -> str:
    """The gateway's name, also of a card that was removed since: an attempt that began with it is asked again."""
    rows = await fetch(TOKEN.bind(customer_id=customer_id, id=card_id))
    if not rows:
        raise NotFound
    token_ref: str = rows[0]["token_ref"]
    return token_ref


DETACH = "cards.detach"
MOST = 10


async def keep(
    jobs: Jobs, who: audit.Who, customer_id: UUID, seen: CardSeen, *, added_by: UUID | None, default: bool = False
) -> UUID | None:
    """Writes down a card that the gateway keeps, inside the caller's transaction. Its id here.

    A card we know (by its fingerprint) stays one card: the newer name and expiry take the place of the older, which a
    job takes off the gateway. The first card is the default; another one becomes it where `default` is asked. Beyond
    `MOST` cards there is no room: None, and the gateway forgets it.
    """
    assert seen.token_ref is not None
    await hold(customer_id)
    known = await list_cards(customer_id)
    if (same := next((card for card in known if card.token_ref == seen.token_ref), None)) is not None:
        return same.id
    old = next((card for card in known if seen.fingerprint and card.fingerprint == seen.fingerprint), None)
    if old is not None:
        await execute(REMOVE.bind(customer_id=customer_id, id=old.id, now=clock.now()))
        await jobs.enqueue(DETACH, key=f"{DETACH}:{old.id}", payload={"token_ref": old.token_ref})
    elif len(known) >= MOST:
        await jobs.enqueue(DETACH, key=f"{DETACH}:{seen.token_ref}"[:200], payload={"token_ref": seen.token_ref})
        return None
    is_default = not known or (old is not None and old.is_default)
    if default and not is_default:
        await execute(NO_DEFAULT.bind(customer_id=customer_id))
        is_default = True
    id = new_id()
    await insert_many(
        PaymentMethod,
        [
            {
                "id": id,
                "customer_id": customer_id,
                "brand": seen.brand[:20] or "card",
                "last4": seen.last4,
                "exp_month": seen.exp_month,
                "exp_year": seen.exp_year,
                "holder": seen.holder[:100],
                "nickname": old.nickname if old else None,
                "is_default": is_default,
                "position": old.position if old else max((card.position for card in known), default=0) + 1,
                "token_ref": seen.token_ref,
                "fingerprint": seen.fingerprint[:64],
                "added_by": added_by,
                "created_at": clock.now(),
            }
        ],
    )
    if old is not None:
        await audit.record(who, Event.CARDS_REPLACED, about=id)
    else:
        await audit.record(who, Event.CARDS_ADDED, about=id, brand=seen.brand[:20], default=is_default)
    return id


async def hold(customer_id: UUID) -> None:
    """Two who change the cards of one customer, or buy or end something of it, come one after the other. Inside a
    transaction."""
    await execute(LOCK.bind(customer_id=customer_id))


LOCK = Prepared.sql("UPDATE customer SET number = number WHERE id = :customer_id")
REMOVE = Prepared.sql(
    """
    UPDATE payment_method SET removed_at = :now, is_default = FALSE
    WHERE customer_id = :customer_id AND id = :id AND removed_at IS NULL
    """
)
NO_DEFAULT = Prepared.sql(
    """
    UPDATE payment_method SET is_default = FALSE
    WHERE customer_id = :customer_id AND is_default AND removed_at IS NULL
    """
)
TOKEN = Prepared.sql("SELECT token_ref FROM payment_method WHERE customer_id = :customer_id AND id = :id")
