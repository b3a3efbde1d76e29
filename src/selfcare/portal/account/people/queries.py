"""What the people pages read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch, fetch_many, fetch_one
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.identity.rights import Role
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound

_MEMBERS = Prepared.sql(
    """
    SELECT m.id AS id, m.user_id AS user_id, m.role AS role, m.service_ids AS service_ids,
           m.accepted_at AS accepted_at, u.display_name AS name, u.email AS email
      FROM membership m JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
     ORDER BY CASE m.role WHEN 'owner' THEN 0 WHEN 'payer' THEN 1 WHEN 'user' THEN 2 ELSE 3 END, u.display_name, m.id
     LIMIT 100
    """,
    types={"service_ids": as_json},
)
_INVITED = Prepared.sql(
    """
    SELECT id, email, role, created_at, expires_at FROM invitation
     WHERE customer_id = :customer_id AND accepted_at IS NULL AND withdrawn_at IS NULL
     ORDER BY created_at DESC, id LIMIT 100
    """
)
_MEMBER = Prepared.sql(
    """
    SELECT m.id AS id, m.user_id AS user_id, m.role AS role, m.service_ids AS service_ids,
           m.accepted_at AS accepted_at, u.display_name AS name, u.email AS email
      FROM membership m JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND m.id = :member_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
    """,
    types={"service_ids": as_json},
)
_CUSTOMERS = Prepared.sql(
    """
    SELECT c.id AS id, c.number AS number, c.name AS name, m.role AS role
      FROM membership m JOIN customer c ON c.id = m.customer_id
     WHERE m.user_id = :user_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL AND c.status <> 'archived'
     ORDER BY c.name, c.number LIMIT 200
    """
)


@dataclass(frozen=True, slots=True)
class Member:
    id: UUID
    user_id: UUID
    role: Role
    service_ids: list[str] | None
    accepted_at: datetime
    name: str
    email: str

    @property
    def lines(self) -> int | None:
        """How many lines they see; None for all."""
        return None if self.service_ids is None else len(self.service_ids)


@dataclass(frozen=True, slots=True)
class Invited:
    id: UUID
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime
    is_over: bool


@dataclass(frozen=True, slots=True)
class People:
    members: list[Member]
    invited: list[Invited]


@dataclass(frozen=True, slots=True)
class Choice:
    """A customer a person looks after."""

    id: UUID
    number: str
    name: str
    role: Role


async def people(scope: CustomerScope) -> People:
    asked = {"customer_id": scope.customer_id}
    members, invited = await fetch_many(_MEMBERS.bind(**asked), _INVITED.bind(**asked))
    now = clock.now()
    return People(
        [_member(row) for row in members],
        [Invited(**row | {"role": Role(row["role"])}, is_over=row["expires_at"] <= now) for row in invited],
    )


async def get_member(scope: CustomerScope, member_id: UUID) -> Member:
    """Raises NotFound."""
    row = await fetch_one(_MEMBER.bind(customer_id=scope.customer_id, member_id=member_id))
    if row is None:
        raise NotFound
    return _member(row)


async def list_customers(identity: Identity) -> list[Choice]:
    rows = await fetch(_CUSTOMERS.bind(user_id=identity.user_id))
    return [Choice(**row | {"role": Role(row["role"])}) for row in rows]


def _member(row: dict[str, Any]) -> Member:
    return Member(**row | {"role": Role(row["role"])})
