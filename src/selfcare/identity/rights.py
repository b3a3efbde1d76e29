"""The closed list of rights, and which role or staff member holds which."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What a member may do for one customer."""

    OWNER = "owner"
    PAYER = "payer"
    USER = "user"
    VIEWER = "viewer"


class Right(StrEnum):
    """A customer member's right."""

    VIEW_OWN_ACCOUNT = "view_own_account"
    EDIT_OWN_ACCOUNT = "edit_own_account"
    MANAGE_OWN_PEOPLE = "manage_own_people"
    VIEW_OWN_ACTIVITY = "view_own_activity"
    VIEW_OWN_BILLS = "view_own_bills"
    PAY_OWN_BILLS = "pay_own_bills"
    MANAGE_OWN_CARDS = "manage_own_cards"
    VIEW_OWN_SERVICES = "view_own_services"
    CHANGE_OWN_SERVICES = "change_own_services"
    BUY_TOPUP = "buy_topup"
    BUY_ADDON = "buy_addon"
    ASK_FOR_PURCHASE = "ask_for_purchase"
    VIEW_OWN_USAGE = "view_own_usage"
    VIEW_OWN_RECORDS = "view_own_records"
    MANAGE_OWN_ALERTS = "manage_own_alerts"
    MANAGE_OWN_KEYS = "manage_own_keys"
    MANAGE_OWN_REQUESTS = "manage_own_requests"


class StaffRight(StrEnum):
    """A staff member's right; `admin` means all of them."""

    ADMIN = "admin"
    CAN_IMPERSONATE = "can_impersonate"
    VIEW_CUSTOMER = "view_customer"
    EDIT_CUSTOMER = "edit_customer"
    MANAGE_USERS = "manage_users"
    RESET_SECOND_FACTOR = "reset_second_factor"
    UNLOCK_USER = "unlock_user"
    VIEW_BILLING = "view_billing"
    REFUND_PAYMENT = "refund_payment"
    VOID_INVOICE = "void_invoice"
    REVIEW_PAYMENT = "review_payment"
    MANAGE_CATALOGUE = "manage_catalogue"
    MANAGE_INVENTORY = "manage_inventory"
    HANDLE_REQUESTS = "handle_requests"
    MANAGE_API_KEYS = "manage_api_keys"
    MANAGE_FLAGS = "manage_flags"
    VIEW_AUDIT = "view_audit"
    RETRY_JOBS = "retry_jobs"
    POST_NEWS = "post_news"


_VIEWER = frozenset(
    {
        Right.VIEW_OWN_ACCOUNT,
        Right.VIEW_OWN_BILLS,
        Right.VIEW_OWN_SERVICES,
        Right.VIEW_OWN_USAGE,
        Right.VIEW_OWN_ACTIVITY,
    }
)

RIGHTS_OF: dict[Role, frozenset[Right]] = {
    Role.OWNER: frozenset(Right),
    Role.PAYER: frozenset(
        {
            Right.VIEW_OWN_ACCOUNT,
            Right.VIEW_OWN_ACTIVITY,
            Right.VIEW_OWN_BILLS,
            Right.PAY_OWN_BILLS,
            Right.MANAGE_OWN_CARDS,
            Right.VIEW_OWN_SERVICES,
            Right.VIEW_OWN_USAGE,
            Right.MANAGE_OWN_ALERTS,
            Right.MANAGE_OWN_REQUESTS,
        }
    ),
    Role.USER: frozenset(
        {
            Right.VIEW_OWN_SERVICES,
            Right.CHANGE_OWN_SERVICES,
            Right.VIEW_OWN_USAGE,
            Right.VIEW_OWN_RECORDS,
            Right.BUY_TOPUP,
            Right.BUY_ADDON,
            Right.ASK_FOR_PURCHASE,
            Right.MANAGE_OWN_ALERTS,
        }
    ),
    Role.VIEWER: _VIEWER,
}


_NO_STAFF: frozenset[StaffRight] = frozenset()


def staff_rights(stored: list[str] | None) -> frozenset[StaffRight]:
    """The effective rights of a staff member from the stored names; unknown names grant nothing."""
    if not stored:
        return _NO_STAFF
    known = frozenset(right for right in StaffRight if right.value in stored)
    return frozenset(StaffRight) if StaffRight.ADMIN in known else known
