"""How an order stands, in the customer's words, and its life line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfcare.formats import money
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.orders import LATE
from selfcare.portal.orders.parts import LOST

SOON, LATER = 2, 30


@dataclass(frozen=True, slots=True)
class Standing:
    """`tone` as with tags; `advice` is empty where there is nothing to say or do."""

    tone: str
    label: str
    title: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Milestone:
    """`mark` is done, now, next or failed."""

    mark: str
    words: str
    at: datetime | None = None


def standing(order: Order, now: datetime, parts: Sequence[Order] = ()) -> Standing:
    """`parts` of a bundle: which of it is ready, and what comes back for the rest."""
    if order.state is State.DELIVERED and (lost := [part for part in parts if part.state in LOST]):
        back = sum((part.price for part in lost), Money.zero(order.price.currency))
        names = ", ".join(part.short_name for part in lost)
        advice = _("%(what)s could not be added: you get %(back)s back for it.")
        return Standing("warn", _("Ready in part"), _("Ready in part"), advice % {"what": names, "back": money(back)})
    if any(part.state is State.REVIEW for part in parts):
        return Standing(
            "warn",
            _("Being looked at"),
            _("We are looking into a part of this ourselves"),
            _("Please don't buy it again. We tell you by mail as soon as we know more."),
        )
    if order.undo_at is not None and order.state is not State.REVIEW:
        return _undone(order, parts)
    match order.state:
        case State.OPEN:
            return Standing("wait", _("Waiting for the payment"), _("We are waiting for your payment"))
        case State.PAID | State.DELIVERING:
            return _at_work(order, now)
        case State.DELIVERED:
            is_change = order.kind is Kind.CHANGE
            return Standing("ok", _("Ready"), _("It is changed") if is_change else _("Ready to use"))
        case State.FAILED:
            return Standing("bad", _("Not done"), _lost(order), _("It has cost you nothing."))
        case State.REFUND_DUE:
            return Standing("wait", _("Being refunded"), _lost(order), _("Your money is on its way back."))
        case State.REFUNDED:
            return Standing("off", _("Refunded"), _lost(order), _("Your money has been given back."))
        case State.REVIEW:
            return Standing(
                "warn",
                _("Being looked at"),
                _("We are looking into this ourselves"),
                _("Please don't buy it again. We tell you by mail as soon as we know more."),
            )
    return Standing("off", _("Cancelled"), _("Nothing was bought"), _("Nothing was taken."))


def _undone(order: Order, parts: Sequence[Order]) -> Standing:
    """A bundle that is all or nothing, of which a part was lost."""
    lost = ", ".join(part.short_name for part in parts if part.state is State.FAILED)
    title = _("%(what)s could not be done, so you get everything back") % {"what": lost or order.name}
    match order.state:
        case State.REFUNDED:
            return Standing("off", _("Refunded"), title, _("Your money has been given back."))
        case State.REFUND_DUE:
            return Standing("wait", _("Being refunded"), title, _("Your money is on its way back."))
        case State.FAILED:
            return Standing("bad", _("Not done"), title, _("It has cost you nothing."))
    back = _("We take back what is there already. Then %(back)s comes back to you by itself.")
    return Standing("wait", _("Being taken back"), title, back % {"back": money(order.price)})


def _lost(order: Order) -> str:
    if order.kind is Kind.PLAN:
        return _("We could not change your plan: it stays as it was")
    if order.kind is Kind.CHANGE:
        return _("We could not change this: it stays as it was")
    return _("We could not do this")


def _at_work(order: Order, now: datetime) -> Standing:
    if now - order.created_at >= LATE:
        return Standing(
            "wait",
            _("In progress"),
            _("This takes longer than usual"),
            _("You need not do anything. If it cannot be done, you get your money back by itself."),
        )
    all_or_nothing = _("All or nothing: if one part cannot be done, you get everything back.")
    return Standing("wait", _("In progress"), _doing(order), all_or_nothing if order.refunds_all else "")


def _doing(order: Order) -> str:
    if order.kind in (Kind.TOPUP, Kind.ADDON, Kind.VOUCHER, Kind.PROMISE, Kind.BUNDLE):
        return _("Adding…")
    if order.kind is Kind.PLAN:
        return _("Changing the plan…")
    return _("Changing it…")


def life_line(order: Order, parts: Sequence[Order] = ()) -> list[Milestone]:
    """What happened and when, and what comes next; of a bundle each part stands for itself."""
    seen = {step.state: step.at for step in order.steps}
    line = [Milestone("done", _("Asked for"), order.created_at)]
    if order.payment_id is not None:
        if order.state is State.CANCELED:
            return [*line, Milestone("failed", _("Not paid"), order.changed_at)]
        line.append(_reached(seen, State.PAID, _("Paid"), is_next=order.state is State.OPEN))
    if order.undo_at is not None:
        return [*line, *(_milestone_back(part) for part in parts), *_money_back(order, seen)]
    if parts and any(part.state is not State.CANCELED for part in parts):
        return [*line, *(_milestone(part) for part in parts)]
    if order.state in (State.FAILED, State.REFUND_DUE, State.REFUNDED):
        ended = seen.get(State.FAILED) or seen.get(State.REFUND_DUE)
        line.append(Milestone("failed", _("Could not be done"), ended))
        if order.state is not State.FAILED:
            line.append(_reached(seen, State.REFUNDED, _("Refunded"), is_next=True))
        return line
    doing = {State.PAID: "now", State.DELIVERING: "now", State.REVIEW: "now", State.DELIVERED: "done"}
    words = _("Being looked at") if order.state is State.REVIEW else _("Set up")
    if order.kind in (Kind.TOPUP, Kind.ADDON, Kind.VOUCHER, Kind.PROMISE) and order.state is not State.REVIEW:
        words = _("Added")
    elif order.kind in (Kind.PLAN, Kind.CHANGE) and order.state is not State.REVIEW:
        words = _("Changed at the network")
    line.append(Milestone(doing.get(order.state, "next"), words, seen.get(State.DELIVERING)))
    line.append(_reached(seen, State.DELIVERED, _("Ready")))
    return line


def _milestone_back(part: Order) -> Milestone:
    """Of a bundle that is undone."""
    named = {"what": part.short_name}
    match part.state:
        case State.FAILED:
            return Milestone("failed", _("%(what)s: could not be done") % named, part.changed_at)
        case State.CANCELED if part.arrived_at is not None:
            return Milestone("done", _("%(what)s: taken back") % named, part.changed_at)
        case State.CANCELED:
            return Milestone("done", _("%(what)s: not begun") % named, part.changed_at)
        case State.REVIEW:
            return Milestone("now", _("%(what)s: we are looking into this ourselves") % named)
    if part.undo_at is not None:
        return Milestone("now", _("%(what)s: being taken back") % named)
    return Milestone("now", _("%(what)s: we find out whether it was added") % named)


def _money_back(order: Order, seen: dict[State, datetime]) -> list[Milestone]:
    if order.state is State.FAILED or not order.price:
        return []
    words = _("%(back)s given back") % {"back": money(order.price)}
    return [_reached(seen, State.REFUNDED, words, is_next=order.state is State.REFUND_DUE)]


def _milestone(part: Order) -> Milestone:
    named = {"what": part.short_name, "back": money(part.price)}
    if part.arrived_at is not None and part.state is State.DELIVERING:
        return Milestone("done", _("%(what)s: added") % named, part.arrived_at)
    match part.state:
        case State.DELIVERED:
            return Milestone("done", _("%(what)s: ready") % named, part.delivered_at)
        case State.REFUND_DUE:
            return Milestone("failed", _("%(what)s: could not be done, %(back)s is on its way back") % named)
        case State.REFUNDED | State.FAILED:
            words = _("%(what)s: could not be done, %(back)s has been given back")
            return Milestone("failed", words % named, part.changed_at)
        case State.REVIEW:
            return Milestone("now", _("%(what)s: we are looking into this ourselves") % named)
        case State.PAID | State.DELIVERING:
            return Milestone("now", _("%(what)s: being added") % named)
    return Milestone("next", part.short_name)


def mark(order: Order, parts: Sequence[Order]) -> str:
    """Another one whenever a page of it would read differently."""
    return ".".join(_stage(one) for one in (order, *parts))


def _stage(order: Order) -> str:
    more = "-undone" if order.undo_at is not None else "-arrived" if order.arrived_at is not None else ""
    return f"{order.state.value}{more}"


def _reached(seen: dict[State, datetime], state: State, words: str, *, is_next: bool = False) -> Milestone:
    if state in seen:
        return Milestone("done", words, seen[state])
    return Milestone("now" if is_next else "next", words)


def ask_again_after(order: Order, now: datetime) -> int:
    """Seconds until another look is worth it."""
    return SOON if now - order.created_at < timedelta(minutes=2) else LATER
