"""How something that is bought may be paid: a saved card, a new one, or credit that covers all of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import Card
from selfcare.portal.cards.expiry import Expiry
from selfcare.portal.pay import proofs
from selfcare.portal.pay.payments import How
from selfcare.settings import Settings

NEW_CARD = "new"
CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """The default card stands first. `credit` is what there is; `by_credit` whether it may pay and covers all of it."""

    NEW_CARD: ClassVar = NEW_CARD
    CREDIT: ClassVar = CREDIT

    cards: tuple[Card, ...]
    credit: Money
    by_credit: bool
    by_card: bool

    @property
    def choices(self) -> list[str]:
        found = [str(card.id) for card in self.cards]
        if self.by_card:
            found.append(NEW_CARD)
        return [*found, CREDIT] if self.by_credit else found

    @property
    def usual(self) -> str:
        """A saved card before credit, and both before typing a card."""
        if self.cards:
            return str(self.cards[0].id)
        return CREDIT if self.by_credit else NEW_CARD


async def ways_to_pay(identity: Identity, price: Money, *, today: date, from_credit: bool = True) -> Ways:
    """`from_credit` False for what may not be bought with credit. Support pays from credit only; whoever does not look
    after all cards sees the own ones."""
    credit = await ledger.credit_of(identity.customer)
    covers = from_credit and bool(price) and not credit < price
    by_card = not identity.is_impersonating
    known = await cards.list_usable(identity.customer.customer_id, _only_of(identity)) if by_card else []
    return Ways(
        cards=tuple(card for card in known if card.expiry(today) is not Expiry.EXPIRED),
        credit=credit,
        by_credit=covers and identity.can(Right.PAY_OWN_BILLS),
        by_card=by_card,
    )


async def needs_proof(identity: Identity, choice: str, price: Money, settings: Settings) -> bool:
    """Whether this person has to prove who it is before paying so. `choice` is one of the `choices`."""
    if choice == CREDIT:
        return False
    card = None if choice == NEW_CARD else UUID(choice)
    return await proofs.needs_proof(identity, card, buys=price, free_a_day=settings.card_day_limit)


def how(choice: str, *, request_key: str, save_card: bool = False) -> How:
    """`choice` is one of the `choices`."""
    if choice == CREDIT:
        return How(request_key=request_key, credit_only=True)
    card = None if choice == NEW_CARD else UUID(choice)
    return How(request_key=request_key, card_id=card, save_card=save_card, use_credit=False)


def _only_of(identity: Identity) -> UUID | None:
    return None if identity.can(Right.MANAGE_OWN_CARDS) else identity.user_id
