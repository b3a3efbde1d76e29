"""What the named people have bought, used and owe. All of it stands relative to the demo's now."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_tables import AllowanceGrant, Bucket, Consumption, UsageRecord
from selfcare.demo import catalogue, people
from selfcare.demo.accounts import since, site_id
from selfcare.demo.bills import Bill, Book, Item
from selfcare.demo.catalogue import GB, Sold
from selfcare.demo.people import BLOOM, OKORO, PATEL, Household, fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline, add_months
from selfcare.demo.traffic import MB, Event, Habits, Tank, events, rated, scaled
from selfcare.kernel import msisdn
from selfcare.portal.services.tables import LineSpeed, Service

ORIGIN_ORDER = {"bonus": 1, "topup": 2, "rollover": 2, "plan": 3}
FRIENDS = ("+447700900301", "+447700900302", "+447700900305", "+441134960222", "+447700900124", "+442079460018")
CUSTOMERS_OF_BLOOM = ("+441134960311", "+447700900501", "+447700900502", "+442079460755", "+441904960020")
MONTHS = 13
# Two lines with unlimited data: one is slowed down, one is told up to where it is not.
SLOW_VAN = 18


class Line:
    """One service under construction: its row, its buckets with what was put into them, and how it was used."""

    def __init__(self, rows: Rows, when: Timeline, home: Household, service_id: UUID, sold: Sold, **more: Any) -> None:
        self.rows, self.when, self.home, self.id = rows, when, home, service_id
        self.buckets: dict[UUID, dict[str, Any]] = {}
        self.tanks: list[Tank] = []
        self.granted: dict[UUID, int] = {}
        activated = more.pop("activated_at", since(home, when))
        number = more.get("msisdn")
        name = f"Mobile - {msisdn.show(number)}" if sold.type == "mobile" and number else f"{sold.name}"
        row = {
            "id": service_id,
            "customer_id": home.id,
            "product_id": sold.id,
            "name": name,
            "type": sold.type,
            "state": "active",
            "activated_at": activated,
            "renews": True,
            "monthly_minor": sold.price,
            "currency": "GBP",
            "ocs_account": str(service_id),
            "created_at": activated,
        }
        configuration = more.pop("configuration", {})
        rows.add(Service, row | more | {"configuration": json.dumps(configuration)})

    def bucket(
        self,
        kind: str,
        label: str,
        origin: str,
        *,
        scope: str = "any",
        expires_at: datetime | None = None,
        created_at: datetime | None = None,
        unlimited: bool = False,
        **more: Any,
    ) -> UUID:
        bucket_id = fixed(f"bucket/{self.id}/{len(self.buckets)}")
        self.buckets[bucket_id] = {
            "id": bucket_id,
            "customer_id": self.home.id,
            "service_id": self.id,
            "kind": kind,
            "label": label,
            "origin": origin,
            "currency": "GBP" if kind == "money" else None,
            "is_unlimited": unlimited,
            "consume_order": ORIGIN_ORDER[origin],
            "scope": scope,
            "expires_at": expires_at,
            "created_at": created_at or since(self.home, self.when),
            "as_of": self.when.now,
        } | more
        return bucket_id

    def put(
        self, bucket_id: UUID, amount: int | None, start: datetime, end: datetime | None, reason: str, mode: str = "add"
    ) -> None:
        """None is unlimited: it holds whatever is asked and nobody granted an amount."""
        bucket = self.buckets[bucket_id]
        order, kind, scope = bucket["consume_order"], bucket["kind"], bucket["scope"]
        self.tanks.append(Tank(bucket_id, kind, order, start, end, amount, scope))
        if amount is None:
            return
        if start <= self.when.now:
            self.granted[bucket_id] = self.granted.get(bucket_id, 0) + amount
        grant = {
            "id": fixed(f"grant/{bucket_id}/{start.isoformat()}"),
            "customer_id": self.home.id,
            "bucket_id": bucket_id,
            "amount": amount,
            "mode": mode,
            "period_start": start,
            "period_end": end,
            "reason": reason,
            "created_at": start,
        }
        self.rows.add(AllowanceGrant, grant)

    def plan(self, sold: Sold, periods: Sequence[tuple[datetime, datetime]]) -> None:
        """The plan's own buckets, filled anew in each period."""
        for given in sold.grants:
            bucket_id = self.bucket(
                given["kind"],
                given["label"],
                "plan",
                scope=given["scope"],
                expires_at=periods[-1][1],
                created_at=periods[0][0],
                unlimited=given["amount"] is None,
                counts_mms=given["counts_mms"],
            )
            for n, (start, end) in enumerate(periods):
                self.put(bucket_id, given["amount"], start, end, "renewal" if n else "activation", "reset")

    def use(self, made: Sequence[Event]) -> list[dict[str, Any]]:
        """Adds the records and the buckets with what is left in them."""
        happened = [event for event in made if event.at <= self.when.now]
        records = list(rated(happened, self.tanks, service=self.id, customer=self.home.id))
        for tank in self.tanks:
            if tank.start <= self.when.now and self._is_latest(tank):
                bucket = self.buckets[tank.bucket]
                bucket |= {"remaining": tank.left or 0, "period_started_at": tank.start}
        parts = list(_parts(records, self.buckets))
        self._balance(parts)
        self.rows.add(Bucket, *self.buckets.values())
        self.rows.add(UsageRecord, *records)
        self.rows.add(Consumption, *parts)
        return records

    def _balance(self, parts: Sequence[dict[str, Any]]) -> None:
        """What was put in is what was used, what is left and what a renewal ended unused."""
        for bucket in self.buckets.values():
            mine = [part for part in parts if part["bucket_id"] == bucket["id"]]
            begun = bucket.get("period_started_at") or self.when.now
            consumed = sum(part["amount"] for part in mine)
            bucket["consumed"] = consumed
            bucket["consumed_before"] = sum(part["amount"] for part in mine if part["at"] < begun)
            bucket["granted"] = self.granted.get(bucket["id"], 0)
            if not bucket["is_unlimited"]:
                bucket["forfeited"] = bucket["granted"] - consumed - bucket.get("remaining", 0)

    def _is_latest(self, tank: Tank) -> bool:
        starts = [other.start for other in self.tanks if other.bucket == tank.bucket and other.start <= self.when.now]
        return tank.start == max(starts)


