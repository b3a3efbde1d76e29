"""Changing the password, and proving again who one is before what matters."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.second_step import set_up

OLD, NEW = "Demo-Pass-1!", "Brand-New-77!"


async def change(browser: Browser, current: str = OLD, new: str = NEW) -> Page:
    page = await browser.open("/account/password")
    return await page.submit("password-form", current_password=current, new_password=new)


async def test_the_new_password_opens_and_the_old_one_does_not(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    assert (await change(asha)).path.startswith("/account/security")
    assert (await visitor.sign_in("asha@example.test", OLD)).status == 422
    assert (await visitor.sign_in("asha@example.test", NEW)).path == "/"
    assert any("password" in mail.subject.lower() for mail in await mails_to(app, "asha@example.test"))


async def test_others_are_signed_out_and_one_stays(asha: Browser, visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test")
    before = asha.client.cookies.get("__Host-sid")
    await change(asha)
    assert (await asha.open("/")).path == "/"
    assert asha.client.cookies.get("__Host-sid") != before
    assert (await visitor.open("/")).path.startswith("/sign-in")


async def test_a_wrong_current_password_changes_nothing_and_counts_towards_the_lock(
    asha: Browser, visitor: Browser
) -> None:
    for _ in range(4):
        wrong = await change(asha, "Wrong-Pass-1!")
        assert wrong.status == 422
        assert "not your current password" in wrong.error("current_password")
    assert "Locked" in (await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")).text


async def test_all_unmet_rules_are_told_at_once(asha: Browser) -> None:
    words = (await change(asha, new="abc")).error("new_password")
    for part in ("8 characters", "upper case", "digit", "signs"):
        assert part in words


async def test_the_same_password_again_is_no_change(asha: Browser) -> None:
    assert (await change(asha, new=OLD)).status == 422


async def test_an_old_proof_is_asked_for_again_and_leads_back(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=9))
    assert (await asha.open("/account/security/app")).path == "/account/security/app"
    clock.travel_by(timedelta(minutes=2))
    page = await asha.open("/account/security/app")
    assert page.path.startswith("/sign-in/prove")
    wrong = await page.submit("prove-form", password="Wrong-Pass-1!")
    assert "wrong" in wrong.error("password")
    assert (await wrong.submit("prove-form", password=OLD)).path == "/account/security/app"


async def test_what_was_typed_is_offered_again_after_the_proof(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    ticket = page.field("ticket").value
    clock.travel_by(timedelta(minutes=11))
    asked = await page.submit("app-form", code="123456")
    assert asked.path.startswith("/sign-in/prove")
    offered = await asked.submit("prove-form", password=OLD)
    assert offered.path == "/sign-in/kept"
    assert offered.field("ticket").value == ticket
    assert "123456" not in offered.answer.text, "a code is never kept"


async def test_a_code_of_the_app_is_proof_enough(asha: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(timedelta(minutes=11))
    page = await asha.open("/account/security/off")
    assert (await page.submit("prove-code-form", code=phone.code())).path == "/account/security/off"


async def test_five_wrong_proofs_end_the_sign_in(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=11))
    page = await asha.open("/account/security/app")
    for _ in range(5):
        last = await page.submit("prove-form", password="Wrong-Pass-1!")
    assert last.path.startswith("/sign-in")
    assert (await asha.open("/")).path.startswith("/sign-in")
