"""Passkeys: a device that knows its person opens the account; a copied, foreign, late or repeated answer does not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.identity.tables import Passkey, User
from selfcare.kernel import clock
from tests.support import site
from tests.support.authenticator import Device, asked
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to
from tests.support.second_step import set_up

NEW = "/account/security/passkeys/new"


async def add(browser: Browser, device: Device | None = None, name: str = "My phone") -> Device:
    device = device or Device()
    page = await browser.open(NEW)
    done = await page.submit("passkey-form", name=name, passkey=device.make(asked(page)))
    assert done.status == 200, done.text
    return device


async def codes_told(browser: Browser, device: Device) -> list[str]:
    page = await browser.open(NEW)
    done = await page.submit("passkey-form", name="My phone", passkey=device.make(asked(page)))
    return [code.text for code in done.html.xpath("//li/code")]


async def sign_in_by(browser: Browser, device: Device) -> Page:
    page = await browser.open("/sign-in/passkey")
    return await page.submit("passkey-form", passkey=device.answer(asked(page)))


async def the_passkey() -> Passkey:
    (row,) = await Passkey.objects().where(Passkey.removed_at.is_null())
    return row


async def test_a_passkey_is_a_whole_sign_in(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await sign_in_by(visitor, device)
    assert page.path == "/"
    assert "Asha" in page.heading
    assert (await visitor.open(NEW)).path == NEW, "it proves who sits there"


async def test_where_one_wanted_to_be_is_where_one_lands(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await visitor.open("/sign-in/passkey?next=/billing")
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).path == "/billing"


async def test_after_the_password_the_passkey_is_asked_for(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await visitor.sign_in("asha@example.test")
    assert page.path == "/sign-in/code"
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).path == "/"


async def test_without_the_device_a_backup_code_opens_once(asha: Browser, visitor: Browser) -> None:
    code, *others = await codes_told(asha, Device())
    assert len(others) == 9
    await visitor.sign_in("asha@example.test")
    page = await (await visitor.open("/sign-in/backup-code")).submit(backup_code=code)
    assert page.path == "/"


async def test_a_second_passkey_brings_no_new_codes(asha: Browser) -> None:
    assert len(await codes_told(asha, Device())) == 10
    assert await codes_told(asha, Device()) == []


async def test_a_passkey_proves_who_one_is(asha: Browser) -> None:
    device = await add(asha)
    clock.travel_by(timedelta(minutes=11))
    page = await asha.open(NEW)
    assert page.path.startswith("/sign-in/prove")
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).path == NEW


async def test_adding_one_is_noted_told_and_ends_other_sign_ins(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await visitor.sign_in("asha@example.test")
    await add(asha)
    assert (await visitor.open("/")).path.startswith("/sign-in")
    assert (await asha.open("/")).path == "/"
    assert any("passkey was added" in mail.text for mail in await mails_to(app, "asha@example.test"))
    noted = await AuditEvent.objects().where(AuditEvent.event == "account.second_factor_added")
    assert len(noted) == 1


async def test_it_can_be_named_anew(asha: Browser) -> None:
    await add(asha)
    passkey = await the_passkey()
    page = await asha.open(f"/account/security/passkeys/{passkey.id}")
    done = await page.submit("rename-form", name="Kitchen tablet")
    assert "Kitchen tablet" in done.text
    empty = await (await asha.open(f"/account/security/passkeys/{passkey.id}")).submit("rename-form", name=" ")
    assert empty.status == 422
    assert "Fill this in" in empty.error("name")


async def test_removed_it_opens_nothing_and_the_owner_is_told(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    device = await add(asha)
    passkey = await the_passkey()
    page = await asha.open(f"/account/security/passkeys/{passkey.id}")
    assert (await page.submit("remove-form")).path == "/account/security"
    assert (await sign_in_by(visitor, device)).status == 422
    assert (await visitor.sign_in("asha@example.test")).path == "/", "no second step is left to ask for"
    assert any("passkey was removed" in mail.text for mail in await mails_to(app, "asha@example.test"))
    assert (await page.submit("remove-form")).status == 404


async def test_the_last_way_in_stays(asha: Browser) -> None:
    await add(asha)
    passkey = await the_passkey()
    page = await asha.open(f"/account/security/passkeys/{passkey.id}")
    async with transaction():
        await User.update({User.password_hash: None}).where(User.id == people.ASHA.id)
    refused = await page.submit("remove-form")
    assert refused.status == 422
    assert "only way into your account" in refused.text
    await add(asha)
    assert (await page.submit("remove-form")).path == "/account/security"


async def test_somebody_elses_passkey_is_not_there(asha: Browser, ben: Browser) -> None:
    await add(asha)
    passkey = await the_passkey()
    path = f"/account/security/passkeys/{passkey.id}"
    assert (await ben.open(path)).status == 404
    for target in (path, f"{path}/remove"):
        answer = await ben.post(target, {"csrf": await ben.csrf("/account/security"), "name": "Mine"})
        assert answer.status == 404
    assert (await the_passkey()).name == "My phone"


async def test_somebody_elses_passkey_is_no_second_step(asha: Browser, ben: Browser, visitor: Browser) -> None:
    await add(asha)
    other = await add(ben)
    page = await visitor.sign_in("asha@example.test")
    refused = await page.submit("passkey-form", passkey=other.answer(asked(page)))
    assert refused.status == 422
    assert (await visitor.open("/")).path.startswith("/sign-in")


async def test_an_answer_works_once(app: Application, asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await visitor.open("/sign-in/passkey")
    answer = device.answer(asked(page))
    assert (await page.submit("passkey-form", passkey=answer)).path == "/"
    thief = Browser(app, name="thief")
    stolen = await (await thief.open("/sign-in/passkey")).submit("passkey-form", passkey=answer)
    assert stolen.status == 422
    await thief.close()


async def test_an_answer_after_five_minutes_is_too_late(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await visitor.open("/sign-in/passkey")
    clock.travel_by(timedelta(minutes=5))
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).status == 422


async def test_an_answer_to_another_question_opens_nothing(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    clock.travel_by(timedelta(minutes=11))
    proof = asked(await asha.open(NEW))
    page = await visitor.open("/sign-in/passkey")
    assert (await page.submit("passkey-form", passkey=device.answer(proof))).status == 422


async def test_a_wrong_answer_uses_the_question_up(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    page = await visitor.open("/sign-in/passkey")
    elsewhere = Device(origin="https://evil.example", credential_id=device.credential_id, key=device.key)
    elsewhere.user = device.user
    assert (await page.submit("passkey-form", passkey=elsewhere.answer(asked(page)))).status == 422
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).status == 422


async def test_a_device_that_did_not_look_who_holds_it_is_refused(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    device.verifies = False
    assert (await sign_in_by(visitor, device)).status == 422
    page = await asha.open(NEW)
    careless = Device(verifies=False)
    assert (await page.submit("passkey-form", name="Stick", passkey=careless.make(asked(page)))).status == 422


async def test_a_copied_device_is_found_by_its_counter(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    copy = Device(credential_id=device.credential_id, key=device.key, user=device.user)
    assert (await sign_in_by(visitor, device)).path == "/"
    assert (await the_passkey()).sign_count == 1
    visitor.client.cookies.clear()
    assert (await sign_in_by(visitor, copy)).status == 422


async def test_a_device_without_a_counter_works_again_and_again(asha: Browser, visitor: Browser) -> None:
    device = await add(asha, Device(counts=False))
    for _ in range(2):
        assert (await sign_in_by(visitor, device)).path == "/"
        visitor.client.cookies.clear()


async def test_a_device_that_names_another_person_is_refused(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    for user in ("", "AAAAAAAAAAAAAAAAAAAAAA", "%"):
        device.user = user
        assert (await sign_in_by(visitor, device)).status == 422


async def test_a_disabled_person_stays_out(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    async with transaction():
        await User.update({User.disabled_at: clock.now()}).where(User.id == people.ASHA.id)
    assert (await sign_in_by(visitor, device)).status == 422


@pytest.mark.parametrize(
    "answer",
    ["", "x", "{}", "[]", "null", "[" * 15_000, '{"response": {"clientDataJSON": "e30"}}', '{"id": 1e999}'],
)
async def test_nonsense_is_refused_in_words(visitor: Browser, answer: str) -> None:
    page = await visitor.open("/sign-in/passkey")
    refused = await page.submit("passkey-form", passkey=answer)
    assert refused.status == 422
    assert "did not work" in refused.text


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
async def test_an_altered_answer_is_refused_in_the_same_words(asha: Browser, visitor: Browser, part: str) -> None:
    device = await add(asha)
    page = await visitor.open("/sign-in/passkey")
    answer = json.loads(device.answer(asked(page)))
    answer["response"][part] = "A" + answer["response"][part][:-3]
    refused = await page.submit("passkey-form", passkey=json.dumps(answer))
    assert refused.status == 422
    assert "The passkey did not work" in refused.text


async def test_a_locked_password_does_not_lock_the_passkey(asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    for _ in range(5):
        await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    assert (await sign_in_by(visitor, device)).path == "/"


async def test_a_person_without_passkeys_is_not_asked_for_one(visitor: Browser) -> None:
    assert (await visitor.sign_in("asha@example.test")).path == "/"


async def test_a_new_password_by_mail_does_not_get_round_it(app: Application, asha: Browser, visitor: Browser) -> None:
    device = await add(asha)
    await (await visitor.open("/sign-in/forgot")).submit("forgot-form", email="asha@example.test")
    form = await visitor.open(await link_in(app, "asha@example.test", "password"))
    await form.submit("reset-form", new_password="Brand-New-77!")
    page = await visitor.sign_in("asha@example.test", "Brand-New-77!")
    assert page.path == "/sign-in/code"
    assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).path == "/"


async def test_with_the_app_gone_the_codes_of_a_passkey_stay(asha: Browser) -> None:
    await add(asha)
    _, codes = await set_up(asha)
    page = await asha.open("/account/security/off")
    await page.submit("off-form", code=codes[0])
    assert "9 backup codes left" in (await asha.open("/account/security")).text


async def test_switched_off_by_the_operator_none_is_made_but_those_there_still_count(demo_url: str) -> None:
    async with site.running(site.settings_for(demo_url)) as app:
        asha = Browser(app)
        await asha.sign_in("asha@example.test")
        device = await add(asha)
        await asha.close()
    async with site.running(site.settings_for(demo_url, SELFCARE_FLAGS="-passkeys")) as app:
        visitor = Browser(app)
        assert not (await visitor.open("/sign-in")).has_link("/sign-in/passkey")
        assert (await visitor.open("/sign-in/passkey")).status == 404
        page = await visitor.sign_in("asha@example.test")
        assert page.path == "/sign-in/code"
        assert (await page.submit("passkey-form", passkey=device.answer(asked(page)))).path == "/"
        assert (await visitor.open(NEW)).status == 404
        await visitor.close()
