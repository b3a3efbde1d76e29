"""Credit in advance: lent once a month to who owes nothing, and paid back out of the next credit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.db import engine
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from tests.portal.topup import racing
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to
from tests.support.processes import together
from tests.support.shopping import check_all

LINE = people.CHIDI_MOBILE
EMPTIED = Prepared.sql(
    """
    UPDATE bucket SET consumed = consumed + remaining - :left, remaining = :left
     WHERE service_id = :id AND kind = 'money'
    """
)
CREDIT = Prepared.sql(
    "SELECT COALESCE(SUM(remaining), 0) AS n FROM bucket WHERE service_id = :id AND kind = 'money'", types={"n": int}
)
ADVANCES = Prepared.sql("SELECT lent_minor, fee_minor, owed_minor, state FROM advance ORDER BY asked_at")
REPAID = Prepared.sql("SELECT amount_minor, done_at FROM advance_repayment")
PROMISED = Prepared.sql("SELECT id FROM purchase_order WHERE kind = 'promise'")
FRESH = Prepared.sql("UPDATE service SET activated_at = :at WHERE id = :id")
SUSPENDED = Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE id = :id")
POSTPAID = Prepared.sql("UPDATE customer SET pays = 'postpaid' WHERE id = :id")
DUE = Prepared.sql("UPDATE invoice SET due_on = :on WHERE customer_id = :customer_id")


@pytest.fixture
async def low(app: Application) -> None:
    """Chidi's credit has run out, and nothing is overdue."""
    await change(DUE, customer_id=people.OKORO.id, on=clock.now().date())
    await change(EMPTIED, id=LINE, left=50)


async def credit() -> int:
    return int((await fetch(CREDIT.bind(id=LINE)))[0]["n"])


async def lent() -> list[tuple[int, str]]:
    return [(row["owed_minor"], row["state"]) for row in await fetch(ADVANCES.bind())]


async def offer(browser: Browser) -> Page:
    return await browser.open(f"/topup/{LINE}/promise")


async def borrow(browser: Browser) -> Page:
    return await (await offer(browser)).submit("promise-form")


async def look_at_credit(browser: Browser) -> Page:
    shelf = await browser.open(f"/topup/{LINE}")
    form = shelf.html.xpath("//form[starts-with(@id, 'own-')]/@id")[0]
    return await shelf.submit(form, amount="10")


async def buy_credit(browser: Browser) -> Page:
    return await (await look_at_credit(browser)).submit("buy")


async def test_it_is_lent_at_once_shown_as_owed_and_paid_back_out_of_the_next_credit(
    low: None, app: Application, chidi: Browser
) -> None:
    shelf = await chidi.open(f"/topup/{LINE}")
    assert "Get £2.00 now and pay back £2.20 out of your next credit." in shelf.text
    page = await borrow(chidi)
    assert page.heading.startswith("Order ORD-")
    assert (await credit(), await lent()) == (250, [(220, "owed")])
    assert "You pay back £2.20" in page.text
    assert "You owe £2.20" in (await chidi.open(f"/topup/{LINE}")).text
    assert any("£2.00 credit in advance" in mail.subject for mail in await mails_to(app, people.CHIDI.email))
    page = await look_at_credit(chidi)
    assert "£2.20 of it pays back the credit you had in advance." in page.text
    assert "£7.80" in page.text
    assert "£10.30" in page.text
    bought = await page.submit("buy")
    assert "Of it paid back £2.20" in bought.text
    assert (await credit(), await lent()) == (250 + 780, [(0, "repaid")])
    assert "Credit in advance was paid back" in (await chidi.open("/activity")).text
    await check_all()


async def test_a_friends_gift_pays_it_back_and_the_friend_learns_nothing(
    low: None, chidi: Browser, asha: Browser
) -> None:
    await borrow(chidi)
    page = await (await asha.open("/topup/other")).submit("other-form", number=people.CHIDI.phone, amount="5")
    paid = await page.submit("other-buy")
    assert (await credit(), await lent()) == (250 + 280, [(0, "repaid")])
    assert "paid back" not in paid.text
    await check_all()


