"""What is in the copy, table by table and column by column, and what is not and why.

Every table stands either in SECTIONS or in LEFT_OUT, and every column of a section's table in `columns` or `withheld`:
a test walks the schema. So nothing new is forgotten, and nothing new slips out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from selfcare.identity.rights import Right

BOOKKEEPING = "keys of our own that say nothing about you"
SECRET = "secret"
GATEWAY = "names of the payment provider, which open nothing for you"
OTHERS = "about another person"

# `t` is the section's table, :customer_id and :user_id whose copy it is.
OF_CUSTOMER = "t.customer_id = :customer_id"
OF_PERSON = "t.user_id = :user_id"
OF_BOTH = "t.customer_id = :customer_id AND t.user_id = :user_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One file. `key` orders the rows; `service` is what a person who sees some lines only is measured by."""

    file: str
    table: str
    columns: tuple[str, ...]
    where: str
    needs: Right | None = None
    withheld: Mapping[str, str] = field(default_factory=dict)
    json: tuple[str, ...] = ()
    joined: str = ""
    service: str = ""
    key: str = "id"
    text_key: bool = False
    shown_as: Mapping[str, str] = field(default_factory=dict)


def _because(reason: str, *columns: str) -> dict[str, str]:
    return dict.fromkeys(columns, reason)


