"""How a service is doing, in the customer's words. Derived at every reading, stored nowhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from selfcare.kernel.values import named_value, value
from selfcare.kernel.words import _, ngettext

SOON = timedelta(days=7)
HOURS_BELOW = timedelta(hours=48)
FOLDED_AFTER = timedelta(days=90)


class Mark(StrEnum):
    BEING_SET_UP = "being_set_up"
    CANCELLED = "cancelled"
    TRANSFERRED = "transferred"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    EXPIRING_SOON = "expiring_soon"
    ACTIVE = "active"


WORST_FIRST = (
    Mark.SUSPENDED,
    Mark.EXPIRING_SOON,
    Mark.BEING_SET_UP,
    Mark.ACTIVE,
    Mark.EXPIRED,
    Mark.CANCELLED,
    Mark.TRANSFERRED,
)


@named_value
class Life:
    """The columns of a service that say how it is doing."""

    state: str
    suspend_reason: str | None = None
    end_reason: str | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    renews: bool = False


_LIFE = ("state", "suspend_reason", "end_reason", "ends_at", "ended_at", "renews")
# In a query of services `s`.
LIFE = ", ".join(f"s.{name} AS {name}" for name in _LIFE)


@value
class Status:
    mark: Mark
    label: str
    why: str | None = None
    for_payment: bool = False
    decides: str | None = None

    @property
    def is_running(self) -> bool:
        return self.mark in (Mark.ACTIVE, Mark.EXPIRING_SOON)

    @property
    def is_over(self) -> bool:
        return self.mark in (Mark.EXPIRED, Mark.CANCELLED, Mark.TRANSFERRED)

    @property
    def rank(self) -> int:
        """0 is the one to look at first."""
        return WORST_FIRST.index(self.mark)


def status_of(life: Life, now: datetime) -> Status:
    mark = _mark(life, now)
    return Status(
        mark,
        _label(mark),
        _why(life, now) if mark in (Mark.SUSPENDED, Mark.EXPIRING_SOON) else None,
        for_payment=mark is Mark.SUSPENDED and life.suspend_reason == "payment",
        decides=_who_decides(life.suspend_reason) if mark is Mark.SUSPENDED else None,
    )


def status_in(row: Mapping[str, Any], now: datetime) -> Status:
    """Of a row with `LIFE` in it."""
    return status_of(Life(**{name: row[name] for name in _LIFE}), now)


def ending(life: Life, now: datetime) -> str | None:
    """ "Renews in 4 days", "Ends in 31 hours"; None when it has no end or is over. Time left is rounded down."""
    if life.ends_at is None or life.ends_at <= now or life.state == "ended":
        return None
    left = life.ends_at - now
    if left >= HOURS_BELOW:
        return _in_days(left.days, renews=life.renews)
    return _in_hours(left // timedelta(hours=1), renews=life.renews)


def offers(status: Status, sold: Collection[str]) -> list[str]:
    """What makes sense now, the most useful first: pay, usage, topup, addons. `sold` is what there is to buy for it."""
    if status.mark is Mark.BEING_SET_UP:
        return []
    possible = ["usage"]
    if (status.is_running or status.for_payment) and "topup" in sold:
        possible.append("topup")
    if status.is_running and "addons" in sold:
        possible.append("addons")
    return ["pay", *possible] if status.for_payment else possible


def kind_words(kind: str) -> str:
    """The operator may sell kinds that have no words of ours."""
    return {
        "mobile": _("Mobile"),
        "internet": _("Internet"),
        "iptv": _("Television"),
        "voip": _("Telephone"),
        "omnicharge": _("Prepaid"),
    }.get(kind, kind.capitalize())


def _mark(life: Life, now: datetime) -> Mark:
    if life.state == "pending":
        return Mark.BEING_SET_UP
    if life.state == "ended" and life.end_reason == "cancelled":
        return Mark.CANCELLED
    if life.state == "ended" and life.end_reason == "transferred":
        return Mark.TRANSFERRED
    if life.state == "ended" or (life.ends_at is not None and life.ends_at <= now):
        return Mark.EXPIRED
    if life.state == "suspended":
        return Mark.SUSPENDED
    if life.ends_at is not None and life.ends_at < now + SOON:
        return Mark.EXPIRING_SOON
    return Mark.ACTIVE


def _label(mark: Mark) -> str:
    match mark:
        case Mark.ACTIVE:
            return _("Active")
        case Mark.EXPIRING_SOON:
            return _("Expiring soon")
        case Mark.SUSPENDED:
            return _("Suspended")
        case Mark.BEING_SET_UP:
            return _("Being set up")
        case Mark.EXPIRED:
            return _("Expired")
        case Mark.CANCELLED:
            return _("Cancelled")
        case Mark.TRANSFERRED:
            return _("Transferred")


def _why(life: Life, now: datetime) -> str | None:
    if life.state != "suspended":
        return ending(life, now)
    return {
        "payment": _("A payment is missing"),
        "staff": _("Switched off by us"),
        "fraud": _("Switched off by us to protect you"),
        "customer": _("Switched off at your request"),
        "lost": _("Reported lost or stolen"),
    }.get(life.suspend_reason or "")


def _who_decides(reason: str | None) -> str | None:
    """How it gets back on."""
    return {
        "payment": _("It is on again by itself within 10 minutes after everything overdue is paid."),
        "staff": _("We decide when it is on again: talk to us."),
        "fraud": _("We decide when it is safe again: talk to us."),
        "customer": _("You decide: tell us when you want it back."),
        "lost": _("You decide: tell us when you have found it or want a new SIM."),
    }.get(reason or "")


def _in_days(days: int, *, renews: bool) -> str:
    if renews:
        return ngettext("Renews in %(n)s day", "Renews in %(n)s days", days) % {"n": days}
    return ngettext("Ends in %(n)s day", "Ends in %(n)s days", days) % {"n": days}


def _in_hours(hours: int, *, renews: bool) -> str:
    if hours < 1:
        return _("Renews in less than an hour") if renews else _("Ends in less than an hour")
    if renews:
        return ngettext("Renews in %(n)s hour", "Renews in %(n)s hours", hours) % {"n": hours}
    return ngettext("Ends in %(n)s hour", "Ends in %(n)s hours", hours) % {"n": hours}
