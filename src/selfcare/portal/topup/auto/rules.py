"""What people agree to: when credit is low, by how much, and at most how much a month."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_one
from selfcare.formats import money
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _, ngettext
from selfcare.portal.cards import cards
from selfcare.portal.cards.cards import Card
from selfcare.portal.cards.expiry import Expiry
from selfcare.ports.jobs import Jobs

CHECK = "topup.auto"
# Of `consent_words`: whoever changes the text counts up.
WORDS_VERSION = 1
PAUSES = (1, 24, 168)
# In whole units of the currency.
LEAST_THRESHOLD, MOST_THRESHOLD, MOST_A_MONTH = 1, 50, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    threshold: Money
    amount: Money
    most: Money
    pause_hours: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    id: UUID
    customer_id: UUID
    service_id: UUID
    terms: Terms
    words: str
    given_by: UUID
    given_at: datetime
    revision: int
    failures: int
    next_at: datetime
    held_at: datetime | None
    told_month: str | None
    ended_at: datetime | None
    ended_why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A service that takes credit of any amount. `rule` is the one in force or the last one."""

    id: UUID
    name: str
    least: Money
    most: Money
    rule: Rule | None

    @property
    def is_on(self) -> bool:
        return self.rule is not None and self.rule.ended_at is None


def consent_words(operator: str, terms: Terms, card: str) -> str:
    """What people agree to, as it stands above the button and is kept."""
    words = _(
        "Whenever my credit falls below %(threshold)s, %(operator)s may take %(amount)s from my default card (now "
        "%(card)s) and add it as credit, at most once in %(pause)s and at most %(most)s in a calendar month. I get a "
        "mail each time. I can switch this off here at any time."
    )
    hours = ngettext("%(n)d hour", "%(n)d hours", terms.pause_hours) % {"n": terms.pause_hours}
    return words % {
        "operator": operator,
        "threshold": money(terms.threshold),
        "amount": money(terms.amount),
        "most": money(terms.most),
        "pause": hours,
        "card": card,
    }


async def lines(scope: CustomerScope) -> list[Line]:
    """The services whose credit can be topped up by itself."""
    now = clock.now()
    known = {row["service_id"]: rule_of(row) for row in await fetch(_LATEST.bind(customer_id=scope.customer_id))}
    found: dict[UUID, Line] = {}
    for row in await fetch(_LINES.bind(customer_id=scope.customer_id, now=now)):
        if scope.covers(row["id"]) and row["id"] not in found and _puts_money(row, [scope.customer_type]):
            found[row["id"]] = Line(
                id=row["id"],
                name=row["nickname"] or row["name"],
                least=Money(row["least"], row["currency"]),
                most=Money(row["most"], row["currency"]),
                rule=known.get(row["id"]),
            )
    return list(found.values())


async def line(scope: CustomerScope, service_id: UUID) -> Line:
    """Raises NotFound, also for a service that takes no credit."""
    for each in await lines(scope):
        if each.id == service_id:
            return each
    raise NotFound


def _puts_money(row: dict[str, Any], types: Collection[str]) -> bool:
    only, grants = row["customer_types"], row["grants"]
    return bool(grants) and grants[0]["kind"] == "money" and (not only or bool(set(only) & set(types)))


async def in_force(service_id: UUID) -> Rule | None:
    row = await fetch_one(_NOW.bind(service_id=service_id))
    return rule_of(row) if row else None


async def working_card(customer_id: UUID) -> Card | None:
    """The default card, where it can still pay."""
    today = clock.now().date()
    default = next((card for card in await cards.list_cards(customer_id) if card.is_default), None)
    return default if default is not None and default.expiry(today) is not Expiry.EXPIRED else None


async def switch_on(
    identity: Identity, service_id: UUID, terms: Terms, *, agreed: str, operator: str, jobs: Jobs
) -> None:
    """Or change what was agreed. Keeps the very words, which were read: Conflict where `agreed` says something else.

    Raises Rejected without a card that works, or beside a field.
    """
    scope = _mine(identity)
    _check(terms, await line(scope, service_id))
    async with transaction():
        await cards.hold(scope.customer_id)
        card = await working_card(scope.customer_id)
        if card is None:
            raise Rejected(_("Add a card first: there is none here that works."))
        words, now = consent_words(operator, terms, card.words), clock.now()
        if agreed != words:
            raise Conflict(_("Please read what you agree to with these amounts, then press the button again."))
        await execute(_END.bind(service_id=service_id, by=identity.actor_id, why="replaced", now=now))
        await execute(
            _GIVE.bind(
                id=new_id(),
                customer_id=scope.customer_id,
                service_id=service_id,
                currency=terms.amount.currency,
                threshold=terms.threshold.minor,
                amount=terms.amount.minor,
                most=terms.most.minor,
                pause=terms.pause_hours,
                words=words,
                version=WORDS_VERSION,
                given_by=identity.actor_id,
                now=now,
                address=identity.origin.address[:64],
                device=identity.origin.device[:200],
            )
        )
        await audit.record(
            identity,
            Event.TOPUP_AUTO_SWITCHED,
            about=service_id,
            on=True,
            amount_minor=terms.amount.minor,
            threshold_minor=terms.threshold.minor,
            currency=terms.amount.currency,
        )
        await look_soon(jobs, [service_id])


