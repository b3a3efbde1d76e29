"""Who pays for somebody else's top-up without signing in: told by mail, never named to whoever owns the number.

Their link is the id of the visit with our mark behind it, worked out anew whenever it is needed: whoever reads the
database has no link.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.kernel import clock
from selfcare.messages.events import Message
from selfcare.portal.pay.payment import Payment, Purpose
from selfcare.portal.pay.till import Till

_ID_LENGTH = 32


def is_stranger(payment: Payment) -> bool:
    """It was bought, not owed: whoever owns the service had no part in it."""
    return payment.guest_link_id is not None and payment.purpose is not Purpose.INVOICE


def token_of(visit_id: UUID, key: bytes) -> str:
    return visit_id.hex + _mark(visit_id.hex, key)


def visit_in(token: str, key: bytes) -> UUID | None:
    """None for what we never made, without a look at the database."""
    body, mark = token[:_ID_LENGTH], token[_ID_LENGTH:]
    if not hmac.compare_digest(_mark(body, key).encode(), mark.encode("utf-8", "replace")):
        return None
    return UUID(body)


def path_of(visit_id: UUID, key: bytes) -> str:
    return f"/quick-topup/order?token={token_of(visit_id, key)}"


async def send_mail_to(payment_id: UUID, email: str) -> None:
    """Inside the transaction that starts the payment."""
    await execute(_KEEP.bind(payment_id=payment_id, email=email, now=clock.now()))


async def tell(till: Till, payment: Payment, message: Message, **values: object) -> None:
    row = await fetch_one(_EMAIL.bind(payment_id=payment.id))
    if row is None or payment.guest_link_id is None:
        return
    await till.messages.send_later(
        message,
        dedupe_key=f"{message}:{payment.id}",
        to_address=row["email"],
        about=payment.id,
        path=path_of(payment.guest_link_id, till.link_key),
        simulated=till.gateway.is_simulated,
        **values,  # type: ignore[arg-type]
    )


def _mark(body: str, key: bytes) -> str:
    return hmac.digest(key, f"quick_topup\x00{body}".encode("utf-8", "replace"), hashlib.sha256).hex()[:_ID_LENGTH]


_EMAIL = Prepared.sql("SELECT email FROM guest_receipt WHERE payment_id = :payment_id")
_KEEP = Prepared.sql(
    """
    INSERT INTO guest_receipt (payment_id, email, created_at) VALUES (:payment_id, :email, :now)
    ON CONFLICT (payment_id) DO NOTHING
    """
)
