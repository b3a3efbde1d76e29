"""Paying bills: what works, what is refused, what goes wrong, what happens twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.limits import TooOften
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.pay import payments, reconciling
from selfcare.portal.pay.payments import BillPart, How, OnItsWay, State
from selfcare.ports.payments import Why
from tests.support import money
from tests.support.money import Counter, Purse

GBP = "GBP"


async def test_a_saved_card_pays_a_bill(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill)
    assert paid.state is State.SUCCEEDED
    assert paid.card == "Visa 4242"
    assert await money.remaining(bill) == 0
    assert await money.taken(purse) == 2_400
    await counter.work()
    await money.check_at_rest()


async def test_one_payment_pays_several_bills_the_oldest_first(counter: Counter, purse: Purse) -> None:
    young, old = await money.bill(purse, 1_000, due_in=30), await money.bill(purse, 2_000, due_in=-5)
    paid = await money.pay(counter, purse, young, old)
    assert [part.target_id for part in paid.parts] == [old, young]
    assert [await money.remaining(each) for each in (old, young)] == [0, 0]
    assert await money.charges(purse) == 1
    await money.check_all()


async def test_a_part_of_a_bill_leaves_the_rest_open(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    await money.pay(counter, purse, BillPart(bill, Money(1_000, GBP)))
    assert await money.remaining(bill) == 1_400
    await money.pay(counter, purse, bill)
    assert await money.remaining(bill) == 0
    assert await money.taken(purse) == 2_400
    await money.check_all()


async def test_credit_pays_first_and_the_card_the_rest(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 1_000)
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill)
    assert (paid.credit, paid.amount) == (Money(1_000, GBP), Money(1_400, GBP))
    assert await money.credit(purse) == 0
    assert await money.remaining(bill) == 0
    await money.check_at_rest()


async def test_credit_alone_pays_without_asking_a_card(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 5_000)
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill, outcome=None)
    assert paid.state is State.SUCCEEDED
    assert paid.amount == Money(0, GBP)
    assert await money.credit(purse) == 2_600
    assert await money.charges(purse) == 1
    await money.check_at_rest()


async def test_credit_leaves_the_card_at_least_what_cards_take(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 480)
    bill = await money.bill(purse, 500)
    paid = await money.pay(counter, purse, bill)
    assert (paid.amount, paid.credit) == (Money(50, GBP), Money(450, GBP))
    assert await money.credit(purse) == 30
    await money.check_at_rest()


async def test_credit_comes_back_when_the_card_is_declined(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 1_000)
    bill = await money.bill(purse, 2_400)
    declined = await money.pay(counter, purse, bill, outcome=Outcome.NO_FUNDS)
    assert declined.state is State.FAILED
    assert await money.credit(purse) == 1_000
    assert await money.remaining(bill) == 2_400
    await money.check_at_rest()


async def test_a_new_card_pays_on_the_gateways_page(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=None, save_card=True)
    assert waiting.state is State.REQUIRES_ACTION
    assert waiting.action_url == f"{money.PUBLIC_URL}/simpay/card/{waiting.gateway_ref}"
    await counter.gateway.choose(waiting.gateway_ref or "", Outcome.DECLINED)
    assert (await payments.look(counter.till, waiting.id)).state is State.REQUIRES_ACTION
    await counter.gateway.choose(waiting.gateway_ref or "", Outcome.APPROVES)
    assert (await payments.look(counter.till, waiting.id)).state is State.SUCCEEDED
    await counter.work()
    await money.check_at_rest()


async def test_the_banks_question_is_answered_yes(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    assert waiting.needs_person
    await counter.gateway.approve(waiting.gateway_ref or "", approved=True)
    await counter.work()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED
    await money.check_at_rest()


async def test_the_banks_question_is_answered_no(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    await counter.gateway.approve(waiting.gateway_ref or "", approved=False)
    looked = await payments.look(counter.till, waiting.id)
    assert (looked.state, looked.why) == (State.FAILED, Why.NEEDS_APPROVAL)
    assert (await money.pay(counter, purse, bill)).attempt == 2
    await money.check_all()


async def test_two_open_windows_at_the_gateway_charge_once(counter: Counter, purse: Purse) -> None:
    """The bank asks about the first card; meanwhile the second card pays; then the first is approved as well."""
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=None)
    session = waiting.gateway_ref or ""
    first = await counter.gateway.choose(session, Outcome.ASKS)
    await counter.gateway.choose(session, Outcome.APPROVES)
    await counter.gateway.approve(first.ref, approved=True)  # type: ignore[union-attr]
    await counter.work()
    assert await money.charges(purse) == 1
    await money.check_at_rest()


@pytest.mark.parametrize(
    "minor", [0, 49, 2_401, 10**9], ids=["nothing", "below the least", "above what remains", "far above"]
)
async def test_an_amount_outside_the_limits_is_refused_beside_the_field(
    counter: Counter, purse: Purse, minor: int
) -> None:
    bill = await money.bill(purse, 2_400)
    with pytest.raises(Rejected) as refused:
        await money.pay(counter, purse, BillPart(bill, Money(minor, GBP)))
    assert refused.value.field == "amount"
    assert refused.value.message == "Enter an amount from £0.50 to £24.00."
    assert await money.charges(purse) == 0


async def test_another_currency_is_refused(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    with pytest.raises(Rejected):
        await money.pay(counter, purse, BillPart(bill, Money(1_000, "EUR")))


async def test_somebody_elses_bill_is_not_there(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(await money.purse(), 2_400)
    with pytest.raises(NotFound):
        await money.pay(counter, purse, bill)


async def test_somebody_elses_card_is_not_offered(counter: Counter, purse: Purse) -> None:
    theirs = await money.card(counter, await money.purse())
    bill = await money.bill(purse, 2_400)
    with pytest.raises(Rejected) as refused:
        await money.pay(counter, purse, bill, outcome=None, card_id=theirs)
    assert refused.value.field == "card"


async def test_an_expired_card_is_refused_before_the_bank_is_asked(counter: Counter, purse: Purse) -> None:
    bill, card = await money.bill(purse, 2_400), await money.card(counter, purse)
    with clock.frozen(clock.now() + timedelta(days=1_500)), pytest.raises(Rejected) as refused:
        await money.pay(counter, purse, bill, card_id=card)
    assert refused.value.message == "This card has expired. Choose another one."


@pytest.mark.parametrize("state", ["void", "settled"])
async def test_what_is_not_open_is_not_paid(counter: Counter, purse: Purse, state: str) -> None:
    bill = await money.bill(purse, 2_400, state=state, paid=2_400 if state == "settled" else 0)
    with pytest.raises(Conflict):
        await money.pay(counter, purse, bill)
    assert await money.charges(purse) == 0


async def test_a_draft_is_not_there(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400, state="draft")
    with pytest.raises(NotFound):
        await money.pay(counter, purse, bill)


async def test_a_total_that_has_changed_is_told_and_charges_nothing(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    with pytest.raises(Conflict, match=r"changed to £24\.00\. Nothing was charged"):
        await money.pay(counter, purse, bill, shown=Money(100, GBP))
    assert await money.charges(purse) == 0


async def test_staff_acting_for_a_customer_never_pay(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    staff = audit.Actor(new_id(), new_id(), new_id(), purse.customer_id)
    with pytest.raises(NotAllowed):
        await payments.pay_bills(counter.till, staff, [BillPart(bill)], How(request_key=ids.token()))


async def test_the_sixth_try_for_one_bill_within_an_hour_waits(counter: Counter, purse: Purse) -> None:
    bill, card = await money.bill(purse, 2_400), await money.card(counter, purse, Outcome.DECLINED)
    for _try in range(5):
        how = How(request_key=ids.token(), card_id=card)
        await payments.pay_bills(counter.till, purse.person, [BillPart(bill)], how)
    with pytest.raises(TooOften):
        await payments.pay_bills(
            counter.till, purse.person, [BillPart(bill)], How(request_key=ids.token(), card_id=card)
        )


@pytest.mark.parametrize(("outcome", "why"), bank.REFUSES.items(), ids=lambda each: str(each))
async def test_every_refusal_has_its_class_and_the_bill_stays_open(
    counter: Counter, purse: Purse, outcome: Outcome, why: Why
) -> None:
    bill = await money.bill(purse, 2_400)
    declined = await money.pay(counter, purse, bill, outcome=outcome)
    assert (declined.state, declined.why) == (State.FAILED, why)
    assert await money.remaining(bill) == 2_400
    assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED
    await money.check_all()


async def test_while_the_bank_decides_nothing_else_is_paid(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    first = await money.pay(counter, purse, bill, outcome=Outcome.DECIDES_LATER)
    assert first.state is State.PROCESSING
    with pytest.raises(OnItsWay) as refused:
        await money.pay(counter, purse, bill)
    assert refused.value.payment_id == first.id
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await counter.work()
    assert (await payments.load(first.id)).state is State.SUCCEEDED
    await money.check_at_rest()


@pytest.mark.parametrize("outcome", [Outcome.ANSWER_LOST, Outcome.SLOW])
async def test_an_answer_that_never_came_is_found_out_and_not_charged_again(
    counter: Counter, purse: Purse, outcome: Outcome
) -> None:
    bill = await money.bill(purse, 2_400)
    unknown = await money.pay(counter, purse, bill, outcome=outcome)
    assert unknown.state is State.UNKNOWN
    with pytest.raises(OnItsWay):
        await money.pay(counter, purse, bill)
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        assert await reconciling.reconcile(counter.till) == 1
    assert (await payments.load(unknown.id)).state is State.SUCCEEDED
    assert await money.charges(purse) == 1
    await counter.work()
    await money.check_at_rest()


async def test_after_twenty_hours_it_is_looked_up_and_never_sent_again(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    unknown = await money.pay(counter, purse, bill, outcome=Outcome.ANSWER_LOST)
    async with transaction():
        await execute(Prepared_FORGET.bind())
    with clock.frozen(clock.now() + timedelta(hours=21)):
        await reconciling.reconcile(counter.till)
    assert (await payments.load(unknown.id)).state is State.SUCCEEDED
    assert await money.charges(purse) == 1


# The gateway has forgotten the key.
Prepared_FORGET = Prepared.sql("DELETE FROM sim_request")


async def test_what_the_gateway_never_got_fails_after_a_day(counter: Counter, purse: Purse) -> None:
    bill, card = await money.bill(purse, 2_400), await money.card(counter, purse)
    how = How(request_key=ids.token(), card_id=card)
    started = await payments.start_bills(counter.till, purse.who, [BillPart(bill)], how)
    async with transaction():
        await execute(CLAIMED.bind(id=started.id, now=clock.now(), ref="cus_sim_1"))
    with clock.frozen(clock.now() + timedelta(hours=21)):
        await reconciling.reconcile(counter.till)
    assert (await payments.load(started.id)).state is State.FAILED
    assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED


CLAIMED = Prepared.sql(
    "UPDATE payment SET state = 'submitting', submitted_at = :now, customer_ref = :ref WHERE id = :id"
)


async def test_a_start_nobody_went_on_with_charges_nothing(counter: Counter, purse: Purse) -> None:
    bill, card = await money.bill(purse, 2_400), await money.card(counter, purse)
    how = How(request_key=ids.token(), card_id=card)
    started = await payments.start_bills(counter.till, purse.who, [BillPart(bill)], how)
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        await reconciling.reconcile(counter.till)
        assert (await payments.submit(counter.till, started.id)).state is State.CANCELED
    assert await money.charges(purse) == 0


async def test_who_leaves_at_the_gateway_can_try_again_after_half_an_hour(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    with clock.frozen(clock.now() + timedelta(minutes=31)):
        await reconciling.reconcile(counter.till)
        assert (await payments.load(waiting.id)).state is State.CANCELED
        await counter.gateway.approve(waiting.gateway_ref or "", approved=True)
        await counter.work()
        assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED
    assert await money.charges(purse) == 1
    await counter.work()
    await money.check_at_rest()


async def test_giving_up_at_the_gateway_leaves_the_bill_open(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=None)
    assert (await payments.give_up(counter.till, waiting.id)).state is State.CANCELED
    assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED
    await money.check_all()


async def test_giving_up_too_late_books_what_was_taken(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=None)
    await counter.gateway.choose(waiting.gateway_ref or "", Outcome.APPROVES)
    assert (await payments.give_up(counter.till, waiting.id)).state is State.SUCCEEDED
    await money.check_all()


async def test_money_for_a_bill_that_was_paid_meanwhile_becomes_credit(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    async with transaction():
        # The operator's own system booked a bank transfer.
        await execute(PAID_ELSEWHERE.bind(id=bill))
    await counter.gateway.approve(waiting.gateway_ref or "", approved=True)
    paid = await payments.look(counter.till, waiting.id)
    assert paid.surplus == Money(2_400, GBP)
    assert await money.credit(purse) == 2_400


PAID_ELSEWHERE = Prepared.sql("UPDATE invoice SET paid_minor = net_minor + tax_minor, state = 'settled' WHERE id = :id")


async def test_money_that_differs_from_what_was_asked_waits_for_staff(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    async with transaction():
        await execute(SKIM.bind(id=waiting.gateway_ref))
    await counter.gateway.approve(waiting.gateway_ref or "", approved=True)
    looked = await payments.look(counter.till, waiting.id)
    assert looked.state is State.MANUAL_REVIEW
    assert looked.review == "We asked for GBP 24.00, the gateway took GBP 23.00."
    with pytest.raises(OnItsWay):
        await money.pay(counter, purse, bill)


SKIM = Prepared.sql("UPDATE sim_payment SET amount_minor = 2300 WHERE id = :id")


async def test_money_of_a_payment_we_believed_failed_is_booked(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    waiting = await money.pay(counter, purse, bill, outcome=Outcome.ASKS)
    async with transaction():
        await execute(FAIL.bind(id=waiting.id, now=clock.now()))
        await execute(CLOSE.bind(id=waiting.id))
    assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED
    await counter.gateway.approve(waiting.gateway_ref or "", approved=True)
    await counter.work()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED
    assert await money.credit(purse) == 2_400
    await money.check_at_rest()


FAIL = Prepared.sql("UPDATE payment SET state = 'failed', closed_at = :now, action_url = NULL WHERE id = :id")
CLOSE = Prepared.sql("UPDATE payment_part SET is_open = FALSE WHERE payment_id = :id")


async def test_the_same_form_twice_is_one_payment(counter: Counter, purse: Purse) -> None:
    bill, key = await money.bill(purse, 2_400), ids.token()
    first = await money.pay(counter, purse, bill, request_key=key)
    second = await money.pay(counter, purse, bill, request_key=key)
    assert first.id == second.id
    assert await money.charges(purse) == 1


async def test_the_same_form_twice_at_once_is_one_payment(counter: Counter, purse: Purse) -> None:
    bill, key = await money.bill(purse, 2_400), ids.token()
    await money.card(counter, purse)
    both = await asyncio.gather(*(money.pay(counter, purse, bill, request_key=key) for _ in range(8)))
    assert len({payment.id for payment in both}) == 1
    assert await money.charges(purse) == 1
    await counter.work()
    await money.check_at_rest()


async def test_two_tabs_at_once_are_one_payment(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    await money.card(counter, purse)
    tabs = await asyncio.gather(*(money.pay(counter, purse, bill) for _ in range(8)), return_exceptions=True)
    assert await money.charges(purse) == 1
    assert sum(isinstance(tab, payments.Payment) for tab in tabs) == 1
    assert all(isinstance(tab, payments.Payment | Conflict) for tab in tabs)
    await counter.work()
    await money.check_at_rest()


async def test_the_same_key_of_somebody_else_opens_nothing(counter: Counter, purse: Purse) -> None:
    key = ids.token()
    await money.pay(counter, purse, await money.bill(purse, 2_400), request_key=key)
    stranger = await money.purse()
    with pytest.raises(NotFound):
        await money.pay(counter, stranger, await money.bill(stranger, 1_000), request_key=key)


@pytest.mark.parametrize("outcome", [Outcome.TWICE, Outcome.EARLY, Outcome.ANSWER_LOST])
async def test_however_the_gateway_tells_it_is_booked_once(counter: Counter, purse: Purse, outcome: Outcome) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill, outcome=outcome)
    await counter.work()
    await counter.work()
    assert (await payments.load(paid.id)).state is State.SUCCEEDED
    assert len(await fetch(LINES.bind(id=paid.id))) == 1
    await money.check_at_rest()


LINES = Prepared.sql("SELECT id FROM billing_transaction WHERE payment_id = :id")


@pytest.mark.parametrize("currency", ["JPY", "KWD", "GBP"])
async def test_currencies_with_no_two_and_three_decimals_are_paid_to_the_unit(
    counter: Counter, database: object, currency: str
) -> None:
    purse = await money.purse(currency)
    bill = await money.bill(purse, 12_340)
    paid = await money.pay(counter, purse, bill)
    assert paid.amount == Money(12_340, currency)
    assert await money.remaining(bill) == 0
    await money.check_at_rest()


async def test_where_cards_take_only_whole_steps_the_odd_rest_becomes_credit(
    counter: Counter, database: object
) -> None:
    purse = await money.purse("KWD")
    bill = await money.bill(purse, 12_345)
    paid = await money.pay(counter, purse, bill)
    assert paid.amount == Money(12_350, "KWD")
    assert await money.remaining(bill) == 0
    assert await money.credit(purse) == 5
    await money.check_at_rest()


async def test_who_paid_is_told_once(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill, outcome=Outcome.TWICE)
    await counter.work()
    await payments.look(counter.till, paid.id)
    events = [row["event"] for row in await fetch(AUDITED.bind(about=str(paid.id)))]
    assert sorted(events) == ["pay.started", "pay.succeeded"]


AUDITED = Prepared.sql("SELECT event FROM audit_event WHERE about = :about")
