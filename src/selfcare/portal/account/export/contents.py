"""What is in the copy, table by table and column by column, and what is not and why.

Every table stands either in SECTIONS or in LEFT_OUT, and every column of a section's table in `columns` or `withheld`:
a test walks the schema. So nothing new is forgotten, and nothing new slips out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

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


_FOUND_BY = {OF_CUSTOMER: "customer_id", OF_PERSON: "user_id", OF_BOTH: "customer_id user_id"}
# Where support sits is its own business.
_OWN_PLACE = "CASE WHEN t.grant_id IS NULL AND (t.actor_user_id IS NULL OR t.actor_user_id = :user_id) THEN t.{} END"


def _section(
    file: str,
    table: str,
    columns: str,
    where: str = OF_CUSTOMER,
    *,
    without: Mapping[str, str] = MappingProxyType({}),
    json: str = "",
    **more: Any,
) -> Section:
    """`without`: columns by the reason why they are withheld; those it is found by are bookkeeping."""
    reasons = {BOOKKEEPING: "", **without}
    reasons[BOOKKEEPING] += " " + _FOUND_BY.get(where, "")
    return Section(
        file=file,
        table=table,
        columns=tuple(columns.split()),
        where=where,
        withheld={name: reason for reason, names in reasons.items() for name in names.split()},
        json=tuple(json.split()),
        **more,
    )


SECTIONS = (
    _section(
        "you",
        "app_user",
        (
            "id email email_verified_at pending_email phone display_name password_changed_at totp_since "
            "second_step_asked_at language theme zone disabled_at created_at"
        ),
        "t.id = :user_id",
        without={SECRET: "password_hash totp_secret totp_last_step", BOOKKEEPING: "external_id staff_rights"},
    ),
    _section(
        "your-roles", "membership", "id role service_ids invited_at accepted_at removed_at", OF_BOTH, json="service_ids"
    ),
    _section(
        "sign-ins",
        "session",
        "public_id created_at last_seen_at proved_at idle_seconds ends_at shared_device address device revoked_at",
        OF_PERSON,
        key="public_id",
        without={SECRET: "id_hash", BOOKKEEPING: "customer_id"},
    ),
    _section(
        "remembered-devices",
        "remembered_sign_in",
        "device rotated_at expires_at revoked_at",
        OF_PERSON,
        key="series",
        text_key=True,
        without={SECRET: "series token_hash previous_hash"},
    ),
    _section(
        "passkeys",
        "passkey",
        "id name transports created_at last_used_at removed_at",
        OF_PERSON,
        json="transports",
        without={SECRET: "credential_id public_key sign_count"},
    ),
    _section(
        "activity",
        "audit_event",
        "id at event about outcome address country device details",
        OF_BOTH,
        json="details",
        shown_as={name: _OWN_PLACE.format(name) for name in ("address", "country", "device")},
        without={OTHERS: "actor_user_id", BOOKKEEPING: "chain number grant_id request_id hash"},
    ),
    _section(
        "messages",
        "notification",
        "id event category channel address state subject body created_at sent_at",
        OF_PERSON,
        without={SECRET: "sealed", BOOKKEEPING: "customer_id about dedupe_key details tries last_error expires_at"},
    ),
    _section(
        "addresses-that-refused-mail",
        "refused_address",
        "address code at",
        "t.address = (SELECT lower(u.email) FROM app_user u WHERE u.id = :user_id)",
        key="address",
        text_key=True,
    ),
    _section("answers-about-help", "article_answer", "article helped at", OF_PERSON, key="article", text_key=True),
    _section("tips-put-away", "dismissed_tip", "tip at", OF_PERSON, key="tip", text_key=True),
    _section("support-visits-wish", "support_wish", "wish changed_at", OF_PERSON, key="wish", text_key=True),
    _section(
        "requests",
        "request",
        "id reference kind state text about_words created_at changed_at",
        OF_BOTH,
        without={BOOKKEEPING: "about refund_id credit_note_id request_key"},
    ),
    _section(
        "replies",
        "request_reply",
        "id request_id by_staff text created_at",
        "t.customer_id = :customer_id AND t.request_id IN (SELECT r.id FROM request r WHERE r.user_id = :user_id)",
        without={OTHERS: "user_id", BOOKKEEPING: "customer_id"},
    ),
    _section("exports", "export", "id state size_bytes asked_at ready_at expires_at", OF_BOTH),
    _section(
        "erasures", "erasure", "id state asked_at due_at ended_at", OF_PERSON, without={BOOKKEEPING: "customer_id"}
    ),
    _section(
        "account",
        "customer",
        (
            "id number name type status pays enabled tax_id currency zone language contract_start contract_end "
            "billing_address created_at"
        ),
        "t.id = :customer_id",
        needs=Right.VIEW_OWN_ACCOUNT,
        without={BOOKKEEPING: "primary_contact_id external_id"},
    ),
    _section(
        "contacts",
        "contact",
        "id name types email phone is_primary created_at",
        "t.customer_id = :customer_id AND (t.user_id IS NULL OR t.user_id = :user_id)",
        needs=Right.VIEW_OWN_ACCOUNT,
        json="types",
        without={BOOKKEEPING: "customer_id user_id external_id"},
    ),
    _section(
        "sites",
        "site",
        "id label address_line_1 address_line_2 city state zip_code country geo created_at",
        needs=Right.VIEW_OWN_ACCOUNT,
        without={BOOKKEEPING: "external_id"},
    ),
    _section(
        "invitations-you-sent",
        "invitation",
        "id role service_ids created_at expires_at accepted_at withdrawn_at",
        "t.customer_id = :customer_id AND t.invited_by = :user_id",
        json="service_ids",
        without={OTHERS: "email accepted_by", SECRET: "token_hash", BOOKKEEPING: "customer_id invited_by"},
    ),
    _section(
        "services",
        "service",
        (
            "id name nickname type state suspend_reason end_reason activated_at suspended_at ended_at ends_at "
            "renews monthly_minor currency msisdn iccid contract_ends_on lock_sim lock_port cancel_at created_at "
            "handed_over_at taken_over_at"
        ),
        needs=Right.VIEW_OWN_SERVICES,
        service="t.id",
        without={
            BOOKKEEPING: "product_id site_id ocs_account next_product_id configuration external_id taken_over_from"
        },
    ),
    _section(
        "sims",
        "sim",
        "id service_id kind iccid eid state state_at replaced_at created_at",
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        without={SECRET: "pin1 puk1 pin2 puk2 activation_code confirmation_code_required", BOOKKEEPING: "external_id"},
    ),
    _section(
        "cancellations",
        "cancellation",
        "id service_id asked_at takes_effect_at reason words undone_at",
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        without={OTHERS: "asked_by", BOOKKEEPING: "request_key"},
    ),
    _section(
        "plan-changes",
        "plan_change",
        (
            "id service_id order_id was_product_id product_id name price_minor currency takes_effect_at state "
            "asked_at ended_at"
        ),
        needs=Right.VIEW_OWN_SERVICES,
        service="t.service_id",
        without={OTHERS: "asked_by", BOOKKEEPING: "product_version promised request_key"},
    ),
    _section(
        "days-bought",
        "service_extension",
        "order_id service_id days was until at",
        service="t.service_id",
        key="order_id",
    ),
    _section(
        "add-ons",
        "service_addon",
        (
            "id service_id product_id order_id name price_minor currency tax_permille recurring starts_at "
            "paid_until term_ends_at ends_at waits_for lasts_days removal_asked_at created_at"
        ),
        service="t.service_id",
        without={BOOKKEEPING: "icon grants taken_off_at take_off_tries take_off_after"},
    ),
    _section(
        "allowances",
        "bucket",
        (
            "id service_id kind label origin currency remaining is_unlimited consume_order scope starts_at "
            "expires_at as_of created_at granted consumed period_started_at waits_for lasts_days"
        ),
        needs=Right.VIEW_OWN_USAGE,
        service="t.service_id",
        without={
            OTHERS: "members",
            BOOKKEEPING: "reserved blocker disabled counts_mms external_id consumed_before forfeited",
        },
    ),
    _section(
        "allowances-given",
        "allowance_grant",
        "id bucket_id amount mode period_start period_end reason created_at",
        needs=Right.VIEW_OWN_USAGE,
        joined="JOIN bucket b ON b.id = t.bucket_id",
        service="b.service_id",
        without={BOOKKEEPING: "order_id external_id"},
    ),
    _section(
        "usage",
        "usage_record",
        (
            "id service_id kind direction class started_at seconds bytes count other_party country cost_minor "
            "currency created_at"
        ),
        needs=Right.VIEW_OWN_RECORDS,
        service="t.service_id",
        without={BOOKKEEPING: "bucket_id external_id"},
    ),
    _section(
        "speeds",
        "line_speed",
        "service_id full_speed_bytes slow_kbps slow_until reported_at",
        needs=Right.VIEW_OWN_USAGE,
        service="t.service_id",
        key="service_id",
    ),
    _section(
        "bills",
        "invoice",
        (
            "id number kind date due_on period_start period_end currency net_minor tax_minor paid_minor state "
            "corrects_id purchase_ref created_at"
        ),
        "t.customer_id = :customer_id AND t.state <> 'draft'",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "customer_id pdf_hash external_id"},
    ),
    _section(
        "orders",
        "purchase_order",
        (
            "id kind reference name service_id beneficiary product_id product_version parent_id price_minor "
            "tax_permille currency auto payment_id state created_at changed_at delivered_at"
        ),
        needs=Right.VIEW_OWN_BILLS,
        without={
            BOOKKEEPING: "request_key deadline_at lease_until asked_by refund_id arrived_at undo_at undo_tries",
            "how we deliver it": "delivers problem",
            OTHERS: "owner_id",
        },
    ),
    _section(
        "order-credit-notes",
        "order_credit_note",
        "id order_id number date currency net_minor tax_minor card_minor credit_minor created_at",
        "t.customer_id = :customer_id AND NOT t.of_stranger",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "customer_id of_stranger"},
    ),
    _section(
        "advances",
        "advance",
        "id service_id order_id lent_minor fee_minor owed_minor currency state asked_at ended_at",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "month"},
    ),
    _section(
        "advance-repayments",
        "advance_repayment",
        "order_id advance_id amount_minor held_at done_at",
        needs=Right.VIEW_OWN_BILLS,
        key="order_id",
    ),
    _section("order-steps", "order_step", "id order_id state at", needs=Right.VIEW_OWN_BILLS),
    _section("reference-on-bills", "bill_reference", "words set_at", needs=Right.VIEW_OWN_BILLS, key="customer_id"),
    _section(
        "promises-to-pay",
        "payment_promise",
        "id amount_minor currency due_before pay_by asked_at state ended_at",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "month", OTHERS: "asked_by"},
    ),
    _section(
        "copies-of-bills",
        "bill_recipient",
        "id email added_at confirmed_at bills_from stopped_at",
        needs=Right.PAY_OWN_BILLS,
        without={OTHERS: "added_by"},
    ),
    _section(
        "transactions",
        "billing_transaction",
        (
            "id at kind description quantity unit_price_minor amount_minor tax_permille tax_minor currency "
            "invoice_id service_id payment_id period_start period_end voided_at created_at"
        ),
        needs=Right.VIEW_OWN_BILLS,
        without={"what we pay others for it": "wholesale_minor", BOOKKEEPING: "order_id external_id"},
    ),
    _section(
        "lines-in-question",
        "bill_question",
        "id invoice_id line_id request_id asked_at paused_until closed_at credited_net_minor credited_tax_minor",
        needs=Right.VIEW_OWN_BILLS,
    ),
    _section(
        "payments",
        "payment",
        (
            "id purpose reference description currency amount_minor credit_minor refunded_minor state why card "
            "save_card created_at settled_at closed_at disputed_at"
        ),
        needs=Right.VIEW_OWN_BILLS,
        without={
            GATEWAY: "gateway customer_ref gateway_ref charge_ref action_url",
            OTHERS: "started_by",
            BOOKKEEPING: (
                "request_key attempt held_minor review method_id off_session guest_link_id submitted_at asked_at"
            ),
        },
    ),
    _section(
        "payment-parts",
        "payment_part",
        "id payment_id position target target_id amount_minor applied_minor is_open",
        needs=Right.VIEW_OWN_BILLS,
    ),
    _section(
        "refunds",
        "refund",
        "id payment_id number amount_minor currency state created_at sent_at done_at",
        needs=Right.VIEW_OWN_BILLS,
        without={GATEWAY: "gateway_ref", OTHERS: "asked_by", BOOKKEEPING: "source reason"},
    ),
    _section(
        "automatic-payment",
        "autopay_consent",
        "id words given_at ended_at",
        needs=Right.VIEW_OWN_BILLS,
        without={OTHERS: "given_by ended_by address device"},
    ),
    _section(
        "automatic-payments",
        "autopay_charge",
        "id consent_id invoice_id charge_on next_at tries state created_at ended_at",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "round"},
    ),
    _section(
        "automatic-topup",
        "auto_topup",
        (
            "id service_id currency threshold_minor amount_minor most_minor pause_hours words words_version "
            "given_at failures next_at held_at ended_at ended_why"
        ),
        needs=Right.VIEW_OWN_BILLS,
        without={OTHERS: "given_by ended_by address device", BOOKKEEPING: "revision told_month looked_at"},
    ),
    _section(
        "automatic-topups",
        "auto_topup_charge",
        "id service_id order_id amount_minor currency month state created_at ended_at",
        needs=Right.VIEW_OWN_BILLS,
        without={BOOKKEEPING: "rule_id why"},
    ),
    _section(
        "vouchers",
        "voucher",
        "id used_at order_id",
        needs=Right.VIEW_OWN_BILLS,
        without={SECRET: "code_hash", OTHERS: "used_by", BOOKKEEPING: "batch_id request_key"},
    ),
    _section(
        "payment-links",
        "guest_link",
        "id invoice_id created_at expires_at revoked_at",
        needs=Right.VIEW_OWN_BILLS,
        without={SECRET: "token_hash", OTHERS: "made_by", BOOKKEEPING: "request_key"},
    ),
    _section(
        "cards",
        "payment_method",
        "id kind brand last4 exp_month exp_year holder nickname is_default position removed_at created_at",
        needs=Right.MANAGE_OWN_CARDS,
        without={GATEWAY: "token_ref fingerprint", OTHERS: "added_by", BOOKKEEPING: "told_days"},
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
    "guest_receipt": "name and address of somebody else who paid without signing in",
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
