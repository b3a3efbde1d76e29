"""Money from cards. Card numbers stay with the gateway; we hold its names for customers, cards and payments.

A question whose answer got lost is answered `Unknown` where money may have moved. Every other call raises `Unreachable`
or `Unknown` of `ports.failures` instead, and nothing else. None of this may be called inside `transaction()`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias
from uuid import UUID

from selfcare.kernel.money import Money


class Why(StrEnum):
    """The ten classes of a refusal. What the gateway says in its own words never leaves the adapter."""

    NO_FUNDS = "no_funds"
    EXPIRED_CARD = "expired_card"
    WRONG_CODE = "wrong_code"
    BANK_REFUSED = "bank_refused"
    NEEDS_APPROVAL = "needs_approval"
    LIMIT = "limit"
    NOT_SUPPORTED = "not_supported"
    LOST_CARD = "lost_card"
    PROVIDER_TROUBLE = "provider_trouble"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card as the gateway shows it. `token_ref` is its name for it, None where it was not kept.

    `wallet` is what it was held out in ("Apple Pay"), empty for a card that was typed; such a one is never kept.
    """

    token_ref: str | None
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    holder: str = ""
    fingerprint: str = ""
    wallet: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the gateway says it took: compared with our own row before anything is booked."""

    ref: str
    amount: Money
    customer_ref: str | None
    payment_id: UUID | None
    card: CardSeen | None = None
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Succeeded:
    seen: Seen


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The person has something to do at `url`: the gateway's card page or the bank's question."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True)
class Declined:
    why: Why
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """The bank is deciding."""

    ref: str


@dataclass(frozen=True, slots=True)
class Canceled:
    """Nothing was taken and nothing will be."""

    ref: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened. Ask again; never do it again under another key."""


Answer: TypeAlias = Succeeded | NeedsAction | Declined | Pending | Canceled | Unknown


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where to send the person, and the gateway's name for what they do there."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True)
class Payer:
    """The customer as the gateway is told: no more than a receipt needs."""

    id: UUID
    number: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One attempt to take money. `key` names it for ever: the same key never takes money twice."""

    payment_id: UUID
    customer_ref: str
    amount: Money
    reference: str
    description: str
    key: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSetup:
    """One attempt to keep a card. `key` as with a charge."""

    customer_ref: str
    currency: str
    key: str
    return_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class SetupDone:
    card: CardSeen
    customer_ref: str


@dataclass(frozen=True, slots=True)
class SetupOpen:
    """Not finished yet; `url` goes on with it."""

    url: str


@dataclass(frozen=True, slots=True)
class SetupEnded:
    """Given up, refused or too late: no card was kept."""

    why: Why | None = None


Setup: TypeAlias = SetupDone | SetupOpen | SetupEnded


class RefundState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refunded:
    ref: str
    state: RefundState
    amount: Money


class About(StrEnum):
    """What an event is about, as far as we care."""

    PAYMENT = "payment"
    REFUND = "refund"
    CARD = "card"
    DISPUTE = "dispute"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a webhook says. It is believed in one thing only: that `ref` is worth asking about."""

    id: str
    kind: str
    about: About
    ref: str | None
    payment_id: UUID | None = None
    at: datetime | None = None


class BadEvent(Exception):
    """Not signed by the gateway, too old, from the future, or not readable. The words are for the log."""


class Misused(Exception):
    """A mistake of ours, like the same key for something else. An alarm, never a decline."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one payment may be. `step`: the gateway takes only whole multiples of so many minor units."""

    least: Money
    most: Money
    step: int = 1


class PaymentGateway(Protocol):
    @property
    def name(self) -> str:
        """As it stands in the address of its webhook and in the rows: "embedded", "stripe"."""

    @property
    def is_simulated(self) -> bool: ...

    def limits(self, currency: str) -> Limits: ...

    async def ensure_customer(self, payer: Payer) -> str:
        """The gateway's name for the customer; made at the first time, the same ever after."""

    async def start_card_setup(self, setup: CardSetup) -> Redirect: ...

    async def finish_card_setup(self, ref: str) -> Setup: ...

    async def list_cards(self, customer_ref: str) -> Sequence[CardSeen]: ...

    async def detach_card(self, token_ref: str) -> None:
        """Also where it is gone already."""

    async def set_default(self, customer_ref: str, token_ref: str | None) -> None: ...

    async def start_new_card_payment(self, charge: Charge, *, save_card: bool) -> Answer:
        """NeedsAction with the gateway's page, or Unknown. Raises Unreachable where nothing has happened."""

    async def charge(self, charge: Charge, *, token_ref: str, on_session: bool) -> Answer:
        """By a kept card. Off session nobody is there to ask: what the bank wants approved is Declined.
        Raises Unreachable where nothing has happened."""

    async def get_payment(self, ref: str) -> Answer:
        """What became of it. Never `Unknown`: raises instead."""

    async def find_by_reference(self, customer_ref: str, payment_id: UUID) -> Answer | None:
        """For a payment whose ref we never learned; None where the gateway has none."""

    async def cancel(self, ref: str) -> Answer:
        """Canceled, or what happened instead because it was faster."""

    async def refund(self, charge_ref: str, amount: Money, *, payment_id: UUID, key: str) -> Refunded:
        """Raises `failures.Declined` where it never will: more than was taken, disputed, too old."""

    async def get_refund(self, ref: str) -> Refunded: ...

    async def find_refund(self, charge_ref: str, key: str) -> Refunded | None:
        """For a refund whose ref we never learned."""

    def parse_webhook(self, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        """Raises BadEvent. Header names are lower case."""

    async def list_missed_events(self, *, since: datetime) -> Sequence[Event]:
        """Events that never reached us."""
