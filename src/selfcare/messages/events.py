"""The closed list of messages, and the values each must be given. To add one: a line here and a folder of templates.

A value with "?" may be missing. One with "!" is a path that opens something by itself: it is kept sealed until the mail
is out, and the copy that stays does not hold it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Self

from selfcare.ports.jobs import NORMAL, SECURITY, WHENEVER


class Category(StrEnum):
    """What people can switch off, and what not: security always comes."""

    BILLING = "billing"
    USAGE = "usage"
    SERVICE = "service"
    SECURITY = "security"
    NEWS = "news"

    @property
    def priority(self) -> int:
        return {Category.SECURITY: SECURITY, Category.NEWS: WHENEVER}.get(self, NORMAL)


# What comes later than this is confusing.
LIFE = timedelta(days=3)


class Message(StrEnum):
    category: Category
    required: frozenset[str]
    allowed: frozenset[str]
    secret: frozenset[str]

    def __new__(cls, name: str, category: Category, *values: str) -> Self:
        message = str.__new__(cls, name)
        message._value_ = name
        message.category = category
        message.required = frozenset(value.rstrip("!") for value in values if not value.endswith("?"))
        message.allowed = frozenset(value.rstrip("!?") for value in values)
        message.secret = frozenset(value.rstrip("!") for value in values if value.endswith("!"))
        return message

    @classmethod
    def named(cls, name: str) -> Message:
        """Raises KeyError for one that is not in the list."""
        return {message.value: message for message in cls}[name]

    ACCOUNT_WELCOME = "account.welcome", Category.SECURITY, "customer"
    ACCOUNT_CHANGED_BY_US = "account.changed_by_us", Category.SECURITY, "what", "path"
    ACCOUNT_READY = "account.ready", Category.SECURITY, "customer", "until", "path!"
    ACCOUNT_INVITED = "account.invited", Category.SECURITY, "inviter", "customer", "role", "until", "path!"
    ACCOUNT_SIGN_UP = "account.sign_up", Category.SECURITY, "until", "path!"
    ACCOUNT_VERIFY_EMAIL = "account.verify_email", Category.SECURITY, "until", "path!"
    ACCOUNT_EMAIL_CHANGE_NOTICE = "account.email_change_notice", Category.SECURITY, "new_address", "until", "path!"
    ACCOUNT_PASSWORD_RESET = "account.password_reset", Category.SECURITY, "until", "path!"
    ACCOUNT_PASSWORD_CHANGED = "account.password_changed", Category.SECURITY, "at", "device"
    ACCOUNT_PHONE_CHANGED = "account.phone_changed", Category.SECURITY, "at", "device", "phone?"
    ACCOUNT_LOCKED = "account.locked", Category.SECURITY, "at", "until", "failures?"
    ACCOUNT_NEW_DEVICE = "account.new_device", Category.SECURITY, "at", "device", "country?", "path!"
    ACCOUNT_REMEMBERED_COPIED = "account.remembered_copied", Category.SECURITY, "at"
    ACCOUNT_SECOND_FACTOR_CHANGED = "account.second_factor_changed", Category.SECURITY, "change", "at", "device?"
    ACCOUNT_SECOND_FACTOR_RESET = "account.second_factor_reset", Category.SECURITY, "until", "path!"
    ACCOUNT_BACKUP_CODE_USED = "account.backup_code_used", Category.SECURITY, "at", "device", "left"
    ACCOUNT_PEOPLE_CHANGED = "account.people_changed", Category.SECURITY, "change", "person", "customer", "role?", "at"
    ACCOUNT_ERASURE_ASKED = "account.erasure_asked", Category.SECURITY, "until", "path!"
    ACCOUNT_ERASURE_CANCELLED = "account.erasure_cancelled", Category.SECURITY, "at"
    ACCOUNT_ERASURE_BLOCKED = "account.erasure_blocked", Category.SECURITY, "path"
    PAYMENT_RECEIVED = (
        "payment.received",
        Category.BILLING,
        *("amount", "reference", "what", "at", "path", "simulated", "surplus?"),
    )
    PAYMENT_GUEST_RECEIVED = (
        "payment.guest_received",
        Category.BILLING,
        "amount",
        "reference",
        "what",
        "at",
        "simulated",
    )
    PAYMENT_FAILED = "payment.failed", Category.BILLING, "amount", "reference", "what", "path", "simulated"
    PAYMENT_CHECKING = "payment.checking", Category.BILLING, "amount", "reference", "path", "simulated"
    REFUND_MADE_OUTSIDE = "refund.made_outside", Category.BILLING, "amount", "reference", "path"
    BILLING_ADJUSTED = "billing.adjusted", Category.BILLING, "amount", "what", "charged", "path"
    REFUND_MADE = "refund.made", Category.BILLING, "amount", "reference", "path", "simulated"
    BILL_RECIPIENT_ASKED = "bill.recipient_asked", Category.BILLING, "customer", "until", "path!"
    BILL_RECIPIENT_ADDED = "bill.recipient_added", Category.SECURITY, "person", "new_address", "at", "path"
    BILL_COPY = "bill.copy", Category.BILLING, "customer", "bill", "until", "path!", "stop!"
    BILL_PROMISED = "bill.promised", Category.BILLING, "amount", "until", "path"
    BILL_PROMISE_BROKEN = "bill.promise_broken", Category.BILLING, "amount", "until", "path"
    BUNDLE_READY = "bundle.ready", Category.BILLING, "until", "path"
    AUTOPAY_COMING = "autopay.coming", Category.BILLING, "amount", "bill", "on", "card?", "path", "simulated"
    AUTOPAY_FAILED = "autopay.failed", Category.BILLING, "amount", "bill", "path", "approval?", "simulated"
    QUICK_TOPUP_PAID = (
        "quick_topup.paid",
        Category.BILLING,
        *("amount", "reference", "what", "at", "path!", "simulated", "payer?"),
    )
    QUICK_TOPUP_DELIVERED = "quick_topup.delivered", Category.BILLING, "reference", "what", "path!", "simulated"
    QUICK_TOPUP_NOT_DELIVERED = (
        "quick_topup.not_delivered",
        Category.BILLING,
        *("amount", "reference", "what", "path!", "simulated"),
    )
    QUICK_TOPUP_REFUNDED = "quick_topup.refunded", Category.BILLING, "amount", "reference", "path!", "simulated"
    QUICK_TOPUP_CREDITED = (
        "quick_topup.credited",
        Category.BILLING,
        *("what", "reference", "note", "amount", "tax", "path!", "simulated", "payer?"),
    )
    TOPUP_RECEIVED = "topup.received", Category.USAGE, "what", "service", "path"
    AUTO_TOPUP_STOPPED = "auto_topup.stopped", Category.USAGE, "service", "why", "path", "simulated"
    AUTO_TOPUP_LIMIT = "auto_topup.limit", Category.USAGE, "service", "most", "path", "simulated"
    AUTO_TOPUP_APPROVE = "auto_topup.approve", Category.USAGE, "service", "amount", "path", "simulated"
    REQUEST_RECEIVED = "request.received", Category.SERVICE, "kind", "reference", "path"
    REQUEST_WITHDRAWN = "request.withdrawn", Category.SERVICE, "kind", "reference", "path"
    CARD_EXPIRING = "card.expiring", Category.BILLING, "card", "on", "path"
    REQUEST_ANSWERED = "request.answered", Category.SERVICE, "kind", "state", "path"
    SERVICE_CANCELLED = "service.cancelled", Category.SERVICE, "service", "at", "over", "kept_until?", "path"
    SERVICE_KEPT = "service.kept", Category.SERVICE, "service", "path"
    PLAN_CHANGE_ASKED = "plan.change_asked", Category.SERVICE, "service", "plan", "amount", "at", "path"
    PLAN_CHANGE_REFUSED = "plan.change_refused", Category.SERVICE, "service", "plan", "path"
    SERVICE_RESUMED = "service.resumed", Category.SERVICE, "service", "at", "until?", "path"
    SERVICE_HANDED_OVER = "service.handed_over", Category.SECURITY, "service", "at", "path"
    SERVICE_TAKEN_OVER = "service.taken_over", Category.SECURITY, "service", "at", "path"
    EXPORT_FAILED = "export.failed", Category.SERVICE, "path"
    EXPORT_READY = "export.ready", Category.SERVICE, "until", "path!"
    ORDER_DELIVERED = (
        "order.delivered",
        Category.SERVICE,
        *("what", "reference", "path", "ready?", "missing?", "back?"),
    )
    ORDER_NOT_DELIVERED = (
        "order.not_delivered",
        Category.SERVICE,
        *(
            "what",
            "reference",
            "path",
            "simulated",
            "by_card?",
            "as_credit?",
            "plan_stays?",
            "stays?",
            "note?",
            "lost?",
        ),
    )
    ORDER_CREDITED = (
        "order.credited",
        Category.BILLING,
        *("what", "reference", "note", "amount", "tax", "path", "simulated"),
    )
    STAFF_AUDIT_BROKEN = "staff.audit_broken", Category.SECURITY, "n", "first", "path"
    SUPPORT_OPENED = "support.opened", Category.SECURITY, "staff", "reason", "at", "path"
    SUPPORT_OVERRIDDEN = "support.overridden", Category.SECURITY, "reason", "until", "path"
    SUPPORT_ASKED = "support.asked", Category.SECURITY, "reason", "until", "path"
