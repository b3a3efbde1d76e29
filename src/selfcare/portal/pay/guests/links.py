"""Links by which anybody may pay one bill: 256 random bits with our mark, of which we keep the hash.

Whoever has one sees the number of the bill and what remains, and nothing else of the customer.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotAllowed, NotFound, Rejected, SelfcareError
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping
from selfcare.portal.pay.guests import strangers

LIFE = timedelta(days=30)
MOST = 5
BY_ADDRESS = limits.Limit("pay.guest", 20, timedelta(minutes=1))
_MARK_LENGTH = 16


class Dead(SelfcareError):
    """Never made, over, withdrawn or paid: from outside all look the same."""

    def __init__(self) -> None:
        super().__init__(_("This link does not work any more."))


@dataclass(frozen=True, slots=True)
class Link:
    """As its maker sees it: that it is there, not what it says."""

    id: UUID
    invoice_id: UUID
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GuestBill:
    """All that a guest may see."""

    link_id: UUID
    customer_id: UUID
    invoice_id: UUID
    number: str
    remaining: Money
    due_on: date


async def make(identity: Identity, invoice_id: UUID, *, request_key: str, key: bytes) -> str | None:
    """The token, told once; None where this very form has made one before. Raises Rejected where there is no use."""
    scope = _mine(identity)
    token = ids.token()
    now = clock.now()
    async with transaction():
        bill = (await bookkeeping.lock(scope.customer_id, [invoice_id]))[invoice_id]
        if not bill.is_payable:
            raise Rejected(_("Nothing remains to be paid on this bill."))
        if await fetch_one(BY_KEY.bind(request_key=request_key)) is not None:
            return None
        if len(await living(scope, invoice_id)) >= MOST:
            raise Rejected(_("There are %(n)d links for this bill already. Withdraw one first.") % {"n": MOST})
        await execute(
            MAKE.bind(
                id=new_id(),
                customer_id=scope.customer_id,
                invoice_id=invoice_id,
                token_hash=ids.token_hash(token),
                request_key=request_key,
                made_by=identity.actor_id,
                now=now,
                ends=now + LIFE,
            )
        )
        await audit.record(identity, Event.BILLING_GUEST_LINK_MADE, about=invoice_id)
    return token + _mark(token, key)


async def living(scope: CustomerScope, invoice_id: UUID) -> list[Link]:
    """Those that still open something, the newest first."""
    rows = await fetch(LIVING.bind(customer_id=scope.customer_id, invoice_id=invoice_id, now=clock.now()))
    return [Link(**row) for row in rows]


async def revoke(identity: Identity, link_id: UUID) -> UUID:
    """From now on it opens nothing; a payment that was begun with it comes to its end. The bill's id. Twice is once."""
    scope = _mine(identity)
    async with transaction():
        found = await fetch_one(MINE.bind(customer_id=scope.customer_id, id=link_id))
        if found is None:
            raise NotFound
        invoice_id: UUID = found["invoice_id"]
        if await execute(REVOKE.bind(customer_id=scope.customer_id, id=link_id, now=clock.now())):
            await audit.record(identity, Event.BILLING_GUEST_LINK_REVOKED, about=invoice_id)
    return invoice_id


async def open_bill(token: str, *, address: str, key: bytes) -> GuestBill:
    """What may be paid with it now. Raises Dead, and limits.TooOften for an address that tries too many."""
    await limits.claim(BY_ADDRESS, limits.network(address))
    row = await fetch_one(OPEN.bind(token_hash=_hash(token, key), now=clock.now()))
    if row is None:
        raise Dead
    remaining = Money(row["net_minor"] + row["tax_minor"] - row["paid_minor"], row["currency"])
    return GuestBill(row["id"], row["customer_id"], row["invoice_id"], row["number"], remaining, row["due_on"])


async def link_of(token: str, *, key: bytes) -> tuple[UUID, UUID]:
    """Its id and the customer, dead or alive: who has begun to pay may see how that ends."""
    row = await fetch_one(ANY.bind(token_hash=_hash(token, key)))
    if row is None:
        raise Dead
    return row["id"], row["customer_id"]


async def send_receipt_to(payment_id: UUID, email: str) -> None:
    """Before the payment is submitted."""
    async with transaction():
        await strangers.send_mail_to(payment_id, email)


def _hash(token: str, key: bytes) -> str:
    """Raises Dead for what we never made, without a look at the database."""
    body, mark = token[:-_MARK_LENGTH], token[-_MARK_LENGTH:]
    if not hmac.compare_digest(_mark(body, key).encode(), mark.encode("utf-8", "replace")):
        raise Dead
    return ids.token_hash(body)


def _mark(token: str, key: bytes) -> str:
    return hmac.digest(key, f"guest\x00{token}".encode("utf-8", "replace"), hashlib.sha256).hex()[:_MARK_LENGTH]


def _mine(identity: Identity) -> CustomerScope:
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    return identity.customer


BY_KEY = Prepared.sql("SELECT id FROM guest_link WHERE request_key = :request_key")
MAKE = Prepared.sql(
    """
    INSERT INTO guest_link
        (id, customer_id, invoice_id, token_hash, request_key, made_by, created_at, expires_at)
    VALUES (:id, :customer_id, :invoice_id, :token_hash, :request_key, :made_by, :now, :ends)
    """
)
LIVING = Prepared.sql(
    """
    SELECT id, invoice_id, created_at, expires_at FROM guest_link
    WHERE customer_id = :customer_id AND invoice_id = :invoice_id AND revoked_at IS NULL AND expires_at > :now
    ORDER BY created_at DESC LIMIT 50
    """
)
MINE = Prepared.sql("SELECT invoice_id FROM guest_link WHERE customer_id = :customer_id AND id = :id")
REVOKE = Prepared.sql(
    """
    UPDATE guest_link SET revoked_at = :now
    WHERE customer_id = :customer_id AND id = :id AND revoked_at IS NULL RETURNING id
    """
)
OPEN = Prepared.sql(
    """
    SELECT g.id AS id, g.customer_id AS customer_id, i.id AS invoice_id, i.number AS number, i.due_on AS due_on,
        i.currency AS currency, i.net_minor AS net_minor, i.tax_minor AS tax_minor, i.paid_minor AS paid_minor
    FROM guest_link g JOIN invoice i ON i.id = g.invoice_id AND i.customer_id = g.customer_id
    WHERE g.token_hash = :token_hash AND g.revoked_at IS NULL AND g.expires_at > :now
        AND i.state = 'issued' AND i.kind <> 'credit_note' AND i.net_minor + i.tax_minor > i.paid_minor
    """
)
ANY = Prepared.sql("SELECT id, customer_id FROM guest_link WHERE token_hash = :token_hash")
