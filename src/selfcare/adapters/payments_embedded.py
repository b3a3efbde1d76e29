"""A payment gateway that moves no money: same port, own card page and bank page under /simpay, own signed webhooks.

It is as strict as a real one: keys, limits, who owns which card, what a bank wants to be asked about. What goes wrong
is chosen by the name of the card, or switched on for the next calls (`set_fault`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters import outgoing
from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.payments_embedded_bank import Outcome, sim_id
from selfcare.adapters.payments_embedded_hooks import Deliver, Hooks
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.money import Money, exponent
from selfcare.ports import failures
from selfcare.ports.jobs import Jobs
from selfcare.ports.payments import (
    About,
    Answer,
    Canceled,
    CardSeen,
    CardSetup,
    Charge,
    Declined,
    Event,
    Limits,
    Misused,
    NeedsAction,
    Payer,
    Pending,
    Redirect,
    Refunded,
    RefundState,
    Seen,
    Setup,
    SetupDone,
    SetupEnded,
    SetupOpen,
    Succeeded,
    Unknown,
    Why,
)

SESSION_LIFE = timedelta(minutes=30)
MOST_MINOR = 99_999_999


class SimulatedGateway:
    name = "embedded"
    is_simulated = True

    def __init__(
        self, jobs: Jobs, *, key: bytes, public_url: str, patience_seconds: float = 10, deliver: Deliver | None = None
    ) -> None:
        """`key` signs its webhooks; `patience_seconds` is when the caller of a slow answer gives up."""
        self.jobs = jobs
        self.public_url = public_url
        self.patience_seconds = patience_seconds
        self.hooks = Hooks(key, public_url, deliver)

    def limits(self, currency: str) -> Limits:
        least = {0: 50, 2: 50, 3: 500}[exponent(currency)]
        step = 10 if exponent(currency) == 3 else 1
        return Limits(Money(least, currency), Money(MOST_MINOR - MOST_MINOR % step, currency), step)

    async def ensure_customer(self, payer: Payer) -> str:
        outgoing.check_outside()
        async with transaction():
            await execute(ADD_CUSTOMER.bind(id=sim_id("cus"), customer_id=payer.id, name=payer.name, now=clock.now()))
        found = await fetch_one(CUSTOMER.bind(customer_id=payer.id))
        assert found is not None
        ref: str = found["id"]
        return ref

    async def start_card_setup(self, setup: CardSetup) -> Redirect:
        outgoing.check_outside()
        what = f"setup {setup}"
        async with transaction():
            ref = await self._open_session(
                setup.key,
                what,
                mode="setup",
                customer_ref=setup.customer_ref,
                currency=setup.currency,
                return_url=setup.return_url,
                cancel_url=setup.cancel_url,
            )
        return Redirect(ref, self._card_page(ref))

    async def finish_card_setup(self, ref: str) -> Setup:
        outgoing.check_outside()
        session = await self._session(ref)
        if session is None or session["mode"] != "setup":
            raise failures.Declined("there is no such visit")
        if session["state"] == "complete":
            card = await bank.card(session["card_ref"])
            return SetupDone(_card_seen(card["id"], card), session["customer_ref"])
        if session["state"] == "expired" or session["expires_at"] <= clock.now():
            return SetupEnded()
        return SetupOpen(self._card_page(ref))

    async def list_cards(self, customer_ref: str) -> Sequence[CardSeen]:
        outgoing.check_outside()
        return [_card_seen(row["id"], row) for row in await fetch(CARDS.bind(customer_ref=customer_ref))]

    async def detach_card(self, token_ref: str) -> None:
        outgoing.check_outside()
        async with transaction():
            rows = await execute(DETACH.bind(id=token_ref, now=clock.now()))
            if rows:
                await bank.tell(self.jobs, "card.detached", About.CARD, token_ref, None, Outcome.APPROVES)

    async def set_default(self, customer_ref: str, token_ref: str | None) -> None:
        outgoing.check_outside()
        async with transaction():
            if token_ref is not None:
                await self._own_card(customer_ref, token_ref)
            await execute(SET_DEFAULT.bind(id=customer_ref, card=token_ref))

    async def start_new_card_payment(self, charge: Charge, *, save_card: bool) -> Answer:
        outgoing.check_outside()
        self._check(charge)
        async with transaction():
            ref = await self._open_session(
                charge.key,
                f"new {save_card} {charge}",
                mode="payment",
                customer_ref=charge.customer_ref,
                currency=charge.amount.currency,
                amount=charge.amount.minor,
                payment_id=charge.payment_id,
                reference=charge.reference,
                description=charge.description,
                save_card=save_card,
                return_url=charge.return_url,
                cancel_url=charge.cancel_url,
            )
            lost = await bank.use_fault("answer_lost")
        return Unknown() if lost else await self.get_payment(ref)

    async def charge(self, charge: Charge, *, token_ref: str, on_session: bool) -> Answer:
        outgoing.check_outside()
        self._check(charge)
        try:
            async with transaction():
                ref, outcome, lost, slow = await self._charge(charge, token_ref, on_session=on_session)
        except failures.Declined:
            return Declined(Why.NOT_SUPPORTED)
        if outcome is Outcome.EARLY:
            await self.hooks.deliver_waiting(ref)
        if lost or (outcome is Outcome.ANSWER_LOST and await self._first_time_lost(charge.key)):
            return Unknown()
        if slow:
            await asyncio.sleep(self.patience_seconds)
            return Unknown()
        return await self.get_payment(ref)

    async def _charge(self, charge: Charge, token_ref: str, *, on_session: bool) -> tuple[str, Outcome, bool, bool]:
        """In one transaction: the payment and its key, or neither."""
        first = await bank.remember(charge.key, f"charge {token_ref} {on_session} {charge}", sim_id("pending"))
        if first is not None:
            known = await fetch_one(BY_KEY.bind(ref=first))
            assert known is not None
            return known["id"], Outcome(known["outcome"]), False, False
        card = await self._own_card(charge.customer_ref, token_ref)
        refuse = await bank.use_fault("decline")
        ref = await bank.pay(
            self.jobs, charge, card, on_session=on_session, first_use=False, refuse=refuse, session_ref=None
        )
        await execute(POINT.bind(key=charge.key, ref=ref))
        outcome = Outcome(card["outcome"])
        slow = outcome is Outcome.SLOW or await bank.use_fault("slow")
        return ref, outcome, await bank.use_fault("answer_lost"), slow

    async def _first_time_lost(self, key: str) -> bool:
        """Such a card loses each answer once: asked again, it tells."""
        async with transaction():
            return await bank.remember(f"lost:{key}", key, "lost") is None

    async def get_payment(self, ref: str) -> Answer:
        outgoing.check_outside()
        if not ref.startswith("cs_"):
            return self._answer(await bank.payment(ref), ref)
        session = await self._session(ref)
        if session is None:
            raise failures.Declined("there is no such payment")
        if session["state"] == "complete":
            return self._answer(await bank.payment(session["payment_ref"]), ref)
        if session["state"] == "expired" or session["expires_at"] <= clock.now():
            return Canceled(ref)
        return NeedsAction(ref, self._card_page(ref))

    async def find_by_reference(self, customer_ref: str, payment_id: UUID) -> Answer | None:
        outgoing.check_outside()
        rows = await fetch(FIND.bind(customer_ref=customer_ref, payment_id=payment_id))
        return await self.get_payment(rows[0]["session_ref"] or rows[0]["id"]) if rows else None

    async def cancel(self, ref: str) -> Answer:
        outgoing.check_outside()
        async with transaction():
            if ref.startswith("cs_"):
                await execute(EXPIRE.bind(id=ref))
            else:
                await bank.stop(self.jobs, ref)
        return await self.get_payment(ref)

    async def refund(self, charge_ref: str, amount: Money, *, payment_id: UUID, key: str) -> Refunded:
        outgoing.check_outside()
        async with transaction():
            first = await bank.remember(key, f"refund {charge_ref} {amount}", sim_id("pending"))
            if first is None:
                ref = await bank.give_back(self.jobs, charge_ref, amount, key)
                await execute(POINT.bind(key=key, ref=ref))
            else:
                ref = first
            lost = await bank.use_fault("answer_lost")
        if lost:
            raise failures.Unknown("the answer got lost")
        return await self.get_refund(ref)

    async def get_refund(self, ref: str) -> Refunded:
        outgoing.check_outside()
        row = await fetch_one(REFUND.bind(id=ref))
        if row is None:
            raise failures.Declined("there is no such refund")
        return Refunded(ref, RefundState(row["state"]), Money(row["amount_minor"], row["currency"]))

    async def find_refund(self, charge_ref: str, key: str) -> Refunded | None:
        outgoing.check_outside()
        row = await fetch_one(REFUND_BY_KEY.bind(payment_ref=charge_ref, key=key))
        return await self.get_refund(row["id"]) if row else None

    def parse_webhook(self, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        return self.hooks.parse(raw, headers, now=now)

    async def list_missed_events(self, *, since: datetime) -> Sequence[Event]:
        outgoing.check_outside()
        return await self.hooks.list_missed(since=since)

    # What the card page and the bank page under /simpay do.

    async def find_visit(self, ref: str) -> Row | None:
        """The visit to the card page, also one that is over."""
        return await self._session(ref)

    async def visit(self, ref: str) -> Row:
        """As `find_visit`. Raises Declined for one that is over."""
        session = await self.find_visit(ref)
        if session is None or not is_open(session):
            raise failures.Declined("this visit is over")
        return session

    async def choose(self, ref: str, outcome: Outcome, *, holder: str = "") -> Answer | SetupDone | Declined:
        """The visitor picked a card. A declined one leaves the visit open for another."""
        session = await self.visit(ref)
        async with transaction():
            if session["mode"] == "setup":
                return await self._keep_card(session, outcome, holder)
            return await self._pay_by_new_card(session, outcome, holder)

    async def _keep_card(self, session: Row, outcome: Outcome, holder: str) -> SetupDone | Declined:
        if outcome in bank.REFUSES:
            return Declined(bank.REFUSES[outcome])
        if outcome is Outcome.WALLET:
            return Declined(Why.NOT_SUPPORTED)
        card_ref = await bank.new_card(session["customer_ref"], outcome, holder=holder, now=clock.now())
        if not await execute(COMPLETE.bind(id=session["id"], card=card_ref, payment=None, now=clock.now())):
            raise failures.Declined("this visit is over")
        await bank.tell(self.jobs, "card.kept", About.CARD, card_ref, None, outcome)
        return SetupDone(_card_seen(card_ref, await bank.card(card_ref)), session["customer_ref"])

    async def _pay_by_new_card(self, session: Row, outcome: Outcome, holder: str) -> Answer:
        # Two clicks in two windows: one of them finds the visit used.
        if not await execute(USE_SESSION.bind(id=session["id"], tries=session["tries"])):
            raise failures.Declined("this visit is over")
        card_ref = await bank.new_card(session["customer_ref"], outcome, holder=holder, now=clock.now())
        charge = Charge(
            payment_id=session["payment_id"],
            customer_ref=session["customer_ref"],
            amount=Money(session["amount_minor"], session["currency"]),
            reference=session["reference"],
            description=session["description"],
            key="",
            return_url=session["return_url"],
            cancel_url=session["cancel_url"],
        )
        card, refuse = await bank.card(card_ref), await bank.use_fault("decline")
        ref = await bank.pay(
            self.jobs, charge, card, on_session=True, first_use=True, refuse=refuse, session_ref=session["id"]
        )
        if not session["save_card"] or outcome is Outcome.WALLET:
            await execute(DETACH.bind(id=card_ref, now=clock.now()))
        answer = self._answer(await bank.payment(ref), ref)
        if isinstance(answer, Succeeded | Pending):
            await execute(COMPLETE.bind(id=session["id"], card=card_ref, payment=ref, now=clock.now()))
        return answer

    async def approve(self, ref: str, *, approved: bool) -> Row:
        """The answer to the bank's question; the payment, with where to go back to."""
        async with transaction():
            paid = await bank.payment(ref)
            if paid is None:
                raise failures.Declined("there is no such payment")
            if approved and paid["session_ref"] and not await self._complete(paid):
                # The visit is over, or another card paid meanwhile: this one must not pay as well.
                await bank.stop(self.jobs, ref)
            else:
                await bank.finish(self.jobs, ref, approved=approved)
        return paid

    async def _complete(self, paid: Row) -> bool:
        values = {"id": paid["session_ref"], "card": paid["card_ref"], "payment": paid["id"], "now": clock.now()}
        return bool(await execute(COMPLETE.bind(**values)))

    # Its jobs.

    async def decide_now(self, job: Job) -> None:
        ref: str = job.payload["ref"]
        async with transaction():
            if ref.startswith("re_"):
                await bank.fail_refund(self.jobs, ref)
            else:
                await bank.finish(self.jobs, ref, approved=True)

    # The rest is how it is done.

    async def _open_session(
        self,
        key: str,
        what: str,
        *,
        mode: str,
        customer_ref: str,
        currency: str,
        return_url: str,
        cancel_url: str,
        amount: int | None = None,
        payment_id: UUID | None = None,
        reference: str = "",
        description: str = "",
        save_card: bool = True,
    ) -> str:
        ref = sim_id("cs")
        first = await bank.remember(key, what, ref)
        if first is not None:
            return first
        await self._check_customer(customer_ref)
        now = clock.now()
        await execute(
            ADD_SESSION.bind(
                id=ref,
                mode=mode,
                customer_ref=customer_ref,
                payment_id=payment_id,
                amount=amount,
                currency=currency,
                reference=reference,
                description=description[:200],
                save_card=save_card,
                return_url=return_url,
                cancel_url=cancel_url,
                now=now,
                expires_at=now + SESSION_LIFE,
            )
        )
        return ref

    def _check(self, charge: Charge) -> None:
        limits = self.limits(charge.amount.currency)
        if charge.amount < limits.least or charge.amount > limits.most or charge.amount.minor % limits.step:
            raise Misused(f"{charge.amount} is outside the limits")

    async def _check_customer(self, ref: str) -> None:
        if await fetch_one(CUSTOMER_BY_REF.bind(id=ref)) is None:
            raise Misused("the gateway does not know this customer")

    async def _own_card(self, customer_ref: str, token_ref: str) -> Row:
        card = await bank.card(token_ref)
        if card["customer_ref"] != customer_ref:
            raise failures.Declined("this card belongs to somebody else")
        return card

    async def _session(self, ref: str) -> Row | None:
        return await fetch_one(SESSION.bind(id=ref))

    def _card_page(self, ref: str) -> str:
        return f"{self.public_url}/simpay/card/{ref}"

    def _answer(self, row: Row | None, asked_by: str) -> Answer:
        if row is None:
            raise failures.Declined("there is no such payment")
        match row["state"]:
            case "succeeded":
                return Succeeded(_seen(row))
            case "requires_action":
                return NeedsAction(asked_by, f"{self.public_url}/simpay/bank/{row['id']}")
            case "processing":
                return Pending(asked_by)
            case "declined":
                return Declined(Why(row["why"] or Why.OTHER), asked_by)
            case _:
                return Canceled(asked_by)