def _parts(records: Sequence[dict[str, Any]], buckets: dict[UUID, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    unit = {"data": "bytes", "call": "seconds", "sms": "count_", "mms": "count_"}
    for record in records:
        if record["bucket_id"] is None:
            continue
        money = buckets[record["bucket_id"]]["kind"] == "money"
        yield {
            "record_id": record["id"],
            "bucket_id": record["bucket_id"],
            "customer_id": record["customer_id"],
            "amount": record["cost_minor"] if money else record[unit[record["kind"]]],
            "at": record["started_at"],
        }


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
        book.bills.append(bill if back < 2 else _paid(bill, when, after_days=12))


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


def add_bloom(rows: Rows, book: Book, when: Timeline) -> None:
    _bloom_lines(rows, when)
    for back in range(36):
        day = add_months(when.day(-5), -back)
        bill = Bill(
            key=f"bloom/{day.year}-{day.month:02}",
            customer=BLOOM.id,
            day=day,
            due_on=day + timedelta(days=45),
            items=_bloom_items(back),
            purchase_ref=f"PO-{7100 + 36 - back}",
        )
        if back == 1:
            bill = Bill(**_fields(bill) | {"paid": 20_000, "paid_at": when.at(-8, 11)})
        elif back > 1:
            bill = _paid(bill, when, after_days=30)
        if back == 4:
            bill = Bill(**_fields(bill) | {"credited": 1200})
            _bloom_credit_note(book, bill)
        book.bills.append(bill)
    _bloom_rare_bills(book, when)
    book.bought("bloom/roaming", BLOOM.id, when.at(-4, 8, 30), Item("World Roaming, 7 days", 2000))
    book.bought("bloom/data", BLOOM.id, when.at(-2, 16, 5), Item("50 GB extra data", 2500))
    book.bought("bloom/speed", BLOOM.id, when.at(-1, 10, 40), Item("Speed Boost, 3 days", 500))
    book.loose[-1]["voided_at"] = book.loose[-2]["voided_at"] = when.at(-1, 11)
    book.loose.pop()


def _bloom_credit_note(book: Book, bill: Bill) -> None:
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


def _bloom_rare_bills(book: Book, when: Timeline) -> None:
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
    trip = [_abroad(when.at(-11 + n // 3, 9 + 4 * (n % 3)), "FR" if n < 5 else "ES", 140 + 35 * n) for n in range(7)]
    return line.use(sorted([*made, *trip, premium], key=lambda event: event.at))


def _abroad(at: datetime, country: str, megabytes: int, cost: int = 0) -> Event:
    return Event(at=at, kind="data", class_="roaming", bytes=megabytes * MB, seconds=1900, country=country, cost=cost)


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
        book.bills.append(_paid(bill, when, after_days=9) if back else bill)


_STAFF_OF_BLOOM = (
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
_FIXED_OF_BLOOM = (
    (catalogue.OFFICE_FIBRE, "Internet - Leeds office", "bloom-leeds"),
    (catalogue.OFFICE_FIBRE, "Internet - York nursery", "bloom-york"),
    (catalogue.OFFICE_LINE, "Office line - +44 113 496 0100", "bloom-leeds"),
    (catalogue.TV_ESSENTIALS, "TV - Leeds office", "bloom-leeds"),
)


def _bloom_lines(rows: Rows, when: Timeline) -> None:
    troubles: dict[int, dict[str, Any]] = {
        5: {"state": "suspended", "suspend_reason": "lost", "suspended_at": when.at(-2, 18)},
        9: {"state": "suspended", "suspend_reason": "customer", "suspended_at": when.at(-40, 9)},
        12: {"state": "pending", "activated_at": None, "created_at": when.at(0, 8)},
        15: {"state": "ended", "end_reason": "cancelled", "ended_at": when.at(-130, 12), "renews": False},
        16: {"state": "ended", "end_reason": "expired", "ended_at": when.at(-20, 23), "renews": False},
        17: {"ends_at": when.end_of(6), "renews": False},
    }
    for n, name in enumerate(_STAFF_OF_BLOOM):
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
        habits = Habits(megabytes=350 + 60 * (n % 9), sessions=1, calls=0.5, weekend=0.3, parties=CUSTOMERS_OF_BLOOM)
        days = [when.day(day) for day in range(-389, 1) if (day + n) % 2]
        made = [*events(habits, days, Random(f"bloom-{n}")), *_bloom_special(n, line, when)]
        line.use(sorted(made, key=lambda event: event.at))
        if n == SLOW_VAN:
            speed = {"full_speed_bytes": 20 * GB, "slow_kbps": 1000, "slow_until": when.end_of(13)}
            rows.add(LineSpeed, {"service_id": line.id, "customer_id": BLOOM.id, "reported_at": when.now} | speed)
        elif n == SLOW_VAN + 1:
            speed = {"full_speed_bytes": 100 * GB, "slow_kbps": None, "slow_until": None}
            rows.add(LineSpeed, {"service_id": line.id, "customer_id": BLOOM.id, "reported_at": when.now} | speed)
    for n, (sold, name, where) in enumerate(_FIXED_OF_BLOOM, len(_STAFF_OF_BLOOM)):
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


def _bloom_special(n: int, line: Line, when: Timeline) -> list[Event]:
    """One line has a pass for the world, used up, which stops data abroad; one got data moved over from last month."""
    if n == 3:
        world = line.bucket("data", "World data", "bonus", scope="roaming", expires_at=when.end_of(3), blocker=True)
        line.put(world, 3 * GB, when.at(-4, 8), when.end_of(3), "purchase")
        behind = line.bucket("data", "Europe data", "topup", scope="roaming", expires_at=when.end_of(20))
        line.put(behind, 10 * GB, when.at(-10, 8), when.end_of(20), "purchase")
        used = [_abroad(when.at(-3 + day, 8 + 2 * part), "US", 300) for day in range(3) for part in range(4) if day < 2]
        dear = [_abroad(when.at(-1, 9 + n), "CH", 6, cost=120) for n in range(3)]
        return [*used, _abroad(when.at(-1, 8), "US", 600), *dear]
    if n == 4:
        moved = line.bucket("data", "Moved over from October", "rollover", expires_at=when.end_of(13))
        line.put(moved, 12 * GB, when.at(-16, 0), when.end_of(13), "bonus")
    return []


def _bloom_items(back: int) -> list[Item]:
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


def _not_covered(records: Sequence[dict[str, Any]], start: Any, end: Any) -> int:
    """What calls cost that neither an allowance nor credit paid for."""
    return sum(
        record["cost_minor"]
        for record in records
        if record["bucket_id"] is None and start <= record["started_at"].date() < end
    )


def _paid(bill: Bill, when: Timeline, *, after_days: int) -> Bill:
    paid_at = bill.made_at + timedelta(days=after_days, hours=9)
    return Bill(**_fields(bill) | {"paid": bill.total, "paid_at": min(paid_at, when.now)})


def _fields(bill: Bill) -> dict[str, Any]:
    return {name: getattr(bill, name) for name in Bill.__dataclass_fields__}


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
