"""Vouchers: used once, by whoever was first; what was guessed is counted, and nothing is told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.db import engine
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.demo import vouchers as demo
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.portal.topup.vouchers import batches, codes
from selfcare.portal.topup.vouchers.batches import Worth
from tests.portal.topup import racing
from tests.support.browser import Browser, Page
from tests.support.money import check_all
from tests.support.processes import together

CREDIT, DATA, EXPIRED = demo.CREDIT[0], demo.DATA[0], demo.EXPIRED[0]
USED = Prepared.sql("SELECT customer_id, used_at, order_id FROM voucher WHERE used_at IS NOT NULL")
HASHES = Prepared.sql("SELECT code_hash FROM voucher")
CREDITS = Prepared.sql("SELECT balance_minor FROM ledger_account WHERE kind = 'credit' AND customer_id = :customer_id")
PUT_IN = Prepared.sql(
    """
    SELECT b.label FROM bucket b JOIN allowance_grant g ON g.bucket_id = b.id
     WHERE b.service_id = :service_id AND g.reason = 'purchase' AND b.label = '5 GB top-up'
    """
)
FAILED = Prepared.sql("UPDATE purchase_order SET state = 'failed' WHERE kind = 'voucher'")
REASONS = Prepared.sql("SELECT details FROM audit_event WHERE event = 'topup.voucher_refused'")
WORDS = "This code does not work"


async def use(browser: Browser, code: str, **fields: str) -> Page:
    return await (await browser.open("/topup/voucher")).submit("voucher-form", code=code, **fields)


async def credit() -> int:
    return -sum(int(row["balance_minor"]) for row in await fetch(CREDITS.bind(customer_id=people.PATEL.id)))


async def test_a_voucher_of_credit_becomes_credit_once(asha: Browser) -> None:
    before = await credit()
    page = await use(asha, "wren 2o26-gbp5 0000")
    assert "£5.00 of credit" in page.text
    assert await credit() == before + 500
    await check_all()
    again = await use(asha, CREDIT)
    assert again.status == 422
    assert "You have used this code already: £5.00 of credit." in again.error("code")
    assert "You used it on 22 Nov 2026" in again.text
    assert await credit() == before + 500


async def test_a_voucher_of_data_is_an_order_with_its_life_line(chidi: Browser) -> None:
    page = await use(chidi, DATA, service=str(people.CHIDI_MOBILE))
    assert page.heading.startswith("Order ORD-")
    assert "Added" in page.text
    assert "Ready" in page.text
    assert len(await fetch(PUT_IN.bind(service_id=people.CHIDI_MOBILE))) == 1
    assert "A voucher was used" in (await chidi.open("/activity")).text


async def test_the_same_form_sent_twice_is_one_voucher_and_one_answer(chidi: Browser) -> None:
    page = await chidi.open("/topup/voucher")
    first, second = [await page.submit("voucher-form", code=DATA, service=str(people.CHIDI_MOBILE)) for _n in "12"]
    assert (first.status, first.heading) == (200, second.heading)
    assert len(await fetch(PUT_IN.bind(service_id=people.CHIDI_MOBILE))) == 1


@pytest.mark.parametrize("code", ["", "WREN", "W" * 17, "WREN2026GBP5000U", "WREN2026GBP5000é", "\uff14" * 12])
async def test_what_is_no_code_is_refused_beside_the_field_and_kept(asha: Browser, code: str) -> None:
    page = await use(asha, code)
    assert page.status == 422
    assert page.error("code") == "Error: A code has 12 to 16 letters and digits."
    assert page.field("code").value == code


async def test_unknown_expired_and_used_by_others_read_the_same(asha: Browser, chidi: Browser) -> None:
    await use(chidi, CREDIT)
    answers = {(await use(asha, code)).error("code") for code in (CREDIT, EXPIRED, "0000111122223333")}
    assert len(answers) == 1
    assert answers.pop().startswith(f"Error: {WORDS}")


async def test_after_five_wrong_codes_even_the_right_one_waits(asha: Browser) -> None:
    for n in range(5):
        await use(asha, f"000011112222333{n}")
    page = await use(asha, CREDIT)
    assert page.status == 429
    assert "Try again in 60 minutes" in page.error("code")
    assert await fetch(USED.bind()) == []
    clock.travel_by(timedelta(hours=1, seconds=1))
    await asha.sign_in("asha@example.test")
    assert (await use(asha, CREDIT)).status == 200


async def test_right_codes_do_not_count_as_guesses(asha: Browser) -> None:
    for code in (*demo.CREDIT, *demo.DATA):
        assert (await use(asha, code, service=str(people.ASHA_MOBILE))).status == 200


async def test_a_voucher_that_does_not_fit_the_service_stays_usable(asha: Browser) -> None:
    page = await use(asha, DATA, service="")
    assert page.status == 422
    assert "Choose for which service" in page.error("service")
    assert await fetch(USED.bind()) == []


async def test_a_service_of_somebody_else_is_not_found(asha: Browser) -> None:
    csrf = await asha.csrf()
    page = await asha.post("/topup/voucher", {"csrf": csrf, "code": DATA, "service": str(people.CHIDI_MOBILE)})
    assert page.status == 404
    assert await fetch(USED.bind()) == []


async def test_what_could_not_be_delivered_may_be_used_again(chidi: Browser) -> None:
    await use(chidi, DATA, service=str(people.CHIDI_MOBILE))
    async with transaction():
        await execute(FAILED.bind())
    assert (await use(chidi, DATA, service=str(people.CHIDI_MOBILE))).heading.startswith("Order ORD-")
    assert len(await fetch(PUT_IN.bind(service_id=people.CHIDI_MOBILE))) == 2


async def test_no_code_is_kept_anywhere(app: Application, asha: Browser) -> None:
    await use(asha, CREDIT)
    await use(asha, "0000111122223333")
    assert not {CREDIT, DATA} & {row["code_hash"] for row in await fetch(HASHES.bind())}
    assert {json.loads(row["details"])["reason"] for row in await fetch(REASONS.bind())} == {"unknown"}


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    assert codes.read("O0I1 L1AB CDEF") == "001111ABCDEF"


async def test_made_codes_work_and_are_told_once(app: Application, asha: Browser) -> None:
    key = app.site.settings.keys.link
    pound = Worth(credit=Money(250, "GBP"))
    made = await batches.make("Christmas", 3, pound, until=None, currency="GBP", key=key)
    assert len(set(made)) == 3
    before = await credit()
    assert (await use(asha, codes.show(made[0]))).status == 200
    assert await credit() == before + 250


async def test_codes_from_elsewhere_come_in_whole_or_not_at_all(app: Application, asha: Browser) -> None:
    key = app.site.settings.keys.link
    pound = Worth(credit=Money(100, "GBP"))
    bring = {"worth": pound, "until": None, "currency": "GBP", "key": key}
    with pytest.raises(Rejected, match="Line 2 is no code"):
        await batches.bring("shop", ["7777 7777 7777", "77777"], **bring)  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="known already"):
        await batches.bring("shop", ["7777 7777 7777", CREDIT], **bring)  # type: ignore[arg-type]
    assert (await use(asha, "777777777777")).status == 422
    assert await batches.bring("shop", ["7777 7777 7777"], **bring) == 1  # type: ignore[arg-type]
    assert (await use(asha, "777777777777")).status == 200


async def test_ten_clients_in_two_processes_race_one_voucher_and_one_wins(
    app: Application, asha: Browser, chidi: Browser
) -> None:
    said = await together(racing.race, *[(engine.database().url, CREDIT, 5)] * 2)
    outcomes = [word for each in said for word in each]
    assert sorted(outcomes) == ["used"] + ["wrong"] * 9
    assert len(await fetch(USED.bind())) == 1
    await check_all()
