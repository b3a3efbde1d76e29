"""/styleguide: every component in every state, for designers, writers and the screenshot test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, Router, get

from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import Section, page


@dataclass(frozen=True, slots=True)
class Bucket:
    """One line of a ribbon's key."""

    label: str
    left: str
    ends: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of the chart."""

    label: str
    value: str
    height: int
    now: bool = False


BUCKETS = (
    Bucket("Welcome bonus", "1.1 GB", "ends 25 Nov 2026, 23:59"),
    Bucket("Top-up 5 GB", "2.3 GB", "ends 6 Dec 2026, 14:10"),
    Bucket("Lark 20", "16.4 GB", "ends 6 Dec 2026, 23:59"),
)
DAYS = (34, 52, 18, 0, 61, 100, 87, 41, 38, 22, 56, 73, 64, 29)


@get("/styleguide", name="styleguide")
async def show_styleguide(request: Request[Any, Any, Any]) -> Response[bytes]:
    url = context_of(request).url
    good = Form.empty("email", "amount", "phone", "plan", "country", "note", email="asha@example.test", plan="10")
    bad = Form.empty("email", "password", "amount", "code", "plan", "terms", email="asha@example", amount="0.20")
    bad.reject(None, "Your bank did not allow this payment. No money was taken.")
    bad.reject("email", "Enter an e-mail address like name@example.com.")
    bad.reject("password", "The password needs a number and one of !@#$%^&*.")
    bad.reject("amount", "Enter an amount from £0.50 to £46.15.")
    bad.reject("code", "That code is wrong or already used.")
    bad.reject("plan", "Choose one of the top-ups.")
    bad.reject("terms", "Tick this to go on.")
    return page(
        request,
        "styleguide/index",
        nav=[
            Section(label, url("styleguide"), icon, current)
            for label, icon, current in (
                ("Dashboard", "home", True),
                ("Services", "services", False),
                ("Usage", "usage", False),
                ("Billing", "billing", False),
                ("Top-Up", "topup", False),
                ("Account", "account", False),
            )
        ],
        good=good,
        bad=bad,
        buckets=BUCKETS,
        bars=[
            Bar(f"{day + 9} Nov", f"{height * 12} MB", height, now=day == len(DAYS) - 1)
            for day, height in enumerate(DAYS)
        ],
    )


router = Router(path="/", route_handlers=[show_styleguide])
