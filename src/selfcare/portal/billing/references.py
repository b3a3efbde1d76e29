"""A business's own reference on its bills: one for a single bill, one for all that have none of their own.

What a bill itself says never changes; the reference is the customer's word beside it.
"""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _

LONGEST = 60


def may_set(identity: Identity) -> bool:
    return identity.customer.customer_type == "business" and identity.customer.service_ids is None


async def usual(scope: CustomerScope) -> str:
    """For bills that have none of their own; empty where none was set."""
    row = await fetch_one(_USUAL.bind(customer_id=scope.customer_id))
    return row["words"] if row else ""


async def set_usual(identity: Identity, words: str) -> None:
    """Raises Rejected, and NotFound for a customer that has no such references."""
    words = _checked(identity, words)
    async with transaction():
        await execute(_SET_USUAL.bind(customer_id=identity.customer.customer_id, words=words, now=clock.now()))
        await audit.record(identity, Event.BILLING_REFERENCE_SET)


async def set_on(identity: Identity, invoice_id: UUID, words: str) -> None:
    """Empty: the usual one. Raises Rejected, and NotFound also for a bill of somebody else."""
    words = _checked(identity, words)
    async with transaction():
        key = {"customer_id": identity.customer.customer_id, "id": invoice_id}
        if not await execute(_SET.bind(**key, words=words or None)):
            raise NotFound
        await audit.record(identity, Event.BILLING_REFERENCE_SET, about=invoice_id)


def _checked(identity: Identity, words: str) -> str:
    if not may_set(identity):
        raise NotFound
    words = " ".join(words.split())
    if len(words) > LONGEST or not words.isprintable():
        raise Rejected(_("Use at most %(most)d letters and digits.") % {"most": LONGEST}, "reference")
    return words


_USUAL = Prepared.sql("SELECT words FROM bill_reference WHERE customer_id = :customer_id")
_SET_USUAL = Prepared.sql(
    """
    INSERT INTO bill_reference (customer_id, words, set_at) VALUES (:customer_id, :words, :now)
    ON CONFLICT (customer_id) DO UPDATE SET words = excluded.words, set_at = excluded.set_at
    """
)
_SET = Prepared.sql(
    """
    UPDATE invoice SET purchase_ref = :words WHERE customer_id = :customer_id AND id = :id AND state <> 'draft'
    RETURNING id
    """
)
