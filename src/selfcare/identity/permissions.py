"""The table route × person, kept as data. A route that is not in it answers nobody.

`TABLE` is read by the one guard of the application and walked cell by cell by the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from selfcare.identity.rights import Right, StaffRight
from selfcare.settings import SUPPORT_ACTIONS


class Who(StrEnum):
    """For whom a route exists at all."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed_in"
    CUSTOMER = "customer"
    STAFF = "staff"
    MACHINE = "machine"


LOOK = "look"
NEVER = "never"
# Leaving is always allowed.
STOP = "stop"


@dataclass(frozen=True, slots=True)
class Access:
    """One row. `acting`: what an impersonating staff member may do: `look`, `never`, or a named action of the grant."""

    who: Who
    right: Right | StaffRight | None = None
    step_up: bool = False
    acting: str = LOOK
    csrf: bool = True
    poll: bool = False
    flag: str | None = None
    body_limit: int = 64_000
    before_second_step: bool = False


def anybody(*, csrf: bool = True, flag: str | None = None, acting: str = NEVER) -> Access:
    """A page for visitors. `csrf=False` only where no browser session can be abused; a test lists those."""
    return Access(Who.ANYBODY, csrf=csrf, flag=flag, acting=acting)


def signed_in(
    *,
    step_up: bool = False,
    acting: str = NEVER,
    poll: bool = False,
    flag: str | None = None,
    before_second_step: bool = False,
) -> Access:
    """Any signed-in person. `before_second_step`: also one who must set up a second step before anything else."""
    return Access(
        Who.SIGNED_IN,
        step_up=step_up,
        acting=acting,
        poll=poll,
        flag=flag,
        before_second_step=before_second_step,
    )


def customer(
    right: Right,
    *,
    step_up: bool = False,
    acting: str = LOOK,
    poll: bool = False,
    flag: str | None = None,
    body_limit: int = 64_000,
) -> Access:
    """A member of a customer who holds `right`. Unsafe methods need `acting` to name an action of the grant."""
    return Access(Who.CUSTOMER, right, step_up=step_up, acting=acting, poll=poll, flag=flag, body_limit=body_limit)


def staff(right: StaffRight | None = None, *, step_up: bool = False, flag: str | None = None) -> Access:
    """The staff console; never under an impersonation prefix."""
    return Access(Who.STAFF, right, step_up=step_up, acting=NEVER, flag=flag)


def machine(*, body_limit: int = 1_000_000, flag: str | None = None) -> Access:
    """Programs that prove themselves in the handler: a signed webhook, a feed or API key. No cookie counts."""
    return Access(Who.MACHINE, csrf=False, acting=NEVER, body_limit=body_limit, flag=flag)


