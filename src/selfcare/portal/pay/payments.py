"""Paying: start, ask the gateway, look again, give up. Row first, gateway second, one `settle`.

    created → submitting → (requires_action · processing · unknown) → succeeded → refund_due → refunded
                         ↘ failed · canceled                        ↘ manual_review

The payment is committed before the gateway hears of it, and the gateway is never asked inside a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.formats import money
from selfcare.identity import limits
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound, Rejected, Unavailable
from selfcare.kernel.ids import new_id, reference
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.bookkeeping import Locked
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import Card
from selfcare.portal.cards.expiry import Expiry
from selfcare.portal.pay import parties, settling, splitting
from selfcare.portal.pay.payment import (
    ASKED,
    Payment,
    Purpose,
    State,
    find_by_request_key,
    find_open,
    find_paid,
    get,
    load,
)
from selfcare.portal.pay.till import Till
from selfcare.ports import failures
from selfcare.ports.payments import Answer, Charge, Unknown, Why

__all__ = [
    "BillPart",
    "How",
    "OnItsWay",
    "Order",
    "Payment",
    "Purpose",
    "State",
    "find_by_request_key",
    "find_open",
    "find_paid",
    "get",
    "load",
]

BY_USER = limits.Limit("pay.user", 10, timedelta(minutes=1))
BY_TARGET = limits.Limit("pay.target", 5, timedelta(hours=1))
# A gateway may forget a key after a day: later we only look, and never send again.
RESEND_FOR = timedelta(hours=20)
# How long the gateway's page and the bank's question wait for somebody.
PATIENCE = timedelta(minutes=30)
MOST_BILLS = 50


class OnItsWay(Conflict):
    """A payment for the same is under way: show that one."""

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(_("A payment for this is on its way. Please don't pay again."))
        self.payment_id = payment_id


@dataclass(frozen=True, slots=True)
class BillPart:
    """A bill and how much of it is paid; None is all that remains."""

    invoice_id: UUID
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is bought, priced by whoever sells it."""

    id: UUID
    purpose: Purpose
    amount: Money
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """`card_id` None is a new card, entered at the gateway. `shown` is the total that stood on the button.

    `credit_only`: no card at all. So may staff pay who act for the customer.
    """

    request_key: str
    card_id: UUID | None = None
    save_card: bool = False
    use_credit: bool = True
    shown: Money | None = None
    off_session: bool = False
    credit_only: bool = False
    guest_link_id: UUID | None = None


async def pay_bills(till: Till, who: audit.Who, parts: Sequence[BillPart], how: How) -> Payment:
    """Starts a payment for these bills and asks the gateway. The same request key again: the same payment again.

    Raises Rejected with words beside a field, Conflict, OnItsWay, limits.TooOften, NotFound; then nothing was taken.
    """
    payment = await start_bills(till, who, parts, how)
    return await submit(till, payment.id)


async def start_bills(till: Till, who: audit.Who, parts: Sequence[BillPart], how: How) -> Payment:
    """The row alone, committed. `submit` goes on from here."""
    customer_id = await _may_pay(who)
    if known := await find_by_request_key(customer_id, how.request_key):
        return known
    targets = [part.invoice_id for part in parts]
    if not 1 <= len(set(targets)) == len(targets) <= MOST_BILLS:
        raise Rejected(_("Choose the bills to pay, at most %(n)d at once.") % {"n": MOST_BILLS})
    await _claim(who, targets)
    async with transaction():
        bills = await bookkeeping.lock(customer_id, targets)
        # While we waited for the bills, the same form may have come through another door.
        if known := await find_by_request_key(customer_id, how.request_key):
            return known
        asked = [_asked(till, bills[part.invoice_id], part.amount) for part in parts]
        await _refuse_second(customer_id, how, targets)
        # The oldest first: what is due longest is paid first, whatever comes of the rest.
        asked.sort(key=lambda pair: (pair[0].due_on, pair[0].number))
        numbers = ", ".join(bill.number for bill, _amount in asked)
        wanted = [("invoice", bill.id, amount) for bill, amount in asked]
        return await _start(till, who, customer_id, Purpose.INVOICE, _bill_words(numbers, len(asked)), wanted, how)


async def claim_try(who: audit.Who) -> None:
    """Counts a try to buy, before anything else. Raises limits.TooOften."""
    await _claim(who, [])


