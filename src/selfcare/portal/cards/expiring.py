"""Cards near their end: told 30 and 7 days before, noted when it has come, cleared when the bank sends new dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.messages.events import Message
from selfcare.portal.cards.expiry import last_valid_day
from selfcare.portal.pay import telling
from selfcare.ports.messages import Messages
from selfcare.ports.payments import CardSeen

# The nearer first: who was told of the nearer one is not told of the farther.
STAGES = (7, 30)
# Staff see them earlier, and for a while after.
FOR_STAFF = timedelta(days=60)
SHOWN_AFTER = timedelta(days=30)


async def tell(messages: Messages, today: date) -> int:
    """Once per card and stage, however often it runs. How many people's cards were noted."""
    done = 0
    for row in await fetch(NEAR.bind(year=today.year, next_year=today.year + 1)):
        left = (last_valid_day(row["exp_month"], row["exp_year"]) - today).days
        stage = 0 if left < 0 else next((days for days in STAGES if left <= days), None)
        if stage is not None and (row["told_days"] is None or row["told_days"] > stage):
            done += await _tell(messages, row, stage)
    return done


async def _tell(messages: Messages, row: dict[str, Any], stage: int) -> bool:
    async with transaction():
        if not await execute(TOLD.bind(id=row["id"], stage=stage)):
            return False
        customer_id = row["customer_id"]
        if stage == 0:
            await audit.record(audit.system(customer_id=customer_id), Event.CARDS_EXPIRED, about=row["id"])
            return True
        for user_id in await telling.recipients(customer_id, None):
            await messages.send_later(
                Message.CARD_EXPIRING,
                dedupe_key=f"card.expiring:{row['id']}:{row['exp_year']}-{row['exp_month']}:{stage}:{user_id}",
                to_user=user_id,
                customer_id=customer_id,
                about=row["id"],
                card=f"{row['brand'].capitalize()} {row['last4']}",
                on=last_valid_day(row["exp_month"], row["exp_year"]),
                path="/cards",
            )
    return True


@dataclass(frozen=True, slots=True)
class Ending:
    """A default card near its end, as staff see it. `autopays`: bills are taken from it."""

    id: UUID
    customer_id: UUID
    customer: str
    number: str
    words: str
    last_day: date
    is_over: bool
    autopays: bool


async def ending(today: date, *, within: timedelta = FOR_STAFF) -> list[Ending]:
    """Of all customers, the first to end first."""
    rows = await fetch(ENDING.bind(first=_month(today - SHOWN_AFTER), last=_month(today + within)))
    found = [(row, last_valid_day(row["exp_month"], row["exp_year"])) for row in rows]
    return [
        Ending(
            row["id"],
            row["customer_id"],
            row["customer"],
            row["number"],
            f"{row['brand'].capitalize()} {row['last4']}",
            last,
            last < today,
            row["consent_id"] is not None,
        )
        for row, last in found
        if today - SHOWN_AFTER <= last <= today + within
    ]


def _month(day: date) -> int:
    return day.year * 12 + day.month


async def refresh(customer_id: UUID, seen: list[CardSeen]) -> int:
    """Takes over what the gateway learned from the bank: new dates, a new number. How many cards changed."""
    changed = 0
    async with transaction():
        for card in seen:
            values = {"brand": card.brand[:20] or "card", "last4": card.last4, "token_ref": card.token_ref}
            dates = {"exp_month": card.exp_month, "exp_year": card.exp_year}
            for row in await execute(REFRESH.bind(customer_id=customer_id, **values, **dates)):
                changed += 1
                await audit.record(audit.system(customer_id=customer_id), Event.CARDS_REPLACED, about=row["id"])
    return changed


ENDING = Prepared.sql(
    """
    SELECT m.id AS id, m.customer_id AS customer_id, m.brand AS brand, m.last4 AS last4, m.exp_month AS exp_month,
        m.exp_year AS exp_year, c.name AS customer, c.number AS number, a.id AS consent_id
    FROM payment_method m JOIN customer c ON c.id = m.customer_id
    LEFT JOIN autopay_consent a ON a.customer_id = m.customer_id AND a.ended_at IS NULL
    WHERE m.removed_at IS NULL AND m.is_default AND m.exp_year * 12 + m.exp_month BETWEEN :first AND :last
    ORDER BY m.exp_year, m.exp_month, c.number LIMIT 500
    """
)
NEAR = Prepared.sql(
    """
    SELECT id, customer_id, brand, last4, exp_month, exp_year, told_days FROM payment_method
    WHERE removed_at IS NULL AND (told_days IS NULL OR told_days > 0)
        AND (exp_year <= :year OR (exp_year = :next_year AND exp_month <= 2))
    ORDER BY id LIMIT 20000
    """
)
TOLD = Prepared.sql(
    """
    UPDATE payment_method SET told_days = :stage
    WHERE id = :id AND removed_at IS NULL AND (told_days IS NULL OR told_days > :stage) RETURNING id
    """
)
REFRESH = Prepared.sql(
    """
    UPDATE payment_method
    SET brand = :brand, last4 = :last4, exp_month = :exp_month, exp_year = :exp_year, told_days = NULL
    WHERE customer_id = :customer_id AND token_ref = :token_ref AND removed_at IS NULL
        AND (exp_month <> :exp_month OR exp_year <> :exp_year OR last4 <> :last4)
    RETURNING id
    """
)
