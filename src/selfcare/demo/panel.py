"""/demo: who there is, a clock to turn, and something to use. For everybody, like all of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people, turning, vouchers
from selfcare.demo.simulator import Happened, What, use_something
from selfcare.demo.timeline import add_months
from selfcare.kernel import clock
from selfcare.kernel.words import _
from selfcare.ports.charging import Charging
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

STEPS = ("hour", "day", "week", "month")
BY_CHANCE = "chance"
USUAL = str(people.ASHA_MOBILE)
MOST_TIMES = 20
LAST_YEAR = 2100

_SERVICES = Prepared.sql(
    """
    SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, c.name AS customer, s.currency AS currency
      FROM service s JOIN customer c ON c.id = s.customer_id
     WHERE s.customer_id IN :homes AND s.state = 'active'
     ORDER BY c.number, s.type DESC, s.name, s.id
    """
)


@dataclass(frozen=True, slots=True)
class Line:
    id: UUID
    words: str
    currency: str


@dataclass(frozen=True, slots=True)
class Used:
    """What became of the uses: how many of what were counted, and why the others were not."""

    line: Line
    counted: list[tuple[str, int]]
    refused: list[str]


@get("/demo", name="demo")
async def show_panel(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    return await _panel(request, settings)


@post("/demo/clock", name="demo.clock", status_code=200)
async def turn_clock(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    form = await Form.read(request, "step", "on", "at")
    to = moment_in(form, settings.zone)
    if to is None:
        return await _panel(request, settings, "demo/_clock", turning_form=form, status=422)
    await turning.turn(to, settings)
    return go(request, "demo")


@post("/demo/use", name="demo.use", status_code=200)
async def use(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request, "service", "what", "times")
    lines = {str(line.id): line for line in await _lines()}
    service = form.choice("service", lines, _("Choose a service."))
    what = form.choice("what", {BY_CHANCE, *What})
    times = form.whole("times", least=1, most=MOST_TIMES)
    if service is None or what is None or times is None:
        return await _panel(request, settings, "demo/_use", using_form=form, status=422)
    used = await use_several(ports.charging, lines[service], None if what == BY_CHANCE else What(what), times)
    return await _panel(request, settings, "demo/_use", using_form=form, used=used)


@post("/demo/network", name="demo.network", status_code=200)
async def switch_network(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """How the network behaves with what is bought from now on."""
    form = await Form.read(request, "behaves")
    how = form.choice("behaves", set(Behaviour))
    if how is None:
        return await _panel(request, settings, "demo/_network", network_form=form, status=422)
    await network.behave(Behaviour(how))
    return go(request, "demo")


def moment_in(form: Form, zone: str) -> datetime | None:
    """The moment a pressed step or a typed date and time means; errors are noted in the form."""
    now = clock.now()
    here = now.astimezone(ZoneInfo(zone))
    match form["step"]:
        case "hour":
            return now + timedelta(hours=1)
        case "day" | "week":
            days = timedelta(days=1 if form["step"] == "day" else 7)
            return datetime.combine(here.date() + days, here.time(), here.tzinfo)
        case "month":
            return datetime.combine(add_months(here.date(), 1), here.time(), here.tzinfo)
    day = form.day("on")
    at = _hour(form)
    if day is None or at is None:
        return None
    to = datetime.combine(day, at, here.tzinfo)
    if not now < to or to.year >= LAST_YEAR:
        form.reject("on", _("The clock of the demo only goes forward. Choose a later date and time."))
        return None
    return to


async def use_several(charging: Charging, line: Line, what: What | None, times: int) -> Used:
    done = [await use_something(charging, line.id, what=what, currency=line.currency) for _n in range(times)]
    counted: dict[str, int] = {}
    for happened in done:
        if happened.taken.counted:
            words = what_words()[happened.what]
            counted[words] = counted.get(words, 0) + 1
    return Used(line, list(counted.items()), _refusals(done))


def what_words() -> dict[str, str]:
    return {
        What.DATA: _("Browsing"),
        What.VIDEO: _("A video"),
        What.CALL: _("A call"),
        What.CALL_ABROAD: _("A call to another country"),
        What.TEXT: _("A text"),
        What.PICTURE: _("A picture message"),
        What.ROAMING: _("Browsing abroad"),
    }


async def _panel(
    request: Request[Any, Any, Any],
    settings: Settings,
    fragment: str | None = None,
    *,
    turning_form: Form | None = None,
    using_form: Form | None = None,
    used: Used | None = None,
    network_form: Form | None = None,
    status: int = 200,
) -> Response[bytes]:
    here = clock.now().astimezone(ZoneInfo(settings.zone))
    lines = await _lines()
    return page(
        request,
        "demo/index",
        fragment=fragment,
        status=status,
        now=clock.now(),
        turning=turning_form if turning_form is not None else _a_day_later(here),
        using=using_form if using_form is not None else Form.empty(service=USUAL, what=BY_CHANCE, times="1"),
        steps=[("hour", _("1 hour")), ("day", _("1 day")), ("week", _("1 week")), ("month", _("1 month"))],
        services=[(str(line.id), line.words) for line in lines],
        whats=[(BY_CHANCE, _("Whatever people do")), *what_words().items()],
        network=network_form if network_form is not None else Form.empty(behaves=await network.behaviour()),
        behaviours=[
            (Behaviour.WORKS, _("It works"), _("Ready within seconds.")),
            (Behaviour.SLOW, _("It is slow"), _("A quarter of an hour: after ten minutes staff look at it.")),
            (Behaviour.FAILS, _("It fails"), _("The money comes back by itself.")),
            (Behaviour.UNKNOWN, _("No answer comes"), _("Nobody knows what became of it; staff decide.")),
        ],
        used=used,
        said=_said(used),
        everybody=people.EVERYBODY,
        password=people.PASSWORD,
        vouchers=vouchers.shown(),
        on_machine_time=clock.offset() == timedelta(0),
    )


async def _lines() -> list[Line]:
    rows = await fetch(_SERVICES.bind(homes=[home.id for home in people.HOUSEHOLDS]))
    return [Line(row["id"], f"{row['customer']}: {row['name']}", row["currency"]) for row in rows]


def _a_day_later(here: datetime) -> Form:
    return Form.empty(on=str(here.date() + timedelta(days=1)), at=f"{here:%H:%M}")


def _said(used: Used | None) -> str:
    if used is None or not used.counted:
        return ""
    return ", ".join(f"{words} × {many}" if many > 1 else words for words, many in used.counted)


def _refusals(done: list[Happened]) -> list[str]:
    return list(dict.fromkeys(refused.why for happened in done for refused in happened.taken.refused))


def _hour(form: Form) -> time | None:
    try:
        return time.fromisoformat(form["at"])
    except ValueError:
        form.reject("at", _("Enter a time like 14:30."))
        return None


router = Router("/", route_handlers=[show_panel, turn_clock, use, switch_network])
