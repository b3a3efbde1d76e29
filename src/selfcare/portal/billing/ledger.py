"""The books: double entry, append-only. Debits are positive; every journal comes to nothing in each currency.

    receivable  what a customer owes on issued bills           gateway    with the bank behind the gateway
    credit      what we owe them, free to use (≤ 0)            sales, tax what bills and orders earned
    held        their credit, set aside for an open payment    goodwill   given away
    on_order    paid for what is not delivered yet             disputed   taken back by the bank
    refunding   on its way back to a card                      elsewhere  paid past this portal

Balances of customers' accounts are cached and changed by conditional updates; `check` sums everything up again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from selfcare.db.prepared import Prepared, execute, fetch, insert_many
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing.ledger_tables import Entry as EntryRow


class Kind(StrEnum):
    RECEIVABLE = "receivable"
    CREDIT = "credit"
    HELD = "held"
    ON_ORDER = "on_order"
    REFUNDING = "refunding"
    GATEWAY = "gateway"
    SALES = "sales"
    TAX = "tax"
    GOODWILL = "goodwill"
    DISPUTED = "disputed"
    ELSEWHERE = "elsewhere"


OF_CUSTOMERS = frozenset({Kind.RECEIVABLE, Kind.CREDIT, Kind.HELD, Kind.ON_ORDER, Kind.REFUNDING})


class Unbalanced(ValueError):
    """A mistake of ours: the entries do not come to nothing."""


class Overdrawn(Exception):
    """There is not so much on a customer's account. Whoever posts decides what to say; roll back."""


@dataclass(frozen=True, slots=True)
class Account:
    """`part` tells accounts of the house apart, such as one for each gateway."""

    kind: Kind
    currency: str
    customer_id: UUID | None = None
    part: str = ""

    def __post_init__(self) -> None:
        if (self.customer_id is not None) != (self.kind in OF_CUSTOMERS):
            raise ValueError(f"{self.kind} is {'not ' if self.customer_id else ''}an account of a customer")

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.customer_id or self.part or 'house'}:{self.currency}"


@dataclass(frozen=True, slots=True)
class Entry:
    account: Account
    minor: int


@dataclass(frozen=True, slots=True)
class Journal:
    """`key` names the event for ever: a second journal with it is not posted."""

    key: str
    kind: str
    entries: Sequence[Entry]
    customer_id: UUID | None = None
    about: UUID | None = None


class Tenant(Protocol):
    @property
    def customer_id(self) -> UUID: ...
    @property
    def currency(self) -> str: ...


def move(amount: Money, *, to: Account, out_of: Account) -> list[Entry]:
    """Debits `to` and credits `out_of`."""
    return [Entry(to, amount.minor), Entry(out_of, -amount.minor)] if amount else []


async def post(journal: Journal) -> bool:
    """Inside `transaction()`. False where a journal with this key is posted already: then nothing was done."""
    return bool(await post_many([journal]))


async def post_many(journals: Iterable[Journal]) -> list[str]:
    """As `post`, in one go: the keys that were posted."""
    new: list[tuple[UUID, Journal, list[Entry]]] = []
    for journal in journals:
        entries = _summed(journal)
        if entries and await _open(journal, id := new_id(), len(entries)):
            new.append((id, journal, entries))
    if not new:
        return []
    change: dict[Account, int] = {}
    for _id, _journal, entries in new:
        for entry in entries:
            change[entry.account] = change.get(entry.account, 0) + entry.minor
    # Always in the same order: two that post at once wait for each other and never in a ring.
    ids = {account: await _move(account, change[account]) for account in sorted(change, key=lambda each: each.name)}
    await insert_many(EntryRow, (_row(id, line, entry, ids) for id, _j, es in new for line, entry in enumerate(es, 1)))
    return [journal.key for _id, journal, _entries in new]


def _summed(journal: Journal) -> list[Entry]:
    """One entry per account, none of nothing. Raises Unbalanced."""
    sums: dict[Account, int] = {}
    for entry in journal.entries:
        sums[entry.account] = sums.get(entry.account, 0) + entry.minor
    totals: dict[str, int] = {}
    for account, minor in sums.items():
        totals[account.currency] = totals.get(account.currency, 0) + minor
    if any(totals.values()):
        raise Unbalanced(f"{journal.key}: {totals}")
    return [Entry(account, minor) for account, minor in sums.items() if minor]


async def _open(journal: Journal, id: UUID, lines: int) -> bool:
    values = {"customer_id": journal.customer_id, "about": journal.about, "lines": lines, "at": clock.now()}
    return bool(await execute(OPEN.bind(id=id, key=journal.key, kind=journal.kind, **values)))


