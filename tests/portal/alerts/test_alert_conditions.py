from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

from selfcare.kernel.money import Money
from selfcare.portal.alerts.alerts import ABill, ACard, AFailedPayment, Alert, AService, Facts, Kind, alerts_for
from selfcare.portal.billing.invoices import Bill
from selfcare.portal.services.services import Life
from selfcare.portal.usage.allowances import Bucket, Granted, summarise

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)


def a_bill(due_in: int, **changed: object) -> ABill:
    columns = {"currency": "GBP", "net_minor": 2000, "tax_minor": 400, "paid_minor": 0} | changed
    return ABill(uuid4(), "INV-2026-000001", Bill(due_on=TODAY + timedelta(days=due_in), **columns))  # type: ignore[arg-type]


def a_service(left: int = 100, *, granted: int = 100, **life: object) -> AService:
    data = Bucket(id=uuid4(), kind="data", remaining=left, consume_order=1, created_at=NOW)
    grant = Granted(bucket_id=data.id, amount=granted, period_start=NOW - timedelta(days=1))
    allowances = tuple(summarise([data], [grant], NOW))
    return AService(uuid4(), "Mobile", Life(**({"state": "active"} | life)), allowances)  # type: ignore[arg-type]


def alerts(**facts: object) -> list[Alert]:
    return alerts_for(Facts(**facts), now=NOW, today=TODAY)  # type: ignore[arg-type]


def kinds(**facts: object) -> list[Kind]:
    return [alert.kind for alert in alerts(**facts)]


def test_a_calm_account_has_no_alerts() -> None:
    assert kinds(services=[a_service()], bills=[a_bill(3, paid_minor=2400)]) == []


def test_the_most_costly_comes_first() -> None:
    assert kinds(
        email_verified=False,
        cards=[ACard(uuid4(), "Visa 4242", 11, 2026)],
        bills=[a_bill(3), a_bill(-3)],
        services=[
            a_service(ends_at=NOW + timedelta(days=2)),
            a_service(8),
            a_service(0),
            a_service(state="suspended", suspend_reason="payment"),
        ],
        failed_payments=[AFailedPayment(uuid4(), "INV-1", Money(1000, "GBP"))],
    ) == [
        Kind.OVERDUE,
        Kind.SUSPENDED,
        Kind.PAYMENT_FAILED,
        Kind.USED_UP,
        Kind.LOW,
        Kind.EXPIRING,
        Kind.UNPAID,
        Kind.CARD_EXPIRING,
        Kind.VERIFY_EMAIL,
    ]


def test_a_bill_whose_payment_is_on_its_way_worries_nobody() -> None:
    assert kinds(bills=[a_bill(-3, on_its_way_minor=2400)]) == []


def test_a_bill_alert_says_what_remains() -> None:
    (alert,) = alerts(bills=[a_bill(-3, paid_minor=400)])
    assert alert.amount == Money(2000, "GBP")
    assert alert.detail == "3 days overdue"


def test_a_service_that_renews_by_itself_is_no_alert() -> None:
    assert kinds(services=[a_service(ends_at=NOW + timedelta(days=2), renews=True)]) == []


def test_low_data_on_a_suspended_service_is_not_told_twice() -> None:
    assert kinds(services=[a_service(1, state="suspended", suspend_reason="staff")]) == [Kind.SUSPENDED]


def test_an_expired_card_asks_for_a_new_one() -> None:
    assert kinds(cards=[ACard(uuid4(), "Visa 4242", 10, 2026)]) == [Kind.CARD_EXPIRED]


def test_a_dismissal_holds_for_this_bill_and_not_for_the_next() -> None:
    one, other = alerts(bills=[a_bill(1), a_bill(2)])
    assert one.key != other.key
