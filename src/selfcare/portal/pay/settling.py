"""The one door through which a gateway's answer changes a payment. However often it is used, things happen once.

Used by whoever asked the gateway: the click, the page people come back to, the webhook's job and the reconciler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.bookkeeping import Locked
from selfcare.portal.billing.ledger import Account, Entry, Journal, Kind
from selfcare.portal.cards import cards
from selfcare.portal.pay import telling
from selfcare.portal.pay.payment import ASKED, OPEN, Payment, Purpose, State, load
from selfcare.portal.pay.till import Till
from selfcare.ports.jobs import MONEY
from selfcare.ports.payments import (
    Answer,
    Canceled,
    CardSeen,
    Declined,
    NeedsAction,
    Pending,
    Seen,
    Succeeded,
    Unknown,
    Why,
)


async def take(till: Till, payment_id: UUID, answer: Answer) -> Payment:
    """Believes what the gateway said when it was asked. Outside any transaction."""
    match answer:
        case Succeeded(seen):
            await settle(till, payment_id, seen)
        case NeedsAction(ref, url):
            await _wait(payment_id, State.REQUIRES_ACTION, ref, url)
        case Pending(ref):
            await _wait(payment_id, State.PROCESSING, ref)
        case Declined(why, ref):
            await close(till, payment_id, State.FAILED, why=why, ref=ref)
        case Canceled(ref):
            await close(till, payment_id, State.CANCELED, ref=ref)
        case Unknown():
            await _lose_sight(payment_id)
    return await load(payment_id)


async def settle(till: Till, payment_id: UUID, seen: Seen) -> bool:
    """Money was taken: book it, once. False where that was done before.

    The gateway's word also counts against ours: what we believed failed or given up is booked all the same.
    """
    before = await load(payment_id)
    async with transaction():
        return await settle_here(till, before, seen)


async def settle_here(till: Till, payment: Payment, seen: Seen | None) -> bool:
    """Inside the caller's transaction. `seen` is None where nothing was asked of a card."""
    bills = await _lock_bills(payment)
    problem = _mismatch(payment, seen) if seen else None
    if problem is not None:
        return await _send_to_review(till, payment, seen, problem)
    rows = await execute(
        SUCCEED.bind(
            id=payment.id,
            states=[State.FAILED, State.CANCELED, *OPEN],
            ref=seen.ref if seen else None,
            # A stranger's card is none of the owner's business, nor of a copy of the owner's data.
            card=_card_words(seen.card) if seen and seen.card and not payment.is_strangers else None,
            disputed_at=clock.now() if seen and seen.disputed else None,
            now=clock.now(),
        )
    )
    if not rows:
        return False
    # What was set aside while it was open. A payment that had failed gave it back.
    held = Money(rows[0]["held_minor"], payment.amount.currency)
    await execute(CLOSE_PARTS.bind(payment_id=payment.id))
    used = await _apply(payment, bills, held)
    await ledger.post(_journal(payment, held, used))
    if payment.save_card and seen is not None and seen.card is not None and seen.card.token_ref is not None:
        who = audit.system(customer_id=payment.customer_id, user_id=payment.started_by)
        await cards.keep(till.jobs, who, payment.customer_id, seen.card, added_by=payment.started_by)
    await _tell(till, payment, used)
    return True


@dataclass(frozen=True, slots=True)
class Used:
    """Where the money went."""

    bills: Money
    orders: Money
    surplus: Money


async def _lock_bills(payment: Payment) -> dict[UUID, Locked]:
    """Before the payment itself, as whoever starts another one does."""
    targets = [part.target_id for part in payment.parts if part.target == "invoice"]
    return await bookkeeping.lock(payment.customer_id, targets)


