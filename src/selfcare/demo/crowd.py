"""Generated customers, by the hundred thousand: enough to see how pages behave when there are many.

Rows are plain tuples and ids count upwards, so that both databases append instead of searching. The same number of
customers and the same now make the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from selfcare.db.counters import take_block
from selfcare.db.engine import dialect, transaction
from selfcare.demo import catalogue
from selfcare.demo.catalogue import GB, TAX_PERMILLE, Sold
from selfcare.demo.timeline import ZONE, Timeline, add_months
from selfcare.kernel.money import Money

AT_ONCE = 2_500
FIRST_NAMES = ("Ada", "Ben", "Cora", "Dev", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jack", "Kemi", "Liam", "Mina")
LAST_NAMES = ("Adams", "Baker", "Clark", "Dixon", "Evans", "Ford", "Gray", "Hill", "Irwin", "Jones", "Khan", "Lewis")
STREETS = ("Alder", "Beech", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak", "Rowan", "Willow")
CITIES = (
    ("Leeds", "LS1 4AP"),
    ("York", "YO1 7HH"),
    ("Bristol", "BS1 5TR"),
    ("Cardiff", "CF10 1EP"),
    ("Leith", "EH6 6QU"),
)
MOBILE_PLANS = (catalogue.LARK_5, catalogue.LARK_20, catalogue.LARK_20, catalogue.LARK_60, catalogue.LARK_UNLIMITED)
BILLS_EACH = 3
NOTHING = "[]"

COLUMNS: dict[str, tuple[str, ...]] = {
    "customer": (
        *("id", "number", "name", "type", "status", "pays", "enabled", "currency", "zone", "language"),
        *("billing_address", "primary_contact_id", "created_at"),
    ),
    "app_user": (
        "id",
        "email",
        "email_verified_at",
        "display_name",
        "password_hash",
        "language",
        "theme",
        "created_at",
    ),
    "membership": ("id", "user_id", "customer_id", "role", "invited_at", "accepted_at"),
    "contact": ("id", "customer_id", "name", "types", "email", "user_id", "is_primary", "created_at"),
    "site": (
        *("id", "customer_id", "label", "address_line_1", "address_line_2", "city", "state", "zip_code", "country"),
        "created_at",
    ),
    "service": (
        *("id", "customer_id", "product_id", "site_id", "name", "type", "state", "suspend_reason", "activated_at"),
        *("renews", "monthly_minor", "currency", "msisdn", "ocs_account", "lock_sim", "lock_port", "configuration"),
        "created_at",
    ),
    "bucket": (
        *("id", "customer_id", "service_id", "kind", "label", "origin", "currency", "remaining", "reserved"),
        *("is_unlimited", "consume_order", "scope", "expires_at", "blocker", "disabled", "counts_mms", "as_of"),
        *("created_at", "granted", "consumed", "period_started_at"),
    ),
    "allowance_grant": (
        *("id", "customer_id", "bucket_id", "amount", "mode", "period_start", "period_end", "reason", "created_at"),
    ),
    "usage_record": (
        *("id", "customer_id", "service_id", "kind", "direction", "class", "started_at", "seconds", "bytes", "count"),
        *("other_party", "cost_minor", "currency", "bucket_id", "created_at", "external_id"),
    ),
    "invoice": (
        *("id", "customer_id", "number", "kind", "date", "due_on", "period_start", "period_end", "currency"),
        *("net_minor", "tax_minor", "paid_minor", "state", "created_at"),
    ),
    "billing_transaction": (
        *("id", "customer_id", "at", "kind", "description", "quantity", "unit_price_minor", "amount_minor"),
        *("tax_permille", "tax_minor", "currency", "invoice_id", "service_id", "period_start", "period_end"),
        "created_at",
    ),
}
TAGS = {table: tag for tag, table in enumerate(COLUMNS, 1)}


@dataclass(slots=True)
class Cycle:
    """One monthly bill that every postpaid customer of the crowd got."""

    day: Any
    due: Any
    start: Any
    made: Any
    paid: Any
    year: int


@dataclass(slots=True)
class Crowd:
    when: Timeline
    password_hash: str
    records_each: int
    stored: Callable[[Any], Any]
    made: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    numbers: dict[int, Any] = field(default_factory=dict)

    def id(self, table: str) -> str:
        n = self.counts[table] = self.counts.get(table, 0) + 1
        return f"01900000-{TAGS[table]:04x}-7000-8000-{n:012x}"

    def add(self, table: str, *values: Any) -> None:
        self.made[table].append(values)

    def clear(self) -> None:
        self.made = {table: [] for table in COLUMNS}


async def add_crowd(
    when: Timeline, password_hash: str, customers: int, progress: Callable[[str, int, int], None], records_each: int = 0
) -> None:
    """Commits every few thousand customers: a write lock held for a minute would stop everything else."""
    crowd = Crowd(when, password_hash, records_each, _stored_as_text if dialect() == "sqlite" else _stored_as_is)
    cycles = _cycles(crowd)
    for first in range(1, customers + 1, AT_ONCE):
        progress("customers", first - 1, customers)
        last = min(first + AT_ONCE - 1, customers)
        crowd.clear()
        async with transaction() as open_transaction:
            for cycle in cycles:
                block = await take_block(f"invoice-{cycle.year}", last - first + 1)
                crowd.numbers[id(cycle)] = iter(block)
            for n in range(first, last + 1):
                _add_customer(crowd, cycles, n)
            for table, values in crowd.made.items():
                if values:
                    await open_transaction.insert(table, COLUMNS[table], values)
    progress("customers", customers, customers)


def _add_customer(crowd: Crowd, cycles: list[Cycle], n: int) -> None:
    rng = Random(n)
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    street = f"{rng.randint(1, 180)} {rng.choice(STREETS)} Road"
    city, zip_code = rng.choice(CITIES)
    prepaid = n % 5 == 0
    since = crowd.stored(crowd.when.start_of(-400 + n % 300))
    customer, user, contact = crowd.id("customer"), crowd.id("app_user"), crowd.id("contact")
    address = f"{street}\n{city}\n{zip_code}\nUnited Kingdom"
    pays = "prepaid" if prepaid else "postpaid"
    number, email = f"3{n:07}", f"c{n}@example.test"
    crowd.add(
        *(
            "customer",
            customer,
            number,
            name,
            "individual",
            "open",
            pays,
            True,
            "GBP",
            ZONE,
            "en",
            address,
            contact,
            since,
        )
    )
    crowd.add("app_user", user, email, since, name, crowd.password_hash, "en", "system", since)
    crowd.add("membership", crowd.id("membership"), user, customer, "owner", since, since)
    crowd.add("contact", contact, customer, name, '["billing", "general"]', email, user, True, since)
    plan = rng.choice(MOBILE_PLANS)
    bought = [(_add_mobile(crowd, rng, customer, plan, n, since), plan)]
    if n % 2:
        site = crowd.id("site")
        crowd.add("site", site, customer, "Home", street, "", city, "", zip_code, "GB", since)
        fibre = catalogue.FIBRE_80 if n % 4 == 1 else catalogue.FIBRE_500
        bought.append((_add_internet(crowd, customer, site, fibre, street, since), fibre))
    for cycle in cycles:
        number = f"INV-{cycle.year}-{next(crowd.numbers[id(cycle)]):06}"
        _add_bill(crowd, customer, cycle, number, bought, unpaid=cycle is cycles[0] and n % 3 == 0)


def _add_mobile(crowd: Crowd, rng: Random, customer: str, plan: Sold, n: int, since: Any) -> str:
    service, msisdn = crowd.id("service"), f"+4471{n:08}"
    reason = "payment" if n % 40 == 0 else None
    crowd.add(
        *("service", service, customer, str(plan.id), None, f"Mobile - +44 71{msisdn[5:8]} {msisdn[8:]}", "mobile"),
        *("suspended" if reason else "active", reason, since, True, plan.price, "GBP", msisdn, service, False, False),
        *('{"Network": "5G"}', since),
    )
    begun, ends = -(n % 28), 30 - n % 28
    start, end = crowd.stored(crowd.when.start_of(begun)), crowd.stored(crowd.when.end_of(ends))
    for given in plan.grants:
        left = _left(rng, given["amount"], ends)
        _add_bucket(crowd, customer, service, given, "plan", left, start, end, "renewal", "reset")
    if n % 3 == 0:
        given = catalogue.DATA_5.grants[0]
        bought, gone = crowd.stored(crowd.when.start_of(-2)), crowd.stored(crowd.when.end_of(28))
        _add_bucket(crowd, customer, service, given, "topup", rng.randint(GB, 5 * GB), bought, gone, "purchase", "add")
    if n % 5 == 0:
        given = catalogue.CREDIT_10.grants[0]
        bought = crowd.stored(crowd.when.start_of(-9))
        _add_bucket(crowd, customer, service, given, "topup", rng.randint(0, 1000), bought, None, "purchase", "add")
    _add_records(crowd, rng, customer, service)
    return service


def _add_internet(crowd: Crowd, customer: str, site: str, plan: Sold, street: str, since: Any) -> str:
    service = crowd.id("service")
    crowd.add(
        *("service", service, customer, str(plan.id), site, f"Internet - {street}", "internet", "active", None, since),
        *(True, plan.price, "GBP", None, service, False, False, '{"Router": "Lark Hub 2"}', since),
    )
    start, end = crowd.stored(crowd.when.start_of(-10)), crowd.stored(crowd.when.end_of(20))
    _add_bucket(crowd, customer, service, plan.grants[0], "plan", 0, start, end, "renewal", "reset")
    return service


def _left(rng: Random, amount: int | None, days_left: int) -> int:
    return 0 if amount is None else min(amount, amount * days_left * rng.randint(40, 140) // 3000)


def _add_bucket(
    crowd: Crowd,
    customer: str,
    service: str,
    given: dict[str, Any],
    origin: str,
    left: int,
    start: Any,
    end: Any,
    reason: str,
    mode: str,
) -> None:
    bucket, kind = crowd.id("bucket"), given["kind"]
    currency = "GBP" if kind == "money" else None
    unlimited = given["amount"] is None
    crowd.add(
        *("bucket", bucket, customer, service, kind, given["label"], origin, currency, left, 0, unlimited),
        *(given["consume_order"], given["scope"], end, False, False, given["counts_mms"]),
        *(crowd.stored(crowd.when.now), start, given["amount"] or 0, (given["amount"] or left) - left, start),
    )
    if not unlimited:
        grant = crowd.id("allowance_grant")
        crowd.add("allowance_grant", grant, customer, bucket, given["amount"], mode, start, end, reason, start)


def _add_records(crowd: Crowd, rng: Random, customer: str, service: str) -> None:
    bucket = f"01900000-{TAGS['bucket']:04x}-7000-8000-{crowd.counts['bucket']:012x}"
    for k in range(crowd.records_each):
        at = crowd.stored(crowd.when.now - timedelta(hours=28 * k + rng.randint(0, 27)))
        record = crowd.id("usage_record")
        seconds, size = rng.randint(20, 3000), rng.randint(10**6, 4 * 10**8)
        crowd.add(
            *("usage_record", record, customer, service, "data", "out", "on_net", at, seconds, size, 0, None, 0, "GBP"),
            *(bucket, at, record),
        )


def _add_bill(
    crowd: Crowd, customer: str, cycle: Cycle, number: str, bought: list[tuple[str, Sold]], *, unpaid: bool
) -> None:
    invoice = crowd.id("invoice")
    gross = sum(sold.price for _service, sold in bought)
    taxes = [Money(sold.price, "GBP").tax_inside(TAX_PERMILLE).minor for _service, sold in bought]
    paid = 0 if unpaid else gross
    crowd.add(
        *("invoice", invoice, customer, number, "regular", cycle.day, cycle.due, cycle.start, cycle.day, "GBP"),
        *(gross - sum(taxes), sum(taxes), paid, "issued" if unpaid else "settled", cycle.made),
    )
    for (service, sold), tax in zip(bought, taxes, strict=True):
        crowd.add(
            *("billing_transaction", crowd.id("billing_transaction"), customer, cycle.made, "charge", sold.name, 1),
            *(sold.price, sold.price - tax, TAX_PERMILLE, tax, "GBP", invoice, service, cycle.start, cycle.day),
            cycle.made,
        )
    if paid:
        crowd.add(
            *("billing_transaction", crowd.id("billing_transaction"), customer, cycle.paid, "payment"),
            *("Card payment, thank you", 1, None, -paid, 0, 0, "GBP", invoice, None, None, None, cycle.paid),
        )


def _cycles(crowd: Crowd) -> list[Cycle]:
    """The newest first."""
    when, stored = crowd.when, crowd.stored
    cycles = []
    for back in range(BILLS_EACH):
        day = add_months(when.day(-16), -back)
        made = when.start_of((day - when.today).days) + timedelta(hours=4)
        cycles.append(
            Cycle(
                day=stored(day),
                due=stored(day + timedelta(days=14)),
                start=stored(add_months(day, -1)),
                made=stored(made),
                paid=stored(made + timedelta(days=9)),
                year=day.year,
            )
        )
    return cycles


@lru_cache(maxsize=4096)
def _stored_as_text(value: datetime | date) -> str:
    """As the SQLite driver would write it; doing it once per day instead of once per row saves a third of the time."""
    return str(value)


def _stored_as_is(value: datetime | date) -> Any:
    return value