def is_open(session: Row) -> bool:
    return bool(session["state"] == "open" and session["expires_at"] > clock.now())


def _card_seen(ref: str | None, row: Mapping[str, Any]) -> CardSeen:
    wallet = bank.WALLET if row.get("outcome") == Outcome.WALLET else ""
    return CardSeen(token_ref=ref, wallet=wallet, **bank.card_fields(dict(row)))


def _seen(row: Row) -> Seen:
    return Seen(
        ref=row["id"],
        amount=Money(row["amount_minor"], row["currency"]),
        customer_ref=row["customer_ref"],
        payment_id=row["payment_id"],
        card=_card_seen(row["card_ref"] if row["detached_at"] is None else None, row),
        disputed=row["disputed"],
    )


ADD_CUSTOMER = Prepared.sql(
    """
    INSERT INTO sim_customer (id, customer_id, name, created_at) VALUES (:id, :customer_id, :name, :now)
    ON CONFLICT (customer_id) DO NOTHING
    """
)
CUSTOMER = Prepared.sql("SELECT id FROM sim_customer WHERE customer_id = :customer_id")
CUSTOMER_BY_REF = Prepared.sql("SELECT id FROM sim_customer WHERE id = :id")
SET_DEFAULT = Prepared.sql("UPDATE sim_customer SET default_card = :card WHERE id = :id")
CARDS = Prepared.sql(
    """
    SELECT id, brand, last4, exp_month, exp_year, holder, fingerprint FROM sim_card
    WHERE customer_ref = :customer_ref AND detached_at IS NULL ORDER BY created_at, id
    """
)
DETACH = Prepared.sql("UPDATE sim_card SET detached_at = :now WHERE id = :id AND detached_at IS NULL RETURNING id")
ADD_SESSION = Prepared.sql(
    """
    INSERT INTO sim_session (id, mode, state, customer_ref, payment_id, amount_minor, currency, reference, description,
        save_card, return_url, cancel_url, tries, created_at, expires_at)
    VALUES (:id, :mode, 'open', :customer_ref, :payment_id, :amount, :currency, :reference, :description,
        :save_card, :return_url, :cancel_url, 0, :now, :expires_at)
    """
)
SESSION = Prepared.sql(
    """
    SELECT id, mode, state, customer_ref, payment_id, amount_minor, currency, reference, description, save_card,
        return_url, cancel_url, payment_ref, card_ref, tries, expires_at
    FROM sim_session WHERE id = :id
    """
)
USE_SESSION = Prepared.sql(
    "UPDATE sim_session SET tries = tries + 1 WHERE id = :id AND state = 'open' AND tries = :tries RETURNING id"
)
COMPLETE = Prepared.sql(
    """
    UPDATE sim_session SET state = 'complete', card_ref = :card, payment_ref = :payment
    WHERE id = :id AND state = 'open' AND expires_at > :now RETURNING id
    """
)
EXPIRE = Prepared.sql("UPDATE sim_session SET state = 'expired' WHERE id = :id AND state = 'open'")
POINT = Prepared.sql("UPDATE sim_request SET answer_ref = :ref WHERE key = :key")
BY_KEY = Prepared.sql(
    "SELECT p.id, c.outcome FROM sim_payment p JOIN sim_card c ON c.id = p.card_ref WHERE p.id = :ref"
)
FIND = Prepared.sql(
    """
    SELECT id, session_ref FROM sim_payment WHERE customer_ref = :customer_ref AND payment_id = :payment_id
    ORDER BY CASE state WHEN 'succeeded' THEN 0 WHEN 'declined' THEN 2 WHEN 'canceled' THEN 2 ELSE 1 END, id LIMIT 1
    """
)
REFUND = Prepared.sql("SELECT id, state, amount_minor, currency FROM sim_refund WHERE id = :id")
REFUND_BY_KEY = Prepared.sql("SELECT id FROM sim_refund WHERE payment_ref = :payment_ref AND request_key = :key")
