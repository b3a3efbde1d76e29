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
    # How many days before its end people were told: 30, 7, then 0.
    told_days = BigInt(null=True, default=None)


class CardVisit(Table, tablename="card_visit"):
    """A visit to the gateway's page that shall keep a card."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    request_key = Varchar(64, unique=True)
    gateway = Varchar(16)
    gateway_ref = Varchar(255, null=True, default=None)
    url = Varchar(2000, null=True, default=None)
    state = Varchar(8)
    why = Varchar(16, null=True, default=None)
    card_id = UUID(null=True, default=None)
    back_to = Varchar(500)
    started_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
