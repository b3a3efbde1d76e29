from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from selfcare.audit import log
from selfcare.audit.events import Event
from selfcare.audit.log import Actor, record
from selfcare.audit.queries import list_all, list_of_customer
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from selfcare.kernel.place import Place

ORIGIN = Origin(address="203.0.113.77", device="Firefox on Android", request_id="r-1")
CUSTOMER, OTHER = new_id(), new_id()
ASHA = Actor(actor_id=new_id(), user_id=new_id(), customer_id=CUSTOMER, origin=ORIGIN)
CHIDI = Actor(actor_id=new_id(), user_id=new_id(), customer_id=OTHER, origin=ORIGIN)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def key() -> None:
    log.configure(b"a key that is not in the database")


async def write(who: log.Who, event: Event, at: datetime = NOON, **details: object) -> None:
    with clock.frozen(at):
        async with transaction():
            await record(who, event, **details)


async def test_the_newest_comes_first_and_only_of_this_customer(database: Database) -> None:
    await write(ASHA, Event.SERVICES_RENAMED, NOON)
    await write(ASHA, Event.CARDS_REMOVED, NOON + timedelta(hours=1))
    await write(CHIDI, Event.CARDS_REMOVED)
    page = await list_of_customer(CUSTOMER)
    assert [entry.event for entry in page.entries] == ["cards.removed", "services.renamed"]
    assert page.next is None


async def test_own_sign_ins_stand_among_what_happened_at_the_customer(database: Database) -> None:
    await write(ASHA, Event.SERVICES_RENAMED, NOON)
    await write(log.visitor(ORIGIN, user_id=ASHA.user_id), Event.SIGN_IN_SUCCEEDED, NOON - timedelta(hours=1))
    await write(log.visitor(ORIGIN, user_id=CHIDI.user_id), Event.SIGN_IN_SUCCEEDED, NOON)
    page = await list_of_customer(CUSTOMER, user_id=ASHA.user_id)
    assert [entry.event for entry in page.entries] == ["services.renamed", "sign_in.succeeded"]


async def test_features_and_dates_narrow_the_list(database: Database) -> None:
    await write(ASHA, Event.SERVICES_RENAMED, NOON)
    await write(ASHA, Event.TOPUP_BOUGHT, NOON, amount_minor=500, currency="GBP")
    await write(ASHA, Event.TOPUP_DELIVERED, NOON + timedelta(days=2))
    topups = frozenset({"topup"})
    page = await list_of_customer(CUSTOMER, packages=topups)
    assert [entry.event for entry in page.entries] == ["topup.delivered", "topup.bought"]
    page = await list_of_customer(CUSTOMER, packages=topups, since=NOON, until=NOON + timedelta(days=2))
    assert [(entry.event, entry.details) for entry in page.entries] == [
        ("topup.bought", {"amount_minor": 500, "currency": "GBP"})
    ]


async def test_pages_follow_each_other_without_a_gap_or_a_row_twice(database: Database) -> None:
    for hour in (0, 0, 0, 1, 1, 2, 3):
        await write(ASHA, Event.SERVICES_RENAMED, NOON + timedelta(hours=hour))
        await write(log.visitor(ORIGIN, user_id=ASHA.user_id), Event.SIGN_IN_SUCCEEDED, NOON + timedelta(hours=hour))
    seen, after = [], None
    while True:
        page = await list_of_customer(CUSTOMER, user_id=ASHA.user_id, after=after, limit=4)
        seen += page.entries
        if page.next is None:
            break
        after = Place.parse(str(page.next))
        assert after == page.next
    assert len(seen) == len({entry.id for entry in seen}) == 14
    assert [entry.at for entry in seen] == sorted((entry.at for entry in seen), reverse=True)


async def test_the_house_of_the_operator_is_for_staff_only(database: Database) -> None:
    await write(Actor(customer_id=CUSTOMER), Event.STAFF_CUSTOMER_VIEWED)
    assert (await list_of_customer(CUSTOMER)).entries == []
    assert [entry.event for entry in (await list_all()).entries] == ["staff.customer_viewed"]


@pytest.mark.parametrize("text", ["", "~", "yesterday~x", "2026-11-22~", "0001-01-01T00:00:00+14:00~x", "\x00"])
def test_a_mangled_place_is_no_place(text: str) -> None:
    assert Place.parse(text) is None


def test_a_feature_that_does_not_exist_is_an_error() -> None:
    from selfcare.audit.events import of_packages

    with pytest.raises(KeyError):
        of_packages(frozenset({"nonsense"}))
