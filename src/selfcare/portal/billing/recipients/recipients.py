"""Who else gets a copy of each new bill, an accountant for example: an address the customer names and its owner
confirms. Until then nothing is sent there but that one question, and its owner ends it by a link in each mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import limits, marked
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import DeadLink, NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

MOST = 5
ASKED_FOR = timedelta(days=7)
UNCONFIRMED_STAYS = timedelta(days=30)
STOPPED_STAYS = timedelta(days=365)
BY_USER = limits.Limit("billing.recipients.user", 20, timedelta(days=1))
# Over all customers: nobody fills a stranger's mailbox with questions.
BY_RECEIVER = limits.Limit("billing.recipients.address", 3, timedelta(days=7))
CONFIRM = "billing.recipient.confirm"
STOP = "billing.recipient.stop"


@dataclass(frozen=True, slots=True)
class Recipient:
    """`came_back`: the last mail there was refused for good."""

    id: UUID
    email: str
    added_at: datetime
    confirmed_at: datetime | None
    stopped_at: datetime | None
    came_back: bool

    @property
    def is_over(self) -> bool:
        """It was never confirmed, and the link does not work any more."""
        return self.confirmed_at is None and self.added_at + ASKED_FOR <= clock.now()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the owner of an address may know: who asks, and whether they said yes or no already."""

    id: UUID
    customer_id: UUID
    customer: str
    confirmed_at: datetime | None
    stopped_at: datetime | None


def may_choose(identity: Identity) -> bool:
    """Bills are of the whole account, so not by who looks after some lines only."""
    return identity.customer.service_ids is None


async def list_recipients(scope: CustomerScope) -> list[Recipient]:
    return [Recipient(**row) for row in await fetch(_LIST.bind(customer_id=scope.customer_id))]


async def add(identity: Identity, email: str, *, key: bytes, messages: Messages) -> None:
    """Asks the address; asking again takes the place of a question that waits and of a no. Raises Rejected."""
    scope, address, now = _scope(identity), email.casefold(), clock.now()
    await limits.claim(BY_USER, str(identity.user_id))
    async with transaction():
        await execute(_HOLD.bind(customer_id=scope.customer_id))
        others = [one for one in await list_recipients(scope) if one.email != address]
        if len(others) >= MOST:
            raise Rejected(_("At most %(most)d addresses. Remove one first.") % {"most": MOST}, "email")
        await execute(_REPLACE.bind(customer_id=scope.customer_id, email=address))
        id = new_id()
        of = {"id": id, "customer_id": scope.customer_id, "email": address}
        if not await execute(_ADD.bind(**of, added_by=identity.actor_id, now=now)):
            raise Rejected(_("This address gets your bills already."), "email")
        if not await limits.allows_here(BY_RECEIVER, address):
            raise Rejected(_("This address was asked several times this week. Try again next week."), "email")
        await audit.record(identity, Event.BILLING_RECIPIENT_ADDED, about=id)
        await messages.send_later(
            Message.BILL_RECIPIENT_ASKED,
            to_address=address,
            customer_id=scope.customer_id,
            dedupe_key=f"bill.recipient_asked:{id}",
            customer=scope.customer_name,
            until=now + ASKED_FOR,
            path=f"/billing/recipients/confirm?token={marked.token_of(CONFIRM, id, key)}",
        )
        for owner in await fetch(_OWNERS.bind(customer_id=scope.customer_id)):
            await messages.send_later(
                Message.BILL_RECIPIENT_ADDED,
                to_user=owner["id"],
                customer_id=scope.customer_id,
                dedupe_key=f"bill.recipient_added:{id}:{owner['id']}",
                person=identity.actor.name,
                new_address=address,
                at=now,
                path="/billing/recipients",
            )


async def remove(identity: Identity, recipient_id: UUID) -> None:
    """Nothing more is sent there, and what was sent opens nothing any more. Raises NotFound."""
    scope = _scope(identity)
    async with transaction():
        if not await execute(_REMOVE.bind(customer_id=scope.customer_id, id=recipient_id)):
            raise NotFound
        await audit.record(identity, Event.BILLING_RECIPIENT_REMOVED, about=recipient_id)


async def asked(token: str, *, key: bytes) -> Asked:
    """By the link that asks. Raises DeadLink."""
    row = await fetch_one(_ASKED.bind(id=_id(CONFIRM, token, key), since=clock.now() - ASKED_FOR))
    if row is None:
        raise DeadLink
    return Asked(**row)


