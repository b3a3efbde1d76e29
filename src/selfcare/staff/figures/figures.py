"""Counts for operations, and lists of customers worth a call. Counts name nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, as_date, as_moment, fetch, fetch_many
from selfcare.formats import day
from selfcare.kernel import clock

DAYS = 14
STUCK_AFTER = timedelta(hours=1)
CARDS_WITHIN = timedelta(days=60)
SERVICES_WITHIN = timedelta(days=14)
MOST = 100

_SIGN_INS = Prepared.sql(
    """
    SELECT substr(CAST(at AS TEXT), 1, 10) AS day, event AS event, count(*) AS n FROM audit_event
     WHERE event IN :events AND at >= :since GROUP BY substr(CAST(at AS TEXT), 1, 10), event
    """,
    types={"day": as_date},
)
_PAYMENTS = Prepared.sql(
    "SELECT state, count(*) AS n FROM payment WHERE created_at >= :since GROUP BY state ORDER BY state"
)
_STUCK = Prepared.sql(
    """
    SELECT count(*) AS n FROM payment
     WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown') AND created_at < :before
    """
)
_ORDERS = Prepared.sql(
    """
    SELECT state, count(*) AS n FROM purchase_order WHERE created_at >= :since AND parent_id IS NULL
     GROUP BY state ORDER BY state
    """
)
_STUCK_ORDERS = Prepared.sql(
    """
    SELECT count(*) AS n, min(created_at) AS oldest FROM purchase_order
     WHERE state = 'review'
        OR (state IN ('paid', 'delivering', 'refund_due') AND kind <> 'bundle' AND changed_at < :before
            AND (arrived_at IS NULL OR undo_at IS NOT NULL))
    """,
    types={"oldest": as_moment},
)
_DEAD_LETTERS = Prepared.sql(
    "SELECT kind, count(*) AS n FROM job WHERE given_up_at IS NOT NULL GROUP BY kind ORDER BY n DESC, kind LIMIT 12"
)
_LAGS = Prepared.sql(
    """
    SELECT received_at, handled_at FROM webhook_event
     WHERE received_at >= :since AND handled_at IS NOT NULL ORDER BY received_at DESC LIMIT 2000
    """
)
_JOBS = Prepared.sql(
    """
    SELECT (SELECT count(*) FROM job WHERE given_up_at IS NOT NULL) AS given_up,
           (SELECT count(*) FROM job WHERE done_at IS NULL AND given_up_at IS NULL) AS waiting,
           (SELECT min(created_at) FROM job
             WHERE done_at IS NULL AND given_up_at IS NULL AND (run_at IS NULL OR run_at <= :now)) AS oldest
    """,
    types={"oldest": as_moment},
)
_EVENTS = Prepared.sql(
    """
    SELECT count(*) AS n, min(received_at) AS oldest FROM webhook_event
     WHERE handled_at IS NULL AND received_at >= :since
    """,
    types={"oldest": as_moment},
)
_VISITS = Prepared.sql("SELECT count(*) AS n FROM impersonation_grant WHERE stopped_at IS NULL AND ends_at > :now")
_CARDS = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS customer, c.number AS number, p.brand AS brand, p.last4 AS last4,
           p.exp_month AS exp_month, p.exp_year AS exp_year
      FROM payment_method p JOIN customer c ON c.id = p.customer_id
     WHERE p.removed_at IS NULL AND p.exp_year * 12 + p.exp_month BETWEEN :first AND :last
     ORDER BY p.exp_year, p.exp_month, c.name LIMIT 100
    """
)
_SERVICES = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS customer, c.number AS number, s.name AS service, s.ends_at AS ends_at,
           s.renews AS renews
      FROM service s JOIN customer c ON c.id = s.customer_id
     WHERE s.ends_at > :now AND s.ends_at < :until AND s.state <> 'ended' ORDER BY s.ends_at, c.name LIMIT 100
    """
)
_UNPAID = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS customer, c.number AS number, i.number AS bill, i.due_on AS due_on,
           i.net_minor + i.tax_minor - i.paid_minor AS open_minor, i.currency AS currency
      FROM invoice i JOIN customer c ON c.id = i.customer_id
     WHERE i.state = 'issued' AND i.kind = 'regular' AND i.due_on < :today
       AND i.net_minor + i.tax_minor > i.paid_minor
     ORDER BY i.due_on, i.number LIMIT 100
    """
)


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    value: str
    height: int
    now: bool


