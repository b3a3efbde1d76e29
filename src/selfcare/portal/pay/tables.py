"""Payments, what they pay, refunds, and what gateways told us."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Date, Text, Timestamptz, Varchar
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


class AutopayConsent(Table, tablename="autopay_consent"):
    """What was agreed to, word for word, by whom and from where. At most one of a customer is not ended."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    words = Varchar(1000)
    given_by = UUID(default=None)
    given_at = Timestamptz(default=None)
    address = Varchar(64)
    device = Varchar(200)
    ended_by = UUID(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)


class AutopayCharge(Table, tablename="autopay_charge"):
    """A bill that is taken by itself. `tries` are those that count, `round` names each attempt for ever."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    consent_id = UUID(default=None)
    invoice_id = UUID(default=None)
    charge_on = Date(default=None)
    next_at = Timestamptz(default=None)
    round = BigInt(default=0)
    tries = BigInt(default=0)
    state = Varchar(8)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class GuestLink(Table, tablename="guest_link"):
    """Whoever has the token may pay this one bill, and see its number and what remains; nothing else."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    invoice_id = UUID(default=None)
    token_hash = Varchar(64, unique=True, secret=True)
    request_key = Varchar(64, unique=True)
    made_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)


class GuestReceipt(Table, tablename="guest_receipt"):
    """Where a guest wants the receipt, and who stands on it where the guest was asked."""

    payment_id = UUID(primary_key=True, default=None)
    email = Varchar(254)
    name = Varchar(100, null=True, default=None)
    created_at = Timestamptz(default=None)
