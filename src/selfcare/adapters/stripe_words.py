"""Stripe's words and ours: amounts, refusals, events."""

from __future__ import annotations

from selfcare.kernel.money import Money, exponent
from selfcare.ports.payments import About, Limits, Misused, Why

# docs.stripe.com/currencies: minor units there, where they differ from ISO 4217.
EXPONENTS = {"ISK": 2, "UGX": 2} | dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
)
# Beyond these, the equivalent of about half a US dollar is the least.
LEAST = {
    "USD": 50,
    "EUR": 50,
    "GBP": 30,
    "AUD": 50,
    "CAD": 50,
    "CHF": 50,
    "NZD": 50,
    "SGD": 50,
    "BRL": 50,
    "JPY": 50,
    "PLN": 200,
    "AED": 200,
    "RON": 200,
    "MYR": 200,
    "DKK": 250,
    "NOK": 300,
    "SEK": 300,
    "HKD": 400,
    "INR": 5_000,
    "MXN": 1_000,
    "THB": 1_000,
    "CZK": 1_500,
    "HUF": 17_500,
}
MOST = 99_999_999


def exponent_there(currency: str) -> int:
    return EXPONENTS.get(currency, exponent(currency))


def to_stripe(amount: Money) -> int:
    """Raises Misused for what Stripe has no coin for."""
    ours, theirs = exponent(amount.currency), exponent_there(amount.currency)
    if theirs >= ours:
        minor: int = amount.minor * 10 ** (theirs - ours)
    else:
        minor, rest = divmod(amount.minor, 10 ** (ours - theirs))
        if rest:
            raise Misused(f"{amount} has a fraction that Stripe does not know")
    if minor % step_there(amount.currency):
        raise Misused(f"{amount} is not a whole step of Stripe's")
    return minor


def from_stripe(minor: int, currency: str) -> Money:
    code = currency.upper()
    ours, theirs = exponent(code), exponent_there(code)
    return Money(minor * 10 ** (ours - theirs) if ours >= theirs else minor // 10 ** (theirs - ours), code)


def step_there(currency: str) -> int:
    """ISK and UGX have two decimals there that are always 00; of three decimals the last is always 0."""
    if currency in ("ISK", "UGX"):
        return 100
    return 10 if exponent(currency) == 3 else 1


def limits(currency: str) -> Limits:
    ours, theirs = exponent(currency), exponent_there(currency)
    step = 10 ** max(ours - theirs, 0) * (10 if ours == 3 else 1)
    least = LEAST.get(currency, {0: 50, 2: 50, 3: 500}[ours])
    most = MOST * 10 ** (ours - theirs) if ours >= theirs else MOST // 10 ** (theirs - ours)
    return Limits(Money(-(-least // step) * step, currency), Money(most - most % step, currency), step)


_REFUSALS: dict[Why, tuple[str, ...]] = {
    Why.NO_FUNDS: ("insufficient_funds",),
    Why.EXPIRED_CARD: ("expired_card", "invalid_expiry_month", "invalid_expiry_year"),
    Why.WRONG_CODE: ("incorrect_cvc", "invalid_cvc", "incorrect_pin", "invalid_pin", "pin_try_exceeded"),
    Why.NEEDS_APPROVAL: (
        "authentication_required",
        "payment_intent_authentication_failure",
        "setup_intent_authentication_failure",
        "authentication_not_handled",
        "approve_with_id",
    ),
    Why.LIMIT: ("card_velocity_exceeded", "withdrawal_count_limit_exceeded", "amount_too_large"),
    Why.NOT_SUPPORTED: (
        "card_not_supported",
        "currency_not_supported",
        "invalid_account",
        "invalid_amount",
        "new_account_information_available",
        "not_permitted",
        "service_not_allowed",
        "transaction_not_allowed",
        "incorrect_number",
        "invalid_number",
        "testmode_decline",
    ),
    Why.LOST_CARD: ("lost_card", "stolen_card", "pickup_card", "restricted_card"),
    Why.PROVIDER_TROUBLE: (
        "processing_error",
        "issuer_not_available",
        "try_again_later",
        "reenter_transaction",
        "payment_intent_payment_attempt_expired",
    ),
    Why.BANK_REFUSED: (
        "call_issuer",
        "card_declined",
        "do_not_honor",
        "do_not_try_again",
        "duplicate_transaction",
        "fraudulent",
        "generic_decline",
        "merchant_blacklist",
        "no_action_taken",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "stop_payment_order",
    ),
}
_WALLETS = {"apple_pay": "Apple Pay", "google_pay": "Google Pay", "samsung_pay": "Samsung Pay", "link": "Link"}
_WHY = {word: why for why, words in _REFUSALS.items() for word in words}


def why(decline_code: str | None, code: str | None) -> Why:
    """The bank's own word says more than the gateway's."""
    return _WHY.get(decline_code or "") or _WHY.get(code or "") or Why.OTHER


def wallet(kind: str | None) -> str:
    """What the card was held out in; empty for one that was typed."""
    return "" if kind is None else _WALLETS.get(kind, "Wallet")


def about(kind: str) -> About:
    """What an event of Stripe is worth asking about."""
    match kind:
        case "charge.dispute.created":
            return About.DISPUTE
        case "charge.refund.updated":
            return About.REFUND
        case "checkout.session.expired":
            return About.PAYMENT
    family = kind.partition(".")[0]
    return {"payment_intent": About.PAYMENT, "checkout": About.PAYMENT, "refund": About.REFUND}.get(
        family, About.CARD if family in ("setup_intent", "payment_method") else About.OTHER
    )
