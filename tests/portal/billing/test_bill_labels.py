from datetime import UTC, date, datetime, timedelta

import pytest

from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.portal.billing.invoices import Bill, Label, amount_due, due_words, label_of, words

TODAY = date(2026, 11, 22)


def bill(**changed: object) -> Bill:
    columns = {"currency": "GBP", "net_minor": 2000, "tax_minor": 400, "paid_minor": 0, "due_on": TODAY} | changed
    return Bill(**columns)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Label.UNPAID),
        ({"due_on": TODAY - timedelta(days=1)}, Label.OVERDUE),
        ({"paid_minor": 1}, Label.PART_PAID),
        ({"paid_minor": 2399}, Label.PART_PAID),
        ({"paid_minor": 2400}, Label.PAID),
        ({"paid_minor": 2500}, Label.PAID),
        ({"paid_minor": 1, "due_on": TODAY - timedelta(days=1)}, Label.OVERDUE),
        ({"on_its_way_minor": 2400, "due_on": TODAY - timedelta(days=9)}, Label.ON_ITS_WAY),
        ({"on_its_way_minor": 2399, "due_on": TODAY - timedelta(days=9)}, Label.OVERDUE),
        ({"state": "void", "paid_minor": 2400}, Label.VOID),
        ({"kind": "credit_note", "net_minor": -2000, "tax_minor": -400}, Label.CREDIT_NOTE),
    ],
)
def test_the_first_label_that_fits_is_shown(changed: dict[str, object], expected: Label) -> None:
    assert label_of(bill(**changed), TODAY) is expected


@pytest.mark.parametrize("label", list(Label))
def test_every_label_has_words(label: Label) -> None:
    assert words(label)


def test_a_bill_is_overdue_when_the_day_is_over_in_the_billing_zone() -> None:
    due = bill(due_on=date(2026, 6, 30))
    with clock.frozen(datetime(2026, 6, 30, 23, 30, tzinfo=UTC)):
        assert label_of(due, clock.today("UTC")) is Label.UNPAID
        assert label_of(due, clock.today("Europe/London")) is Label.OVERDUE
        assert label_of(due, clock.today("America/New_York")) is Label.UNPAID


@pytest.mark.parametrize(
    ("days", "expected"), [(3, "Due in 3 days"), (1, "Due in 1 day"), (0, "Due today"), (-1, "1 day overdue")]
)
def test_the_due_date_is_said_in_days(days: int, expected: str) -> None:
    assert due_words(bill(due_on=TODAY + timedelta(days=days)), TODAY) == expected


def test_a_paid_bill_has_no_due_date_to_worry_about() -> None:
    assert due_words(bill(paid_minor=2400), TODAY) is None


def test_the_remaining_amount_includes_tax() -> None:
    assert bill(paid_minor=1000).remaining == Money(1400, "GBP")


def test_what_is_due_is_the_sum_of_issued_bills() -> None:
    bills = [bill(), bill(paid_minor=400), bill(state="draft"), bill(state="void"), bill(state="settled")]
    assert amount_due(bills, credit=Money.zero("GBP")).due == Money(4400, "GBP")


def test_credit_pays_first_and_the_rest_stays_credit() -> None:
    assert amount_due([bill()], credit=Money(400, "GBP")).due == Money(2000, "GBP")
    rich = amount_due([bill()], credit=Money(3000, "GBP"))
    assert rich.due == Money.zero("GBP")
    assert rich.credit == Money(600, "GBP")


def test_an_overpaid_bill_does_not_pay_another() -> None:
    assert amount_due([bill(), bill(paid_minor=9900)], credit=Money.zero("GBP")).due == Money(2400, "GBP")


def test_an_open_credit_note_lowers_what_is_due_and_a_proforma_does_not_raise_it() -> None:
    note = bill(kind="credit_note", net_minor=-500, tax_minor=-100)
    assert amount_due([bill(), note, bill(kind="proforma")], credit=Money.zero("GBP")).due == Money(1800, "GBP")


def test_void_paid_and_credit_notes_cannot_be_paid() -> None:
    assert bill().is_payable
    assert not bill(state="void").is_payable
    assert not bill(state="draft").is_payable
    assert not bill(paid_minor=2400).is_payable
    assert not bill(kind="credit_note", net_minor=-1, tax_minor=0).is_payable
