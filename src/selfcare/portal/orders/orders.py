"""Buying: the order and its payment are written first, then the gateway is asked, then it is delivered.

Every step is a conditional update from the states it may come from, so whoever comes second finds it done. The same
`advance` runs in the request that bought, in the jobs that follow a payment, and in the sweep that finds what was lost.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Unavailable
from selfcare.kernel.ids import new_id, reference, token
from selfcare.kernel.money import Money
from selfcare.portal.orders import advances, booking, credit_notes, stepping, telling, undoing
from selfcare.portal.orders.credit_notes import CreditNote
from selfcare.portal.orders.events import happened
from selfcare.portal.orders.order import Kind, Order, State, find_by_request_key, load
from selfcare.portal.orders.outcome import RUNNING, Outcome, Result
from selfcare.portal.orders.parts import ON_THE_CARD, end_of, parts_of
from selfcare.portal.orders.shop import Shop
from selfcare.portal.orders.stepping import move
from selfcare.portal.pay import payments
from selfcare.portal.pay.payment import Purpose
from selfcare.portal.pay.payment import State as Pay
from selfcare.portal.pay.payments import How
from selfcare.ports.jobs import MONEY

DELIVER = "order.deliver"
# After so long customers read that it takes longer, and staff have it on a list.
LATE = timedelta(minutes=10)
PURPOSES = {Kind.ADDON: Purpose.ADDON, Kind.CHANGE: Purpose.ADDON, Kind.PLAN: Purpose.PLAN, Kind.BUNDLE: Purpose.ADDON}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is bought, priced by whoever sells it; `price` includes tax. `owner_id` and `beneficiary` (a number) where
    the service is somebody else's. What `delivers` holds is between the seller and the deliverer of that kind."""

    kind: Kind
    name: str
    price: Money
    delivers: Mapping[str, Any]
    tax_permille: int = 0
    service_id: UUID | None = None
    owner_id: UUID | None = None
    beneficiary: str | None = None
    product_id: UUID | None = None
    product_version: int | None = None
    parent_id: UUID | None = None
    auto: bool = False


async def buy(shop: Shop, who: audit.Who, wanted: Wanted, how: How) -> Order:
    """As far as it goes at once. The same request key again: the same order again.

    Raises what `payments.start_order` raises; then nothing was taken and there is no order.
    """
    if who.customer_id is None:
        raise NotFound
    order = await find_by_request_key(who.customer_id, how.request_key)
    if order is None:
        async with transaction():
            order = await write(shop, who, wanted, how)
    if order.payment_id is not None:
        await payments.submit(shop.till, order.payment_id)
    return await advance(shop, order.id)


async def write(shop: Shop, who: audit.Who, wanted: Wanted, how: How, parts: Sequence[Wanted] = ()) -> Order:
    """Inside `transaction()`: the order and what it costs as a payment. Go on with `submit` and `advance`.

    `parts` of a bundle cost together what it costs, and wait for its payment.
    """
    if who.customer_id is None:
        raise NotFound
    id, is_free = new_id(), not wanted.price
    if not await _insert(who, id, wanted, how.request_key, State.PAID if is_free else State.OPEN):
        known = await find_by_request_key(who.customer_id, how.request_key)
        if known is None:
            raise Unavailable
        return known
    for place, part in enumerate(parts):
        placed = replace(part, parent_id=id, delivers={**part.delivers, "place": place})
        await _insert(who, new_id(), placed, token(), State.OPEN)
    if is_free:
        await stepping.step(id, who.customer_id, State.PAID)
        await _deliver_soon(shop, id)
    else:
        purpose = PURPOSES.get(wanted.kind, Purpose.TOPUP)
        asked = payments.Order(id, purpose, wanted.price, wanted.name)
        payment = await payments.start_order(shop.till, who, asked, how)
        await execute(_PAID_BY.bind(id=id, payment_id=payment.id))
    order = await load(id)
    await happened(who, "ordered", order)
    return order


async def _insert(who: audit.Who, id: UUID, wanted: Wanted, request_key: str, state: State) -> bool:
    """With its first step. False where the same was asked for before."""
    assert who.customer_id is not None
    rows = await execute(
        _ADD.bind(
            id=id,
            customer_id=who.customer_id,
            kind=wanted.kind,
            reference=reference("ORD"),
            request_key=request_key,
            name=wanted.name[:160],
            service_id=wanted.service_id,
            owner_id=wanted.owner_id,
            beneficiary=wanted.beneficiary,
            product_id=wanted.product_id,
            product_version=wanted.product_version,
            parent_id=wanted.parent_id,
            price=wanted.price.minor,
            tax_permille=wanted.tax_permille,
            currency=wanted.price.currency,
            delivers=json.dumps(wanted.delivers),
            auto=wanted.auto,
            state=state,
            asked_by=who.user_id,
            now=clock.now(),
        )
    )
    if rows:
        await stepping.step(id, who.customer_id, State.OPEN)
    return bool(rows)


