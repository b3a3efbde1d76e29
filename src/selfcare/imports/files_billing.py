"""Bills and what stands on them."""

from __future__ import annotations

from collections.abc import Iterator

from selfcare.imports.columns import choice, day, moment, percent, text, whole
from selfcare.imports.file import CURRENCY, File, Values, amount, col, of, own_id


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
        own_id("bill"),
        of("customers", "Who owes it."),
        col("number", text(32), "As printed on the bill.", needed=True, unique=True),
        col(
            "kind",
            choice("regular", "proforma", "credit_note"),
            "regular, proforma, credit_note.",
            usual="regular",
            together="total",
        ),
        col("date", day, "Date.", needed=True),
        col("due_on", day, "Date.", needed=True),
        col("period_start", day, "Date."),
        col("period_end", day, "Date."),
        CURRENCY,
        amount("net", "Before tax; its lines must add up to it.", signed=True, needed=True, together="total"),
        amount("tax", "Its lines must add up to it.", signed=True, needed=True, together="total"),
        amount("paid", "Paid so far.", signed=True, usual=0),
        col("state", choice("draft", "issued", "settled", "void"), "draft, issued, settled, void.", needed=True),
        of("invoices", "The bill a credit note corrects; it stands earlier in the file.", "corrects", needed=False),
        col("purchase_ref", text(60), "The customer's own reference."),
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
        own_id("line"),
        of("customers", "Whose account it moves."),
        col("at", moment, "Time.", needed=True),
        col(
            "kind",
            choice("charge", "credit", "payment", "refund", "adjustment", "tax"),
            "charge, credit, payment, refund, adjustment, tax.",
            needed=True,
            together="amount",
        ),
        col("description", text(200), "What customers read.", needed=True),
        col("quantity", whole(1, 10**9), "How many.", usual=1),
        amount("unit_price", "Of one, tax included.", signed=True),
        amount("amount", "Before tax; below zero for credit and payment.", signed=True, needed=True, together="amount"),
        col("tax_rate", percent, "Per cent, like 20.", usual=0, to="tax_permille"),
        amount("tax", "On top of the amount.", signed=True, usual=0, together="amount"),
        CURRENCY,
        of("invoices", "The bill it stands on; of a payment, the bill it pays.", needed=False),
        of("services", "The service it is for.", needed=False),
        col("period_start", day, "Date."),
        col("period_end", day, "Date."),
        col("voided_at", moment, "Time, when it was taken back."),
        amount("wholesale", "Internal, never shown.", signed=True),
    ),
)
