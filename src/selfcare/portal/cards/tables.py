"""Stored cards: what the gateway lets us show, never a card number or security code."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class PaymentMethod(Table, tablename="payment_method"):
    """`position` is the order in which cards are tried, 1 first. `token_ref` is the gateway's name for the card."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    kind = Varchar(8, default="card")
    brand = Varchar(20)
    last4 = Varchar(4)
    exp_month = BigInt(default=None)
    exp_year = BigInt(default=None)
    holder = Varchar(100)
    nickname = Varchar(40, null=True, default=None)
    is_default = Boolean(default=False)
    position = BigInt(default=1)
    token_ref = Varchar(255, secret=True)
    fingerprint = Varchar(64, secret=True)
    added_by = UUID(null=True, default=None)
    removed_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
