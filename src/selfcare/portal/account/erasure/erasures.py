"""Asking to be erased, thinking it over, and the job that does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_many, fetch_one
from selfcare.formats import minor
from selfcare.identity import tokens
from selfcare.identity.identity import Identity
from selfcare.identity.tokens import Purpose
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.erasure import blanking
from selfcare.ports.jobs import Jobs
from selfcare.ports.messages import Messages

ERASE = "account.erase_due"
COOLING_OFF = timedelta(days=14)
AT_ONCE = 50


class DeadLink(NotFound):
    def __init__(self) -> None:
        super().__init__(_("This link no longer works. Sign in to see how it stands."))


@dataclass(frozen=True, slots=True)
class Open:
    """What has to end first. `route` and `id` lead to it."""

    words: str
    route: str
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a person sees before they ask, or after."""

    due_at: datetime | None
    open: list[Open]
    closes_account: bool


async def outlook(identity: Identity) -> Outlook:
    row = await fetch_one(_WAITING.bind(user_id=identity.user_id))
    closing = await _closing(identity.user_id)
    return Outlook(row["due_at"] if row else None, await _open_things(closing), bool(closing))


async def ask(identity: Identity, *, messages: Messages) -> datetime:
    """When it will be done. Raises NotAllowed for staff, and Conflict where something is open or asked already."""
    if identity.is_staff or identity.is_impersonating:
        raise NotAllowed(_("A staff sign-in is not erased here."))
    now, erasure_id = clock.now(), ids.new_id()
    due_at = now + COOLING_OFF
    async with transaction():
        if await _open_things(await _closing(identity.user_id)):
            raise Conflict(_("Some things have to end first. They are listed below."))
        about = {"id": erasure_id, "user_id": identity.user_id, "customer_id": identity.customer.customer_id}
        if not await execute(_ADD.bind(**about, now=now, due_at=due_at)):
            raise Conflict(_("You have asked for it already."))
        await audit.record(identity, Event.ACCOUNT_ERASURE_ASKED, about=erasure_id)
        link = await tokens.issue(Purpose.CANCEL_ERASURE, user_id=identity.user_id, data={"erasure": str(erasure_id)})
        await messages.send_later(
            Message.ACCOUNT_ERASURE_ASKED,
            to_user=identity.user_id,
            customer_id=identity.customer.customer_id,
            about=erasure_id,
            dedupe_key=f"erasure.asked:{erasure_id}",
            until=due_at,
            path=f"/account/erasure/cancel?token={link}",
        )
    return due_at


async def cancel(identity: Identity, *, messages: Messages) -> None:
    """By the person who asked, signed in. Raises Conflict where nothing waits."""
    async with transaction():
        if not await _cancel(identity.user_id, identity, messages):
            raise Conflict(_("There is nothing to cancel."))


async def look_at(token: str) -> None:
    """Raises DeadLink; looking does not use the link up."""
    if await tokens.peek(token, Purpose.CANCEL_ERASURE) is None:
        raise DeadLink


async def cancel_by_link(token: str, origin: Origin, *, messages: Messages) -> None:
    """From the mail, without a sign-in. Raises DeadLink."""
    async with transaction():
        found = await tokens.burn(token, Purpose.CANCEL_ERASURE)
        if found is None or found.user_id is None:
            raise DeadLink
        if not await _cancel(found.user_id, audit.visitor(origin, user_id=found.user_id), messages):
            raise DeadLink


async def _cancel(user_id: UUID, who: audit.Who, messages: Messages) -> bool:
    rows = await execute(_END.bind(user_id=user_id, state="cancelled", now=clock.now()))
    if not rows:
        return False
    await tokens.kill(user_id, Purpose.CANCEL_ERASURE)
    customer_id, erasure_id = rows[0]["customer_id"], rows[0]["id"]
    of_customer = audit.Actor(who.actor_id, user_id, who.grant_id, customer_id, who.origin)
    await audit.record(of_customer, Event.ACCOUNT_ERASURE_CANCELLED, about=erasure_id)
    await messages.send_later(
        Message.ACCOUNT_ERASURE_CANCELLED,
        to_user=user_id,
        customer_id=customer_id,
        about=erasure_id,
        dedupe_key=f"erasure.cancelled:{erasure_id}",
        at=clock.now(),
    )
    return True