def _mismatch(payment: Payment, seen: Seen) -> str | None:
    """Why this money is not the money we asked for, in words for staff."""
    if seen.payment_id != payment.id:
        return "The gateway says that this money belongs to another payment."
    if seen.amount != payment.amount:
        return f"We asked for {payment.amount}, the gateway took {seen.amount}."
    if payment.customer_ref is not None and seen.customer_ref != payment.customer_ref:
        return "The gateway took this money from another customer."
    return None


async def _send_to_review(till: Till, payment: Payment, seen: Seen | None, problem: str) -> bool:
    """Nothing else may be paid for the same until somebody looked."""
    states = [State.FAILED, State.CANCELED, *OPEN]
    ref = seen.ref if seen else None
    if await execute(REVIEW.bind(id=payment.id, states=states, why=problem, ref=ref)):
        who = audit.system(customer_id=payment.customer_id)
        await audit.record(who, Event.PAY_REVIEW_NEEDED, about=payment.id, outcome="failed", reason="mismatch")
        return True
    return False


async def _apply(payment: Payment, bills: dict[UUID, Locked], held: Money) -> Used:
    nothing = Money.zero(payment.amount.currency)
    on_bills = on_orders = nothing
    # A payment that came back from the dead may bring less than it promised.
    left = payment.amount + held
    by_credit = held
    for part in payment.parts:
        offered = min(part.amount, left)
        if part.target == "order":
            taken = offered
            on_orders += taken
            credit = min(by_credit, taken)
            by_credit -= credit
            if taken:
                await _order_line(payment, part.target_id, taken, credit)
        else:
            applied = await _pay_bill(payment, bills[part.target_id], offered, by_credit)
            taken = applied.amount
            by_credit -= min(by_credit, taken)
            on_bills += taken
        left -= taken
        await execute(APPLIED.bind(payment_id=payment.id, target_id=part.target_id, minor=taken.minor))
    # Credit that nothing took just goes back; only the card's surplus is new money.
    fresh = left - min(left, held)
    if fresh and payment.purpose is not Purpose.CREDIT:
        words = _("Paid more than was due: kept as credit (%(reference)s)") % {"reference": payment.reference}
        await _line(payment, "payment", -fresh, words)
    elif fresh:
        await _line(payment, "payment", -fresh, _card_line(payment))
    return Used(on_bills, on_orders, left)


async def _pay_bill(payment: Payment, bill: Locked, offered: Money, by_credit: Money) -> bookkeeping.Applied:
    """First out of credit, then by card: each is a line of its own."""
    nothing = Money.zero(bill.currency)
    can_take = min(offered, bill.remaining) if bill.is_payable else nothing
    credit = min(by_credit, can_take)
    settles = False
    if credit > nothing:
        words = _("Paid from your credit (%(reference)s)") % {"reference": payment.reference}
        settles = (await bookkeeping.apply(bill, credit, payment_id=payment.id, words=words)).settles
        words = _("Credit used for bill %(number)s") % {"number": bill.number}
        await _line(payment, "adjustment", credit, words)
    card = can_take - credit
    if card > nothing:
        rest = _less(bill, credit)
        words = _card_line(payment)
        settles = (await bookkeeping.apply(rest, card, payment_id=payment.id, words=words)).settles
    if settles:
        who = audit.system(customer_id=payment.customer_id)
        await audit.record(who, Event.BILLING_INVOICE_SETTLED, about=bill.id, payment=payment.id)
    return bookkeeping.Applied(can_take, settles)


def _less(bill: Locked, paid: Money) -> Locked:
    """The bill after a part of it was paid in this transaction."""
    return Locked(
        bill.id,
        bill.customer_id,
        bill.number,
        bill.kind,
        bill.state,
        bill.currency,
        bill.due_on,
        bill.net,
        bill.tax,
        bill.paid + paid,
    )


async def _order_line(payment: Payment, order_id: UUID, amount: Money, credit: Money) -> None:
    if credit:
        await _line(payment, "adjustment", credit, _("Credit used (%(reference)s)") % {"reference": payment.reference})
    await bookkeeping.add_line(
        "payment",
        -amount,
        _card_line(payment),
        customer_id=payment.customer_id,
        order_id=order_id,
        payment_id=payment.id,
    )


