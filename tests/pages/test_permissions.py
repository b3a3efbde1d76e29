"""The table route × person against the application's real routes, and against what really happens."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from selfcare.app import Application
from selfcare.identity.permissions import LOOK, NEVER, TABLE, Access, Who
from selfcare.identity.rights import StaffRight
from selfcare.web import pages
from tests.pages import expected, places
from tests.pages.places import CUSTOMERS_OF
from tests.pages.test_every_page import filled
from tests.support.browser import Browser

# Where no token is asked for, and why that is safe.
WITHOUT_TOKEN: dict[str, str] = {
    "feeds.usage": "a key in a header proves who sends; no cookie is looked at",
    "feeds.addresses": "a key in a header proves who sends; no cookie is looked at",
    "feeds.speed": "a key in a header proves who sends; no cookie is looked at",
    "feeds.provisioning": "the network signs the body; no cookie is looked at",
    "hooks.payments": "the gateway signs the body; no cookie is looked at",
}


def test_every_route_has_a_name_and_a_row(app: Application) -> None:
    names = {handler.name for _path, handler in handlers(app)}
    assert names <= set(TABLE), names - set(TABLE)


def test_no_row_is_for_a_route_that_does_not_exist(app: Application) -> None:
    names = {handler.name for _path, handler in handlers(app)}
    assert set(TABLE) <= names, set(TABLE) - names


def test_every_page_of_a_customer_stands_under_a_section() -> None:
    """Else the navigation says of no section that one is in it."""
    sections = {route for route, _label, _icon in pages._portal()}
    stray = [
        name for name, access in TABLE.items() if access.who is Who.CUSTOMER and pages._section_of(name) not in sections
    ]
    assert stray == []


async def test_a_handler_without_a_row_answers_nobody(app: Application, asha: Browser) -> None:
    """The framework adds OPTIONS to every address by itself."""
    for path in ("/", "/account", "/sign-in"):
        assert (await asha.client.options(path)).status_code == 404


def test_what_goes_without_a_token_is_listed_here(app: Application) -> None:
    without = {
        name
        for name, access in TABLE.items()
        if not access.csrf and any(method not in ("GET", "HEAD") for method in methods(app, name))
    }
    assert without == set(WITHOUT_TOKEN)


def test_each_route_of_the_console_has_the_right_that_was_said_twice(app: Application) -> None:
    assert strayed() == []


def test_a_row_of_the_table_that_somebody_opens_is_seen(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = {
        "staff.payments.refund": replace(TABLE["staff.payments.refund"], right=StaffRight.VIEW_BILLING),
        "staff.settings.save": replace(TABLE["staff.settings.save"], right=None),
        "staff.audit_csv": replace(TABLE["staff.audit_csv"], who=Who.SIGNED_IN),
        "cards.show": replace(TABLE["cards.show"], acting=LOOK),
        "pay.start": replace(TABLE["pay.start"], acting="rename"),
        "account.password": replace(TABLE["account.password"], acting=LOOK),
    }
    for name, row in opened.items():
        with monkeypatch.context() as patch:
            patch.setitem(cast("dict[str, Access]", TABLE), name, row)
            assert name in strayed()


def strayed() -> list[str]:
    """Rows that say something else than `expected`."""
    rights = {name: right for right, names in expected.STAFF.items() for name in names}
    found = [name for name in rights if TABLE[name].who is not Who.STAFF or (TABLE[name].right or "") != rights[name]]
    found += [name for name, access in TABLE.items() if access.who is Who.STAFF and name not in rights]
    for name, access in TABLE.items():
        if access.acting not in (LOOK, NEVER) and expected.ACTED.get(name) != access.acting:
            found.append(name)
        if name in expected.NEVER_SHOWN and access.acting != NEVER:
            found.append(name)
        of_all = access.who in (Who.SIGNED_IN, Who.ANYBODY, Who.MACHINE)
        if of_all and access.acting == LOOK and name not in expected.SHOWN_TO_ALL | {"sign_in.stay"}:
            found.append(name)
    return found


async def test_a_visitor_gets_no_page_of_a_customer_and_none_of_staff(app: Application, visitor: Browser) -> None:
    for name, path in get_pages(app):
        if TABLE[name].who in (Who.CUSTOMER, Who.STAFF, Who.SIGNED_IN):
            answer = await visitor.open(path, follow=False)
            assert answer.status == 303, (name, answer.status)
            assert answer.headers["location"].startswith("/sign-in"), name


async def test_staff_get_no_page_of_a_customer_by_their_own_sign_in(app: Application, admin: Browser) -> None:
    for name, path in get_pages(app):
        if TABLE[name].who is Who.CUSTOMER and name != "dashboard":
            assert (await admin.open(path, follow=False)).status == 404, name
    assert (await admin.open("/")).path == "/staff"


async def test_customers_get_no_page_of_staff(app: Application, asha: Browser) -> None:
    for name, path in get_pages(app):
        if TABLE[name].who is Who.STAFF:
            assert (await asha.open(path, follow=False)).status == 404, name


async def test_a_strangers_things_are_not_found(app: Application, asha: Browser) -> None:
    """Every page with an id, asked by Asha for what belongs to Chidi or Bloom: as if it did not exist."""
    checked = 0
    for owner in ("chidi", "bloom"):
        assert CUSTOMERS_OF[owner] != CUSTOMERS_OF["asha"]
        own = await places.own_ids(owner)
        for pattern, handler in handlers(app):
            access = TABLE[handler.name or ""]
            if "{" not in pattern or "GET" not in handler.http_methods or access.who is not Who.CUSTOMER:
                continue
            for path in filled(pattern, dict(own)):
                answer = await asha.open(path, follow=False)
                asked_to_prove = access.step_up and answer.status == 303
                assert answer.status == 404 or asked_to_prove, (handler.name, path, answer.status)
                checked += 1
    assert checked >= 4


def handlers(app: Application) -> list[tuple[str, HTTPRouteHandler]]:
    """Every address and what answers there, but for the OPTIONS that the framework adds."""
    return [
        (route.path_format, handler)
        for route in app.inside.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if handler.http_methods != {"OPTIONS"}
    ]


def methods(app: Application, name: str) -> set[str]:
    return {method for _path, handler in handlers(app) if handler.name == name for method in handler.http_methods}


def get_pages(app: Application) -> list[tuple[str, str]]:
    return [
        (handler.name or "", path)
        for pattern, handler in handlers(app)
        if "GET" in handler.http_methods
        for path in filled(pattern, {})
    ]