TABLE: Mapping[str, Access] = {
    "health": anybody(),
    "ready": anybody(),
    # sign_in
    "sign_in": anybody(),
    "sign_in.enter": anybody(),
    "sign_in.code": anybody(),
    "sign_in.answer": anybody(),
    "sign_in.backup_code": anybody(),
    "sign_in.use_backup_code": anybody(),
    "sign_in.answer_by_passkey": anybody(),
    "sign_in.passkey": anybody(flag="passkeys"),
    "sign_in.enter_by_passkey": anybody(flag="passkeys"),
    "sign_in.forgot": anybody(),
    "sign_in.ask_reset": anybody(),
    "sign_in.reset": anybody(),
    "sign_in.set_password": anybody(),
    "sign_in.second_step": anybody(),
    "sign_in.drop_second_step": anybody(),
    "sign_in.not_me": anybody(),
    "sign_in.disown": anybody(),
    "sign_in.prove": signed_in(before_second_step=True),
    "sign_in.confirm": signed_in(before_second_step=True),
    "sign_in.confirm_by_passkey": signed_in(before_second_step=True),
    "sign_in.out": signed_in(before_second_step=True),
    "sign_in.kept": signed_in(),
    "sign_in.stay": signed_in(acting=LOOK, before_second_step=True),
    "sign_in.alive": signed_in(poll=True, acting=LOOK, before_second_step=True),
    # sign_up
    "sign_up": anybody(flag="signup"),
    "sign_up.number": anybody(flag="signup"),
    "sign_up.ask_code": anybody(flag="signup"),
    "sign_up.code": anybody(flag="signup"),
    "sign_up.answer": anybody(flag="signup"),
    "sign_up.new": anybody(flag="signup"),
    "sign_up.ask_link": anybody(flag="signup"),
    "sign_up.finish": anybody(flag="signup"),
    "sign_up.done": anybody(flag="signup"),
    # dashboard
    "dashboard": customer(Right.VIEW_OWN_SERVICES),
    "alerts": customer(Right.VIEW_OWN_SERVICES),
    # services
    "services": customer(Right.VIEW_OWN_SERVICES),
    "services.missing": customer(Right.VIEW_OWN_SERVICES),
    "services.show": customer(Right.VIEW_OWN_SERVICES),
    "services.name": customer(Right.CHANGE_OWN_SERVICES),
    "services.rename": customer(Right.CHANGE_OWN_SERVICES, acting="rename"),
    "services.renewal": customer(Right.CHANGE_OWN_SERVICES, flag="renew_switch"),
    "services.switch_renewal": customer(Right.CHANGE_OWN_SERVICES, flag="renew_switch", acting="auto_renew"),
    "services.cancel": customer(Right.CHANGE_OWN_SERVICES, flag="cancel"),
    "services.cancel_it": customer(Right.CHANGE_OWN_SERVICES, flag="cancel", acting=NEVER),
    "services.undo_cancel": customer(Right.CHANGE_OWN_SERVICES, flag="cancel", acting=NEVER),
    # services: plan
    "services.plan": customer(Right.VIEW_OWN_SERVICES, flag="plan_change"),
    "services.plan.review": customer(Right.CHANGE_OWN_SERVICES, flag="plan_change"),
    "services.plan.change": customer(Right.CHANGE_OWN_SERVICES, flag="plan_change", acting="plan"),
    "services.plan.schedule": customer(Right.CHANGE_OWN_SERVICES, flag="plan_change", acting=NEVER),
    "services.plan.keep": customer(Right.CHANGE_OWN_SERVICES, flag="plan_change", acting=NEVER),
    # services: change
    "services.change": customer(Right.VIEW_OWN_SERVICES, flag="modify"),
    "services.change.choose": customer(Right.CHANGE_OWN_SERVICES, flag="modify"),
    "services.change.review": customer(Right.CHANGE_OWN_SERVICES, flag="modify"),
    "services.change.order": customer(Right.CHANGE_OWN_SERVICES, flag="modify", acting=NEVER),
    # services: sim
    "services.sim": customer(Right.VIEW_OWN_SERVICES),
    "services.sim.puk": customer(Right.CHANGE_OWN_SERVICES, step_up=True, acting=NEVER),
    "services.sim.show_puk": customer(Right.CHANGE_OWN_SERVICES, step_up=True, acting=NEVER),
    "services.sim.install": customer(Right.CHANGE_OWN_SERVICES, step_up=True, acting=NEVER, flag="esim"),
    "services.sim.show_activation": customer(Right.CHANGE_OWN_SERVICES, step_up=True, acting=NEVER, flag="esim"),
    # usage
    "usage": customer(Right.VIEW_OWN_USAGE),
    "usage.service": customer(Right.VIEW_OWN_USAGE),
    "usage.refresh": customer(Right.VIEW_OWN_USAGE),
    "usage.balance": customer(Right.VIEW_OWN_USAGE, poll=True),
    "usage.why": customer(Right.VIEW_OWN_USAGE),
    "usage.abroad": customer(Right.VIEW_OWN_USAGE, flag="roaming"),
    "usage.records": customer(Right.VIEW_OWN_RECORDS, flag="call_records"),
    "usage.records_csv": customer(Right.VIEW_OWN_RECORDS, flag="call_records", acting=NEVER),
    "usage.records_json": customer(Right.VIEW_OWN_RECORDS, flag="call_records", acting=NEVER),
    # billing
    "billing": customer(Right.VIEW_OWN_BILLS),
    "billing.invoices": customer(Right.VIEW_OWN_BILLS),
    "billing.invoice": customer(Right.VIEW_OWN_BILLS),
    "billing.pdf": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.difference": customer(Right.VIEW_OWN_BILLS),
    "billing.line": customer(Right.VIEW_OWN_BILLS),
    "billing.usual_reference": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.set_usual_reference": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.reference": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.set_reference": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.bundles": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.make_bundle": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.few": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.bundle_state": customer(Right.VIEW_OWN_BILLS, acting=NEVER, poll=True),
    "billing.bundle_file": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    # billing: recipients
    "billing.recipients": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.recipients.new": customer(Right.PAY_OWN_BILLS, step_up=True, acting=NEVER),
    "billing.recipients.add": customer(Right.PAY_OWN_BILLS, step_up=True, acting=NEVER),
    "billing.recipients.remove": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "billing.recipients.confirm": anybody(),
    "billing.recipients.confirmed": anybody(),
    "billing.recipients.stop": anybody(),
    "billing.recipients.stopped": anybody(),
    "billing.copy": anybody(),
    "billing.copy_pdf": anybody(),
    # billing: promise
    "billing.promise": customer(Right.PAY_OWN_BILLS, flag="promise"),
    "billing.promise.give": customer(Right.PAY_OWN_BILLS, acting=NEVER, flag="promise"),
    "billing.transactions": customer(Right.VIEW_OWN_BILLS),
    "billing.transactions_csv": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.statement": customer(Right.VIEW_OWN_BILLS),
    "billing.statement_csv": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.make_statement": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "billing.statement_pdf": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    # cards
    "cards": customer(Right.MANAGE_OWN_CARDS),
    "cards.new": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER),
    "cards.add": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER),
    "cards.visit": customer(Right.MANAGE_OWN_CARDS, acting=NEVER),
    "cards.show": customer(Right.MANAGE_OWN_CARDS, acting=NEVER),
    "cards.rename": customer(Right.MANAGE_OWN_CARDS, acting=NEVER),
    "cards.make_default": customer(Right.MANAGE_OWN_CARDS, acting=NEVER),
    "cards.move": customer(Right.MANAGE_OWN_CARDS, acting=NEVER),
    "cards.removal": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER),
    "cards.remove": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER),
    # account
    "account": customer(Right.VIEW_OWN_ACCOUNT),
    "account.name": customer(Right.VIEW_OWN_ACCOUNT, acting=NEVER),
    "account.change_name": customer(Right.VIEW_OWN_ACCOUNT, acting=NEVER),
    "account.phone": customer(Right.VIEW_OWN_ACCOUNT, step_up=True, acting=NEVER),
    "account.change_phone": customer(Right.VIEW_OWN_ACCOUNT, step_up=True, acting=NEVER),
    "account.email": customer(Right.VIEW_OWN_ACCOUNT, step_up=True, acting=NEVER),
    "account.change_email": customer(Right.VIEW_OWN_ACCOUNT, step_up=True, acting=NEVER),
    "account.email.confirm": anybody(),
    "account.email.confirmed": anybody(),
    "account.email.cancel": anybody(),
    "account.email.cancelled": anybody(),
    "account.preferences": signed_in(),
    "account.preferences.save": signed_in(),
    "account.security": signed_in(),
    "account.security.required": signed_in(before_second_step=True),
    "account.security.app": signed_in(step_up=True, flag="2fa", before_second_step=True),
    "account.security.turn_on": signed_in(step_up=True, flag="2fa", before_second_step=True),
    "account.security.off": signed_in(step_up=True, flag="2fa"),
    "account.security.turn_off": signed_in(step_up=True, flag="2fa"),
    "account.security.renew_codes": signed_in(step_up=True, flag="2fa"),
    "account.security.passkeys.new": signed_in(step_up=True, flag="passkeys", before_second_step=True),
    "account.security.passkeys.add": signed_in(step_up=True, flag="passkeys", before_second_step=True),
    "account.security.passkeys.show": signed_in(step_up=True),
    "account.security.passkeys.rename": signed_in(step_up=True),
    "account.security.passkeys.remove": signed_in(step_up=True),
    "account.password": signed_in(),
    "account.change_password": signed_in(),
    "account.sign_ins": signed_in(),
    "account.sign_ins.end_others": signed_in(),
    "account.sign_ins.forget": signed_in(),
    "account.sign_ins.end": signed_in(),
    "account.people": customer(Right.MANAGE_OWN_PEOPLE, flag="people"),
    "account.people.new": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.people.invite": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.people.withdraw": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.people.show": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.people.change": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.people.remove": customer(Right.MANAGE_OWN_PEOPLE, step_up=True, acting=NEVER, flag="people"),
    "account.invitation": anybody(flag="people"),
    "account.invitation.accept": anybody(flag="people"),
    "account.switch": signed_in(),
    "account.switch_to": signed_in(),
    # account: requests
    "account.requests": customer(Right.MANAGE_OWN_REQUESTS, flag="requests"),
    "account.requests.kinds": customer(Right.MANAGE_OWN_REQUESTS, flag="requests"),
    "account.requests.new": customer(Right.MANAGE_OWN_REQUESTS, flag="requests"),
    "account.requests.make": customer(Right.MANAGE_OWN_REQUESTS, acting=NEVER, flag="requests"),
    "account.requests.show": customer(Right.MANAGE_OWN_REQUESTS, flag="requests"),
    "account.requests.reply": customer(Right.MANAGE_OWN_REQUESTS, acting=NEVER, flag="requests"),
    "account.requests.withdraw": customer(Right.MANAGE_OWN_REQUESTS, acting=NEVER, flag="requests"),
    # account: export
    "account.export": customer(Right.VIEW_OWN_SERVICES, acting=NEVER, flag="export"),
    "account.export.ask": customer(Right.VIEW_OWN_SERVICES, step_up=True, acting=NEVER, flag="export"),
    "account.export.show": customer(Right.VIEW_OWN_SERVICES, acting=NEVER, flag="export"),
    "account.export.file": customer(Right.VIEW_OWN_SERVICES, step_up=True, acting=NEVER, flag="export"),
    # account: erasure
    "account.erasure": customer(Right.VIEW_OWN_SERVICES, acting=NEVER, flag="erasure"),
    "account.erasure.ask": customer(Right.VIEW_OWN_SERVICES, step_up=True, acting=NEVER, flag="erasure"),
    "account.erasure.stop": customer(Right.VIEW_OWN_SERVICES, acting=NEVER, flag="erasure"),
    "account.erasure.cancel": anybody(flag="erasure"),
    "account.erasure.cancelled": anybody(flag="erasure"),
    # activity
    "activity": customer(Right.VIEW_OWN_ACTIVITY),
    "activity.not_me": customer(Right.VIEW_OWN_ACTIVITY, acting=NEVER),
    "activity.disown": customer(Right.VIEW_OWN_ACTIVITY, acting=NEVER),
    "activity.support": signed_in(acting=LOOK),
    "activity.support.wish": signed_in(),
    "activity.support.end": signed_in(),
    "activity.support.answer": signed_in(),
    "activity.csv": customer(Right.VIEW_OWN_ACTIVITY, acting=NEVER),
    # topup
    "topup": customer(Right.VIEW_OWN_SERVICES),
    "topup.service": customer(Right.VIEW_OWN_SERVICES),
    # orders
    "orders": customer(Right.VIEW_OWN_SERVICES),
    "orders.show": customer(Right.VIEW_OWN_SERVICES),
    "orders.state": customer(Right.VIEW_OWN_SERVICES, poll=True),
    "orders.credit_note": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    # topup: auto
    "topup.auto": customer(Right.VIEW_OWN_SERVICES, flag="auto_topup"),
    "topup.auto.show": customer(Right.VIEW_OWN_SERVICES, flag="auto_topup"),
    "topup.auto.switch": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER, flag="auto_topup"),
    # topup: other
    "topup.other": customer(Right.BUY_TOPUP, acting=NEVER, flag="topup_other"),
    "topup.other.review": customer(Right.BUY_TOPUP, acting=NEVER, flag="topup_other"),
    "topup.other.buy": customer(Right.BUY_TOPUP, acting=NEVER, flag="topup_other"),
    # topup: vouchers
    "topup.voucher": customer(Right.BUY_TOPUP, flag="vouchers"),
    "topup.use_voucher": customer(Right.BUY_TOPUP, acting=NEVER, flag="vouchers"),
    "topup.voucher.used": customer(Right.BUY_TOPUP, flag="vouchers"),
    # topup: promise
    "topup.promise": customer(Right.BUY_TOPUP, flag="promise"),
    "topup.promise.borrow": customer(Right.BUY_TOPUP, acting=NEVER, flag="promise"),
    # quick_topup
    "quick_topup": anybody(flag="quick_topup"),
    "quick_topup.ask_code": anybody(flag="quick_topup"),
    "quick_topup.here": anybody(flag="quick_topup"),
    "quick_topup.code": anybody(flag="quick_topup"),
    "quick_topup.answer": anybody(flag="quick_topup"),
    "quick_topup.choose": anybody(flag="quick_topup"),
    "quick_topup.review": anybody(flag="quick_topup"),
    "quick_topup.buy": anybody(flag="quick_topup"),
    "quick_topup.order": anybody(flag="quick_topup"),
    "quick_topup.state": anybody(flag="quick_topup"),
    "quick_topup.receipt": anybody(flag="quick_topup"),
    "quick_topup.credit_note": anybody(flag="quick_topup"),
    "quick_topup.return": anybody(flag="quick_topup"),
    "quick_topup.cancel": anybody(flag="quick_topup"),
    # topup: buying
    "topup.review": customer(Right.BUY_TOPUP),
    "topup.buy": customer(Right.BUY_TOPUP, acting="topup"),
    # addons
    "addons": customer(Right.VIEW_OWN_SERVICES),
    "addons.service": customer(Right.VIEW_OWN_SERVICES),
    "addons.review": customer(Right.BUY_ADDON),
    "addons.buy": customer(Right.BUY_ADDON, acting="addon"),
    "addons.removal": customer(Right.BUY_ADDON, flag="addon_remove"),
    "addons.remove": customer(Right.BUY_ADDON, acting=NEVER, flag="addon_remove"),
    "addons.keep": customer(Right.BUY_ADDON, acting=NEVER, flag="addon_remove"),
    # bundles
    "bundles.review": customer(Right.BUY_ADDON),
    "bundles.buy": customer(Right.BUY_ADDON, acting="addon"),
    # help
    "help.articles": anybody(flag="kb", acting=LOOK),
    "help.article": anybody(flag="kb", acting=LOOK),
    "help.article.answer": signed_in(flag="kb"),
    "help.dismiss_tip": signed_in(),
    "help": anybody(acting=LOOK),
    "help.support_code": signed_in(),
    "help.make_support_code": signed_in(),
    # feeds
    "feeds.usage": machine(body_limit=8_000_000),
    "feeds.speed": machine(body_limit=1_000_000),
    "feeds.addresses": machine(body_limit=1_000_000, flag="quick_topup"),
    "feeds.provisioning": machine(body_limit=64_000),
    # hooks
    "hooks.payments": machine(body_limit=1_000_000),
    # pay
    "pay": customer(Right.PAY_OWN_BILLS),
    "pay.start": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "pay.show": customer(Right.VIEW_OWN_BILLS),
    "pay.state": customer(Right.VIEW_OWN_BILLS, poll=True),
    "pay.receipt": customer(Right.VIEW_OWN_BILLS, acting=NEVER),
    "pay.return": customer(Right.VIEW_OWN_SERVICES, acting=NEVER),
    "pay.cancel": customer(Right.PAY_OWN_BILLS, acting=NEVER),
    "pay.links": customer(Right.PAY_OWN_BILLS, acting=NEVER, flag="guest_pay"),
    "pay.make_link": customer(Right.PAY_OWN_BILLS, acting=NEVER, flag="guest_pay"),
    "pay.revoke_link": customer(Right.PAY_OWN_BILLS, acting=NEVER, flag="guest_pay"),
    "pay.guest": anybody(flag="guest_pay"),
    "pay.guest.start": anybody(flag="guest_pay"),
    "pay.guest.show": anybody(flag="guest_pay"),
    "pay.guest.state": anybody(flag="guest_pay"),
    "pay.guest.receipt": anybody(flag="guest_pay"),
    "pay.guest.return": anybody(flag="guest_pay"),
    "pay.guest.cancel": anybody(flag="guest_pay"),
    "pay.autopay": customer(Right.VIEW_OWN_BILLS, flag="autopay"),
    "pay.switch_autopay": customer(Right.MANAGE_OWN_CARDS, step_up=True, acting=NEVER, flag="autopay"),
    # simpay
    "simpay.card": anybody(),
    "simpay.choose": anybody(),
    "simpay.bank": anybody(),
    "simpay.answer": anybody(),
    "simpay.faults": anybody(),
    "simpay.switch": anybody(),
    "simpay.renew": anybody(),
    # staff
    "staff": staff(),
    "staff.requests": staff(StaffRight.HANDLE_REQUESTS, flag="requests"),
    "staff.requests.show": staff(StaffRight.HANDLE_REQUESTS, flag="requests"),
    "staff.requests.answer": staff(StaffRight.HANDLE_REQUESTS, flag="requests"),
    "staff.requests.money": staff(StaffRight.REFUND_PAYMENT, step_up=True, flag="requests"),
    "staff.requests.give": staff(StaffRight.REFUND_PAYMENT, step_up=True, flag="requests"),
    "staff.requests.decide": staff(StaffRight.REFUND_PAYMENT, step_up=True, flag="requests"),
    "staff.customers": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.show": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.contacts": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.services": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.billing": staff(StaffRight.VIEW_BILLING),
    "staff.customers.orders": staff(StaffRight.VIEW_BILLING),
    "staff.customers.messages": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.activity": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.notes": staff(StaffRight.VIEW_CUSTOMER),
    "staff.customers.add_note": staff(StaffRight.VIEW_CUSTOMER),
    "staff.visits.new": staff(StaffRight.CAN_IMPERSONATE, step_up=True),
    "staff.visits.open": staff(StaffRight.CAN_IMPERSONATE, step_up=True),
    "staff.visits.override": staff(StaffRight.ADMIN, step_up=True),
    "staff.visits.decide": staff(StaffRight.CAN_IMPERSONATE, step_up=True),
    "staff.customers.change": staff(StaffRight.EDIT_CUSTOMER),
    "staff.customers.set_type": staff(StaffRight.EDIT_CUSTOMER, step_up=True),
    "staff.customers.set_primary": staff(StaffRight.EDIT_CUSTOMER, step_up=True),
    "staff.customers.merge": staff(StaffRight.MANAGE_USERS, step_up=True),
    "staff.customers.resend": staff(StaffRight.VIEW_CUSTOMER),
    "staff.people.show": staff(StaffRight.VIEW_CUSTOMER),
    "staff.people.act": staff(StaffRight.VIEW_CUSTOMER, step_up=True),
    "staff.payments": staff(StaffRight.REVIEW_PAYMENT),
    "staff.payments.cards": staff(StaffRight.VIEW_BILLING),
    "staff.payments.show": staff(StaffRight.VIEW_BILLING),
    "staff.payments.refund": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.look": staff(StaffRight.REVIEW_PAYMENT),
    "staff.payments.decide": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.customer": staff(StaffRight.VIEW_BILLING),
    "staff.payments.credit": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.charge": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.review_refund": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.nothing_taken": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.payments.void": staff(StaffRight.VOID_INVOICE, step_up=True),
    "staff.approvals": staff(),
    "staff.transfers.show": staff(StaffRight.EDIT_CUSTOMER),
    "staff.transfers.transfer": staff(StaffRight.EDIT_CUSTOMER, step_up=True),
    "staff.transfers.decide": staff(StaffRight.EDIT_CUSTOMER, step_up=True),
    "staff.orders": staff(StaffRight.REVIEW_PAYMENT),
    "staff.orders.show": staff(StaffRight.REVIEW_PAYMENT),
    "staff.orders.again": staff(StaffRight.REVIEW_PAYMENT),
    "staff.orders.refund": staff(StaffRight.REFUND_PAYMENT, step_up=True),
    "staff.figures": staff(),
    "staff.lists": staff(StaffRight.VIEW_BILLING),
    "staff.jobs": staff(StaffRight.RETRY_JOBS),
    "staff.jobs.retry": staff(StaffRight.RETRY_JOBS),
    "staff.audit": staff(StaffRight.VIEW_AUDIT),
    "staff.audit_csv": staff(StaffRight.VIEW_AUDIT),
    # staff: catalogue
    "staff.catalogue": staff(StaffRight.MANAGE_CATALOGUE),
    "staff.catalogue.new": staff(StaffRight.MANAGE_CATALOGUE),
    "staff.catalogue.create": staff(StaffRight.MANAGE_CATALOGUE, step_up=True),
    "staff.catalogue.show": staff(StaffRight.MANAGE_CATALOGUE),
    "staff.catalogue.version": staff(StaffRight.MANAGE_CATALOGUE),
    "staff.catalogue.edit": staff(StaffRight.MANAGE_CATALOGUE),
    "staff.catalogue.publish": staff(StaffRight.MANAGE_CATALOGUE, step_up=True),
    # staff: settings
    "staff.settings": staff(StaffRight.MANAGE_FLAGS),
    "staff.settings.switch": staff(StaffRight.MANAGE_FLAGS, step_up=True),
    "staff.settings.section": staff(StaffRight.ADMIN),
    "staff.settings.save": staff(StaffRight.ADMIN, step_up=True),
    "staff.settings.history": staff(StaffRight.MANAGE_FLAGS),
    "staff.audit_breaks": staff(StaffRight.VIEW_AUDIT),
    "staff.audit_breaks.see": staff(StaffRight.VIEW_AUDIT, step_up=True),
    "staff.visits.show": staff(),
    "staff.visits.stop": staff(),
    # acting: inside a support visit
    "acting.stop": signed_in(acting=STOP),
    # demo
    "styleguide": anybody(),
    "demo": anybody(),
    "demo.clock": anybody(),
    "demo.use": anybody(),
    "demo.network": anybody(),
    "demo.outbox": anybody(),
    "demo.outbox.mail": anybody(),
}


