"""Why a bill is different: the explanation adds up to the penny."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing.difference import Charged, What, compare
from tests.support.browser import Browser

LINE, OTHER = UUID(int=1), UUID(int=2)
BILLS = Prepared.sql(
    """
    SELECT id, number, net_minor + tax_minor AS total FROM invoice
     WHERE customer_id = :customer_id AND kind = 'regular' AND state <> 'draft' ORDER BY date
    """
)
things = st.lists(
    st.builds(
        Charged,
        st.sampled_from([LINE, OTHER, None]),
        st.just("Mobile"),
        st.sampled_from(["Plan", "Calls", "Credit", "Top-up"]),
        st.builds(Money, st.integers(-10_000, 10_000), st.just("GBP")),
    ),
    max_size=8,
)


def total(charged: list[Charged]) -> Money:
    return sum((one.amount for one in charged), Money.zero("GBP"))


@given(things, things)
def test_the_changes_add_up_to_the_difference(before: list[Charged], now: list[Charged]) -> None:
    changes, _same = compare(before, now)
    assert sum((change.by for change in changes), Money.zero("GBP")) == total(now) - total(before)


def a(description: str, minor: int, service: UUID | None = LINE) -> Charged:
    return Charged(service, "Mobile", description, Money(minor, "GBP"))


def test_new_gone_changed_and_same_are_told_apart() -> None:
    changes, same = compare(
        [a("Plan", 1000), a("Calls", 200), a("Extra", 500)], [a("Plan", 1000), a("Calls", 350), a("TV", 99)]
    )
    assert [(change.what, change.description, change.by.minor) for change in changes] == [
        (What.GONE, "Extra", -500),
        (What.CHANGED, "Calls", 150),
        (What.NEW, "TV", 99),
    ]
    assert same == 1


def test_the_same_words_on_another_service_are_another_thing() -> None:
    changes, same = compare([a("Plan", 1000)], [a("Plan", 1000, OTHER)])
    assert ({change.what for change in changes}, same) == ({What.NEW, What.GONE}, 0)


async def test_every_bill_is_explained_from_the_one_before(asha: Browser) -> None:
    bills = await fetch(BILLS.bind(customer_id=people.PATEL.id))
    for before, now in pairwise(bills):
        page = await asha.open(f"/billing/invoices/{now['id']}/difference")
        figures = [cell.text_content() for cell in page.html.xpath("//dl[contains(@class, 'sum')]//dd")]
        minor = [int("".join(c for c in text if c.isdigit())) * (-1 if "−" in text else 1) for text in figures]
        assert (minor[0], minor[-1]) == (before["total"], now["total"])
        assert sum(minor[:-1]) == minor[-1]


async def test_the_first_bill_has_nothing_to_compare_with(asha: Browser) -> None:
    first = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[0]
    page = await asha.open(f"/billing/invoices/{first['id']}/difference")
    assert "There is no bill before this one" in page.text


async def test_a_line_is_explained(asha: Browser) -> None:
    last = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    bill = await asha.open(f"/billing/invoices/{last['id']}")
    page = await asha.open(bill.html.xpath("//tbody//th/a/@href")[0])
    assert "tax included" in page.text
    assert "Tax 20 %" in page.text
    assert page.has_link("/account/requests/new")


async def test_strangers_bills_and_lines_do_not_exist(asha: Browser, chidi: Browser) -> None:
    last = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    bill = await asha.open(f"/billing/invoices/{last['id']}")
    line = bill.html.xpath("//tbody//th/a/@href")[0]
    assert (await chidi.open(f"/billing/invoices/{last['id']}/difference")).status == 404
    assert (await chidi.open(line)).status == 404
    assert (await asha.open(f"/billing/invoices/{last['id']}/lines/{new_id()}")).status == 404
