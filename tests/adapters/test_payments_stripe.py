"""What only Stripe's adapter has to know: its words, its pages, its failures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
import stripe

from selfcare.adapters import stripe_words as words
from selfcare.adapters.outgoing import NotListed
from selfcare.adapters.payments_stripe import StripeGateway
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import EXPONENTS, Money
from selfcare.ports import failures
from selfcare.ports.payments import About, BadEvent, Charge, Declined, Misused, Payer, Why
from tests.support.stripe_fake import Stripe

PAYER = Payer(new_id(), "100200", "Asha Patel")


@pytest.fixture
def server() -> Stripe:
    return Stripe()


@pytest.fixture
def gateway(server: Stripe) -> StripeGateway:
    return through(httpx.ASGITransport(app=server), server)


def through(transport: httpx.AsyncBaseTransport, server: Stripe, **more: Any) -> StripeGateway:
    return StripeGateway(
        server.key, webhook_secrets=("whsec_new", "whsec_old"), api=server.base, transport=transport, **more
    )


class Broken(httpx.AsyncBaseTransport):
    def __init__(self, fail: Callable[[httpx.Request], httpx.Response]) -> None:
        self.fail = fail

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self.fail(request)


def raising(error: Exception) -> Broken:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    return Broken(fail)


def a_charge(customer: str = "cus_1", minor: int = 2_400) -> Charge:
    id = new_id()
    return Charge(
        payment_id=id,
        customer_ref=customer,
        amount=Money(minor, "GBP"),
        reference="PAY-7K3M9Q2X",
        description="Bill INV-1",
        key=f"pay:{id}:1",
        return_url="https://selfcare.test/pay/1/return",
        cancel_url="https://selfcare.test/pay/1/return?gave_up=1",
    )


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow")])
async def test_where_no_connection_stood_nothing_has_happened(server: Stripe, error: Exception) -> None:
    with pytest.raises(failures.Unreachable):
        await through(raising(error), server).charge(a_charge(), token_ref="pm_1", on_session=True)


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout("slow"), httpx.RemoteProtocolError("cut"), httpx.WriteError("cut")]
)
async def test_where_the_line_broke_later_it_may_have_happened(server: Stripe, error: Exception) -> None:
    with pytest.raises(failures.Unknown):
        await through(raising(error), server).charge(a_charge(), token_ref="pm_1", on_session=True)


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_server_in_trouble_may_have_charged(server: Stripe, status: int) -> None:
    broken = Broken(lambda request: httpx.Response(status, text="<html>bad gateway</html>", request=request))
    with pytest.raises(failures.Unknown):
        await through(broken, server).charge(a_charge(), token_ref="pm_1", on_session=True)


async def test_a_server_too_busy_to_listen_has_charged_nothing(server: Stripe, gateway: StripeGateway) -> None:
    customer = await gateway.ensure_customer(PAYER)
    server.busy = 1
    charge, token = a_charge(customer), server.add_card(customer)
    with pytest.raises(failures.Unreachable):
        await gateway.charge(charge, token_ref=token, on_session=True)
    assert server.charges() == []


async def test_a_key_that_is_not_accepted_is_our_trouble_and_no_decline(server: Stripe, gateway: StripeGateway) -> None:
    server.key = "sk_test_another"
    with pytest.raises(failures.Unreachable):
        await gateway.charge(a_charge(), token_ref="pm_1", on_session=True)


async def test_the_sdk_sends_once_and_leaves_trying_again_to_us(server: Stripe, gateway: StripeGateway) -> None:
    server.cut = 5
    with pytest.raises(failures.Unknown):
        await gateway.ensure_customer(PAYER)
    assert len(server.asked) == 1


async def test_no_other_host_is_asked(server: Stripe) -> None:
    gateway = through(httpx.ASGITransport(app=server), server)
    gateway.client = stripe.StripeClient(
        server.key, base_addresses={"api": "https://elsewhere.test"}, http_client=gateway.client._requestor._client
    )
    with pytest.raises(NotListed):
        await gateway.get_payment("pi_1")


async def test_nobody_is_sent_to_a_page_that_is_not_listed(server: Stripe, gateway: StripeGateway) -> None:
    customer = await gateway.ensure_customer(PAYER)
    server.base = "https://phishing.test"
    with pytest.raises(Misused):
        await gateway.start_new_card_payment(a_charge(customer), save_card=False)
    server.base = "https://checkout.stripe.com"
    assert await gateway.start_new_card_payment(a_charge(customer), save_card=False)


async def test_the_same_customer_is_made_once(server: Stripe, gateway: StripeGateway) -> None:
    assert await gateway.ensure_customer(PAYER) == await gateway.ensure_customer(PAYER)
    assert len(list(server.all("customer"))) == 1


async def test_a_payment_of_nobody_is_declined(server: Stripe, gateway: StripeGateway) -> None:
    with pytest.raises(failures.Declined):
        await gateway.get_payment("pi_1")


async def test_an_amount_stripe_does_not_take_charges_nothing(server: Stripe, gateway: StripeGateway) -> None:
    customer = await gateway.ensure_customer(PAYER)
    token = server.add_card(customer)
    with pytest.raises(failures.Unreachable):
        await gateway.charge(a_charge(customer, 10), token_ref=token, on_session=True)


async def test_an_unusable_card_is_declined(server: Stripe, gateway: StripeGateway) -> None:
    customer = await gateway.ensure_customer(PAYER)
    answer = await gateway.charge(a_charge(customer), token_ref="pm_gone", on_session=True)
    assert answer == Declined(Why.NOT_SUPPORTED)


async def test_the_secret_before_is_still_believed_while_it_is_changed(server: Stripe, gateway: StripeGateway) -> None:
    server.tell("payment_intent.succeeded", {"id": "pi_1", "metadata": {}})
    [event] = server.all("event")
    for secret in ("whsec_new", "whsec_old"):
        assert gateway.parse_webhook(*server.sign(event, secret), now=clock.now()).ref == "pi_1"
    with pytest.raises(BadEvent):
        gateway.parse_webhook(*server.sign(event, "whsec_stranger"), now=clock.now())


async def test_missed_events_are_listed(server: Stripe, gateway: StripeGateway) -> None:
    server.tell("payment_intent.succeeded", {"id": "pi_1", "metadata": {}})
    server.tell("customer.created", {"id": "cus_1"})
    missed = await gateway.list_missed_events(since=clock.now() - timedelta(hours=1))
    assert [(event.ref, event.about) for event in missed] == [("cus_1", About.OTHER), ("pi_1", About.PAYMENT)]
    assert await gateway.list_missed_events(since=clock.now() + timedelta(hours=1)) == []


@pytest.mark.parametrize(
    ("kind", "thing", "about", "ref"),
    [
        ("payment_intent.payment_failed", {"id": "pi_1"}, About.PAYMENT, "pi_1"),
        ("checkout.session.completed", {"id": "cs_1", "mode": "payment"}, About.PAYMENT, "cs_1"),
        ("checkout.session.completed", {"id": "cs_1", "mode": "setup"}, About.CARD, "cs_1"),
        ("checkout.session.expired", {"id": "cs_1", "mode": "payment"}, About.PAYMENT, "cs_1"),
        ("setup_intent.succeeded", {"id": "seti_1"}, About.CARD, "seti_1"),
        ("payment_method.detached", {"id": "pm_1"}, About.CARD, "pm_1"),
        ("refund.failed", {"id": "re_1"}, About.REFUND, "re_1"),
        ("charge.dispute.created", {"id": "dp_1", "payment_intent": "pi_1"}, About.DISPUTE, "pi_1"),
        ("charge.dispute.closed", {"id": "dp_1", "payment_intent": "pi_1"}, About.OTHER, "dp_1"),
        ("customer.updated", {"id": "cus_1"}, About.OTHER, "cus_1"),
        ("something.new", {"id": "x_1"}, About.OTHER, "x_1"),
    ],
)
def test_an_event_is_about_what_we_can_ask(
    server: Stripe, gateway: StripeGateway, kind: str, thing: dict[str, Any], about: About, ref: str
) -> None:
    server.tell(kind, thing)
    [event] = server.all("event")
    parsed = gateway.parse_webhook(*server.sign(event, "whsec_new"), now=clock.now())
    assert (parsed.kind, parsed.about, parsed.ref, parsed.payment_id) == (kind, about, ref, None)


@pytest.mark.parametrize("body", ["[]", "{}", "null", '{"id": 1, "type": "x", "data": {"object": {}}}', "{", "3"])
def test_a_signed_body_that_is_no_event_is_refused(gateway: StripeGateway, body: str) -> None:
    header = stripe.WebhookSignature.generate_signature_header(
        body, "whsec_new", timestamp=int(clock.now().timestamp())
    )
    with pytest.raises(BadEvent):
        gateway.parse_webhook(body.encode(), {"stripe-signature": header}, now=clock.now())


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
def test_every_currency_goes_there_and_back(currency: str) -> None:
    limits = words.limits(currency)
    for amount in (limits.least, limits.most, Money(limits.least.minor + limits.step * 7, currency)):
        assert words.from_stripe(words.to_stripe(amount), currency.lower()) == amount


@pytest.mark.parametrize(
    ("minor", "currency", "there"),
    [(500, "JPY", 500), (2_400, "GBP", 2_400), (1_230, "KWD", 1_230), (500, "ISK", 50_000), (500, "UGX", 50_000)],
)
def test_minor_units_are_stripes(minor: int, currency: str, there: int) -> None:
    assert words.to_stripe(Money(minor, currency)) == there


@pytest.mark.parametrize(("minor", "currency"), [(1_235, "KWD"), (150, "MGA")])
def test_what_stripe_has_no_coin_for_is_never_sent(minor: int, currency: str) -> None:
    with pytest.raises(Misused):
        words.to_stripe(Money(minor, currency))


def test_the_server_of_these_tests_is_as_strict_as_the_sdk(server: Stripe) -> None:
    headers = {"authorization": f"Bearer {server.key}", "stripe-version": stripe.api_version}
    for wrong in ({"payment_method_types": {"0": "card"}}, {"cardnumber": "1"}):
        status, _body = server.call("POST", "/v1/payment_intents", {"amount": "100"} | wrong, headers)
        assert status == 400


async def test_the_doctor_hears_what_is_wrong_with_the_key(server: Stripe, gateway: StripeGateway) -> None:
    assert await gateway.refusal() is None
    server.key = "sk_test_another"
    assert await gateway.refusal() == "it does not know the key in SELFCARE_STRIPE_KEY"
    assert await through(raising(httpx.ConnectError("refused")), server).refusal() == "it does not answer"
