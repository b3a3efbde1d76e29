"""Who pays for somebody else's top-up without signing in: told by mail, never named to whoever owns the number.

Their link is the id of the visit with our mark behind it.
"""

from __future__ import annotations

from uuid import UUID

from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import marked
from selfcare.kernel import clock
from selfcare.messages.events import Message
from selfcare.portal.pay.payment import Payment
from selfcare.portal.pay.till import Till

_LINK = "quick_topup"


def token_of(visit_id: UUID, key: bytes) -> str:
    return marked.token_of(_LINK, visit_id, key)


def visit_in(token: str, key: bytes) -> UUID | None:
    """None for what we never made, without a look at the database."""
    return marked.id_in(_LINK, token, key)


def path_of(visit_id: UUID, key: bytes) -> str:
    return f"/quick-topup/order?token={token_of(visit_id, key)}"


async def send_mail_to(payment_id: UUID, email: str, name: str | None = None) -> None:
    """Inside the transaction that starts the payment."""
    await execute(_KEEP.bind(payment_id=payment_id, email=email, name=name, now=clock.now()))


async def name_of(payment: Payment) -> str:
    """Who stands on the receipt; nobody where no name was asked for."""
    row = await fetch_one(_RECEIPT.bind(payment_id=payment.id))
    return (row["name"] or "") if row else ""


async def tell(till: Till, payment: Payment, message: Message, **values: object) -> None:
    row = await fetch_one(_RECEIPT.bind(payment_id=payment.id))
    if row is None or payment.guest_link_id is None:
        return
    if row["name"] and "payer" in message.allowed:
        values["payer"] = row["name"]
    await till.messages.send_later(
        message,
        dedupe_key=f"{message}:{payment.id}",
        to_address=row["email"],
        about=payment.id,
        path=path_of(payment.guest_link_id, till.link_key),
        simulated=till.gateway.is_simulated,
        **values,  # type: ignore[arg-type]
    )


_RECEIPT = Prepared.sql("SELECT email, name FROM guest_receipt WHERE payment_id = :payment_id")
_KEEP = Prepared.sql(
    """
    INSERT INTO guest_receipt (payment_id, email, name, created_at) VALUES (:payment_id, :email, :name, :now)
    ON CONFLICT (payment_id) DO NOTHING
    """
)