async def start_order(till: Till, who: audit.Who, order: Order, how: How) -> Payment:
    """Inside the transaction that writes the order. `submit` goes on after its commit. Raises Conflict for a key that
    pays for something else."""
    customer_id = await _may_pay(who, how)
    if order.amount.minor <= 0:
        raise Rejected(_("Enter an amount above zero."), "amount")
    await _refuse_second(customer_id, how, [order.id])
    wanted = [("order", order.id, order.amount)]
    payment = await _start(till, who, customer_id, order.purpose, order.description, wanted, how)
    if [part.target_id for part in payment.parts] != [order.id]:
        raise Conflict(_("This form was sent for something else already. Open the page again."))
    return payment


async def pay_in(till: Till, who: audit.Who, amount: Money, how: How) -> Payment:
    """Money in advance: it becomes the customer's credit."""
    customer_id = await _may_pay(who)
    if known := await find_by_request_key(customer_id, how.request_key):
        return await submit(till, known.id)
    if amount.minor <= 0:
        raise Rejected(_("Enter an amount above zero."), "amount")
    await _claim(who, [])
    async with transaction():
        words = _("Credit paid in advance")
        payment = await _start(
            till, who, customer_id, Purpose.CREDIT, words, [], _without_credit(how), in_advance=amount
        )
    return await submit(till, payment.id)


async def _may_pay(who: audit.Who, how: How | None = None) -> UUID:
    if who.grant_id is not None and not (how and how.credit_only):
        raise NotAllowed(_("Only the customer can pay."))
    if who.customer_id is None:
        raise NotFound
    return who.customer_id


async def _claim(who: audit.Who, targets: Sequence[UUID]) -> None:
    """Counted before anything else; the system's own tries have their plan and are not counted."""
    if who.actor_id is None and not who.origin.address:
        return
    await limits.claim(BY_USER, str(who.actor_id or limits.network(who.origin.address)))
    for target in targets:
        await limits.claim(BY_TARGET, str(target))


def _asked(till: Till, bill: Locked, amount: Money | None) -> tuple[Locked, Money]:
    if bill.state == "void":
        raise Conflict(_("Bill %(number)s was cancelled. There is nothing to pay.") % {"number": bill.number})
    if not bill.is_payable:
        raise Conflict(_("Bill %(number)s is paid already.") % {"number": bill.number})
    if amount is None:
        return bill, bill.remaining
    if amount.currency != bill.currency:
        raise Rejected(_("This bill is in %(currency)s.") % {"currency": bill.currency}, "amount")
    least = min(till.gateway.limits(bill.currency).least, bill.remaining)
    if amount < least or amount > bill.remaining:
        words = _("Enter an amount from %(least)s to %(most)s.")
        raise Rejected(words % {"least": money(least), "most": money(bill.remaining)}, "amount")
    return bill, amount


def _bill_words(numbers: str, count: int) -> str:
    words = _("Bill %(numbers)s") if count == 1 else _("Bills %(numbers)s")
    return (words % {"numbers": numbers})[:200]


def _without_credit(how: How) -> How:
    return How(
        request_key=how.request_key,
        card_id=how.card_id,
        save_card=how.save_card,
        use_credit=False,
        shown=how.shown,
    )


async def _refuse_second(customer_id: UUID, how: How, targets: Sequence[UUID]) -> None:
    """The index would refuse it too; here we know which payment to show."""
    for target in targets:
        other = await find_open(customer_id, target)
        if other is not None and other.request_key != how.request_key:
            raise OnItsWay(other.id)
    under_review = await execute(IN_REVIEW.bind(customer_id=customer_id, targets=list(targets)))
    if under_review:
        raise OnItsWay(under_review[0]["id"])