async def _line(payment: Payment, kind: str, amount: Money, words: str) -> None:
    await bookkeeping.add_line(kind, amount, words, customer_id=payment.customer_id, payment_id=payment.id)


def _card_line(payment: Payment) -> str:
    return _("Card payment, thank you (%(reference)s)") % {"reference": payment.reference}


def _card_words(card: CardSeen) -> str:
    words = f"{card.brand.capitalize()} {card.last4}"
    return f"{card.wallet}, {words}"[:40] if card.wallet else words[:40]


def _journal(payment: Payment, held: Money, used: Used) -> Journal:
    of, currency = payment.customer_id, payment.amount.currency
    entries = [
        Entry(Account(Kind.GATEWAY, currency, part=payment.gateway), payment.amount.minor),
        Entry(Account(Kind.HELD, currency, of), held.minor),
        Entry(Account(Kind.RECEIVABLE, currency, of), -used.bills.minor),
        Entry(Account(Kind.ON_ORDER, currency, of), -used.orders.minor),
        Entry(Account(Kind.CREDIT, currency, of), -used.surplus.minor),
    ]
    return Journal(f"payment:{payment.id}", "payment", entries, of, payment.id)


async def _tell(till: Till, payment: Payment, used: Used) -> None:
    who = audit.system(customer_id=payment.customer_id, user_id=payment.started_by)
    target = payment.parts[0].target_id if payment.parts else None
    total = payment.total
    await audit.record(
        who,
        Event.PAY_SUCCEEDED,
        about=payment.id,
        amount_minor=total.minor,
        currency=total.currency,
        purpose=payment.purpose.value,
        target=target,
    )
    await telling.received(till, payment, surplus=used.surplus)
    if payment.purpose not in (Purpose.INVOICE, Purpose.CREDIT):
        # The order's own feature goes on from here: `topup.paid`, `addon.paid`.
        await till.jobs.enqueue(
            f"{payment.purpose}.paid",
            key=f"{payment.purpose}.paid:{payment.id}",
            payload={"payment_id": str(payment.id), "order_id": str(target)},
            priority=MONEY,
        )


async def _wait(payment_id: UUID, state: State, ref: str, url: str | None = None) -> None:
    async with transaction():
        rows = await execute(WAIT.bind(id=payment_id, state=state, states=sorted(ASKED), ref=ref, url=url))
        if rows and state is State.REQUIRES_ACTION:
            who = audit.system(customer_id=rows[0]["customer_id"])
            await audit.record(who, Event.PAY_ACTION_NEEDED, about=payment_id)


async def _lose_sight(payment_id: UUID) -> None:
    async with transaction():
        rows = await execute(LOSE.bind(id=payment_id))
        if rows:
            who = audit.system(customer_id=rows[0]["customer_id"])
            await audit.record(who, Event.PAY_UNKNOWN, about=payment_id, outcome="failed")


async def close(
    till: Till,
    payment_id: UUID,
    state: State,
    *,
    why: Why | None = None,
    ref: str | None = None,
    never_asked: bool = False,
) -> bool:
    """Nothing was taken. False where it had ended before, or, with `never_asked`, where the gateway was asked."""
    states = [State.CREATED] if never_asked else sorted(OPEN)
    async with transaction():
        return await close_here(till, payment_id, state, states=states, why=why, ref=ref)


