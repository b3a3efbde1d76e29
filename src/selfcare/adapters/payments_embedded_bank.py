"""The bank behind the simulated gateway: cards named for what happens when they are used, and what then happens.

Everything here is inside the gateway's own transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.ports import failures
from selfcare.ports.jobs import MONEY, Jobs
from selfcare.ports.payments import About, Charge, Misused, Why

DELIVER = "simpay.deliver"
DECIDE = "simpay.decide"
LATE = timedelta(seconds=20)
DECIDES_AFTER = timedelta(seconds=15)
WALLET = "Simulated wallet"


class Outcome(StrEnum):
    APPROVES = "approves"
    DECLINED = "declined"
    NO_FUNDS = "no_funds"
    EXPIRED = "expired"
    WRONG_CODE = "wrong_code"
    LOST = "lost"
    LIMIT = "limit"
    NOT_SUPPORTED = "not_supported"
    TROUBLE = "trouble"
    OTHER = "other"
    ASKS = "asks"
    LATER_DECLINES = "later_declines"
    ANSWER_LOST = "answer_lost"
    SLOW = "slow"
    DECIDES_LATER = "decides_later"
    TWICE = "twice"
    EARLY = "early"
    LATE = "late"
    REFUND_FAILS = "refund_fails"
    DISPUTE = "dispute"
    WALLET = "wallet"


@dataclass(frozen=True, slots=True)
class Plastic:
    """What such a card looks like."""

    brand: str
    last4: str


PLASTIC = {
    Outcome.APPROVES: Plastic("visa", "4242"),
    Outcome.DECLINED: Plastic("visa", "0002"),
    Outcome.NO_FUNDS: Plastic("visa", "9995"),
    Outcome.EXPIRED: Plastic("visa", "0069"),
    Outcome.WRONG_CODE: Plastic("visa", "0127"),
    Outcome.LOST: Plastic("visa", "9987"),
    Outcome.LIMIT: Plastic("mastercard", "6975"),
    Outcome.NOT_SUPPORTED: Plastic("unionpay", "0005"),
    Outcome.TROUBLE: Plastic("visa", "0119"),
    Outcome.OTHER: Plastic("amex", "0101"),
    Outcome.ASKS: Plastic("visa", "3184"),
    Outcome.LATER_DECLINES: Plastic("visa", "0341"),
    Outcome.ANSWER_LOST: Plastic("mastercard", "4444"),
    Outcome.SLOW: Plastic("mastercard", "5100"),
    Outcome.DECIDES_LATER: Plastic("mastercard", "8210"),
    Outcome.TWICE: Plastic("visa", "1881"),
    Outcome.EARLY: Plastic("visa", "5556"),
    Outcome.LATE: Plastic("visa", "1111"),
    Outcome.REFUND_FAILS: Plastic("visa", "3155"),
    Outcome.DISPUTE: Plastic("visa", "0259"),
    Outcome.WALLET: Plastic("visa", "4242"),
}
REFUSES = {
    Outcome.DECLINED: Why.BANK_REFUSED,
    Outcome.NO_FUNDS: Why.NO_FUNDS,
    Outcome.EXPIRED: Why.EXPIRED_CARD,
    Outcome.WRONG_CODE: Why.WRONG_CODE,
    Outcome.LOST: Why.LOST_CARD,
    Outcome.LIMIT: Why.LIMIT,
    Outcome.NOT_SUPPORTED: Why.NOT_SUPPORTED,
    Outcome.TROUBLE: Why.PROVIDER_TROUBLE,
    Outcome.OTHER: Why.OTHER,
}
# What may be switched on for the next calls, whatever the card.
FAULTS = ("answer_lost", "slow", "decline", "duplicate", "late")


def words(outcome: Outcome) -> str:
    """What the visitor picks it by."""
    return {
        Outcome.APPROVES: _("approves"),
        Outcome.DECLINED: _("the bank refuses"),
        Outcome.NO_FUNDS: _("not enough money"),
        Outcome.EXPIRED: _("expired card"),
        Outcome.WRONG_CODE: _("wrong security code"),
        Outcome.LOST: _("reported lost"),
        Outcome.LIMIT: _("over its limit"),
        Outcome.NOT_SUPPORTED: _("a kind of card nobody takes"),
        Outcome.TROUBLE: _("the card network is out of order"),
        Outcome.OTHER: _("refused without a reason"),
        Outcome.ASKS: _("asks for approval (3-D Secure)"),
        Outcome.LATER_DECLINES: _("is kept, and declines when used later"),
        Outcome.ANSWER_LOST: _("approves, and the answer is lost"),
        Outcome.SLOW: _("approves, and answers too late (15 s)"),
        Outcome.DECIDES_LATER: _("decides after a while"),
        Outcome.TWICE: _("approves, and tells us twice"),
        Outcome.EARLY: _("approves, and tells us before it answers"),
        Outcome.LATE: _("approves, and tells us late (20 s)"),
        Outcome.REFUND_FAILS: _("approves, and refuses refunds"),
        Outcome.DISPUTE: _("approves, and is disputed"),
        Outcome.WALLET: _("in a phone's wallet, approves"),
    }[outcome]


def sim_id(prefix: str) -> str:
    return f"{prefix}_sim_{new_id().hex}"


async def remember(key: str, what: str, ref: str) -> str | None:
    """The ref of the first call with this key, None for the first. The same key for something else is a mistake."""
    fingerprint = sha256(what.encode()).hexdigest()
    if await execute(REMEMBER.bind(key=key, fingerprint=fingerprint, ref=ref, now=clock.now())):
        return None
    known = await fetch_one(REMEMBERED.bind(key=key))
    assert known is not None
    if known["fingerprint"] != fingerprint:
        raise Misused(f"the key {key} was used for something else")
    first: str = known["answer_ref"]
    return first


async def new_card(customer_ref: str, outcome: Outcome, *, holder: str, now: datetime) -> str:
    plastic, ref = PLASTIC[outcome], sim_id("pm")
    await execute(
        ADD_CARD.bind(
            id=ref,
            customer_ref=customer_ref,
            outcome=outcome,
            brand=plastic.brand,
            last4=plastic.last4,
            exp_month=now.month,
            exp_year=now.year - 1 if outcome is Outcome.EXPIRED else now.year + 3,
            holder=holder,
            fingerprint=f"sim-{customer_ref}-{plastic.last4}"[-64:],
            now=now,
        )
    )
    return ref


async def card(ref: str) -> Row:
    """Raises Declined where it is not kept, or no more."""
    found = await fetch_one(CARD.bind(id=ref))
    if found is None or found["detached_at"] is not None:
        raise failures.Declined("the gateway does not keep this card")
    return found


async def renew_ending(jobs: Jobs, *, within: timedelta) -> int:
    """The banks behind the cards that end soon send new dates for them. How many cards that were."""
    last, now = clock.now() + within, clock.now()
    rows = await execute(RENEW.bind(last=last.year * 12 + last.month, year=now.year + 3))
    for row in rows:
        await tell(jobs, "card.updated", About.CARD, row["id"], None, Outcome.APPROVES)
    return len(rows)


async def pay(
    jobs: Jobs,
    charge: Charge,
    plastic: Row,
    *,
    on_session: bool,
    first_use: bool,
    refuse: bool,
    session_ref: str | None,
) -> str:
    """Makes the payment, whatever becomes of it; its ref."""
    outcome, ref, now = Outcome(plastic["outcome"]), sim_id("pi"), clock.now()
    state, why = _decide(outcome, on_session=on_session, first_use=first_use, refuse=refuse)
    await execute(
        ADD_PAYMENT.bind(
            id=ref,
            state=state,
            why=why,
            customer_ref=charge.customer_ref,
            card_ref=plastic["id"],
            session_ref=session_ref,
            payment_id=charge.payment_id,
            amount=charge.amount.minor,
            currency=charge.amount.currency,
            reference=charge.reference,
            description=charge.description[:200],
            return_url=charge.return_url,
            now=now,
        )
    )
    if state == "processing":
        payload = {"ref": ref}
        await jobs.enqueue(DECIDE, key=f"{DECIDE}:{ref}", payload=payload, run_at=now + DECIDES_AFTER, priority=MONEY)
    await tell(jobs, f"payment.{state}", About.PAYMENT, ref, charge.payment_id, outcome)
    if state == "succeeded":
        await _aftermath(jobs, ref, charge.payment_id, outcome)
    return ref


def _decide(outcome: Outcome, *, on_session: bool, first_use: bool, refuse: bool) -> tuple[str, Why | None]:
    if refuse:
        return "declined", Why.BANK_REFUSED
    if outcome in REFUSES:
        return "declined", REFUSES[outcome]
    if outcome is Outcome.LATER_DECLINES and not first_use:
        return "declined", Why.NO_FUNDS
    if outcome is Outcome.ASKS:
        return ("requires_action", None) if on_session else ("declined", Why.NEEDS_APPROVAL)
    if outcome is Outcome.DECIDES_LATER:
        return "processing", None
    return "succeeded", None


async def _aftermath(jobs: Jobs, ref: str, payment_id: UUID, outcome: Outcome) -> None:
    if outcome is Outcome.DISPUTE:
        await execute(DISPUTE.bind(id=ref))
        await tell(jobs, "dispute.created", About.DISPUTE, ref, payment_id, outcome)


async def finish(jobs: Jobs, ref: str, *, approved: bool) -> bool:
    """The bank has decided. False where it had before."""
    state, why = ("succeeded", None) if approved else ("declined", Why.NEEDS_APPROVAL)
    rows = await execute(FINISH.bind(id=ref, state=state, why=why, now=clock.now()))
    if not rows:
        return False
    found = await payment(ref)
    assert found is not None
    outcome = Outcome(found["outcome"])
    await tell(jobs, f"payment.{state}", About.PAYMENT, ref, found["payment_id"], outcome)
    if approved:
        await _aftermath(jobs, ref, found["payment_id"], outcome)
    return True


async def stop(jobs: Jobs, ref: str) -> None:
    rows = await execute(STOP.bind(id=ref, now=clock.now()))
    if rows:
        await tell(jobs, "payment.canceled", About.PAYMENT, ref, rows[0]["payment_id"], Outcome.APPROVES)


async def give_back(jobs: Jobs, payment_ref: str, amount: Money, key: str) -> str:
    """Raises Declined where it never will."""
    paid = await payment(payment_ref)
    if paid is None or paid["state"] != "succeeded" or paid["currency"] != amount.currency:
        raise failures.Declined("there is nothing to give back")
    if paid["disputed"]:
        raise failures.Declined("this payment is disputed")
    if not await execute(RETURN.bind(id=payment_ref, amount=amount.minor)):
        raise failures.Declined("that is more than was taken")
    ref = sim_id("re")
    failing = paid["outcome"] == Outcome.REFUND_FAILS
    state = "pending" if failing else "done"
    values = {"id": ref, "payment_ref": payment_ref, "key": key, "state": state, "now": clock.now()}
    await execute(ADD_REFUND.bind(amount=amount.minor, currency=amount.currency, **values))
    await tell(jobs, f"refund.{state}", About.REFUND, ref, paid["payment_id"], Outcome(paid["outcome"]))
    if failing:
        payload = {"ref": ref}
        at = clock.now() + DECIDES_AFTER
        await jobs.enqueue(DECIDE, key=f"{DECIDE}:{ref}", payload=payload, run_at=at, priority=MONEY)
    return ref


async def fail_refund(jobs: Jobs, ref: str) -> None:
    rows = await execute(FAIL_REFUND.bind(id=ref))
    if rows:
        await tell(jobs, "refund.failed", About.REFUND, ref, None, Outcome.REFUND_FAILS)


async def payment(ref: str) -> Row | None:
    return await fetch_one(PAYMENT.bind(id=ref))


async def tell(jobs: Jobs, kind: str, about: About, ref: str, payment_id: UUID | None, outcome: Outcome) -> None:
    """Writes the event down, and has it delivered through the real route."""
    id, now = sim_id("evt"), clock.now()
    await execute(ADD_EVENT.bind(id=id, kind=kind, about=about, ref=ref, payment_id=payment_id, now=now))
    late = outcome is Outcome.LATE or await use_fault("late")
    copies = 2 if outcome is Outcome.TWICE or await use_fault("duplicate") else 1
    run_at = now + LATE if late else None
    for copy in range(1, copies + 1):
        await jobs.enqueue(DELIVER, key=f"{DELIVER}:{id}:{copy}", payload={"event": id}, run_at=run_at, priority=MONEY)


async def use_fault(name: str) -> bool:
    return bool(await execute(USE_FAULT.bind(name=name)))


async def set_fault(name: str, times: int) -> None:
    await execute(SET_FAULT.bind(name=name, times=times))


async def faults() -> dict[str, int]:
    """For how many calls each is still switched on."""
    return dict.fromkeys(FAULTS, 0) | {row["name"]: row["times"] for row in await fetch(READ_FAULTS.bind())}


def card_fields(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("brand", "last4", "exp_month", "exp_year", "holder", "fingerprint")}


REMEMBER = Prepared.sql(
    """
    INSERT INTO sim_request (key, fingerprint, answer_ref, created_at) VALUES (:key, :fingerprint, :ref, :now)
    ON CONFLICT (key) DO NOTHING RETURNING key
    """
)
REMEMBERED = Prepared.sql("SELECT fingerprint, answer_ref FROM sim_request WHERE key = :key")
ADD_CARD = Prepared.sql(
    """
    INSERT INTO sim_card (id, customer_ref, outcome, brand, last4, exp_month, exp_year, holder, fingerprint, created_at)
    VALUES (:id, :customer_ref, :outcome, :brand, :last4, :exp_month, :exp_year, :holder, :fingerprint, :now)
    """
)
CARD = Prepared.sql(
    """
    SELECT id, customer_ref, outcome, brand, last4, exp_month, exp_year, holder, fingerprint, detached_at
    FROM sim_card WHERE id = :id
    """
)
RENEW = Prepared.sql(
    """
    UPDATE sim_card SET exp_year = :year
    WHERE detached_at IS NULL AND exp_year * 12 + exp_month <= :last RETURNING id
    """
)
ADD_PAYMENT = Prepared.sql(
    """
    INSERT INTO sim_payment (id, state, why, customer_ref, card_ref, session_ref, payment_id, amount_minor,
        refunded_minor, currency, reference, description, return_url, disputed, created_at, changed_at)
    VALUES (:id, :state, :why, :customer_ref, :card_ref, :session_ref, :payment_id, :amount, 0, :currency, :reference,
        :description, :return_url, FALSE, :now, :now)
    """
)
PAYMENT = Prepared.sql(
    """
    SELECT p.id, p.state, p.why, p.customer_ref, p.card_ref, p.session_ref, p.payment_id, p.amount_minor,
        p.refunded_minor, p.currency, p.reference, p.description, p.return_url, p.disputed, c.outcome, c.brand, c.last4,
        c.exp_month, c.exp_year, c.holder, c.fingerprint, c.detached_at
    FROM sim_payment p JOIN sim_card c ON c.id = p.card_ref WHERE p.id = :id
    """
)
FINISH = Prepared.sql(
    """
    UPDATE sim_payment SET state = :state, why = :why, changed_at = :now
    WHERE id = :id AND state IN ('requires_action', 'processing') RETURNING id
    """
)
STOP = Prepared.sql(
    """
    UPDATE sim_payment SET state = 'canceled', changed_at = :now
    WHERE id = :id AND state = 'requires_action' RETURNING payment_id
    """
)
DISPUTE = Prepared.sql("UPDATE sim_payment SET disputed = TRUE WHERE id = :id")
RETURN = Prepared.sql(
    """
    UPDATE sim_payment SET refunded_minor = refunded_minor + :amount
    WHERE id = :id AND refunded_minor + :amount <= amount_minor RETURNING id
    """
)
ADD_REFUND = Prepared.sql(
    """
    INSERT INTO sim_refund (id, payment_ref, request_key, amount_minor, currency, state, created_at)
    VALUES (:id, :payment_ref, :key, :amount, :currency, :state, :now)
    """
)
FAIL_REFUND = Prepared.sql(
    "UPDATE sim_refund SET state = 'failed' WHERE id = :id AND state = 'pending' RETURNING payment_ref"
)
ADD_EVENT = Prepared.sql(
    """
    INSERT INTO sim_event (id, kind, about, object_ref, payment_id, created_at)
    VALUES (:id, :kind, :about, :ref, :payment_id, :now)
    """
)
USE_FAULT = Prepared.sql("UPDATE sim_fault SET times = times - 1 WHERE name = :name AND times > 0 RETURNING name")
READ_FAULTS = Prepared.sql("SELECT name, times FROM sim_fault")
SET_FAULT = Prepared.sql(
    """
    INSERT INTO sim_fault (name, times) VALUES (:name, :times)
    ON CONFLICT (name) DO UPDATE SET times = excluded.times
    """
)
