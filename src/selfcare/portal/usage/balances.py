"""What is left on one service, through the charging port."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import NotFound, Unavailable
from selfcare.kernel.values import value
from selfcare.portal.services import queries as services
from selfcare.portal.services.queries import ServiceDetail, ServiceRow
from selfcare.portal.services.speed import Speed
from selfcare.portal.usage.allowances import Allowance, summarise
from selfcare.ports.charging import Balances, Bucket, Charging

_EXISTS = Prepared.sql("SELECT id FROM service WHERE customer_id = :customer_id AND id = :id")

_AUTO_TOPUP = Prepared.sql("SELECT id FROM auto_topup WHERE service_id = :service_id AND ended_at IS NULL")


@value
class Balance:
    """What is left on one service. `revision` changes when it may have."""

    row: ServiceRow
    lines: list[Allowance]
    buckets: Sequence[Bucket]
    balances: Balances
    revision: str
    last_topup: TopUp | None
    speed: Speed
    now: datetime
    auto_topup: bool = False
    can_top_up: bool = False
    can_add_on: bool = False

    @property
    def as_of(self) -> datetime:
        return self.balances.as_of

    @property
    def stale(self) -> bool:
        return self.balances.stale

    @property
    def used_of_full_speed(self) -> int | None:
        """What counts toward slowing down: data of allowances without an end, since the period began."""
        if self.speed.full_speed_bytes is None:
            return None
        unlimited = [b for b in self.buckets if b.kind == "data" and b.is_unlimited and b.is_live(self.now)]
        return sum(b.consumed for b in unlimited if b.consumed is not None)

    def line(self, kind: str, scope: str = "any") -> Allowance | None:
        return next((line for line in self.lines if line.kind == kind and line.scope == scope), None)


@value
class TopUp:
    at: datetime
    amount: int
    currency: str | None


async def balance_of(scope: CustomerScope, charging: Charging, service_id: UUID, now: datetime) -> Balance:
    """Raises NotFound, also for a service of somebody else."""
    service = await services.get_service(scope, service_id, now)
    return await balance_on(scope, charging, service, now)


async def must_have(scope: CustomerScope, service_id: UUID) -> None:
    """Raises NotFound, also for a service of somebody else."""
    if not scope.covers(service_id) or not await fetch(_EXISTS.bind(customer_id=scope.customer_id, id=service_id)):
        raise NotFound


async def balance_on(scope: CustomerScope, charging: Charging, service: ServiceDetail, now: datetime) -> Balance:
    row = service.row
    # Before the figures: what changes in between is seen at the next question.
    try:
        revision = await charging.revision(scope, [row.id])
    except Unavailable:
        revision = ""
    balances = await charging.balances(scope, [row.id])
    buckets = balances.of(row.id)
    return Balance(
        row=row,
        lines=summarise(buckets, balances.grants, now),
        buckets=buckets,
        balances=balances,
        revision=revision,
        last_topup=_last_topup(buckets, balances, now),
        speed=service.speed,
        now=now,
        can_top_up=("topup", row.type) in service.sold and (row.status.is_running or row.status.for_payment),
        can_add_on=("addon", row.type) in service.sold and row.status.is_running,
        auto_topup=any(b.kind == "money" for b in buckets) and bool(await fetch(_AUTO_TOPUP.bind(service_id=row.id))),
    )


def _last_topup(buckets: Sequence[Bucket], balances: Balances, now: datetime) -> TopUp | None:
    credit = {bucket.id: bucket.currency for bucket in buckets if bucket.kind == "money"}
    bought = [
        TopUp(grant.period_start, grant.amount, credit[grant.bucket_id])
        for grant in balances.grants
        if grant.bucket_id in credit and grant.reason == "purchase" and grant.period_start <= now
    ]
    return max(bought, key=lambda topup: topup.at, default=None)
