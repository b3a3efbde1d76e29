"""Noor's firm: names that are long or run from right to left, a bill of several pages, and two payments that did not
simply work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_bank import PLASTIC, Outcome
from selfcare.adapters.payments_embedded_tables import SimCard, SimCustomer, SimPayment
from selfcare.db.prepared import Prepared, fetch, insert_many
from selfcare.demo import catalogue, people
from selfcare.demo.bills import Bill, Book, Item
from selfcare.demo.lines import Line
from selfcare.demo.people import NOOR, YUSUF, fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline, add_months
from selfcare.portal.pay.tables import GatewayCustomer, PaymentPart, PaymentRow

# Three bills: one is being paid, one was not, one is paid.
CHECKING, DECLINED = fixed("payment/noor/checking"), fixed("payment/noor/declined")
_CUSTOMER_REF = f"cus_sim_demo_{YUSUF.key}"
_NUMBERS = Prepared.sql("SELECT id, number FROM invoice WHERE customer_id = :customer_id")
_LINES = (
    "اشتراك الهاتف المحمول للمكتب الرئيسي – باقة الأعمال مع المكالمات الدولية والتجوال",
    "חיבור אינטרנט למחסן, כולל נתב ותמיכה מסביב לשעון",
    "Kältetechnik-Fernüberwachungsdatenübertragungsvertrag für Kühlhäuser 1–4",
    "Σύνδεση αισθητήρων θερμοκρασίας, αποθήκη Λιντς",
    "Передача данных датчиков холодильных камер, склад № 7",
    "Temperature sensor, cold store No. 14 (North Yorkshire), 250 MB a month, alarm by text in Arabic (العربية)",
)


def add_noor(rows: Rows, book: Book, when: Timeline) -> None:
    line = Line(
        rows,
        when,
        YUSUF,
        people.NOOR_MOBILE,
        catalogue.LARK_20,
        msisdn=NOOR.phone,
        nickname="هاتف الورشة",
        configuration={"SIM": "eSIM", "Network": "5G"},
    )
    line.plan(catalogue.LARK_20, when.periods(when.day(-12), 3))
    line.use([])
    book.bills += [_bill(when, back) for back in range(3)]


async def add_payments(when: Timeline) -> None:
    """One the bank has not decided for hours, so that the portal goes on asking; one that it refused."""
    cards = [(Outcome.DECIDES_LATER, CHECKING), (Outcome.NO_FUNDS, DECLINED)]
    at = when.now - timedelta(hours=5)
    await insert_many(
        SimCustomer, [{"id": _CUSTOMER_REF, "customer_id": YUSUF.id, "name": YUSUF.name, "created_at": at}]
    )
    known = {"id": fixed("gateway/noor"), "customer_id": YUSUF.id, "customer_ref": _CUSTOMER_REF, "created_at": at}
    await insert_many(GatewayCustomer, [known | {"gateway": SimulatedGateway.name}])
    await insert_many(SimCard, [_card(outcome, at) for outcome, _id in cards])
    paid = [(_bill(when, back), *card) for back, card in enumerate(cards)]
    words = {row["id"]: f"Bill {row['number']}" for row in await fetch(_NUMBERS.bind(customer_id=YUSUF.id))}
    await insert_many(
        SimPayment, [_at_bank(bill, outcome, id, at) | {"description": words[bill.id]} for bill, outcome, id in paid]
    )
    await insert_many(
        PaymentRow, [_payment(bill, outcome, id, at) | {"description": words[bill.id]} for bill, outcome, id in paid]
    )
    await insert_many(PaymentPart, [_part(bill, id) for bill, _outcome, id in paid])


def _bill(when: Timeline, back: int) -> Bill:
    day = add_months(when.day(-6), -back)
    texts = _LINES * 9 if back == 0 else _LINES
    items = [Item(text, 450 + 35 * n, 1 + n % 3, service=people.NOOR_MOBILE) for n, text in enumerate(texts)]
    total = sum(item.gross for item in items)
    paid = {"paid": total, "paid_at": when.at(-40, 11)} if back == 2 else {}
    return Bill(
        key=f"noor/{back}",
        customer=YUSUF.id,
        day=day,
        due_on=day + timedelta(days=30),
        items=items,
        purchase_ref="طلب شراء ٧٣١١",
        **paid,  # type: ignore[arg-type]
    )


def _card(outcome: Outcome, at: datetime) -> dict[str, Any]:
    plastic = PLASTIC[outcome]
    return {
        "id": f"demo_noor_{outcome.value}",
        "customer_ref": _CUSTOMER_REF,
        "outcome": outcome.value,
        "brand": plastic.brand,
        "last4": plastic.last4,
        "exp_month": 5,
        "exp_year": at.year + 2,
        "holder": NOOR.name,
        "fingerprint": f"sim-{_CUSTOMER_REF}-{plastic.last4}",
        "created_at": at,
    }


def _at_bank(bill: Bill, outcome: Outcome, id: UUID, at: datetime) -> dict[str, Any]:
    checking = id == CHECKING
    return {
        "id": f"pay_sim_demo_{id.hex}",
        "state": "processing" if checking else "declined",
        "why": None if checking else "no_funds",
        "customer_ref": _CUSTOMER_REF,
        "card_ref": f"demo_noor_{outcome.value}",
        "payment_id": id,
        "amount_minor": bill.total,
        "refunded_minor": 0,
        "currency": "GBP",
        "reference": _reference(id),
        "return_url": "",
        "disputed": False,
        "created_at": at,
        "changed_at": at,
    }


def _payment(bill: Bill, outcome: Outcome, id: UUID, at: datetime) -> dict[str, Any]:
    checking = id == CHECKING
    plastic = PLASTIC[outcome]
    return {
        "id": id,
        "customer_id": YUSUF.id,
        "purpose": "invoice",
        "reference": _reference(id),
        "request_key": f"demo-{id.hex}",
        "attempt": 1,
        "currency": "GBP",
        "amount_minor": bill.total,
        "state": "processing" if checking else "failed",
        "why": None if checking else "no_funds",
        "gateway": SimulatedGateway.name,
        "customer_ref": _CUSTOMER_REF,
        "gateway_ref": f"pay_sim_demo_{id.hex}",
        "card": f"{plastic.brand.title()} {plastic.last4}",
        "started_by": NOOR.id,
        "created_at": at,
        "submitted_at": at,
        "closed_at": None if checking else at,
    }


def _part(bill: Bill, id: UUID) -> dict[str, Any]:
    return {
        "id": fixed(f"part/{id}"),
        "payment_id": id,
        "customer_id": YUSUF.id,
        "position": 1,
        "target": "invoice",
        "target_id": bill.id,
        "amount_minor": bill.total,
        "is_open": id == CHECKING,
    }


def _reference(id: UUID) -> str:
    return "PAY-N00RCHCK" if id == CHECKING else "PAY-N00RD3CL"
