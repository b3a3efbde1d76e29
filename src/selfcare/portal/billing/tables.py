"""Bills and their lines. The lines of a bill are its transactions."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Date, Text, Timestamptz, Varchar
from piccolo.table import Table


class Invoice(Table, tablename="invoice"):
    """What is owed is `net_minor + tax_minor - paid_minor`. Drafts are invisible; an issued bill never changes but in
    `paid_minor` and `state`. `corrects_id` ties a credit note to its bill.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    number = Varchar(32, unique=True)
    kind = Varchar(16, default="regular")
    date = Date(default=None)
    due_on = Date(default=None)
    period_start = Date(null=True, default=None)
    period_end = Date(null=True, default=None)
    currency = Varchar(3)
    net_minor = BigInt(default=0)
    tax_minor = BigInt(default=0)
    paid_minor = BigInt(default=0)
    state = Varchar(8)
    corrects_id = UUID(null=True, default=None)
    pdf_hash = Varchar(64, null=True, default=None)
    purchase_ref = Varchar(60, null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Transaction(Table, tablename="billing_transaction"):
    """One line of money owed (+) or given (−).

    `amount_minor` is before tax and `tax_minor` comes on top: the account moves by their sum. A bill's `net_minor` and
    `tax_minor` are sums over its lines that are no payment and no refund; its `paid_minor` is minus the sum of those.
    A payment carries the bill it pays as `invoice_id`. Voided lines (`voided_at`) count nowhere.
    `wholesale_minor` never leaves the house.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    at = Timestamptz(default=None)
    kind = Varchar(16)
    description = Varchar(200)
    quantity = BigInt(default=1)
    unit_price_minor = BigInt(null=True, default=None)
    amount_minor = BigInt(default=None)
    tax_permille = BigInt(default=0)
    tax_minor = BigInt(default=0)
    currency = Varchar(3)
    invoice_id = UUID(null=True, default=None)
    service_id = UUID(null=True, default=None)
    order_id = UUID(null=True, default=None)
    payment_id = UUID(null=True, default=None)
    period_start = Date(null=True, default=None)
    period_end = Date(null=True, default=None)
    voided_at = Timestamptz(null=True, default=None)
    wholesale_minor = BigInt(null=True, default=None, secret=True)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Question(Table, tablename="bill_question"):
    """A line of a bill that the customer disputes. Until `paused_until` nobody presses for the bill."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    invoice_id = UUID(default=None)
    line_id = UUID(default=None)
    request_id = UUID(default=None, unique=True)
    asked_at = Timestamptz(default=None)
    paused_until = Timestamptz(default=None)
    closed_at = Timestamptz(null=True, default=None)
    credited_net_minor = BigInt(null=True, default=None)
    credited_tax_minor = BigInt(null=True, default=None)


class BundleRow(Table, tablename="bundle"):
    """Bills of a time in one file, `done` of `bills` are in it; or a long statement of account."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    first = Date(default=None)
    last = Date(default=None)
    holds = Varchar(10, default="bills")
    state = Varchar(8)
    bills = BigInt(default=None)
    done = BigInt(default=0)
    size_bytes = BigInt(null=True, default=None)
    asked_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)


class BundlePart(Table, tablename="bundle_part"):
    """A piece of the file, base64."""

    id = UUID(primary_key=True, default=None)
    bundle_id = UUID(default=None)
    position = BigInt(default=None)
    body = Text(default="")


class BillReference(Table, tablename="bill_reference"):
    """What a business wants to read on bills that carry no reference of their own."""

    customer_id = UUID(primary_key=True, default=None)
    words = Varchar(60)
    set_at = Timestamptz(default=None)


class BillRecipient(Table, tablename="bill_recipient"):
    """An address that gets a copy of each bill from `bills_from` on, once it has confirmed and until it stops."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    email = Varchar(254)
    added_by = UUID(default=None)
    added_at = Timestamptz(default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    bills_from = Date(null=True, default=None)
    stopped_at = Timestamptz(null=True, default=None)


class PaymentPromise(Table, tablename="payment_promise"):
    """What was overdue (due before `due_before`) is paid by `pay_by`. One in a `month`, its first day, and one open."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    month = Date(default=None)
    due_before = Date(default=None)
    pay_by = Date(default=None)
    amount_minor = BigInt(default=None)
    currency = Varchar(3)
    asked_by = UUID(default=None)
    asked_at = Timestamptz(default=None)
    state = Varchar(8)
    ended_at = Timestamptz(null=True, default=None)


class BillCopy(Table, tablename="bill_copy"):
    """A bill that was sent to a recipient, once. Its link opens until `expires_at` and dies with the recipient."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    recipient_id = UUID(default=None)
    invoice_id = UUID(default=None)
    made_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
