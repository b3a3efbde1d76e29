"""What may still be used, what was used, and putting more in.

Amounts are bytes (data), seconds (voice), counts (sms, mms) or minor units (money). `consume_order` 1 is used first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import field
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import UUID

from selfcare.kernel.values import named_value, value

MOST_RECORDS = 1000
KINDS = ("data", "voice", "sms", "mms", "money", "other")
SCOPES = ("any", "national", "on_net", "international", "roaming", "premium")
FIRST_USE, FIRST_USE_ABROAD = "first_use", "first_use_abroad"
# The job that a meter of our own asks for while it counts: there are lines to look at, see `Charging.thin`.
MAY_BE_LOW = "usage.may_be_low"
_NEVER = datetime.max.replace(tzinfo=UTC)
# Which scopes of a bucket cover which class of use.
COVERED_BY = {
    "on_net": frozenset({"any", "national", "on_net"}),
    "off_net": frozenset({"any", "national"}),
    "international": frozenset({"any", "international"}),
    "premium": frozenset({"any", "premium"}),
    "roaming": frozenset({"any", "roaming"}),
}


class Tenant(Protocol):
    """Whose data: `identity.CustomerScope` fits. `service_ids` None means all services of the customer."""

    @property
    def customer_id(self) -> UUID: ...
    @property
    def service_ids(self) -> frozenset[UUID] | None: ...


@named_value
class Bucket:
    """`consumed` and `granted` count from the beginning of the present period, and are None where nobody knows.

    Where both are known, and the bucket is not unlimited, granted = consumed + remaining to the unit. Of a bucket that
    has ended, `remaining` is what ended unused.
    """

    id: UUID
    kind: str
    remaining: int
    consume_order: int
    created_at: datetime
    service_id: UUID | None = None
    label: str = ""
    origin: str = "plan"
    scope: str = "any"
    is_unlimited: bool = False
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    blocker: bool = False
    disabled: bool = False
    counts_mms: bool = False
    currency: str | None = None
    members: frozenset[UUID] = frozenset()
    consumed: int | None = None
    granted: int | None = None
    period_start: datetime | None = None
    # The use that starts it, for `lasts_days` from then; None once it has. Until then it ends unused at `expires_at`.
    waits_for: str | None = None
    lasts_days: int | None = None

    @property
    def waits_for_travel(self) -> bool:
        """Nothing at home is taken from it: it is no part of what is left there."""
        return self.waits_for == FIRST_USE_ABROAD and self.scope != "roaming"

    @property
    def shared(self) -> bool:
        return bool(self.members)

    def serves(self, service_id: UUID) -> bool:
        return self.service_id == service_id or service_id in self.members

    def has_ended(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def is_live(self, now: datetime) -> bool:
        started = self.starts_at is None or self.starts_at <= now
        return started and not self.disabled and not self.has_ended(now)

    @property
    def is_empty(self) -> bool:
        return self.remaining <= 0 and not self.is_unlimited


@named_value
class Granted:
    """What was put into a bucket, for which period."""

    bucket_id: UUID
    amount: int
    period_start: datetime
    period_end: datetime | None = None
    mode: str = "add"
    reason: str = "activation"

    def is_current(self, now: datetime) -> bool:
        return self.period_start <= now and (self.period_end is None or now < self.period_end)


@value
class Balances:
    """The buckets of some services, in no order, with the grants that count now and the credit that was bought before:
    ask a grant whether it `is_current`. `stale`: the meter did not answer, and this is what it said at `as_of`."""

    buckets: tuple[Bucket, ...]
    grants: tuple[Granted, ...]
    as_of: datetime
    stale: bool = False

    def of(self, service_id: UUID) -> tuple[Bucket, ...]:
        """The service's own and those it shares."""
        return tuple([b for b in self.buckets if b.service_id == service_id or service_id in b.members])


@named_value
class Part:
    """What one record took from one bucket."""

    bucket_id: UUID
    label: str
    kind: str
    amount: int


@named_value
class Record:
    """One call, session or message. `kind` call | data | sms | mms; `cost_minor` is what the buckets did not cover.

    `other_party` is whole: mask it for whoever may not see records. `parts` is None where the meter does not itemise.
    """

    id: str
    service_id: UUID
    kind: str
    direction: str
    class_: str
    started_at: datetime
    seconds: int
    bytes: int
    count: int
    other_party: str | None
    country: str | None
    cost_minor: int
    currency: str
    parts: tuple[Part, ...] | None = None


@named_value
class Asked:
    """Which records; empty means all. `since` ≤ started_at < `until`."""

    service_ids: Collection[UUID] | None = None
    kinds: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


@value
class Records:
    """The newest first. `more` is what to give as `after` for the next page, None at the end."""

    records: tuple[Record, ...]
    more: str | None


@named_value
class DayUse:
    """What was used on one day of the customer's calendar, of one kind, direction and class."""

    day: date
    kind: str
    direction: str
    class_: str
    records: int
    seconds: int
    bytes: int
    count: int
    cost_minor: int
    currency: str