async def advance(shop: Shop, order_id: UUID) -> Order:
    """One step further, or as many as go at once. Outside any transaction; as often as one likes, by whoever."""
    order = await load(order_id)
    if order.state in (State.OPEN, State.CANCELED) and order.payment_id is not None:
        await _note_payment(shop, order, order.payment_id)
        order = await load(order_id)
    if order.state in (State.PAID, State.DELIVERING):
        if order.kind is Kind.BUNDLE:
            await _deliver_parts(shop, order)
        elif order.arrived_at is None or order.undo_at is not None:
            await _deliver(shop, order)
    return await load(order_id)


async def _note_payment(shop: Shop, order: Order, payment_id: UUID) -> None:
    payment = await payments.load(payment_id)
    if payment.is_paid:
        async with transaction():
            if await move(order, {State.OPEN}, State.PAID):
                await happened(booking.system(order), "bought", order)
                await _deliver_soon(shop, order.id)
        if order.state is State.CANCELED:
            # The customer was told that nothing was taken, and may have bought it again.
            await give_back(shop, order, {State.CANCELED}, "Its money came after the order was given up.")
    elif payment.state in (Pay.FAILED, Pay.CANCELED):
        async with transaction():
            if await move(order, {State.OPEN}, State.CANCELED):
                for part in await parts_of(order.id):
                    await move(part, {State.OPEN}, State.CANCELED)
                await happened(booking.system(order), "cancelled", order)


async def _deliver(shop: Shop, order: Order) -> None:
    async with transaction():
        if order.state is State.PAID:
            await move(order, {State.PAID}, State.DELIVERING)
        if not await stepping.claim(order.id, shop.deliverers[order.kind].patience):
            return
        order = await load(order.id)
        if order.arrived_at is None:
            await advances.hold_back(order)
    order = await load(order.id)
    try:
        outcome = await _ask(shop, order)
    except BaseException:
        await _release(order)
        raise
    await take(shop, order, outcome)


async def _ask(shop: Shop, order: Order) -> Outcome:
    """Delivers it; of a bundle that is undone, takes it back, or looks where nobody knows."""
    if order.arrived_at is not None:
        return await shop.undoers[order.kind].take_back(order) if order.undo_at is not None else RUNNING
    whole = await undoing.whole_of(order)
    if whole is not None and whole.undo_at is not None:
        return undoing.believed(await shop.deliverers[order.kind].look(order), whole)
    return await shop.deliverers[order.kind].deliver(order)


async def _deliver_parts(shop: Shop, order: Order) -> None:
    """A bundle: each part has a job of its own from now on, and here goes as far as it goes at once."""
    async with transaction():
        whole = await stepping.hold(order.id) if order.refunds_all else order
        await move(whole, {State.PAID}, State.DELIVERING)
        parts = await parts_of(order.id)
        for part in parts:
            # One that was given up comes back where staff deliver it after all.
            if whole.undo_at is None and await move(part, {State.OPEN, State.CANCELED}, State.PAID):
                await _deliver_soon(shop, part.id)
    for part in parts:
        await advance(shop, part.id)
    if order.refunds_all:
        await _conclude(shop, order.id)
        return
    async with transaction():
        await _sum_up(shop, order.id)


async def _conclude(shop: Shop, whole_id: UUID) -> None:
    """A bundle that was undone: one sum goes back when there is nothing left of it."""
    whole = await load(whole_id)
    if whole.state is State.DELIVERING and await undoing.is_over(whole):
        await give_back(shop, whole, {State.DELIVERING}, whole.problem or "")


async def _sum_up(shop: Shop, whole_id: UUID) -> None:
    """Inside `transaction()`: a bundle has ended when each of its parts has."""
    whole, parts = await stepping.hold(whole_id), await parts_of(whole_id)
    match end_of(parts):
        case State.DELIVERED:
            if await move(whole, {State.DELIVERING}, State.DELIVERED):
                await happened(booking.system(whole), "delivered", whole)
                await telling.delivered(shop, whole, parts)
        case State.REFUND_DUE | State.REFUNDED as end:
            if await move(whole, {State.DELIVERING}, State.REFUND_DUE):
                await happened(booking.system(whole), "failed", whole)
            if end is State.REFUNDED and await move(whole, {State.REFUND_DUE}, State.REFUNDED):
                await happened(booking.system(whole), "refunded", whole)


async def take(shop: Shop, order: Order, outcome: Outcome) -> None:
    """What the deliverer says of it, or what was found out later."""
    match outcome.result:
        case Result.DONE if order.undo_at is not None:
            await let_go(shop, order, {State.DELIVERING})
        case Result.DONE:
            await _finish(shop, order)
        case Result.FAILED if order.undo_at is not None:
            await undoing.refused(order, outcome.words)
        case Result.FAILED:
            await give_back(shop, order, {State.DELIVERING}, outcome.words)
        case Result.RUNNING | Result.UNKNOWN:
            if order.deadline_at is not None and clock.now() >= order.deadline_at:
                await _send_to_review(order, outcome)
            else:
                await _release(order)


async def let_go(shop: Shop, part: Order, states: Collection[State], words: str = "") -> None:
    """A part of a bundle that is undone: it was taken back, or stays with the customer without its price."""
    assert part.parent_id is not None
    await undoing.taken_back(part, states, words)
    await _conclude(shop, part.parent_id)