async def switch_off(identity: Identity, service_id: UUID) -> None:
    """At once; what is on its way comes to its end. Twice is once."""
    scope = _mine(identity)
    await line(scope, service_id)
    async with transaction():
        if await execute(_END.bind(service_id=service_id, by=identity.actor_id, why="switched", now=clock.now())):
            await audit.record(identity, Event.TOPUP_AUTO_SWITCHED, about=service_id, on=False)


async def look_soon(jobs: Jobs, service_ids: Sequence[UUID]) -> None:
    """Inside a transaction."""
    for service_id in service_ids:
        await jobs.enqueue(CHECK, key=f"{CHECK}:{new_id()}", payload={"service": str(service_id)})


def _check(terms: Terms, line: Line) -> None:
    currency = line.least.currency
    highest = Money.whole(MOST_A_MONTH, currency)
    for field, typed, least, most in (
        ("threshold", terms.threshold, Money.whole(LEAST_THRESHOLD, currency), Money.whole(MOST_THRESHOLD, currency)),
        ("amount", terms.amount, line.least, line.most),
        ("most", terms.most, terms.amount, highest),
    ):
        if not least.minor <= typed.minor <= most.minor:
            words = _("Enter an amount from %(least)s to %(most)s.")
            raise Rejected(words % {"least": money(least), "most": money(most)}, field)


def _mine(identity: Identity) -> CustomerScope:
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    return identity.customer


def rule_of(row: dict[str, Any]) -> Rule:
    currency = row["currency"]
    terms = Terms(
        threshold=Money(row["threshold_minor"], currency),
        amount=Money(row["amount_minor"], currency),
        most=Money(row["most_minor"], currency),
        pause_hours=row["pause_hours"],
    )
    plain = {name: row[name] for name in _PLAIN}
    return Rule(terms=terms, **plain)


_PLAIN = (
    *("id", "customer_id", "service_id", "words", "given_by", "given_at", "revision", "failures", "next_at"),
    *("held_at", "told_month", "ended_at", "ended_why"),
)
COLUMNS = ", ".join((*_PLAIN, "currency", "threshold_minor", "amount_minor", "most_minor", "pause_hours"))
_NOW = Prepared.sql(f"SELECT {COLUMNS} FROM auto_topup WHERE service_id = :service_id AND ended_at IS NULL")
_LATEST = Prepared.sql(
    f"""
    SELECT {COLUMNS} FROM auto_topup a WHERE customer_id = :customer_id AND NOT EXISTS (
        SELECT 1 FROM auto_topup b WHERE b.service_id = a.service_id AND b.given_at > a.given_at)
    """
)
_LINES = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, p.currency AS currency, p.custom_min_minor AS least,
           p.custom_max_minor AS most, p.grants AS grants, p.customer_types AS customer_types
      FROM service s JOIN product p ON p.service_type = s.type AND p.currency = s.currency
     WHERE s.customer_id = :customer_id AND s.state IN ('active', 'suspended') AND p.category = 'topup' AND p.enabled
       AND p.custom_min_minor IS NOT NULL AND p.custom_max_minor IS NOT NULL
       AND (p.on_sale_from IS NULL OR p.on_sale_from <= :now) AND (p.on_sale_until IS NULL OR p.on_sale_until > :now)
     ORDER BY COALESCE(s.nickname, s.name), s.id, p.sort
    """,
    types={"grants": as_json, "customer_types": as_json},
)
_GIVE = Prepared.sql(
    """
    INSERT INTO auto_topup (id, customer_id, service_id, currency, threshold_minor, amount_minor, most_minor,
        pause_hours, words, words_version, given_by, given_at, address, device, revision, failures, next_at, looked_at)
    VALUES (:id, :customer_id, :service_id, :currency, :threshold, :amount, :most, :pause, :words, :version, :given_by,
        :now, :address, :device, 0, 0, :now, :now)
    """
)
_END = Prepared.sql(
    """
    UPDATE auto_topup SET ended_at = :now, ended_by = :by, ended_why = :why
     WHERE service_id = :service_id AND ended_at IS NULL RETURNING id
    """
)
