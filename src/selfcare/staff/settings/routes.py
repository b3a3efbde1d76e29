"""Handlers of /staff/settings."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.live import store
from selfcare.live.store import FIRST, Latest
from selfcare.settings import Settings
from selfcare.staff.settings import changing
from selfcare.staff.settings.entries import SECTIONS, Entry, Section, entries, features
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

MOST = 200
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WEB = re.compile(r"https://[^\s\"<>]+")


@get("/staff/settings", name="staff.settings")
async def show_flags(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return await _flags_page(request)


@post("/staff/settings/flags", name="staff.settings.switch", status_code=200)
async def switch(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "name", "value", "seen")
    value = form.choice("value", ("on", "off"))
    seen = form.whole("seen", least=0, most=FIRST)
    standing = context_of(request).site.standing
    if not form or value is None or seen is None:
        return await _flags_page(request, form, status=422)
    zone = identity.zone or standing.given.zone
    try:
        await changing.switch(standing.given, identity, form["name"], value, seen=seen, zone=zone)
    except Rejected as problem:
        form.reject(None, problem)
        return await _flags_page(request, form, status=422)
    await standing.look()
    return go(request, "staff.settings", done=form["name"])


@get("/staff/settings/{section:str}", name="staff.settings.section")
async def show_section(request: Request[Any, Any, Any], section: FromPath[str]) -> Response[bytes]:
    known = _section(section)
    found, latest, now = await _entries(request, known)
    form = Form.empty(seen=str(_seen(latest)), **{entry.field: _shown(entry, entry.value) for entry in found})
    return _section_page(request, known, found, form, now)


@post("/staff/settings/{section:str}", name="staff.settings.save", status_code=200)
async def save(
    request: Request[Any, Any, Any], section: FromPath[str], identity: NamedDependency[Identity]
) -> Response[bytes]:
    known = _section(section)
    standing = context_of(request).site.standing
    found, latest, now = await _entries(request, known)
    form = await Form.read(request, *(entry.field for entry in found), "seen", "do")
    seen = form.whole("seen", least=0, most=FIRST)
    typed = {entry.field: _typed(form, entry) for entry in found}
    if not form or seen is None:
        return _section_page(request, known, found, form, now, status=422)
    try:
        if form["do"] == "try":
            return _section_page(request, known, found, form, _tried(now, typed), tried=True)
        zone = identity.zone or standing.given.zone
        changed = await changing.change(standing.given, identity, found, typed, seen=seen, zone=zone)
    except Rejected as problem:
        form.reject(problem.field, problem)
        # Who saves again has read what the other person did.
        form.values["seen"] = str(_seen(latest))
        return _section_page(request, known, found, form, now, status=422)
    await standing.look()
    return go(request, "staff.settings.section", section=known, done=changed)


@get("/staff/settings/history", name="staff.settings.history")
async def show_history(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "staff/settings/history", changes=await store.history(MOST), most=MOST)


async def _flags_page(
    request: Request[Any, Any, Any], form: Form | None = None, *, status: int = 200
) -> Response[bytes]:
    standing = context_of(request).site.standing
    await standing.look()
    latest = await store.latest()
    return page(
        request,
        "staff/settings/flags",
        status=status,
        form=Form.empty() if form is None else form,
        features=features(standing.given, standing.settings, latest),
        seen=_seen(latest),
        done=request.query_params.get("done", ""),
    )


def _section_page(
    request: Request[Any, Any, Any],
    section: Section,
    found: list[Entry],
    form: Form,
    shown: Settings,
    *,
    status: int = 200,
    tried: bool = False,
) -> Response[bytes]:
    return page(
        request,
        "staff/settings/section",
        status=status,
        section=section,
        entries=found,
        form=form,
        colours=shown.operator.chosen if section == "brand" else (),
        tried=tried,
        done=request.query_params.get("done", ""),
    )


async def _entries(
    request: Request[Any, Any, Any], section: Section
) -> tuple[list[Entry], dict[str, Latest], Settings]:
    standing = context_of(request).site.standing
    await standing.look()
    latest = await store.latest()
    return entries(section, standing.given, standing.settings, latest), latest, standing.settings


def _section(name: str) -> Section:
    if name not in SECTIONS:
        raise NotFound
    return name


def _seen(latest: dict[str, Latest]) -> int:
    return max((row.revision for row in latest.values()), default=0)


def _shown(entry: Entry, value: str) -> str:
    """A check box is empty when off."""
    return "" if entry.kind == "switch" and value == "off" else value


def _typed(form: Form, entry: Entry) -> str:
    """As it is stored. What is wrong with it is noted in the form."""
    if entry.fixed_by is not None:
        form.values[entry.field] = _shown(entry, entry.value)
        return entry.value
    match entry.kind:
        case "switch":
            return "on" if form.flag(entry.field) else "off"
        case "number":
            number = form.whole(entry.field, least=entry.low, most=entry.high)
            return str(number)
        case "mail":
            return form.email(entry.field) or ""
    least = 1 if entry.required else 0
    text = form.text(entry.field, least=least, most=entry.high, lines=entry.kind == "lines") or ""
    if text and entry.kind == "colour":
        text = text.lower()
        if not _COLOUR.fullmatch(text):
            form.reject(entry.field, _("Write the colour like #5b2bd9."))
    if text and entry.kind == "web" and not _WEB.fullmatch(text):
        form.reject(entry.field, _("Start with https://."))
    if entry.kind == "lines" and (len(text.splitlines()) > 5 or any(len(line) > 60 for line in text.splitlines())):
        form.reject(entry.field, _("At most five lines of 60 letters."))
    return text


def _tried(now: Settings, typed: dict[str, str]) -> Settings:
    """The settings with what was typed, to look at only."""
    try:
        tried = now.changed(dict(now.changes) | {f"brand.{field}": value for field, value in typed.items()})
        tried.operator  # noqa: B018 - reading it is the check
    except ValueError as problem:
        raise Rejected(str(problem)) from problem
    return tried


router = Router("/", route_handlers=[show_flags, switch, show_history, show_section, save])
