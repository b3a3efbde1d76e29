"""Getting in and out."""

from __future__ import annotations

from datetime import timedelta

from selfcare.kernel import clock
from tests.support.browser import Browser


async def test_the_right_password_opens_the_dashboard(visitor: Browser) -> None:
    page = await visitor.sign_in("asha@example.test")
    assert page.path == "/"
    assert "Asha" in page.heading


async def test_the_address_may_be_typed_in_any_spelling(visitor: Browser) -> None:
    page = await visitor.sign_in("  ASHA@Example.test ")
    assert page.path == "/"


async def test_staff_land_in_the_console(visitor: Browser) -> None:
    page = await visitor.sign_in("dina@example.test")
    assert page.path == "/staff"


async def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: Browser) -> None:
    asked = await visitor.open("/billing/invoices?status=paid")
    assert asked.path.startswith("/sign-in")
    page = await asked.submit("sign-in-form", email="asha@example.test", password="Demo-Pass-1!")
    assert page.path == "/billing/invoices?status=paid"


async def test_a_next_on_another_site_is_ignored(visitor: Browser) -> None:
    for target in ("//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"):
        page = await visitor.open("/sign-in", follow=False)
        browser = Browser(visitor.client._transport._inner.app)  # type: ignore[attr-defined]
        page = await browser.open(f"/sign-in?next={target}")
        page = await page.submit("sign-in-form", email="asha@example.test", password="Demo-Pass-1!")
        assert page.path == "/", target
        await browser.close()


async def test_a_wrong_password_and_an_unknown_address_read_the_same(visitor: Browser) -> None:
    wrong = await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    unknown = await visitor.sign_in("nobody@example.test", "Wrong-Pass-1!")
    assert wrong.status == unknown.status == 422
    assert wrong.error("password") == unknown.error("password")
    assert wrong.text.replace("asha@", "nobody@") == unknown.text


async def test_the_address_is_kept_and_the_password_is_not(visitor: Browser) -> None:
    page = await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    assert page.field("email").value == "asha@example.test"
    assert page.field("password").value == ""
    assert "Wrong-Pass-1!" not in page.answer.text


async def test_a_planted_sign_in_is_not_adopted(visitor: Browser) -> None:
    visitor.client.cookies.set("__Host-sid", "A" * 43, domain="selfcare.test")
    await visitor.sign_in("asha@example.test")
    assert visitor.client.cookies.get("__Host-sid") not in (None, "A" * 43)


async def test_signing_out_ends_it_at_once_and_clears_the_browser(asha: Browser) -> None:
    old = asha.client.cookies.get("__Host-sid")
    page = await asha.open("/")
    left = await asha.post(
        "/sign-in/out", {"csrf": page.form().xpath("string(.//input[@name='csrf']/@value)")}, follow=False
    )
    assert left.status == 303
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    asha.client.cookies.set("__Host-sid", old or "", domain="selfcare.test")
    assert (await asha.open("/", follow=False)).status == 303


async def test_half_an_hour_without_a_click_asks_for_the_password_again(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=29))
    assert (await asha.open("/")).path == "/"
    clock.travel_by(timedelta(minutes=29))
    assert (await asha.open("/")).path == "/"
    clock.travel_by(timedelta(minutes=31))
    assert (await asha.open("/")).path.startswith("/sign-in")


async def test_asking_whether_one_is_still_signed_in_keeps_nobody_awake(asha: Browser) -> None:
    for _ in range(4):
        clock.travel_by(timedelta(minutes=9))
        answer = await asha.open("/sign-in/alive", follow=False)
    assert answer.status == 303


async def test_the_button_of_the_warning_keeps_one_awake(asha: Browser) -> None:
    for _ in range(4):
        clock.travel_by(timedelta(minutes=9))
        assert (await asha.open("/sign-in/stay", follow=False)).status == 204
    assert (await asha.open("/")).path == "/"


async def test_twelve_hours_are_the_end_whatever_one_does(asha: Browser) -> None:
    for _ in range(12 * 3 - 1):
        clock.travel_by(timedelta(minutes=20))
        assert (await asha.open("/")).path == "/"
    clock.travel_by(timedelta(minutes=20))
    assert (await asha.open("/")).path.startswith("/sign-in")


async def test_on_a_shared_phone_ten_minutes_are_enough(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", shared_device="on")
    assert (await visitor.open("/")).by_id("session-end").get("data-ends") == "600"
    clock.travel_by(timedelta(minutes=11))
    assert (await visitor.open("/")).path.startswith("/sign-in")
