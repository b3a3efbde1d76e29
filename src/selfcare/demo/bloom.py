"""Bloom Ltd: a business of 25 lines, with bills of all kinds."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

from selfcare.demo import catalogue, people
from selfcare.demo.accounts import site_id
from selfcare.demo.bills import Bill, Book, Item
from selfcare.demo.catalogue import GB
from selfcare.demo.lines import MONTHS, Line
from selfcare.demo.people import BLOOM
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline, add_months
from selfcare.demo.traffic import Event, Habits, abroad, events
from selfcare.portal.services.tables import LineSpeed

CUSTOMERS = ("+441134960311", "+447700900501", "+447700900502", "+442079460755", "+441904960020")
# Two lines with unlimited data: one is slowed down, one is told up to where it is not.
SLOW_VAN = 18
_STAFF = (
    "Femi Adeyemi",
    "Hana Bloom",
    "Gwen Ashby",
    "Luca Rossi",
    "Maya Stone",
    "Noor Khan",
    "Owen Hughes",
    "Petra Novak",
    "Quentin Hall",
    "Rosa Lind",
    "Sam Whitby",
    "Tara Singh",
    "Umar Aziz",
    "Vera Holm",
    "Will Tate",
    "Ксения Попова",
    "يوسف علي",
    "Zoe Marsh",
    "Van 1",
    "Van 2",
    "Van 3",
)
_FIXED = (
    (catalogue.OFFICE_FIBRE, "Internet - Leeds office", "bloom-leeds"),
    (catalogue.OFFICE_FIBRE, "Internet - York nursery", "bloom-york"),
    (catalogue.OFFICE_LINE, "Office line - +44 113 496 0100", "bloom-leeds"),
    (catalogue.TV_ESSENTIALS, "TV - Leeds office", "bloom-leeds"),
)


def add_bloom(rows: Rows, book: Book, when: Timeline) -> None:
    _lines(rows, when)
    for back in range(36):
        day = add_months(when.day(-5), -back)
        bill = Bill(
            key=f"bloom/{day.year}-{day.month:02}",
            customer=BLOOM.id,
            day=day,
            due_on=day + timedelta(days=45),
            items=_items(back),
            purchase_ref=f"PO-{7100 + 36 - back}",
        )
        if back == 1:
            bill = replace(bill, paid=20_000, paid_at=when.at(-8, 11))
        elif back > 1:
            bill = bill.paid_after(30, now=when.now)
        if back == 4:
            bill = replace(bill, credited=1200)
            _credit_note(book, bill)
        book.bills.append(bill)
    _rare_bills(book, when)
    book.bought("bloom/roaming", BLOOM.id, when.at(-4, 8, 30), Item("World Roaming, 7 days", 2000))
    book.bought("bloom/data", BLOOM.id, when.at(-2, 16, 5), Item("50 GB extra data", 2500))
    book.bought("bloom/speed", BLOOM.id, when.at(-1, 10, 40), Item("Speed Boost, 3 days", 500))
    book.loose[-1]["voided_at"] = book.loose[-2]["voided_at"] = when.at(-1, 11)
    book.loose.pop()


def _credit_note(book: Book, bill: Bill) -> None:
    assert bill.paid_at is not None
    book.bills.append(
        Bill(
            key="bloom/credit-note",
            customer=BLOOM.id,
            day=bill.paid_at.date(),
            due_on=bill.paid_at.date(),
            items=[Item("Credit: Office Fibre 500, York nursery, outage", -1200, service=people.bloom_service(22))],
            paid=-1200,
            paid_at=bill.paid_at,
            kind="credit_note",
            corrects=bill.id,
        )
    )


def _rare_bills(book: Book, when: Timeline) -> None:
    """One that was cancelled, and an offer to pay early."""
    book.bills.append(
        Bill(
            key="bloom/void",
            customer=BLOOM.id,
            day=when.day(-70),
            due_on=when.day(-40),
            items=[Item("Installation at the wrong address", 9600)],
            is_void=True,
        )
    )
    book.bills.append(
        Bill(
            key="bloom/proforma",
            customer=BLOOM.id,
            day=when.day(-9),
            due_on=when.day(21),
            items=[Item("Telephone system for the York nursery, ten handsets", 4800, 10)],
            purchase_ref="PO-7200",
            kind="proforma",
        )
    )


def _lines(rows: Rows, when: Timeline) -> None:
    troubles: dict[int, dict[str, Any]] = {
        5: {"state": "suspended", "suspend_reason": "lost", "suspended_at": when.at(-2, 18)},
        9: {"state": "suspended", "suspend_reason": "customer", "suspended_at": when.at(-40, 9)},
        12: {"state": "pending", "activated_at": None, "created_at": when.at(0, 8)},
        15: {"state": "ended", "end_reason": "cancelled", "ended_at": when.at(-130, 12), "renews": False},
        16: {"state": "ended", "end_reason": "expired", "ended_at": when.at(-20, 23), "renews": False},
        17: {"ends_at": when.end_of(6), "renews": False},
    }
    for n, name in enumerate(_STAFF):
        sold = catalogue.BUSINESS_UNLIMITED if name.startswith("Van") else catalogue.BUSINESS_30
        more = {"configuration": {"SIM": "Physical, nano", "Network": "5G", "Voicemail": "On"}} | troubles.get(n, {})
        line = Line(
            rows,
            when,
            BLOOM,
            people.bloom_service(n),
            sold,
            msisdn=f"+4477009004{10 + n}",
            iccid=f"894411000000004{n:04}",
            nickname=name,
            **more,
        )
        if more.get("state") in ("ended", "pending"):
            continue
        line.plan(sold, when.periods(when.day(-16), MONTHS))
        habits = Habits(megabytes=350 + 60 * (n % 9), sessions=1, calls=0.5, weekend=0.3, parties=CUSTOMERS)
        days = [when.day(day) for day in range(-389, 1) if (day + n) % 2]
        made = [*events(habits, days, Random(f"bloom-{n}")), *_special(n, line, when)]
        line.use(sorted(made, key=lambda event: event.at))
        if n == SLOW_VAN:
            speed = {"full_speed_bytes": 20 * GB, "slow_kbps": 1000, "slow_until": when.end_of(13)}
            rows.add(LineSpeed, {"service_id": line.id, "customer_id": BLOOM.id, "reported_at": when.now} | speed)
        elif n == SLOW_VAN + 1:
            speed = {"full_speed_bytes": 100 * GB, "slow_kbps": None, "slow_until": None}
            rows.add(LineSpeed, {"service_id": line.id, "customer_id": BLOOM.id, "reported_at": when.now} | speed)
    for n, (sold, name, where) in enumerate(_FIXED, len(_STAFF)):
        configuration = {"Router": "Lark Pro 4"} if sold is catalogue.OFFICE_FIBRE else {}
        line = Line(
            rows,
            when,
            BLOOM,
            people.bloom_service(n),
            sold,
            name=name,
            site_id=site_id(where),
            configuration=configuration,
        )
        line.plan(sold, when.periods(when.day(-16), 1))
        line.use([])


def _special(n: int, line: Line, when: Timeline) -> list[Event]:
    """One line has a pass for the world, used up, which stops data abroad; one got data moved over from last month."""
    if n == 3:
        world = line.bucket("data", "World data", "bonus", scope="roaming", expires_at=when.end_of(3), blocker=True)
        line.put(world, 3 * GB, when.at(-4, 8), when.end_of(3), "purchase")
        behind = line.bucket("data", "Europe data", "topup", scope="roaming", expires_at=when.end_of(20))
        line.put(behind, 10 * GB, when.at(-10, 8), when.end_of(20), "purchase")
        used = [abroad(when.at(-3 + day, 8 + 2 * part), "US", 300) for day in range(3) for part in range(4) if day < 2]
        dear = [abroad(when.at(-1, 9 + n), "CH", 6, cost=120) for n in range(3)]
        return [*used, abroad(when.at(-1, 8), "US", 600), *dear]
    if n == 4:
        moved = line.bucket("data", "Moved over from October", "rollover", expires_at=when.end_of(13))
        line.put(moved, 12 * GB, when.at(-16, 0), when.end_of(13), "bonus")
    return []


def _items(back: int) -> list[Item]:
    """Ten lines in each of the 36 bills; what varies does so in a way that can be explained."""
    rng = Random(f"bloom-bill-{back}")
    lines = 18 - (back > 20) - (back > 28)
    fibre_leeds, fibre_york, office_line, tv = (people.bloom_service(n) for n in range(21, 25))
    rare = [
        Item("Post with a delivery note", 340, permille=0),
        Item("Electricity for the mast on your roof", 1050, permille=50),
    ]
    return [
        *(rare if back in (0, 5) else []),
        Item("Business Mobile 30", 1440 if back < 14 else 1380, lines),
        Item("Business Mobile Unlimited", 2400, 3),
        Item("Office Fibre 500, Leeds office", 5400, service=fibre_leeds),
        Item("Office Fibre 500, York nursery", 5400, service=fibre_york),
        Item("Office Line", 960, service=office_line),
        Item("TV Essentials", 900, service=tv),
        Item("Static IP address", 400, 2),
        Item("Calls outside the plan", rng.randint(340, 2900)),
        Item("Roaming outside Europe", rng.randint(200, 4100)),
        Item("Discount for 20 lines", -1500),
    ]