async def close_here(
    till: Till,
    payment_id: UUID,
    state: State,
    *,
    states: Sequence[State],
    why: Why | None = None,
    ref: str | None = None,
) -> bool:
    """As `close`, inside the caller's transaction, out of these states."""
    values = {"id": payment_id, "state": state, "states": states, "why": why, "ref": ref, "now": clock.now()}
    rows = await execute(CLOSE.bind(**values))
    if not rows:
        return False
    await execute(CLOSE_PARTS.bind(payment_id=payment_id))
    await _release(payment_id, rows[0])
    payment = await load(payment_id)
    await _record_end(payment)
    await telling.failed(till, payment)
    if payment.purpose not in (Purpose.INVOICE, Purpose.CREDIT):
        order = str(payment.parts[0].target_id)
        kind = f"{payment.purpose}.unpaid"
        payload = {"payment_id": str(payment_id), "order_id": order}
        await till.jobs.enqueue(kind, key=f"{kind}:{payment_id}", payload=payload, priority=MONEY)
    return True


async def _record_end(payment: Payment) -> None:
    who = audit.system(customer_id=payment.customer_id, user_id=payment.started_by)
    if payment.state is State.CANCELED:
        await audit.record(who, Event.PAY_CANCELLED, about=payment.id)
    else:
        await audit.record(
            who,
            Event.PAY_FAILED,
            about=payment.id,
            outcome="failed",
            reason=(payment.why or Why.OTHER).value,
            amount_minor=payment.total.minor,
            currency=payment.total.currency,
        )


async def hold(payment: Payment) -> None:
    """Sets the customer's credit aside, inside the transaction that starts the payment. Raises ledger.Overdrawn."""
    await ledger.post(
        Journal(f"hold:{payment.id}", "hold", _to_held(payment, payment.held), payment.customer_id, payment.id)
    )


async def _release(payment_id: UUID, row: dict[str, object]) -> None:
    held = Money(int(str(row["credit_minor"])), str(row["currency"]))
    customer_id = row["customer_id"]
    assert isinstance(customer_id, UUID)
    back = ledger.move(
        held,
        to=Account(Kind.HELD, held.currency, customer_id),
        out_of=Account(Kind.CREDIT, held.currency, customer_id),
    )
    await ledger.post(Journal(f"release:{payment_id}", "release", back, customer_id, payment_id))


def _to_held(payment: Payment, held: Money) -> list[Entry]:
    of = payment.customer_id
    return ledger.move(held, to=Account(Kind.CREDIT, held.currency, of), out_of=Account(Kind.HELD, held.currency, of))


SUCCEED = Prepared.sql(
    """
    UPDATE payment SET state = 'succeeded', settled_at = :now, closed_at = :now, why = NULL, action_url = NULL,
        charge_ref = :ref, card = COALESCE(:card, card), disputed_at = COALESCE(disputed_at, :disputed_at)
    WHERE id = :id AND state IN :states RETURNING held_minor
    """
)
REVIEW = Prepared.sql(
    """
    UPDATE payment SET state = 'manual_review', review = :why, charge_ref = COALESCE(charge_ref, :ref),
        action_url = NULL
    WHERE id = :id AND state IN :states RETURNING id
    """
)
APPLIED = Prepared.sql(
    "UPDATE payment_part SET applied_minor = :minor WHERE payment_id = :payment_id AND target_id = :target_id"
)
CLOSE_PARTS = Prepared.sql("UPDATE payment_part SET is_open = FALSE WHERE payment_id = :payment_id")
WAIT = Prepared.sql(
    """
    UPDATE payment SET state = :state, gateway_ref = :ref, action_url = :url
    WHERE id = :id AND state IN :states AND (gateway_ref IS NULL OR (gateway_ref = :ref AND state <> :state))
    RETURNING customer_id
    """
)
LOSE = Prepared.sql(
    "UPDATE payment SET state = 'unknown' WHERE id = :id AND state = 'submitting' RETURNING customer_id"
)
CLOSE = Prepared.sql(
    """
    UPDATE payment SET state = :state, why = :why, closed_at = :now, held_minor = 0, action_url = NULL,
        gateway_ref = COALESCE(gateway_ref, :ref)
    WHERE id = :id AND state IN :states AND settled_at IS NULL
    RETURNING customer_id, currency, credit_minor
    """
)