async def test_what_could_not_be_put_in_pays_nothing_back(low: None, app: Application, chidi: Browser) -> None:
    await borrow(chidi)
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(type(app.ports.charging), "credit", _refuse)
        await buy_credit(chidi)
        await app.catch_up()
    assert (await credit(), await lent()) == (250, [(220, "owed")])
    assert await fetch(REPAID.bind()) == []
    await check_all()


async def test_what_could_not_be_lent_is_not_owed(low: None, app: Application, chidi: Browser) -> None:
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(type(app.ports.charging), "credit", _refuse)
        page = await borrow(chidi)
    assert "It has cost you nothing." in page.text
    assert [state for _owed, state in await lent()] == ["failed"]
    assert (await borrow(chidi)).heading.startswith("Order ORD-")
    assert await credit() == 250


async def _refuse(_self: object, _delivery: object) -> None:
    from selfcare.ports.failures import Declined

    raise Declined("No.")


async def test_one_is_owed_and_one_a_month(low: None, chidi: Browser) -> None:
    form = await offer(chidi)
    await borrow(chidi)
    refused = await form.submit("promise-form", request_key="another-key-of-this-form")
    assert refused.status == 409
    assert "You still owe £2.20" in refused.text
    await buy_credit(chidi)
    await change(EMPTIED, id=LINE, left=0)
    assert "again from 1 Dec 2026" in (await offer(chidi)).text
    clock.travel_by(timedelta(days=10))
    assert len(await fetch(PROMISED.bind())) == 1


async def test_the_same_form_twice_is_one(low: None, chidi: Browser) -> None:
    form = await offer(chidi)
    first, second = [await form.submit("promise-form") for _n in "12"]
    assert first.heading == second.heading
    assert await credit() == 250


async def test_it_is_for_credit_that_has_run_low(low: None, chidi: Browser) -> None:
    form = await offer(chidi)
    await change(EMPTIED, id=LINE, left=201)
    refused = await form.submit("promise-form")
    assert (refused.status, await lent()) == (409, [])
    assert "once you have £2.00 or less" in refused.text
    assert "in advance" not in (await chidi.open(f"/topup/{LINE}")).text


async def test_it_is_refused_with_the_reason(low: None, chidi: Browser) -> None:
    form, now = await offer(chidi), clock.now()
    await change(DUE, customer_id=people.OKORO.id, on=now.date() - timedelta(days=1))
    assert "as soon as nothing is overdue" in (await form.submit("promise-form")).text
    await change(DUE, customer_id=people.OKORO.id, on=now.date())
    await change(FRESH, id=LINE, at=now - timedelta(days=29))
    assert "has been with us for a month" in (await form.submit("promise-form")).text
    await change(SUSPENDED, id=LINE)
    refused = await form.submit("promise-form")
    assert (refused.status, await lent(), await credit()) == (409, [], 50)
    assert "can get no credit in advance" in refused.text


async def test_what_it_costs_is_shown_again_where_it_changed(low: None, chidi: Browser) -> None:
    refused = await (await offer(chidi)).submit("promise-form", shown="200+0")
    assert (refused.status, await lent()) == (409, [])
    assert "has changed meanwhile" in refused.text


async def test_who_pays_later_and_strangers_find_nothing(low: None, chidi: Browser, asha: Browser) -> None:
    assert (await asha.open(f"/topup/{people.ASHA_MOBILE}/promise")).status == 404
    assert (await offer(asha)).status == 404


async def test_two_processes_lend_once(low: None, app: Application) -> None:
    said = await together(racing.borrow, *[(engine.database().url, LINE, 5)] * 2)
    assert sorted(each for some in said for each in some) == ["lent", *["refused"] * 9]
    assert (await credit(), await lent()) == (250, [(220, "owed")])
