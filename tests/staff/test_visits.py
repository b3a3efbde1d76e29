"""Login as User: what it shows, what it refuses, how it ends, and that everybody can see it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.app import Application
from selfcare.background import registry
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.demo.people import Someone
from selfcare.identity import acting, grants
from selfcare.identity.permissions import LOOK, STOP, TABLE, Who
from selfcare.kernel import clock
from selfcare.live import store
from tests.pages.test_every_page import filled, followed, router_of
from tests.pages.test_permissions import handlers
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

REASON = "Cannot find the last bill"
GRANTS = Prepared.sql("SELECT * FROM impersonation_grant ORDER BY started_at, id")
ROWS = Prepared.sql("SELECT * FROM audit_event WHERE event = :event ORDER BY at, number")


async def login(browser: Browser, someone: Someone = people.ASHA, **typed: Any) -> Page:
    assert someone.home is not None
    form = await browser.open(f"/staff/customers/{someone.home.id}/login/{someone.id}")
    return await form.submit("visit-form", **{"reason": REASON} | typed)


def prefix_of(page: Page) -> str:
    found = re.match(r"/as/[0-9a-f-]{36}", page.path)
    assert found, page.path
    return found[0]


async def allow(app: Application, *actions: str) -> None:
    """As the operator switches them on, and all others off."""
    async with transaction():
        wanted = {f"acting.{action}": "on" if action in actions else "off" for action in acting.words()}
        await store.write(people.ADMIN.id, wanted, was={})
    await app.site.standing.look()


async def rows(event: str) -> list[dict[str, Any]]:
    return await fetch(ROWS.bind(event=event))


# It works.


async def test_the_portal_opens_as_the_customer_sees_it(app: Application, dina: Browser, asha: Browser) -> None:
    seen = await login(dina)
    own = await asha.open("/")
    assert seen.heading == own.heading
    assert "Asha Patel (100201) as Dina Farrow from support" in seen.text
    assert "60 minutes left" in seen.text
    assert "[Support]" in seen.html.xpath("string(//title)")
    prefix = prefix_of(seen)
    for path in ("/services", "/usage", "/billing", "/billing/invoices", "/topup", "/account", "/activity", "/alerts"):
        there, here = await dina.open(prefix + path), await asha.open(path)
        assert (there.status, there.heading) == (here.status, here.heading), path


async def test_every_link_and_form_of_every_page_stays_inside(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    routed = router_of(app)
    waiting, seen = [f"{prefix}/"], set[str]()
    while waiting and len(seen) < 70:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        page = await dina.open(path, follow=False)
        assert page.status in (200, 303, 403), (path, page.status)
        if page.status == 303:
            assert page.headers["location"].startswith(prefix), path
            continue
        if not page.headers["content-type"].startswith("text/html"):
            continue
        for link in page.html.xpath(
            "//a/@href | //form/@action | //@hx-get | //@hx-post | //@data-stay | //@data-alive"
        ):
            if link.startswith("/") and not link.startswith("/static/"):
                assert link.startswith(prefix), (path, link)
                assert routed(link.removeprefix(prefix) or "/"), (path, link)
        waiting += [link for link in page.html.xpath("//a/@href") if followed(link)]
    assert len(seen) > 25


async def test_three_customers_in_three_tabs_and_one_stopped(app: Application, dina: Browser) -> None:
    tabs = {}
    for someone in (people.ASHA, people.CHIDI, people.HANA):
        tabs[someone.key] = prefix_of(await login(dina, someone))
    chidi = await dina.open(tabs["chidi"] + "/account")
    stopped = await press_stop(chidi)
    assert stopped.heading == "The visit is over"
    gone = await dina.open(tabs["chidi"] + "/account")
    assert gone.status == 410
    assert "Chidi" not in gone.text
    for key, name in (("asha", "Asha Patel"), ("bloom", "Bloom Ltd")):
        page = await dina.open(tabs[key] + "/account")
        assert page.status == 200
        assert name in page.text
    assert (await dina.open("/staff")).status == 200


async def press_stop(page: Page) -> Page:
    form = page.one("//section[@class='acting']//form")
    return await page.browser.post(form.get("action"), {"csrf": form.xpath("string(.//input[@name='csrf']/@value)")})


async def test_staffs_own_sign_in_stays_what_it_is(app: Application, dina: Browser) -> None:
    before = dict(dina.client.cookies)
    await login(dina)
    assert dict(dina.client.cookies) == before
    assert "Dina Farrow" in (await dina.open("/staff")).text


async def test_the_customer_reads_who_looked_when_at_what_and_why(
    app: Application, dina: Browser, asha: Browser
) -> None:
    prefix = prefix_of(await login(dina))
    await dina.open(prefix + "/billing")
    await press_stop(await dina.open(prefix + "/usage"))
    shown = (await asha.open("/activity?kind=as")).text
    assert f"Support opened your account. Reason: {REASON}" in shown
    assert "Support looked at your bills" in shown
    assert "Support looked at your usage" in shown
    assert "Support closed your account" in shown
    assert "Dina from support" in shown
    for event in ("as.opened", "as.looked", "as.stopped"):
        for row in await rows(event):
            assert (row["actor_user_id"], row["user_id"]) == (people.DINA.id, people.ASHA.id)
            assert str(row["grant_id"]) in prefix
            assert row["customer_id"] == people.PATEL.id


async def test_the_customer_gets_a_mail(app: Application, dina: Browser) -> None:
    await login(dina)
    (mail,) = [one for one in await mails_to(app, people.ASHA.email) if "Support opened" in one.subject]
    assert REASON in mail.text
    assert "Dina" in mail.text
    assert "Farrow" not in mail.text


async def test_the_customer_ends_it_at_once(app: Application, dina: Browser, asha: Browser) -> None:
    prefix = prefix_of(await login(dina))
    page = await asha.open("/activity/support")
    assert "Dina" in page.text
    ended = await page.submit(f"end-{prefix.removeprefix('/as/')}")
    assert "Nobody of support is looking" in ended.text
    over = await dina.open(prefix + "/account")
    assert over.status == 410
    assert "The customer ended it." in over.text


async def test_a_named_action_is_done_for_the_customer_under_both_names(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    await allow(app, "auto_renew")
    await change("UPDATE service SET contract_ends_on = NULL WHERE id = :id", id=people.ASHA_MOBILE)
    page = await dina.open(f"{prefix}/services/{people.ASHA_MOBILE}/renewal")
    assert page.status == 200
    (form,) = page.html.xpath("//main//form[@method='post']")
    sent = {"csrf": form.xpath("string(.//input[@name='csrf']/@value)")}
    sent |= {field.get("name"): field.get("value", "") for field in form.xpath(".//input[@name] | .//button[@name]")}
    assert (await dina.post(form.get("action"), sent)).status == 403
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=["auto_renew"])
    assert (await dina.post(form.get("action"), sent)).status == 200
    (row,) = await rows("services.renewal_switched")
    assert (row["actor_user_id"], row["user_id"]) == (people.DINA.id, people.ASHA.id)
    assert str(row["grant_id"]) in prefix


async def test_a_service_is_renamed_for_the_customer_who_reads_both_names(
    app: Application, admin: Browser, asha: Browser
) -> None:
    await allow(app, "rename")
    prefix = prefix_of(await login(admin, actions=["rename"]))
    page = await admin.open(f"{prefix}/services/{people.ASHA_MOBILE}/name")
    assert "Allowed: look, rename services." in page.text
    assert (await page.submit("name-form", nickname="Asha at work")).status == 200
    assert "Asha at work" in (await asha.open(f"/services/{people.ASHA_MOBILE}")).text
    (row,) = await rows("services.renamed")
    assert (row["actor_user_id"], row["user_id"]) == (people.ADMIN.id, people.ASHA.id)
    assert str(row["grant_id"]) in prefix
    assert "A service was renamed Ada from support, for you" in (await asha.open("/activity")).text


async def test_an_action_that_the_operator_switches_off_is_gone_from_open_visits(
    app: Application, admin: Browser
) -> None:
    await allow(app, "rename")
    prefix = prefix_of(await login(admin, actions=["rename"]))
    page = await admin.open(f"{prefix}/services/{people.ASHA_MOBILE}/name")
    await allow(app)
    assert (await page.submit("name-form", nickname="Mine now")).status == 403
    assert "Look only." in (await admin.open(prefix + "/")).text
    assert await rows("services.renamed") == []


async def test_only_what_is_switched_on_and_exists_is_offered_to_who_may_edit(
    app: Application, admin: Browser, eli: Browser
) -> None:
    form = f"/staff/customers/{people.PATEL.id}/login/{people.ASHA.id}"
    assert (await admin.open(form)).html.xpath("//input[@name='actions']/@value") == []
    await allow(app, *acting.words())
    offered = (await admin.open(form)).html.xpath("//input[@name='actions']/@value")
    assert {"auto_renew", "rename"} <= set(offered) <= {access.acting for access in TABLE.values()}
    await change(
        "UPDATE app_user SET staff_rights = :rights WHERE id = :id",
        rights=["view_customer", "can_impersonate"],
        id=people.ELI.id,
    )
    assert (await eli.open(form)).html.xpath("//input[@name='actions']/@value") == []
    prefix = prefix_of(await login(eli, actions=["rename"]))
    assert "Look only." in (await eli.open(prefix + "/")).text


# What is refused.


async def test_everything_but_looking_is_refused_on_the_server(app: Application, dina: Browser) -> None:
    """All routes there are, by their own methods, straight at the server with a right token of that tab."""
    prefix = prefix_of(await login(dina))
    token = (await dina.open(prefix + "/account")).html.xpath("string((//input[@name='csrf'])[1]/@value)")
    refused = 0
    for pattern, handler in handlers(app):
        name, access = handler.name or "", TABLE[handler.name or ""]
        if name in ("acting.stop", "staff.visits.stop") or (access.flag and access.flag not in app.site.flags):
            continue
        for path in list(filled(pattern, {}))[:1]:
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                if method == "GET":
                    page = await dina.open(prefix + path, follow=False)
                    may = access.acting == LOOK
                else:
                    page = await dina.post(prefix + path, {"csrf": token}, follow=False)
                    may = access.acting == STOP
                if may:
                    assert page.status < 500, (name, page.status)
                else:
                    assert page.status == 403, (name, method, page.status)
                    assert "Only the customer" in page.text or access.who is Who.MACHINE, name
                    refused += 1
    assert refused > 60
    assert len(await rows("as.refused")) >= refused - 2
    assert (await dina.open(prefix + "/account")).status == 200


NEVER_EVER = ("password", "email", "phone", "security", "passkeys", "people", "cards", "keys", "puk", "install", "csv")


def test_no_row_of_the_table_lets_support_do_what_only_customers_may() -> None:
    """Changing anything needs a named action; these are never one, and pages about them are for looking at most."""
    for name, access in TABLE.items():
        if access.acting in (LOOK, "never", STOP):
            continue
        assert not any(word in name for word in NEVER_EVER), name
        assert not access.step_up, name
    for name in ("services.sim.show_puk", "account.change_password", "account.people.invite", "account.security.off"):
        assert TABLE[name].acting == "never"


@pytest.mark.parametrize("reason", ["", "too short", "         ", "x" * 501])
async def test_a_reason_is_needed(app: Application, dina: Browser, reason: str) -> None:
    page = await login(dina, reason=reason)
    assert page.status == 422
    assert page.error("reason")
    assert await fetch(GRANTS.bind()) == []


async def test_without_the_right_there_is_no_button_and_no_page(app: Application, eli: Browser) -> None:
    page = await eli.open(f"/staff/customers/{people.PATEL.id}/contacts")
    assert "Login as User" not in page.text
    assert "You need the right" in page.text
    path = f"/staff/customers/{people.PATEL.id}/login/{people.ASHA.id}"
    assert (await eli.open(path)).status == 404
    assert [row["outcome"] for row in await rows("sign_in.denied")] == ["refused"]


async def test_somebody_elses_grant_opens_nothing(
    app: Application, dina: Browser, admin: Browser, asha: Browser, visitor: Browser
) -> None:
    prefix = prefix_of(await login(dina))
    for browser in (admin, asha, visitor):
        for path in ("/", "/account", "/billing"):
            page = await browser.open(prefix + path, follow=False)
            assert page.status == 404, browser.name
            assert "Asha Patel" not in page.text or browser is asha
    for guessed in ("01900000-0000-7000-8000-000000000000", "x", "../staff", prefix.removeprefix("/as/").upper()):
        assert (await dina.open(f"/as/{guessed}/account", follow=False)).status == 404


async def test_staff_and_strangers_to_the_customer_cannot_be_opened(app: Application, admin: Browser) -> None:
    for user in (people.DINA, people.ADMIN, people.CHIDI):
        assert (await admin.open(f"/staff/customers/{people.PATEL.id}/login/{user.id}")).status == 404
    form = await admin.open(f"/staff/customers/{people.PATEL.id}/login/{people.BEN.id}")
    await change(
        "UPDATE app_user SET staff_rights = :rights WHERE id = :id", rights=["view_customer"], id=people.BEN.id
    )
    page = await form.submit("visit-form", reason=REASON)
    assert page.status == 422
    assert "staff cannot be opened" in page.text


async def test_a_token_of_one_tab_is_no_use_in_another(app: Application, dina: Browser) -> None:
    asha = await dina.open(prefix_of(await login(dina)) + "/account")
    chidi = prefix_of(await login(dina, people.CHIDI))
    token = asha.html.xpath("string((//input[@name='csrf'])[1]/@value)")
    page = await dina.post(chidi + "/support-visit/stop", {"csrf": token})
    assert page.status == 419
    assert (await dina.open(chidi + "/account")).status == 200


# How it ends.


async def test_it_ends_after_15_minutes_without_a_click_and_polling_is_no_click(
    app: Application, dina: Browser
) -> None:
    prefix = prefix_of(await login(dina))
    clock.travel_by(timedelta(minutes=14))
    assert (await dina.open(prefix + "/account")).status == 200
    for _minute in range(14):
        clock.travel_by(timedelta(minutes=1))
        assert (await dina.open(prefix + "/sign-in/alive")).status == 204
    clock.travel_by(timedelta(minutes=1))
    assert (await dina.open(prefix + "/sign-in/alive")).status == 410
    over = await dina.open(prefix + "/account")
    assert over.status == 410
    assert "It ran out" in over.text


async def test_it_ends_after_an_hour_however_busy(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    for _step in range(5):
        clock.travel_by(timedelta(minutes=11))
        assert (await dina.open(prefix + "/account")).status == 200
    clock.travel_by(timedelta(minutes=5))
    assert (await dina.open(prefix + "/account")).status == 410
    assert [row["stopped_by"] for row in await fetch(GRANTS.bind())] == ["time"]


@pytest.mark.parametrize(
    ("sql", "of"),
    [
        ("UPDATE app_user SET staff_rights = '[\"view_customer\"]' WHERE id = :id", people.DINA.id),
        ("UPDATE app_user SET disabled_at = '2026-11-22 12:00:00+00:00' WHERE id = :id", people.ASHA.id),
        ("UPDATE app_user SET staff_rights = '[\"view_customer\"]' WHERE id = :id", people.ASHA.id),
        ("UPDATE membership SET removed_at = '2026-11-22 12:00:00+00:00' WHERE user_id = :id", people.ASHA.id),
        ("UPDATE customer SET status = 'archived' WHERE id = :id", people.PATEL.id),
    ],
    ids=["right lost", "person disabled", "person made staff", "place lost", "customer archived"],
)
async def test_it_ends_with_what_it_rests_on(app: Application, dina: Browser, sql: str, of: UUID) -> None:
    prefix = prefix_of(await login(dina))
    await change(sql, id=of)
    over = await dina.open(prefix + "/account")
    assert over.status == 410
    assert "It is not allowed any more" in over.text
    assert "Asha" not in over.text.replace("Dina", "")
    assert [row["stopped_by"] for row in await fetch(GRANTS.bind())] == ["right"]


async def test_it_ends_with_the_staff_members_sign_in(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    console = await dina.open("/staff")
    await dina.post("/sign-in/out", {"csrf": console.html.xpath("string((//input[@name='csrf'])[1]/@value)")})
    assert (await dina.open(prefix + "/account", follow=False)).status == 404
    await dina.sign_in(people.DINA.email)
    over = await dina.open(prefix + "/account")
    assert over.status == 410
    assert "Asha Patel" not in over.text


async def test_a_visit_nobody_comes_back_to_is_closed_in_the_log(app: Application, dina: Browser) -> None:
    await login(dina)
    assert await grants.stop_overdue() == 0
    clock.travel_by(timedelta(minutes=16))
    assert "as.stop_overdue" in registry(app.site.settings, app.ports)
    assert await grants.stop_overdue() == 1
    assert await grants.stop_overdue() == 0
    assert [row["details"] for row in await rows("as.stopped")] == ['{"by":"time"}']


async def test_stopping_twice_is_one_end(app: Application, dina: Browser) -> None:
    page = await dina.open(prefix_of(await login(dina)) + "/account")
    await press_stop(page)
    again = await press_stop(page)
    assert again.status == 410
    assert len(await rows("as.stopped")) == 1


async def test_htmx_parts_of_a_visit_that_is_over_show_nothing(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    await press_stop(await dina.open(prefix + "/"))
    page = await dina.open(f"{prefix}/usage/{people.ASHA_MOBILE}/balance", htmx=True)
    assert page.status == 410
    assert "GB" not in page.text


async def test_pages_of_a_visit_are_kept_nowhere(app: Application, dina: Browser) -> None:
    prefix = prefix_of(await login(dina))
    for path in ("/", "/billing", "/usage"):
        assert "no-store" in (await dina.open(prefix + path)).headers["cache-control"]
