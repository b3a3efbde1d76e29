"""What the services screens read. Every statement is bounded by the customer and by the lines the person may see."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare import formats
from selfcare.db.prepared import Prepared, as_json, fetch, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.numbers import whole
from selfcare.kernel.values import value
from selfcare.portal.services.services import FOLDED_AFTER, SOON, Life, Status, ending, kind_words, status_of
from selfcare.portal.services.speed import Speed

PER_PAGE = 25
LONGEST_SEARCH = 60
STATES = ("active", "expiring", "suspended", "pending", "ended")
_NOBODY = UUID(int=0)

_COLUMNS = """s.id AS id, s.name AS system_name, s.nickname AS nickname, s.type AS type, p.name AS product,
       s.state AS state, s.suspend_reason AS suspend_reason, s.ends_at AS ends_at,
       CASE WHEN s.handed_over_at IS NULL THEN s.end_reason ELSE 'transferred' END AS end_reason,
       s.ended_at AS ended_at, s.renews AS renews, s.activated_at AS activated_at, s.created_at AS created_at,
       s.cancel_at AS cancel_at, s.monthly_minor AS monthly_minor, s.currency AS currency, s.msisdn AS msisdn,
       COALESCE((SELECT SUM(a.price_minor) FROM service_addon a WHERE a.service_id = s.id AND a.recurring
                    AND (a.ends_at IS NULL OR a.ends_at > :now)), 0) AS extras_minor,
       w.name AS next_plan, w.price_minor AS next_minor, w.takes_effect_at AS next_at"""
_FROM = """service s JOIN product p ON p.id = s.product_id
       LEFT JOIN plan_change w ON w.service_id = s.id AND w.state = 'waiting'"""
_EXTRAS = {"extras_minor": int}
_MINE = "s.customer_id = :customer_id AND (:every = 1 OR s.id IN :services)"
_OVER = "(s.state = 'ended' OR (s.state <> 'pending' AND s.ends_at IS NOT NULL AND s.ends_at <= :now))"
_FOLDED = f"({_OVER} AND COALESCE(s.ended_at, s.ends_at) < :folded_before)"
_ASKED = f"""(:type = 'all' OR s.type = :type)
   AND (:words = '' OR lower(s.name) LIKE :words ESCAPE '!' OR lower(COALESCE(s.nickname, '')) LIKE :words ESCAPE '!'
        OR s.nickname LIKE :typed ESCAPE '!' OR s.nickname LIKE :titled ESCAPE '!'
        OR (:digits <> '' AND s.msisdn LIKE :digits))
   AND ((:state = 'all' AND NOT {_FOLDED})
     OR (:state = 'ended' AND {_OVER})
     OR (:state = 'suspended' AND s.state = 'suspended' AND NOT {_OVER})
     OR (:state = 'pending' AND s.state = 'pending')
     OR (:state = 'expiring' AND s.state = 'active' AND s.ends_at > :now AND s.ends_at < :soon)
     OR (:state = 'running' AND s.state <> 'pending' AND NOT {_OVER})
     OR (:state = 'active' AND s.state = 'active' AND NOT {_OVER}))"""
# What is active stands before what is not, and that before what is over; of what runs, the nearest end first; of what
# is over, the latest.
_ORDER = f"""ORDER BY CASE WHEN {_OVER} THEN 2 WHEN s.state = 'active' THEN 0 ELSE 1 END,
         CASE WHEN {_OVER} THEN NULL WHEN s.ends_at IS NULL THEN 1 ELSE 0 END,
         CASE WHEN {_OVER} THEN NULL ELSE s.ends_at END,
         CASE WHEN {_OVER} THEN COALESCE(s.ended_at, s.ends_at) END DESC,
         lower(COALESCE(s.nickname, s.name)), s.id"""

_LIST = Prepared.sql(
    f"SELECT {_COLUMNS} FROM {_FROM} WHERE {_MINE} AND {_ASKED} {_ORDER} LIMIT :most OFFSET :skip", types=_EXTRAS
)
_COUNT = Prepared.sql(f"SELECT count(*) AS n FROM service s WHERE {_MINE} AND {_ASKED}")
_FOLD = Prepared.sql(
    f"SELECT {_COLUMNS} FROM {_FROM} "
    f"WHERE {_MINE} AND {_FOLDED} ORDER BY COALESCE(s.ended_at, s.ends_at) DESC, s.id LIMIT :most",
    types=_EXTRAS,
)
_KNOWN = Prepared.sql(
    f"SELECT s.type AS type, count(*) AS n, sum(CASE WHEN {_FOLDED} THEN 1 ELSE 0 END) AS folded FROM service s "
    f"WHERE {_MINE} GROUP BY s.type ORDER BY s.type",
    types={"folded": int},
)
_ONE = Prepared.sql(
    f"""
    SELECT {_COLUMNS}, s.iccid AS iccid, s.contract_ends_on AS contract_ends_on, s.configuration AS configuration,
           s.suspended_at AS suspended_at, p.description AS description, p.features AS features,
           p.price_minor AS price_minor, p.currency AS price_currency, p.period AS period, p.terms_url AS terms_url,
           p.setup_price_minor AS setup_price_minor, p.editable AS editable,
           a.label AS site_label, a.address_line_1 AS address_line_1, a.address_line_2 AS address_line_2,
           a.city AS city, a.state AS county, a.zip_code AS zip_code, a.country AS country,
           l.full_speed_bytes AS full_speed_bytes, l.slow_kbps AS slow_kbps, l.slow_until AS slow_until
      FROM {_FROM}
      LEFT JOIN site a ON a.customer_id = s.customer_id AND a.id = s.site_id
      LEFT JOIN line_speed l ON l.service_id = s.id AND l.customer_id = s.customer_id
     WHERE {_MINE} AND s.id = :service_id
    """,
    types={"configuration": as_json, "features": as_json, "editable": as_json, "extras_minor": int},
)
_SOLD = Prepared.sql(
    "SELECT DISTINCT category, service_type FROM product WHERE enabled AND category IN ('topup', 'addon')"
)
_NAMES = Prepared.sql(
    f"SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, s.type AS type FROM service s "
    f"WHERE {_MINE} AND s.state <> 'ended' ORDER BY name, s.id LIMIT :most"
)


@value
class Asked:
    """What the filter bar says; `page` counts from 1."""

    words: str = ""
    state: str = "all"
    type: str = "all"
    page: int = 1

    @property
    def is_narrowed(self) -> bool:
        return bool(self.words) or self.state != "all" or self.type != "all"


@value
class NextPlan:
    """What the service changes to when its period ends."""

    name: str
    price: Money
    at: datetime


@value
class ServiceRow:
    """One service as a card shows it. `name` is the person's own name for it, where there is one."""

    id: UUID
    name: str
    system_name: str
    nickname: str | None
    type: str
    product: str
    status: Status
    ending: str | None
    created: datetime
    ends_at: datetime | None
    over_since: datetime | None
    renews: bool
    cancel_at: datetime | None
    # Of the plan, and of what recurs beside it.
    monthly: Money | None
    extras: Money | None
    msisdn: str | None
    next_plan: NextPlan | None

    @property
    def cost(self) -> Money | None:
        """A month of it, as long as it runs."""
        if self.monthly is None or self.extras is None or self.status.is_over:
            return self.monthly or self.extras
        return self.monthly + self.extras


