"""A shop whose deliverer does what a test says, beside the till of `money`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import ids
from selfcare.kernel.money import Money
from selfcare.portal.orders import jobs, orders
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.outcome import DONE, Outcome, Result
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from tests.support import money
from tests.support.money import Counter, Purse

FAILED = Outcome(Result.FAILED, "The network refused.")


@dataclass
class Scripted:
    """Answers one outcome after the other, the last one for ever."""

    says: list[Outcome] = field(default_factory=lambda: [DONE])
    patience: timedelta = timedelta(hours=1)
    asked: list[UUID] = field(default_factory=list)

    async def deliver(self, order: Order) -> Outcome:
        self.asked.append(order.id)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]

    async def look(self, order: Order) -> Outcome:
        return self.says[0]


class Everything:
    """A scope that may see all lines of one customer."""

    def __init__(self, purse: Purse) -> None:
        self.customer_id = purse.customer_id
        self.currency = purse.currency
        self.service_ids = None

    def covers(self, service_id: object, /) -> bool:
        return True


def shop(counter: Counter, *says: Outcome) -> tuple[Shop, Scripted]:
    deliverer = Scripted(list(says) or [DONE])
    opened = Shop(counter.till, EmbeddedCharging(), dict.fromkeys(Kind, deliverer))
    jobs.add(counter.registry, opened)
    return opened, deliverer


def wanted(minor: int = 1_000, **more: Any) -> Wanted:
    plain: dict[str, Any] = {"kind": Kind.TOPUP, "name": "5 GB extra", "delivers": {"puts": []}, "tax_permille": 200}
    return Wanted(**(plain | {"price": Money(minor, "GBP")} | more))


async def buy(
    opened: Shop, counter: Counter, purse: Purse, asked: Wanted, *, bank: Bank | None = Bank.APPROVES, **how: Any
) -> Order:
    card = await money.card(counter, purse, bank) if bank is not None else None
    return await orders.buy(opened, purse.who, asked, How(**({"request_key": ids.token(), "card_id": card} | how)))


async def check_all() -> None:
    """What holds at any moment for orders and their money."""
    await money.check_all()
    for name, statement in HOLDS.items():
        assert await fetch(statement.bind()) == [], name


# A bundle that was given up or is undone is one sum again; otherwise its parts are what counts.
HOLDS = {
    "what is set aside for orders is what was paid for and is neither delivered nor given back": Prepared.sql(
        """
        SELECT a.name FROM ledger_account a WHERE a.kind = 'on_order' AND a.balance_minor <> -COALESCE((
            SELECT SUM(o.price_minor) FROM purchase_order o
                LEFT JOIN purchase_order w ON w.id = o.parent_id
                JOIN payment p ON p.id = COALESCE(w.payment_id, o.payment_id)
            WHERE o.customer_id = a.customer_id AND o.currency = a.currency AND p.settled_at IS NOT NULL
                AND o.state NOT IN ('delivered', 'refund_due', 'refunded')
                AND (o.kind <> 'bundle' OR o.state IN ('canceled', 'review') OR o.undo_at IS NOT NULL)
                AND (w.id IS NULL OR (o.state <> 'canceled' AND w.undo_at IS NULL))
        ), 0)
        """
    ),
    "an order is earned exactly when it was delivered": Prepared.sql(
        """
        SELECT o.id FROM purchase_order o LEFT JOIN ledger_journal j ON j.about = o.id AND j.kind = 'order'
        WHERE o.price_minor > 0 AND (j.id IS NULL) <> (o.state <> 'delivered' OR o.kind = 'bundle')
        """
    ),
    "nothing is delivered that was not paid": Prepared.sql(
        """
        SELECT o.id FROM purchase_order o LEFT JOIN purchase_order w ON w.id = o.parent_id
            LEFT JOIN payment p ON p.id = COALESCE(w.payment_id, o.payment_id)
        WHERE o.price_minor > 0 AND o.state IN ('paid', 'delivering', 'delivered', 'refund_due', 'refunded')
            AND p.settled_at IS NULL
        """
    ),
    "parts cost together what their bundle costs": Prepared.sql(
        """
        SELECT w.id FROM purchase_order w WHERE w.kind = 'bundle' AND w.price_minor <> (
            SELECT SUM(o.price_minor) FROM purchase_order o WHERE o.parent_id = w.id)
        """
    ),
    "a bundle has ended when each of its parts has": Prepared.sql(
        """
        SELECT w.id FROM purchase_order w JOIN purchase_order o ON o.parent_id = w.id
        WHERE w.state = 'delivered' AND o.state NOT IN ('delivered', 'refund_due', 'refunded', 'failed')
        """
    ),
    "of a bundle that is all or nothing there is all or nothing": Prepared.sql(
        """
        SELECT w.id FROM purchase_order w JOIN purchase_order o ON o.parent_id = w.id
        WHERE w.delivers LIKE '%"refunds_all": true%' AND ((o.state = 'delivered') <> (w.state = 'delivered')
            OR o.state IN ('refund_due', 'refunded')
            OR (w.state IN ('refund_due', 'refunded') AND o.state NOT IN ('canceled', 'failed')))
        """
    ),
    "there is one credit note of each order that was given back, and none of another": Prepared.sql(
        """
        SELECT o.id FROM purchase_order o LEFT JOIN order_credit_note n ON n.order_id = o.id
        WHERE (n.id IS NULL) = (o.state = 'refunded' AND NOT EXISTS (
                SELECT 1 FROM purchase_order q WHERE q.parent_id = o.id AND q.state = 'refunded'))
            OR n.net_minor + n.tax_minor <> o.price_minor
        """
    ),
    "credit notes are numbered without a gap": Prepared.sql(
        """
        SELECT c.name FROM counter c WHERE c.name LIKE 'credit-note-%' AND c.value <> (
            SELECT COUNT(*) FROM order_credit_note n WHERE n.number LIKE 'CN-' || substr(c.name, 13) || '-%'
        ) + (SELECT COUNT(*) FROM invoice i WHERE i.number LIKE 'CN-' || substr(c.name, 13) || '-%')
        """
    ),
    "the last step is how it stands": Prepared.sql(
        """
        SELECT o.id FROM purchase_order o WHERE o.state NOT IN (
            SELECT s.state FROM order_step s WHERE s.order_id = o.id AND s.at = (
                SELECT MAX(t.at) FROM order_step t WHERE t.order_id = o.id))
        """
    ),
}
