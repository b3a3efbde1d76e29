"""What the simulated gateway knows. Nobody else reads this: it might as well be on another continent."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class SimCustomer(Table, tablename="sim_customer"):
    id = Varchar(64, primary_key=True, default=None)
    customer_id = UUID(default=None, unique=True)
    name = Varchar(160)
    default_card = Varchar(64, null=True, default=None)
    created_at = Timestamptz(default=None)


class SimCard(Table, tablename="sim_card"):
    """`outcome` is what happens whenever this card is used."""

    id = Varchar(64, primary_key=True, default=None)
    customer_ref = Varchar(64)
    outcome = Varchar(24)
    brand = Varchar(20)
    last4 = Varchar(4)
    exp_month = BigInt(default=None)
    exp_year = BigInt(default=None)
    holder = Varchar(100, default="")
    fingerprint = Varchar(64)
    detached_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class SimSession(Table, tablename="sim_session"):
    """A visit to the gateway's card page."""

    id = Varchar(64, primary_key=True, default=None)
    mode = Varchar(8)
    state = Varchar(8)
    customer_ref = Varchar(64)
    payment_id = UUID(null=True, default=None)
    amount_minor = BigInt(null=True, default=None)
    currency = Varchar(3)
    reference = Varchar(64)
    description = Varchar(200)
    save_card = Boolean(default=False)
    return_url = Varchar(500)
    cancel_url = Varchar(500)
    payment_ref = Varchar(64, null=True, default=None)
    card_ref = Varchar(64, null=True, default=None)
    tries = BigInt(default=0)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)


class SimPayment(Table, tablename="sim_payment"):
    id = Varchar(64, primary_key=True, default=None)
    state = Varchar(16)
    why = Varchar(16, null=True, default=None)
    customer_ref = Varchar(64)
    card_ref = Varchar(64)
    session_ref = Varchar(64, null=True, default=None)
    payment_id = UUID(default=None)
    amount_minor = BigInt(default=None)
    refunded_minor = BigInt(default=0)
    currency = Varchar(3)
    reference = Varchar(64)
    description = Varchar(200)
    return_url = Varchar(500)
    disputed = Boolean(default=False)
    created_at = Timestamptz(default=None)
    changed_at = Timestamptz(default=None)


class SimRefund(Table, tablename="sim_refund"):
    id = Varchar(64, primary_key=True, default=None)
    payment_ref = Varchar(64)
    request_key = Varchar(255)
    amount_minor = BigInt(default=None)
    currency = Varchar(3)
    state = Varchar(8)
    created_at = Timestamptz(default=None)


class SimRequest(Table, tablename="sim_request"):
    """Which key was used for what: a second one gets the first one's answer."""

    key = Varchar(255, primary_key=True, default=None)
    fingerprint = Varchar(64)
    answer_ref = Varchar(64)
    created_at = Timestamptz(default=None)


class SimEvent(Table, tablename="sim_event"):
    id = Varchar(64, primary_key=True, default=None)
    kind = Varchar(40)
    about = Varchar(8)
    object_ref = Varchar(64)
    payment_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    delivered_at = Timestamptz(null=True, default=None)


class SimFault(Table, tablename="sim_fault"):
    """Switched on for the next so many calls."""

    name = Varchar(16, primary_key=True, default=None)
    times = BigInt(default=0)
