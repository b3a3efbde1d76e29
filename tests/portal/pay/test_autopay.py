"""Bills that are taken by themselves: announced, taken once, tried on other cards, given up with one message."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id, token
from selfcare.kernel.money import Money
from selfcare.portal.billing import questions
from selfcare.portal.pay import payments
from selfcare.portal.pay.autopay import collecting
from selfcare.portal.pay.tables import AutopayCharge, AutopayConsent
from selfcare.portal.pay.till import Till
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.money import check_all

ZONE = "Europe/London"
# Asha's bills: one is overdue, one is due in 11 days.
OPEN = Prepared.sql(
    """
    SELECT id, number, due_on, net_minor + tax_minor - paid_minor AS remaining FROM invoice
    WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on
    """,
    types={"remaining": int},
)
PAYMENTS = Prepared.sql(
    "SELECT state, why, amount_minor, card FROM payment WHERE customer_id = :customer_id ORDER BY created_at"
)
BEHAVE = Prepared.sql("UPDATE sim_card SET outcome = :outcome WHERE id = :id")
LINE = Prepared.sql(
    """
    SELECT t.id FROM billing_transaction t JOIN invoice i ON i.id = t.invoice_id
    WHERE i.number = :number AND t.kind = 'charge' ORDER BY t.id LIMIT 1
    """
)
TAKEN = Prepared.sql("SELECT count(*) AS n FROM sim_payment WHERE state = 'succeeded'")


async def switch(browser: Browser) -> Page:
    return await (await browser.open("/pay/autopay")).submit("autopay-form")


async def behave(**cards: Outcome) -> None:
    """What Asha's first and second card do from now on."""
    names = {"first": "demo_asha_visa_1", "second": "demo_asha_mastercard_2"}
    async with transaction():
        for name, outcome in cards.items():
            await execute(BEHAVE.bind(id=names[name], outcome=outcome.value))


async def run(app: Application, *, days: int = 0) -> None:
    """As the worker does, every hour; `days` later at noon."""
    if days:
        clock.travel_by(timedelta(days=days))
    await collecting.run(Till.of(app.ports, app.site.settings), ZONE)
    await app.catch_up()


async def consents() -> int:
    """Of Asha, ended ones too."""
    return await AutopayConsent.count().where(AutopayConsent.customer_id == people.PATEL.id)


async def open_bills() -> list[str]:
    return [str(row["number"]) for row in await fetch(OPEN.bind(customer_id=people.PATEL.id))]


async def tried() -> list[tuple[str, str | None]]:
    return [(row["state"], row["card"]) for row in await fetch(PAYMENTS.bind(customer_id=people.PATEL.id))]


async def subjects(app: Application, word: str) -> list[str]:
    return [mail.subject for mail in await mails_to(app, "asha@example.test") if word in mail.subject]


async def test_switching_on_keeps_what_was_agreed(asha: Browser) -> None:
    before = await asha.open("/pay/autopay")
    shown = before.one("//main//p[contains(., 'may take what is still open')]").text_content()
    page = await switch(asha)
    assert "It is on" in page.text
    kept = await AutopayConsent.objects().get(AutopayConsent.customer_id == people.PATEL.id)
    assert kept is not None
    assert (kept.words, kept.given_by, kept.address) == (shown, people.ASHA.id, "192.0.2.7")
    assert "Automatic payment was switched on" in (await asha.open("/activity")).text


async def test_it_says_before_what_would_be_taken_and_when(asha: Browser) -> None:
    page = await asha.open("/pay/autopay")
    numbers = await open_bills()
    assert all(number in page.text for number in numbers)
    # The overdue one not before three days have passed.
    assert "on 25 Nov 2026" in page.text


async def test_a_bill_is_announced_three_days_before_and_taken_on_its_day(app: Application, asha: Browser) -> None:
    await switch(asha)
    await run(app)
    assert [each[-11:] for each in await subjects(app, "We will take")] == ["25 Nov 2026"]
    assert await tried() == []
    await run(app, days=2)
    assert await tried() == []
    await run(app, days=1)
    assert await tried() == [("succeeded", "Visa 4242")]
    assert len(await open_bills()) == 1
    await check_all()


async def test_the_next_bill_is_announced_when_it_is_near(app: Application, asha: Browser) -> None:
    await switch(asha)
    await run(app)
    await run(app, days=7)
    assert len(await subjects(app, "We will take")) == 1
    await run(app, days=1)
    assert len(await subjects(app, "We will take")) == 2
    await run(app, days=3)
    assert await open_bills() == []


