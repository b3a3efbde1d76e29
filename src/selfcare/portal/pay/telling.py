"""What people are told about their payments, by mail. Inside the transaction of what it tells about."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.messages.events import Message
from selfcare.portal.pay.guests import strangers
from selfcare.portal.pay.payment import Payment, State
from selfcare.portal.pay.till import Till


async def received(till: Till, payment: Payment, *, surplus: Money) -> None:
    if payment.is_strangers:
        values = {"amount": payment.total, "reference": payment.reference, "what": payment.description}
        await strangers.tell(till, payment, Message.QUICK_TOPUP_PAID, at=clock.now(), **values)
        return
    await _tell(
        till,
        payment,
        Message.PAYMENT_RECEIVED,
        f"payment.received:{payment.id}",
        amount=payment.total,
        reference=payment.reference,
        what=payment.description,
        at=clock.now(),
        path=f"/pay/{payment.id}",
        surplus=surplus if surplus else None,
        simulated=till.gateway.is_simulated,
    )
    if payment.guest_link_id is not None:
        await _tell_guest(till, payment)


async def _tell_guest(till: Till, payment: Payment) -> None:
    """Where an address was given for it. There is no link in it: guests see nothing here."""
    row = await fetch_one(GUEST.bind(payment_id=payment.id))
    if row is not None:
        await till.messages.send_later(
            Message.PAYMENT_GUEST_RECEIVED,
            dedupe_key=f"payment.guest_received:{payment.id}",
            to_address=row["email"],
            about=payment.id,
            amount=payment.total,
            reference=payment.reference,
            what=payment.description,
            at=clock.now(),
            simulated=till.gateway.is_simulated,
        )


async def failed(till: Till, payment: Payment) -> None:
    """Who stood there has seen it on the page; what happened behind their back is told."""
    if payment.off_session or payment.guest_link_id is not None:
        # Whoever takes money by itself tells in the end, once; and a guest's trouble is not the customer's.
        return
    if payment.state is State.FAILED and payment.submitted_at is not None and payment.asked_at is not None:
        await _tell(
            till,
            payment,
            Message.PAYMENT_FAILED,
            f"payment.failed:{payment.id}",
            amount=payment.total,
            reference=payment.reference,
            what=payment.description,
            path="/billing",
            simulated=till.gateway.is_simulated,
        )


async def refunded(till: Till, payment: Payment, refund_id: UUID, amount: Money) -> None:
    if payment.is_strangers:
        await strangers.tell(till, payment, Message.QUICK_TOPUP_REFUNDED, amount=amount, reference=payment.reference)
        return
    await _tell(
        till,
        payment,
        Message.REFUND_MADE,
        f"refund.made:{refund_id}",
        amount=amount,
        reference=payment.reference,
        path=f"/pay/{payment.id}",
        simulated=till.gateway.is_simulated,
    )


async def refunded_outside(till: Till, payment: Payment, refund_id: UUID, amount: Money) -> None:
    if payment.is_strangers:
        # The mail about the credit note tells them.
        return
    await _tell(
        till,
        payment,
        Message.REFUND_MADE_OUTSIDE,
        f"refund.made_outside:{refund_id}",
        amount=amount,
        reference=payment.reference,
        path=f"/pay/{payment.id}",
    )


async def still_checking(till: Till, payment: Payment) -> None:
    """After a day."""
    await _tell(
        till,
        payment,
        Message.PAYMENT_CHECKING,
        f"payment.checking:{payment.id}",
        amount=payment.total,
        reference=payment.reference,
        path=f"/pay/{payment.id}",
        simulated=till.gateway.is_simulated,
    )


async def _tell(till: Till, payment: Payment, message: Message, dedupe_key: str, **values: object) -> None:
    if payment.is_strangers:
        # Its page says how it stands; the owner has nothing to do with it.
        return
    for user_id in await recipients(payment.customer_id, payment.started_by):
        await till.messages.send_later(
            message,
            dedupe_key=f"{dedupe_key}:{user_id}",
            to_user=user_id,
            customer_id=payment.customer_id,
            about=payment.id,
            **{name: value for name, value in values.items() if value is not None},  # type: ignore[arg-type]
        )


async def is_undelivered(payment_id: UUID, user_id: UUID) -> bool:
    """Whether the mail with the receipt did not arrive."""
    return await fetch_one(UNDELIVERED.bind(about=str(payment_id), user_id=user_id)) is not None


async def recipients(customer_id: UUID, started_by: UUID | None) -> list[UUID]:
    """Who pressed the button, else the owners of the account."""
    if started_by is not None:
        return [started_by]
    return [row["user_id"] for row in await fetch(OWNERS.bind(customer_id=customer_id))]


GUEST = Prepared.sql("SELECT email FROM guest_receipt WHERE payment_id = :payment_id")
UNDELIVERED = Prepared.sql(
    """
    SELECT id FROM notification
     WHERE about = :about AND user_id = :user_id AND event = 'payment.received' AND state = 'failed'
    """
)
OWNERS = Prepared.sql(
    """
    SELECT m.user_id FROM membership m JOIN app_user u ON u.id = m.user_id
    WHERE m.customer_id = :customer_id AND m.role = 'owner' AND m.accepted_at IS NOT NULL AND m.removed_at IS NULL
        AND u.disabled_at IS NULL
    ORDER BY m.user_id LIMIT 10
    """
)
