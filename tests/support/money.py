"""A customer with bills and cards, a till with the simulated gateway, and what must hold whatever happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch, fetch_one, insert_many
from selfcare.identity import limits
from selfcare.identity.tables import Customer
from selfcare.jobs.registry import Registry
from selfcare.kernel import clock, ids
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.origin import Origin
from selfcare.messages.outbox import Outbox
from selfcare.portal.billing import ledger
from selfcare.portal.billing.tables import Invoice
from selfcare.portal.cards import jobs as card_jobs
from selfcare.portal.cards.tables import PaymentMethod
from selfcare.portal.pay import hooks, jobs, payments
from selfcare.portal.pay.payments import BillPart, How, Payment
from selfcare.portal.pay.till import Till
from selfcare.ports.payments import Payer

PUBLIC_URL = "https://selfcare.test"
KEY = b"k" * 32
ORIGIN = Origin(address="192.0.2.7", device="test", request_id="R-TEST")


@dataclass
class Purse:
    """One customer."""

    customer_id: UUID
    currency: str = "GBP"
    cards: dict[Outcome, UUID] = field(default_factory=dict)

    @property
    def who(self) -> audit.Actor:
        """The system, so that no limit is in the way."""
        return audit.system(customer_id=self.customer_id)

    @property
    def person(self) -> audit.Actor:
        return audit.visitor(ORIGIN, customer_id=self.customer_id)


@dataclass
class Counter:
    """A till, its jobs and its gateway, in this process."""

    till: Till
    gateway: SimulatedGateway
    jobs: EmbeddedJobs
    registry: Registry
    delivered: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)

    async def work(self) -> int:
        """Every job that is due, webhooks among them."""
        return await self.jobs.drain(self.registry)

    async def hook(self, body: bytes, headers: Mapping[str, str]) -> None:
        """What the route does with what the gateway sends."""
        self.delivered.append((body, dict(headers)))
        event = self.gateway.parse_webhook(body, dict(headers), now=clock.now())
        await hooks.keep(self.till, event, body=body.decode())


def counter(*, patience_seconds: float = 0.01) -> Counter:
    audit.configure(b"a" * 32)
    limits.configure(b"l" * 32)
    work = EmbeddedJobs(random=lambda: 1.0)
    gateway = SimulatedGateway(work, key=KEY, public_url=PUBLIC_URL, patience_seconds=patience_seconds)
    till = Till(gateway, work, Outbox(work, (b"m" * 32,)), PUBLIC_URL)
    registry = Registry()
    jobs.add(registry, till)
    card_jobs.add(registry, till, "Europe/London")
    registry.add(bank.DELIVER, gateway.hooks.deliver_now)
    registry.add(bank.DECIDE, gateway.decide_now)
    made = Counter(till, gateway, work, registry)
    gateway.hooks.deliver = made.hook
    return made


async def purse(currency: str = "GBP") -> Purse:
    id = new_id()
    async with transaction():
        await insert_many(
            Customer,
            [
                {
                    "id": id,
                    "number": f"C-{id.hex[-10:]}",
                    "name": "Asha Rao",
                    "type": "individual",
                    "status": "open",
                    "pays": "postpaid",
                    "enabled": True,
                    "currency": currency,
                    "zone": "Europe/London",
                    "language": "en",
                    "billing_address": "14 Larch Road",
                    "created_at": clock.now(),
                }
            ],
        )
    return Purse(id, currency)


async def card(counter: Counter, purse: Purse, outcome: Outcome = Outcome.APPROVES) -> UUID:
    """A kept card that behaves like this."""
    if outcome in purse.cards:
        return purse.cards[outcome]
    ref = await counter.gateway.ensure_customer(Payer(purse.customer_id, "C-1", "Asha Rao"))
    async with transaction():
        token = await bank.new_card(ref, outcome, holder="ASHA RAO", now=clock.now())
        plastic = await bank.card(token)
        id = new_id()
        row: dict[str, Any] = {"id": id, "customer_id": purse.customer_id, "token_ref": token}
        row |= bank.card_fields(plastic) | {"is_default": not purse.cards, "position": len(purse.cards) + 1}
        row |= {"added_by": None, "created_at": clock.now(), "exp_year": clock.now().year + 2}
        await insert_many(PaymentMethod, [row])
    purse.cards[outcome] = id
    return id


async def bill(
    purse: Purse, minor: int, *, due_in: int = 14, paid: int = 0, state: str = "issued", **more: Any
) -> UUID:
    id, today = new_id(), clock.now().date()
    net = minor * 5 // 6
    row: dict[str, Any] = {
        "id": id,
        "customer_id": purse.customer_id,
        "number": f"INV-{id.hex[-12:]}",
        "kind": "regular",
        "date": today - timedelta(days=1),
        "due_on": today + timedelta(days=due_in),
        "period_start": date(2026, 10, 1),
        "period_end": date(2026, 11, 1),
        "currency": purse.currency,
        "net_minor": net,
        "tax_minor": minor - net,
        "paid_minor": paid,
        "state": state,
        "created_at": clock.now(),
    }
    async with transaction():
        await insert_many(Invoice, [row | more])
    return id


async def pay(
    counter: Counter, purse: Purse, *bills: UUID | BillPart, outcome: Outcome | None = Outcome.APPROVES, **how: Any
) -> Payment:
    """As the click does it."""
    card_id = await card(counter, purse, outcome) if outcome is not None else None
    parts = [each if isinstance(each, BillPart) else BillPart(each) for each in bills]
    asked = How(**({"request_key": ids.token(), "card_id": card_id} | how))
    return await payments.pay_bills(counter.till, purse.who, parts, asked)


async def give_credit(counter: Counter, purse: Purse, minor: int) -> None:
    """Paid in advance."""
    card_id = await card(counter, purse)
    how = How(request_key=ids.token(), card_id=card_id)
    paid = await payments.pay_in(counter.till, purse.who, Money(minor, purse.currency), how)
    assert paid.is_paid


async def remaining(invoice_id: UUID) -> int:
    row = await fetch_one(BILL.bind(id=invoice_id))
    assert row is not None
    return int(row["net_minor"] + row["tax_minor"] - row["paid_minor"])


async def credit(purse: Purse) -> int:
    return (await ledger.credit_of(purse)).minor


async def taken(purse: Purse) -> int:
    """What the bank has taken from this customer's cards, less what it gave back."""
    rows = await fetch(TAKEN.bind(customer_id=purse.customer_id))
    return sum(row["amount_minor"] - row["returned"] for row in rows)


