"""What Asha ordered in the past: one top-up that came, and one add-on that the network refused, given back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_tables import SimPayment, SimRefund
from selfcare.db import counters
from selfcare.db.prepared import Prepared, execute, insert_many
from selfcare.demo import bills, catalogue, people
from selfcare.demo.accounts import gateway_ref
from selfcare.demo.bills import Item
from selfcare.demo.catalogue import TAX_PERMILLE, Sold
from selfcare.demo.people import PATEL, fixed
from selfcare.demo.timeline import ZONE, Timeline
from selfcare.kernel import clock
from selfcare.kernel.money import Money, round_half_up
from selfcare.portal.billing import ledger
from selfcare.portal.billing.ledger import Account, Entry, Journal, Kind
from selfcare.portal.billing.tables import Transaction
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.tables import OrderCreditNote, OrderStep, PurchaseOrder
from selfcare.portal.pay.tables import PaymentPart, PaymentRow, RefundRow

CARD = fixed("card/asha/1")
REFUSED = "The network could not set it up."


@dataclass(frozen=True, slots=True)
class Bought:
    """With the card, at once. What `failed` was given back a minute later."""

    key: str
    sold: Sold
    service: UUID
    at: datetime
    failed: bool = False

    @property
    def id(self) -> UUID:
        return fixed(f"order/{self.key}")

    @property
    def payment_id(self) -> UUID:
        return fixed(f"payment/{self.key}")

    @property
    def refund_id(self) -> UUID:
        return fixed(f"refund/{self.key}")

    @property
    def credit_note_id(self) -> UUID:
        return fixed(f"credit-note/{self.key}")

    @property
    def reference(self) -> str:
        return f"ORD-{_letters(self.id)}"

    @property
    def payment_reference(self) -> str:
        return f"PAY-{_letters(self.payment_id)}"

    @property
    def charge_ref(self) -> str:
        return f"pi_sim_demo_{self.payment_id.hex}"

    @property
    def refund_ref(self) -> str:
        return f"re_sim_demo_{self.refund_id.hex}"

    @property
    def price(self) -> Money:
        return Money(self.sold.price, "GBP")

    @property
    def paid_at(self) -> datetime:
        return self.at + timedelta(seconds=2)

    @property
    def ended_at(self) -> datetime:
        return self.paid_at + timedelta(seconds=3)

    @property
    def refunded_at(self) -> datetime:
        return self.at + timedelta(minutes=1)

    @property
    def steps(self) -> list[tuple[str, datetime]]:
        begun = [("open", self.at), ("paid", self.paid_at), ("delivering", self.paid_at + timedelta(seconds=1))]
        if self.failed:
            return [*begun, ("refund_due", self.ended_at), ("refunded", self.refunded_at)]
        return [*begun, ("delivered", self.ended_at)]


def of_asha(when: Timeline) -> tuple[Bought, Bought]:
    return (
        Bought("asha/world", catalogue.INTERNATIONAL_60, people.ASHA_MOBILE, when.at(-12, 8)),
        Bought("asha/boost", catalogue.SPEED_BOOST, people.ASHA_INTERNET, when.at(-8, 20, 14), failed=True),
    )


async def add_orders(when: Timeline) -> None:
    """Inside `transaction()`, after services and cards."""
    for one in of_asha(when):
        await insert_many(PaymentRow, [_payment(one)])
        await insert_many(SimPayment, [_sim_payment(one)])
        await insert_many(PaymentPart, [_part(one)])
        if one.failed:
            await insert_many(RefundRow, [_refund(one)])
            await insert_many(SimRefund, [_sim_refund(one)])
        await insert_many(PurchaseOrder, [_order(one)])
        await insert_many(OrderStep, _steps(one))
        if one.failed:
            await insert_many(Transaction, _lines(one))
            await insert_many(OrderCreditNote, [await _credit_note(one)])
        else:
            await execute(_NAME.bind(id=one.id, payment_id=one.payment_id, key=fixed(f"transaction/{one.key}/payment")))
            await execute(_NAME.bind(id=one.id, payment_id=None, key=fixed(f"transaction/{one.key}/charge")))
        for at, journal in _journals(one):
            with clock.frozen(at):
                await ledger.post(journal)


async def _credit_note(one: Bought) -> dict[str, Any]:
    day = one.refunded_at.astimezone(ZoneInfo(ZONE)).date()
    tax = round_half_up(one.sold.price * TAX_PERMILLE, 1000 + TAX_PERMILLE)
    return {
        "id": one.credit_note_id,
        "customer_id": PATEL.id,
        "order_id": one.id,
        "number": f"CN-{day.year}-{await counters.take(f'credit-note-{day.year}'):06}",
        "date": day,
        "currency": "GBP",
        "net_minor": one.sold.price - tax,
        "tax_minor": tax,
        "card_minor": one.sold.price,
        "credit_minor": 0,
        "created_at": one.refunded_at,
    }


def _order(one: Bought) -> dict[str, Any]:
    return {
        "id": one.id,
        "customer_id": PATEL.id,
        "kind": one.sold.category,
        "reference": one.reference,
        "request_key": f"demo-{one.id.hex}",
        "name": one.sold.name,
        "service_id": one.service,
        "product_id": one.sold.id,
        "product_version": 1,
        "price_minor": one.sold.price,
        "tax_permille": TAX_PERMILLE,
        "currency": "GBP",
        "delivers": json.dumps(_delivers(one)),
        "payment_id": one.payment_id,
        "state": one.steps[-1][0],
        "problem": REFUSED if one.failed else None,
        "asked_by": people.ASHA.id,
        "created_at": one.at,
        "changed_at": one.steps[-1][1],
        "delivered_at": None if one.failed else one.ended_at,
        "refund_id": one.refund_id if one.failed else None,
    }


def _delivers(one: Bought) -> Mapping[str, Any]:
    puts = frozen(one.sold.grants, "GBP", now=one.at)
    if one.sold.category == "topup":
        return {"puts": puts}
    assert one.sold.lasts is not None
    addon = {
        "product_id": str(one.sold.id),
        "name": one.sold.name,
        "icon": one.sold.icon,
        "price_minor": 0,
        "tax_permille": TAX_PERMILLE,
        "recurring": False,
        "grants": [],
        "starts_at": one.at.isoformat(),
        "paid_until": None,
        "term_ends_at": None,
        "ends_at": (one.at + timedelta(days=one.sold.lasts)).isoformat(),
    }
    return {"addon": addon, "replaces": [], "replaced": [], "play": one.sold.play, "puts": puts}


def _steps(one: Bought) -> Iterator[dict[str, Any]]:
    for state, at in one.steps:
        yield {
            "id": fixed(f"step/{one.key}/{state}"),
            "order_id": one.id,
            "customer_id": PATEL.id,
            "state": state,
            "at": at,
        }


def _payment(one: Bought) -> dict[str, Any]:
    return {
        "id": one.payment_id,
        "customer_id": PATEL.id,
        "purpose": one.sold.category,
        "reference": one.payment_reference,
        "description": one.sold.name,
        "request_key": f"demo-{one.id.hex}",
        "currency": "GBP",
        "amount_minor": one.sold.price,
        "refunded_minor": one.sold.price if one.failed else 0,
        "state": "refunded" if one.failed else "succeeded",
        "gateway": SimulatedGateway.name,
        "customer_ref": gateway_ref(PATEL),
        "gateway_ref": one.charge_ref,
        "charge_ref": one.charge_ref,
        "method_id": CARD,
        "card": "Visa 4242",
        "started_by": people.ASHA.id,
        "created_at": one.at,
        "submitted_at": one.at,
        "settled_at": one.paid_at,
        "closed_at": one.paid_at,
    }


def _part(one: Bought) -> dict[str, Any]:
    return {
        "id": fixed(f"payment-part/{one.key}"),
        "payment_id": one.payment_id,
        "customer_id": PATEL.id,
        "position": 1,
        "target": "order",
        "target_id": one.id,
        "amount_minor": one.sold.price,
        "applied_minor": one.sold.price,
        "is_open": False,
    }


def _refund(one: Bought) -> dict[str, Any]:
    return {
        "id": one.refund_id,
        "payment_id": one.payment_id,
        "customer_id": PATEL.id,
        "number": 1,
        "amount_minor": one.sold.price,
        "currency": "GBP",
        "source": "order",
        "reason": REFUSED,
        "state": "done",
        "gateway_ref": one.refund_ref,
        "created_at": one.ended_at,
        "sent_at": one.ended_at,
        "done_at": one.refunded_at,
    }


def _sim_payment(one: Bought) -> dict[str, Any]:
    return {
        "id": one.charge_ref,
        "state": "succeeded",
        "customer_ref": gateway_ref(PATEL),
        "card_ref": "demo_asha_visa_1",
        "payment_id": one.payment_id,
        "amount_minor": one.sold.price,
        "refunded_minor": one.sold.price if one.failed else 0,
        "currency": "GBP",
        "reference": one.payment_reference,
        "description": one.sold.name,
        "return_url": "",
        "created_at": one.at,
        "changed_at": one.paid_at,
    }


def _sim_refund(one: Bought) -> dict[str, Any]:
    return {
        "id": one.refund_ref,
        "payment_ref": one.charge_ref,
        "request_key": f"refund:{one.payment_id}:1",
        "amount_minor": one.sold.price,
        "currency": "GBP",
        "state": "done",
        "created_at": one.refunded_at,
    }


def _lines(one: Bought) -> Iterator[dict[str, Any]]:
    """On the list of transactions: what was paid and given back."""
    about = {"order_id": one.id, "payment_id": one.payment_id}
    paid = {"description": f"Card payment, thank you ({one.payment_reference})"}
    yield bills.payment(f"{one.key}/payment", PATEL.id, one.paid_at, one.sold.price, **about) | paid
    back = {"kind": "refund", "description": f"Given back to your card ({one.payment_reference})"}
    yield bills.payment(f"{one.key}/refund", PATEL.id, one.ended_at, -one.sold.price, **about) | back


def _journals(one: Bought) -> Iterator[tuple[datetime, Journal]]:
    gateway = Account(Kind.GATEWAY, "GBP", part=SimulatedGateway.name)
    on_order = Account(Kind.ON_ORDER, "GBP", PATEL.id)
    refunding = Account(Kind.REFUNDING, "GBP", PATEL.id)

    def journal(kind: str, entries: list[Entry], of: UUID, about: UUID) -> Journal:
        return Journal(f"{kind}:{of}", kind, entries, PATEL.id, about)

    price, payment = one.price, one.payment_id
    yield one.paid_at, journal("payment", ledger.move(price, to=gateway, out_of=on_order), payment, payment)
    if one.failed:
        moved = ledger.move(price, to=on_order, out_of=refunding)
        yield one.ended_at, journal("refund", moved, one.refund_id, payment)
        moved = ledger.move(price, to=refunding, out_of=gateway)
        yield one.refunded_at, journal("refunded", moved, one.refund_id, payment)
        return
    tax = Item(one.sold.name, price.minor).tax
    earned = [
        Entry(on_order, price.minor),
        Entry(Account(Kind.SALES, "GBP"), tax - price.minor),
        Entry(Account(Kind.TAX, "GBP"), -tax),
    ]
    yield one.ended_at, journal("order", earned, one.id, one.id)


def _letters(id: UUID) -> str:
    return id.hex[:8].upper()


# It stands on the list of transactions already.
_NAME = Prepared.sql("UPDATE billing_transaction SET order_id = :id, payment_id = :payment_id WHERE id = :key")
