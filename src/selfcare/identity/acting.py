"""What a support visit may be allowed to do beyond looking. To add an action, add a line and a row that names it.

An action exists where a row of the permission table joins it by `acting=`, the operator decides whether it may be
allowed at all, and each grant names what it is opened for. Nothing of it is ever paid by card.
"""

from __future__ import annotations

from collections.abc import Iterable

from selfcare.kernel.words import _
from selfcare.settings import SUPPORT_ACTIONS


def words() -> dict[str, str]:
    """In the order they are offered."""
    known = {
        "auto_renew": _("switch auto-renewal"),
        "rename": _("rename services"),
        "alerts": _("change alerts"),
        "topup": _("buy top-ups from credit"),
        "addon": _("buy add-ons from credit"),
        "plan": _("change plans at once, paid from credit"),
    }
    return {action: known[action] for action in SUPPORT_ACTIONS}


def listed(allowed: Iterable[str]) -> str:
    """Of one grant, as the banner and the customer read it."""
    names = [words()[action] for action in SUPPORT_ACTIONS if action in set(allowed)]
    return ", ".join([_("look"), *names])
