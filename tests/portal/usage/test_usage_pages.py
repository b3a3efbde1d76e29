"""/usage and the usage of one service, as the people of the demo operator see them."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from selfcare.adapters.charging_tables import Bucket
from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, insert_many
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.ports.charging import Delivery, Put, Use
from tests.support.browser import Browser, Page
from tests.support.site import NOW

MOBILE = people.ASHA_MOBILE
HERE = f"/usage/{MOBILE}"


def line(page: Page, kind: str, scope: str = "any") -> str:
    return " ".join(page.by_id(f"line-{kind}-{scope}").text_content().split())


def minutes_left(page: Page) -> int:
    found = re.search(r"(\d+) minutes left of", line(page, "voice"))
    assert found
    return int(found[1])


async def use(app: Application, kind: str, amount: int, service: UUID = MOBILE, **more: object) -> None:
    made = Use(id=str(uuid4()), service=str(service), kind=kind, amount=amount, at=clock.now(), currency="GBP", **more)  # type: ignore[arg-type]
    taken = await app.ports.charging.take([made])
    assert taken.counted == 1, taken


async def add_bucket(home: people.Household, service: UUID, **more: object) -> None:
    usual = {
        "id": ids.new_id(),
        "customer_id": home.id,
        "service_id": service,
        "kind": "data",
        "label": "Extra",
        "origin": "topup",
        "remaining": 0,
        "consume_order": 2,
        "as_of": NOW,
        "created_at": NOW - timedelta(days=1),
    }
    async with transaction():
        await insert_many(Bucket, [usual | more])


async def change(what: str, where: str, **values: object) -> None:
    async with transaction():
        await execute(Prepared.sql(f"UPDATE bucket SET {what} WHERE {where}").bind(**values))


async def change_service(what: str, service: UUID, **values: object) -> None:
    async with transaction():
        await execute(Prepared.sql(f"UPDATE service SET {what} WHERE id = :id").bind(id=service, **values))


async def test_data_shows_what_is_left_used_and_each_bucket_in_the_order_of_use(asha: Browser) -> None:
    page = await asha.open(HERE)
    shown = line(page, "data")
    assert "left of 28 GB" in shown
    assert "Used This Period" in shown
    places = [shown.index(words) for words in ("Birthday bonus", "5 GB top-up", "Plan data")]
    assert places == sorted(places)
    assert "used 1st · a bonus goes first" in shown
    assert "used 3rd · the plan goes last" in shown


async def test_international_minutes_are_a_line_of_their_own(asha: Browser) -> None:
    page = await asha.open(HERE)
    assert "left of 1000 minutes" in line(page, "voice")
    assert "left of 60 minutes" in line(page, "voice", "international")


async def test_calls_are_told_apart_by_class_with_minutes_and_money(asha: Browser) -> None:
    page = await asha.open(HERE)
    for words in ("On-Net Calls", "Off-Net Calls", "International Calls", "Premium Numbers"):
        assert words in page.text


async def test_texts_say_whether_picture_messages_count(asha: Browser) -> None:
    page = await asha.open(HERE)
    assert "picture messages count as texts" in line(page, "sms")
    assert re.search(r"Used This Month: \d+ texts", page.text)


async def test_credit_shows_the_last_topup_its_end_and_automatic_recharge(asha: Browser) -> None:
    shown = line(await asha.open(HERE), "money")
    assert "£8.25" in shown
    assert "Last Top-Up £10.00" in shown
    assert "Never expires" in shown
    assert "Auto-Recharge Off" in shown


async def test_credit_that_has_ended_is_still_the_last_topup(app: Application, asha: Browser) -> None:
    put = Put(kind="money", amount=500, label="Weekend", currency="GBP", expires_at=NOW + timedelta(days=2))
    await app.ports.charging.credit(
        Delivery(order_id=uuid4(), customer_id=people.PATEL.id, service_id=MOBILE, puts=(put,))
    )
    before = line(await asha.open(HERE), "money")
    assert "Last Top-Up £5.0022 Nov 2026" in before
    with clock.frozen(NOW + timedelta(days=3)):
        await asha.sign_in("asha@example.test")
        after = line(await asha.open(HERE), "money")
    assert "Last Top-Up £5.0022 Nov 2026" in after
    assert "£8.25 left" in after


async def test_low_is_marked_and_leads_to_a_topup(chidi: Browser) -> None:
    page = await chidi.open(f"/usage/{people.CHIDI_MOBILE}")
    shown = page.by_id("line-data-any")
    assert "Low" in shown.text_content()
    assert shown.xpath(f".//a[@href='/topup/{people.CHIDI_MOBILE}']")


async def test_unlimited_is_a_word_without_a_bar(asha: Browser) -> None:
    page = await asha.open(f"/usage/{people.ASHA_INTERNET}")
    shown = page.by_id("line-data-any")
    assert "Unlimited" in shown.text_content()
    assert not shown.xpath(".//svg[contains(@class, 'ribbon')]")


async def test_debt_is_said_to_be_owed(app: Application, chidi: Browser) -> None:
    await change("remaining = -320, granted = NULL", "service_id = :id AND kind = 'money'", id=people.CHIDI_MOBILE)
    assert "You owe £3.20" in line(await chidi.open(f"/usage/{people.CHIDI_MOBILE}"), "money")


async def test_an_empty_blocker_says_what_is_stopped_and_how_to_go_on(app: Application, asha: Browser) -> None:
    await add_bucket(
        people.PATEL, MOBILE, label="Day pass", blocker=True, consume_order=1, expires_at=NOW + timedelta(days=1)
    )
    page = await asha.open(HERE)
    assert "Plenty left" not in line(page, "data")
    assert "Data: stopped because Day pass is used up, although 20" in line(page, "data")
    assert page.by_id("line-data-any").xpath(f".//a[@href='/topup/{MOBILE}'][text()='Top up to go on']")


async def test_an_empty_pass_for_abroad_names_the_credit_behind_it_and_leads_to_passes(asha: Browser) -> None:
    for path in (HERE, f"{HERE}/abroad"):
        before = (await asha.open(path)).by_id("line-data-roaming")
        assert "stopped" not in before.text_content()
    await change("disabled = :yes", "service_id = :id AND kind = 'data' AND scope = 'roaming'", id=MOBILE, yes=True)
    await add_bucket(people.PATEL, MOBILE, label="Day pass", blocker=True, consume_order=1, scope="roaming")
    for path in (HERE, f"{HERE}/abroad"):
        shown = (await asha.open(path)).by_id("line-data-roaming")
        said = "Data abroad: stopped because Day pass is used up, although credit of £8.25 is left."
        assert said in " ".join(shown.text_content().split())
        assert shown.xpath(f".//a[@href='/addons/{MOBILE}'][text()='Add more to go on']")


async def test_a_service_on_which_nothing_is_counted_shows_no_chart_of_zeros(bloom: Browser) -> None:
    (path,) = (await bloom.open("/services?type=iptv")).html.xpath("//a[starts-with(@href, '/usage/')]/@href")
    page = await bloom.open(path)
    assert "Nothing was used from 24 Oct 2026 to 22 Nov 2026." in page.text
    assert not page.html.xpath("//table")
    assert "Tip:" not in page.text


async def test_no_tip_names_what_cannot_be_done_here(asha: Browser) -> None:
    page = await (await asha.open(HERE)).submit("tip-form")
    assert "Let us warn you" not in page.text, "there is no page on which to ask for warnings"
    assert "Look at your usage now and then" in page.text


async def test_who_may_only_look_is_not_sent_to_buy(app: Application, ben: Browser) -> None:
    await use(app, "data", 10**11)
    for path in ("/", HERE):
        page = await ben.open(path)
        assert not page.html.xpath("//main//a[starts-with(@href, '/topup/')]"), path
    assert "Top up before an allowance ends" not in page.text


async def test_of_unlimited_nothing_is_to_be_topped_up_in_time(asha: Browser) -> None:
    assert "Top up before an allowance ends" in (await asha.open(HERE)).text
    assert "Top up before an allowance ends" not in (await asha.open(f"/usage/{people.ASHA_INTERNET}")).text


async def test_rollover_says_that_it_moved_over_and_its_rank(app: Application, asha: Browser) -> None:
    await add_bucket(people.PATEL, MOBILE, label="October data", origin="rollover", remaining=10**9, consume_order=2)
    shown = line(await asha.open(HERE), "data")
    assert "October data" in shown
    assert "moved over from last period" in shown or "it ends later" in shown


async def test_what_ended_unused_is_apart(app: Application, asha: Browser) -> None:
    await add_bucket(people.PATEL, MOBILE, label="Weekend", remaining=1_200_000_000, expires_at=NOW - timedelta(days=1))
    shown = line(await asha.open(HERE), "data")
    assert "1.2 GB ended unused" in shown
    assert "left of 28" in shown


async def test_every_figure_says_of_when_it_is(asha: Browser) -> None:
    for path in ("/usage", HERE, f"{HERE}/balance", f"{HERE}/why"):
        page = await asha.open(path)
        assert "Updated 22 Nov 2026, 12:00" in page.text, path


async def test_use_is_seen_at_the_next_look(app: Application, asha: Browser) -> None:
    before = minutes_left(await asha.open(HERE))
    await use(app, "call", 600)
    assert minutes_left(await asha.open(HERE)) == before - 10


async def test_refresh_asks_the_meter_and_leads_back(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []

    async def look(_who: object, service_id: UUID) -> None:
        asked.append(service_id)

    monkeypatch.setattr(app.ports.charging, "look", look)
    page = await asha.open(HERE)
    (link,) = page.html.xpath("//a[text()='Refresh']/@href")
    assert (await asha.open(link)).path == HERE
    assert asked == [MOBILE]


async def test_who_refreshes_more_than_six_times_a_minute_sees_what_is_known(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[UUID] = []

    async def look(_who: object, service_id: UUID) -> None:
        asked.append(service_id)

    monkeypatch.setattr(app.ports.charging, "look", look)
    for _ in range(6):
        assert (await asha.open(f"{HERE}/refresh")).status == 200
    page = await asha.open(f"{HERE}/refresh")
    assert (page.status, len(asked)) == (429, 6)
    assert "You have refreshed six times in a minute" in page.text
    assert "left of 28 GB" in page.text
    with clock.frozen(NOW + timedelta(minutes=1)):
        assert (await asha.open(f"{HERE}/refresh")).status == 200


async def test_a_waiting_page_is_answered_as_soon_as_something_is_used(app: Application, asha: Browser) -> None:
    page = await asha.open(f"{HERE}/balance", htmx=True)
    before, asking = minutes_left(page), page.by_id("usage-balance").get("hx-get")
    waiting = asyncio.create_task(asha.open(asking, htmx=True))
    await asyncio.sleep(0)
    await use(app, "call", 600)
    answered = await asyncio.wait_for(waiting, 60)
    assert minutes_left(answered) == before - 10


async def test_a_waiting_page_hears_nothing_when_nothing_was_used(asha: Browser) -> None:
    page = await asha.open(f"{HERE}/balance", htmx=True)
    answer = await asha.open(page.by_id("usage-balance").get("hx-get") + "&wait=0", htmx=True)
    assert answer.status == 204
    assert answer.answer.content == b""


async def test_asking_again_does_not_keep_a_sign_in_alive(asha: Browser) -> None:
    page = await asha.open(f"{HERE}/balance", htmx=True)
    asking = page.by_id("usage-balance").get("hx-get") + "&wait=0"
    with clock.frozen(NOW + timedelta(minutes=20)):
        assert (await asha.open(asking, htmx=True)).status == 204
    with clock.frozen(NOW + timedelta(minutes=31)):
        assert (await asha.open(HERE, follow=False)).status == 303


async def test_the_chart_is_also_a_table(asha: Browser) -> None:
    page = await asha.open(f"{HERE}?kind=voice&step=month")
    chart = page.by_id("usage-chart")
    assert len(chart.xpath(".//rect[@class='col' or @class='now']")) == 13
    assert len(chart.xpath(".//tbody/tr")) == 13
    assert "(today)" in chart.text_content()


async def test_another_chart_comes_as_a_fragment(asha: Browser) -> None:
    page = await asha.open(f"{HERE}?kind=sms&step=week", htmx=True)
    assert page.html.get("id") == "usage-history"
    assert "texts from" in page.text


@pytest.mark.parametrize(
    "strange", ["kind=x", "step=year", "until=2026-02-30", "until=0001-01-01", "until=9999-12-31", "kind=money&step="]
)
async def test_a_mangled_chart_is_the_usual_one(asha: Browser, strange: str) -> None:
    assert (await asha.open(f"{HERE}?{strange}")).status == 200


async def test_the_forecast_is_a_range_and_says_what_it_rests_on(asha: Browser) -> None:
    page = await asha.open(HERE)
    assert "At this pace" in page.text
    assert "from the last two weeks" in page.text


async def test_what_if_names_every_topup_on_sale(chidi: Browser) -> None:
    page = await chidi.open(f"/usage/{people.CHIDI_MOBILE}")
    assert "What if I add more?" in page.text
    for name in ("1 GB extra data", "5 GB extra data", "50 GB extra data"):
        assert f"{name} lasts" in page.text


async def test_what_if_is_not_asked_where_it_lasts_anyway(asha: Browser) -> None:
    page = await asha.open(HERE)
    assert "It lasts to the end of the period, 5 December." in page.text
    assert "You need not add anything for that." in page.text
    assert "What if I add more?" not in page.text


async def test_a_service_that_does_not_renew_promises_no_new_period(chidi: Browser) -> None:
    page = await chidi.open(f"/usage/{people.CHIDI_MOBILE}")
    assert "Then your credit of £1.40 pays for more, until you add more." in page.text
    assert "5 GB extra data lasts until it ends, on 29 November" in page.text
    await change_service("renews = :yes", people.CHIDI_MOBILE, yes=True)
    page = await chidi.open(f"/usage/{people.CHIDI_MOBILE}")
    assert "pays for more, until 30 November, when your plan begins anew, or until you add more." in page.text


async def test_a_blocker_keeps_credit_from_paying(chidi: Browser) -> None:
    await change("blocker = :yes", "service_id = :id AND kind = 'data'", id=people.CHIDI_MOBILE, yes=True)
    assert "Then it stops until you add more." in (await chidi.open(f"/usage/{people.CHIDI_MOBILE}")).text


async def test_what_is_used_up_says_how_long_more_of_it_would_last(app: Application, chidi: Browser) -> None:
    await use(app, "data", 10**10, people.CHIDI_MOBILE)
    page = await chidi.open(f"/usage/{people.CHIDI_MOBILE}")
    assert "It is used up." in page.text
    assert "1 GB extra data lasts until" in page.text


async def test_what_an_allowance_for_abroad_gave_does_not_quicken_the_pace_at_home(
    app: Application, asha: Browser
) -> None:
    async def pace() -> str:
        found = re.search(r"You use about (.+?) of it a day", (await asha.open(HERE)).text)
        assert found
        return found[1]

    before = await pace()
    with clock.frozen(NOW - timedelta(days=1)):
        await use(app, "data", 2_000_000_000, class_="roaming", country="FR")
    assert await pace() == before


async def test_calls_are_counted_from_the_same_day_whatever_the_chart_shows(app: Application, asha: Browser) -> None:
    await change("is_unlimited = :yes", "service_id = :id AND kind = 'sms'", id=MOBILE, yes=True)
    for kind in ("data", "voice", "sms"):
        assert "Calls since 6 November" in (await asha.open(f"{HERE}?kind={kind}")).text, kind
    await change("is_unlimited = :yes", "service_id = :id AND kind = 'voice'", id=MOBILE, yes=True)
    assert "Calls since 6 November" in (await asha.open(HERE)).text, "the plan's period, though nobody granted minutes"


async def test_where_it_went_is_told_bucket_by_bucket(asha: Browser) -> None:
    page = await asha.open(f"{HERE}/why")
    for words in (
        "Put in altogether: 28 GB",
        "Used Birthday bonus −minus 1.5 GB a bonus goes first",
        "Put in 5 GB top-up +5 GB bought on top",
        "Left Plan data",
        "Faster than expected?",
        "November:",
    ):
        assert words in page.text


async def test_where_it_went_is_told_of_every_line(asha: Browser) -> None:
    page = await asha.open(f"{HERE}/why")
    for words in ("Data abroad since", "International Minutes since", "Used World minutes", "Credit", "Used Credit"):
        assert words in page.text
    assert "from last period, used before the plan" not in page.text


async def test_the_pace_of_a_new_service_is_that_of_the_whole_days_it_has(app: Application, asha: Browser) -> None:
    await change_service("activated_at = :at", people.ASHA_INTERNET, at=NOW - timedelta(days=2))
    page = await asha.open(f"/usage/{people.ASHA_INTERNET}/why")
    assert "In the last 2 days you used about" in page.text
    assert "Sunday, 22 November" not in page.text
    await change_service("activated_at = :at", people.ASHA_INTERNET, at=NOW - timedelta(hours=2))
    assert "you used about" not in (await asha.open(f"/usage/{people.ASHA_INTERNET}/why")).text


async def test_all_services_stand_on_one_page_with_their_sums(asha: Browser) -> None:
    page = await asha.open("/usage")
    assert "All services together" in page.text
    assert len(page.html.xpath("//article")) == 2


async def test_among_many_services_one_is_found_by_name_number_and_kind(bloom: Browser) -> None:
    page = await bloom.open("/usage")
    assert page.html.xpath("//input[@name='q']")
    (one,) = (await bloom.open("/usage?q=07700+900412")).html.xpath("//article")
    assert "Gwen Ashby" in one.text_content()
    assert len((await bloom.open("/usage?q=van")).html.xpath("//article")) == 3
    kinds = page.html.xpath("//select[@name='type']/option/@value")
    for kind in kinds[1:]:
        assert len((await bloom.open(f"/usage?type={kind}")).html.xpath("//article")) < len(
            page.html.xpath("//article")
        )
    nothing = await bloom.open("/usage?q=nothing+like+it", htmx=True)
    assert nothing.html.get("id") == "usage-services"
    assert "No service matches" in nothing.text
    assert "All services together" not in nothing.text


async def test_two_services_need_no_search(asha: Browser) -> None:
    assert not (await asha.open("/usage")).html.xpath("//input[@name='q']")


async def test_nothing_to_measure_says_what_will_stand_here(empty: Browser) -> None:
    assert "Nothing to measure yet" in (await empty.open("/usage")).text


async def test_the_number_of_statements_does_not_grow_with_services_and_buckets(
    app: Application, asha: Browser, bloom: Browser
) -> None:
    await asha.open("/usage")
    with counting() as few:
        await asha.open("/usage")
    with counting() as many:
        await bloom.open("/usage")
    assert len(many) == len(few)


async def test_the_number_of_statements_does_not_grow_with_the_records(app: Application, asha: Browser) -> None:
    await asha.open(HERE)
    with counting() as few:
        await asha.open(HERE)
    for _ in range(30):
        await use(app, "data", 1000)
    with counting() as many:
        await asha.open(HERE)
    assert len(many) == len(few)


async def test_somebody_elses_usage_looks_like_none(chidi: Browser) -> None:
    for path in (HERE, f"{HERE}/balance", f"{HERE}/why", f"{HERE}/refresh", f"/usage/{uuid4()}"):
        assert (await chidi.open(path)).status == 404, path
    assert (await chidi.open(f"{HERE}/balance?revision=1&wait=0", htmx=True)).status == 404


async def test_who_uses_one_line_sees_the_usage_of_that_line_alone(femi: Browser) -> None:
    assert len((await femi.open("/usage")).html.xpath("//article")) == 1
    assert (await femi.open(f"/usage/{people.bloom_service(1)}")).status == 404


async def test_days_are_those_of_the_customers_zone(app: Application, asha: Browser) -> None:
    """On 29 March the clocks of London go forward: 23:30 in summer is 22:30 UTC of the same day."""
    with clock.frozen(NOW.replace(year=2027, month=3, day=29, hour=22, minute=30)):
        await asha.sign_in("asha@example.test")
        await use(app, "data", 7_000_000)
        page = await asha.open(HERE)
        (today,) = page.by_id("usage-chart").xpath(".//tbody/tr[last()]")
        assert "29 Mar" in today.text_content()
        assert "7 MB" in today.text_content()
