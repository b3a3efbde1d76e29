"""Payments, what they pay, refunds, and what gateways told us."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Text, Timestamptz, Varchar
from piccolo.table import Table


class GatewayCustomer(Table, tablename="gateway_customer"):
    """A gateway's name for a customer."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    gateway = Varchar(16)
    customer_ref = Varchar(255)
    created_at = Timestamptz(default=None)


class PaymentRow(Table, tablename="payment"):
    """`amount_minor` comes from the card, `credit_minor` from the customer's credit; of that `held_minor` is set aside
    while the payment is open. `gateway_ref` is what we ask by, `charge_ref` what was taken and can be refunded.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    purpose = Varchar(8)
    reference = Varchar(16, unique=True)
    description = Varchar(200)
    request_key = Varchar(64, unique=True)
    attempt = BigInt(default=1)
    currency = Varchar(3)
    amount_minor = BigInt(default=None)
    credit_minor = BigInt(default=0)
    held_minor = BigInt(default=0)
    refunded_minor = BigInt(default=0)
    state = Varchar(16)
    why = Varchar(16, null=True, default=None)
    review = Varchar(200, null=True, default=None)
    gateway = Varchar(16)
    customer_ref = Varchar(255, null=True, default=None)
    gateway_ref = Varchar(255, null=True, default=None)
    charge_ref = Varchar(255, null=True, default=None)
    action_url = Varchar(2000, null=True, default=None)
    method_id = UUID(null=True, default=None)
    card = Varchar(40, null=True, default=None)
    save_card = Boolean(default=False)
    off_session = Boolean(default=False)
    started_by = UUID(null=True, default=None)
    guest_link_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    submitted_at = Timestamptz(null=True, default=None)
    asked_at = Timestamptz(null=True, default=None)
    settled_at = Timestamptz(null=True, default=None)
    closed_at = Timestamptz(null=True, default=None)
    disputed_at = Timestamptz(null=True, default=None)


class PaymentPart(Table, tablename="payment_part"):
    """What the payment pays, in this order. `is_open` keeps others from paying the same meanwhile."""

    id = UUID(primary_key=True, default=None)
    payment_id = UUID(default=None)
    customer_id = UUID(default=None)
    position = BigInt(default=None)
    target = Varchar(8)
    target_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    applied_minor = BigInt(null=True, default=None)
    is_open = Boolean(default=True)


class RefundRow(Table, tablename="refund"):
    """Money on its way back to the card. `source` says whose it was until then."""

    id = UUID(primary_key=True, default=None)
    payment_id = UUID(default=None)
    customer_id = UUID(default=None)
    number = BigInt(default=None)
    amount_minor = BigInt(default=None)
    currency = Varchar(3)
    source = Varchar(8)
    reason = Varchar(200)
    state = Varchar(8)
    gateway_ref = Varchar(255, null=True, default=None)
    asked_by = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)
    done_at = Timestamptz(null=True, default=None)


class WebhookEvent(Table, tablename="webhook_event"):
    """What came in with a good signature. Only `object_ref` is used: what it says is asked again."""

    id = UUID(primary_key=True, default=None)
    gateway = Varchar(16)
    event_id = Varchar(255)
    kind = Varchar(80)
    about = Varchar(8)
    object_ref = Varchar(255, null=True, default=None)
    payment_id = UUID(null=True, default=None)
    body = Text(default="")
    received_at = Timestamptz(default=None)
    handled_at = Timestamptz(null=True, default=None)
    outcome = Varchar(40, null=True, default=None)
