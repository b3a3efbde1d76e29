"""What Lark Mobile sells. Prices include 20 % tax."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.demo.people import fixed

GB = 10**9
LARKS = ("lark-5", "lark-20", "lark-60", "lark-unlimited")
BUSINESS = ("business-30", "business-unlimited")
FIBRES = ("fibre-80", "fibre-500", "fibre-900")
TAX_PERMILLE = 200
TERMS = "https://lark.example/terms"
FIRST, SECOND, LAST = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    slug: str
    name: str
    category: str
    type: str
    price: int
    about: str
    features: tuple[str, ...] = ()
    grants: tuple[dict[str, Any], ...] = ()
    period: str = "none"
    setup: int = 0
    icon: str = "plan"
    only: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    custom: tuple[int, int] | None = None
    repeatable: bool = False
    editable: tuple[dict[str, Any], ...] = ()
    changes_to: tuple[str, ...] = ()
    min_term: int = 0
    enabled: bool = True
    lasts: int | None = None
    parts: tuple[tuple[str, int], ...] = ()
    refunds_all: bool = False
    activation: str | None = None
    starts: str = "now"
    wholesale: int | None = field(default=None)

    @property
    def id(self) -> UUID:
        return fixed(f"product/{self.slug}")

    @property
    def play(self) -> str:
        return f"play_{self.slug.replace('-', '_')}"

    def row(self, sort: int, at: datetime) -> dict[str, Any]:
        return {
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "description": self.about,
            "category": self.category,
            "service_type": self.type,
            "customer_types": json.dumps(self.only),
            "requires": json.dumps(self.requires),
            "excludes": json.dumps(self.excludes),
            "enabled": self.enabled,
            "sort": sort,
            "icon": self.icon,
            "features": json.dumps(self.features),
            "terms_url": TERMS,
            "price_minor": self.price,
            "setup_price_minor": self.setup,
            "currency": "GBP",
            "period": self.period,
            "custom_min_minor": self.custom[0] if self.custom else None,
            "custom_max_minor": self.custom[1] if self.custom else None,
            "tax_code": "standard",
            "tax_permille": TAX_PERMILLE,
            "grants": json.dumps(self.grants),
            "parts": json.dumps([{"product": slug, "price": price} for slug, price in self.parts]),
            "refunds_all": self.refunds_all,
            "repeatable": self.repeatable,
            "editable": json.dumps(self.editable),
            "changes_to": json.dumps([slug for slug in self.changes_to if slug != self.slug]),
            "min_term": self.min_term,
            "lasts_days": self.lasts,
            "activation": self.activation,
            "starts": self.starts,
            "version": 1,
            "provisioning_play": self.play,
            "provisioning_vars": json.dumps({"profile": self.slug}),
            "wholesale_cost_minor": self.wholesale if self.wholesale is not None else self.price * 6 // 10,
            "wholesale_setup_cost_minor": self.setup // 2,
            "created_at": at,
        }


def grant(kind: str, amount: int | None, label: str, **more: Any) -> dict[str, Any]:
    """`amount` None is unlimited; without `lifetime_days` it lasts for ever, of a plan until its period ends."""
    scope = "national" if kind in ("voice", "sms") else "any"
    usual = {"scope": scope, "consume_order": LAST, "mode": "add", "lifetime_days": None}
    return {"kind": kind, "amount": amount, "label": label, **usual, "counts_mms": False, "blocker": False, **more}


def _one_of(key: str, label: str, *choices: str, about: str = "") -> dict[str, Any]:
    """The first choice holds until it is changed."""
    more = {"choices": list(choices), "usual": choices[0], "about": about}
    return {"key": key, "label": label, "type": "choice", **more}


LINE_SETTINGS = (
    _one_of("voicemail", "Voicemail", "On", "Off"),
    {
        "key": "call_forwarding",
        "label": "Call forwarding",
        "type": "phone",
        "about": "Where calls go that you do not take.",
        "empty": "Off",
        "usual": "Off",
    },
    _one_of("premium", "Premium numbers", "Allowed", "Barred", about="Numbers that cost more than a usual call."),
    _one_of("abroad", "Calls to other countries", "Allowed", "Barred"),
)
INTERNET_SETTINGS = (
    _one_of("profile", "Speed profile", "Even", "Fast answers, for games and calls", "Fast downloads"),
    {
        "key": "reverse_name",
        "label": "Reverse name",
        "type": "host",
        "about": "The name your address answers to, like mail.example.com.",
        "empty": "None",
        "usual": "None",
        "price": 250,
    },
)


def _plan(slug: str, name: str, price: int, gigabytes: int | None, minutes: int | None, texts: int | None) -> Sold:
    data = f"{gigabytes} GB" if gigabytes else "Unlimited data"
    talk = f"{minutes} minutes" if minutes else "Unlimited minutes"
    text = f"{texts} texts" if texts else "Unlimited texts"
    return Sold(
        slug=slug,
        name=name,
        category="plan",
        type="mobile",
        price=price,
        about=f"{data}, {talk[0].lower()}{talk[1:]} and {text[0].lower()}{text[1:]} every month.",
        features=(data, talk, text, "Use it in Europe as at home"),
        period="month",
        icon="mobile",
        editable=LINE_SETTINGS,
        changes_to=LARKS,
        grants=(
            grant("data", gigabytes and gigabytes * GB, "Plan data", mode="reset"),
            grant("voice", minutes and minutes * 60, "Plan minutes", mode="reset"),
            grant("sms", texts, "Plan texts", mode="reset", counts_mms=True),
        ),
    )


LARK_5 = _plan("lark-5", "Lark 5", 800, 5, 250, 500)
LARK_20 = _plan("lark-20", "Lark 20", 1200, 20, 1000, 500)
LARK_60 = _plan("lark-60", "Lark 60", 1800, 60, None, None)
LARK_UNLIMITED = _plan("lark-unlimited", "Lark Unlimited", 2600, None, None, None)
PAY_AS_YOU_GO = Sold(
    slug="pay-as-you-go",
    name="Pay as you go",
    category="plan",
    type="mobile",
    price=0,
    about="No monthly price: calls 10p a minute, texts 5p, data 2p per MB, from your credit.",
    features=("Calls 10p a minute", "Texts 5p", "Data 2p per MB", "Credit never ends"),
    icon="mobile",
)
BUSINESS_30 = Sold(
    slug="business-30",
    name="Business Mobile 30",
    category="plan",
    type="mobile",
    price=1440,
    about="30 GB and unlimited calls and texts for each line of a company.",
    features=("30 GB", "Unlimited minutes", "Unlimited texts", "One bill for all lines"),
    period="month",
    icon="mobile",
    only=("business",),
    editable=LINE_SETTINGS,
    changes_to=BUSINESS,
    grants=(
        grant("data", 30 * GB, "Plan data", mode="reset"),
        grant("voice", None, "Plan minutes", mode="reset"),
        grant("sms", None, "Plan texts", mode="reset"),
    ),
)
BUSINESS_UNLIMITED = Sold(
    slug="business-unlimited",
    name="Business Mobile Unlimited",
    category="plan",
    type="mobile",
    price=2400,
    about="Unlimited data, calls and texts for people who are always on the road.",
    features=("Unlimited data", "Unlimited minutes", "Unlimited texts"),
    period="month",
    icon="mobile",
    only=("business",),
    changes_to=BUSINESS,
    grants=(
        grant("data", None, "Plan data", mode="reset"),
        grant("voice", None, "Plan minutes", mode="reset"),
        grant("sms", None, "Plan texts", mode="reset"),
    ),
)


def _internet(slug: str, name: str, price: int, speed: str, *, only: tuple[str, ...] = (), setup: int = 0) -> Sold:
    return Sold(
        slug=slug,
        name=name,
        category="plan",
        type="internet",
        price=price,
        setup=setup,
        about=f"Internet with up to {speed}, unlimited.",
        features=(f"Up to {speed}", "Unlimited data", "Wi-Fi router for the contract"),
        period="month",
        min_term=12,
        icon="internet",
        only=only,
        editable=INTERNET_SETTINGS,
        changes_to=FIBRES if slug in FIBRES else (),
        grants=(grant("data", None, "Home data", mode="reset"),),
    )


FIBRE_80 = _internet("fibre-80", "Home Fibre 80", 2800, "80 Mbps")
FIBRE_500 = _internet("fibre-500", "Home Fibre 500", 3600, "500 Mbps")
FIBRE_900 = _internet("fibre-900", "Home Fibre 900", 4500, "900 Mbps")
HOME_4G = _internet("home-4g", "Home 4G", 2400, "40 Mbps", setup=1000)
OFFICE_FIBRE = _internet("office-fibre-500", "Office Fibre 500", 5400, "500 Mbps", only=("business",))
TV_ESSENTIALS = Sold(
    slug="tv-essentials",
    name="TV Essentials",
    category="plan",
    type="iptv",
    price=900,
    about="70 channels over your internet line.",
    features=("70 channels", "Seven days of replay", "Two screens"),
    period="month",
    icon="tv",
)
OFFICE_LINE = Sold(
    slug="office-line",
    name="Office Line",
    category="plan",
    type="voip",
    price=960,
    about="A landline number over the internet with 2,000 minutes.",
    features=("2,000 minutes", "Call queue", "Voicemail by mail"),
    period="month",
    icon="voice",
    grants=(grant("voice", 2000 * 60, "Plan minutes", mode="reset"),),
)
LARK_10_OLD = Sold(
    slug="lark-10-2023",
    name="Lark 10 (2023)",
    category="plan",
    type="mobile",
    price=1000,
    about="Withdrawn; who has it keeps it.",
    period="month",
    icon="mobile",
    enabled=False,
    changes_to=LARKS,
    grants=(grant("data", 10 * GB, "Plan data", mode="reset"),),
)
PLANS = (
    LARK_5,
    LARK_20,
    LARK_60,
    LARK_UNLIMITED,
    PAY_AS_YOU_GO,
    BUSINESS_30,
    BUSINESS_UNLIMITED,
    FIBRE_80,
    FIBRE_500,
    FIBRE_900,
    HOME_4G,
    OFFICE_FIBRE,
    TV_ESSENTIALS,
    OFFICE_LINE,
    LARK_10_OLD,
)


def _topup(slug: str, name: str, price: int, about: str, given: dict[str, Any], icon: str) -> Sold:
    return Sold(
        slug=slug,
        name=name,
        category="topup",
        type="mobile",
        price=price,
        about=about,
        features=("On top of what you have", about),
        grants=(given,),
        icon=icon,
        repeatable=True,
    )


def _extra_data(gigabytes: int, price: int) -> Sold:
    given = grant("data", gigabytes * GB, f"{gigabytes} GB top-up", consume_order=SECOND, lifetime_days=30)
    return _topup(f"data-{gigabytes}", f"{gigabytes} GB extra data", price, "Lasts 30 days", given, "data")


def _credit(pounds: int) -> Sold:
    given = grant("money", pounds * 100, "Credit", consume_order=SECOND)
    return _topup(f"credit-{pounds}", f"£{pounds} credit", pounds * 100, "Does not end", given, "money")


def _minutes(n: int, price: int) -> Sold:
    given = grant("voice", n * 60, f"{n} extra minutes", consume_order=SECOND, lifetime_days=30)
    return _topup(f"minutes-{n}", f"{n} extra minutes", price, "Lasts 30 days", given, "voice")


def _texts(n: int, price: int) -> Sold:
    given = grant("sms", n, f"{n} extra texts", consume_order=SECOND, lifetime_days=30)
    return _topup(f"texts-{n}", f"{n} extra texts", price, "Lasts 30 days", given, "sms")


DATA_5 = _extra_data(5, 600)
CREDIT_10 = _credit(10)
INTERNATIONAL_60 = _topup(
    "international-60",
    "60 minutes to the world",
    500,
    "Lasts 30 days",
    grant("voice", 3600, "World minutes", scope="international", consume_order=SECOND, lifetime_days=30),
    "voice",
)
CREDIT_ANY = Sold(
    slug="credit",
    name="Credit of your choice",
    category="topup",
    type="mobile",
    price=0,
    about="Any amount from £5 to £100. Does not end.",
    grants=(grant("money", 0, "Credit", consume_order=SECOND),),
    custom=(500, 10_000),
    icon="money",
    repeatable=True,
)
TOPUPS = (
    _extra_data(1, 200),
    DATA_5,
    _extra_data(10, 900),
    _extra_data(20, 1400),
    _extra_data(50, 2500),
    _minutes(100, 300),
    _minutes(500, 800),
    INTERNATIONAL_60,
    _texts(100, 150),
    _texts(500, 400),
    _credit(5),
    CREDIT_10,
    _credit(20),
    _credit(50),
    _credit(100),
    CREDIT_ANY,
)

SPEED_BOOST = Sold(
    slug="speed-boost-3",
    name="Speed Boost, 3 days",
    category="addon",
    type="internet",
    price=500,
    about="Twice the speed for three days.",
    features=("Twice the speed", "3 days", "Ends by itself"),
    icon="boost",
    repeatable=True,
    lasts=3,
)
ADDONS = (
    Sold(
        slug="roaming-europe",
        name="Europe Roaming",
        category="addon",
        type="mobile",
        price=600,
        period="month",
        about="10 GB and 500 minutes in 42 countries of Europe beyond those in your plan.",
        features=("10 GB in Europe", "500 minutes", "Starts at once"),
        grants=(
            grant("data", 10 * GB, "Europe data", scope="roaming", consume_order=FIRST, lifetime_days=30),
            grant("voice", 500 * 60, "Europe minutes", scope="roaming", consume_order=FIRST, lifetime_days=30),
        ),
        icon="roaming",
        excludes=("roaming-world-7",),
    ),
    Sold(
        slug="roaming-world-7",
        name="World Roaming, 7 days",
        category="addon",
        type="mobile",
        price=2000,
        about="3 GB and 60 minutes in 90 countries, for 7 days. Stops when used up.",
        features=("3 GB", "60 minutes", "7 days", "Stops by itself: no surprise bill"),
        grants=(
            grant("data", 3 * GB, "World data", scope="roaming", consume_order=FIRST, lifetime_days=7, blocker=True),
            grant("voice", 3600, "World minutes", scope="roaming", consume_order=FIRST, lifetime_days=7),
        ),
        icon="roaming",
        repeatable=True,
        excludes=("roaming-europe",),
        lasts=7,
        starts="first_use_abroad",
    ),
    Sold(
        slug="static-ip",
        name="Static IP address",
        category="addon",
        type="internet",
        price=400,
        period="month",
        setup=500,
        about="One fixed address for your line, for servers and cameras at home.",
        features=("One IPv4 address", "Stays the same"),
        icon="internet",
    ),
    Sold(
        slug="router-wifi-6",
        name="Wi-Fi 6 router",
        category="addon",
        type="internet",
        price=300,
        period="month",
        setup=999,
        about="Rented, replaced free of charge when it breaks.",
        features=("Wi-Fi 6", "Up to 40 devices", "Free replacement"),
        min_term=12,
        icon="hardware",
    ),
    SPEED_BOOST,
    Sold(
        slug="sports-pack",
        name="Sports Pack",
        category="addon",
        type="iptv",
        price=1800,
        period="month",
        about="12 sports channels, live and on demand.",
        features=("12 channels", "Live and on demand"),
        icon="tv",
        requires=("tv-essentials",),
    ),
    Sold(
        slug="set-top-box",
        name="Set-top box",
        category="addon",
        type="iptv",
        price=400,
        period="month",
        setup=999,
        about="Recorder with 1 TB, rented.",
        features=("1 TB recorder", "4K picture"),
        min_term=12,
        icon="hardware",
    ),
    Sold(
        slug="stream-plus",
        name="Stream Plus",
        category="addon",
        type="mobile",
        price=499,
        period="month",
        about="Music and films that do not use your data.",
        features=("Music and films", "Does not use your data"),
        icon="tv",
    ),
)
BUNDLES = (
    Sold(
        slug="family-travel",
        name="Family travel",
        category="bundle",
        type="mobile",
        price=2600,
        about="World roaming and extra data for the road, and twice the speed for who stays at home.",
        features=("3 GB and 60 minutes in 90 countries", "5 GB more at home", "Three days of twice the speed"),
        icon="bundle",
        repeatable=True,
        parts=(("roaming-world-7", 1700), ("data-5", 500), ("speed-boost-3", 400)),
    ),
    Sold(
        slug="week-abroad",
        name="Week abroad",
        category="bundle",
        type="mobile",
        price=2200,
        about="World roaming for 7 days and 5 GB for the way there and back.",
        features=("3 GB and 60 minutes in 90 countries", "5 GB more at home"),
        icon="bundle",
        repeatable=True,
        parts=(("roaming-world-7", 1750), ("data-5", 450)),
        refunds_all=True,
    ),
)
ALL = (*PLANS, *TOPUPS, *ADDONS, *BUNDLES)


def rows(at: datetime) -> Iterator[dict[str, Any]]:
    for sort, product in enumerate(ALL, 1):
        yield product.row(sort * 10, at)