@named_value
class Put:
    """One amount to put in; `amount` None is unlimited. `add` comes on top, `reset` replaces what is left of the same
    kind, scope and label. What `waits_for` its first use lasts `lasts_days` from then, and ends unused at `expires_at`;
    all that one order puts in starts together."""

    kind: str
    amount: int | None
    label: str
    origin: str = "topup"
    mode: str = "add"
    scope: str = "any"
    consume_order: int = 2
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    currency: str | None = None
    counts_mms: bool = False
    blocker: bool = False
    waits_for: str | None = None
    lasts_days: int | None = None


@named_value
class Delivery:
    """Everything one order puts into one service. By the order's id it happens once, however often it is asked for."""

    order_id: UUID
    customer_id: UUID
    service_id: UUID
    puts: tuple[Put, ...]
    reason: str = "purchase"


@named_value
class Handover:
    """A service of one customer goes on as another service of another customer."""

    customer_id: UUID
    service_id: UUID
    to_customer_id: UUID
    to_service_id: UUID


@named_value
class Plan:
    """The present period of the plan as the meter sees it; `period_end` None where it does not renew by time."""

    label: str
    period_start: datetime | None
    period_end: datetime | None


@value
class Health:
    ok: bool
    words: str = ""
    # When it last answered, None if never.
    answered_at: datetime | None = None


@named_value
class Use:
    """Something the network says was used. `service` is our id, the charging account or the number in E.164.

    `cost_minor` is what the whole of it costs where no allowance covers it: the share that none covers is charged.
    """

    id: str
    service: str
    kind: str
    amount: int
    at: datetime
    currency: str | None = None
    cost_minor: int = 0
    direction: str = "out"
    class_: str = "off_net"
    seconds: int = 0
    other_party: str | None = None
    country: str | None = None


@value
class Refused:
    """Why one of the uses was not counted, by its place in what was sent."""

    at: int
    id: str | None
    why: str


@value
class Taken:
    """What became of a batch. A repeated use is not counted again, and not refused either."""

    counted: int = 0
    repeated: int = 0
    refused: tuple[Refused, ...] = ()
    services: frozenset[UUID] = field(default=frozenset(), repr=False)


@value
class Thin:
    """A line that may have run low by then."""

    service_id: UUID
    customer_id: UUID
    at: datetime


def rank(buckets: Iterable[Bucket], now: datetime) -> list[Bucket]:
    """The order in which they are used: `consume_order`, then what ends first, then the older one."""
    live = [bucket for bucket in buckets if bucket.is_live(now)]
    if len(live) > 1:
        live.sort(key=lambda b: (b.consume_order, b.expires_at or _NEVER, b.created_at, b.id))
    return live


class Charging(Protocol):
    """Raises Declined, Unreachable or Unknown of `ports.failures`, never anything of its own.

    None of this may be called inside `transaction()`: another adapter asks a machine far away.
    """

    async def balances(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> Balances:
        """Of these services, or of all that `who` may see; of others nothing, without a word. Never raises for a meter
        that is away: the last known figures say that they are stale."""

    async def look(self, who: Tenant, service_id: UUID) -> None:
        """Asks the meter now, however young the figures are that are kept. Never raises for a meter that is away."""

    async def revision(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> str:
        """A short token that is another one whenever the balances or records of these services may have changed."""

    async def records(self, who: Tenant, asked: Asked, *, after: str | None = None, limit: int = 25) -> Records:
        """The newest first, at most 1000 at once. Walk with `after` to read millions in constant memory."""

    async def history(self, who: Tenant, asked: Asked, *, zone: str) -> list[DayUse]:
        """Sums by day of the calendar in `zone`, oldest first; days without use are left out. `asked` has both ends."""

    async def credit(self, delivery: Delivery) -> None:
        """Puts it in, once per order. Declined: never. Unreachable: not yet. Unknown: ask `was_applied` first."""

    def cannot_hold(self, put: Put) -> str | None:
        """Why this could never be put in, in words; None where it can. Asks nobody."""

    async def was_applied(self, delivery: Delivery) -> bool:
        """Whether all of it is in. Raises Unreachable where nobody can say."""

    async def take_back(self, delivery: Delivery) -> None:
        """Takes out again what this order put in, once; nothing where nothing was put in. Declined, with all of it
        left as it is: some of it was used, or it stands in the place of something else."""

    async def plan(self, who: Tenant, service_id: UUID) -> Plan | None: ...

    async def take(self, uses: Sequence[Use]) -> Taken:
        """Counts what was used, the good ones even beside bad ones. Declined by a meter that counts for itself."""

    async def hand_over(self, move: Handover) -> None:
        """What is left moves, what was used stays. The one act that is called inside `transaction()`, after both
        services are written: Declined by a meter that cannot take part in it, and by ours for what others share."""

    async def thin(self, *, after: UUID | None = None, most: int = 500) -> list[Thin]:
        """Lines that were used and have little left, by their ids. A meter that counts elsewhere names none."""

    async def looked_at(self, lines: Collection[Thin]) -> None:
        """They are not named again before they are used again."""

    async def health(self) -> Health: ...
