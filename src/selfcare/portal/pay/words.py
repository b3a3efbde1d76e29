"""How a payment stands, in the customer's words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from selfcare.formats import money
from selfcare.kernel.words import _
from selfcare.portal.pay.payment import Payment, State
from selfcare.ports.payments import Why

# After that it is no longer worth a look every few seconds.
FRESH = timedelta(minutes=2)
SOON, LATER = 2, 30


@dataclass(frozen=True, slots=True)
class Standing:
    """`tone` as with tags; `advice` is what to do now, empty where there is nothing to do."""

    tone: str
    label: str
    title: str
    advice: str = ""


def standing(payment: Payment) -> Standing:
    match payment.state:
        case State.SUCCEEDED:
            return Standing("ok", _("Paid"), _("Thank you, we have your payment"))
        case State.REFUND_DUE:
            return Standing("wait", _("Being refunded"), _("Your money is on its way back"), _back_soon())
        case State.REFUNDED:
            return Standing("ok", _("Refunded"), _("Your money has been sent back"), _back_soon())
        case State.FAILED:
            return Standing("bad", _("Not paid"), reason(payment.why), remedy(payment.why))
        case State.CANCELED:
            return Standing("off", _("Cancelled"), _("Nothing was taken"), _("The payment was cancelled."))
        case State.MANUAL_REVIEW:
            return Standing(
                "warn",
                _("Being looked at"),
                _("We are looking into this payment ourselves"),
                _("Please don't pay again. We tell you by mail as soon as we know more."),
            )
        case State.REQUIRES_ACTION if payment.needs_person:
            return Standing("wait", _("Waiting for you"), *_for_person(payment))
    return Standing(
        "wait",
        _("Checking"),
        _("We are checking with your bank"),
        _("Please don't pay again. You may leave this page; we tell you by mail how it ended."),
    )


def _for_person(payment: Payment) -> tuple[str, str]:
    if payment.method_id is None:
        return (
            _("Continue to the payment page"),
            _("There you enter your card. Nothing is taken before you confirm it there."),
        )
    return (
        _("Continue to your bank"),
        _("Your bank wants to make sure it's you. Nothing is taken before you confirm it there."),
    )


def reason(why: Why | None) -> str:
    """What went wrong. A card reported lost is not told to whoever holds it."""
    return {
        Why.NO_FUNDS: _("There is not enough money on this card"),
        Why.EXPIRED_CARD: _("This card has expired"),
        Why.WRONG_CODE: _("The card's details or its security code are wrong"),
        Why.BANK_REFUSED: _("Your bank refused this payment"),
        Why.NEEDS_APPROVAL: _("Your bank wants you to approve this payment yourself"),
        Why.LIMIT: _("This is more than your card's limit allows"),
        Why.NOT_SUPPORTED: _("This card cannot be used for this payment"),
        Why.LOST_CARD: _("Your bank refused this payment"),
        Why.PROVIDER_TROUBLE: _("Our payment provider has trouble at the moment"),
    }.get(why or Why.OTHER, _("The payment did not go through"))


def remedy(why: Why | None) -> str:
    return {
        Why.NO_FUNDS: _("Nothing was taken. Use another card, or try again when there is money on it."),
        Why.EXPIRED_CARD: _("Nothing was taken. Use another card."),
        Why.WRONG_CODE: _("Nothing was taken. Try again and check what you type, or use another card."),
        Why.BANK_REFUSED: _("Nothing was taken. Use another card, or ask your bank why."),
        Why.LOST_CARD: _("Nothing was taken. Use another card, or ask your bank why."),
        Why.NEEDS_APPROVAL: _("Nothing was taken. Pay once more and confirm it with your bank."),
        Why.LIMIT: _("Nothing was taken. Pay a part, use another card, or ask your bank to raise the limit."),
        Why.NOT_SUPPORTED: _("Nothing was taken. Use another card."),
        Why.PROVIDER_TROUBLE: _("It is not your card. Nothing was taken; try again in a few minutes."),
    }.get(why or Why.OTHER, _("Nothing was taken. Try again or use another card."))


def ask_again_after(payment: Payment, now: datetime) -> int:
    """Seconds until another look is worth it."""
    return SOON if now - payment.created_at < FRESH else LATER


def paid_by(payment: Payment) -> str:
    """ "Visa 4242", "£3.00 of your credit and Visa 4242"."""
    credit = payment.held if payment.is_paid else payment.credit
    card = payment.card or (_("a new card") if payment.amount else "")
    if not credit:
        return card
    if not payment.amount:
        return _("Your credit")
    return _("%(credit)s of your credit and %(card)s") % {"credit": money(credit), "card": card}


def _back_soon() -> str:
    return _("It takes 3 to 10 days until you see it at your bank.")
