"""What every adapter of the payments port promises: the simulated gateway, and Stripe's adapter before our own
Stripe-shaped server. With STRIPE_TEST_KEY set, what needs no browser is asked of Stripe's real test mode as well."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters import signatures
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.adapters.outgoing import InTransaction
from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.adapters.payments_embedded_hooks import SIGNATURE
from selfcare.adapters.payments_stripe import StripeGateway
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock, ids
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.ports import failures
from selfcare.ports.payments import (
    About,
    BadEvent,
    Canceled,
    CardSetup,
    Charge,
    Declined,
    Event,
    Misused,
    NeedsAction,
    Payer,
    PaymentGateway,
    Pending,
    RefundState,
    SetupDone,
    SetupEnded,
    SetupOpen,
    Succeeded,
    Unknown,
    Why,
)
from tests.support.stripe_fake import Stripe

TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")
BACK = "https://selfcare.test/pay/back"
GBP = "GBP"


class Simulated:
    def __init__(self) -> None:
        self.jobs = EmbeddedJobs(random=lambda: 1.0)
        self.key = b"k" * 32
        self.gateway: PaymentGateway = SimulatedGateway(
            self.jobs, key=self.key, public_url="https://selfcare.test", patience_seconds=0.01
        )

    @property
    def simulated(self) -> SimulatedGateway:
        assert isinstance(self.gateway, SimulatedGateway)
        return self.gateway

    async def card(self, customer: str, outcome: Outcome = Outcome.APPROVES) -> str:
        async with transaction():
            return await bank.new_card(customer, outcome, holder="ASHA RAO", now=clock.now())

    async def enter_card(self, ref: str, outcome: Outcome = Outcome.APPROVES) -> None:
        await self.simulated.choose(ref, outcome, holder="A PATEL")

    async def answer_bank(self, ref: str, *, approved: bool) -> None:
        await self.simulated.approve(ref, approved=approved)

    async def lose_answers(self, times: int = 1) -> None:
        async with transaction():
            await bank.set_fault("answer_lost", times)

    async def events(self) -> list[Event]:
        """As they come in at our door."""
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            return list(await self.gateway.list_missed_events(since=clock.now() - timedelta(hours=1)))

    def signed(self, at: datetime) -> tuple[bytes, dict[str, str]]:
        body = b'{"id":"evt_1","kind":"payment.succeeded","about":"payment","ref":"pi_1","payment_id":null,"created":0}'
        return body, {SIGNATURE: signatures.sign(body, self.key, at)}


LAST4 = {
    Outcome.APPROVES: "4242",
    Outcome.DECLINED: "0002",
    Outcome.NO_FUNDS: "9995",
    Outcome.EXPIRED: "0069",
    Outcome.WRONG_CODE: "0127",
    Outcome.LOST: "9987",
    Outcome.LIMIT: "6975",
    Outcome.NOT_SUPPORTED: "0005",
    Outcome.TROUBLE: "0119",
    Outcome.ASKS: "3184",
    Outcome.LATER_DECLINES: "0341",
    Outcome.DECIDES_LATER: "8210",
    Outcome.REFUND_FAILS: "5126",
    Outcome.DISPUTE: "0259",
    Outcome.WALLET: "4242",
}


class FakeStripe:
    def __init__(self) -> None:
        self.stripe = Stripe()
        self.gateway: PaymentGateway = StripeGateway(
            self.stripe.key,
            webhook_secrets=("whsec_new", "whsec_old"),
            api=self.stripe.base,
            transport=httpx.ASGITransport(app=self.stripe),
        )

    async def card(self, customer: str, outcome: Outcome = Outcome.APPROVES) -> str:
        return self.stripe.add_card(customer, LAST4[outcome])

    async def enter_card(self, ref: str, outcome: Outcome = Outcome.APPROVES) -> None:
        self.stripe.pay_on_page(ref, LAST4[outcome], wallet="apple_pay" if outcome is Outcome.WALLET else None)

    async def answer_bank(self, ref: str, *, approved: bool) -> None:
        self.stripe.answer_bank(ref, approved=approved)

    async def lose_answers(self, times: int = 1) -> None:
        self.stripe.cut = times

    async def events(self) -> list[Event]:
        events = []
        for event in reversed(list(self.stripe.all("event"))):
            body, headers = self.stripe.sign(event, "whsec_new")
            events.append(self.gateway.parse_webhook(body, headers, now=clock.now()))
        return events

    def signed(self, at: datetime) -> tuple[bytes, dict[str, str]]:
        with clock.frozen(at):
            thing = {"id": "pi_1", "object": "payment_intent", "metadata": {}}
            self.stripe.tell("payment_intent.succeeded", thing)
            return self.stripe.sign(next(self.stripe.all("event")), "whsec_new")


class RealStripe(FakeStripe):
    """Test mode: no page is visited and no bank answers."""

    def __init__(self) -> None:
        self.real = StripeGateway(TEST_KEY, webhook_secrets=("whsec_new",))
        self.gateway = self.real

    async def card(self, customer: str, outcome: Outcome = Outcome.APPROVES) -> str:
        names = {
            Outcome.APPROVES: "pm_card_visa",
            Outcome.NO_FUNDS: "pm_card_visa_chargeDeclinedInsufficientFunds",
            Outcome.LATER_DECLINES: "pm_card_chargeCustomerFail",
            Outcome.ASKS: "pm_card_authenticationRequired",
        }
        if outcome not in names:
            pytest.skip("Stripe keeps no such card")
        kept = await self.real.client.v1.payment_methods.attach_async(names[outcome], {"customer": customer})
        return kept.id

    def __getattribute__(self, name: str) -> Any:
        if name in ("enter_card", "answer_bank", "lose_answers", "events", "signed", "stripe"):
            pytest.skip("needs a browser or a hand on the server")
        return super().__getattribute__(name)


KINDS = ("simulated", "stripe-shaped", "stripe-test-mode")


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Any:
    if request.param == "stripe-test-mode" and not TEST_KEY:
        pytest.skip("STRIPE_TEST_KEY is not set: only Stripe's own test mode proves Stripe")
    made = {"simulated": Simulated, "stripe-shaped": FakeStripe, "stripe-test-mode": RealStripe}
    return made[request.param]()


@pytest.fixture
async def customer(bench: Any, database: Database) -> str:
    ref: str = await bench.gateway.ensure_customer(Payer(new_id(), "100200", "Asha Patel"))
    return ref


def a_charge(customer: str, minor: int = 2_400, currency: str = GBP, **more: Any) -> Charge:
    id = new_id()
    return replace(
        Charge(
            payment_id=id,
            customer_ref=customer,
            amount=Money(minor, currency),
            reference="PAY-7K3M9Q2X",
            description="Bill INV-2026-000031",
            key=f"pay:{id}:1",
            return_url=BACK,
            cancel_url=BACK + "?gave_up=1",
        ),
        **more,
    )


def a_setup(customer: str) -> CardSetup:
    return CardSetup(customer_ref=customer, currency=GBP, key=ids.token(), return_url=BACK, cancel_url=BACK)


async def taken(bench: Any, charge: Charge) -> Succeeded:
    """By a good card."""
    token = await bench.card(charge.customer_ref)
    answer = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert isinstance(answer, Succeeded)
    return answer


async def test_a_kept_card_pays_what_was_asked(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    seen = (await taken(bench, charge)).seen
    assert (seen.amount, seen.customer_ref, seen.payment_id) == (charge.amount, customer, charge.payment_id)
    assert seen.card is not None
    assert (seen.card.last4, seen.card.token_ref is None, seen.disputed) == ("4242", False, False)
    assert await bench.gateway.get_payment(seen.ref) == Succeeded(seen)


@pytest.mark.parametrize(("minor", "currency"), [(500, "JPY"), (12_340, "KWD"), (2_400, "EUR")])
async def test_currencies_of_all_decimals_come_back_as_they_went(
    bench: Any, customer: str, minor: int, currency: str
) -> None:
    charge = a_charge(customer, minor, currency)
    assert (await taken(bench, charge)).seen.amount == Money(minor, currency)


async def test_the_same_key_again_is_the_same_payment(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer)
    first = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert await bench.gateway.charge(charge, token_ref=token, on_session=True) == first


async def test_the_same_key_for_something_else_is_a_mistake(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer)
    await bench.gateway.charge(charge, token_ref=token, on_session=True)
    with pytest.raises(Misused):
        await bench.gateway.charge(replace(charge, amount=Money(2_500, GBP)), token_ref=token, on_session=True)


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.DECLINED, Why.BANK_REFUSED),
        (Outcome.NO_FUNDS, Why.NO_FUNDS),
        (Outcome.EXPIRED, Why.EXPIRED_CARD),
        (Outcome.WRONG_CODE, Why.WRONG_CODE),
        (Outcome.LOST, Why.LOST_CARD),
        (Outcome.LIMIT, Why.LIMIT),
        (Outcome.NOT_SUPPORTED, Why.NOT_SUPPORTED),
        (Outcome.TROUBLE, Why.PROVIDER_TROUBLE),
        (Outcome.LATER_DECLINES, Why.NO_FUNDS),
    ],
)
async def test_a_refusal_has_its_class(bench: Any, customer: str, outcome: Outcome, why: Why) -> None:
    charge, token = a_charge(customer), await bench.card(customer, outcome)
    answer = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert isinstance(answer, Declined)
    assert answer.why is why
    # A refusal is remembered as well: the same key asks the bank no second time.
    assert await bench.gateway.charge(charge, token_ref=token, on_session=True) == answer


async def test_what_the_bank_wants_approved_waits_for_the_person(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer, Outcome.ASKS)
    waiting = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert isinstance(waiting, NeedsAction)
    assert waiting.url.startswith("https://")
    assert await bench.gateway.get_payment(waiting.ref) == waiting
    await bench.answer_bank(waiting.ref, approved=True)
    assert isinstance(await bench.gateway.get_payment(waiting.ref), Succeeded)


async def test_what_the_person_did_not_approve_is_declined(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer, Outcome.ASKS)
    waiting = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    await bench.answer_bank(waiting.ref, approved=False)
    assert await bench.gateway.get_payment(waiting.ref) == Declined(Why.NEEDS_APPROVAL, waiting.ref)


async def test_nobody_is_asked_off_session(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer, Outcome.ASKS)
    answer = await bench.gateway.charge(charge, token_ref=token, on_session=False)
    assert isinstance(answer, Declined)
    assert answer.why is Why.NEEDS_APPROVAL


async def test_a_good_card_pays_off_session(bench: Any, customer: str) -> None:
    token = await bench.card(customer)
    assert isinstance(await bench.gateway.charge(a_charge(customer), token_ref=token, on_session=False), Succeeded)


async def test_the_bank_may_decide_later(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer, Outcome.DECIDES_LATER)
    answer = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert isinstance(answer, Pending)
    assert await bench.gateway.get_payment(answer.ref) == answer


async def test_somebody_elses_card_does_not_pay(bench: Any, customer: str) -> None:
    other = await bench.gateway.ensure_customer(Payer(new_id(), "100201", "Chidi Okoro"))
    answer = await bench.gateway.charge(a_charge(customer), token_ref=await bench.card(other), on_session=True)
    assert isinstance(answer, Declined)


async def test_a_lost_answer_is_unknown_and_the_same_key_finds_out(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer)
    await bench.lose_answers()
    assert await ask(bench, charge, token) == Unknown()
    found = await bench.gateway.find_by_reference(customer, charge.payment_id)
    assert isinstance(found, Succeeded)
    assert await ask(bench, charge, token) == found


async def ask(bench: Any, charge: Charge, token: str) -> object:
    """Unknown is answered or raised."""
    try:
        return await bench.gateway.charge(charge, token_ref=token, on_session=True)
    except failures.Unknown:
        return Unknown()


async def test_a_payment_it_never_heard_of_is_not_found(bench: Any, customer: str) -> None:
    assert await bench.gateway.find_by_reference(customer, new_id()) is None


async def test_a_new_card_pays_on_its_page(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    waiting = await bench.gateway.start_new_card_payment(charge, save_card=False)
    assert isinstance(waiting, NeedsAction)
    assert await bench.gateway.start_new_card_payment(charge, save_card=False) == waiting
    await bench.enter_card(waiting.ref, Outcome.NO_FUNDS)
    assert await bench.gateway.get_payment(waiting.ref) == waiting
    await bench.enter_card(waiting.ref)
    paid = await bench.gateway.get_payment(waiting.ref)
    assert isinstance(paid, Succeeded)
    assert (paid.seen.payment_id, paid.seen.amount) == (charge.payment_id, charge.amount)
    assert paid.seen.card is not None
    assert paid.seen.card.token_ref is None


async def test_a_new_card_is_kept_where_that_was_asked(bench: Any, customer: str) -> None:
    waiting = await bench.gateway.start_new_card_payment(a_charge(customer), save_card=True)
    await bench.enter_card(waiting.ref)
    paid = await bench.gateway.get_payment(waiting.ref)
    [kept] = await bench.gateway.list_cards(customer)
    assert paid.seen.card == kept
    again = await bench.gateway.charge(a_charge(customer), token_ref=kept.token_ref, on_session=False)
    assert isinstance(again, Succeeded)


async def test_a_wallet_pays_this_once_and_is_never_kept(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    page = await bench.gateway.start_new_card_payment(charge, save_card=True)
    await bench.enter_card(page.ref, Outcome.WALLET)
    paid = await bench.gateway.get_payment(page.ref)
    assert paid.seen.amount == charge.amount
    assert paid.seen.card.wallet in ("Simulated wallet", "Apple Pay")
    assert paid.seen.card.token_ref is None


async def test_a_wallet_cannot_be_kept_without_paying(bench: Any, customer: str) -> None:
    started = await bench.gateway.start_card_setup(a_setup(customer))
    await bench.enter_card(started.ref, Outcome.WALLET)
    assert not isinstance(await bench.gateway.finish_card_setup(started.ref), SetupDone)
    assert await bench.gateway.list_cards(customer) == []


async def test_the_lost_beginning_of_a_page_is_found_again(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    await bench.lose_answers()
    try:
        first: object = await bench.gateway.start_new_card_payment(charge, save_card=False)
    except failures.Unknown:
        first = Unknown()
    assert first == Unknown()
    assert isinstance(await bench.gateway.start_new_card_payment(charge, save_card=False), NeedsAction)


async def test_a_page_given_up_takes_no_card_any_more(bench: Any, customer: str) -> None:
    waiting = await bench.gateway.start_new_card_payment(a_charge(customer), save_card=False)
    assert await bench.gateway.cancel(waiting.ref) == Canceled(waiting.ref)
    assert await bench.gateway.cancel(waiting.ref) == Canceled(waiting.ref)
    assert await bench.gateway.get_payment(waiting.ref) == Canceled(waiting.ref)


async def test_given_up_at_the_bank_is_cancelled(bench: Any, customer: str) -> None:
    token = await bench.card(customer, Outcome.ASKS)
    waiting = await bench.gateway.charge(a_charge(customer), token_ref=token, on_session=True)
    assert await bench.gateway.cancel(waiting.ref) == Canceled(waiting.ref)
    await bench.answer_bank(waiting.ref, approved=True)
    assert await bench.gateway.get_payment(waiting.ref) == Canceled(waiting.ref)


async def test_given_up_too_late_is_paid(bench: Any, customer: str) -> None:
    waiting = await bench.gateway.start_new_card_payment(a_charge(customer), save_card=False)
    await bench.enter_card(waiting.ref)
    assert isinstance(await bench.gateway.cancel(waiting.ref), Succeeded)


async def test_a_card_is_kept_without_paying(bench: Any, customer: str) -> None:
    started = await bench.gateway.start_card_setup(a_setup(customer))
    assert await bench.gateway.finish_card_setup(started.ref) == SetupOpen(started.url)
    await bench.enter_card(started.ref)
    done = await bench.gateway.finish_card_setup(started.ref)
    assert isinstance(done, SetupDone)
    assert done.customer_ref == customer
    assert list(await bench.gateway.list_cards(customer)) == [done.card]
    assert done.card.fingerprint


async def test_a_card_to_keep_given_up_keeps_none(bench: Any, customer: str) -> None:
    started = await bench.gateway.start_card_setup(a_setup(customer))
    await bench.gateway.cancel(started.ref)
    assert isinstance(await bench.gateway.finish_card_setup(started.ref), SetupEnded)


async def test_a_removed_card_is_gone_and_may_be_removed_again(bench: Any, customer: str) -> None:
    token = await bench.card(customer)
    await bench.gateway.set_default(customer, token)
    await bench.gateway.detach_card(token)
    await bench.gateway.detach_card(token)
    assert await bench.gateway.list_cards(customer) == []
    answer = await bench.gateway.charge(a_charge(customer), token_ref=token, on_session=True)
    assert answer == Declined(Why.NOT_SUPPORTED)


async def test_money_goes_back_in_parts_and_never_more_than_came(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    ref = (await taken(bench, charge)).seen.ref
    for number, minor in ((1, 1_000), (2, 1_400)):
        given = await bench.gateway.refund(
            ref, Money(minor, GBP), payment_id=charge.payment_id, key=f"refund:{charge.payment_id}:{number}"
        )
        assert (given.state, given.amount) == (RefundState.DONE, Money(minor, GBP))
        assert await bench.gateway.get_refund(given.ref) == given
    with pytest.raises(failures.Declined):
        await bench.gateway.refund(
            ref, Money(1, GBP), payment_id=charge.payment_id, key=f"refund:{charge.payment_id}:3"
        )


async def test_a_refund_whose_answer_got_lost_is_found_and_not_given_twice(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    ref, key = (await taken(bench, charge)).seen.ref, f"refund:{charge.payment_id}:1"
    await bench.lose_answers()
    with pytest.raises(failures.Unknown):
        await bench.gateway.refund(ref, Money(2_400, GBP), payment_id=charge.payment_id, key=key)
    found = await bench.gateway.find_refund(ref, key)
    assert found is not None
    again = await bench.gateway.refund(ref, Money(2_400, GBP), payment_id=charge.payment_id, key=key)
    assert again == found


async def test_a_disputed_payment_is_not_given_back_as_well(bench: Any, customer: str) -> None:
    charge, token = a_charge(customer), await bench.card(customer, Outcome.DISPUTE)
    paid = await bench.gateway.charge(charge, token_ref=token, on_session=True)
    assert (await bench.gateway.get_payment(paid.seen.ref)).seen.disputed
    with pytest.raises(failures.Declined):
        await bench.gateway.refund(paid.seen.ref, Money(100, GBP), payment_id=charge.payment_id, key="refund:x:1")
    assert (About.DISPUTE, paid.seen.ref) in [(event.about, event.ref) for event in await bench.events()]


async def test_events_name_the_payment_and_what_to_ask_about(bench: Any, customer: str) -> None:
    charge = a_charge(customer)
    ref = (await taken(bench, charge)).seen.ref
    about_payments = [event for event in await bench.events() if event.about is About.PAYMENT]
    assert [(event.ref, event.payment_id) for event in about_payments] == [(ref, charge.payment_id)]
    assert len({event.id for event in about_payments}) == len(about_payments)


async def test_events_of_a_kept_card_are_not_about_payments(bench: Any, customer: str) -> None:
    started = await bench.gateway.start_card_setup(a_setup(customer))
    await bench.enter_card(started.ref)
    assert {event.about for event in await bench.events()} == {About.CARD}


@pytest.mark.parametrize("late", [-301, 301], ids=["too old", "from the future"])
async def test_a_webhook_of_another_time_is_refused(bench: Any, database: Database, late: int) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    body, headers = bench.signed(now)
    with pytest.raises(BadEvent):
        bench.gateway.parse_webhook(body, headers, now=now + timedelta(seconds=late))
    assert bench.gateway.parse_webhook(body, headers, now=now).ref == "pi_1"


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "v1=00", "t=x,v1=00", "t=1,t=2,v1=0", "nonsense", "t=,v1="])
async def test_a_webhook_not_signed_by_the_gateway_is_refused(bench: Any, database: Database, header: str) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    body, headers = bench.signed(now)
    name = next(iter(name for name in headers if name.endswith("signature")))
    for each, sent in ((body, {name: header}), (body, {}), (body + b" ", headers), (body.replace(b"1", b"2"), headers)):
        with pytest.raises(BadEvent):
            bench.gateway.parse_webhook(each, sent, now=now)


async def test_nothing_is_asked_inside_a_transaction(bench: Any, customer: str) -> None:
    token, charge = await bench.card(customer), a_charge(customer)
    with pytest.raises(InTransaction):
        async with transaction():
            await bench.gateway.charge(charge, token_ref=token, on_session=True)
    with pytest.raises(InTransaction):
        async with transaction():
            await bench.gateway.get_payment("pi_1")


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD", "HUF", "ISK", "MGA"])
async def test_the_limits_are_whole_steps_and_can_be_asked(bench: Any, currency: str) -> None:
    limits = bench.gateway.limits(currency)
    assert Money.zero(currency) < limits.least < limits.most
    assert limits.least.minor % limits.step == limits.most.minor % limits.step == 0
