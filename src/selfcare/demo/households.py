"""What the named people have bought, used and owe. All of it stands relative to the demo's now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from selfcare.demo import catalogue, people
from selfcare.demo.accounts import site_id
from selfcare.demo.bills import Bill, Book, Item
from selfcare.demo.catalogue import GB
from selfcare.demo.lines import MONTHS, Line
from selfcare.demo.people import OKORO, PATEL, fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline, add_months
from selfcare.demo.traffic import Event, Habits, abroad, events, scaled

FRIENDS = ("+447700900301", "+447700900302", "+447700900305", "+441134960222", "+447700900124", "+442079460018")


def add_asha(rows: Rows, book: Book, when: Timeline) -> None:
    records = _asha_mobile(rows, book, when)
    _asha_internet(rows, when)
    for back in range(MONTHS):
        day = add_months(when.day(-3), -back)
        items = [
            Item("Lark 20", catalogue.LARK_20.price, service=people.ASHA_MOBILE),
            Item("Home Fibre 80", catalogue.FIBRE_80.price if back < 4 else 2600, service=people.ASHA_INTERNET),
        ]
        outside = _not_covered(records, add_months(day, -1), day)
        if outside:
            items.append(Item("Calls outside your plan", outside, service=people.ASHA_MOBILE))
        if back == 2:
            items.append(Item("Credit for the outage", -500, service=people.ASHA_INTERNET))
        bill = Bill(
            key=f"asha/{day.year}-{day.month:02}",
            customer=PATEL.id,
            day=day,
            due_on=day + timedelta(days=14),
            items=items,
        )
        book.bills.append(bill if back < 2 else bill.paid_after(12, now=when.now))


def add_chidi(rows: Rows, book: Book, when: Timeline) -> None:
    begun = when.day(-22)
    periods = [(when.start_of(-22 - 30 * n), when.end_of(7 - 30 * n)) for n in reversed(range(MONTHS))]
    line = Line(
        rows,
        when,
        OKORO,
        people.CHIDI_MOBILE,
        catalogue.LARK_5,
        msisdn=people.CHIDI.phone,
        iccid="8944110000000020017",
        ends_at=when.end_of(7),
        renews=False,
        configuration={"SIM": "Physical, nano", "Network": "5G", "Voicemail": "On"},
    )
    line.plan(catalogue.LARK_5, periods)
    credit = line.bucket("money", "Credit", "topup")
    for n in range(MONTHS):
        line.put(credit, 500, when.at(-12 - 30 * n, 18), when.at(-13 - 30 * (n - 1), 12) if n else None, "purchase")
        book.bought(f"chidi/credit/{n}", OKORO.id, when.at(-12 - 30 * n, 18), Item("£5 credit", 500))
        book.bought(f"chidi/plan/{n}", OKORO.id, periods[-1 - n][0] + timedelta(hours=9), Item("Lark 5, 30 days", 800))
    habits = Habits(megabytes=130, sessions=4, calls=1.6, texts=1.4, weekend=1.3, parties=FRIENDS)
    rng = Random("chidi")
    made: list[Event] = []
    for start, end in periods[:-1]:
        days = [start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days)]
        made += [event for event in events(habits, days, rng) if event.class_ != "premium"]
    now_days = [begun + timedelta(days=n) for n in range(1, 22)]
    current = [event for event in events(habits, now_days, rng) if event.class_ != "premium"]
    made += scaled(current, 5 * GB * 92 // 100)
    made += [_home_call(when.at(-30 * n + back, 19, 20), cost) for n in range(MONTHS) for back, cost in _CALLS_HOME]
    line.use(sorted(made, key=lambda event: event.at))
    _chidi_internet(rows, book, when)


_CALLS_HOME = ((-11, 120), (-7, 90), (-3, 150))


def _home_call(at: datetime, cost: int) -> Event:
    return Event(
        at=at,
        kind="call",
        class_="international",
        seconds=cost * 4 - 17,
        party="+2348000000123",
        country="NG",
        cost=cost,
    )


def _asha_mobile(rows: Rows, book: Book, when: Timeline) -> list[dict[str, Any]]:
    begun = when.day(-16)
    periods = when.periods(begun, MONTHS)
    line = Line(
        rows,
        when,
        PATEL,
        people.ASHA_MOBILE,
        catalogue.LARK_20,
        msisdn=people.ASHA.phone,
        iccid="8944110000000010018",
        ends_at=periods[-1][1] + timedelta(seconds=1),
        contract_ends_on=add_months(when.today, 10),
        configuration={"SIM": "eSIM", "Network": "5G", "Voicemail": "On", "Phone": "Fairphone 5"},
    )
    line.plan(catalogue.LARK_20, periods)
    topup = line.bucket("data", "5 GB top-up", "topup", expires_at=when.end_of(21), created_at=when.at(-9, 20))
    line.put(topup, 5 * GB, when.at(-9, 20), when.end_of(21), "purchase")
    bonus = line.bucket("data", "Birthday bonus", "bonus", expires_at=when.end_of(3), created_at=when.at(-3, 9))
    line.put(bonus, 3 * GB, when.at(-3, 9), when.end_of(3), "bonus")
    world = line.bucket("voice", "World minutes", "topup", scope="international", expires_at=when.end_of(18))
    line.put(world, 3600, when.at(-12, 8), when.end_of(18), "purchase")
    credit = line.bucket("money", "Credit", "topup", created_at=when.at(-6, 12))
    line.put(credit, 1000, when.at(-6, 12), None, "purchase")
    book.bought("asha/data", PATEL.id, when.at(-9, 20), Item("5 GB extra data", 600, service=people.ASHA_MOBILE))
    book.bought("asha/world", PATEL.id, when.at(-12, 8), Item("60 minutes to the world", 500))
    book.bought("asha/credit", PATEL.id, when.at(-6, 12), Item("£10 credit", 1000, service=people.ASHA_MOBILE))
    habits = Habits(megabytes=400, sessions=5, calls=2.4, texts=2.2, weekend=1.5, abroad_every_days=9, parties=FRIENDS)
    first = (periods[0][0].date() - when.today).days
    days = [when.day(n) for n in range(first + 1, 1)]
    made = list(events(habits, days, Random("asha")))
    premium = Event(at=when.at(-5, 13, 12), kind="call", class_="premium", seconds=412, party="+449098790123", cost=175)
    europe = line.bucket("data", "Europe data", "topup", scope="roaming", expires_at=when.end_of(18))
    line.put(europe, 10 * GB, when.at(-12, 8), when.end_of(18), "purchase")
    trip = [abroad(when.at(-11 + n // 3, 9 + 4 * (n % 3)), "FR" if n < 5 else "ES", 140 + 35 * n) for n in range(7)]
    return line.use(sorted([*made, *trip, premium], key=lambda event: event.at))


def _asha_internet(rows: Rows, when: Timeline) -> None:
    periods = when.periods(when.day(-25), MONTHS)
    line = Line(
        rows,
        when,
        PATEL,
        people.ASHA_INTERNET,
        catalogue.FIBRE_80,
        name="Internet - 14 Larch Road",
        site_id=site_id("asha"),
        ends_at=when.end_of(5),
        renews=False,
        contract_ends_on=when.day(5),
        configuration={"Router": "Lark Hub 2", "Serial number": "LH2-77410-22", "Speed": "80 / 20 Mbps"},
    )
    line.plan(catalogue.FIBRE_80, periods)
    habits = Habits(megabytes=6200, sessions=1, weekend=1.6)
    days = [when.day(n) for n in range(-30 * MONTHS, 1)]
    line.use(list(events(habits, days, Random("asha-internet"))))


def _chidi_internet(rows: Rows, book: Book, when: Timeline) -> None:
    Line(
        rows,
        when,
        OKORO,
        people.CHIDI_SUSPENDED,
        catalogue.HOME_4G,
        name="Internet - 8 Quay Street",
        site_id=site_id("chidi"),
        state="suspended",
        suspend_reason="payment",
        suspended_at=when.at(-6, 3),
        activated_at=when.at(-120, 10),
        configuration={"Router": "Lark 4G Box", "Serial number": "L4G-10077"},
    )
    for back in range(4):
        day = add_months(when.day(-21), -back)
        items = [Item("Home 4G", catalogue.HOME_4G.price, service=people.CHIDI_SUSPENDED)]
        bill = Bill(
            key=f"chidi/{day.year}-{day.month:02}",
            customer=OKORO.id,
            day=day,
            due_on=day + timedelta(days=14),
            items=items,
        )
        book.bills.append(bill.paid_after(9, now=when.now) if back else bill)


def _not_covered(records: Sequence[dict[str, Any]], start: Any, end: Any) -> int:
    """What calls cost that neither an allowance nor credit paid for."""
    return sum(
        record["cost_minor"]
        for record in records
        if record["bucket_id"] is None and start <= record["started_at"].date() < end
    )


def add_unowned(rows: Rows, when: Timeline) -> None:
    """Customers without a sign-in, to sign up with."""
    for home, phone in people.UNOWNED:
        line = Line(
            rows,
            when,
            home,
            fixed(f"service/{home.key}/mobile"),
            catalogue.LARK_5,
            msisdn=phone,
            ends_at=when.end_of(20),
            renews=False,
            configuration={"SIM": "Physical, nano", "Network": "5G"},
        )
        line.plan(catalogue.LARK_5, [(when.start_of(-9), when.end_of(20))])
        line.use([])
