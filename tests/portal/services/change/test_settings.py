"""Settings of a service that the customer changes: through the network, once, and only those its plan lists."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Rejected
from selfcare.portal.services.change.parameters import Parameter, parameters_of
from tests.portal.topup.test_topup_pages import give_credit
from tests.support import shopping
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

MOBILE, INTERNET = people.ASHA_MOBILE, people.ASHA_INTERNET
NOW = Prepared.sql("SELECT configuration FROM service WHERE id = :id", types={"configuration": as_json})
ORDERS = Prepared.sql(
    "SELECT state, price_minor FROM purchase_order WHERE service_id = :id AND kind = 'change' ORDER BY id"
)
HAPPENED = Prepared.sql(
    "SELECT event FROM audit_event WHERE event IN ('services.changed', 'orders.ordered') ORDER BY at, id"
)
SUSPEND = Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE id = :id")
DEARER = Prepared.sql(
    "UPDATE product SET editable = :listed WHERE id = (SELECT product_id FROM service WHERE id = :id)"
)


async def now(id: UUID = MOBILE) -> dict[str, str]:
    found: dict[str, str] = (await fetch(NOW.bind(id=id)))[0]["configuration"]
    return found


async def orders(id: UUID = MOBILE) -> list[tuple[str, int]]:
    return [(row["state"], row["price_minor"]) for row in await fetch(ORDERS.bind(id=id))]


async def review(browser: Browser, key: str, value: str, id: UUID = MOBILE) -> Page:
    return await browser.open(f"/services/{id}/change/review?setting={key}&value={value}")


async def set_up(app: Application) -> None:
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()


async def test_a_setting_is_changed_when_the_network_has_it(app: Application, asha: Browser) -> None:
    service = await asha.open(f"/services/{MOBILE}")
    assert service.has_link(f"/services/{MOBILE}/change")
    listed = await asha.open(f"/services/{MOBILE}/change")
    assert "On" in listed.by_id("setting-voicemail").text_content()
    page = await (await asha.open(f"/services/{MOBILE}/change/choose?setting=voicemail")).submit(
        "value-form", value="Off"
    )
    assert [dd.text_content() for dd in page.html.xpath("//section//dd")][1:3] == ["On", "Off"]
    order = await page.submit("change-form")
    assert "Changing it…" in order.text
    assert (await now())["Voicemail"] == "On"
    await set_up(app)
    assert (await now())["Voicemail"] == "Off"
    assert await orders() == [("delivered", 0)]
    assert [row["event"] for row in await fetch(HAPPENED.bind())] == ["orders.ordered", "services.changed"]
    assert "Voicemail: Off" in str([mail.subject for mail in await mails_to(app, "asha@example.test")])
    assert "Call forwarding" not in await now()
    await shopping.check_all()


async def test_what_costs_is_paid_and_comes_back_where_the_network_refuses(app: Application, asha: Browser) -> None:
    await give_credit(1_000)
    await network.behave(Behaviour.FAILS)
    page = await review(asha, "reverse_name", "Mail.Example.com", INTERNET)
    assert "£2.50" in page.text
    await page.submit("change-form", card="credit")
    await set_up(app)
    assert await orders(INTERNET) == [("refunded", 250)]
    assert "Reverse name" not in await now(INTERNET)
    told = [mail for mail in await mails_to(app, "asha@example.test") if "Reverse name" in mail.text]
    assert "It stays as it was: None." in told[-1].text
    assert "£2.50" in told[-1].text
    await network.behave(Behaviour.WORKS)
    await (await review(asha, "reverse_name", "mail.example.com", INTERNET)).submit("change-form", card="credit")
    await set_up(app)
    assert (await now(INTERNET))["Reverse name"] == "mail.example.com"
    assert await orders(INTERNET) == [("refunded", 250), ("delivered", 250)]
    await shopping.check_all()


async def test_money_on_its_way_back_is_no_reason_to_wait_with_the_next_change(asha: Browser) -> None:
    await network.behave(Behaviour.UNKNOWN)
    await (await review(asha, "voicemail", "Off")).submit("change-form")
    assert (await review(asha, "abroad", "Barred")).status == 409
    await change("UPDATE purchase_order SET state = 'refund_due' WHERE service_id = :id", id=MOBILE)
    assert (await review(asha, "abroad", "Barred")).status == 200


async def test_while_nobody_knows_the_old_value_stays_and_no_other_change_begins(
    app: Application, asha: Browser
) -> None:
    await network.behave(Behaviour.UNKNOWN)
    other = await review(asha, "abroad", "Barred")
    await (await review(asha, "voicemail", "Off")).submit("change-form")
    await set_up(app)
    assert (await now())["Voicemail"] == "On"
    refused = await other.submit("change-form")
    assert (refused.status, "still being carried out" in refused.text) == (409, True)
    assert await orders() == [("delivering", 0)]


async def test_the_same_press_twice_is_one_order(app: Application, asha: Browser) -> None:
    page = await review(asha, "voicemail", "Off")
    await asyncio.gather(page.submit("change-form"), page.submit("change-form"))
    await set_up(app)
    assert await orders() == [("delivered", 0)]
    again = await (await review(asha, "voicemail", "On")).submit("change-form")
    assert again.status == 200
    assert len(await orders()) == 2


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("voicemail", "On", "It is set to this already."),
        ("voicemail", "Sometimes", "Choose one of these."),
        ("voicemail", "", "Choose one of these."),
        ("call_forwarding", "", "It is set to this already."),
        ("call_forwarding", "nobody", "phone number"),
    ],
)
async def test_a_bad_value_is_told_beside_its_field(asha: Browser, key: str, value: str, says: str) -> None:
    page = await review(asha, key, value)
    assert page.status == 422
    assert says in page.by_id("value-error").text_content()


async def test_a_price_that_changed_meanwhile_is_shown_and_not_charged(app: Application, asha: Browser) -> None:
    await give_credit(1_000)
    page = await review(asha, "reverse_name", "mail.example.com", INTERNET)
    listed = '[{"key": "reverse_name", "label": "Reverse name", "type": "host", "empty": "None", "price": 300}]'
    async with transaction():
        await execute(DEARER.bind(id=INTERNET, listed=listed))
    again = await page.submit("change-form", card="credit")
    assert (again.status, "£3.00" in again.text) == (409, True)
    assert await orders(INTERNET) == []
    await again.submit("change-form", card="credit")
    assert [price for _state, price in await orders(INTERNET)] == [300]


async def test_outside_the_list_and_on_a_foreign_service_nothing_is_found(asha: Browser, bloom: Browser) -> None:
    assert (await review(asha, "static_ip", "On")).status == 404
    assert (await review(bloom, "voicemail", "Off")).status == 404
    for browser, service, key in ((asha, MOBILE, "static_ip"), (bloom, MOBILE, "voicemail")):
        fields = {
            "csrf": await browser.csrf(),
            "setting": key,
            "value": "Off",
            "price": "0",
            "request_key": ids.token(),
        }
        assert (await browser.post(f"/services/{service}/change", fields)).status == 404
    assert await orders() == []


async def test_a_suspended_service_is_left_as_it_is(asha: Browser) -> None:
    page = await review(asha, "voicemail", "Off")
    async with transaction():
        await execute(SUSPEND.bind(id=MOBILE))
    refused = await page.submit("change-form")
    assert (refused.status, "while the service is running" in refused.text) == (409, True)
    assert await orders() == []


def one(type: str, **more: object) -> Parameter:
    return parameters_of([{"key": "k", "label": "K", "type": type, **more}], "GBP")[0]


@pytest.mark.parametrize(
    ("parameter", "typed", "read"),
    [
        (one("whole", least=1, most=10), " 7 ", "7"),
        (one("whole", least=1, most=10), "007", "7"),
        (one("phone"), "07700 900123", "+447700900123"),
        (one("phone", empty="Off"), " ", ""),
        (one("host"), "Mail.Example.com.", "mail.example.com"),
    ],
)
def test_what_is_typed_is_read_for_the_network(parameter: Parameter, typed: str, read: str) -> None:
    assert parameter.read(typed, region="GB") == read


@pytest.mark.parametrize(
    ("parameter", "typed"),
    [
        *[(one("whole", least=1, most=10), typed) for typed in ("0", "11", "-1", "1.5", "", "٣", "9" * 30)],
        *[(one("host"), typed) for typed in ("", "mail", "-a.example.com", "a..b", "10.0.0.1", "a b.c", "x" * 254)],
        *[(one("host"), typed) for typed in ("mail.example.com\nevil", "é.example.com", "<b>.example.com")],
        (one("phone"), ""),
        (one("choice", choices=["A", "B"]), "a"),
    ],
)
def test_what_cannot_be_is_refused(parameter: Parameter, typed: str) -> None:
    with pytest.raises(Rejected):
        parameter.read(typed, region="GB")


def test_names_of_an_older_catalogue_are_no_settings() -> None:
    assert parameters_of(["voicemail"], "GBP") == []
