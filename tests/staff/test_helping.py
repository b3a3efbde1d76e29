"""Help with a sign-in, each with a reason."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.identity import limits
from selfcare.kernel import clock, ids
from tests.staff.test_consent import code_of
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to

WAY = f"/staff/customers/{people.PATEL.id}/people/{people.ASHA.id}"
WHY = "Asked for by phone today"


async def act(browser: Browser, what: str, **typed: Any) -> Page:
    return await (await browser.open(WAY)).submit("help-person-form", **{"act": what, "reason": WHY} | typed)


async def with_second_step() -> None:
    async with transaction():
        await execute(
            Prepared.sql("UPDATE app_user SET totp_secret = 'x' WHERE id = :id").bind(id=people.ASHA.id),
        )
        await execute(
            Prepared.sql(
                "INSERT INTO passkey (id, user_id, credential_id, public_key, sign_count, name, transports, created_at)"
                " VALUES (:id, :user_id, 'c', 'k', 0, 'Phone', '', :now)"
            ).bind(id=ids.new_id(), user_id=people.ASHA.id, now=clock.now())
        )


async def test_a_locked_sign_in_is_unlocked(app: Application, dina: Browser, visitor: Browser) -> None:
    for _try in range(limits.LOCK_AFTER):
        await visitor.sign_in(people.ASHA.email, "Wrong-Pass-1!")
    assert "Locked until" in (await dina.open(WAY)).text
    done = await act(dina, "unlock")
    assert "Locked until" not in done.text
    assert "Done: Unlock the sign-in." in done.text
    assert (await visitor.sign_in(people.ASHA.email)).status == 200
    (row,) = await rows("staff.user_unlocked")
    assert WHY in row["details"]
    assert row["customer_id"] == people.PATEL.id


async def test_a_link_for_a_new_password_goes_to_the_person(app: Application, dina: Browser) -> None:
    await act(dina, "send_reset")
    assert "/sign-in/reset?token=" in await link_in(app, people.ASHA.email, "password")


async def test_all_sign_ins_end(app: Application, dina: Browser, asha: Browser) -> None:
    await act(dina, "end_sign_ins")
    assert (await asha.open("/account", follow=False)).status == 303


async def test_a_lost_second_step_comes_off_by_a_link_after_an_identity_check(
    app: Application, dina: Browser, asha: Browser, visitor: Browser
) -> None:
    await with_second_step()
    refused = await act(dina, "reset_second_step")
    assert refused.status == 422
    assert "how you made sure" in refused.error("check")
    assert (await act(dina, "reset_second_step", check="documents")).status == 200
    link = await link_in(app, people.ASHA.email, "second step")
    page = await visitor.open(link)
    assert (await page.submit("second-step-form")).heading == "The second step is off"
    assert (await page.submit("second-step-form")).status == 404
    (user,) = await fetch(
        Prepared.sql("SELECT totp_secret FROM app_user WHERE id = :id").bind(id=people.ASHA.id),
    )
    assert user["totp_secret"] is None
    assert await fetch(Prepared.sql("SELECT id FROM passkey WHERE removed_at IS NULL").bind()) == []
    assert any("second step" in mail.text for mail in await mails_to(app, people.ASHA.email))
    assert (await visitor.sign_in(people.ASHA.email)).path == "/"
    form = await visitor.open("/account/phone")
    held = await form.submit("phone-form", phone="+447700900999")
    assert held.status == 403
    assert "24 hours" in held.text
    clock.travel_by(timedelta(hours=24))


async def test_the_link_is_too_old_after_15_minutes(app: Application, dina: Browser, visitor: Browser) -> None:
    await with_second_step()
    await act(dina, "reset_second_step", check="shop")
    link = await link_in(app, people.ASHA.email, "second step")
    clock.travel_by(timedelta(minutes=15))
    assert (await visitor.open(link)).status == 404


async def test_the_support_code_is_an_identity_check(app: Application, dina: Browser, asha: Browser) -> None:
    await with_second_step()
    assert (await act(dina, "reset_second_step", code=await code_of(asha))).status == 200
    (row,) = await rows("staff.second_factor_reset")
    assert '"check":"support_code"' in row["details"]


@pytest.mark.parametrize("reason", ["", "short", "x" * 501])
async def test_every_act_needs_a_reason(app: Application, dina: Browser, reason: str) -> None:
    page = await act(dina, "unlock", reason=reason)
    assert page.status == 422
    assert page.error("reason")


async def test_what_the_rights_do_not_allow_is_neither_offered_nor_done(app: Application, eli: Browser) -> None:
    async with transaction():
        rights = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(rights.bind(id=people.ELI.id, rights=["view_customer", "unlock_user"]))
    await with_second_step()
    page = await eli.open(WAY)
    assert "Take the second step off" not in page.text
    assert (await act(eli, "reset_second_step", check="shop")).status == 403
    assert await rows("staff.second_factor_reset") == []
