"""Changing kept cards: name, order, which is the default, and removing."""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, Rejected
from selfcare.kernel.words import _
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import DETACH, Card
from selfcare.portal.cards.expiry import Expiry
from selfcare.portal.cards.needs import needs_of
from selfcare.ports.jobs import Jobs

LONGEST_NICKNAME = 30
SET_DEFAULT = "cards.set_default"


async def rename(identity: Identity, card_id: UUID, nickname: str) -> None:
    """The customer's own name for it; empty shows brand and number again."""
    customer_id = _customer(identity)
    if len(nickname) > LONGEST_NICKNAME:
        raise Rejected(_("Use at most %(n)d characters.") % {"n": LONGEST_NICKNAME}, "nickname")
    async with transaction():
        card = await cards.get_card(customer_id, card_id)
        if card.nickname == (nickname or None):
            return
        await execute(RENAME.bind(customer_id=customer_id, id=card_id, nickname=nickname or None))
        await audit.record(identity, Event.CARDS_RENAMED, about=card_id)


async def make_default(identity: Identity, card_id: UUID, jobs: Jobs) -> None:
    """What is paid by itself is paid by this card from now on. Twice is once."""
    customer_id = _customer(identity)
    async with transaction():
        await cards.hold(customer_id)
        card = await cards.get_card(customer_id, card_id)
        if card.is_default:
            return
        if card.expiry(clock.now().date()) is Expiry.EXPIRED:
            raise Rejected(_("This card has expired. Choose another one."))
        await _set_default(customer_id, card, jobs)
        await audit.record(identity, Event.CARDS_MADE_DEFAULT, about=card_id)


async def move(identity: Identity, card_id: UUID, *, up: bool) -> None:
    """One place up or down among the cards that are tried after the default."""
    customer_id = _customer(identity)
    async with transaction():
        await cards.hold(customer_id)
        card = await cards.get_card(customer_id, card_id)
        others = [each for each in await cards.list_cards(customer_id) if not each.is_default]
        if card.is_default:
            return
        at = others.index(card)
        to = at - 1 if up else at + 1
        if not 0 <= to < len(others):
            return
        others.insert(to, others.pop(at))
        for position, each in enumerate(others, 2):
            await execute(PLACE.bind(customer_id=customer_id, id=each.id, position=position))
        await audit.record(identity, Event.CARDS_ORDERED, about=card_id)


async def why_not_remove(customer_id: UUID, card: Card) -> str | None:
    """What has to happen before this card may go; None where it may go now."""
    if await fetch(ON_ITS_WAY.bind(customer_id=customer_id, id=card.id)):
        return _("A payment by this card is on its way. Remove the card when that is done.")
    needs = await needs_of(customer_id) if card.is_default else []
    if needs:
        words = _("This card is needed for: %(needs)s. Use another card for automatic payments, or switch that off.")
        return words % {"needs": ", ".join(needs)}
    return None


async def remove(identity: Identity, card_id: UUID, jobs: Jobs) -> None:
    """Gone here at once; a job takes it off the gateway. Raises Rejected while something depends on it."""
    customer_id = _customer(identity)
    async with transaction():
        await cards.hold(customer_id)
        card = await cards.get_card(customer_id, card_id)
        if (refusal := await why_not_remove(customer_id, card)) is not None:
            raise Rejected(refusal)
        await execute(cards.REMOVE.bind(customer_id=customer_id, id=card_id, now=clock.now()))
        await jobs.enqueue(DETACH, key=f"{DETACH}:{card_id}", payload={"token_ref": card.token_ref})
        await audit.record(identity, Event.CARDS_REMOVED, about=card_id)
        if card.is_default:
            await _pass_on(customer_id, jobs)


async def forget(customer_id: UUID, token_ref: str, jobs: Jobs) -> bool:
    """The gateway keeps this card no more, whoever took it off there. False where it was gone here too."""
    async with transaction():
        await cards.hold(customer_id)
        card = next((each for each in await cards.list_cards(customer_id) if each.token_ref == token_ref), None)
        if card is None:
            return False
        await execute(cards.REMOVE.bind(customer_id=customer_id, id=card.id, now=clock.now()))
        await audit.record(audit.system(customer_id=customer_id), Event.CARDS_REMOVED, about=card.id)
        if card.is_default:
            await _pass_on(customer_id, jobs)
    return True


async def _pass_on(customer_id: UUID, jobs: Jobs) -> None:
    """The next card that still works becomes the default."""
    today = clock.now().date()
    left = await cards.list_cards(customer_id)
    working = [card for card in left if card.expiry(today) is not Expiry.EXPIRED]
    if left:
        await _set_default(customer_id, (working or left)[0], jobs)


async def _set_default(customer_id: UUID, card: Card, jobs: Jobs) -> None:
    await execute(cards.NO_DEFAULT.bind(customer_id=customer_id))
    await execute(DEFAULT.bind(customer_id=customer_id, id=card.id))
    key = f"{SET_DEFAULT}:{card.id}:{clock.now().isoformat()}"
    await jobs.enqueue(SET_DEFAULT, key=key, payload={"customer_id": str(customer_id)})


def _customer(identity: Identity) -> UUID:
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can change cards."))
    return identity.customer.customer_id


RENAME = Prepared.sql(
    """
    UPDATE payment_method SET nickname = :nickname
    WHERE customer_id = :customer_id AND id = :id AND removed_at IS NULL
    """
)
PLACE = Prepared.sql(
    """
    UPDATE payment_method SET position = :position
    WHERE customer_id = :customer_id AND id = :id AND removed_at IS NULL
    """
)
DEFAULT = Prepared.sql(
    """
    UPDATE payment_method SET is_default = TRUE
    WHERE customer_id = :customer_id AND id = :id AND removed_at IS NULL
    """
)
ON_ITS_WAY = Prepared.sql(
    """
    SELECT id FROM payment WHERE customer_id = :customer_id AND method_id = :id
        AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown') LIMIT 1
    """
)