async def _start(
    till: Till,
    who: audit.Who,
    customer_id: UUID,
    purpose: Purpose,
    words: str,
    wanted: Sequence[tuple[str, UUID, Money]],
    how: How,
    *,
    in_advance: Money | None = None,
) -> Payment:
    total = in_advance or sum((amount for _t, _id, amount in wanted[1:]), wanted[0][2])
    if how.shown is not None and how.shown not in (total, splitting.in_steps(till, total)):
        raise Conflict(_("The amount has changed to %(total)s. Nothing was charged.") % {"total": money(total)})
    split = splitting.by_card_alone(till, total)
    if how.use_credit:
        split = await splitting.credit_first(till, customer_id, total)
    credit, amount = split.credit, split.by_card
    if how.credit_only and amount:
        raise Rejected(_("There is not enough credit for this."), "card")
    card = await _card(customer_id, how.card_id) if amount else None
    if how.off_session and amount and card is None:
        raise Rejected(_("Nobody is there to enter a new card."), "card")
    splitting.check_limits(till, amount)
    id, now = new_id(), clock.now()
    rows = await execute(
        START.bind(
            id=id,
            customer_id=customer_id,
            purpose=purpose,
            reference=reference("PAY"),
            description=words[:200],
            request_key=how.request_key,
            attempt=await _attempt(customer_id, [target for _kind, target, _amount in wanted]),
            currency=total.currency,
            amount=amount.minor,
            credit=credit.minor,
            gateway=till.gateway.name,
            method_id=card.id if card else None,
            card=card.words if card else None,
            save_card=how.save_card and card is None and bool(amount),
            off_session=how.off_session,
            started_by=who.actor_id,
            guest_link_id=how.guest_link_id,
            now=now,
        )
    )
    if not rows:
        known = await find_by_request_key(customer_id, how.request_key)
        if known is None:
            raise Unavailable
        return known
    for position, (target, target_id, part) in enumerate(wanted, 1):
        await _open_part(id, customer_id, position, target, target_id, part)
    payment = await load(id)
    await _hold(payment)
    first = wanted[0][1] if wanted else None
    await audit.record(
        who,
        Event.PAY_STARTED,
        about=id,
        amount_minor=total.minor,
        currency=total.currency,
        purpose=purpose.value,
        target=first,
    )
    if not amount:
        await settling.settle_here(till, payment, None)
    return await load(id)


async def _card(customer_id: UUID, card_id: UUID | None) -> Card | None:
    if card_id is None:
        return None
    try:
        card = await cards.get_card(customer_id, card_id)
    except NotFound:
        raise Rejected(_("Choose one of your cards, or a new one."), "card") from None
    if card.expiry(clock.now().date()) is Expiry.EXPIRED:
        raise Rejected(_("This card has expired. Choose another one."), "card")
    return card


async def _attempt(customer_id: UUID, targets: Sequence[UUID]) -> int:
    """Which try this is, for people who read along; keys are told apart by the payment's id."""
    rows = await execute(TRIES.bind(customer_id=customer_id, targets=list(targets)))
    return int(rows[0]["tries"]) + 1


async def _open_part(
    payment_id: UUID, customer_id: UUID, position: int, target: str, target_id: UUID, amount: Money
) -> None:
    values: dict[str, Any] = {"id": new_id(), "payment_id": payment_id, "customer_id": customer_id}
    values |= {"position": position, "target": target, "target_id": target_id, "amount": amount.minor}
    if await execute(OPEN_PART.bind(**values)):
        return
    other = await find_open(customer_id, target_id)
    if other is None:
        raise Unavailable
    raise OnItsWay(other.id)


async def _hold(payment: Payment) -> None:
    try:
        await settling.hold(payment)
    except ledger.Overdrawn:
        raise Conflict(_("Your credit has changed meanwhile. Nothing was charged; please try again.")) from None


async def submit(till: Till, payment_id: UUID) -> Payment:
    """Asks the gateway, once: whoever comes second gets the payment as it is. Outside any transaction."""
    payment = await load(payment_id)
    if payment.state is not State.CREATED:
        return payment
    try:
        customer_ref = await parties.ensure(till.gateway, payment.customer_id)
    except (failures.Unreachable, failures.Unknown, failures.Declined):
        # Nothing was asked about money yet.
        await settling.close(till, payment_id, State.FAILED, why=Why.PROVIDER_TROUBLE, never_asked=True)
        return await load(payment_id)
    async with transaction():
        claimed = await execute(CLAIM.bind(id=payment_id, ref=customer_ref, now=clock.now()))
    if not claimed:
        return await load(payment_id)
    payment = await load(payment_id)
    try:
        answer = await _ask(till, payment)
    except failures.Unreachable:
        # It never heard of us: nothing has happened there.
        await settling.close(till, payment_id, State.FAILED, why=Why.PROVIDER_TROUBLE)
        return await load(payment_id)
    return await settling.take(till, payment_id, answer)


async def _ask(till: Till, payment: Payment) -> Answer:
    """Word for word the same each time: the gateway compares."""
    assert payment.customer_ref is not None
    charge = Charge(
        payment_id=payment.id,
        customer_ref=payment.customer_ref,
        amount=payment.amount,
        reference=payment.reference,
        description=payment.description,
        key=payment.key,
        return_url=till.return_url(payment.id, _door(payment)),
        cancel_url=till.cancel_url(payment.id, _door(payment)),
    )
    try:
        if payment.method_id is None:
            return await till.gateway.start_new_card_payment(charge, save_card=payment.save_card)
        token_ref = await cards.token_of(payment.customer_id, payment.method_id)
        return await till.gateway.charge(charge, token_ref=token_ref, on_session=not payment.off_session)
    except failures.Unknown:
        return Unknown()


