"""The charging system does not answer: every page that shows its figures works from the last ones and says so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import catalogue, people
from tests.support import site
from tests.support.browser import Browser

MOBILE = people.ASHA_MOBILE
AN_HOUR_AGO = "22 Nov 2026, 11:00"
_TOLD = Prepared.sql(
    """
    INSERT INTO charging_snapshot (service_id, customer_id, as_of)
    SELECT id, customer_id, :as_of FROM service WHERE customer_id = :customer
    """
)

_CARD = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer AND is_default")
_MONEY = Prepared.sql(
    "SELECT (SELECT count(*) FROM purchase_order) AS orders, (SELECT count(*) FROM payment) AS payments"
)


@pytest.fixture
async def away(demo_url: str) -> AsyncIterator[Application]:
    """An engine that told everything an hour ago and refuses every connection since."""
    settings = site.settings_for(
        demo_url, SELFCARE_CHARGING="cgrates", SELFCARE_CGRATES_URL="http://127.0.0.1:9/jsonrpc"
    )
    async with site.running(settings) as app:
        async with transaction():
            await execute(_TOLD.bind(as_of=site.NOW - timedelta(hours=1), customer=people.PATEL.id))
        yield app


@pytest.fixture
async def cut_off(away: Application) -> AsyncIterator[Browser]:
    browser = Browser(away, name="asha")
    await browser.sign_in(people.ASHA.email)
    yield browser
    await browser.close()


@pytest.mark.parametrize(
    ("path", "still_there"),
    [
        ("/usage", "20.2 GB left"),
        (f"/usage/{MOBILE}", "899 minutes"),
        (f"/usage/{MOBILE}/balance", "480 texts"),
        (f"/usage/{MOBILE}/why", "Birthday bonus"),
        (f"/usage/{MOBILE}/abroad", "Europe data"),
    ],
)
async def test_the_last_figures_are_shown_with_their_age(cut_off: Browser, path: str, still_there: str) -> None:
    page = await cut_off.open(path)
    assert page.status == 200
    assert still_there in page.text
    assert "We cannot reach the meter right now" in page.text
    assert AN_HOUR_AGO in page.text


async def test_the_dashboard_works_and_says_how_old_its_figures_are(cut_off: Browser) -> None:
    page = await cut_off.open("/")
    assert page.status == 200
    assert "20.2 GB" in page.text
    assert "11:00" in page.text


@pytest.mark.parametrize(
    "path", ["/alerts", "/services", f"/services/{MOBILE}", f"/services/{MOBILE}/renewal", "/topup"]
)
async def test_what_only_touches_charging_goes_on(cut_off: Browser, path: str) -> None:
    assert (await cut_off.open(path)).status == 200


async def test_records_say_that_they_are_missing(cut_off: Browser) -> None:
    page = await cut_off.open(f"/usage/{MOBILE}/records")
    assert page.status == 200
    assert "the records are missing" in page.text


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_half_a_download_is_never_begun(cut_off: Browser, form: str) -> None:
    answer = await cut_off.open(f"/usage/{MOBILE}/records.{form}")
    assert answer.status == 503
    assert "attachment" not in answer.headers.get("content-disposition", "")


async def test_a_waiting_page_is_answered_without_news(cut_off: Browser) -> None:
    page = await cut_off.open(f"/usage/{MOBILE}")
    waiting = page.by_id("usage-balance").get("hx-get")
    answer = await cut_off.open(f"{waiting}&wait=1", htmx=True)
    assert answer.status in (200, 204)


async def test_a_top_up_is_refused_before_any_charge(cut_off: Browser) -> None:
    """By the link of the shelf and by a form that was filled in before the meter went away."""
    before = await fetch(_MONEY.bind())
    looked = await cut_off.open(f"/topup/{MOBILE}/review?product={catalogue.DATA_5.id}")
    fields = {"product": str(catalogue.DATA_5.id), "version": "1", "shown": "600", "request_key": "k" * 32}
    (card,) = await fetch(_CARD.bind(customer=people.PATEL.id))
    sent = await cut_off.post(f"/topup/{MOBILE}", fields | {"card": str(card["id"]), "csrf": await cut_off.csrf()})
    for page in (looked, sent):
        assert page.status == 503
        assert "nothing was charged" in page.text
    assert await fetch(_MONEY.bind()) == before
