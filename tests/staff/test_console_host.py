"""The console on a host of its own: what is of the staff answers only there, and what is the customer's only here."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from lxml import html

from selfcare.app import Application
from selfcare.demo import people
from selfcare.identity.permissions import TABLE, Who
from selfcare.settings import Settings
from tests.live.test_two_processes import served, until
from tests.pages.test_every_page import filled
from tests.pages.test_permissions import handlers
from tests.staff.test_visits import REASON
from tests.support.browser import BASE, Browser
from tests.support.site import CHEAP, running, settings_for

CONSOLE = "https://staff.selfcare.test"
OF_BOTH = {"sign_in", "help", "health", "ready", "demo", "styleguide"}


@pytest.fixture
async def apart(demo_url: str) -> AsyncIterator[Application]:
    async with running(settings_for(demo_url, SELFCARE_STAFF_URL=CONSOLE)) as app:
        yield app


async def test_every_route_answers_on_the_host_it_belongs_to_and_on_no_other(apart: Application) -> None:
    portal, console = Browser(apart, name="admin"), Browser(apart, name="admin", base=CONSOLE)
    for browser in (portal, console):
        assert (await browser.sign_in(people.ADMIN.email)).status in (200, 404)
    token = await console.csrf("/account/security")
    asked = 0
    for pattern, handler in handlers(apart):
        name, access = handler.name or "", TABLE[handler.name or ""]
        if name in ("sign_in.out", "dashboard") or (access.flag and access.flag not in apart.site.flags):
            continue
        of_staff, of_both = access.who is Who.STAFF, access.who is Who.SIGNED_IN or name.split(".")[0] in OF_BOTH
        for path in list(filled(pattern, {}))[:1]:
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                wrong = portal if of_staff else console
                if of_both:
                    continue
                answer = await (
                    wrong.open(path, follow=False)
                    if method == "GET"
                    else wrong.post(path, {"csrf": token}, follow=False)
                )
                assert answer.status == 404, (name, method, answer.status)
                asked += 1
    assert asked > 150
    for browser in (portal, console):
        await browser.close()


async def test_staff_work_there_and_open_portals_there(apart: Application) -> None:
    dina = Browser(apart, name="dina", base=CONSOLE)
    assert (await dina.sign_in(people.DINA.email)).path == "/staff"
    assert (await dina.open("/")).path == "/staff"
    form = await dina.open(f"/staff/customers/{people.PATEL.id}/login/{people.ASHA.id}")
    seen = await form.submit("visit-form", reason=REASON)
    assert "Asha Patel" in seen.text
    prefix = re.match(r"/as/[0-9a-f-]{36}", seen.path)
    assert prefix
    assert (await dina.open(f"{prefix[0]}/billing")).status == 200
    assert (await dina.open("/billing")).status == 404
    here = Browser(apart, name="dina at the portal")
    await here.sign_in(people.DINA.email)
    assert (await here.open(f"{prefix[0]}/billing")).status == 404
    told = await here.open("/")
    assert "The staff console has an address of its own." in told.text
    assert told.has_link(CONSOLE)
    for browser in (dina, here):
        await browser.close()


async def test_a_form_of_the_other_host_is_refused(apart: Application) -> None:
    dina = Browser(apart, name="dina", base=CONSOLE)
    await dina.sign_in(people.DINA.email)
    sent = {"csrf": await dina.csrf("/staff"), "words": "Called back at noon."}
    notes = f"/staff/customers/{people.PATEL.id}/notes"
    assert (await dina.post(notes, sent, site=None, Origin=BASE)).status == 403
    assert (await dina.post(notes, sent, site=None, Origin=CONSOLE)).status == 200
    await dina.close()


async def test_customers_notice_nothing(apart: Application) -> None:
    asha = Browser(apart, name="asha")
    assert (await asha.sign_in(people.ASHA.email)).status == 200
    assert (await asha.open("/billing")).status == 200
    assert (await asha.open("/staff")).status == 404
    await asha.close()


@pytest.mark.parametrize(
    ("url", "words"), [("http://staff.selfcare.test", "https://"), ("https://selfcare.test:8443", "cookies")]
)
def test_an_address_that_would_not_be_apart_does_not_start(url: str, words: str) -> None:
    (refusal,) = Settings(public_url=BASE, staff_url=url).refusals()
    assert words in refusal


async def test_two_host_names_over_real_http(demo_url: str) -> None:
    """127.0.0.1 is the portal, localhost the console: the same server, the same person, two jars of cookies."""
    env = os.environ | CHEAP | {"SELFCARE_DATABASE_URL": demo_url, "SELFCARE_ENV": "demo"}
    with served(env, apart=True) as portal, httpx.Client(follow_redirects=True) as http:
        work_at_both(http, portal, portal.replace("127.0.0.1", "localhost"))


def work_at_both(http: httpx.Client, portal: str, console: str) -> None:
    until(lambda: http.get(f"{portal}/healthz").status_code == 200, seconds=90)
    entered = sign_in(http, console, people.ADMIN.email)
    assert str(entered.url) == f"{console}/staff"
    assert all(not cookie.domain_specified for cookie in http.cookies.jar)
    assert http.get(f"{console}/staff/customers").status_code == 200
    assert str(http.get(f"{portal}/account/security").url).startswith(f"{portal}/sign-in")
    sign_in(http, portal, people.ADMIN.email)
    assert http.get(f"{portal}/staff").status_code == 404
    assert http.get(f"{portal}/as/01900000-0000-7000-8000-000000000000/").status_code == 404
    assert http.get(f"{console}/billing").status_code == 404
    assert http.get(f"{console}/staff").status_code == 200


def sign_in(http: httpx.Client, base: str, email: str) -> httpx.Response:
    page = html.fromstring(http.get(f"{base}/sign-in").text)
    form = page.xpath("//form[@id='sign-in-form']")[0]
    fields = {one.get("name"): one.get("value", "") for one in form.xpath(".//input[@name and @type='hidden']")}
    fields |= {"email": email, "password": people.PASSWORD}
    return http.post(f"{base}/sign-in", data=fields, headers={"Origin": base})