SECTIONS = (
    Section(
        file="you",
        table="app_user",
        columns=(
            *("id", "email", "email_verified_at", "pending_email", "phone", "display_name", "password_changed_at"),
            *("totp_since", "second_step_asked_at", "language", "theme", "zone", "disabled_at", "created_at"),
        ),
        where="t.id = :user_id",
        withheld=_because(SECRET, "password_hash", "totp_secret", "totp_last_step")
        | _because(BOOKKEEPING, "external_id", "staff_rights"),
    ),
    Section(
        file="your-roles",
        table="membership",
        columns=("id", "role", "service_ids", "invited_at", "accepted_at", "removed_at"),
        where=OF_BOTH,
        json=("service_ids",),
        withheld=_because(BOOKKEEPING, "user_id", "customer_id"),
    ),
    Section(
        file="sign-ins",
        table="session",
        columns=(
            *("public_id", "created_at", "last_seen_at", "proved_at", "idle_seconds", "ends_at", "shared_device"),
            *("address", "device", "revoked_at"),
        ),
        where=OF_PERSON,
        key="public_id",
        withheld=_because(SECRET, "id_hash") | _because(BOOKKEEPING, "user_id", "customer_id"),
    ),
    Section(
        file="remembered-devices",
        table="remembered_sign_in",
        columns=("device", "rotated_at", "expires_at", "revoked_at"),
        where=OF_PERSON,
        key="series",
        text_key=True,
        withheld=_because(SECRET, "series", "token_hash", "previous_hash") | _because(BOOKKEEPING, "user_id"),
    ),
    Section(
        file="passkeys",
        table="passkey",
        columns=("id", "name", "transports", "created_at", "last_used_at", "removed_at"),
        where=OF_PERSON,
        json=("transports",),
        withheld=_because(SECRET, "credential_id", "public_key", "sign_count") | _because(BOOKKEEPING, "user_id"),
    ),
    Section(
        file="activity",
        table="audit_event",
        columns=("id", "at", "event", "about", "outcome", "address", "country", "device", "details"),
        where="t.customer_id = :customer_id AND t.user_id = :user_id",
        json=("details",),
        # Where support sits is its own business.
        shown_as={
            name: f"CASE WHEN t.grant_id IS NULL AND (t.actor_user_id IS NULL OR t.actor_user_id = :user_id) "
            f"THEN t.{name} END"
            for name in ("address", "country", "device")
        },
        withheld=_because(OTHERS, "actor_user_id")
        | _because(BOOKKEEPING, "chain", "number", "user_id", "grant_id", "customer_id", "request_id", "hash"),
    ),
    Section(
        file="messages",
        table="notification",
        columns=("id", "event", "category", "channel", "address", "state", "subject", "body", "created_at", "sent_at"),
        where=OF_PERSON,
        withheld=_because(SECRET, "sealed")
        | _because(
            BOOKKEEPING,
            *("user_id", "customer_id", "about", "dedupe_key", "details", "tries", "last_error", "expires_at"),
        ),
    ),
    Section(
        file="addresses-that-refused-mail",
        table="refused_address",
        columns=("address", "code", "at"),
        where="t.address = (SELECT lower(u.email) FROM app_user u WHERE u.id = :user_id)",
        key="address",
        text_key=True,
    ),
    Section(
        file="answers-about-help",
        table="article_answer",
        columns=("article", "helped", "at"),
        where=OF_PERSON,
        key="article",
        text_key=True,
        withheld=_because(BOOKKEEPING, "user_id"),
    ),
    Section(
        file="tips-put-away",
        table="dismissed_tip",
        columns=("tip", "at"),
        where=OF_PERSON,
        key="tip",
        text_key=True,
        withheld=_because(BOOKKEEPING, "user_id"),
    ),
    Section(
        file="support-visits-wish",
        table="support_wish",
        columns=("wish", "changed_at"),
        where=OF_PERSON,
        key="wish",
        text_key=True,
        withheld=_because(BOOKKEEPING, "user_id"),
    ),
    Section(
        file="requests",
        table="request",
        columns=("id", "reference", "kind", "state", "text", "about_words", "created_at", "changed_at"),
        where=OF_BOTH,
        withheld=_because(BOOKKEEPING, "customer_id", "user_id", "about", "refund_id", "credit_note_id", "request_key"),
    ),
    Section(
        file="replies",
        table="request_reply",
        columns=("id", "request_id", "by_staff", "text", "created_at"),
        where="t.customer_id = :customer_id "
        "AND t.request_id IN (SELECT r.id FROM request r WHERE r.user_id = :user_id)",
        withheld=_because(OTHERS, "user_id") | _because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="exports",
        table="export",
        columns=("id", "state", "size_bytes", "asked_at", "ready_at", "expires_at"),
        where=OF_BOTH,
        withheld=_because(BOOKKEEPING, "customer_id", "user_id"),
    ),
    Section(
        file="erasures",
        table="erasure",
        columns=("id", "state", "asked_at", "due_at", "ended_at"),
        where=OF_PERSON,
        withheld=_because(BOOKKEEPING, "user_id", "customer_id"),
    ),
    Section(
        file="account",
        table="customer",
        columns=(
            *("id", "number", "name", "type", "status", "pays", "enabled", "tax_id", "currency", "zone", "language"),
            *("contract_start", "contract_end", "billing_address", "created_at"),
        ),
        where="t.id = :customer_id",
        needs=Right.VIEW_OWN_ACCOUNT,
        withheld=_because(BOOKKEEPING, "primary_contact_id", "external_id"),
    ),
    Section(
        file="contacts",
        table="contact",
        columns=("id", "name", "types", "email", "phone", "is_primary", "created_at"),
        where="t.customer_id = :customer_id AND (t.user_id IS NULL OR t.user_id = :user_id)",
        needs=Right.VIEW_OWN_ACCOUNT,
        json=("types",),
        withheld=_because(BOOKKEEPING, "customer_id", "user_id", "external_id"),
    ),
    Section(
        file="sites",
        table="site",
        columns=(
            *("id", "label", "address_line_1", "address_line_2", "city", "state", "zip_code", "country", "geo"),
            "created_at",
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_ACCOUNT,
        withheld=_because(BOOKKEEPING, "customer_id", "external_id"),
    ),
    Section(
        file="invitations-you-sent",
        table="invitation",
        columns=("id", "role", "service_ids", "created_at", "expires_at", "accepted_at", "withdrawn_at"),
        where="t.customer_id = :customer_id AND t.invited_by = :user_id",
        json=("service_ids",),
        withheld=_because(OTHERS, "email", "accepted_by")
        | _because(SECRET, "token_hash")
        | _because(BOOKKEEPING, "customer_id", "invited_by"),
    ),
    Section(
        file="services",
        table="service",
        columns=(
            *("id", "name", "nickname", "type", "state", "suspend_reason", "end_reason", "activated_at"),
            *("suspended_at", "ended_at", "ends_at", "renews", "monthly_minor", "currency", "msisdn", "iccid"),
            *("contract_ends_on", "lock_sim", "lock_port", "cancel_at", "created_at", "handed_over_at"),
            "taken_over_at",
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_SERVICES,
        service="t.id",
        withheld=_because(
            BOOKKEEPING,
            *("customer_id", "product_id", "site_id", "ocs_account", "next_product_id", "configuration"),
            *("external_id", "taken_over_from"),
        ),
    ),
    Section(
        file="sims",
        table="sim",
        columns=("id", "service_id", "kind", "iccid", "eid", "state", "state_at", "replaced_at", "created_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        withheld=_because(SECRET, "pin1", "puk1", "pin2", "puk2", "activation_code", "confirmation_code_required")
        | _because(BOOKKEEPING, "customer_id", "external_id"),
    ),
    Section(
        file="cancellations",
        table="cancellation",
        columns=("id", "service_id", "asked_at", "takes_effect_at", "reason", "words", "undone_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        withheld=_because(OTHERS, "asked_by") | _because(BOOKKEEPING, "customer_id", "request_key"),
    ),
    Section(
        file="plan-changes",
        table="plan_change",
        columns=(
            *("id", "service_id", "order_id", "was_product_id", "product_id", "name", "price_minor", "currency"),
            *("takes_effect_at", "state", "asked_at", "ended_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        withheld=_because(OTHERS, "asked_by")
        | _because(BOOKKEEPING, "customer_id", "product_version", "promised", "request_key"),
    ),
    Section(
        file="days-bought",
        table="service_extension",
        columns=("order_id", "service_id", "days", "was", "until", "at"),
        where=OF_CUSTOMER,
        key="order_id",
        service="t.service_id",
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="add-ons",
        table="service_addon",
        columns=(
            *("id", "service_id", "product_id", "order_id", "name", "price_minor", "currency", "tax_permille"),
            *("recurring", "starts_at", "paid_until", "term_ends_at", "ends_at", "removal_asked_at", "created_at"),
        ),
        where=OF_CUSTOMER,
        service="t.service_id",
        withheld=_because(
            BOOKKEEPING, "customer_id", "icon", "grants", "taken_off_at", "take_off_tries", "take_off_after"
        ),
    ),
    Section(
        file="allowances",
        table="bucket",
        columns=(
            *("id", "service_id", "kind", "label", "origin", "currency", "remaining", "is_unlimited"),
            *("consume_order", "scope", "starts_at", "expires_at", "as_of", "created_at", "granted", "consumed"),
            "period_started_at",
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_USAGE,
        service="t.service_id",
        withheld=_because(OTHERS, "members")
        | _because(
            BOOKKEEPING,
            *("customer_id", "reserved", "blocker", "disabled", "counts_mms", "external_id", "consumed_before"),
            "forfeited",
        ),
    ),
    Section(
        file="allowances-given",
        table="allowance_grant",
        columns=("id", "bucket_id", "amount", "mode", "period_start", "period_end", "reason", "created_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_USAGE,
        joined="JOIN bucket b ON b.id = t.bucket_id",
        service="b.service_id",
        withheld=_because(BOOKKEEPING, "customer_id", "order_id", "external_id"),
    ),
    Section(
        file="usage",
        table="usage_record",
        columns=(
            *("id", "service_id", "kind", "direction", "class", "started_at", "seconds", "bytes", "count"),
            *("other_party", "country", "cost_minor", "currency", "created_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_RECORDS,
        service="t.service_id",
        withheld=_because(BOOKKEEPING, "customer_id", "bucket_id", "external_id"),
    ),
    Section(
        file="speeds",
        table="line_speed",
        columns=("service_id", "full_speed_bytes", "slow_kbps", "slow_until", "reported_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_USAGE,
        service="t.service_id",
        key="service_id",
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="bills",
        table="invoice",
        columns=(
            *("id", "number", "kind", "date", "due_on", "period_start", "period_end", "currency", "net_minor"),
            *("tax_minor", "paid_minor", "state", "corrects_id", "purchase_ref", "created_at"),
        ),
        where="t.customer_id = :customer_id AND t.state <> 'draft'",
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id", "pdf_hash", "external_id"),
    ),
    Section(
        file="orders",
        table="purchase_order",
        columns=(
            *("id", "kind", "reference", "name", "service_id", "beneficiary", "product_id", "product_version"),
            *("parent_id", "price_minor", "tax_permille", "currency", "auto", "payment_id", "state", "created_at"),
            *("changed_at", "delivered_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(
            BOOKKEEPING, "customer_id", "request_key", "deadline_at", "lease_until", "asked_by", "refund_id"
        )
        | _because("how we deliver it", "delivers", "problem")
        | _because(OTHERS, "owner_id"),
    ),
    Section(
        file="advances",
        table="advance",
        columns=(
            *("id", "service_id", "order_id", "lent_minor", "fee_minor", "owed_minor", "currency", "state"),
            *("asked_at", "ended_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id", "month"),
    ),
    Section(
        file="advance-repayments",
        table="advance_repayment",
        columns=("order_id", "advance_id", "amount_minor", "held_at", "done_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        key="order_id",
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="order-steps",
        table="order_step",
        columns=("id", "order_id", "state", "at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="reference-on-bills",
        table="bill_reference",
        columns=("words", "set_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        key="customer_id",
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="promises-to-pay",
        table="payment_promise",
        columns=("id", "amount_minor", "currency", "due_before", "pay_by", "asked_at", "state", "ended_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id", "month") | _because(OTHERS, "asked_by"),
    ),
    Section(
        file="copies-of-bills",
        table="bill_recipient",
        columns=("id", "email", "added_at", "confirmed_at", "bills_from", "stopped_at"),
        where=OF_CUSTOMER,
        needs=Right.PAY_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id") | _because(OTHERS, "added_by"),
    ),
    Section(
        file="transactions",
        table="billing_transaction",
        columns=(
            *("id", "at", "kind", "description", "quantity", "unit_price_minor", "amount_minor", "tax_permille"),
            *("tax_minor", "currency", "invoice_id", "service_id", "payment_id", "period_start", "period_end"),
            *("voided_at", "created_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because("what we pay others for it", "wholesale_minor")
        | _because(BOOKKEEPING, "customer_id", "order_id", "external_id"),
    ),
    Section(
        file="lines-in-question",
        table="bill_question",
        columns=(
            *("id", "invoice_id", "line_id", "request_id", "asked_at", "paused_until", "closed_at"),
            *("credited_net_minor", "credited_tax_minor"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="payments",
        table="payment",
        columns=(
            *("id", "purpose", "reference", "description", "currency", "amount_minor", "credit_minor"),
            *("refunded_minor", "state", "why", "card", "save_card", "created_at", "settled_at", "closed_at"),
            "disputed_at",
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(GATEWAY, "gateway", "customer_ref", "gateway_ref", "charge_ref", "action_url")
        | _because(OTHERS, "started_by")
        | _because(
            BOOKKEEPING,
            *("customer_id", "request_key", "attempt", "held_minor", "review", "method_id", "off_session"),
            *("guest_link_id", "submitted_at", "asked_at"),
        ),
    ),
    Section(
        file="payment-parts",
        table="payment_part",
        columns=("id", "payment_id", "position", "target", "target_id", "amount_minor", "applied_minor", "is_open"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="refunds",
        table="refund",
        columns=(
            *("id", "payment_id", "number", "amount_minor", "currency", "state", "created_at", "sent_at", "done_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(GATEWAY, "gateway_ref")
        | _because(OTHERS, "asked_by")
        | _because(BOOKKEEPING, "customer_id", "source", "reason"),
    ),
    Section(
        file="automatic-payment",
        table="autopay_consent",
        columns=("id", "words", "given_at", "ended_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(OTHERS, "given_by", "ended_by", "address", "device") | _because(BOOKKEEPING, "customer_id"),
    ),
    Section(
        file="automatic-payments",
        table="autopay_charge",
        columns=("id", "consent_id", "invoice_id", "charge_on", "next_at", "tries", "state", "created_at", "ended_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id", "round"),
    ),
    Section(
        file="automatic-topup",
        table="auto_topup",
        columns=(
            *("id", "service_id", "currency", "threshold_minor", "amount_minor", "most_minor", "pause_hours", "words"),
            *("words_version", "given_at", "failures", "next_at", "held_at", "ended_at", "ended_why"),
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(OTHERS, "given_by", "ended_by", "address", "device")
        | _because(BOOKKEEPING, "customer_id", "revision", "told_month", "looked_at"),
    ),
    Section(
        file="automatic-topups",
        table="auto_topup_charge",
        columns=(
            "id",
            "service_id",
            "order_id",
            "amount_minor",
            "currency",
            "month",
            "state",
            "created_at",
            "ended_at",
        ),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(BOOKKEEPING, "customer_id", "rule_id", "why"),
    ),
    Section(
        file="vouchers",
        table="voucher",
        columns=("id", "used_at", "order_id"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(SECRET, "code_hash")
        | _because(OTHERS, "used_by")
        | _because(BOOKKEEPING, "batch_id", "customer_id", "request_key"),
    ),
    Section(
        file="payment-links",
        table="guest_link",
        columns=("id", "invoice_id", "created_at", "expires_at", "revoked_at"),
        where=OF_CUSTOMER,
        needs=Right.VIEW_OWN_BILLS,
        withheld=_because(SECRET, "token_hash")
        | _because(OTHERS, "made_by")
        | _because(BOOKKEEPING, "customer_id", "request_key"),
    ),
    Section(
        file="cards",
        table="payment_method",
        columns=(
            *("id", "kind", "brand", "last4", "exp_month", "exp_year", "holder", "nickname", "is_default"),
            *("position", "removed_at", "created_at"),
        ),
        where=OF_CUSTOMER,
        needs=Right.MANAGE_OWN_CARDS,
        withheld=_because(GATEWAY, "token_ref", "fingerprint")
        | _because(OTHERS, "added_by")
        | _because(BOOKKEEPING, "customer_id", "told_days"),
    ),
)

LEFT_OUT: Mapping[str, str] = {
    "attempt": "counters behind a keyed hash: nobody can tell whose",
    "audit_head": "the ends of the log's chains",
    "audit_break": "where we found the log changed; it names rows by their number",
    "backup_code": SECRET,
    "bill_copy": "which of those bills went to them; the bills themselves are in bills",
    "bundle": "files of bills you asked for; the bills themselves are in bills",
    "bundle_part": "the bytes of those files",
    "card_visit": "steps on the way to a card; the card itself is in cards",
    "charging_put": "steps on the way to an allowance; the allowance itself is in allowances",
    "charging_snapshot": "when the meter was last asked",
    "consumption": "which allowance a record was counted against; the record itself is in usage",
    "counter": "numbers of bills given out so far",
    "export_part": "the bytes of this file and of earlier ones",
    "customer_note": "what staff noted for themselves",
    "gateway_customer": GATEWAY,
    "guest_receipt": "the address of somebody else who paid by a link",
    "impersonation_grant": "visits of support; each stands in activity",
    "imported": "marks of what the operator loaded; the rows themselves are in their files",
    "job": "work that waits; it names things by their keys and is gone after 30 days",
    "job_schedule": "when our own work is done next",
    "kept_form": "what you were typing when a sign-in ran out; gone after half an hour",
    "known_device": "a hash that only your own device can make sense of",
    "ledger_account": "our books; the same amounts are in transactions and payments",
    "ledger_entry": "our books; the same amounts are in transactions and payments",
    "ledger_journal": "our books; the same amounts are in transactions and payments",
    "provisioning_call": "how far the network is with your orders; the orders themselves are in orders",
    "provisioning_job": "steps on the way to an add-on; the add-on itself is in add-ons",
    "provisioning_switch": "how our demo network behaves",
    "migration": "the state of our database",
    "network_address": "which line had which network address; gone after a day",
    "one_time_token": SECRET,
    "outbox_mail": "the demo's copy of mails; the messages themselves are in messages",
    "product": "what we sell, to everybody",
    "product_version": "what we sold earlier, to everybody",
    "setting_change": "how the portal was set by staff",
    "quick_visit": "who topped up a number of yours without signing in; what they bought is in orders",
    "readiness": "whether our database answers",
    "search_word": "an index of names, which are in account and contacts",
    "sign_in_lock": "counters behind a keyed hash: nobody can tell whose",
    "sim_card": "the pretended bank",
    "sim_customer": "the pretended bank",
    "sim_event": "the pretended bank",
    "sim_fault": "the pretended bank",
    "sim_payment": "the pretended bank",
    "sim_refund": "the pretended bank",
    "sim_request": "the pretended bank",
    "sim_session": "the pretended bank",
    "staff_approval": "what staff agreed among themselves; what came of it is in refunds and transactions",
    "support_code": SECRET,
    "support_question": "what support asked before a visit; the visit stands in activity",
    "usage_low": "which allowances ran low and were told about; the allowances themselves are in allowances",
    "usage_thin": "lines that our own work looks at within seconds",
    "usage_meter": "when the meter last changed",
    "voucher_batch": "what vouchers are worth; those you used are in vouchers",
    "webhook_event": "what the payment provider told us; what came of it is in payments",
}
