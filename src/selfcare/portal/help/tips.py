"""Good practice, said where it matters: one sentence on a page, until the person has had enough of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.words import _

# On which page which tips may stand, the one that matters most first.
PLACES = {
    "account": ("second_step", "address", "shared_computers"),
    "security": ("backup_codes", "password"),
    "services": ("default_card",),
    "usage": ("top_up_in_time", "warnings", "watch_usage", "throttling"),
    "billing": ("look_through", "card_in_time"),
}

# Who has a second step is not asked to turn it on.
_UNWANTED = Prepared.sql(
    """
    SELECT tip FROM dismissed_tip WHERE user_id = :user_id
    UNION ALL
    SELECT 'second_step' FROM app_user WHERE id = :user_id AND totp_secret IS NOT NULL
    """
)
_DISMISS = Prepared.sql(
    "INSERT INTO dismissed_tip (user_id, tip, at) VALUES (:user_id, :tip, :now) ON CONFLICT (user_id, tip) DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Tip:
    """`link` is words and a route name."""

    key: str
    words: str
    link: tuple[str, str] | None = None


def everything() -> list[Tip]:
    """In the order of the help page."""
    return [
        Tip("second_step", _("Turn on the second step at sign-in (2FA)."), (_("Security"), "account.security")),
        Tip("password", _("Use a strong password that you use nowhere else."), (_("Password"), "account.password")),
        Tip("address", _("Keep your e-mail address up to date, so that our messages reach you.")),
        Tip("default_card", _("Choose a default card for what renews by itself."), (_("Cards"), "cards")),
        Tip("watch_usage", _("Look at your usage now and then, to avoid charges outside your plan.")),
        Tip("backup_codes", _("Keep your backup codes in a safe place.")),
        Tip("shared_computers", _("Sign out on shared and public computers.")),
        Tip("warnings", _("Let us warn you at 10 to 20 % left."), (_("Warnings"), "account.notifications")),
        Tip("top_up_in_time", _("Top up before an allowance ends, so that nothing stops."), (_("Top-Up"), "topup")),
        Tip("look_through", _("Look through each bill for charges you do not expect.")),
        Tip("card_in_time", _("Replace a card before it expires."), (_("Cards"), "cards")),
        Tip("throttling", _("Watch your data through the month, so that you are not slowed down.")),
    ]


async def find(identity: Identity, place: str, *, but: Collection[str] = ()) -> Tip | None:
    """The tip for this page; `but` names those that do not matter to this person. None for support."""
    if identity.is_impersonating:
        return None
    unwanted = {row["tip"] for row in await fetch(_UNWANTED.bind(user_id=identity.actor_id))} | set(but)
    known = {tip.key: tip for tip in everything()}
    return next((known[key] for key in PLACES[place] if key not in unwanted), None)


async def dismiss(identity: Identity, key: str) -> None:
    """Twice is once. Raises NotFound for a tip that does not exist."""
    if key not in {tip.key for tip in everything()}:
        raise NotFound
    async with transaction():
        await execute(_DISMISS.bind(user_id=identity.actor_id, tip=key, now=clock.now()))