async def confirm(token: str, origin: Origin, *, key: bytes, today: date) -> Asked:
    """From now on copies go there. Twice is once. Raises DeadLink."""
    async with transaction():
        known = await asked(token, key=key)
        if known.stopped_at is None and await execute(_CONFIRM.bind(id=known.id, now=clock.now(), today=today)):
            who = audit.visitor(origin, customer_id=known.customer_id)
            await audit.record(who, Event.BILLING_RECIPIENT_CONFIRMED, about=known.id)
    return known


async def receives(token: str, *, key: bytes) -> Asked:
    """By the link that ends it, which stands in every mail and never grows old. Raises DeadLink."""
    row = await fetch_one(_RECEIVES.bind(id=_id(STOP, token, key)))
    if row is None:
        raise DeadLink
    return Asked(**row)


async def stop(token: str, origin: Origin, *, key: bytes) -> None:
    """Twice is once. Raises DeadLink."""
    async with transaction():
        known = await receives(token, key=key)
        if await execute(_STOP.bind(id=known.id, now=clock.now())):
            who = audit.visitor(origin, customer_id=known.customer_id)
            await audit.record(who, Event.BILLING_RECIPIENT_STOPPED, about=known.id)


async def forget_old(_job: Job) -> None:
    """Who never answered, and after a year who said no."""
    now = clock.now()
    async with transaction():
        await execute(_FORGET.bind(unconfirmed=now - UNCONFIRMED_STAYS, stopped=now - STOPPED_STAYS))


def _scope(identity: Identity) -> CustomerScope:
    if not may_choose(identity):
        raise NotFound
    return identity.customer


def _id(purpose: str, token: str, key: bytes) -> UUID:
    id = marked.id_in(purpose, token, key)
    if id is None:
        raise DeadLink
    return id


_HOLD = Prepared.sql("UPDATE customer SET number = number WHERE id = :customer_id")
_LIST = Prepared.sql(
    """
    SELECT r.id AS id, r.email AS email, r.added_at AS added_at, r.confirmed_at AS confirmed_at,
        r.stopped_at AS stopped_at,
        EXISTS (SELECT 1 FROM refused_address f WHERE f.address = r.email) AS came_back
    FROM bill_recipient r WHERE r.customer_id = :customer_id ORDER BY r.added_at, r.id LIMIT 50
    """,
    types={"came_back": bool},
)
_REPLACE = Prepared.sql(
    """
    DELETE FROM bill_recipient WHERE customer_id = :customer_id AND email = :email
        AND (confirmed_at IS NULL OR stopped_at IS NOT NULL)
    """
)
_ADD = Prepared.sql(
    """
    INSERT INTO bill_recipient (id, customer_id, email, added_by, added_at)
    VALUES (:id, :customer_id, :email, :added_by, :now) ON CONFLICT DO NOTHING RETURNING id
    """
)
_REMOVE = Prepared.sql("DELETE FROM bill_recipient WHERE customer_id = :customer_id AND id = :id RETURNING id")
_OF = """
    SELECT r.id AS id, r.customer_id AS customer_id, c.name AS customer, r.confirmed_at AS confirmed_at,
        r.stopped_at AS stopped_at
    FROM bill_recipient r JOIN customer c ON c.id = r.customer_id WHERE r.id = :id
    """
_ASKED = Prepared.sql(f"{_OF} AND (r.confirmed_at IS NOT NULL OR r.added_at > :since)")
_RECEIVES = Prepared.sql(f"{_OF} AND r.confirmed_at IS NOT NULL")
_CONFIRM = Prepared.sql(
    """
    UPDATE bill_recipient SET confirmed_at = :now, bills_from = :today WHERE id = :id AND confirmed_at IS NULL
    RETURNING id
    """
)
_STOP = Prepared.sql(
    """
    UPDATE bill_recipient SET stopped_at = :now
    WHERE id = :id AND confirmed_at IS NOT NULL AND stopped_at IS NULL RETURNING id
    """
)
_FORGET = Prepared.sql(
    """
    DELETE FROM bill_recipient
    WHERE (confirmed_at IS NULL AND added_at < :unconfirmed) OR stopped_at < :stopped
    """
)
_OWNERS = Prepared.sql(
    """
    SELECT u.id AS id FROM membership m JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND m.role = 'owner' AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
       AND u.disabled_at IS NULL
     ORDER BY u.id LIMIT 50
    """
)