async def _finish(shop: Shop, order: Order) -> None:
    if (whole := await undoing.whole_of(order)) is not None:
        await undoing.arrived(shop, whole.id, order.id)
        if (await load(order.id)).undo_at is not None:
            await advance(shop, order.id)
        return
    async with transaction():
        if not await move(order, {State.DELIVERING, State.REVIEW}, State.DELIVERED):
            return
        await booking.earn(order)
        await advances.delivered(order)
        await happened(booking.system(order), "delivered", order)
        if order.parent_id is not None:
            await _sum_up(shop, order.parent_id)
            return
        await telling.delivered(shop, order)
        await telling.received(shop, order)


async def end_heard(shop: Shop, order_id: UUID) -> None:
    """The network says by itself that it has ended, perhaps only after a person was asked to look. Raises NotFound."""
    order = await advance(shop, order_id)
    if order.state is not State.REVIEW or order.undo_at is not None:
        return
    outcome = await shop.deliverers[order.kind].look(order)
    if outcome.result is Result.DONE:
        await _finish(shop, order)
    elif outcome.result is Result.FAILED:
        await give_back(shop, order, {State.REVIEW}, outcome.words)


async def give_back(shop: Shop, order: Order, states: Collection[State], words: str) -> None:
    """It is certain that nothing was delivered: all the money goes back to where it came from. Once."""
    if (whole := await undoing.whole_of(order)) is not None:
        await undoing.lost(whole.id, order.id, states, words)
        await advance(shop, whole.id)
        return
    try:
        async with transaction():
            if await booking.paid_by(order) is None:
                if await move(order, states, State.FAILED, words):
                    await advances.given_up(order)
                    await happened(booking.system(order), "failed", order)
                    await telling.not_delivered(shop, order, None)
            elif await move(order, states, State.REFUND_DUE, words):
                await advances.given_up(order)
                back = await booking.give_back(shop.till, order, words)
                await happened(booking.system(order), "failed", order)
                note = None if back.by_card else await _refund_ends(shop, order)
                await telling.not_delivered(shop, order, back, note)
            if order.parent_id is not None:
                await _sum_up(shop, order.parent_id)
    except Conflict as problem:
        # The bank is taking it back already, or the payment is under review.
        await _send_to_review(order, Outcome(Result.UNKNOWN, problem.message), states)


async def refunded(shop: Shop, order_id: UUID) -> None:
    """The card has its money again: that of the order, or of some parts of it."""
    order = await load(order_id)
    async with transaction():
        parts = [] if order.refunds_all else await parts_of(order_id)
        back = {row["id"] for row in await execute(ON_THE_CARD.bind(id=order_id))}
        for part in parts:
            if part.id in back and (note := await _refund_ends(shop, part)) is not None:
                await telling.credited(shop, part, note)
        if end_of(parts) is not None:
            await _sum_up(shop, order_id)
        elif (note := await _refund_ends(shop, order)) is not None:
            await telling.credited(shop, order, note)


async def _refund_ends(shop: Shop, order: Order) -> CreditNote | None:
    """Inside `transaction()`: all of its money is back, so there is a note of it. None where that was so already."""
    if not await move(order, {State.REFUND_DUE}, State.REFUNDED):
        return None
    await happened(booking.system(order), "refunded", order)
    return await credit_notes.issue(order, shop.zone)


async def _send_to_review(order: Order, outcome: Outcome, states: Collection[State] = (State.DELIVERING,)) -> None:
    async with transaction():
        if await move(order, states, State.REVIEW, outcome.words or "Nobody can say whether it was delivered."):
            await happened(booking.system(order), "reviewed", order)


async def _release(order: Order) -> None:
    async with transaction():
        await stepping.release(order)


async def _deliver_soon(shop: Shop, order_id: UUID) -> None:
    key = f"{DELIVER}:{order_id}"
    await shop.jobs.enqueue(DELIVER, key=key, payload={"order_id": str(order_id)}, priority=MONEY)


async def lost(before: timedelta = LATE) -> list[UUID]:
    """What should have gone on by itself and did not."""
    return [row["id"] for row in await fetch(_LOST.bind(before=clock.now() - before))]


_ADD = Prepared.sql(
    """
    INSERT INTO purchase_order (id, customer_id, kind, reference, request_key, name, service_id, owner_id, beneficiary,
        product_id, product_version, parent_id, price_minor, tax_permille, currency, delivers, auto, state, asked_by,
        created_at, changed_at)
    VALUES (:id, :customer_id, :kind, :reference, :request_key, :name, :service_id, :owner_id, :beneficiary,
        :product_id, :product_version, :parent_id, :price, :tax_permille, :currency, :delivers, :auto, :state,
        :asked_by, :now, :now)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
_PAID_BY = Prepared.sql("UPDATE purchase_order SET payment_id = :payment_id WHERE id = :id")
_LOST = Prepared.sql(
    """
    SELECT id FROM purchase_order WHERE state IN ('open', 'paid', 'delivering') AND changed_at <= :before
    ORDER BY changed_at LIMIT 500
    """
)