async def test_it_happens_once_however_often_it_runs_at_once(app: Application, asha: Browser) -> None:
    await switch(asha)
    await asyncio.gather(*(run(app) for _n in range(3)))
    assert len(await subjects(app, "We will take")) == 1
    clock.travel_by(timedelta(days=3))
    await asyncio.gather(*(run(app) for _n in range(4)))
    await run(app)
    assert (await fetch(TAKEN.bind()))[0]["n"] == 1
    assert await tried() == [("succeeded", "Visa 4242")]
    assert len(await subjects(app, "Receipt")) == 1
    await check_all()


async def test_the_next_card_is_tried_when_the_first_fails(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.NO_FUNDS, second=Outcome.APPROVES)
    await switch(asha)
    await run(app)
    await run(app, days=3)
    assert await tried() == [("failed", "Visa 4242"), ("succeeded", "Mastercard 4444")]
    assert await subjects(app, "could not") == []


async def test_three_tries_in_seven_days_then_one_message_with_one_link(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.NO_FUNDS, second=Outcome.DECLINED)
    await switch(asha)
    await run(app)
    begun = clock.now()
    for _day in range(10):
        await run(app, days=1)
    rows = await fetch(PAYMENTS.bind(customer_id=people.PATEL.id))
    assert [row["why"] for row in rows[:6]] == ["no_funds", "bank_refused"] * 3
    first = await AutopayCharge.objects().order_by(AutopayCharge.charge_on).first()
    assert first is not None
    assert (first.state, first.tries) == ("failed", 3)
    assert first.ended_at - (begun + timedelta(days=3)) <= timedelta(days=7)
    told = [mail for mail in await mails_to(app, "asha@example.test") if "could not take" in mail.subject]
    assert len(told) == 1
    assert told[0].text.count("https://selfcare.test/pay?bill=") == 1
    assert await subjects(app, "did not go through") == []
    assert len(await open_bills()) == 2
    await asha.sign_in("asha@example.test")
    alerts = await asha.open("/alerts")
    assert "Automatic payment failed" in alerts.text
    assert alerts.has_link("/pay?bill=")


async def test_what_needs_approval_is_left_to_the_person_by_a_link(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.ASKS, second=Outcome.NO_FUNDS)
    await switch(asha)
    await run(app)
    await run(app, days=3)
    mail = (await mails_to(app, "asha@example.test"))[-1]
    assert "Your bank wants you to approve the payment" in mail.text
    for _day in range(6):
        await run(app, days=1)
    assert len([one for one in await mails_to(app, "asha@example.test") if "Your bank wants" in one.text]) == 1
    link = next(word for word in mail.text.split() if "/pay?bill=" in word)
    await asha.sign_in("asha@example.test")
    page = await asha.open(link.removeprefix(asha.base))
    assert page.status == 200
    assert "Pay bill" in page.heading


async def test_an_undecided_card_is_waited_for_and_nothing_else_tried(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.DECIDES_LATER, second=Outcome.APPROVES)
    await switch(asha)
    await run(app)
    await run(app, days=3)
    await run(app)
    assert await tried() == [("processing", "Visa 4242")]
    clock.travel_by(timedelta(minutes=20))
    await app.catch_up()
    await run(app)
    assert await tried() == [("succeeded", "Visa 4242")]


async def test_trouble_at_the_gateway_counts_for_nobody(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.TROUBLE, second=Outcome.TROUBLE)
    await switch(asha)
    await run(app)
    await run(app, days=3)
    charge = await AutopayCharge.objects().first()
    assert charge is not None
    assert (charge.state, charge.tries, charge.round) == ("waiting", 0, 1)
    await behave(first=Outcome.APPROVES)
    clock.travel_by(timedelta(hours=2))
    await run(app)
    assert (await tried())[-1] == ("succeeded", "Visa 4242")


async def test_trouble_that_lasts_ends_after_a_week_with_the_same_message(app: Application, asha: Browser) -> None:
    await behave(first=Outcome.TROUBLE, second=Outcome.TROUBLE)
    await switch(asha)
    await run(app)
    for _day in range(7):
        await run(app, days=1)
    assert await subjects(app, "could not take") == []
    await run(app, days=4)
    assert len(await subjects(app, "could not take")) == 1


