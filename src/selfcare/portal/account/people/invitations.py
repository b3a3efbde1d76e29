"""Inviting somebody by mail: a link for seven days that lets one person in, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Actor
from selfcare.db.engine import Duplicate, transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.rights import Role
from selfcare.identity.tables import User
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, DeadLink, NotAllowed, NotFound, Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.people import members
from selfcare.portal.account.tables import Invitation
from selfcare.portal.activity.words import role_name
from selfcare.portal.sign_in import sign_ins
from selfcare.ports.messages import Messages

LASTS = timedelta(days=7)
INVITATIONS_BY_USER = limits.Limit("invitations.user", 20, timedelta(days=1))


class IsMember(Rejected):
    """They belong here already."""


@dataclass(frozen=True, slots=True)
class Open:
    """An invitation that can be accepted. `user_id` where a person with this address is here already."""

    id: UUID
    scope: CustomerScope
    email: str
    role: Role
    service_ids: list[str] | None
    inviter: str
    user_id: UUID | None


_IS_MEMBER = Prepared.sql(
    """
    SELECT m.id AS id FROM membership m JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND lower(u.email) = :email AND m.removed_at IS NULL
    """
)
_WITHDRAW_SAME = Prepared.sql(
    """
    UPDATE invitation SET withdrawn_at = :now
     WHERE customer_id = :customer_id AND email = :email AND accepted_at IS NULL AND withdrawn_at IS NULL
    """
)
_WITHDRAW = Prepared.sql(
    """
    UPDATE invitation SET withdrawn_at = :now
     WHERE customer_id = :customer_id AND id = :id AND accepted_at IS NULL AND withdrawn_at IS NULL
    RETURNING id
    """
)
_FIND = Prepared.sql(
    """
    SELECT i.id AS id, i.email AS email, i.role AS role, i.service_ids AS service_ids, b.display_name AS inviter,
           c.id AS customer_id, c.number AS number, c.name AS name, c.type AS type, c.status AS status,
           c.pays AS pays, c.currency AS currency, c.zone AS zone, u.id AS user_id
      FROM invitation i
      JOIN customer c ON c.id = i.customer_id AND c.status <> 'archived'
      JOIN app_user b ON b.id = i.invited_by
      LEFT JOIN app_user u ON lower(u.email) = i.email
     WHERE i.token_hash = :hash AND i.accepted_at IS NULL AND i.withdrawn_at IS NULL AND i.expires_at > :now
    """,
    types={"service_ids": as_json},
)
_BURN = Prepared.sql(
    """
    UPDATE invitation SET accepted_at = :now, accepted_by = :user_id
     WHERE id = :id AND accepted_at IS NULL AND withdrawn_at IS NULL AND expires_at > :now
    RETURNING id
    """
)
_JOIN = Prepared.sql(
    """
    INSERT INTO membership (id, user_id, customer_id, role, service_ids, invited_at, accepted_at)
    VALUES (:id, :user_id, :customer_id, :role, :service_ids, :now, :now)
    ON CONFLICT DO NOTHING RETURNING id
    """
)


async def invite(identity: Identity, email: str, role: Role, lines: list[UUID] | None, *, messages: Messages) -> None:
    """A second invitation of the same address takes the place of the first. Raises IsMember or limits.TooOften."""
    scope, address = identity.customer, sign_ins.normal_email(email)
    if await fetch_one(_IS_MEMBER.bind(customer_id=scope.customer_id, email=address)):
        raise IsMember(_("This person belongs to this account already."), field="email")
    await limits.claim(INVITATIONS_BY_USER, str(identity.user_id))
    token, invitation_id = ids.token(), ids.new_id()
    try:
        async with transaction():
            now = clock.now()
            await execute(_WITHDRAW_SAME.bind(customer_id=scope.customer_id, email=address, now=now))
            await Invitation.insert(
                Invitation(
                    id=invitation_id,
                    customer_id=scope.customer_id,
                    email=address,
                    role=role.value,
                    service_ids=None if lines is None else [str(line) for line in lines],
                    token_hash=ids.token_hash(token),
                    invited_by=identity.user_id,
                    created_at=now,
                    expires_at=now + LASTS,
                )
            )
            await audit.record(
                identity,
                Event.ACCOUNT_PERSON_INVITED,
                about=invitation_id,
                role=role.value,
                services=None if lines is None else len(lines),
            )
            await messages.send_later(
                Message.ACCOUNT_INVITED,
                to_address=address,
                customer_id=scope.customer_id,
                dedupe_key=f"invited:{invitation_id}",
                expires_at=now + LASTS,
                inviter=identity.user.name,
                customer=scope.customer_name,
                role=role_name(role.value),
                until=now + LASTS,
                path=f"/account/invitation?token={token}",
            )
    except Duplicate as error:
        raise Conflict(_("Somebody else invites this person right now. Look at the list.")) from error


async def withdraw(identity: Identity, invitation_id: UUID) -> None:
    """The link stops working. Raises NotFound."""
    async with transaction():
        about = {"customer_id": identity.customer.customer_id, "id": invitation_id}
        if not await execute(_WITHDRAW.bind(now=clock.now(), **about)):
            raise NotFound
        await audit.record(identity, Event.ACCOUNT_INVITATION_WITHDRAWN, about=invitation_id)


async def look_at(token: str) -> Open:
    """Looking does not use it up: mail scanners look. Raises DeadLink."""
    row = await fetch_one(_FIND.bind(hash=ids.token_hash(token), now=clock.now()))
    if row is None:
        raise DeadLink
    scope = CustomerScope(
        customer_id=row["customer_id"],
        customer_number=row["number"],
        customer_name=row["name"],
        customer_type=row["type"],
        customer_status=row["status"],
        pays=row["pays"],
        currency=row["currency"],
        zone=row["zone"],
    )
    return Open(row["id"], scope, row["email"], Role(row["role"]), row["service_ids"], row["inviter"], row["user_id"])


async def accept(identity: Identity, token: str, *, messages: Messages) -> CustomerScope:
    """By somebody who is signed in with the address that was invited; their sign-in moves to the new customer.

    Raises DeadLink, also for another person's invitation, and IsMember.
    """
    if identity.is_impersonating or identity.is_staff:
        raise NotAllowed(_("A staff sign-in cannot look after an account."))
    invitation = await look_at(token)
    if invitation.user_id != identity.user_id:
        raise DeadLink
    async with transaction():
        await _join(invitation, identity.user_id, identity.user.name, identity.origin, messages)
        await switch_session(identity, invitation.scope.customer_id)
    return invitation.scope


async def join(
    token: str, name: str, password: str, origin: Origin, *, passwords: Passwords, messages: Messages, rules: Policy
) -> None:
    """By somebody new: the mail proved the address. Opens no sign-in. Raises DeadLink or policy.Weak."""
    invitation = await look_at(token)
    if invitation.user_id is not None:
        raise DeadLink
    rules.check(password, email=invitation.email, name=name)
    hashed = await passwords.hash(password)
    user_id = ids.new_id()
    try:
        async with transaction():
            now = clock.now()
            await User.insert(
                User(
                    id=user_id,
                    email=invitation.email,
                    email_verified_at=now,
                    display_name=name,
                    password_hash=hashed,
                    password_changed_at=now,
                    language="en",
                    theme="system",
                    created_at=now,
                )
            )
            await _join(invitation, user_id, name, origin, messages)
    except Duplicate as error:
        raise DeadLink from error


_SWITCH = Prepared.sql(
    """
    UPDATE session SET customer_id = :customer_id
     WHERE id_hash = :session_id AND revoked_at IS NULL
       AND EXISTS (SELECT 1 FROM membership m JOIN customer c ON c.id = m.customer_id AND c.status <> 'archived'
                    WHERE m.user_id = session.user_id AND m.customer_id = :customer_id
                      AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL)
    RETURNING id_hash
    """
)


async def switch_session(identity: Identity, customer_id: UUID) -> None:
    """Inside a transaction: from now on this sign-in is about that customer. Raises NotFound for one of others."""
    if not await execute(_SWITCH.bind(session_id=identity.session_id, customer_id=customer_id)):
        raise NotFound
    actor = Actor(identity.actor_id, identity.user_id, None, customer_id, identity.origin)
    await audit.record(actor, Event.ACCOUNT_CUSTOMER_SWITCHED)


async def switch(identity: Identity, customer_id: UUID) -> None:
    async with transaction():
        await switch_session(identity, customer_id)


async def _join(invitation: Open, user_id: UUID, name: str, origin: Origin, messages: Messages) -> None:
    now = clock.now()
    if not await execute(_BURN.bind(id=invitation.id, user_id=user_id, now=now)):
        raise DeadLink
    row = {
        "id": ids.new_id(),
        "user_id": user_id,
        "customer_id": invitation.scope.customer_id,
        "role": invitation.role.value,
        "service_ids": invitation.service_ids,
        "now": now,
    }
    if not await execute(_JOIN.bind(**row)):
        raise IsMember(_("You belong to this account already."))
    actor = Actor(user_id, user_id, None, invitation.scope.customer_id, origin)
    role = invitation.role.value
    await audit.record(actor, Event.ACCOUNT_INVITATION_ACCEPTED, about=invitation.id, role=role)
    key = str(invitation.id)
    await members.tell_owners(invitation.scope, "joined", name, key=key, messages=messages, role=role_name(role))
