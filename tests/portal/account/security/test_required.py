"""A second step that the operator asks for: of whom, from when on, and that nothing else opens without it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.demo import people
from selfcare.identity.permissions import TABLE, Who
from selfcare.kernel import clock
from selfcare.settings import BadSettings, Settings
from tests.pages.test_permissions import get_pages
from tests.portal.account.security.test_passkeys import add
from tests.support import site
from tests.support.browser import Browser
from tests.support.second_step import Phone

OPEN = {"/account/security/required", "/account/security/app", "/account/security/passkeys/new"}


@pytest.fixture
def wishes() -> dict[str, str]:
    return {}


@pytest.fixture
async def app(demo_url: str, wishes: dict[str, str]) -> AsyncIterator[Application]:
    """Where the operator asks everybody for a second step, unless a test wishes otherwise."""
    chosen = {"SELFCARE_FLAGS": "+2fa_required"} | wishes
    async with site.running(site.settings_for(demo_url, **chosen)) as app:
        yield app


def only(*roles: str, days: int = 0) -> pytest.MarkDecorator:
    chosen = {"SELFCARE_SECOND_STEP_GRACE_DAYS": str(days)}
    if roles:
        chosen["SELFCARE_SECOND_STEP_ROLES"] = ",".join(roles)
    return pytest.mark.parametrize("wishes", [chosen], ids=["-".join(roles) or "all"])


async def test_after_the_password_comes_the_set_up_and_then_the_portal(asha: Browser) -> None:
    page = await asha.open("/")
    assert page.path == "/account/security/required?next=%2F"
    assert page.heading == "Set up a second step"
    page = await asha.open("/account/security/app")
    assert not page.html.xpath("//nav[@aria-label='Sections']")
    done = await page.submit("app-form", code=Phone(page).code())
    assert "ten codes" in done.text
    assert (await asha.open("/")).path == "/"


async def test_a_passkey_will_do(asha: Browser) -> None:
    await add(asha)
    assert (await asha.open("/billing")).path == "/billing"


async def test_staff_are_asked_too(dina: Browser) -> None:
    assert (await dina.open("/staff")).path.startswith("/account/security/required")
    await add(dina)
    assert (await dina.open("/staff")).path == "/staff"


async def test_nothing_else_opens(app: Application, asha: Browser, visitor: Browser) -> None:
    for name, path in get_pages(app):
        if TABLE[name].who in (Who.ANYBODY, Who.MACHINE) or name.startswith("sign_in.") or path in OPEN:
            continue
        answer = await asha.open(path, follow=False)
        sent_away = answer.status == 303 and answer.headers["location"].startswith("/account/security/required")
        assert sent_away or answer.status == 404, (name, answer.status)
    token = await asha.csrf("/account/security/required")
    answer = await asha.post("/account/name", {"csrf": token, "name": "Not Asha"}, follow=False)
    assert answer.headers["location"].startswith("/account/security/required")
    assert (await asha.post("/sign-in/out", {"csrf": token}, follow=False)).headers["location"] == "/sign-in"


@only("owner")
async def test_whose_role_is_not_named_is_left_in_peace(ben: Browser, dina: Browser, asha: Browser) -> None:
    assert (await ben.open("/")).path == "/"
    assert (await dina.open("/staff")).path == "/staff"
    assert (await asha.open("/")).path.startswith("/account/security/required")


@only("owner")
async def test_whoever_becomes_an_owner_is_asked_at_the_next_click(asha: Browser, ben: Browser) -> None:
    await add(asha)
    assert (await ben.open("/")).path == "/"
    member = await asha.open(f"/account/people/{people.fixed('membership/ben')}")
    await member.submit("member-form", role="owner")
    assert (await ben.open("/")).path.startswith("/account/security/required")


@only(days=7)
async def test_for_some_days_it_can_be_put_off(visitor: Browser) -> None:
    page = await visitor.sign_in("asha@example.test", next="/billing")
    assert page.path.startswith("/account/security/required")
    assert "From 29 Nov 2026 on" in page.text
    later = page.one("//a[.='Later']").get("href")
    assert (await visitor.open(later)).path == "/billing"
    clock.travel_by(timedelta(days=6))
    page = await visitor.sign_in("asha@example.test")
    assert "From 29 Nov 2026 on" in page.text
    clock.travel_by(timedelta(days=1))
    await visitor.sign_in("asha@example.test")
    assert (await visitor.open("/")).path.startswith("/account/security/required")


@only(days=7)
async def test_who_has_one_is_asked_for_nothing(asha: Browser) -> None:
    await add(asha)
    assert (await asha.open("/account/security/required")).path == "/account/security"


@pytest.mark.parametrize("wishes", [{"SELFCARE_FLAGS": "+2fa_required,-2fa,-passkeys"}], ids=["neither"])
async def test_what_cannot_be_set_up_is_not_asked_for(asha: Browser) -> None:
    assert (await asha.open("/")).path == "/"


def test_a_role_that_does_not_exist_is_named() -> None:
    with pytest.raises(BadSettings, match=r"SELFCARE_SECOND_STEP_ROLES has 'king'"):
        Settings.from_env({"SELFCARE_SECOND_STEP_ROLES": "owner,king"})
