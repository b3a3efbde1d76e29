"""The simulated gateway's own pages: a card picked by what happens, the bank's question, and the way back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from selfcare import flags
from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.payments_embedded_bank import REFUSES, Outcome
from selfcare.app import Application, create_app
from selfcare.audit import log as audit
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.demo import people, simpay
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotFound
from selfcare.portal.cards import cards
from selfcare.portal.pay import parties, payments
from selfcare.portal.pay.payments import BillPart, How, Payment, State
from selfcare.portal.pay.till import Till
from selfcare.ports.payments import CardSetup, SetupDone
from tests.pages import check
from tests.pages.test_every_page import router_of
from tests.support import site
from tests.support.browser import Browser, Page

OWED = Prepared.sql(
    "SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on DESC LIMIT 1"
)
WHO = audit.system(customer_id=people.PATEL.id)


def till(app: Application) -> Till:
    return Till.of(app.ports, app.site.settings)


async def start(app: Application, *, card: int | None = None, save: bool = False) -> Payment:
    """Asha's bill, with a new card or with one of her cards."""
    bill = await fetch_one(OWED.bind(customer_id=people.PATEL.id))
    assert bill is not None
    known = await cards.list_cards(people.PATEL.id)
    chosen = None if card is None else known[card].id
    how = How(request_key=ids.token(), card_id=chosen, save_card=save)
    return await payments.pay_bills(till(app), WHO, [BillPart(bill["id"])], how)


def page_of(payment: Payment) -> str:
    return (payment.action_url or "").removeprefix("https://selfcare.test")


async def choose(browser: Browser, payment: Payment, outcome: Outcome) -> Page:
    shown = await browser.open(page_of(payment))
    form = shown.form("simpay-card")
    typed = {"csrf": shown.field("csrf").value, "outcome": outcome.value, "holder": "A PATEL"}
    return await browser.post(form.get("action"), typed, follow=False)


async def test_a_saved_card_of_the_demo_pays(app: Application) -> None:
    paid = await start(app, card=0)
    assert (paid.state, paid.card) == (State.SUCCEEDED, "Visa 4242")


async def test_the_other_saved_card_of_the_demo_asks_at_the_bank(app: Application, visitor: Browser) -> None:
    waiting = await start(app, card=1)
    asked = await visitor.open(page_of(waiting))
    assert asked.heading == "Your bank asks: is this you?"
    typed = {"csrf": asked.field("csrf").value, "answer": "approve"}
    answer = await visitor.post(page_of(waiting), typed, follow=False)
    assert answer.headers["location"] == f"/pay/{waiting.id}/return"
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED


async def test_the_card_page_says_what_is_paid_and_that_no_money_moves(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    shown = await visitor.open(page_of(waiting))
    assert shown.status == 200
    assert shown.text.count("SIMULATED – no money moves") == 2
    assert waiting.reference in shown.text
    assert not shown.html.xpath("//script | //input[@autocomplete='cc-number']")
    assert len(shown.html.xpath("//input[@name='outcome']")) == len(Outcome)
    faults = await visitor.open("/simpay/faults")
    for page in (shown, faults):
        # The way back is another feature's page.
        assert [one for one in check.problems(page, router_of(app)) if "/pay/" not in one] == []


async def test_a_new_card_pays_and_its_webhook_comes_through_the_real_door(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    answer = await choose(visitor, waiting, Outcome.APPROVES)
    assert (answer.status, answer.headers["location"]) == (303, f"/pay/{waiting.id}/return")
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED
    kept = await fetch(KEPT.bind())
    assert [row["kind"] for row in kept] == ["payment.succeeded"]


KEPT = Prepared.sql("SELECT kind FROM webhook_event")


async def test_a_wallet_pays_and_the_receipt_names_it(app: Application, visitor: Browser) -> None:
    before = await cards.list_cards(people.PATEL.id)
    waiting = await start(app)
    await choose(visitor, waiting, Outcome.WALLET)
    await app.catch_up()
    paid = await payments.load(waiting.id)
    assert (paid.state, paid.card) == (State.SUCCEEDED, "Simulated wallet, Visa 4242")
    assert await cards.list_cards(people.PATEL.id) == before


async def test_a_wallet_is_not_offered_where_the_card_is_to_be_kept(app: Application, visitor: Browser) -> None:
    waiting = await start(app, save=True)
    shown = await visitor.open(page_of(waiting))
    assert not shown.html.xpath("//input[@value='wallet']")
    assert (await choose(visitor, waiting, Outcome.WALLET)).status == 422
    assert (await payments.load(waiting.id)).state is State.REQUIRES_ACTION


async def test_a_wallet_is_not_offered_where_wallets_are_off(
    app: Application, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flags, "enabled", lambda _settings: frozenset(flags.KNOWN - {"wallets"}))
    waiting = await start(app)
    assert not (await visitor.open(page_of(waiting))).html.xpath("//input[@value='wallet']")
    assert (await choose(visitor, waiting, Outcome.WALLET)).status == 422


async def test_new_dates_from_the_bank_change_the_card_and_clear_its_alert(
    app: Application, visitor: Browser, asha: Browser
) -> None:
    clock.travel_to(clock.now() + timedelta(days=12))
    await asha.sign_in("asha@example.test")
    assert "Mastercard •••• 4444 expires soon" in (await asha.open("/alerts")).text
    await (await visitor.open("/simpay/faults")).submit("renew")
    await app.catch_up()
    assert [card.exp_year for card in await cards.list_cards(people.PATEL.id)].count(2029) == 1
    assert "expires soon" not in (await asha.open("/alerts")).text


async def test_a_card_taken_off_at_the_gateway_is_gone_here_and_the_next_is_the_default(
    app: Application, asha: Browser
) -> None:
    first, second = await cards.list_cards(people.PATEL.id)
    await app.ports.payments.detach_card(first.token_ref)
    await app.catch_up()
    assert [(card.id, card.is_default) for card in await cards.list_cards(people.PATEL.id)] == [(second.id, True)]
    assert "removed" in (await asha.open("/activity")).text.lower()


async def test_a_card_kept_on_paying_is_one_of_hers_afterwards(app: Application, visitor: Browser) -> None:
    before = await cards.list_cards(people.PATEL.id)
    waiting = await start(app, save=True)
    await choose(visitor, waiting, Outcome.EARLY)
    await app.catch_up()
    after = await cards.list_cards(people.PATEL.id)
    assert [card.words for card in after] == [*(card.words for card in before), "Visa 5556"]
    assert [card.is_default for card in after] == [True, False, False]
    assert after[-1].holder == "A PATEL"


async def test_the_same_card_kept_again_stays_one_card(app: Application, visitor: Browser) -> None:
    before = await cards.list_cards(people.PATEL.id)
    waiting = await start(app, save=True)
    await choose(visitor, waiting, Outcome.APPROVES)
    await app.catch_up()
    after = await cards.list_cards(people.PATEL.id)
    assert [card.words for card in after] == [card.words for card in before]
    assert after[0].token_ref != before[0].token_ref
    assert after[0].is_default
    old = await fetch_one(DETACHED.bind(id=before[0].token_ref))
    assert old is not None
    assert old["detached_at"] is not None


DETACHED = Prepared.sql("SELECT detached_at FROM sim_card WHERE id = :id")


async def test_a_card_not_to_be_kept_is_not_kept(app: Application, visitor: Browser) -> None:
    before = await cards.list_cards(people.PATEL.id)
    await choose(visitor, await start(app), Outcome.EARLY)
    await app.catch_up()
    assert await cards.list_cards(people.PATEL.id) == before


@pytest.mark.parametrize("outcome", REFUSES)
async def test_a_refused_card_leaves_the_page_open_for_another(
    app: Application, visitor: Browser, outcome: Outcome
) -> None:
    waiting = await start(app)
    refused = await choose(visitor, waiting, outcome)
    assert refused.status == 422
    assert refused.by_id("outcome-error").text_content().strip().endswith("Choose another card.")
    # The page is still open: a second payment for the same bill could be a second charge.
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.REQUIRES_ACTION
    assert (await choose(visitor, waiting, Outcome.APPROVES)).status == 303
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED


async def test_no_card_chosen_is_told_beside_the_choice(app: Application, visitor: Browser) -> None:
    shown = await visitor.open(page_of(await start(app)))
    typed = {"csrf": shown.field("csrf").value, "outcome": "gold"}
    answer = await visitor.post(shown.path, typed)
    assert answer.status == 422
    assert "Choose a card." in answer.text


async def test_the_banks_question_refused_leads_back_to_the_card_page(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    answer = await choose(visitor, waiting, Outcome.ASKS)
    asked = await visitor.open(answer.headers["location"])
    refused = await visitor.post(asked.path, {"csrf": asked.field("csrf").value, "answer": "refuse"})
    assert refused.status == 422
    assert "You did not approve this payment at your bank." in refused.text
    assert (await payments.look(till(app), waiting.id)).state is State.REQUIRES_ACTION


async def test_pressed_twice_pays_once(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    first = await choose(visitor, waiting, Outcome.APPROVES)
    token = (await visitor.open("/simpay/faults")).field("csrf").value
    second = await visitor.post(page_of(waiting), {"csrf": token, "outcome": "approves"}, follow=False)
    assert first.headers["location"] == second.headers["location"]
    charged = await fetch(CHARGES.bind(payment_id=waiting.id))
    assert len(charged) == 1


CHARGES = Prepared.sql("SELECT id FROM sim_payment WHERE payment_id = :payment_id AND state = 'succeeded'")


@pytest.mark.parametrize(("outcome", "words"), [(Outcome.ANSWER_LOST, "got lost"), (Outcome.SLOW, "slowly")])
async def test_who_is_not_sent_back_is_found_by_the_webhook(
    app: Application, visitor: Browser, outcome: Outcome, words: str
) -> None:
    waiting = await start(app)
    answer = await choose(visitor, waiting, outcome)
    assert answer.status == 200
    assert words in answer.text
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED


async def test_a_late_webhook_comes_late(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    await choose(visitor, waiting, Outcome.LATE)
    await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.REQUIRES_ACTION
    with clock.frozen(clock.now() + timedelta(seconds=21)):
        await app.catch_up()
    assert (await payments.load(waiting.id)).state is State.SUCCEEDED


async def test_a_visit_that_took_too_long_takes_nothing(app: Application, visitor: Browser) -> None:
    waiting = await start(app)
    with clock.frozen(clock.now() + timedelta(minutes=31)):
        shown = await visitor.open(page_of(waiting))
    assert shown.heading == "This visit is over"
    assert "Nothing was taken here." in shown.text


async def test_a_card_is_kept_without_paying(app: Application, visitor: Browser) -> None:
    gateway = app.ports.payments
    ref = await parties.ensure(gateway, people.PATEL.id)
    back = "https://selfcare.test/cards"
    setup = CardSetup(customer_ref=ref, currency="GBP", key=ids.token(), return_url=back, cancel_url=back)
    started = await gateway.start_card_setup(setup)
    shown = await visitor.open(started.url.removeprefix("https://selfcare.test"))
    assert shown.heading == "Choose a card to keep"
    answer = await visitor.post(
        shown.path, {"csrf": shown.field("csrf").value, "outcome": "later_declines"}, follow=False
    )
    assert answer.headers["location"] == "/cards"
    assert isinstance(await gateway.finish_card_setup(started.ref), SetupDone)


async def test_a_fault_is_switched_on_for_the_next_calls(app: Application, visitor: Browser) -> None:
    shown = await visitor.open("/simpay/faults")
    await shown.submit("fault-decline", times=1)
    assert (await bank.faults())["decline"] == 1
    assert (await start(app, card=0)).state is State.FAILED
    assert (await bank.faults())["decline"] == 0
    assert (await start(app, card=0)).state is State.SUCCEEDED


async def test_every_page_says_that_payments_are_simulated(visitor: Browser, asha: Browser, dina: Browser) -> None:
    words = "Payments are simulated here. No real money moves."
    for browser, path in ((visitor, "/sign-in"), (asha, "/billing"), (dina, "/staff"), (visitor, "/nothing")):
        assert words in (await browser.open(path)).text, path


def test_where_money_is_real_there_is_no_pretended_bank() -> None:
    stripe = {"PAYMENTS": "stripe", "STRIPE_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}
    real = site.settings_for("sqlite:///unused.db", **{f"SELFCARE_{name}": value for name, value in stripe.items()})
    assert "simpay.card" not in create_app(real).site.urls
    assert "simpay.card" in create_app(site.settings_for("sqlite:///unused.db")).site.urls


async def test_in_production_nobody_lets_other_peoples_payments_fail(app: Application, visitor: Browser) -> None:
    assert (await visitor.open("/simpay/faults")).status == 200
    production = replace(app.site.settings, env="production")
    with pytest.raises(NotFound):
        simpay._may_break(app.ports, production)