@value
class ServicePage:
    rows: list[ServiceRow]
    total: int
    page: int
    types: list[tuple[str, str]]
    folded: list[ServiceRow]
    folded_total: int
    all_total: int
    sold: frozenset[tuple[str, str]]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@value
class ServiceDetail:
    row: ServiceRow
    description: str
    features: list[str]
    price: Money
    period: str
    setup_price: Money
    terms_url: str | None
    contract_ends_on: date | None
    suspended_at: datetime | None
    sim_ending: str | None
    site: list[str] | None
    configuration: list[tuple[str, str]]
    can_be_set: bool
    sold: frozenset[tuple[str, str]]
    speed: Speed


@value
class ServiceName:
    id: UUID
    name: str
    type: str


def asked_by(said: Mapping[str, str]) -> Asked:
    """What a link of ours may say; anything else is as if it said nothing."""
    state, kind, number = said.get("state", ""), said.get("type", ""), said.get("page", "")
    return Asked(
        words=" ".join(said.get("q", "").split())[:LONGEST_SEARCH].replace("\x00", ""),
        state=state if state in STATES else "all",
        type=kind if kind.isalnum() and len(kind) <= 16 else "all",
        page=whole(number, least=1, most=99_999) or 1,
    )


async def list_services(scope: CustomerScope, asked: Asked, now: datetime) -> ServicePage:
    """A page of 25 in the order worth reading, and what ended long ago behind a fold of its own."""
    mine = _mine(scope)
    times = {"now": now, "folded_before": now - FOLDED_AFTER}
    chosen = {
        "type": asked.type,
        "state": asked.state,
        "soon": now + SOON,
        "words": _like(asked.words.lower()) if asked.words else "",
        # SQLite knows capitals of English only.
        "typed": _like(asked.words),
        "titled": _like(asked.words.title()),
        "digits": _digits(asked.words),
    }
    # Whoever looks for something is not shown the fold.
    beside = [] if asked.is_narrowed else [_FOLD.bind(**mine, **times, most=PER_PAGE)]
    rows, counted, known, sold, *folds = await fetch_many(
        _LIST.bind(**mine, **times, **chosen, most=PER_PAGE, skip=(asked.page - 1) * PER_PAGE),
        _COUNT.bind(**mine, **times, **chosen),
        _KNOWN.bind(**mine, **times),
        _SOLD.bind(),
        *beside,
        # A business may have thousands to count.
        short=scope.customer_type == "individual",
    )
    folded = folds[0] if folds else []
    return ServicePage(
        rows=[_row(row, now) for row in rows],
        total=counted[0]["n"],
        page=asked.page,
        types=[(each["type"], kind_words(each["type"])) for each in known],
        folded=[_row(row, now) for row in folded],
        folded_total=0 if asked.is_narrowed else sum(each["folded"] for each in known),
        all_total=sum(each["n"] for each in known),
        sold=_kinds(sold),
    )


