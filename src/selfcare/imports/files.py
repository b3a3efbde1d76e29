"""The files of an import, in the order they are read, with their columns and the rules between columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from selfcare.imports.columns import (
    Column,
    choice,
    choices,
    country,
    day,
    editable,
    email,
    geo,
    grants,
    members_of,
    memberships,
    moment,
    parts,
    percent,
    phone,
    settings,
    text,
    texts,
    whole,
    yes_no,
    zone,
)
from selfcare.imports.file import CURRENCY, File, Values, amount, col, of, own_id
from selfcare.imports.files_billing import INVOICES, TRANSACTIONS
from selfcare.imports.files_usage import BUCKETS, SIMS, USAGE_RECORDS

TYPES = ("mobile", "internet", "iptv", "voip", "omnicharge")


def _customer_rule(row: Values) -> Iterator[tuple[str, str]]:
    if row["contract_start"] and row["contract_end"] and row["contract_end"] < row["contract_start"]:
        yield "contract_end", "the contract ends before it starts"


CUSTOMERS = File(
    name="customers",
    table="customer",
    owner="id",
    rule=_customer_rule,
    columns=(
        own_id("customer"),
        col("number", text(32), "What people read out to support.", needed=True, unique=True),
        col("name", text(160), "Of the person or company.", needed=True),
        col("type", choice("individual", "business"), "individual or business.", needed=True),
        col(
            "status",
            choice("open", "suspended", "closed", "archived"),
            "open, suspended, closed, archived.",
            usual="open",
        ),
        col("pays", choice("prepaid", "postpaid"), "prepaid or postpaid.", needed=True),
        col("enabled", yes_no, "yes or no.", usual=True),
        col("tax_id", text(40), "Tax number of a company."),
        CURRENCY,
        col("zone", zone, "Time zone like Europe/London. Empty: that of the settings."),
        col("language", text(16), "Code like en.", usual="en"),
        col("contract_start", day, "Date."),
        col("contract_end", day, "Date."),
        col("billing_address", text(800), "As it stands on bills, lines in one quoted cell.", usual=""),
    ),
)

SITES = File(
    name="sites",
    table="site",
    owner="customer",
    columns=(
        own_id("address"),
        of("customers", "Whose address it is."),
        col("label", text(100), "What it is called, like Home.", needed=True),
        col("address_line_1", text(160), "Street and number.", needed=True),
        col("address_line_2", text(160), "Anything more.", usual=""),
        col("city", text(100), "Town.", needed=True),
        col("state", text(100), "County or state.", usual=""),
        col("zip_code", text(20), "Postcode.", needed=True),
        col("country", country, "Two letters like GB.", needed=True),
        col("geo", geo, "latitude,longitude in degrees."),
    ),
)


def wrong_start(starts: str, category: str, period: str, grants: Iterable[Mapping[str, Any]]) -> str:
    """Why this cannot wait for its first use, or nothing."""
    if starts == "now":
        return ""
    if category != "addon" or period != "none":
        return "only an add-on that is paid once waits for its first use"
    if not grants or not all(grant.get("lifetime_days") for grant in grants):
        return "what waits for its first use gives something, and each of it has lifetime_days"
    return ""


def _product_rule(row: Values) -> Iterator[tuple[str, str]]:
    if (row["custom_min"] is None) != (row["custom_max"] is None):
        yield "custom_max", "custom_min and custom_max go together; expected both or neither"
    elif row["custom_min"] is not None and not 0 < row["custom_min"] <= row["custom_max"]:
        yield "custom_max", "the largest custom amount is below the smallest, or the smallest is 0"
    if row["on_sale_from"] and row["on_sale_until"] and row["on_sale_until"] <= row["on_sale_from"]:
        yield "on_sale_until", "the sale ends before it starts"
    if (row["category"] == "bundle") != (row["parts"] != "[]"):
        yield "parts", "a bundle has parts, and nothing else has"
    if row["refunds_all"] and row["category"] != "bundle":
        yield "refunds_all", "only a bundle is all or nothing"
    if why := wrong_start(row["starts"], row["category"], row["period"], json.loads(row["grants"])):
        yield "starts", why


PRODUCTS = File(
    name="products",
    table="product",
    rule=_product_rule,
    fixed={"version": 1, "provisioning_vars": "{}"},
    columns=(
        own_id("product"),
        col("slug", text(80), "Short name that never changes, like lark-20.", needed=True, unique=True),
        col("name", text(100), "What customers read.", needed=True),
        col("description", text(2000), "A sentence or two.", usual=""),
        col("category", choice("plan", "topup", "addon", "bundle"), "plan, topup, addon or bundle.", needed=True),
        col("service_type", choice(*TYPES), f"{', '.join(TYPES)}.", needed=True),
        col("customer_types", choices("individual", "business"), "individual; business. Empty: both.", usual="[]"),
        col("requires", texts(80), "Slugs a service must have first, separated by semicolons.", usual="[]"),
        col("excludes", texts(80), "Slugs it cannot stand beside.", usual="[]"),
        col("enabled", yes_no, "On sale: yes or no.", usual=True),
        col("on_sale_from", moment, "Time."),
        col("on_sale_until", moment, "Time."),
        col("sort", whole(0, 1_000_000), "Place in lists, small first.", usual=0),
        col(
            "icon",
            text(32),
            "mobile, internet, tv, voice, data, sms, money, roaming, hardware, boost, bundle.",
            usual="plan",
        ),
        col("features", texts(200), "Lines for its card, separated by semicolons.", usual="[]"),
        col("terms_url", text(500), "Address of the terms."),
        amount("price", "What the customer pays each period, tax included.", needed=True, together="price"),
        amount("setup_price", "Once, tax included.", usual=0, together="price"),
        CURRENCY,
        col("period", choice("none", "day", "week", "month", "year"), "none, day, week, month, year.", usual="none"),
        amount("custom_min", "Smallest amount a customer may choose.", together="custom"),
        amount("custom_max", "Largest.", together="custom"),
        col("tax_code", text(16), "Your own code.", usual="standard"),
        col("tax_rate", percent, "Per cent, like 20; it is part of the price.", needed=True, to="tax_permille"),
        col("grants", grants, "JSON list of what it gives, see below.", usual="[]"),
        col("repeatable", yes_no, "May a service hold it twice?", usual=False),
        col("editable", editable, "JSON list of the settings customers may change, see below.", usual="[]"),
        col("min_term", whole(0, 120), "Months.", usual=0),
        col("provisioning_play", text(100), "Internal, never shown."),
        amount("wholesale_cost", "Internal, never shown."),
        amount("wholesale_setup_cost", "Internal, never shown."),
        # Later ones go to the end: what was imported before is compared place by place.
        col("changes_to", texts(80), "Of a plan: slugs of the plans one may move to.", usual="[]"),
        col("parts", parts, "JSON list of what a bundle is made of, see below.", usual="[]"),
        col("lasts_days", whole(1, 3660), "How long a one-off add-on runs."),
        col("activation", text(200), "When an add-on begins, in words. Empty: as `starts` says."),
        col(
            "starts",
            choice("now", "first_use", "first_use_abroad"),
            "Of an add-on that is paid once: now, first_use or first_use_abroad. Empty: now.",
            usual="now",
        ),
        col("start_within_days", whole(1, 366), "Unused so long, it ends. Empty: 90."),
        col("refunds_all", yes_no, "Of a bundle: all or nothing? yes or no.", usual=False),
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
        own_id("service"),
        of("customers", "Whose service it is."),
        of("products", "The plan."),
        of("sites", "Where it is delivered.", needed=False),
        col("name", text(160), "Like Mobile - +44 7700 900123.", needed=True),
        col("type", choice(*TYPES), f"{', '.join(TYPES)}.", needed=True),
        col(
            "state",
            choice("pending", "active", "suspended", "ended"),
            "pending, active, suspended, ended.",
            needed=True,
            together="state",
        ),
        col(
            "suspend_reason",
            choice("payment", "staff", "fraud", "customer", "lost"),
            "payment, staff, fraud, customer, lost.",
            together="state",
        ),
        col("end_reason", choice("expired", "cancelled"), "expired or cancelled.", together="state"),
        col("activated_at", moment, "Time."),
        col("suspended_at", moment, "Time."),
        col("ended_at", moment, "Time."),
        col("ends_at", moment, "Time; empty when it has no end."),
        col("renews", yes_no, "Does it renew by itself at its end?", usual=False),
        amount(
            "monthly_price",
            "What the customer pays a month, tax included.",
            to="monthly_minor",
            needed=True,
            together="price",
        ),
        CURRENCY,
        col("number", phone, "Phone number of the line, like +447700900123.", to="msisdn", unique=True),
        col("iccid", text(22), "Of the SIM, where it has no row in sims.csv."),
        col("ocs_account", text(80), "Its account in the charging system.", unique=True),
        col("contract_ends_on", day, "Date."),
        col("lock_sim", yes_no, "SIM swap is locked.", usual=False),
        col("lock_port", yes_no, "Porting out is locked.", usual=False),
        of("products", "The plan after this period.", "next_product", needed=False),
        col("cancel_at", moment, "Time of a planned end."),
        col(
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
        own_id("person"),
        col("email", email, "Where the invitation goes, and the name to sign in with.", needed=True, unique=True),
        col("display_name", text(100), "What the portal calls them.", needed=True),
        col("phone", phone, "Like +447700900123."),
        col("language", text(16), "Code like en.", usual="en"),
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
        own_id("contact"),
        of("customers", "Whose contact it is."),
        col("name", text(160), "Of the person or desk.", needed=True),
        col(
            "types",
            choices("billing", "technical", "general", "emergency"),
            "billing; technical; general; emergency.",
            usual="[]",
        ),
        col("email", email, "Address."),
        col("phone", phone, "Like +447700900123."),
        of("users", "The person who signs in as this contact.", needed=False),
        col("is_primary", yes_no, "The one to ask first; one for each customer.", usual=False),
    ),
)

# The order they are read in: what is referred to comes first.
FILES = (CUSTOMERS, SITES, PRODUCTS, SERVICES, SIMS, USERS, CONTACTS, BUCKETS, USAGE_RECORDS, INVOICES, TRANSACTIONS)
BY_NAME = {file.name: file for file in FILES}
