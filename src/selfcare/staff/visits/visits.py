""" "Login as User": who may be looked at, with whose consent, and what the customer is told."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.identity import acting, grants
from selfcare.identity.identity import Identity
from selfcare.identity.permissions import ACTIONS
from selfcare.identity.rights import StaffRight
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.activity import support
from selfcare.ports.messages import Messages
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import Kind
from selfcare.staff.customers import queries
from selfcare.staff.customers.queries import Contact


@dataclass(frozen=True, slots=True)
class Wanted:
    """What staff typed before they open somebody's portal."""

    reason: str
    ticket: str | None
    actions: frozenset[str]
    code: str = ""


async def person(customer_id: UUID, user_id: UUID) -> Contact:
    """Raises NotFound for who is not of this customer, and Rejected with the reason for who must not be opened."""
    found = next((one for one in await queries.contacts(customer_id) if one.user_id == user_id), None)
    if found is None:
        raise NotFound
    return found


def why_not(identity: Identity, contact: Contact) -> str | None:
    """Why there is no button beside this person; None where there is one."""
    if contact.user_id is None:
        return _("Cannot sign in: no user is linked.")
    if contact.is_staff:
        return _("Works for us: staff cannot be opened.")
    if contact.is_disabled:
        return _("This sign-in is switched off.")
    if contact.role is None:
        return _("Has no place in this account any more.")
    if not identity.can(StaffRight.CAN_IMPERSONATE):
        return _("You need the right “can impersonate” to open portals.")
    return None


def actions_of(identity: Identity, settings: Settings) -> dict[str, str]:
    """What this staff member may be allowed to do for the customer, in words: what the operator switched on, for who
    may edit."""
    if not identity.can(StaffRight.EDIT_CUSTOMER):
        return {}
    open_to = ACTIONS & set(settings.support_actions)
    return {action: words for action, words in acting.words().items() if action in open_to}


async def open_visit(
    identity: Identity,
    customer_id: UUID,
    user_id: UUID,
    wanted: Wanted,
    *,
    settings: Settings,
    messages: Messages,
    flags: Collection[str],
) -> UUID | None:
    """The grant, or None where the customer is being asked first. Raises Rejected with the reason, or NotFound."""
    contact = await person(customer_id, user_id)
    if refused := why_not(identity, contact):
        raise Rejected(refused)
    if user_id == identity.actor_id:
        raise Rejected(_("That is you."))
    allowed = wanted.actions & frozenset(actions_of(identity, settings))
    of = queries.of_customer(identity, customer_id, user_id)
    if wanted.code:
        await support.use_code(of, customer_id, user_id, wanted.code, key=settings.keys.link)
    present = await support.proved(identity.actor_id, user_id, customer_id)
    async with transaction():
        if "support_consent" in flags and not present:
            consent = await support.consent(identity.actor_id, user_id, customer_id)
            if consent is support.Consent.NEVER:
                raise Rejected(
                    _("This person does not want support to look. Ask for the support code from their Help page."),
                    "code",
                )
            if consent is support.Consent.ASK:
                await support.ask(of, wanted.reason, messages=messages)
                return None
        grant_id = await grants.open_visit(
            identity,
            user_id=user_id,
            customer_id=customer_id,
            reason=wanted.reason,
            ticket=wanted.ticket,
            allowed=allowed,
        )
        if settings.support_mail:
            await messages.send_later(
                Message.SUPPORT_OPENED,
                to_user=user_id,
                customer_id=customer_id,
                about=grant_id,
                dedupe_key=f"support_opened:{grant_id}",
                staff=first_name(identity.actor.name),
                reason=wanted.reason,
                at=clock.now(),
                path="/activity?kind=as",
            )
    return grant_id


async def ask_to_override(staff: Identity, customer_id: UUID, user_id: UUID, reason: str) -> None:
    """By an administrator, where the person wants to be asked first and cannot be. A never stays a never.

    Raises NotFound, Rejected or Conflict.
    """
    contact = await person(customer_id, user_id)
    if refused := why_not(staff, contact):
        raise Rejected(refused)
    if not await support.wants_to_be_asked(user_id):
        raise Rejected(_("Only “Ask me first” can be overridden."))
    async with transaction():
        if await approvals.is_asked(Kind.VISIT, user_id):
            raise Conflict(_("This waits for a second person already."))
        await approvals.ask(queries.of_customer(staff, customer_id, user_id), Kind.VISIT, reason, about=user_id)


async def decide(staff: Identity, approval_id: UUID, *, yes: bool, messages: Messages) -> None:
    """By somebody else. A yes lets who asked open the portal once, within 15 minutes. Raises Conflict."""
    async with transaction():
        asked = await approvals.decide(staff, approval_id, [Kind.VISIT], yes=yes)
        if yes and asked.about is not None:
            who = queries.of_customer(staff, asked.customer_id, asked.about)
            await support.override(who, asked.asked_by, asked.reason, messages=messages)


def first_name(name: str) -> str:
    """What customers read of somebody who works for us."""
    return name.split(" ")[0]
