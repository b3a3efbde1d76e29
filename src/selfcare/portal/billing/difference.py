"""Why a bill is different from the one before: line by line, and the lines add up to the difference exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_one
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.money import Money
from selfcare.portal.billing import queries
from selfcare.portal.billing.queries import InvoiceDetail, InvoiceRow

_BEFORE = Prepared.sql(
    """
    SELECT i.id AS id FROM invoice i JOIN invoice this ON this.id = :invoice_id AND this.customer_id = i.customer_id
     WHERE i.customer_id = :customer_id AND i.kind = 'regular' AND i.state IN ('issued', 'settled')
       AND i.currency = this.currency AND (i.date < this.date OR (i.date = this.date AND i.number < this.number))
     ORDER BY i.date DESC, i.number DESC LIMIT 1
    """
)


class What(StrEnum):
    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Charged:
    """What one thing cost on one bill, tax included."""

    service_id: UUID | None
    service: str | None
    description: str
    amount: Money


@dataclass(frozen=True, slots=True)
class Change:
    """`before` and `now` are None where the thing was not on that bill."""

    what: What
    service_id: UUID | None
    service: str | None
    description: str
    before: Money | None
    now: Money | None

    @property
    def by(self) -> Money:
        zero = Money.zero((self.now or self.before or Money.zero("GBP")).currency)
        return (self.now or zero) - (self.before or zero)


@dataclass(frozen=True, slots=True)
class Difference:
    """`changes` and `rounding` add up to `total`; `same` things cost what they cost before."""

    before: InvoiceRow
    now: InvoiceRow
    changes: list[Change]
    rounding: Money
    same: int

    @property
    def total(self) -> Money:
        return self.now.bill.total - self.before.bill.total


async def difference(scope: CustomerScope, invoice_id: UUID, *, today: date) -> tuple[InvoiceDetail, Difference | None]:
    """The bill, and how it differs; None for a first bill. Raises NotFound for a bill of somebody else."""
    now = await queries.get_invoice(scope, invoice_id, today=today)
    row = await fetch_one(_BEFORE.bind(customer_id=scope.customer_id, invoice_id=invoice_id))
    if row is None or now.row.bill.kind != "regular":
        return now, None
    before = await queries.get_invoice(scope, row["id"], today=today)
    changes, same = compare(_charged(before), _charged(now))
    total = now.row.bill.total - before.row.bill.total
    explained = sum((change.by for change in changes), total - total)
    return now, Difference(before.row, now.row, changes, total - explained, same)


def compare(before: Iterable[Charged], now: Iterable[Charged]) -> tuple[list[Change], int]:
    """The largest change first, and how many things cost the same. Their sum is the difference of the two sums."""
    old, new = _by_thing(before), _by_thing(now)
    changes, same = [], 0
    for key in [*new, *(key for key in old if key not in new)]:
        was, now_is = old.get(key), new.get(key)
        known = now_is or was
        assert known is not None
        if was is not None and now_is is not None and was.amount == now_is.amount:
            same += 1
            continue
        what = What.NEW if was is None else What.GONE if now_is is None else What.CHANGED
        changes.append(
            Change(
                what,
                known.service_id,
                known.service,
                known.description,
                was.amount if was else None,
                now_is.amount if now_is else None,
            )
        )
    return sorted(changes, key=lambda change: (-abs(change.by.minor), change.description)), same


def _by_thing(charged: Iterable[Charged]) -> dict[tuple[UUID | None, str], Charged]:
    """The same thing charged twice on one bill is one thing that costs both."""
    found: dict[tuple[UUID | None, str], Charged] = {}
    for one in charged:
        key = (one.service_id, one.description)
        if key in found:
            one = Charged(one.service_id, one.service, one.description, found[key].amount + one.amount)
        found[key] = one
    return found


def _charged(invoice: InvoiceDetail) -> list[Charged]:
    return [
        Charged(group.service_id, group.name, line.description, line.amount + line.tax)
        for group in invoice.groups
        for line in group.lines
    ]
