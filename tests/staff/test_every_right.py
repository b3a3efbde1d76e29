"""Every route of the console by every right, straight at the server: what is refused is written down."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import cast

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch
from selfcare.demo import people
from selfcare.identity import acting
from selfcare.identity.permissions import TABLE, Access, Who
from selfcare.identity.rights import StaffRight
from tests.pages import expected
from tests.pages.test_every_page import filled
from tests.pages.test_permissions import handlers
from tests.staff.test_visits import allow, login, prefix_of
from tests.support.browser import Browser

DENIED = Prepared.sql("SELECT details FROM audit_event WHERE event = 'sign_in.denied' ORDER BY number")
RIGHTS = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
ALL = [right.value for right in StaffRight if right is not StaffRight.ADMIN]


@pytest.mark.parametrize("right", sorted(expected.STAFF))
async def test_a_route_opens_for_its_right_and_for_no_other(app: Application, dina: Browser, right: str) -> None:
    names = set(expected.STAFF[right])
    assert await refused(app, dina, [right] if right else ["post_news"], names) == set()
    if right:
        assert await refused(app, dina, [one for one in ALL if one != right], names) == names


async def test_an_opened_row_is_seen_at_the_server(
    app: Application, dina: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above would say of it."""
    row = replace(TABLE["staff.payments.refund"], right=None)
    monkeypatch.setitem(cast("dict[str, Access]", TABLE), "staff.payments.refund", row)
    names = set(expected.STAFF["refund_payment"])
    others = [one for one in ALL if one != "refund_payment"]
    assert await refused(app, dina, others, names) == names - {"staff.payments.refund"}


async def test_nobody_without_a_staff_right_reaches_the_console(app: Application, asha: Browser) -> None:
    token = await asha.csrf("/account")
    for pattern, handler in handlers(app):
        if TABLE[handler.name or ""].who is Who.STAFF:
            (path, *_more) = filled(pattern, {})
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                answer = await (asha.open(path) if method == "GET" else asha.post(path, {"csrf": token}))
                assert answer.status == 404, (handler.name, method)


async def test_a_visit_changes_nothing_that_its_grant_does_not_name(app: Application, dina: Browser) -> None:
    """With a grant for everything there is, only the named rows open."""
    await allow(app, *acting.words())
    prefix = prefix_of(await login(dina))
    async with transaction():
        allowed = sorted({*expected.ACTED.values(), "look", "never", "stop"})
        await execute(Prepared.sql("UPDATE impersonation_grant SET allowed = :allowed").bind(allowed=allowed))
    token = (await dina.open(prefix + "/account")).html.xpath("string((//input[@name='csrf'])[1]/@value)")
    open_ones = set()
    for pattern, handler in handlers(app):
        name, access = handler.name or "", TABLE[handler.name or ""]
        if name == "acting.stop" or (access.flag and access.flag not in app.site.flags):
            continue
        (path, *_more) = filled(pattern, {})
        for method in handler.http_methods - {"HEAD", "OPTIONS", "GET"}:
            answer = await dina.client.request(
                method,
                prefix + path,
                content=f"csrf={token}",
                headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"},
            )
            if answer.status_code != 403:
                open_ones.add(name)
        if name in expected.NEVER_SHOWN and "GET" in handler.http_methods:
            assert (await dina.open(prefix + path, follow=False)).status == 403, name
    assert open_ones == set(expected.ACTED) - {"acting.stop"}


async def refused(app: Application, staff: Browser, rights: Collection[str], names: Collection[str]) -> set[str]:
    """Those of the routes at which the guard refuses Dina with these rights."""
    async with transaction():
        await execute(RIGHTS.bind(id=people.DINA.id, rights=list(rights)))
    before = len(await fetch(DENIED.bind()))
    token = await staff.csrf("/staff")
    for pattern, handler in handlers(app):
        if handler.name in names:
            (path, *_more) = filled(pattern, {"section": ["brand"]})
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                form = {"csrf": token}
                answer = await (
                    staff.open(path, follow=False) if method == "GET" else staff.post(path, form, follow=False)
                )
                assert answer.status < 500, (handler.name, answer.status)
    return {as_json(row["details"])["route"] for row in (await fetch(DENIED.bind()))[before:]}
