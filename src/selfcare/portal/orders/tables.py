"""Orders and the steps they took."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.table import Table


class PurchaseOrder(Table, tablename="purchase_order"):
    """One purchase. `price_minor` includes tax. `owner_id` is whose service it is for, where that is not the buyer's.

    `delivers` is JSON text, frozen when it was asked for: see `orders.allowances`. `lease_until`: whoever delivers it
    now has it until then. `deadline_at`: after that a person looks. `problem` is for staff. A part of a bundle has its
    `parent_id`; `refund_id` is what gave its money back. Of a bundle that is all or nothing: a part that `arrived_at`
    waits for the others; from `undo_at` on it is taken back, at the network by a job for each of `undo_tries`.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    kind = Varchar(8)
    reference = Varchar(16, unique=True)
    request_key = Varchar(64, unique=True)
    name = Varchar(160)
    service_id = UUID(null=True, default=None)
    owner_id = UUID(null=True, default=None)
    beneficiary = Varchar(16, null=True, default=None)
    product_id = UUID(null=True, default=None)
    product_version = BigInt(null=True, default=None)
    parent_id = UUID(null=True, default=None)
    price_minor = BigInt(default=0)
    tax_permille = BigInt(default=0)
    currency = Varchar(3)
    delivers = Text()
    auto = Boolean(default=False)
    payment_id = UUID(null=True, default=None, unique=True)
    state = Varchar(12)
    problem = Varchar(200, null=True, default=None)
    asked_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    changed_at = Timestamptz(default=None)
    deadline_at = Timestamptz(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
    delivered_at = Timestamptz(null=True, default=None)
    refund_id = UUID(null=True, default=None)
    arrived_at = Timestamptz(null=True, default=None)
    undo_at = Timestamptz(null=True, default=None)
    undo_tries = BigInt(default=0)


class OrderStep(Table, tablename="order_step"):
    """Append-only: when an order came into which state."""

    id = UUID(primary_key=True, default=None)
    order_id = UUID(default=None)
    customer_id = UUID(default=None)
    state = Varchar(12)
    at = Timestamptz(default=None)


class OrderCreditNote(Table, tablename="order_credit_note"):
    """The paper for an order whose money went back; see `orders.credit_notes`."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    order_id = UUID(default=None, unique=True)
    number = Varchar(32, unique=True)
    date = Date(default=None)
    currency = Varchar(3)
    net_minor = BigInt(default=None)
    tax_minor = BigInt(default=None)
    card_minor = BigInt(default=None)
    credit_minor = BigInt(default=None)
    of_stranger = Boolean(default=False)
    created_at = Timestamptz(default=None)


class Advance(Table, tablename="advance"):
    """Credit that was lent by an order, once a `month` (its first day) of the customer's calendar.

    `owed_minor` is what no order has taken on itself to pay back yet.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    order_id = UUID(default=None, unique=True)
    month = Date(default=None)
    lent_minor = BigInt(default=None)
    fee_minor = BigInt(default=None)
    owed_minor = BigInt(default=None)
    currency = Varchar(3)
    state = Varchar(8)
    asked_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class AdvanceRepayment(Table, tablename="advance_repayment"):
    """What an order of credit holds back for an advance; `done_at` once it was delivered."""

    order_id = UUID(primary_key=True, default=None)
    advance_id = UUID(default=None)
    customer_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    held_at = Timestamptz(default=None)
    done_at = Timestamptz(null=True, default=None)
