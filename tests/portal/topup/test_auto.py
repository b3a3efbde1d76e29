"""Automatic top-up: agreed to, one charge per gap, within its limits, and off when it goes wrong."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.db import engine
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.auto import topping
from selfcare.ports.charging import Use
from tests.portal.topup import racing
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.money import check_all
from tests.support.processes import together

LINE = people.CHIDI_MOBILE
ZONE = "Europe/London"
CHARGES = Prepared.sql("SELECT state, why, amount_minor FROM auto_topup_charge ORDER BY created_at, id")
RULE = Prepared.sql(
    """
    SELECT words, words_version, given_by, address, failures, held_at, ended_why FROM auto_topup
     WHERE customer_id = :customer_id ORDER BY given_at DESC
    """
)
TAKEN = Prepared.sql("SELECT COUNT(*) AS n FROM sim_payment WHERE state = 'succeeded'", types={"n": int})
CARD = Prepared.sql("SELECT id FROM payment_method WHERE token_ref = 'demo_chidi_visa_1'")
BEHAVE = Prepared.sql("UPDATE sim_card SET outcome = :outcome WHERE id = 'demo_chidi_visa_1'")
# The ledger of the meter has to add up: what is gone was used.
SPEND = Prepared.sql(
    """
    UPDATE bucket SET remaining = :left, consumed = consumed + remaining - :left
     WHERE service_id = :service_id AND kind = 'money' AND remaining > :left
    """
)


async def spend(left: int) -> None:
    """So much credit is left, in one bucket at least."""
    async with transaction():
        await execute(SPEND.bind(service_id=LINE, left=0))
        await execute(SPEND_ONE.bind(service_id=LINE, left=left))


SPEND_ONE = Prepared.sql(
    """
    UPDATE bucket SET remaining = :left, consumed = consumed - :left WHERE id = (
        SELECT id FROM bucket WHERE service_id = :service_id AND kind = 'money' AND consumed >= :left
         AND disabled = FALSE AND (expires_at IS NULL OR expires_at > '2027-01-01') ORDER BY id LIMIT 1)
    """
)


async def switch_on(browser: Browser, **fields: str) -> Page:
    """Whoever changes an amount reads the words once more."""
    page = await (await browser.open(f"/topup/auto/{LINE}")).submit("auto-form", **fields)
    return await page.submit("auto-form") if page.status == 409 else page


async def behave(outcome: Outcome) -> None:
    async with transaction():
        await execute(BEHAVE.bind(outcome=outcome.value))


def shop(app: Application) -> Shop:
    return Shop.of(app.ports, app.site.settings)


async def look(app: Application) -> str:
    return await topping.check(shop(app), LINE, ZONE)


async def charges() -> list[str]:
    return [row["state"] for row in await fetch(CHARGES.bind())]


async def rule() -> dict[str, object]:
    return (await fetch(RULE.bind(customer_id=people.OKORO.id)))[0]


async def taken() -> int:
    return int((await fetch(TAKEN.bind()))[0]["n"])


async def subjects(app: Application, word: str) -> list[str]:
    return [mail.subject for mail in await mails_to(app, "chidi@example.test") if word in mail.subject]


async def test_switching_on_keeps_what_was_agreed_with_time_and_address(chidi: Browser) -> None:
    page = await switch_on(chidi)
    assert "It is on" in page.text
    kept = await rule()
    assert (kept["words_version"], kept["given_by"], kept["address"]) == (1, people.CHIDI.id, "192.0.2.7")
    assert "below £2.00, Lark Mobile may take £10.00 from my default card" in str(kept["words"])
    assert str(kept["words"]) in page.text
    assert "automatic top-up" in (await chidi.open("/activity")).text.lower()


async def test_other_amounts_are_agreed_to_only_after_their_words_were_read(chidi: Browser) -> None:
    page = await (await chidi.open(f"/topup/auto/{LINE}")).submit("auto-form", amount="20.00")
    assert page.status == 409
    assert "Please read what you agree to" in page.text
    assert "may take £20.00 from my default card" in page.text
    assert await fetch(RULE.bind(customer_id=people.OKORO.id)) == []
    done = await page.submit("auto-form")
    assert "It is on" in done.text
    assert "may take £20.00" in str((await rule())["words"])


async def test_low_credit_is_topped_up_once_from_the_card_with_a_mail(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await spend(150)
    before = await taken()
    assert await look(app) == "charged"
    assert [await look(app) for _n in range(3)] == ["enough"] * 3
    assert (await charges(), await taken() - before) == (["paid"], 1)
    assert "£11.50" in (await chidi.open(f"/usage/{LINE}")).text
    assert await subjects(app, "Automatic top-up")
    await check_all()


async def test_use_that_brings_credit_low_starts_it(app: Application, chidi: Browser) -> None:
    await spend(300)
    await switch_on(chidi)
    await app.catch_up()
    use = Use(
        id="costly",
        service=str(LINE),
        kind="sms",
        amount=1,
        at=clock.now(),
        currency="GBP",
        cost_minor=290,
        class_="premium",
        other_party="+447700900999",
    )
    await app.ports.charging.take([use])
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()
    assert await charges() == ["paid"]


async def test_nothing_happens_while_there_is_enough(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await spend(200)
    assert await look(app) == "enough"
    assert await charges() == []


async def test_at_most_once_in_the_pause(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await spend(100)
    assert await look(app) == "charged"
    await spend(100)
    assert await look(app) == "waiting"
    clock.travel_by(timedelta(hours=24, seconds=1))
    assert await look(app) == "charged"


async def test_the_limit_of_a_month_is_said_once_and_it_goes_on_in_the_next(app: Application, chidi: Browser) -> None:
    await switch_on(chidi, most="15")
    await spend(100)
    assert await look(app) == "charged"
    for _day in range(3):
        clock.travel_by(timedelta(days=1, seconds=1))
        await spend(100)
        assert await look(app) == "not now"
    assert len(await subjects(app, "has reached its limit")) == 1
    clock.travel_by(timedelta(days=10))
    assert await look(app) == "charged"
    assert await charges() == ["paid", "paid"]


async def test_three_charges_in_a_day_switch_it_off_with_a_message(app: Application, chidi: Browser) -> None:
    await switch_on(chidi, pause="1")
    for _n in range(3):
        await spend(100)
        assert await look(app) == "charged"
        clock.travel_by(timedelta(hours=1, seconds=1))
    await spend(100)
    assert await look(app) == "not now"
    assert await look(app) == "off"
    assert (await rule())["ended_why"] == "too_often"
    assert len(await subjects(app, "is off")) == 1


async def test_three_refusals_in_three_days_switch_it_off_with_a_message(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await behave(Outcome.NO_FUNDS)
    await spend(100)
    for failures in (1, 2):
        assert await look(app) == "charged"
        assert (await rule())["failures"] == failures
        assert await look(app) == "waiting"
        clock.travel_by(timedelta(days=1, seconds=1))
    await look(app)
    assert (await rule())["ended_why"] == "failures"
    assert await charges() == ["failed"] * 3
    assert len(await subjects(app, "is off")) == 1
    await chidi.sign_in("chidi@example.test")
    assert "three tries in a row failed" in (await chidi.open(f"/topup/auto/{LINE}")).text


async def test_a_success_forgets_the_failures_before_it(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await behave(Outcome.NO_FUNDS)
    await spend(100)
    await look(app)
    await behave(Outcome.APPROVES)
    clock.travel_by(timedelta(days=1, seconds=1))
    assert await look(app) == "charged"
    assert (await rule())["failures"] == 0


async def test_what_the_bank_wants_approved_is_a_link_and_no_second_try(app: Application, chidi: Browser) -> None:
    await switch_on(chidi)
    await behave(Outcome.ASKS)
    await spend(100)
    await look(app)
    assert len(await subjects(app, "Your bank wants you to approve")) == 1
    for _day in range(3):
        clock.travel_by(timedelta(days=1))
        assert await look(app) == "waiting"
    assert await charges() == ["failed"]
    await spend(500)
    assert await look(app) == "enough"
    assert (await rule())["held_at"] is None


async def test_an_undecided_charge_counts_as_money_that_comes(app: Application, chidi: Browser) -> None:
    await switch_on(chidi, pause="1")
    await behave(Outcome.DECIDES_LATER)
    await spend(100)
    await look(app)
    clock.travel_by(timedelta(hours=2))
    assert await charges() in (["open"], ["paid"])
    if await charges() == ["open"]:
        assert await look(app) in ("on its way", "enough")
    assert len(await charges()) == 1


BAD = {
    "amount": ("0", "-5", "5.001", "100.01", "4.99", "1e3", "NaN", ""),
    "threshold": ("0.99", "51"),
    "most": ("9.99", "400.01"),
}


async def test_amounts_out_of_bounds_are_refused_beside_the_field_and_kept(chidi: Browser) -> None:
    for field, typed in [(field, typed) for field, many in BAD.items() for typed in many]:
        page = await switch_on(chidi, **{field: typed})
        assert page.status == 422, typed
        assert page.error(field), typed
        assert page.field(field).value == typed
    assert await fetch(RULE.bind(customer_id=people.OKORO.id)) == []


async def test_without_a_fresh_proof_it_asks_who_it_is(chidi: Browser) -> None:
    page = await chidi.open(f"/topup/auto/{LINE}")
    clock.travel_by(timedelta(minutes=11))
    answer = await page.submit("auto-form")
    assert "It is on" not in answer.text
    assert await fetch(RULE.bind(customer_id=people.OKORO.id)) == []


async def test_switching_off_ends_it_at_once(app: Application, chidi: Browser) -> None:
    page = await switch_on(chidi)
    assert "It is off" in (await page.submit("auto-off")).text
    await spend(100)
    assert await look(app) == "off"
    assert await charges() == []


async def test_the_card_it_needs_is_not_removed_without_a_word(chidi: Browser) -> None:
    await switch_on(chidi)
    card: UUID = (
        await fetch(Prepared.sql("SELECT id FROM payment_method WHERE token_ref = 'demo_chidi_visa_1'").bind())
    )[0]["id"]
    assert "automatic top-up of" in (await chidi.open(f"/cards/{card}/remove")).text


async def test_a_service_of_somebody_else_is_not_found(asha: Browser) -> None:
    assert (await asha.open(f"/topup/auto/{LINE}")).status == 404


async def test_a_storm_in_two_processes_is_one_charge_for_each_gap(app: Application, chidi: Browser) -> None:
    await switch_on(chidi, pause="1", most="20")
    before = await taken()
    for gap in (1, 2, 3):
        await spend(100)
        said = await storm()
        assert said.count("charged") <= 1
        assert len(await charges()) == min(gap, 2)
        clock.travel_by(timedelta(hours=1, minutes=1))
    assert await taken() - before == 2
    assert await charges() == ["paid", "paid"]
    await check_all()


async def storm() -> list[str]:
    """Ten looks in each of two processes, all at once."""
    said = await together(racing.storm, *[(engine.database().url, LINE, 10)] * 2)
    return [word for each in said for word in each]
