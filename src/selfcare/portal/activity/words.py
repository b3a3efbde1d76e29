"""A sentence for every event a customer may see. An event without one is a mistake that a test finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfcare.audit.events import INTERNAL, Event
from selfcare.formats import minor
from selfcare.kernel.words import _


def sentence(event: str) -> str:
    """What happened, without who and when; an event nobody wrote a sentence for is named plainly."""
    return sentences().get(event) or event.replace(".", ": ").replace("_", " ")


def sentence_of(event: str, details: Mapping[str, Any]) -> str:
    """As `sentence`, with what makes it worth reading: which pages support looked at, why, who became what."""
    match event:
        case (
            "as.opened"
            | "as.overridden"
            | "as.looked"
            | "as.stopped"
            | "as.answered"
            | "as.refused"
            | "staff.customer_viewed"
        ):
            return _support(event, details)
        case "account.person_invited" | "account.invitation_accepted" | "account.person_changed":
            return f"{sentence(event)}: {role_name(str(details.get('role', '')))}"
        case "services.renewal_switched" | "billing.autopay_switched" | "topup.auto_switched":
            on = details.get("renews", details.get("on"))
            return f"{sentence(event)} {_('on') if on else _('off')}"
        case _:
            if "amount_minor" in details and "currency" in details:
                return f"{sentence(event)}: {minor(int(details['amount_minor']), str(details['currency']))}"
            return sentence(event)


def kinds() -> dict[str, str]:
    """What can be chosen on the Activity page: the features an event may belong to."""
    return {
        "sign_in": _("Signing in"),
        "account": _("Account and people"),
        "as": _("Support visits"),
        "services": _("Services"),
        "usage": _("Usage"),
        "billing": _("Bills"),
        "pay": _("Payments"),
        "cards": _("Cards"),
        "topup": _("Top-ups"),
        "addons": _("Add-ons"),
        "orders": _("Orders"),
    }


def role_name(role: str) -> str:
    return {
        "owner": _("Owner"),
        "payer": _("Payer"),
        "user": _("User"),
        "viewer": _("Viewer"),
    }.get(role, role)


def _support(event: str, details: Mapping[str, Any]) -> str:
    if event == "as.stopped":
        return _("A support visit ended by your wish") if details.get("by") == "customer" else sentence(event)
    if event == "as.answered":
        return _("Support was allowed to look") if details.get("answer") == "yes" else _("Support may not look")
    if event == "as.refused":
        return _("Support tried something only you may do, and was refused")
    if event == "as.overridden":
        return _("Two of support decided to look without asking you. Reason: %(reason)s") % {
            "reason": details.get("reason", "")
        }
    if event == "as.opened":
        return _("Support opened your account. Reason: %(reason)s") % {"reason": details.get("reason", "")}
    looked = str(details.get("route", details.get("page", ""))).partition(".")[0]
    place = {
        "dashboard": _("the dashboard"),
        "services": _("your services"),
        "usage": _("your usage"),
        "billing": _("your bills"),
        "account": _("your account"),
        "topup": _("top-ups"),
        "addons": _("add-ons"),
        "cards": _("your cards"),
        "activity": _("your activity"),
    }.get(looked)
    return _("Support looked at %(place)s") % {"place": place} if place else sentence(event)


def sentences() -> dict[str, str]:
    """In the reader's language, by the event's name."""
    return {
        "sign_in.succeeded": _("Signed in"),
        "sign_in.failed": _("A sign-in failed"),
        "sign_in.locked": _("Sign-in was locked after too many tries"),
        "sign_in.code_failed": _("A wrong code was typed at sign-in"),
        "sign_in.backup_code_used": _("A backup code was used"),
        "sign_in.signed_out": _("Signed out"),
        "sign_in.proved": _("Confirmed who it is"),
        "sign_in.proof_failed": _("Could not confirm who it is"),
        "sign_in.remembered_replayed": _("An old sign-in of a phone was tried again and refused"),
        "sign_in.new_device": _("Signed in from a new device"),
        "sign_in.disowned": _("All sign-ins were ended by “That was not me”"),
        "sign_in.reset_asked": _("A link for a new password was asked for"),
        "sign_in.reset_done": _("The password was reset by mail"),
        "sign_in.limited": _("Too many tries were stopped"),
        "sign_in.forged": _("A forged form was refused"),
        "sign_in.denied": _("Something not allowed was refused"),
        "account.created": _("The account was created"),
        "account.details_changed": _("Details were changed"),
        "account.password_changed": _("The password was changed"),
        "account.email_change_asked": _("A new e-mail address was asked for"),
        "account.email_changed": _("The e-mail address was changed"),
        "account.email_change_undone": _("The change of e-mail address was undone"),
        "account.second_factor_added": _("A second step was added"),
        "account.second_factor_removed": _("A second step was removed"),
        "account.second_factor_renamed": _("A passkey was renamed"),
        "account.backup_codes_made": _("New backup codes were made"),
        "account.session_ended": _("A sign-in was ended"),
        "account.sessions_ended": _("All other sign-ins were ended"),
        "account.person_invited": _("Somebody was invited"),
        "account.invitation_accepted": _("An invitation was accepted"),
        "account.invitation_withdrawn": _("An invitation was withdrawn"),
        "account.person_changed": _("Somebody's role was changed"),
        "account.person_removed": _("Somebody was removed"),
        "account.customer_switched": _("Changed to another account"),
        "account.request_made": _("A request was made"),
        "account.request_answered": _("A request was answered"),
        "account.request_replied": _("A request was replied to"),
        "account.request_withdrawn": _("A request was withdrawn"),
        "account.export_asked": _("A copy of the data was asked for"),
        "account.export_ready": _("The copy of the data was made"),
        "account.export_fetched": _("The copy of the data was downloaded"),
        "account.erasure_asked": _("Erasure was asked for"),
        "account.erasure_cancelled": _("The erasure was cancelled"),
        "account.erased": _("Personal data was erased"),
        "account.activity_fetched": _("The activity list was downloaded"),
        "services.renamed": _("A service was renamed"),
        "services.changed": _("A service was changed"),
        "services.renewal_switched": _("Auto-renewal was switched"),
        "services.renewed": _("A service was renewed"),
        "services.plan_changed": _("The plan was changed"),
        "services.plan_change_asked": _("Another plan was chosen for the next period"),
        "services.plan_change_cancelled": _("A plan change was cancelled"),
        "services.plan_change_refused": _("A plan change could not be made, the plan stayed as it was"),
        "services.cancellation_asked": _("Cancellation of a service was asked for"),
        "services.cancellation_undone": _("A cancellation was taken back"),
        "services.activated": _("A service was switched on"),
        "services.suspended": _("A service was suspended"),
        "services.resumed": _("A service is on again"),
        "services.ended": _("A service ended"),
        "services.handed_over": _("A service was transferred to somebody else"),
        "services.taken_over": _("A service was taken over from somebody else"),
        "services.secret_shown": _("A SIM code was shown"),
        "usage.records_fetched": _("Call and data records were downloaded"),
        "billing.invoice_issued": _("A bill was made"),
        "billing.invoice_settled": _("A bill was paid in full"),
        "billing.invoice_fetched": _("A bill was downloaded"),
        "billing.reference_set": _("Your reference on bills was changed"),
        "billing.recipient_added": _("An address for copies of bills was added"),
        "billing.recipient_confirmed": _("An address agreed to get copies of bills"),
        "billing.recipient_removed": _("An address for copies of bills was removed"),
        "billing.recipient_stopped": _("An address wants no more copies of bills"),
        "billing.copy_fetched": _("A copy of a bill was downloaded by its receiver"),
        "billing.promised": _("You promised to pay by a day"),
        "billing.promise_kept": _("A promise to pay was kept"),
        "billing.promise_broken": _("A promise to pay was not kept"),
        "billing.bundle_asked": _("A file of many bills was asked for"),
        "billing.transactions_fetched": _("The list of transactions was downloaded"),
        "billing.statement_fetched": _("A statement of account was downloaded"),
        "billing.ledger_broken": _("The books are being checked by us"),
        "billing.line_voided": _("A charge was taken off"),
        "billing.credited": _("A credit was given"),
        "billing.charged": _("A charge was added by us"),
        "billing.autopay_switched": _("Automatic payment was switched"),
        "billing.guest_link_made": _("A payment link was made"),
        "billing.guest_link_revoked": _("A payment link was withdrawn"),
        "cards.added": _("A card was added"),
        "cards.removed": _("A card was removed"),
        "cards.refused": _("A card was refused"),
        "cards.renamed": _("A card was renamed"),
        "cards.replaced": _("A card was replaced by the bank"),
        "cards.made_default": _("Another card became the default"),
        "cards.ordered": _("The order of cards was changed"),
        "cards.expired": _("A card expired"),
        "pay.started": _("A payment was started"),
        "pay.action_needed": _("The bank asked for approval"),
        "pay.succeeded": _("A payment arrived"),
        "pay.failed": _("A payment failed"),
        "pay.cancelled": _("A payment was cancelled"),
        "pay.unknown": _("A payment is being checked with the bank"),
        "pay.review_needed": _("A payment is being looked at by us"),
        "pay.reviewed": _("A payment was looked at by us"),
        "pay.refund_started": _("A refund was started"),
        "pay.refunded": _("A refund was made"),
        "pay.refund_failed": _("A refund is being looked at by us"),
        "pay.event_refused": _("A message about a payment was refused"),
        "pay.simulated": _("A payment was simulated"),
        "pay.disputed": _("A payment was disputed at the bank"),
        "topup.ordered": _("A top-up was ordered"),
        "quick_topup.ordered": _("A top-up was ordered without signing in"),
        "topup.bought": _("A top-up was bought"),
        "topup.delivered": _("A top-up was added"),
        "topup.failed": _("A top-up could not be added"),
        "topup.refunded": _("A top-up was refunded"),
        "topup.cancelled": _("A top-up was cancelled"),
        "topup.taken_back": _("A top-up of a bundle was taken back"),
        "topup.reviewed": _("A top-up is being looked at"),
        "topup.auto_switched": _("Automatic top-up was switched"),
        "topup.auto_stopped": _("Automatic top-up was stopped"),
        "topup.advance_repaid": _("Credit in advance was paid back"),
        "topup.voucher_used": _("A voucher was used"),
        "topup.voucher_refused": _("A voucher was refused"),
        "addons.ordered": _("An add-on was ordered"),
        "addons.bought": _("An add-on was bought"),
        "addons.delivered": _("An add-on was added"),
        "addons.failed": _("An add-on could not be added"),
        "addons.refunded": _("An add-on was refunded"),
        "addons.cancelled": _("An add-on was cancelled"),
        "addons.reviewed": _("An add-on is being looked at"),
        "addons.kept": _("An add-on goes on after all"),
        "addons.removed": _("An add-on was removed"),
        "addons.taken_back": _("An add-on of a bundle was taken back"),
        "orders.ordered": _("An order was placed"),
        "orders.bought": _("An order was paid"),
        "orders.delivered": _("An order is done"),
        "orders.failed": _("An order could not be carried out"),
        "orders.refunded": _("An order was refunded"),
        "orders.cancelled": _("An order was cancelled"),
        "orders.reviewed": _("An order is being looked at"),
        "orders.retried": _("We tried an order once more"),
        "orders.given_up": _("We gave up an order"),
        "as.opened": _("Support opened your account"),
        "as.looked": _("Support looked at a page"),
        "as.stopped": _("Support closed your account"),
        "as.refused": _("Support was refused something"),
        "as.overridden": _("Two of support decided to look without asking you"),
        "as.asked": _("Support asked to look at your account"),
        "as.answered": _("You answered support's question"),
        "as.wished": _("What support may see was changed"),
        "as.code_made": _("A support code was made"),
        "as.code_checked": _("A support code was checked"),
        "staff.customer_viewed": _("Support looked up your account"),
        "staff.customer_changed": _("Support changed your account"),
        "staff.user_unlocked": _("Support unlocked a sign-in"),
        "staff.second_factor_reset": _("Support switched a second step off"),
        "staff.reset_sent": _("Support sent a link for a new password"),
    }


def without_words() -> set[str]:
    """Events a customer may see and nobody wrote a sentence for."""
    known = sentences().keys()
    return {event.value for event in Event if event.package not in INTERNAL and event.value not in known}
