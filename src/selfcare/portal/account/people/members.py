"""Changing and removing the people of a customer. One owner who can sign in always remains."""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.identity.rights import Role
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.people import queries
from selfcare.portal.account.people.queries import Member
from selfcare.portal.activity.words import role_name
from selfcare.ports.messages import Messages


class LastOwner(Rejected):
    """Somebody must be able to decide."""


# Whoever changes owners holds the customer's row: two at once would each still see the other's owner.
_HOLD = Prepared.sql("UPDATE customer SET number = number WHERE id = :customer_id RETURNING id")
_OTHER_OWNER = """EXISTS (
    SELECT 1 FROM membership o JOIN app_user u ON u.id = o.user_id
     WHERE o.customer_id = :customer_id AND o.id <> :member_id AND o.role = 'owner'
       AND o.removed_at IS NULL AND o.accepted_at IS NOT NULL AND u.disabled_at IS NULL)"""
_CHANGE = Prepared.sql(
    f"""
    UPDATE membership SET role = :role, service_ids = :service_ids
     WHERE id = :member_id AND customer_id = :customer_id AND removed_at IS NULL AND accepted_at IS NOT NULL
       AND (role <> 'owner' OR :stays_owner = 1 OR {_OTHER_OWNER})
    RETURNING user_id
    """
)
_REMOVE = Prepared.sql(
    f"""
    UPDATE membership SET removed_at = :now
     WHERE id = :member_id AND customer_id = :customer_id AND removed_at IS NULL AND accepted_at IS NOT NULL
       AND (role <> 'owner' OR {_OTHER_OWNER})
    RETURNING user_id
    """
)
_END_SIGN_INS = Prepared.sql(
    """
    UPDATE session SET revoked_at = :now
     WHERE user_id = :user_id AND customer_id = :customer_id AND id_hash <> :own AND revoked_at IS NULL
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


async def change(
    identity: Identity, member_id: UUID, role: Role, lines: list[UUID] | None, *, messages: Messages
) -> None:
    """`lines` None means all. Acts on the next click of that person. Raises NotFound or LastOwner."""
    scope = identity.customer
    async with transaction():
        await execute(_HOLD.bind(customer_id=scope.customer_id))
        member = await queries.get_member(scope, member_id)
        changed = await execute(
            _CHANGE.bind(
                customer_id=scope.customer_id,
                member_id=member_id,
                role=role.value,
                service_ids=None if lines is None else [str(line) for line in lines],
                stays_owner=int(role is Role.OWNER),
            )
        )
        if not changed:
            raise _last_owner()
        await audit.record(
            identity,
            Event.ACCOUNT_PERSON_CHANGED,
            about=member.user_id,
            role=role.value,
            was=member.role.value,
            services=None if lines is None else len(lines),
        )
        await _tell(identity, "changed", member, messages, role=role_name(role.value))


async def remove(identity: Identity, member_id: UUID, *, messages: Messages) -> None:
    """Their sign-ins here end with it; a sign-in about another customer goes on. Raises NotFound or LastOwner."""
    scope = identity.customer
    async with transaction():
        await execute(_HOLD.bind(customer_id=scope.customer_id))
        member = await queries.get_member(scope, member_id)
        now = clock.now()
        if not await execute(_REMOVE.bind(customer_id=scope.customer_id, member_id=member_id, now=now)):
            raise _last_owner()
        about = {"user_id": member.user_id, "customer_id": scope.customer_id}
        await execute(_END_SIGN_INS.bind(own=identity.session_id, now=now, **about))
        await audit.record(identity, Event.ACCOUNT_PERSON_REMOVED, about=member.user_id, role=member.role.value)
        await _tell(identity, "removed", member, messages)


async def tell_owners(
    scope: CustomerScope,
    change: str,
    person: str,
    *,
    key: str,
    messages: Messages,
    role: str | None = None,
    also: UUID | None = None,
) -> None:
    """Inside the transaction of the change: its owners hear of it, and whom it is about."""
    owners = {row["id"] for row in await fetch(_OWNERS.bind(customer_id=scope.customer_id))}
    for user_id in sorted(owners | ({also} if also else set())):
        await messages.send_later(
            Message.ACCOUNT_PEOPLE_CHANGED,
            to_user=user_id,
            customer_id=scope.customer_id,
            dedupe_key=f"people:{change}:{key}:{user_id}",
            change=change,
            person=person,
            customer=scope.customer_name,
            role=role,
            at=clock.now(),
        )


async def _tell(
    identity: Identity, change: str, member: Member, messages: Messages, *, role: str | None = None
) -> None:
    await tell_owners(
        identity.customer,
        change,
        member.name or member.email,
        key=f"{member.id}:{identity.origin.request_id}",
        messages=messages,
        role=role,
        also=member.user_id,
    )


def _last_owner() -> LastOwner:
    return LastOwner(_("This is the only owner. Make somebody else an owner first."), field="role")
