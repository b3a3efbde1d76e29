"""Which features are switched on. Production keeps the defaults of the product; the demo shows all that is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfcare.kernel.words import _

if TYPE_CHECKING:
    from selfcare.settings import Settings

ON, OFF = True, False


def table() -> dict[str, tuple[bool, str]]:
    """Every flag of a feature that is built: its default, and what it does in words. To add a flag, add a line."""
    return {
        "2fa": (ON, _("People can protect their sign-in with an authenticator app.")),
        "2fa_required": (OFF, _("Who has no second step must set one up before anything else opens.")),
        "passkeys": (OFF, _("People can sign in with a passkey.")),
        "remember_me": (OFF, _("“Stay signed in on this device” when signing in.")),
        "signup": (OFF, _("Somebody with a number of ours can make their own sign-in.")),
        "people": (ON, _("Owners invite other people to their account, each with a role.")),
        "export": (ON, _("People can ask for a copy of their data.")),
        "erasure": (OFF, _("People can have their data erased.")),
        "renew_switch": (ON, _("Customers switch auto-renewal of a service on and off.")),
        "cancel": (OFF, _("Customers cancel a service themselves.")),
        "modify": (OFF, _("Customers change the settings of a service that its plan lists.")),
        "plan_change": (OFF, _("Customers move a service to another plan themselves.")),
        "autopay": (ON, _("Bills are paid from a saved card on their due date, for who wants it.")),
        "pay_many": (ON, _("Several bills are paid at once.")),
        "pay_part": (OFF, _("A part of a bill can be paid.")),
        "guest_pay": (OFF, _("A bill can be paid by somebody else, by a link without signing in.")),
        "wallets": (OFF, _("Apple Pay and Google Pay on the bank's page.")),
        "call_records": (OFF, _("Calls, texts and data one by one.")),
        "roaming": (OFF, _("Usage abroad by country.")),
        "forecast": (ON, _("“At this pace used up on …” beside allowances.")),
        "vouchers": (OFF, _("Top up with the code of a voucher.")),
        "auto_topup": (ON, _("Credit is topped up by itself when it runs low, for who wants it.")),
        "topup_other": (OFF, _("Top up somebody else's number.")),
        "promise": (
            OFF,
            _("Once a month: a little credit in advance, or a day until which an overdue bill may wait."),
        ),
        "quick_topup": (OFF, _("A number is topped up without signing in, by whoever proves to hold it.")),
        "addon_remove": (ON, _("Customers remove an add-on themselves.")),
        "esim": (OFF, _("eSIMs are installed from the portal.")),
        "kb": (OFF, _("Help articles, and links to them where questions arise.")),
        "requests": (ON, _("Customers write to us from the portal, and staff answer there.")),
        "support_consent": (OFF, _("Customers may want to be asked before support opens their account.")),
    }


ON_BY_DEFAULT = frozenset(name for name, (on, _words) in table().items() if on)
KNOWN = frozenset(table())
# The demo shows all that is built, but for what would lock its visitors in.
SHOWN = KNOWN - {"2fa_required"}
LIVE = "flag."


def defaults(settings: Settings) -> frozenset[str]:
    return SHOWN if settings.demo else ON_BY_DEFAULT


def fixed(settings: Settings) -> dict[str, bool]:
    """What SELFCARE_FLAGS ("+cancel,-export") says. Unknown names are refused with their name."""
    found = {}
    for change in settings.flags:
        sign, name = change[:1], change[1:]
        if sign not in "+-" or name not in KNOWN:
            raise ValueError(f"SELFCARE_FLAGS: {change!r} is not a known flag with + or - before it")
        found[name] = sign == "+"
    return found


def enabled(settings: Settings) -> frozenset[str]:
    """The defaults, changed by what staff switched while we run, and that by the environment."""
    live = {name.removeprefix(LIVE): value == "on" for name, value in settings.changes.items() if name.startswith(LIVE)}
    switched = live | fixed(settings)
    on = {name for name in defaults(settings) if name not in switched}
    return frozenset(on | {name for name, is_on in switched.items() if is_on and name in KNOWN})
