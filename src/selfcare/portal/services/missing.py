"""Looking for a service that a person expected to see: in this account, or in another one they look after."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import msisdn

# Only in accounts this person belongs to: what belongs to others is not told apart from what does not exist.
_BY_NUMBER = Prepared.sql(
    """
    SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, s.state AS state, s.customer_id AS customer_id,
           c.name AS customer, m.service_ids AS service_ids
      FROM service s
      JOIN membership m ON m.customer_id = s.customer_id AND m.user_id = :user_id
           AND m.accepted_at IS NOT NULL AND m.removed_at IS NULL
      JOIN customer c ON c.id = s.customer_id
     WHERE s.msisdn = :number
     ORDER BY CASE s.state WHEN 'ended' THEN 1 ELSE 0 END, s.id
     LIMIT 5
    """,
    types={"service_ids": as_json},
)


class Where(StrEnum):
    HERE = "here"
    ELSEWHERE = "elsewhere"
    NOT_FOR_YOU = "not_for_you"
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Looked:
    where: Where
    number: str
    service_id: UUID | None = None
    name: str = ""
    customer: str = ""


async def look_for(identity: Identity, typed: str, *, region: str) -> Looked:
    """Raises BadNumber for what is no phone number."""
    number = msisdn.parse(typed, region)
    here = identity.customer.customer_id
    rows = await fetch(_BY_NUMBER.bind(user_id=identity.user_id, number=number))
    for row in sorted(rows, key=lambda row: row["customer_id"] != here):
        allowed = row["service_ids"] is None or str(row["id"]) in row["service_ids"]
        own = row["customer_id"] == here
        if not allowed:
            return Looked(Where.NOT_FOR_YOU, number, customer=row["customer"])
        return Looked(Where.HERE if own else Where.ELSEWHERE, number, row["id"], row["name"], row["customer"])
    return Looked(Where.NOWHERE, number)
