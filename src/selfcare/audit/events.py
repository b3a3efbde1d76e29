"""The closed list of what is written down, and the details each must carry. To add one, add a line.

A key with a question mark may be missing. Details never hold names, addresses, secrets or typed text: ids only.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Self


class Event(StrEnum):
    required: frozenset[str]
    allowed: frozenset[str]

    def __new__(cls, name: str, *keys: str) -> Self:
        event = str.__new__(cls, name)
        event._value_ = name
        event.required = frozenset(key for key in keys if not key.endswith("?"))
        event.allowed = frozenset(key.removesuffix("?") for key in keys)
        return event

    @property
    def package(self) -> str:
        """The feature it belongs to: what the Activity page filters by."""
        return self.value.partition(".")[0]

    SIGN_IN_SUCCEEDED = "sign_in.succeeded", "method?", "new_device?", "remembered?"
    SIGN_IN_FAILED = "sign_in.failed", "method?", "reason?"
    SIGN_IN_LOCKED = "sign_in.locked", "until?", "reason?"
    SIGN_IN_CODE_FAILED = "sign_in.code_failed", "method?", "reason?"
    SIGN_IN_BACKUP_CODE_USED = "sign_in.backup_code_used", "left"
    SIGN_IN_SIGNED_OUT = "sign_in.signed_out", "everywhere?"
    SIGN_IN_PROVED = "sign_in.proved", "method?"
    SIGN_IN_PROOF_FAILED = "sign_in.proof_failed", "method?", "reason?"
    SIGN_IN_REMEMBERED_REPLAYED = "sign_in.remembered_replayed"
    SIGN_IN_NEW_DEVICE = "sign_in.new_device"
    SIGN_IN_DISOWNED = "sign_in.disowned", "ended?"
    SIGN_IN_RESET_ASKED = "sign_in.reset_asked", "by?"
    SIGN_IN_RESET_DONE = "sign_in.reset_done"
    SIGN_IN_LIMITED = "sign_in.limited", "limit"
    SIGN_IN_FORGED = "sign_in.forged", "check", "route?"
    SIGN_IN_DENIED = "sign_in.denied", "route", "right?"

    ACCOUNT_CREATED = "account.created", "by?"
    ACCOUNT_DETAILS_CHANGED = "account.details_changed", "fields"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed", "ended?"
    ACCOUNT_EMAIL_CHANGE_ASKED = "account.email_change_asked"
    ACCOUNT_EMAIL_CHANGED = "account.email_changed", "ended?"
    ACCOUNT_EMAIL_CHANGE_UNDONE = "account.email_change_undone"
    ACCOUNT_SECOND_FACTOR_ADDED = "account.second_factor_added", "kind"
    ACCOUNT_SECOND_FACTOR_REMOVED = "account.second_factor_removed", "kind"
    ACCOUNT_SECOND_FACTOR_RENAMED = "account.second_factor_renamed", "kind"
    ACCOUNT_BACKUP_CODES_MADE = "account.backup_codes_made", "count?"
    ACCOUNT_SESSION_ENDED = "account.session_ended", "session?"
    ACCOUNT_SESSIONS_ENDED = "account.sessions_ended", "count"
    ACCOUNT_PERSON_INVITED = "account.person_invited", "role", "services?"
    ACCOUNT_INVITATION_ACCEPTED = "account.invitation_accepted", "role"
    ACCOUNT_INVITATION_WITHDRAWN = "account.invitation_withdrawn"
    ACCOUNT_PERSON_CHANGED = "account.person_changed", "role", "was?", "services?"
    ACCOUNT_PERSON_REMOVED = "account.person_removed", "role?"
    ACCOUNT_CUSTOMER_SWITCHED = "account.customer_switched"
    ACCOUNT_REQUEST_MADE = "account.request_made", "kind"
    ACCOUNT_REQUEST_ANSWERED = "account.request_answered", "kind?", "state"
    ACCOUNT_REQUEST_REPLIED = "account.request_replied", "kind?"
    ACCOUNT_REQUEST_WITHDRAWN = "account.request_withdrawn", "kind?"
    ACCOUNT_EXPORT_ASKED = "account.export_asked"
    ACCOUNT_EXPORT_READY = "account.export_ready", "bytes?"
    ACCOUNT_EXPORT_FETCHED = "account.export_fetched"
    ACCOUNT_ERASURE_ASKED = "account.erasure_asked"
    ACCOUNT_ERASURE_CANCELLED = "account.erasure_cancelled"
    ACCOUNT_ERASED = "account.erased"
    ACCOUNT_ACTIVITY_FETCHED = "account.activity_fetched", "rows?"

    SERVICES_RENAMED = "services.renamed"
    SERVICES_CHANGED = "services.changed", "fields"
    SERVICES_RENEWAL_SWITCHED = "services.renewal_switched", "renews"
    SERVICES_RENEWED = "services.renewed"
    SERVICES_PLAN_CHANGED = "services.plan_changed", "product", "was?", "when?"
    SERVICES_PLAN_CHANGE_ASKED = "services.plan_change_asked", "product", "was", "when"
    SERVICES_PLAN_CHANGE_CANCELLED = "services.plan_change_cancelled"
    SERVICES_PLAN_CHANGE_REFUSED = "services.plan_change_refused", "product"
    SERVICES_CANCELLATION_ASKED = "services.cancellation_asked", "when?"
    SERVICES_CANCELLATION_UNDONE = "services.cancellation_undone"
    SERVICES_ACTIVATED = "services.activated", "order?"
    SERVICES_SUSPENDED = "services.suspended", "reason"
    SERVICES_RESUMED = "services.resumed"
    SERVICES_ENDED = "services.ended", "reason"
    SERVICES_HANDED_OVER = "services.handed_over", "reason"
    SERVICES_TAKEN_OVER = "services.taken_over", "reason"
    SERVICES_SECRET_SHOWN = "services.secret_shown", "kind"

    USAGE_RECORDS_FETCHED = "usage.records_fetched", "rows?", "format?"

    BILLING_INVOICE_ISSUED = "billing.invoice_issued", "amount_minor", "currency"
    BILLING_INVOICE_SETTLED = "billing.invoice_settled", "payment?"
    BILLING_INVOICE_FETCHED = "billing.invoice_fetched", "format?"
    BILLING_REFERENCE_SET = "billing.reference_set"
    BILLING_RECIPIENT_ADDED = "billing.recipient_added"
    BILLING_RECIPIENT_CONFIRMED = "billing.recipient_confirmed"
    BILLING_RECIPIENT_REMOVED = "billing.recipient_removed"
    BILLING_RECIPIENT_STOPPED = "billing.recipient_stopped"
    BILLING_COPY_FETCHED = "billing.copy_fetched"
    BILLING_PROMISED = "billing.promised", "amount_minor", "currency"
    BILLING_PROMISE_KEPT = "billing.promise_kept"
    BILLING_PROMISE_BROKEN = "billing.promise_broken"
    BILLING_BUNDLE_ASKED = "billing.bundle_asked", "bills"
    BILLING_TRANSACTIONS_FETCHED = "billing.transactions_fetched"
    BILLING_LINE_VOIDED = "billing.line_voided", "reason"
    BILLING_STATEMENT_FETCHED = "billing.statement_fetched", "format?"
    BILLING_CREDITED = "billing.credited", "amount_minor", "currency", "reason"
    BILLING_CHARGED = "billing.charged", "amount_minor", "currency", "reason"
    BILLING_AUTOPAY_SWITCHED = "billing.autopay_switched", "on"
    BILLING_GUEST_LINK_MADE = "billing.guest_link_made"
    BILLING_GUEST_LINK_REVOKED = "billing.guest_link_revoked"
    BILLING_LEDGER_BROKEN = "billing.ledger_broken", "check"

    CARDS_ADDED = "cards.added", "brand?", "default?"
    CARDS_REMOVED = "cards.removed"
    CARDS_REFUSED = "cards.refused", "reason?"
    CARDS_RENAMED = "cards.renamed"
    CARDS_REPLACED = "cards.replaced"
    CARDS_MADE_DEFAULT = "cards.made_default"
    CARDS_ORDERED = "cards.ordered"
    CARDS_EXPIRED = "cards.expired"

    PAY_STARTED = "pay.started", "amount_minor", "currency", "purpose", "target?"
    PAY_ACTION_NEEDED = "pay.action_needed"
    PAY_SUCCEEDED = "pay.succeeded", "amount_minor", "currency", "purpose?", "target?"
    PAY_FAILED = "pay.failed", "reason", "amount_minor?", "currency?"
    PAY_CANCELLED = "pay.cancelled"
    PAY_UNKNOWN = "pay.unknown"
    PAY_REVIEW_NEEDED = "pay.review_needed", "reason"
    PAY_REVIEWED = "pay.reviewed", "decision", "reason?"
    PAY_REFUND_STARTED = "pay.refund_started", "amount_minor", "currency", "reason?"
    PAY_REFUNDED = "pay.refunded", "amount_minor", "currency"
    PAY_REFUND_FAILED = "pay.refund_failed", "reason?"
    PAY_DISPUTED = "pay.disputed"
    PAY_EVENT_REFUSED = "pay.event_refused", "reason"
    PAY_SIMULATED = "pay.simulated"

    TOPUP_ORDERED = "topup.ordered", "product?", "service?", "amount_minor", "currency"
    TOPUP_BOUGHT = "topup.bought", "product?", "service?", "amount_minor", "currency"
    TOPUP_DELIVERED = "topup.delivered", "service?"
    TOPUP_FAILED = "topup.failed", "service?"
    TOPUP_REFUNDED = "topup.refunded", "service?", "amount_minor", "currency"
    TOPUP_CANCELLED = "topup.cancelled", "service?"
    TOPUP_TAKEN_BACK = "topup.taken_back", "service?"
    TOPUP_REVIEWED = "topup.reviewed", "service?"
    TOPUP_AUTO_SWITCHED = "topup.auto_switched", "on", "amount_minor?", "threshold_minor?", "currency?"
    TOPUP_AUTO_STOPPED = "topup.auto_stopped", "reason"
    TOPUP_VOUCHER_USED = "topup.voucher_used", "amount_minor?", "currency?"
    TOPUP_VOUCHER_REFUSED = "topup.voucher_refused", "reason"

    TOPUP_ADVANCE_REPAID = "topup.advance_repaid", "amount_minor", "currency"

    QUICK_TOPUP_ORDERED = "quick_topup.ordered"

    ADDONS_ORDERED = "addons.ordered", "product?", "service?", "amount_minor", "currency"
    ADDONS_BOUGHT = "addons.bought", "product?", "service?", "amount_minor", "currency"
    ADDONS_DELIVERED = "addons.delivered", "service?"
    ADDONS_FAILED = "addons.failed", "service?"
    ADDONS_REFUNDED = "addons.refunded", "service?", "amount_minor", "currency"
    ADDONS_CANCELLED = "addons.cancelled", "service?"
    ADDONS_REVIEWED = "addons.reviewed", "service?"
    ADDONS_KEPT = "addons.kept", "product?", "service?"
    ADDONS_REMOVED = "addons.removed", "product?", "service?"
    ADDONS_TAKEN_BACK = "addons.taken_back", "service?"

    ORDERS_ORDERED = "orders.ordered", "product?", "service?", "amount_minor", "currency"
    ORDERS_BOUGHT = "orders.bought", "product?", "service?", "amount_minor", "currency"
    ORDERS_DELIVERED = "orders.delivered", "service?"
    ORDERS_FAILED = "orders.failed", "service?"
    ORDERS_REFUNDED = "orders.refunded", "service?", "amount_minor", "currency"
    ORDERS_CANCELLED = "orders.cancelled", "service?"
    ORDERS_REVIEWED = "orders.reviewed", "service?"
    ORDERS_RETRIED = "orders.retried", "reason"
    ORDERS_GIVEN_UP = "orders.given_up", "reason"

    AS_OPENED = "as.opened", "reason", "allowed?", "ticket?"
    AS_LOOKED = "as.looked", "route"
    AS_STOPPED = "as.stopped", "by"
    AS_REFUSED = "as.refused", "why", "route?"
    AS_ASKED = "as.asked", "reason"
    AS_ANSWERED = "as.answered", "answer"
    AS_OVERRIDDEN = "as.overridden", "reason"
    AS_WISHED = "as.wished", "wish"
    AS_CODE_MADE = "as.code_made"
    AS_CODE_CHECKED = "as.code_checked"

    STAFF_ADDED = "staff.added", "rights"
    STAFF_SEARCHED = "staff.searched", "found", "by?"
    STAFF_CUSTOMER_VIEWED = "staff.customer_viewed", "page?"
    STAFF_CUSTOMER_CHANGED = "staff.customer_changed", "fields", "reason?"
    STAFF_MESSAGE_RESENT = "staff.message_resent"
    STAFF_LOGINS_MERGED = "staff.logins_merged", "reason"
    STAFF_USER_UNLOCKED = "staff.user_unlocked", "reason?"
    STAFF_SECOND_FACTOR_RESET = "staff.second_factor_reset", "reason", "check?"
    STAFF_RESET_SENT = "staff.reset_sent", "reason?"
    STAFF_SIGN_INS_ENDED = "staff.sign_ins_ended", "reason?", "count?"
    STAFF_NOTE_ADDED = "staff.note_added"
    STAFF_AUDIT_VIEWED = "staff.audit_viewed", "exported?"
    STAFF_AUDIT_BREAK_SEEN = "staff.audit_break_seen", "reason"
    STAFF_APPROVAL_ASKED = "staff.approval_asked", "kind", "amount_minor?", "currency?", "reason"
    STAFF_APPROVAL_DECIDED = "staff.approval_decided", "decision"
    STAFF_CATALOGUE_CHANGED = "staff.catalogue_changed", "fields", "version?"

    FEEDS_REFUSED = "feeds.refused", "reason"
    FEEDS_IMPORTED = "feeds.imported", "rows", "added?", "changed?", "file?"

    JOB_RETRIED = "job.retried", "kind"

    SETTINGS_CHANGED = "settings.changed", "name", "revision?"


PACKAGES = frozenset(event.package for event in Event)
# What belongs to the operator's house and is not shown to customers.
INTERNAL = frozenset({"staff", "feeds", "job", "settings"})


@lru_cache(maxsize=64)
def of_packages(packages: frozenset[str]) -> tuple[str, ...]:
    """The names of all events of these features. Raises KeyError for one that does not exist."""
    if unknown := packages - PACKAGES:
        raise KeyError(min(unknown))
    return tuple(event.value for event in Event if event.package in packages)