@dataclass(frozen=True, slots=True)
class Figures:
    sign_ins: list[Bar]
    failed: list[Bar]
    payments: list[Bar]
    orders: list[Bar]
    dead_letters: list[Bar]
    lags: list[Bar]
    total_sign_ins: int
    total_failed: int
    stuck: int
    stuck_orders: int
    oldest_order: datetime | None
    slowest: timedelta
    given_up: int
    waiting: int
    oldest_job: datetime | None
    unhandled: int
    oldest_event: datetime | None
    visits: int


async def figures(zone: str) -> Figures:
    now = clock.now()
    since = now - timedelta(days=DAYS - 1)
    events = ("sign_in.succeeded", "sign_in.failed")
    rows, payments, stuck, orders, stuck_orders, jobs, dead, hooks, lags, visits = await fetch_many(
        _SIGN_INS.bind(events=events, since=since.replace(hour=0, minute=0, second=0, microsecond=0)),
        _PAYMENTS.bind(since=since),
        _STUCK.bind(before=now - STUCK_AFTER),
        _ORDERS.bind(since=since),
        _STUCK_ORDERS.bind(before=now - STUCK_AFTER),
        _JOBS.bind(now=now),
        _DEAD_LETTERS.bind(),
        _EVENTS.bind(since=since),
        _LAGS.bind(since=since),
        _VISITS.bind(now=now),
    )
    days = [(since + timedelta(days=n)).date() for n in range(DAYS)]
    well, badly = (_by_day(rows, days, event) for event in events)
    slowest = _slowest(lags, days)
    return Figures(
        sign_ins=_bars([(day(one), n) for one, n in well], last_is_now=True),
        failed=_bars([(day(one), n) for one, n in badly], last_is_now=True),
        payments=_bars(_by_state(payments)),
        orders=_bars(_by_state(orders)),
        dead_letters=_bars([(row["kind"], int(row["n"])) for row in dead]),
        lags=_bars([(day(one), seconds) for one, seconds in slowest], last_is_now=True),
        total_sign_ins=sum(n for _day, n in well),
        total_failed=sum(n for _day, n in badly),
        stuck=stuck[0]["n"],
        stuck_orders=stuck_orders[0]["n"],
        oldest_order=stuck_orders[0]["oldest"],
        slowest=timedelta(seconds=max(seconds for _day, seconds in slowest)),
        given_up=jobs[0]["given_up"],
        waiting=jobs[0]["waiting"],
        oldest_job=jobs[0]["oldest"],
        unhandled=hooks[0]["n"],
        oldest_event=hooks[0]["oldest"],
        visits=visits[0]["n"],
    )


async def cards_expiring() -> list[Row]:
    today = clock.now().date()
    last = today + CARDS_WITHIN
    return await fetch(_CARDS.bind(first=today.year * 12 + today.month, last=last.year * 12 + last.month))


async def services_ending() -> list[Row]:
    now = clock.now()
    return await fetch(_SERVICES.bind(now=now, until=now + SERVICES_WITHIN))


async def unpaid(today: date) -> list[Row]:
    return await fetch(_UNPAID.bind(today=today))


def _by_day(rows: list[dict[str, Any]], days: list[date], event: str) -> list[tuple[date, int]]:
    counted = {row["day"]: int(row["n"]) for row in rows if row["event"] == event}
    return [(one, counted.get(one, 0)) for one in days]


def _by_state(rows: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(str(row["state"]).replace("_", " "), int(row["n"])) for row in rows]


def _slowest(rows: list[dict[str, Any]], days: list[date]) -> list[tuple[date, int]]:
    """The longest that a message of the bank waited on each day, in whole seconds rounded up."""
    found = dict.fromkeys(days, 0)
    for row in rows:
        on, waited = row["received_at"].date(), row["handled_at"] - row["received_at"]
        if on in found:
            found[on] = max(found[on], -int(-waited.total_seconds() // 1))
    return list(found.items())


def _bars(values: list[tuple[str, int]], *, last_is_now: bool = False) -> list[Bar]:
    most = max((n for _label, n in values), default=0) or 1
    return [
        Bar(label, str(n), -(-n * 100 // most), last_is_now and place == len(values) - 1)
        for place, (label, n) in enumerate(values)
    ]
