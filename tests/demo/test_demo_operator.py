"""The demo operator is what the issue promises, and its numbers agree with each other."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from selfcare.audit import log as audit
from selfcare.db.engine import Database
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Prepared, as_moment, fetch
from selfcare.demo import people
from selfcare.demo.load import is_loaded, load
from selfcare.identity.passwords import Passwords
from selfcare.identity.rights import StaffRight, staff_rights
from selfcare.portal.billing.invoices import Bill, Label, label_of
from selfcare.portal.services.services import Life, Mark, ending, status_of
from selfcare.portal.usage.allowances import Allowance, Bucket, Granted, Verdict, summarise
from tests.support import databases, money, shopping

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


async def fill() -> None:
    await migrate()
    audit.configure(b"k" * 32)
    passwords = Passwords(memory_kib=64, passes=1)
    await load(now=NOW, progress=lambda *_: None, passwords=passwords, with_payments=True)
    passwords.close()


@pytest.fixture
def filled(templates: databases.Templates, kind: str) -> str:
    templates.prepare(kind, "demo_operator", fill)
    return "demo_operator"


@pytest.fixture
async def demo(templates: databases.Templates, filled: str, kind: str, tmp_path: Path) -> AsyncIterator[Database]:
    async with templates.copy(kind, filled, tmp_path) as url, databases.opened(url) as database:
        yield database


async def rows(sql: str, **values: Any) -> list[dict[str, Any]]:
    return await fetch(Prepared.sql(sql).bind(**values))


async def allowances(service: Any) -> dict[tuple[str, str], Allowance]:
    columns = "id, kind, remaining, consume_order, created_at, label, origin, scope, is_unlimited, expires_at, currency"
    buckets = await rows(f"SELECT {columns} FROM bucket WHERE service_id = :service", service=service)
    ids = [bucket["id"] for bucket in buckets]
    grants = await rows(
        "SELECT bucket_id, amount, period_start, period_end, mode FROM allowance_grant WHERE bucket_id IN :ids", ids=ids
    )
    lines = summarise([Bucket(**bucket) for bucket in buckets], [Granted(**grant) for grant in grants], NOW)
    return {(line.kind, line.scope): line for line in lines}


async def bills(home: people.Household) -> list[Bill]:
    found = await rows(
        "SELECT currency, net_minor, tax_minor, paid_minor, due_on, state, kind FROM invoice WHERE customer_id = :home",
        home=home.id,
    )
    return [Bill(**each) for each in found]


async def test_a_migrated_database_is_not_the_demo_until_it_is_loaded(database: Database) -> None:
    assert not await is_loaded()


async def test_everybody_can_sign_in_with_the_printed_password(demo: Database) -> None:
    assert await is_loaded()
    found = await rows("SELECT email, password_hash FROM app_user")
    assert {each["email"] for each in found} == {someone.email for someone in people.EVERYBODY}
    passwords = Passwords(memory_kib=64, passes=1)
    assert (await passwords.check(found[0]["password_hash"], people.PASSWORD)).right
    passwords.close()


async def test_asha_has_three_data_buckets_used_in_the_order_of_their_weight(demo: Database) -> None:
    data = (await allowances(people.ASHA_MOBILE))["data", "any"]
    assert [ranked.bucket.origin for ranked in data.buckets] == ["bonus", "topup", "plan"]
    assert len({ranked.bucket.expires_at for ranked in data.buckets}) == 3
    assert all(0 < ranked.bucket.remaining < ranked.granted for ranked in data.buckets if ranked.granted)


async def test_asha_has_minutes_texts_and_credit(demo: Database) -> None:
    lines = await allowances(people.ASHA_MOBILE)
    assert set(lines) == {
        ("data", "any"),
        ("data", "roaming"),
        ("voice", "any"),
        ("voice", "international"),
        ("sms", "any"),
        ("money", "any"),
    }
    assert not any(line.is_low or line.is_used_up for line in lines.values())


async def test_the_home_internet_of_asha_ends_in_five_days(demo: Database) -> None:
    (service,) = await rows("SELECT state, ends_at, renews FROM service WHERE id = :id", id=people.ASHA_INTERNET)
    life = Life(state=service["state"], ends_at=service["ends_at"], renews=bool(service["renews"]))
    assert status_of(life, NOW).mark is Mark.EXPIRING_SOON
    assert ending(life, NOW) == "Ends in 5 days"


async def test_asha_has_paid_bills_an_unpaid_and_an_overdue_one(demo: Database) -> None:
    labels = [label_of(bill, TODAY) for bill in await bills(people.PATEL)]
    assert labels.count(Label.UNPAID) == 1
    assert labels.count(Label.OVERDUE) == 1
    assert labels.count(Label.PAID) == 11


async def test_asha_has_two_cards_one_ending_next_month(demo: Database) -> None:
    cards = await rows(
        "SELECT exp_month, exp_year, is_default FROM payment_method WHERE customer_id = :home ORDER BY position",
        home=people.PATEL.id,
    )
    assert [bool(card["is_default"]) for card in cards] == [True, False]
    assert (cards[1]["exp_month"], cards[1]["exp_year"]) == (12, 2026)


async def test_chidi_has_eight_percent_of_his_data_left_and_uses_it_fast(demo: Database) -> None:
    data = (await allowances(people.CHIDI_MOBILE))["data", "any"]
    assert data.left_permille == 80
    assert data.is_low
    assert data.pace is not None
    assert data.pace.verdict is Verdict.FAST


async def test_a_service_of_chidi_is_suspended_for_an_overdue_bill(demo: Database) -> None:
    (service,) = await rows("SELECT state, suspend_reason FROM service WHERE id = :id", id=people.CHIDI_SUSPENDED)
    assert (service["state"], service["suspend_reason"]) == ("suspended", "payment")
    assert Label.OVERDUE in [label_of(bill, TODAY) for bill in await bills(people.OKORO)]


@pytest.mark.parametrize("table", ["service", "invoice", "billing_transaction", "payment_method", "site"])
async def test_the_new_customer_has_nothing_yet(demo: Database, table: str) -> None:
    assert await rows(f"SELECT id FROM {table} WHERE customer_id = :home", home=people.NEWMAN.id) == []


@pytest.mark.parametrize(
    ("table", "count"), [("service", 25), ("site", 2), ("invoice", 39), ("billing_transaction", 409)]
)
async def test_bloom_is_as_large_as_promised(demo: Database, table: str, count: int) -> None:
    found = await rows(f"SELECT id FROM {table} WHERE customer_id = :home", home=people.BLOOM.id)
    assert len(found) == count


async def test_bloom_shows_every_state_a_service_can_have(demo: Database) -> None:
    found = await rows(
        "SELECT state, suspend_reason, end_reason, ends_at FROM service WHERE customer_id = :home", home=people.BLOOM.id
    )
    assert {status_of(Life(**each), NOW).mark for each in found} == set(Mark) - {Mark.TRANSFERRED}


async def wrong_totals() -> list[dict[str, Any]]:
    return await rows(
        """
        SELECT number FROM (
            SELECT invoice.number, net_minor, invoice.tax_minor, paid_minor,
                sum(CASE WHEN line.kind NOT IN ('payment', 'refund') THEN line.amount_minor END) AS net,
                sum(line.tax_minor) AS tax,
                sum(CASE WHEN line.kind IN ('payment', 'refund') THEN -line.amount_minor ELSE 0 END) AS paid
            FROM invoice JOIN billing_transaction line ON line.invoice_id = invoice.id
            GROUP BY invoice.id, invoice.number, net_minor, invoice.tax_minor, paid_minor
        ) bill
        WHERE net_minor <> net OR tax_minor <> tax OR paid_minor <> paid
        """
    )


async def test_stored_totals_are_the_sums_of_the_lines_to_the_penny(demo: Database) -> None:
    assert await wrong_totals() == []


async def test_what_asha_ordered_came_or_was_given_back_and_the_books_say_the_same(demo: Database) -> None:
    found = await rows("SELECT state FROM purchase_order WHERE customer_id = :id ORDER BY state", id=people.PATEL.id)
    assert [each["state"] for each in found] == ["delivered", "refunded"]
    await shopping.check_all()
    for name, statement in money.AT_REST.items():
        # One of Noor's payments is.
        assert name == "nothing is on its way" or await fetch(statement.bind()) == [], name


async def test_bill_numbers_follow_the_dates_without_gaps(demo: Database) -> None:
    found = await rows("SELECT number, date FROM invoice WHERE number LIKE 'INV-%' ORDER BY date, number")
    years: dict[str, list[int]] = {}
    for each in found:
        years.setdefault(each["number"][:8], []).append(int(each["number"][9:]))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in years.values())


async def test_what_was_used_and_what_is_left_make_up_what_was_granted(demo: Database) -> None:
    """The records of the current period, bucket by bucket, tell the same story as the buckets."""
    bad = await rows(
        """
        SELECT bucket.label, bucket.remaining FROM bucket
        JOIN allowance_grant given ON given.bucket_id = bucket.id
        LEFT JOIN usage_record used ON used.bucket_id = bucket.id AND used.started_at >= given.period_start
        WHERE given.period_start <= :now AND (given.period_end IS NULL OR given.period_end > :now)
            AND bucket.kind <> 'money'
        GROUP BY bucket.id, bucket.label, bucket.remaining, given.amount
        HAVING given.amount - bucket.remaining <> coalesce(sum(used.bytes + used.count
            + CASE WHEN used.kind = 'call' THEN used.seconds ELSE 0 END), 0)
        """,
        now=NOW,
    )
    assert bad == []


async def test_usage_goes_back_thirteen_months_and_not_into_the_future(demo: Database) -> None:
    for service in (people.ASHA_MOBILE, people.CHIDI_MOBILE, people.bloom_service(0)):
        found = await rows(
            "SELECT min(started_at) AS first, max(started_at) AS last FROM usage_record WHERE service_id = :service",
            service=service,
        )
        assert as_moment(found[0]["first"]) < NOW - timedelta(days=380)
        assert NOW - timedelta(days=3) < as_moment(found[0]["last"]) <= NOW


async def test_everybody_but_staff_has_something_in_their_activity_and_the_log_is_whole(demo: Database) -> None:
    audit.configure(b"k" * 32)
    found = await rows("SELECT DISTINCT customer_id FROM audit_event")
    assert {row["customer_id"] for row in found} == {home.id for home in people.HOUSEHOLDS}
    assert await rows("SELECT id FROM audit_event WHERE at > :now", now=NOW) == []
    assert await audit.verify() == []


async def test_staff_hold_the_rights_their_stories_need(demo: Database) -> None:
    found = {row["email"]: row["staff_rights"] for row in await rows("SELECT email, staff_rights FROM app_user")}
    rights = {name: staff_rights(json.loads(stored or "null")) for name, stored in found.items()}
    assert StaffRight.CAN_IMPERSONATE in rights["dina@example.test"]
    assert StaffRight.CAN_IMPERSONATE not in rights["eli@example.test"]
    assert StaffRight.VIEW_CUSTOMER in rights["eli@example.test"]
    assert rights["admin@example.test"] == frozenset(StaffRight)
    assert rights["asha@example.test"] == frozenset()


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
        datetime(2027, 1, 1, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 5, 31, 12, 0, tzinfo=UTC),
    ],
)
async def test_the_demo_can_start_on_any_day(database: Database, now: datetime) -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    await load(now=now, progress=lambda *_: None, passwords=passwords)
    passwords.close()
    chidi = await rows("SELECT remaining FROM bucket WHERE service_id = :id AND kind = 'data'", id=people.CHIDI_MOBILE)
    assert chidi == [{"remaining": 400_000_000}]
    assert await rows("SELECT id FROM usage_record WHERE started_at > :now", now=now) == []


async def test_generated_customers_have_services_buckets_and_bills_that_add_up(database: Database) -> None:
    passwords = Passwords(memory_kib=64, passes=1)
    said: list[tuple[str, int, int]] = []
    await load(now=NOW, progress=lambda *step: said.append(step), customers=120, records_each=3, passwords=passwords)
    passwords.close()
    assert said[-1] == ("customers", 120, 120)
    (counted,) = await rows(
        """
        SELECT count(*) AS customers, count(DISTINCT service.customer_id) AS with_service,
            count(DISTINCT bucket.customer_id) AS with_bucket, count(DISTINCT invoice.customer_id) AS with_bill
        FROM customer
        LEFT JOIN service ON service.customer_id = customer.id
        LEFT JOIN bucket ON bucket.customer_id = customer.id
        LEFT JOIN invoice ON invoice.customer_id = customer.id
        WHERE customer.number LIKE '3%'
        """
    )
    assert (counted["with_service"], counted["with_bucket"], counted["with_bill"]) == (120, 120, 120)
    assert await wrong_totals() == []
