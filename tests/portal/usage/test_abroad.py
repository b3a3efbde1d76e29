"""What was used in which country; what stops it; and how fast a line is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.demo import people
from selfcare.kernel.money import Money
from selfcare.portal.services.speed import Speed
from selfcare.portal.usage.abroad import by_country
from selfcare.ports.charging import Record
from tests.support.browser import Browser
from tests.support.site import NOW

LONDON = ZoneInfo("Europe/London")


def a_record(kind: str, country: str | None, at: datetime, *, amount: int, cost: int = 0) -> Record:
    return Record(
        id=f"{kind}{at}",
        service_id=UUID(int=1),
        kind=kind,
        direction="out",
        class_="roaming",
        started_at=at,
        seconds=amount if kind == "call" else 0,
        bytes=amount if kind == "data" else 0,
        count=amount if kind in ("sms", "mms") else 0,
        other_party=None,
        country=country,
        cost_minor=cost,
        currency="GBP",
    )


def test_each_country_adds_up_and_tells_what_a_unit_came_to() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    found = by_country(
        [
            a_record("data", "CH", at, amount=20 * 10**6, cost=100),
            a_record("data", "CH", at, amount=20 * 10**6, cost=100),
            a_record("call", "CH", at, amount=90, cost=75),
            a_record("data", "FR", at, amount=5 * 10**9),
        ],
        LONDON,
    )
    assert [one.country for one in found] == ["CH", "FR"]
    assert found[0].bytes == 40 * 10**6
    assert found[0].per_megabyte == Money(5, "GBP")
    assert found[0].per_minute == Money(50, "GBP")
    assert found[0].cost == Money(275, "GBP")
    assert found[1].per_megabyte is None


def test_the_days_are_those_of_the_customers_calendar() -> None:
    just_before_midnight_utc = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    (found,) = by_country([a_record("sms", "FR", just_before_midnight_utc, amount=1)], LONDON)
    assert found.first == found.last == date(2026, 7, 2)


async def test_a_trip_is_shown_country_by_country(asha: Browser) -> None:
    page = await asha.open(f"/usage/{people.ASHA_MOBILE}/abroad")
    headings = [" ".join(one.text_content().split()) for one in page.html.xpath("//h3")]
    assert {"France", "Spain"} <= set(headings)
    assert "Europe data" in page.text
    assert "World Roaming" in page.text
    assert (await asha.open(f"/usage/{people.ASHA_MOBILE}")).has_link(f"/usage/{people.ASHA_MOBILE}/abroad")


async def test_a_used_up_pass_says_what_it_stops_and_how_to_go_on(bloom: Browser) -> None:
    page = await bloom.open(f"/usage/{people.bloom_service(3)}")
    assert "Data abroad: stopped because World data is used up, although 9.9 GB is left." in page.text
    assert "Switzerland" in (await bloom.open(f"/usage/{people.bloom_service(3)}/abroad")).text


async def test_what_moved_over_is_told_with_its_place_in_the_queue(bloom: Browser) -> None:
    page = await bloom.open(f"/usage/{people.bloom_service(4)}")
    assert "Moved over from October" in page.text
    assert "moved over from last period, used before the plan" in page.text


async def test_a_stranger_finds_nothing(chidi: Browser) -> None:
    assert (await chidi.open(f"/usage/{people.ASHA_MOBILE}/abroad")).status == 404


async def test_a_slow_line_says_how_slow_until_when_and_what_restores_it(bloom: Browser) -> None:
    page = await bloom.open(f"/usage/{people.bloom_service(18)}")
    assert "Full speed used up: 1 Mbps until 5 Dec 2026." in page.text
    assert "A new period or a top-up restores it." in page.text


async def test_fair_use_is_told_before_it_matters(bloom: Browser) -> None:
    assert "full speed to 100 GB" in (await bloom.open(f"/usage/{people.bloom_service(19)}")).text


async def test_what_the_network_did_not_say_is_not_claimed(bloom: Browser) -> None:
    text = (await bloom.open(f"/usage/{people.bloom_service(20)}")).text
    assert "speed" not in text.lower()


def test_near_the_end_of_full_speed_is_told_and_a_past_slowing_is_over() -> None:
    speed = Speed(full_speed_bytes=1000)
    assert not speed.is_near(799)
    assert speed.is_near(800)
    assert not speed.is_near(None)
    assert not Speed.reported(1000, 64, NOW, NOW).is_slow
    assert Speed.reported(1000, 64, NOW + timedelta(seconds=1), NOW).is_slow
