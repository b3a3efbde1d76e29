"""Which features are switched on. Production keeps the defaults of the product; the demo shows all that is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfcare.settings import Settings

ON_BY_DEFAULT = frozenset(
    {
        "2fa",
        "people",
        "export",
        "renew_switch",
        "autopay",
        "forecast",
        "auto_topup",
        "addon_remove",
        "pay_many",
        "pwa",
        "requests",
        "api_keys",
    }
)
OFF_BY_DEFAULT = frozenset(
    {
        "2fa_required",
        "passkeys",
        "remember_me",
        "signup",
        "erasure",
        "modify",
        "plan_change",
        "cancel",
        "pay_part",
        "guest_pay",
        "wallets",
        "call_records",
        "roaming",
        "quick_topup",
        "vouchers",
        "topup_other",
        "promise",
        "esim",
        "kb",
        "support_consent",
    }
)
KNOWN = ON_BY_DEFAULT | OFF_BY_DEFAULT
# Flags whose feature exists; the demo switches on all of these but what would lock its visitors in.
BUILT = KNOWN - {"2fa_required"}


def enabled(settings: Settings) -> frozenset[str]:
    """The defaults, changed by SELFCARE_FLAGS ("+cancel,-export"). Unknown names are refused with their name."""
    flags = set(BUILT if settings.demo else ON_BY_DEFAULT)
    for change in settings.flags:
        sign, name = change[:1], change[1:]
        if sign not in "+-" or name not in KNOWN:
            raise ValueError(f"SELFCARE_FLAGS: {change!r} is not a known flag with + or - before it")
        if sign == "+":
            flags.add(name)
        else:
            flags.discard(name)
    return frozenset(flags)