async def charges(purse: Purse) -> int:
    """How often the bank has taken money."""
    return len(await fetch(TAKEN.bind(customer_id=purse.customer_id)))


async def check_all() -> None:
    """What holds at any moment, whatever happened."""
    assert await ledger.check() == []
    for name, statement in HOLDS.items():
        assert await fetch(statement.bind()) == [], name


async def check_at_rest() -> None:
    """What holds once everything came to its end: what the bank took is booked, all of it and once."""
    await check_all()
    for name, statement in AT_REST.items():
        assert await fetch(statement.bind()) == [], name


BILL = Prepared.sql("SELECT net_minor, tax_minor, paid_minor, state FROM invoice WHERE id = :id")
TAKEN = Prepared.sql(
    """
    SELECT p.amount_minor, COALESCE((
        SELECT SUM(r.amount_minor) FROM sim_refund r WHERE r.payment_ref = p.id AND r.state = 'done'
    ), 0) AS returned
    FROM sim_payment p JOIN sim_customer c ON c.id = p.customer_ref
    WHERE p.state = 'succeeded' AND c.customer_id = :customer_id
    """,
    types={"returned": int},
)
HOLDS = {
    "a part is open exactly while its payment is": Prepared.sql(
        """
        SELECT p.id FROM payment_part t JOIN payment p ON p.id = t.payment_id
        WHERE (t.is_open AND p.state IN ('succeeded', 'refund_due', 'refunded', 'failed', 'canceled'))
            OR (NOT t.is_open AND p.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown'))
        """
    ),
    "a payment is in the books exactly when money came": Prepared.sql(
        """
        SELECT p.id FROM payment p LEFT JOIN ledger_journal j ON j.about = p.id AND j.kind = 'payment'
        WHERE (j.id IS NULL) <> (p.settled_at IS NULL)
        """
    ),
    "no bill is paid beyond its total": Prepared.sql(
        "SELECT id FROM invoice WHERE kind = 'regular' AND paid_minor > net_minor + tax_minor"
    ),
    "a bill is settled exactly when nothing remains": Prepared.sql(
        """
        SELECT id FROM invoice WHERE kind = 'regular'
            AND ((state = 'settled' AND paid_minor <> net_minor + tax_minor)
                OR (state = 'issued' AND paid_minor >= net_minor + tax_minor AND net_minor + tax_minor > 0))
        """
    ),
    "what the parts took is what the bills got": Prepared.sql(
        """
        SELECT i.id FROM invoice i WHERE i.paid_minor <> -COALESCE((
            SELECT SUM(t.amount_minor) FROM billing_transaction t
            WHERE t.invoice_id = i.id AND t.kind IN ('payment', 'refund')
        ), 0)
        """
    ),
}
AT_REST = {
    "nothing is on its way": Prepared.sql(
        """
        SELECT id FROM payment WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
        """
    ),
    "no credit is set aside": Prepared.sql(
        "SELECT name FROM ledger_account WHERE kind = 'held' AND balance_minor <> 0"
    ),
    "what the bank took is what we booked, payment by payment": Prepared.sql(
        """
        SELECT s.id FROM sim_payment s LEFT JOIN payment p ON p.charge_ref = s.id
        WHERE s.state = 'succeeded' AND (p.id IS NULL OR p.id <> s.payment_id OR p.amount_minor <> s.amount_minor
            OR p.settled_at IS NULL)
        """
    ),
    "we booked nothing the bank did not take": Prepared.sql(
        """
        SELECT p.id FROM payment p LEFT JOIN sim_payment s ON s.id = p.charge_ref AND s.state = 'succeeded'
        WHERE p.settled_at IS NOT NULL AND p.amount_minor > 0 AND s.id IS NULL
        """
    ),
    "each payment was taken at most once": Prepared.sql(
        "SELECT payment_id FROM sim_payment WHERE state = 'succeeded' GROUP BY payment_id HAVING COUNT(*) > 1"
    ),
    "the gateway's account is what the bank holds": Prepared.sql(
        """
        SELECT 1 AS wrong WHERE COALESCE((
            SELECT SUM(e.amount_minor) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.kind = 'gateway'
        ), 0) <> COALESCE((SELECT SUM(amount_minor) FROM sim_payment WHERE state = 'succeeded'), 0)
            - COALESCE((SELECT SUM(amount_minor) FROM sim_refund WHERE state = 'done'), 0)
        """
    ),
}