async def get_service(scope: CustomerScope, service_id: UUID, now: datetime) -> ServiceDetail:
    """Raises NotFound, also for a service of somebody else."""
    rows, sold = await fetch_many(_ONE.bind(**_mine(scope), service_id=service_id, now=now), _SOLD.bind(), short=True)
    if not rows:
        raise NotFound
    return _detail(rows[0], _kinds(sold), now)


async def list_names(scope: CustomerScope, most: int = 200) -> list[ServiceName]:
    """For choosing one: what has not ended."""
    return [ServiceName(**row) for row in await fetch(_NAMES.bind(**_mine(scope), most=most))]


def _mine(scope: CustomerScope) -> dict[str, Any]:
    some = scope.service_ids
    return {"customer_id": scope.customer_id, "every": 1 if some is None else 0, "services": list(some or (_NOBODY,))}


def _like(text: str) -> str:
    """`text` anywhere in it, its own percent signs and underscores taken literally."""
    for sign in "!%_":
        text = text.replace(sign, f"!{sign}")
    return f"%{text}%"


def _digits(text: str) -> str:
    """A search for a number as people type it, "07700 900", finds +447700900…; four digits at least."""
    digits = "".join(sign for sign in text if sign.isdigit()).lstrip("0")
    typed = all(sign.isdigit() or sign in " +-()" for sign in text)
    return f"%{digits}%" if typed and len(digits) >= 4 else ""


def _kinds(sold: list[dict[str, Any]]) -> frozenset[tuple[str, str]]:
    """What is sold for which type of service: ("topup", "mobile")."""
    return frozenset((each["category"], each["service_type"]) for each in sold)


def _row(row: dict[str, Any], now: datetime) -> ServiceRow:
    life = Life(
        state=row["state"],
        suspend_reason=row["suspend_reason"],
        end_reason=row["end_reason"],
        ends_at=row["ends_at"],
        ended_at=row["ended_at"],
        renews=row["renews"],
    )
    status = status_of(life, now)
    return ServiceRow(
        id=row["id"],
        name=row["nickname"] or row["system_name"],
        system_name=row["system_name"],
        nickname=row["nickname"],
        type=row["type"],
        product=row["product"],
        status=status,
        ending=ending(life, now),
        created=row["activated_at"] or row["created_at"],
        ends_at=row["ends_at"],
        over_since=(row["ended_at"] or row["ends_at"]) if status.is_over else None,
        renews=row["renews"],
        cancel_at=row["cancel_at"],
        monthly=Money(row["monthly_minor"], row["currency"]) if row["monthly_minor"] else None,
        extras=Money(row["extras_minor"], row["currency"]) if row["extras_minor"] else None,
        msisdn=row["msisdn"],
        next_plan=_next_plan(row) if row["cancel_at"] is None and not status.is_over else None,
    )


def _next_plan(row: dict[str, Any]) -> NextPlan | None:
    if row["next_plan"] is None:
        return None
    return NextPlan(row["next_plan"], Money(row["next_minor"], row["currency"]), row["next_at"])


def _detail(row: dict[str, Any], sold: frozenset[tuple[str, str]], now: datetime) -> ServiceDetail:
    return ServiceDetail(
        row=_row(row, now),
        description=row["description"],
        features=row["features"],
        price=Money(row["price_minor"], row["price_currency"]),
        period=row["period"],
        setup_price=Money(row["setup_price_minor"], row["price_currency"]),
        terms_url=row["terms_url"],
        contract_ends_on=row["contract_ends_on"],
        suspended_at=row["suspended_at"] if row["state"] == "suspended" else None,
        sim_ending=row["iccid"][-4:] if row["iccid"] else None,
        site=_address(row) if row["site_label"] is not None else None,
        configuration=[(str(label), str(value)) for label, value in row["configuration"].items()],
        can_be_set=any(isinstance(one, dict) for one in row["editable"]),
        sold=sold,
        speed=Speed.reported(row["full_speed_bytes"], row["slow_kbps"], row["slow_until"], now),
    )


def _address(row: dict[str, Any]) -> list[str]:
    town = " ".join(part for part in (row["city"], row["county"], row["zip_code"]) if part)
    lines = (row["site_label"], row["address_line_1"], row["address_line_2"], town, formats.country(row["country"]))
    return [part for part in lines if part]
