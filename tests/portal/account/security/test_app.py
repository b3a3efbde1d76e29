"""The second step by an authenticator app, from setting up to switching off, and the backup codes."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to
from tests.support.second_step import Phone, set_up

STEP = timedelta(seconds=30)


async def asked_for_code(browser: Browser, password: str = "Demo-Pass-1!") -> Page:
    page = await browser.sign_in("asha@example.test", password)
    assert page.path == "/sign-in/code", page.text
    return page


async def asked_for_backup_code(browser: Browser) -> Page:
    await asked_for_code(browser)
    return await browser.open("/sign-in/backup-code")


async def test_once_set_up_a_code_opens_after_the_password(asha: Browser, visitor: Browser) -> None:
    phone, codes = await set_up(asha)
    assert len(set(codes)) == 10
    clock.travel_by(STEP)
    page = await asked_for_code(visitor)
    assert (await visitor.open("/billing", follow=False)).status == 303, "the password alone opens nothing"
    assert (await page.submit("code-form", code=phone.code())).path == "/"


async def test_the_picture_and_the_typed_key_stand_together(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    assert len(page.html.xpath("//*[local-name()='svg'][@class='qr-code']")) == 1
    assert len(Phone(page).app.secret) == 32


async def test_a_code_typed_with_a_space_is_right(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    code = Phone(page).code()
    assert "Keep these ten codes" in (await page.submit("app-form", code=f"{code[:3]} {code[3:]}")).text


async def test_a_wrong_first_code_keeps_the_same_key(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    phone = Phone(page)
    wrong = await page.submit("app-form", code=f"{(int(phone.code()) + 1) % 1_000_000:06}")
    assert wrong.status == 422
    assert "That code is wrong" in wrong.error("code")
    assert Phone(wrong).app.secret == phone.app.secret
    assert (await wrong.submit("app-form", code=phone.code())).status == 200


async def test_after_five_wrong_first_codes_there_is_a_new_key(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    phone = Phone(page)
    for _ in range(5):
        page = await page.submit("app-form", code="000000")
        assert Phone(page).app.secret == phone.app.secret
    page = await page.submit("app-form", code=phone.code())
    assert "Here is a new key" in page.error("code")
    assert Phone(page).app.secret != phone.app.secret
    assert "ten codes" in (await page.submit("app-form", code=Phone(page).code())).text


async def test_full_width_digits_are_no_code(asha: Browser) -> None:
    page = await asha.open("/account/security/app")
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in Phone(page).code())
    assert (await page.submit("app-form", code=wide)).status == 422


async def test_a_clock_that_is_off_is_told_and_not_let_in(asha: Browser, visitor: Browser) -> None:
    page = await asha.open("/account/security/app")
    phone = Phone(page)
    early = await page.submit("app-form", code=phone.code(-6))
    assert "clock seems to be off" in early.error("code")
    await early.submit("app-form", code=phone.code())
    clock.travel_by(STEP)
    page = await asked_for_code(visitor)
    assert "clock seems to be off" in (await page.submit("code-form", code=phone.code(9))).error("code")
    assert "clock" not in (await page.submit("code-form", code=phone.code(40))).error("code")


async def test_a_key_of_somebody_else_is_not_taken(asha: Browser, ben: Browser) -> None:
    page = await asha.open("/account/security/app")
    phone = Phone(page)
    foreign = await (await ben.open("/account/security/app")).submit(
        "app-form", code=phone.code(), ticket=page.field("ticket").value
    )
    assert foreign.path == "/account/security"
    assert (await ben.open("/account/security/app")).status == 200, "still off"


async def test_the_codes_are_shown_once_and_stored_nowhere_in_the_open(asha: Browser) -> None:
    _, codes = await set_up(asha)
    for path in ("/account/security", "/account/security/app", "/account/security/off"):
        page = await asha.open(path)
        assert not any(code in page.answer.text for code in codes)


async def test_turning_it_on_ends_other_sign_ins_and_tells_the_owner(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await visitor.sign_in("asha@example.test")
    await set_up(asha)
    assert (await visitor.open("/")).path.startswith("/sign-in")
    assert (await asha.open("/")).path == "/"
    assert any("authenticator app was added" in mail.text for mail in await mails_to(app, "asha@example.test"))


async def test_the_code_it_was_set_up_with_does_not_sign_in(asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    page = await asked_for_code(visitor)
    refused = await page.submit("code-form", code=phone.code())
    assert "wrong or already used" in refused.error("code")


async def test_the_same_code_opens_once(app: Application, asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(STEP)
    thief = Browser(app, name="thief")
    mine, stolen = await asked_for_code(visitor), await asked_for_code(thief)
    assert (await mine.submit("code-form", code=phone.code())).path == "/"
    assert "wrong or already used" in (await stolen.submit("code-form", code=phone.code())).error("code")
    clock.travel_by(STEP)
    assert "already used" in (await stolen.submit("code-form", code=phone.code(-1))).error("code")
    await thief.close()


async def test_an_older_code_than_the_last_is_used_up(asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(STEP * 3)
    page = await asked_for_code(visitor)
    assert (await page.submit("code-form", code=phone.code(1))).path == "/"
    visitor.client.cookies.clear()
    page = await asked_for_code(visitor)
    assert (await page.submit("code-form", code=phone.code(0))).status == 422


async def test_after_five_wrong_codes_the_password_is_asked_for_again(asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(STEP)
    page = await asked_for_code(visitor)
    wrong = f"{(int(phone.code()) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert "wrong" in (await page.submit("code-form", code=wrong)).error("code")
    over = await page.submit("code-form", code=phone.code())
    assert "Too many wrong codes" in over.text
    assert (await visitor.open("/sign-in/code")).path == "/sign-in"
    page = await asked_for_code(visitor)
    assert (await page.submit("code-form", code=phone.code())).path == "/"


async def test_a_question_waits_ten_minutes(asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    page = await asked_for_code(visitor)
    clock.travel_by(timedelta(minutes=10))
    assert (await page.submit("code-form", code=phone.code())).path == "/sign-in"


async def test_a_backup_code_opens_once_and_the_owner_is_told(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    _, codes = await set_up(asha)
    page = await asked_for_backup_code(visitor)
    assert (await page.submit(backup_code=codes[0].lower().replace("-", " "))).path == "/"
    visitor.client.cookies.clear()
    page = await asked_for_backup_code(visitor)
    assert "wrong or already used" in (await page.submit(backup_code=codes[0])).error("backup_code")
    assert (await page.submit(backup_code=codes[1])).path == "/"
    assert sum("backup code" in mail.subject.lower() for mail in await mails_to(app, "asha@example.test")) == 2
    assert "8 backup codes left" in (await asha.open("/account/security")).text


async def test_new_backup_codes_kill_the_old_ones(asha: Browser, visitor: Browser) -> None:
    _, old = await set_up(asha)
    csrf = await asha.csrf("/account/security")
    new = [code.text for code in (await asha.post("/account/security/codes", {"csrf": csrf})).html.xpath("//li/code")]
    assert len(set(new) - set(old)) == 10
    page = await asked_for_backup_code(visitor)
    for code in old[:4]:
        assert (await page.submit(backup_code=code)).status == 422
    assert (await page.submit(backup_code=new[0])).path == "/"


async def test_turning_it_off_needs_a_code(asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(STEP)
    page = await asha.open("/account/security/off")
    assert (await page.submit("off-form", code="")).status == 422
    assert (await page.submit("off-form", code=phone.code(-1))).status == 422, "the one it was set up with"
    assert (await page.submit("off-form", code=phone.code())).path == "/account/security"
    assert (await visitor.sign_in("asha@example.test")).path == "/"


async def test_a_backup_code_turns_it_off_too(asha: Browser, visitor: Browser) -> None:
    _, codes = await set_up(asha)
    page = await asha.open("/account/security/off")
    assert (await page.submit("off-form", code=codes[3])).path == "/account/security"
    assert (await visitor.sign_in("asha@example.test")).path == "/"


async def test_a_new_password_by_mail_does_not_get_round_it(app: Application, asha: Browser, visitor: Browser) -> None:
    phone, _ = await set_up(asha)
    await (await visitor.open("/sign-in/forgot")).submit("forgot-form", email="asha@example.test")
    form = await visitor.open(await link_in(app, "asha@example.test", "password"))
    await form.submit("reset-form", new_password="Brand-New-77!")
    clock.travel_by(STEP)
    page = await asked_for_code(visitor, "Brand-New-77!")
    assert (await visitor.open("/")).path.startswith("/sign-in")
    assert (await page.submit("code-form", code=phone.code())).path == "/"
