"""Topping up somebody else: paid by one, put in for the other, and nothing told of either."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.money import check_all

ORDERS = Prepared.sql("SELECT customer_id, owner_id, beneficiary, state FROM purchase_order")
LEFT = Prepared.sql(
    "SELECT SUM(remaining) AS n FROM bucket WHERE service_id = :id AND kind = 'money'", types={"n": int}
)
NEUTRAL = "We cannot top up this number"


async def review(browser: Browser, number: str = people.CHIDI.phone, amount: str = "10") -> Page:
    return await (await browser.open("/topup/other")).submit("other-form", number=number, amount=amount)


async def left() -> int:
    return int((await fetch(LEFT.bind(id=people.CHIDI_MOBILE)))[0]["n"])


async def test_a_friends_number_gets_credit_and_its_owner_is_told(app: Application, asha: Browser) -> None:
    before = await left()
    found = await review(asha)
    assert "Found, prepaid mobile." in found.text
    assert not {"Chidi", "Okoro", "Lark 5"} & set(found.text.split())
    page = await found.submit("other-buy")
    assert page.heading.startswith("Order ORD-")
    assert await left() == before + 1000
    told = [mail for mail in await mails_to(app, "chidi@example.test") if "£10.00 credit was added" in mail.subject]
    assert len(told) == 1
    assert "Asha" not in told[0].text
    await check_all()


async def test_the_same_form_sent_twice_pays_once(asha: Browser) -> None:
    found = await review(asha)
    first, second = [await found.submit("other-buy") for _n in "12"]
    assert first.heading == second.heading
    assert len(await fetch(ORDERS.bind())) == 1


async def test_numbers_of_nobody_and_of_who_pays_later_read_the_same(asha: Browser, bloom: Browser) -> None:
    answers = [await review(bloom, number) for number in ("+447700900999", people.ASHA.phone)]
    assert {(page.status, page.error("number")) for page in answers} == {
        (422, f"Error: {NEUTRAL}. Check it, or ask its owner.")
    }


async def test_bad_amounts_and_numbers_are_refused_beside_the_field_and_kept(asha: Browser) -> None:
    for amount in ("0", "-5", "5.001", "100.01", "1e3", ""):
        page = await review(asha, amount=amount)
        assert (page.status, page.field("amount").value) == (422, amount)
        assert page.error("amount")
    page = await review(asha, number="12")
    assert (page.status, page.field("number").value) == (422, "12")
    assert await fetch(ORDERS.bind()) == []


async def test_ones_own_number_is_topped_up_elsewhere(chidi: Browser) -> None:
    assert "one of your own numbers" in (await review(chidi)).error("number")


async def test_many_numbers_cannot_be_tried(asha: Browser) -> None:
    for n in range(20):
        await review(asha, f"+4477009006{n:02}")
    assert "too often" in (await review(asha)).error("number")
