"""The files of an import, in the order they are read, with their columns and the rules between columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from selfcare.imports.columns import (
    KINDS,
    SCOPES,
    Column,
    Reader,
    Wrong,
    choice,
    choices,
    code,
    country,
    currency,
    day,
    email,
    geo,
    grants,
    members_of,
    memberships,
    moment,
    money,
    percent,
    phone,
    settings,
    text,
    texts,
    whole,
    yes_no,
    zone,
)

Values: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[Values], Iterator[tuple[str, str]]]
_amount = whole()
TYPES = ("mobile", "internet", "iptv", "voip", "omnicharge")


@dataclass(frozen=True, kw_only=True)
class File:
    """`owner` is the column that tells whose row it is; `fixed` are database columns no cell says anything about."""

    name: str
    table: str
    columns: tuple[Column, ...]
    owner: str | None = None
    rule: Rule | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    stamped: tuple[str, ...] = ("created_at",)

    @property
    def csv(self) -> str:
        return f"{self.name}.csv"

    @cached_property
    def has_owner(self) -> bool:
        return self.owner is not None

    @cached_property
    def linked(self) -> tuple[Column, ...]:
        """The columns that name rows of other files."""
        return tuple(column for column in self.columns if column.refers or column.mentions)

    @cached_property
    def names_itself(self) -> bool:
        return any(column.refers == self.name for column in self.columns)


def _col(name: str, read: Reader, about: str, **more: Any) -> Column:
    return Column(name=name, read=read, about=about, **{"to": name} | more)


def _id(of: str) -> Column:
    return _col(
        "id", code, f"Your own id of the {of}; a later import finds the row by it.", needed=True, to="external_id"
    )


def _of(file: str, about: str, name: str | None = None, *, needed: bool = True, to: str | None = None) -> Column:
    name = name or file.removesuffix("s")
    return Column(name=name, read=code, about=about, needed=needed, refers=file, to=to or f"{name}_id")


def _money(name: str, about: str, *, signed: bool = False, to: str | None = None, **more: Any) -> Column:
    kind: Any = "signed" if signed else "positive"
    return Column(name=name, read=str, about=about, money=kind, to=to or f"{name}_minor", **more)


_CURRENCY = _col("currency", currency, "Code like GBP. Empty: the currency of the settings.")


def _customer_rule(row: Values) -> Iterator[tuple[str, str]]:
    if row["contract_start"] and row["contract_end"] and row["contract_end"] < row["contract_start"]:
        yield "contract_end", "the contract ends before it starts"


CUSTOMERS = File(
    name="customers",
    table="customer",
    owner="id",
    rule=_customer_rule,
    columns=(
        _id("customer"),
        _col("number", text(32), "What people read out to support.", needed=True, unique=True),
        _col("name", text(160), "Of the person or company.", needed=True),
        _col("type", choice("individual", "business"), "individual or business.", needed=True),
        _col(
            "status",
            choice("open", "suspended", "closed", "archived"),
            "open, suspended, closed, archived.",
            usual="open",
        ),
        _col("pays", choice("prepaid", "postpaid"), "prepaid or postpaid.", needed=True),
        _col("enabled", yes_no, "yes or no.", usual=True),
        _col("tax_id", text(40), "Tax number of a company."),
        _CURRENCY,
        _col("zone", zone, "Time zone like Europe/London. Empty: that of the settings."),
        _col("language", text(16), "Code like en.", usual="en"),
        _col("contract_start", day, "Date."),
        _col("contract_end", day, "Date."),
        _col("billing_address", text(800), "As it stands on bills, lines in one quoted cell.", usual=""),
    ),
)

SITES = File(
    name="sites",
    table="site",
    owner="customer",
    columns=(
        _id("address"),
        _of("customers", "Whose address it is."),
        _col("label", text(100), "What it is called, like Home.", needed=True),
        _col("address_line_1", text(160), "Street and number.", needed=True),
        _col("address_line_2", text(160), "Anything more.", usual=""),
        _col("city", text(100), "Town.", needed=True),
        _col("state", text(100), "County or state.", usual=""),
        _col("zip_code", text(20), "Postcode.", needed=True),
        _col("country", country, "Two letters like GB.", needed=True),
        _col("geo", geo, "latitude,longitude in degrees."),
    ),
)


def _product_rule(row: Values) -> Iterator[tuple[str, str]]:
    if (row["custom_min"] is None) != (row["custom_max"] is None):
        yield "custom_max", "custom_min and custom_max go together; expected both or neither"
    elif row["custom_min"] is not None and not 0 < row["custom_min"] <= row["custom_max"]:
        yield "custom_max", "the largest custom amount is below the smallest, or the smallest is 0"
    if row["on_sale_from"] and row["on_sale_until"] and row["on_sale_until"] <= row["on_sale_from"]:
        yield "on_sale_until", "the sale ends before it starts"


PRODUCTS = File(
    name="products",
    table="product",
    rule=_product_rule,
    fixed={"version": 1, "provisioning_vars": "{}"},
    columns=(
        _id("product"),
        _col("slug", text(80), "Short name that never changes, like lark-20.", needed=True, unique=True),
        _col("name", text(100), "What customers read.", needed=True),
        _col("description", text(2000), "A sentence or two.", usual=""),
        _col("category", choice("plan", "topup", "addon", "bundle"), "plan, topup, addon or bundle.", needed=True),
        _col("service_type", choice(*TYPES), f"{', '.join(TYPES)}.", needed=True),
        _col("customer_types", choices("individual", "business"), "individual; business. Empty: both.", usual="[]"),
        _col("requires", texts(80), "Slugs a service must have first, separated by semicolons.", usual="[]"),
        _col("excludes", texts(80), "Slugs it cannot stand beside.", usual="[]"),
        _col("enabled", yes_no, "On sale: yes or no.", usual=True),
        _col("on_sale_from", moment, "Time."),
        _col("on_sale_until", moment, "Time."),
        _col("sort", whole(0, 1_000_000), "Place in lists, small first.", usual=0),
        _col(
            "icon",
            text(32),
            "mobile, internet, tv, voice, data, sms, money, roaming, hardware, boost, bundle.",
            usual="plan",
        ),
        _col("features", texts(200), "Lines for its card, separated by semicolons.", usual="[]"),
        _col("terms_url", text(500), "Address of the terms."),
        _money("price", "What the customer pays each period, tax included.", needed=True, together="price"),
        _money("setup_price", "Once, tax included.", usual=0, together="price"),
        _CURRENCY,
        _col("period", choice("none", "day", "week", "month", "year"), "none, day, week, month, year.", usual="none"),
        _money("custom_min", "Smallest amount a customer may choose.", together="custom"),
        _money("custom_max", "Largest.", together="custom"),
        _col("tax_code", text(16), "Your own code.", usual="standard"),
        _col("tax_rate", percent, "Per cent, like 20; it is part of the price.", needed=True, to="tax_permille"),
        _col("grants", grants, "JSON list of what it gives, see below.", usual="[]"),
        _col("repeatable", yes_no, "May a service hold it twice?", usual=False),
        _col("editable", texts(60), "Settings customers may change.", usual="[]"),
        _col("min_term", whole(0, 120), "Months.", usual=0),
        _col("provisioning_play", text(100), "Internal, never shown."),
        _money("wholesale_cost", "Internal, never shown."),
        _money("wholesale_setup_cost", "Internal, never shown."),
    ),
)


def _service_rule(row: Values) -> Iterator[tuple[str, str]]:
    if (row["state"] == "suspended") != (row["suspend_reason"] is not None):
        yield "suspend_reason", "a suspended service needs a reason, and only a suspended one has it"
    if (row["state"] == "ended") != (row["end_reason"] is not None):
        yield "end_reason", "an ended service needs a reason, and only an ended one has it"


SERVICES = File(
    name="services",
    table="service",
    owner="customer",
    rule=_service_rule,
    columns=(
        _id("service"),
        _of("customers", "Whose service it is."),
        _of("products", "The plan."),
        _of("sites", "Where it is delivered.", needed=False),
        _col("name", text(160), "Like Mobile - +44 7700 900123.", needed=True),
        _col("type", choice(*TYPES), f"{', '.join(TYPES)}.", needed=True),
        _col(
            "state",
            choice("pending", "active", "suspended", "ended"),
            "pending, active, suspended, ended.",
            needed=True,
            together="state",
        ),
        _col(
            "suspend_reason",
            choice("payment", "staff", "fraud", "customer", "lost"),
            "payment, staff, fraud, customer, lost.",
            together="state",
        ),
        _col("end_reason", choice("expired", "cancelled"), "expired or cancelled.", together="state"),
        _col("activated_at", moment, "Time."),
        _col("suspended_at", moment, "Time."),
        _col("ended_at", moment, "Time."),
        _col("ends_at", moment, "Time; empty when it has no end."),
        _col("renews", yes_no, "Does it renew by itself at its end?", usual=False),
        _money(
            "monthly_price",
            "What the customer pays a month, tax included.",
            to="monthly_minor",
            needed=True,
            together="price",
        ),
        _CURRENCY,
        _col("number", phone, "Phone number of the line, like +447700900123.", to="msisdn", unique=True),
        _col("iccid", text(22), "Of the SIM."),
        _col("ocs_account", text(80), "Its account in the charging system.", unique=True),
        _col("contract_ends_on", day, "Date."),
        _col("lock_sim", yes_no, "SIM swap is locked.", usual=False),
        _col("lock_port", yes_no, "Porting out is locked.", usual=False),
        _of("products", "The plan after this period.", "next_product", needed=False),
        _col("cancel_at", moment, "Time of a planned end."),
        _col(
            "configuration",
            settings,
            'JSON object of texts the customer may read, like {"Router": "Hub 2"}.',
            usual="{}",
        ),
    ),
)

USERS = File(
    name="users",
    table="app_user",
    fixed={"theme": "system"},
    columns=(
        _id("person"),
        _col("email", email, "Where the invitation goes, and the name to sign in with.", needed=True, unique=True),
        _col("display_name", text(100), "What the portal calls them.", needed=True),
        _col("phone", phone, "Like +447700900123."),
        _col("language", text(16), "Code like en.", usual="en"),
        Column(
            name="memberships",
            read=memberships,
            about="Customer and role; services after the role limit it. Several: C-1 owner; C-2 user S-7.",
            needed=True,
            mentions=members_of,
        ),
    ),
)

CONTACTS = File(
    name="contacts",
    table="contact",
    owner="customer",
    columns=(
        _id("contact"),
        _of("customers", "Whose contact it is."),
        _col("name", text(160), "Of the person or desk.", needed=True),
        _col(
            "types",
            choices("billing", "technical", "general", "emergency"),
            "billing; technical; general; emergency.",
            usual="[]",
        ),
        _col("email", email, "Address."),
        _col("phone", phone, "Like +447700900123."),
        _of("users", "The person who signs in as this contact.", needed=False),
        _col("is_primary", yes_no, "The one to ask first; one for each customer.", usual=False),
    ),
)


def _bucket_rule(row: Values) -> Iterator[tuple[str, str]]:
    """Also turns the amounts, whose unit hangs on the kind, into numbers."""
    is_money = row["kind"] == "money"
    for name in ("remaining", "granted"):
        if row[name] is None:
            continue
        try:
            row[name] = (
                money(row[name], row["currency"], signed=name == "remaining") if is_money else _amount(row[name])
            )
        except Wrong as wrong:
            yield name, str(wrong)
    if not is_money:
        row["currency"] = None
    if row["starts_at"] and row["expires_at"] and row["expires_at"] <= row["starts_at"]:
        yield "expires_at", "it ends before it starts"
    if row["granted"] is not None and row["period_start"] is None:
        yield "period_start", "what was granted needs the period it was granted for"
    if row["period_start"] and row["period_end"] and row["period_end"] <= row["period_start"]:
        yield "period_end", "the period ends before it starts"
    if row["unlimited"] and row["granted"] is not None:
        yield "granted", "an unlimited bucket has no granted amount; expected nothing here"


BUCKETS = File(
    name="buckets",
    table="bucket",
    owner="service",
    rule=_bucket_rule,
    fixed={"reserved": 0},
    stamped=("created_at", "as_of"),
    columns=(
        _id("bucket"),
        _of("services", "The line it belongs to."),
        _col("kind", choice(*KINDS), f"{', '.join(KINDS)}.", needed=True, together="kind"),
        _col("label", text(100), "What customers read.", needed=True),
        _col(
            "origin",
            choice("bonus", "topup", "plan", "rollover", "gift"),
            "bonus, topup, plan, rollover, gift.",
            needed=True,
        ),
        _col("currency", currency, "For money only. Empty: the currency of the settings.", together="kind"),
        Column(
            name="remaining",
            read=str,
            about="Left now: bytes, seconds or messages; of money an amount like 12.50, below zero when owed.",
            needed=True,
            to="remaining",
            together="kind",
        ),
        _col("unlimited", yes_no, "yes or no.", usual=False, to="is_unlimited"),
        _col("consume_order", whole(1, 1000), "1 is used first.", needed=True),
        _col("scope", choice(*SCOPES), f"{', '.join(SCOPES)}.", usual="any"),
        _col("starts_at", moment, "Time; empty: at once."),
        _col("expires_at", moment, "Time; empty: never."),
        _col("blocker", yes_no, "Stops usage when empty, although others hold something.", usual=False),
        _col("disabled", yes_no, "yes or no.", usual=False),
        _col("counts_mms", yes_no, "Picture messages count as texts.", usual=False),
        Column(name="granted", read=str, about="Put into it this period, in the same unit. Empty: not known."),
        Column(name="grant_mode", read=choice("add", "reset"), about="add or reset.", usual="add"),
        Column(
            name="grant_reason",
            read=choice("activation", "renewal", "purchase", "bonus", "correction"),
            about="activation, renewal, purchase, bonus, correction.",
            usual="activation",
        ),
        Column(name="period_start", read=moment, about="Time; needed with granted."),
        Column(name="period_end", read=moment, about="Time; empty: until used."),
    ),
)


def _usage_rule(row: Values) -> Iterator[tuple[str, str]]:
    needed = {"call": "seconds", "data": "bytes", "sms": "count", "mms": "count"}[row["kind"]]
    if row["kind"] in ("sms", "mms") and row[needed] == 0:
        yield needed, f"a record of kind {row['kind']} needs a count of 1 or more"


USAGE_RECORDS = File(
    name="usage_records",
    table="usage_record",
    owner="service",
    rule=_usage_rule,
    columns=(
        _id("record"),
        _of("services", "The line that was used."),
        _col("kind", choice("call", "data", "sms", "mms"), "call, data, sms, mms.", needed=True),
        _col("direction", choice("out", "in"), "out or in.", usual="out"),
        _col(
            "class",
            choice("on_net", "off_net", "international", "premium", "roaming"),
            "on_net, off_net, international, premium, roaming.",
            needed=True,
        ),
        _col("started_at", moment, "Time.", needed=True),
        _col("seconds", whole(0, 10**9), "Length.", usual=0),
        _col("bytes", whole(), "Volume.", usual=0),
        _col("count", whole(0, 10**9), "Messages.", usual=0),
        _col("other_party", text(40), "The other number, in full; it is masked for who may not see it."),
        _col("country", country, "Two letters, when abroad."),
        _money("cost", "What it cost beyond allowances.", usual=0),
        _CURRENCY,
        _of("buckets", "What paid for it.", needed=False),
    ),
)


def _invoice_rule(row: Values) -> Iterator[tuple[str, str]]:
    total = row["net"] + row["tax"]
    if row["kind"] == "credit_note" and total > 0:
        yield "net", "a credit note gives money: net and tax are below zero"
    if row["kind"] != "credit_note" and total < 0:
        yield "net", "only a credit note is below zero"
    if row["state"] == "settled" and row["paid"] < total:
        yield "paid", "a settled bill is paid in full"
    if row["due_on"] < row["date"]:
        yield "due_on", "it is due before its date"


INVOICES = File(
    name="invoices",
    table="invoice",
    owner="customer",
    rule=_invoice_rule,
    columns=(
        _id("bill"),
        _of("customers", "Who owes it."),
        _col("number", text(32), "As printed on the bill.", needed=True, unique=True),
        _col(
            "kind",
            choice("regular", "proforma", "credit_note"),
            "regular, proforma, credit_note.",
            usual="regular",
            together="total",
        ),
        _col("date", day, "Date.", needed=True),
        _col("due_on", day, "Date.", needed=True),
        _col("period_start", day, "Date."),
        _col("period_end", day, "Date."),
        _CURRENCY,
        _money("net", "Before tax; its lines must add up to it.", signed=True, needed=True, together="total"),
        _money("tax", "Its lines must add up to it.", signed=True, needed=True, together="total"),
        _money("paid", "Paid so far.", signed=True, usual=0),
        _col("state", choice("draft", "issued", "settled", "void"), "draft, issued, settled, void.", needed=True),
        _of("invoices", "The bill a credit note corrects; it stands earlier in the file.", "corrects", needed=False),
        _col("purchase_ref", text(60), "The customer's own reference."),
    ),
)


def _transaction_rule(row: Values) -> Iterator[tuple[str, str]]:
    amount, tax = row["amount"], row["tax"]
    if row["kind"] == "charge" and amount < 0:
        yield "amount", "a charge is not below zero; expected kind credit, or an amount like 12.50"
    if row["kind"] in ("credit", "payment") and amount > 0:
        yield "amount", f"a {row['kind']} is money given: below zero, like -12.50"
    if amount * tax < 0:
        yield "tax", "tax has the sign of the amount"


TRANSACTIONS = File(
    name="transactions",
    table="billing_transaction",
    owner="customer",
    rule=_transaction_rule,
    columns=(
        _id("line"),
        _of("customers", "Whose account it moves."),
        _col("at", moment, "Time.", needed=True),
        _col(
            "kind",
            choice("charge", "credit", "payment", "refund", "adjustment", "tax"),
            "charge, credit, payment, refund, adjustment, tax.",
            needed=True,
            together="amount",
        ),
        _col("description", text(200), "What customers read.", needed=True),
        _col("quantity", whole(1, 10**9), "How many.", usual=1),
        _money("unit_price", "Of one, tax included.", signed=True),
        _money("amount", "Before tax; below zero for credit and payment.", signed=True, needed=True, together="amount"),
        _col("tax_rate", percent, "Per cent, like 20.", usual=0, to="tax_permille"),
        _money("tax", "On top of the amount.", signed=True, usual=0, together="amount"),
        _CURRENCY,
        _of("invoices", "The bill it stands on; of a payment, the bill it pays.", needed=False),
        _of("services", "The service it is for.", needed=False),
        _col("period_start", day, "Date."),
        _col("period_end", day, "Date."),
        _col("voided_at", moment, "Time, when it was taken back."),
        _money("wholesale", "Internal, never shown.", signed=True),
    ),
)

# The order they are read in: what is referred to comes first.
FILES = (CUSTOMERS, SITES, PRODUCTS, SERVICES, USERS, CONTACTS, BUCKETS, USAGE_RECORDS, INVOICES, TRANSACTIONS)
BY_NAME = {file.name: file for file in FILES}
