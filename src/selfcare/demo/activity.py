"""What the named people did lately, so that "recent activity" has something to tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.audit.events import Event
from selfcare.audit.log import Actor, Outcome, record
from selfcare.demo import catalogue, orders, people
from selfcare.demo.catalogue import Sold
from selfcare.demo.orders import Bought
from selfcare.demo.people import Someone, fixed
from selfcare.demo.timeline import Timeline
from selfcare.kernel import clock
from selfcare.kernel.origin import Origin

PHONE = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/143.0 Mobile Safari/537.36"
LAPTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@dataclass(frozen=True, slots=True)
class Did:
    at: datetime
    event: Event
    details: dict[str, Any]
    about: UUID | None = None
    who: Someone | None = None
    customer_id: UUID | None = None
    device: str = PHONE
    outcome: Outcome = "ok"

    @property
    def actor(self) -> Actor:
        if self.who is None:
            return Actor(customer_id=self.customer_id)
        home = self.who.home.id if self.who.home else None
        number = people.EVERYBODY.index(self.who)
        origin = Origin(
            address=f"203.0.113.{10 + number}", device=self.device, request_id=f"demo-{number}", country="GB"
        )
        return Actor(actor_id=self.who.id, user_id=self.who.id, customer_id=home, origin=origin)


async def add_activity(when: Timeline, *, with_orders: bool) -> None:
    """Inside `transaction()`; each chain in the order of time."""
    ordered = _given_back(orders.of_asha(when)[1]) if with_orders else ()
    for did in sorted([*_everything(when), *ordered], key=lambda did: did.at):
        with clock.frozen(did.at):
            await record(did.actor, did.event, about=did.about, outcome=did.outcome, **did.details)


def _everything(when: Timeline) -> Iterator[Did]:
    yield from _asha(when)
    yield from _chidi(when)
    yield from _bloom(when)
    yield Did(when.at(-1, 15), Event.ACCOUNT_CREATED, {}, people.EMPTY.id, people.EMPTY)


def _asha(when: Timeline) -> Iterator[Did]:
    for day, device in ((-31, LAPTOP), (-12, PHONE), (-9, PHONE), (-6, PHONE), (-1, LAPTOP)):
        yield Did(
            when.at(day, 7, 52), Event.SIGN_IN_SUCCEEDED, {"method": "password"}, None, people.ASHA, device=device
        )
    yield Did(when.at(-200, 12), Event.CARDS_ADDED, {"brand": "visa"}, fixed("card/asha/1"), people.ASHA)
    yield from _bought(when.at(-12, 8), people.ASHA, people.ASHA_MOBILE, catalogue.INTERNATIONAL_60)
    yield from _bought(when.at(-9, 20), people.ASHA, people.ASHA_MOBILE, catalogue.DATA_5)
    yield from _bought(when.at(-6, 12), people.ASHA, people.ASHA_MOBILE, catalogue.CREDIT_10)
    issued = {"amount_minor": 4000, "currency": "GBP"}
    yield Did(when.at(-3, 4), Event.BILLING_INVOICE_ISSUED, issued, None, customer_id=people.PATEL.id)
    yield Did(when.at(-2, 18, 20), Event.SIGN_IN_SUCCEEDED, {"method": "password"}, None, people.BEN, device=LAPTOP)
    yield Did(when.at(-1, 8), Event.BILLING_INVOICE_FETCHED, {"format": "pdf"}, None, people.ASHA, device=LAPTOP)


def _chidi(when: Timeline) -> Iterator[Did]:
    yield from _bought(when.at(-12, 18), people.CHIDI, people.CHIDI_MOBILE, catalogue.TOPUPS[10])
    suspended = {"reason": "payment"}
    home = people.OKORO.id
    yield Did(when.at(-6, 3), Event.SERVICES_SUSPENDED, suspended, people.CHIDI_SUSPENDED, customer_id=home)
    yield Did(when.at(-5, 21, 14), Event.SIGN_IN_SUCCEEDED, {"method": "password"}, None, people.CHIDI)


def _bloom(when: Timeline) -> Iterator[Did]:
    yield Did(when.at(-2, 18), Event.SERVICES_SUSPENDED, {"reason": "lost"}, people.bloom_service(5), people.HANA)
    paid = {"amount_minor": 20_000, "currency": "GBP", "purpose": "invoice"}
    yield Did(when.at(-8, 11), Event.PAY_SUCCEEDED, paid, None, people.GWEN, device=LAPTOP)
    yield from _bought(when.at(-4, 8, 30), people.HANA, people.bloom_service(1), catalogue.ADDONS[1])
    yield Did(when.at(-1, 9, 5), Event.SIGN_IN_SUCCEEDED, {"method": "password"}, None, people.HANA, device=LAPTOP)
    yield Did(when.at(-1, 9, 40), Event.SIGN_IN_SUCCEEDED, {"method": "password"}, None, people.FEMI)


def _bought(at: datetime, who: Someone, service: UUID, sold: Sold) -> Iterator[Did]:
    paid = {"amount_minor": sold.price, "currency": "GBP", "purpose": sold.category}
    yield Did(at, Event.PAY_SUCCEEDED, paid, None, who)
    bought = {"product": str(sold.id), "service": str(service), "amount_minor": sold.price, "currency": "GBP"}
    event = Event.TOPUP_BOUGHT if sold.category == "topup" else Event.ADDONS_BOUGHT
    yield Did(at, event, bought, service, who)


def _given_back(order: Bought) -> Iterator[Did]:
    """As the shop writes it down."""
    amount = {"amount_minor": order.price.minor, "currency": order.price.currency}
    what, home = {"service": str(order.service)}, people.PATEL.id
    bought = amount | what | {"product": str(order.sold.id)}
    paid = amount | {"purpose": order.sold.category, "target": str(order.id)}
    yield Did(order.at, Event.ADDONS_ORDERED, bought, order.id, people.ASHA)
    yield Did(order.paid_at, Event.PAY_SUCCEEDED, paid, order.payment_id, customer_id=home)
    yield Did(order.paid_at, Event.ADDONS_BOUGHT, bought, order.id, customer_id=home)
    yield Did(order.ended_at, Event.PAY_REFUND_STARTED, amount, order.payment_id, customer_id=home)
    yield Did(order.ended_at, Event.ADDONS_FAILED, what, order.id, customer_id=home, outcome="failed")
    yield Did(order.refunded_at, Event.PAY_REFUNDED, amount, order.payment_id, customer_id=home)
    yield Did(order.refunded_at, Event.ADDONS_REFUNDED, amount | what, order.id, customer_id=home)
    credited = amount | {"reason": "order"}
    yield Did(order.refunded_at, Event.BILLING_CREDITED, credited, order.credit_note_id, customer_id=home)