def _door(payment: Payment) -> str:
    """The pages where this payment is shown to whoever pays."""
    if payment.guest_link_id is None:
        return "pay"
    return "pay/bill" if payment.purpose is Purpose.INVOICE else "quick-topup"


async def look(till: Till, payment_id: UUID, *, every: timedelta = timedelta(0)) -> Payment:
    """Asks the gateway what became of it, unless somebody did within `every`. Outside any transaction."""
    now = clock.now()
    async with transaction():
        claimed = await execute(LOOK.bind(id=payment_id, states=sorted(ASKED), now=now, before=now - every))
    payment = await load(payment_id)
    if not claimed:
        return payment
    try:
        answer = await _find_out(till, payment)
    except (failures.Unreachable, failures.Unknown):
        return payment
    return payment if answer is None else await settling.take(till, payment_id, answer)


async def _find_out(till: Till, payment: Payment) -> Answer | None:
    assert payment.submitted_at is not None
    age = clock.now() - payment.submitted_at
    if payment.gateway_ref is not None:
        if payment.state is State.REQUIRES_ACTION and age > PATIENCE:
            return await till.gateway.cancel(payment.gateway_ref)
        return await till.gateway.get_payment(payment.gateway_ref)
    if age < RESEND_FOR:
        return await _ask(till, payment)
    assert payment.customer_ref is not None
    found = await till.gateway.find_by_reference(payment.customer_ref, payment.id)
    if found is None:
        # It has forgotten the key by now, and it has no such payment: it never had.
        await settling.close(till, payment.id, State.FAILED, why=Why.PROVIDER_TROUBLE)
    return found


async def give_up(till: Till, payment_id: UUID) -> Payment:
    """The person does not want to go on. What the bank has taken meanwhile stays taken and is booked."""
    payment = await load(payment_id)
    if payment.state is State.CREATED:
        await settling.close(till, payment_id, State.CANCELED, never_asked=True)
        return await load(payment_id)
    if payment.state is not State.REQUIRES_ACTION or payment.gateway_ref is None:
        return await look(till, payment_id)
    try:
        answer = await till.gateway.cancel(payment.gateway_ref)
    except (failures.Unreachable, failures.Unknown):
        return payment
    return await settling.take(till, payment_id, answer)


IN_REVIEW = Prepared.sql(
    """
    SELECT p.id FROM payment p JOIN payment_part t ON t.payment_id = p.id
    WHERE p.customer_id = :customer_id AND t.target_id IN :targets AND p.state = 'manual_review' LIMIT 1
    """
)
TRIES = Prepared.sql(
    """
    SELECT COUNT(DISTINCT payment_id) AS tries FROM payment_part
    WHERE customer_id = :customer_id AND target_id IN :targets
    """
)
START = Prepared.sql(
    """
    INSERT INTO payment (id, customer_id, purpose, reference, description, request_key, attempt, currency, amount_minor,
        credit_minor, held_minor, refunded_minor, state, gateway, method_id, card, save_card, off_session, started_by,
        guest_link_id, created_at)
    VALUES (:id, :customer_id, :purpose, :reference, :description, :request_key, :attempt, :currency, :amount,
        :credit, :credit, 0, 'created', :gateway, :method_id, :card, :save_card, :off_session, :started_by,
        :guest_link_id, :now)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
OPEN_PART = Prepared.sql(
    """
    INSERT INTO payment_part (id, payment_id, customer_id, position, target, target_id, amount_minor, is_open)
    VALUES (:id, :payment_id, :customer_id, :position, :target, :target_id, :amount, TRUE)
    ON CONFLICT (target_id) WHERE is_open DO NOTHING RETURNING id
    """
)
CLAIM = Prepared.sql(
    """
    UPDATE payment SET state = 'submitting', customer_ref = :ref, submitted_at = :now
    WHERE id = :id AND state = 'created' RETURNING id
    """
)
LOOK = Prepared.sql(
    """
    UPDATE payment SET asked_at = :now
    WHERE id = :id AND state IN :states AND (asked_at IS NULL OR asked_at <= :before) RETURNING id
    """
)