@dataclass(frozen=True, slots=True)
class Eraser:
    """The job."""

    jobs: Jobs
    messages: Messages

    async def erase_due(self, _job: Job) -> None:
        """Each person in a transaction of their own; one that fails is tried again with the next run."""
        for row in await fetch(_DUE.bind(now=clock.now(), most=AT_ONCE)):
            await self._erase(row)

    async def _erase(self, row: dict[str, Any]) -> None:
        user_id, customer_id = row["user_id"], row["customer_id"]
        closing = await _closing(user_id)
        if not await _open_things(closing):
            for each in closing:
                await blanking.forget_calls(each)
        async with transaction():
            # Something may have been ordered or billed since it was asked.
            if await _open_things(await _closing(user_id)):
                await self._put_off(row)
                return
            if not await execute(_END.bind(user_id=user_id, state="done", now=clock.now())):
                return
            await blanking.blank(user_id, closing, jobs=self.jobs)
            who = audit.system(customer_id=customer_id, user_id=user_id)
            await audit.record(who, Event.ACCOUNT_ERASED, about=row["id"])

    async def _put_off(self, row: dict[str, Any]) -> None:
        if await execute(_END.bind(user_id=row["user_id"], state="blocked", now=clock.now())):
            await tokens.kill(row["user_id"], Purpose.CANCEL_ERASURE)
            await self.messages.send_later(
                Message.ACCOUNT_ERASURE_BLOCKED,
                to_user=row["user_id"],
                customer_id=row["customer_id"],
                about=row["id"],
                dedupe_key=f"erasure.blocked:{row['id']}",
                path="/account/erasure",
            )


async def _closing(user_id: UUID) -> list[UUID]:
    """The accounts nobody else looks after: they close with this person."""
    return [row["customer_id"] for row in await fetch(_ALONE.bind(user_id=user_id))]


async def _open_things(closing: list[UUID]) -> list[Open]:
    found: list[Open] = []
    for customer_id in closing:
        bills, services, balances, payments = await fetch_many(
            _BILLS.bind(customer_id=customer_id),
            _SERVICES.bind(customer_id=customer_id),
            _BALANCES.bind(customer_id=customer_id),
            _PAYMENTS.bind(customer_id=customer_id),
        )
        for row in bills:
            values = {"number": row["number"], "amount": minor(row["left"], row["currency"])}
            found.append(Open(_("Bill %(number)s: %(amount)s to pay") % values, "billing.invoice", row["id"]))
        for row in services:
            found.append(Open(_("%(service)s is not ended") % {"service": row["name"]}, "services.show", row["id"]))
        for row in balances:
            amount = minor(row["amount"], row["currency"])
            found.append(Open(_("You have %(amount)s with us: ask for it back") % {"amount": amount}, "billing"))
        for row in payments:
            found.append(Open(_("Payment %(reference)s is on its way") % row, "billing"))
    return found


_ADD = Prepared.sql(
    """
    INSERT INTO erasure (id, user_id, customer_id, state, asked_at, due_at)
    VALUES (:id, :user_id, :customer_id, 'asked', :now, :due_at) ON CONFLICT DO NOTHING RETURNING id
    """
)
_WAITING = Prepared.sql("SELECT due_at FROM erasure WHERE user_id = :user_id AND state = 'asked'")
_END = Prepared.sql(
    """
    UPDATE erasure SET state = :state, ended_at = :now WHERE user_id = :user_id AND state = 'asked'
    RETURNING id, customer_id
    """
)
_DUE = Prepared.sql(
    """
    SELECT id, user_id, customer_id FROM erasure WHERE state = 'asked' AND due_at <= :now ORDER BY due_at LIMIT :most
    """
)
_ALONE = Prepared.sql(
    """
    SELECT m.customer_id AS customer_id FROM membership m
     WHERE m.user_id = :user_id AND m.role = 'owner' AND m.accepted_at IS NOT NULL AND m.removed_at IS NULL
       AND NOT EXISTS (
           SELECT 1 FROM membership o JOIN app_user u ON u.id = o.user_id AND u.disabled_at IS NULL
            WHERE o.customer_id = m.customer_id AND o.user_id <> m.user_id AND o.role = 'owner'
              AND o.accepted_at IS NOT NULL AND o.removed_at IS NULL
       )
     ORDER BY m.customer_id LIMIT 50
    """
)
_BILLS = Prepared.sql(
    """
    SELECT id, number, currency, net_minor + tax_minor - paid_minor AS left FROM invoice
     WHERE customer_id = :customer_id AND state = 'issued' AND kind = 'regular'
       AND net_minor + tax_minor > paid_minor ORDER BY due_on, number LIMIT 50
    """
)
_SERVICES = Prepared.sql(
    """
    SELECT id, COALESCE(nickname, name) AS name FROM service
     WHERE customer_id = :customer_id AND state <> 'ended' ORDER BY name, id LIMIT 50
    """
)
_BALANCES = Prepared.sql(
    """
    SELECT currency, -SUM(balance_minor) AS amount FROM ledger_account
     WHERE customer_id = :customer_id AND kind IN ('credit', 'held', 'on_order', 'refunding')
     GROUP BY currency HAVING SUM(balance_minor) < 0
    """,
    types={"amount": int},
)
_PAYMENTS = Prepared.sql(
    """
    SELECT reference FROM payment WHERE customer_id = :customer_id
       AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown', 'manual_review')
     ORDER BY created_at LIMIT 20
    """
)