# What a visit may be allowed to do beyond looking, where the operator switched it on: actions that a route joined.
ACTIONS = frozenset(SUPPORT_ACTIONS) & {access.acting for access in TABLE.values()}


# Of the rows for anybody, those the console has too when it stands at a host of its own.
CONSOLE_TOO = frozenset({"sign_in", "help", "health", "ready", "demo", "styleguide"})


def answers_on(serves: str, route: str, access: Access, *, visiting: bool) -> bool:
    """Whether the route exists on this host at all. A support visit is the portal, on the host of the console."""
    if serves == "all" or visiting:
        return True
    if serves == "portal":
        return access.who is not Who.STAFF
    if access.who is Who.ANYBODY:
        return route.partition(".")[0] in CONSOLE_TOO
    # The start page only sends staff on to the console.
    return access.who in (Who.STAFF, Who.SIGNED_IN) or route == "dashboard"


def access_to(route: str | None) -> Access | None:
    """The row for a route name, or None: then nobody may."""
    return TABLE.get(route) if route else None


def may_look(route: str, can: Callable[[Right | StaffRight], bool], flags: Collection[str]) -> bool:
    """Whether a link to this page is worth showing. The guard decides; this only spares dead ends."""
    access = TABLE.get(route)
    if access is None or (access.flag and access.flag not in flags):
        return False
    return access.right is None or can(access.right)
