"""Bills that add up to the penny: lines, tax per line, payments, and the stored totals over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from selfcare.demo.catalogue import TAX_PERMILLE
from selfcare.demo.people import fixed
from selfcare.demo.timeline import add_months, local
from selfcare.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Item:
    """`price` of one, tax included; below zero it is a credit."""

    text: str
    price: int
    quantity: int = 1
    service: UUID | None = None
    permille: int = TAX_PERMILLE

    @property
    def gross(self) -> int:
        return self.price * self.quantity

    @property
    def tax(self) -> int:
        return Money(self.gross, "GBP").tax_inside(self.permille).minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    key: str
    customer: UUID
    day: date
    due_on: date
    items: Sequence[Item]
    paid: int = 0
    paid_at: datetime | None = None
    purchase_ref: str | None = None
    kind: str = "regular"
    is_void: bool = False
    corrects: UUID | None = None
    # What a credit note took off it, of all that is paid.
    credited: int = 0

    @property
    def series(self) -> tuple[str, str]:
        """How its number begins, and the counter it comes from."""
        return {"credit_note": ("CN", "credit-note"), "proforma": ("PF", "proforma")}.get(self.kind, ("INV", "invoice"))

    @property
    def state(self) -> str:
        if self.is_void:
            return "void"
        return "settled" if self.paid == self.total else "issued"

    @property
    def id(self) -> UUID:
        return fixed(f"invoice/{self.key}")

    @property
    def total(self) -> int:
        return sum(item.gross for item in self.items)

    @property
    def period(self) -> tuple[date, date]:
        return add_months(self.day, -1), self.day

    def invoice(self, number: str) -> dict[str, Any]:
        start, end = self.period
        tax = sum(item.tax for item in self.items)
        return {
            "id": self.id,
            "customer_id": self.customer,
            "number": number,
            "kind": self.kind,
            "corrects_id": self.corrects,
            "date": self.day,
            "due_on": self.due_on,
            "period_start": start,
            "period_end": end,
            "currency": "GBP",
            "net_minor": self.total - tax,
            "tax_minor": tax,
            "paid_minor": self.paid,
            "state": self.state,
            "purchase_ref": self.purchase_ref,
            "created_at": self.made_at,
        }

    @property
    def made_at(self) -> datetime:
        return local(self.day, time(4, 0))

    def paid_after(self, days: int, *, now: datetime) -> Bill:
        """In full, at the latest now."""
        paid_at = self.made_at + timedelta(days=days, hours=9)
        return replace(self, paid=self.total, paid_at=min(paid_at, now))

    def transactions(self) -> Iterator[dict[str, Any]]:
        start, end = self.period
        for n, item in enumerate(self.items):
            yield line(
                f"{self.key}/line/{n}",
                self.customer,
                self.made_at,
                item,
                invoice_id=self.id,
                period_start=start,
                period_end=end,
            )
        if self.paid and self.paid_at:
            yield from self._payments(self.paid_at)

    def _payments(self, at: datetime) -> Iterator[dict[str, Any]]:
        if self.kind == "credit_note":
            words = {"kind": "refund", "description": "Taken off the bill"}
            yield payment(f"{self.key}/payment", self.customer, at, self.paid, invoice_id=self.id) | words
            return
        if self.credited:
            words = {"description": "Credit note for the outage"}
            yield payment(f"{self.key}/credited", self.customer, at, self.credited, invoice_id=self.id) | words
        yield payment(f"{self.key}/payment", self.customer, at, self.paid - self.credited, invoice_id=self.id)


def line(key: str, customer: UUID, at: datetime, item: Item, **more: Any) -> dict[str, Any]:
    return {
        "id": fixed(f"transaction/{key}"),
        "customer_id": customer,
        "at": at,
        "kind": "charge" if item.price >= 0 else "credit",
        "description": item.text,
        "quantity": item.quantity,
        "unit_price_minor": item.price,
        "amount_minor": item.gross - item.tax,
        "tax_permille": item.permille,
        "tax_minor": item.tax,
        "currency": "GBP",
        "service_id": item.service,
        "wholesale_minor": item.gross * 6 // 10,
        "created_at": at,
        **more,
    }


def payment(key: str, customer: UUID, at: datetime, amount: int, **more: Any) -> dict[str, Any]:
    return {
        "id": fixed(f"transaction/{key}"),
        "customer_id": customer,
        "at": at,
        "kind": "payment",
        "description": "Card payment, thank you",
        "amount_minor": -amount,
        "currency": "GBP",
        "created_at": at,
        **more,
    }


@dataclass(slots=True)
class Book:
    """All bills of the named people, numbered by date over all of them when they are written."""

    bills: list[Bill] = field(default_factory=list)
    loose: list[dict[str, Any]] = field(default_factory=list)

    def bought(self, key: str, customer: UUID, at: datetime, item: Item) -> None:
        """Paid by card at once, outside any bill."""
        self.loose.append(line(f"{key}/charge", customer, at, item))
        self.loose.append(payment(f"{key}/payment", customer, at, item.gross))

    def by_series(self) -> dict[tuple[str, str, int], list[Bill]]:
        """Bills that are numbered one after the other."""
        found: dict[tuple[str, str, int], list[Bill]] = {}
        for bill in sorted(self.bills, key=lambda bill: (bill.corrects is not None, bill.day, bill.key)):
            found.setdefault((*bill.series, bill.day.year), []).append(bill)
        return found

    def transactions(self) -> Iterator[dict[str, Any]]:
        for bill in self.bills:
            yield from bill.transactions()
        yield from self.loose
