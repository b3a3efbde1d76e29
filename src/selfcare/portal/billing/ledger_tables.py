"""The books. Written only by `ledger.py`; nothing in them is ever changed but the cached balances."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class Account(Table, tablename="ledger_account"):
    """Debits are positive. `balance_minor` is kept for the accounts of customers; those of the house are summed."""

    id = UUID(primary_key=True, default=None)
    name = Varchar(80, unique=True)
    kind = Varchar(16)
    customer_id = UUID(null=True, default=None)
    currency = Varchar(3)
    balance_minor = BigInt(null=True, default=None)
    created_at = Timestamptz(default=None)


class Journal(Table, tablename="ledger_journal"):
    """`about` is the bill, payment or refund it comes from; `lines` is how many entries it has."""

    id = UUID(primary_key=True, default=None)
    key = Varchar(80, unique=True)
    kind = Varchar(24)
    customer_id = UUID(null=True, default=None)
    about = UUID(null=True, default=None)
    lines = BigInt(default=None)
    at = Timestamptz(default=None)


class Entry(Table, tablename="ledger_entry"):
    id = UUID(primary_key=True, default=None)
    journal_id = UUID(default=None)
    line = BigInt(default=None)
    account_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    currency = Varchar(3)
