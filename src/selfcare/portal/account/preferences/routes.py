"""Handlers of /account/preferences."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.account.preferences import preferences
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/preferences", name="account.preferences")
async def show(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """For htmx only the example, as it would look with what is chosen but not saved."""
    person = identity.user
    form = Form.empty(language=person.language, zone=person.zone or "", theme=person.theme)
    asked = request.query_params.get("zone", form["zone"])
    form.values["zone"] = asked if preferences.is_zone(asked) else ""
    return _page(request, identity, settings, form, fragment="account/preferences/_example")


@post("/account/preferences", name="account.preferences.save", status_code=200)
async def save(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form = await Form.read(request, "language", "zone", "theme")
    language = form.choice("language", preferences.LANGUAGES)
    theme = form.choice("theme", preferences.THEMES)
    if form["zone"] and not preferences.is_zone(form["zone"]):
        form.reject("zone", _("Choose one of the options."))
    if language is None or theme is None or not form:
        return _page(request, identity, settings, form, fragment="account/preferences/_form", status=422)
    await preferences.choose(identity, language=language, zone=form["zone"] or None, theme=theme)
    return go(request, "account" if identity.can(Right.VIEW_OWN_ACCOUNT) else "account.preferences")


def _page(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    form: Form,
    *,
    fragment: str,
    status: int = 200,
) -> Response[bytes]:
    default = (identity.scope.zone if identity.scope else None) or settings.zone
    chosen = form["zone"] if preferences.is_zone(form["zone"]) else default
    return page(
        request,
        "account/preferences/index",
        fragment=fragment,
        status=status,
        form=form,
        languages=preferences.LANGUAGES,
        zones=preferences.zones(),
        default_zone=default,
        chosen_zone=chosen,
        now=clock.now(),
        sample=Money(123_450, identity.scope.currency if identity.scope else settings.currency),
    )


router = Router("/", route_handlers=[show, save])