async def _move(account: Account, minor: int) -> UUID:
    """The id of the account, whose cached balance has moved. Raises Overdrawn."""
    moved = FIND.bind(name=account.name)
    if account.customer_id is not None:
        moved = MOVE.bind(name=account.name, minor=minor)
    rows = await execute(moved)
    if not rows:
        await _make(account)
        rows = await execute(moved)
    if not rows:
        raise Overdrawn(account.name)
    id: UUID = rows[0]["id"]
    return id


async def _make(account: Account) -> None:
    await execute(
        MAKE.bind(
            id=new_id(),
            name=account.name,
            kind=account.kind.value,
            customer_id=account.customer_id,
            currency=account.currency,
            balance=0 if account.customer_id else None,
            at=clock.now(),
        )
    )


def _row(journal_id: UUID, line: int, entry: Entry, ids: Mapping[Account, UUID]) -> dict[str, object]:
    return {
        "id": new_id(),
        "journal_id": journal_id,
        "line": line,
        "account_id": ids[entry.account],
        "amount_minor": entry.minor,
        "currency": entry.account.currency,
    }


OPEN = Prepared.sql(
    """
    INSERT INTO ledger_journal (id, key, kind, customer_id, about, lines, at)
    VALUES (:id, :key, :kind, :customer_id, :about, :lines, :at) ON CONFLICT (key) DO NOTHING RETURNING id
    """
)
MOVE = Prepared.sql(
    """
    UPDATE ledger_account SET balance_minor = balance_minor + :minor
    WHERE name = :name AND (kind = 'receivable' OR balance_minor + :minor <= 0) RETURNING id
    """
)
FIND = Prepared.sql("SELECT id FROM ledger_account WHERE name = :name")
MAKE = Prepared.sql(
    """
    INSERT INTO ledger_account (id, name, kind, customer_id, currency, balance_minor, created_at)
    VALUES (:id, :name, :kind, :customer_id, :currency, :balance, :at) ON CONFLICT (name) DO NOTHING
    """
)


@dataclass(frozen=True, slots=True)
class Balances:
    """What the customer has with us, each at or above zero but `owed`."""

    credit: Money
    held: Money
    on_order: Money
    refunding: Money
    owed: Money


async def balances(scope: Tenant) -> Balances:
    rows = await fetch(BALANCES.bind(customer_id=scope.customer_id, currency=scope.currency))
    known = {row["kind"]: row["balance_minor"] for row in rows}
    return Balances(
        credit=Money(-known.get("credit", 0), scope.currency),
        held=Money(-known.get("held", 0), scope.currency),
        on_order=Money(-known.get("on_order", 0), scope.currency),
        refunding=Money(-known.get("refunding", 0), scope.currency),
        owed=Money(known.get("receivable", 0), scope.currency),
    )


async def credit_of(scope: Tenant) -> Money:
    """Free to be used."""
    return (await balances(scope)).credit


BALANCES = Prepared.sql(
    "SELECT kind, balance_minor FROM ledger_account WHERE customer_id = :customer_id AND currency = :currency"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in the books that cannot be."""

    check: str
    about: str


async def check(*, most: int = 100) -> list[Fault]:
    """Sums everything up again; empty when all is well."""
    faults = []
    for name, statement in CHECKS.items():
        faults += [Fault(name, str(row["about"])) for row in await fetch(statement.bind(most=most))]
    return faults


CHECKS = {
    "journal does not balance": Prepared.sql(
        """
        SELECT journal_id AS about FROM ledger_entry GROUP BY journal_id, currency HAVING SUM(amount_minor) <> 0
        LIMIT :most
        """
    ),
    "journal is not complete": Prepared.sql(
        """
        SELECT j.id AS about FROM ledger_journal j LEFT JOIN ledger_entry e ON e.journal_id = j.id
        GROUP BY j.id, j.lines HAVING COUNT(e.id) <> j.lines LIMIT :most
        """
    ),
    "cached balance is not the sum": Prepared.sql(
        """
        SELECT a.name AS about FROM ledger_account a LEFT JOIN ledger_entry e ON e.account_id = a.id
        WHERE a.customer_id IS NOT NULL
        GROUP BY a.id, a.name, a.balance_minor HAVING COALESCE(SUM(e.amount_minor), 0) <> a.balance_minor LIMIT :most
        """
    ),
    "entry in another currency than its account": Prepared.sql(
        """
        SELECT e.id AS about FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        WHERE a.currency <> e.currency LIMIT :most
        """
    ),
}
