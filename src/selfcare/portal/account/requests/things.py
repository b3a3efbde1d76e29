"""What a request may be about: the customer's own lines, payments, services, contacts and sites, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare import formats
from selfcare.db.prepared import Prepared, fetch
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel.errors import NotFound
from selfcare.kernel.words import _
from selfcare.portal.account.requests.kinds import Thing

MOST = 60
EVERY = UUID(int=0)

# Each answers for one id, or with EVERY for the latest of all.
_SELECTS = {
    "line": Prepared.sql(
        """
        SELECT t.id AS id, t.description AS words, t.amount_minor + t.tax_minor AS minor, t.currency AS currency,
               i.number AS number, i.date AS date
          FROM billing_transaction t JOIN invoice i ON i.id = t.invoice_id AND i.customer_id = t.customer_id
         WHERE t.customer_id = :customer_id AND (t.id = :id OR :id = :every) AND t.kind = 'charge'
           AND t.voided_at IS NULL AND i.kind = 'regular' AND i.state IN ('issued', 'settled')
         ORDER BY i.date DESC, i.number DESC, t.at, t.id LIMIT :most
        """
    ),
    "payment": Prepared.sql(
        """
        SELECT id, description AS words, amount_minor - refunded_minor AS minor, currency, reference AS number
          FROM payment
         WHERE customer_id = :customer_id AND (id = :id OR :id = :every) AND state IN ('succeeded', 'refund_due')
           AND disputed_at IS NULL AND amount_minor > refunded_minor
           AND (guest_link_id IS NULL OR purpose = 'invoice')
         ORDER BY created_at DESC, id LIMIT :most
        """
    ),
    "service": Prepared.sql(
        """
        SELECT id, COALESCE(nickname, name) AS words FROM service
         WHERE customer_id = :customer_id AND (id = :id OR :id = :every) AND state <> 'ended'
         ORDER BY name, id LIMIT :most
        """
    ),
    "contact": Prepared.sql(
        """
        SELECT id, name AS words FROM contact WHERE customer_id = :customer_id AND (id = :id OR :id = :every)
         ORDER BY is_primary DESC, name, id LIMIT :most
        """
    ),
    "site": Prepared.sql(
        """
        SELECT id, label || ', ' || address_line_1 AS words FROM site
         WHERE customer_id = :customer_id AND (id = :id OR :id = :every) ORDER BY label, id LIMIT :most
        """
    ),
}


@dataclass(frozen=True, slots=True)
class About:
    id: UUID
    words: str


async def list_things(identity: Identity, thing: Thing) -> list[About]:
    """The latest sixty to choose from."""
    return await _select(identity, thing, EVERY)


async def get_thing(identity: Identity, thing: Thing, thing_id: UUID) -> About:
    """Raises NotFound, also for what belongs to somebody else."""
    found = await _select(identity, thing, thing_id) if thing_id != EVERY else []
    if not found:
        raise NotFound
    return found[0]


async def _select(identity: Identity, thing: Thing, thing_id: UUID) -> list[About]:
    scope = identity.customer
    if not thing or (thing in ("line", "payment") and not identity.can(Right.VIEW_OWN_BILLS)):
        return []
    rows = await fetch(
        _SELECTS[thing].bind(
            customer_id=scope.customer_id, id=thing_id, every=EVERY, most=MOST if thing_id == EVERY else 1
        )
    )
    return [About(row["id"], _words(row)) for row in rows if thing != "service" or scope.covers(row["id"])]


def _words(row: dict[str, Any]) -> str:
    if "minor" not in row:
        return str(row["words"])[:200]
    amount = formats.minor(row["minor"], row["currency"])
    parts = {"number": row["number"], "amount": amount, "words": row["words"]}
    if "date" in row:
        return (_("Bill %(number)s: %(words)s, %(amount)s") % parts)[:200]
    return (_("%(words)s, %(amount)s (%(number)s)") % parts)[:200]
