"""Stored cards as others use them: what may be shown, and the gateway's name for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel.errors import NotFound
from selfcare.portal.cards.expiry import Expiry, expiry_of


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

    def expiry(self, today: date) -> Expiry:
        return expiry_of(self.exp_month, self.exp_year, today)


async def list_cards(customer_id: UUID) -> list[Card]:
    """In the order they are tried, the default first."""
    return [_card(row) for row in await fetch(ALL.bind(customer_id=customer_id))]


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


async def token_of(customer_id: UUID, card_id: UUID) -> str:
    """The gateway's name, also of a card that was removed since: an attempt that began with it is asked again."""
    rows = await fetch(TOKEN.bind(customer_id=customer_id, id=card_id))
    if not rows:
        raise NotFound
    token_ref: str = rows[0]["token_ref"]
    return token_ref


TOKEN = Prepared.sql("SELECT token_ref FROM payment_method WHERE customer_id = :customer_id AND id = :id")