async def test_switched_off_nothing_is_taken_any_more(app: Application, asha: Browser) -> None:
    await switch(asha)
    await run(app)
    page = await switch(asha)
    assert "It is off" in page.text
    await run(app, days=3)
    assert await tried() == []


async def test_who_pays_anyway_reads_that_it_would_be_taken(asha: Browser) -> None:
    words = "Automatic payment takes this by itself from 25 Nov 2026 on."
    assert words not in (await asha.open("/pay")).text
    await switch(asha)
    assert words in (await asha.open("/pay")).text


async def test_a_bill_paid_meanwhile_is_not_taken(app: Application, asha: Browser) -> None:
    await switch(asha)
    await run(app)
    bill = (await fetch(OPEN.bind(customer_id=people.PATEL.id)))[0]["id"]
    await (await asha.open(f"/pay?bill={bill}")).submit("pay")
    await run(app, days=3)
    assert [state for state, _card in await tried()] == ["succeeded"]
    charge = await AutopayCharge.objects().first()
    assert charge is not None
    assert charge.state == "ended"


async def test_credit_goes_first_and_may_be_enough(app: Application, asha: Browser) -> None:
    till, who = Till.of(app.ports, app.site.settings), audit.system(customer_id=people.PATEL.id)
    how = payments.How(request_key=token(), card_id=fixed("card/asha/1"))
    await payments.pay_in(till, who, Money(10_000, "GBP"), how)
    await switch(asha)
    await run(app)
    await run(app, days=3)
    rows = await fetch(PAYMENTS.bind(customer_id=people.PATEL.id))
    assert [row["amount_minor"] for row in rows] == [10_000, 0]
    assert len(await open_bills()) == 1


async def test_without_a_card_that_works_it_says_so_in_time_and_asks_nobody(app: Application, asha: Browser) -> None:
    await switch(asha)
    async with transaction():
        old = Prepared.sql("UPDATE payment_method SET exp_year = 2025 WHERE customer_id = :customer_id")
        await execute(old.bind(customer_id=people.PATEL.id))
    await run(app)
    mail = (await mails_to(app, "asha@example.test"))[-1]
    assert "there is no card here that works" in mail.text
    await run(app, days=3)
    assert await tried() == []


async def test_a_line_in_question_lets_the_bill_rest(app: Application, asha: Browser) -> None:
    await switch(asha)
    await run(app)
    number = (await open_bills())[0]
    line = await fetch(LINE.bind(number=number))
    async with transaction():
        await questions.ask(collecting.Scope(people.PATEL.id), line[0]["id"], new_id())
    await run(app, days=3)
    assert await tried() == []
    await run(app, days=12)
    assert ("succeeded", "Visa 4242") in await tried()


async def test_it_is_not_switched_on_without_a_card(empty: Browser) -> None:
    page = await empty.open("/pay/autopay")
    assert page.has_link("/cards/new?next=")
    refused = await empty.post("/pay/autopay", {"csrf": await empty.csrf(), "on": "yes"})
    assert refused.status == 422
    assert "Add a card first" in refused.text


async def test_twice_on_is_once(asha: Browser) -> None:
    page = await asha.open("/pay/autopay")
    await asyncio.gather(*(page.submit("autopay-form") for _n in range(3)))
    assert await consents() == 1


async def test_who_only_looks_cannot_switch(ben: Browser, asha: Browser) -> None:
    page = await ben.open("/pay/autopay")
    assert page.status == 200
    assert not page.html.xpath("//form[@id='autopay-form']")
    assert (await ben.post("/pay/autopay", {"csrf": await ben.csrf(), "on": "yes"})).status == 403


async def test_switching_asks_who_it_is(asha: Browser) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE session SET proved_at = NULL").bind())
    assert (await switch(asha)).path.startswith("/sign-in/prove")
    assert await consents() == 0


async def test_its_card_cannot_be_removed_while_it_is_the_default(asha: Browser) -> None:
    await switch(asha)
    page = await asha.open(f"/cards/{fixed('card/asha/1')}/remove")
    assert "This card is needed for: automatic payment of bills" in page.text
    assert not page.html.xpath("//form[@id='remove-form']")


async def test_a_form_without_sense_is_refused(asha: Browser) -> None:
    refused = await asha.post("/pay/autopay", {"csrf": await asha.csrf(), "on": "perhaps"})
    assert refused.status == 422
    assert await consents() == 0
