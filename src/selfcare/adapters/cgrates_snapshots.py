"""The last known figures of a charging engine, kept as buckets: pages read these, fresh or with their age.

The engine does not say what a balance held at first. What we put in ourselves we know; of the rest we learn it when a
balance grows, which is a renewal; and what it lost between two looks was used.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.adapters.cgrates_words import Balance, label_of
from selfcare.adapters.charging_crediting import name as name_of
from selfcare.adapters.charging_tables import AllowanceGrant, Bucket
from selfcare.adapters.charging_tanks import lock
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, insert_many
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Delivery, Tenant

ORIGIN_OF_REST = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A service and the account it has at the engine."""

    service_id: UUID
    customer_id: UUID
    name: str
    number: str | None
    currency: str
    as_of: datetime | None


async def accounts(who: Tenant, services: Collection[UUID] | None) -> list[Account]:
    asked = {"customer": who.customer_id, "every": int(services is None), "services": services or ()}
    return [Account(**row) for row in await fetch(_ACCOUNTS.bind(**asked))]


async def find_account(customer_id: UUID, service_id: UUID) -> Account | None:
    rows = await fetch(_ACCOUNTS.bind(customer=customer_id, every=0, services=[service_id]))
    return Account(**rows[0]) if rows else None


async def intend(delivery: Delivery, now: datetime) -> None:
    """Write down what is asked for before asking: whoever sees the balance later knows what it is."""
    async with transaction():
        for n, put in enumerate(delivery.puts):
            row = {
                "name": name_of(delivery, n),
                "customer": delivery.customer_id,
                "service": delivery.service_id,
                "order_id": delivery.order_id,
                "kind": put.kind,
                "label": put.label,
                "origin": put.origin,
                "scope": put.scope,
                "mode": put.mode,
                "amount": put.amount,
                "reason": delivery.reason,
                "start": put.starts_at or now,
                "expires": put.expires_at,
            }
            await execute(_INTEND.bind(**row))


async def ask_back(delivery: Delivery, now: datetime) -> None:
    """Write down that it is to be taken out, before asking: what is gone afterwards was not used up."""
    async with transaction():
        await execute(_ASK_BACK.bind(names=_names(delivery), now=now))


async def asked_back(delivery: Delivery) -> set[str]:
    return {row["name"] for row in await fetch(_ASKED_BACK.bind(names=_names(delivery)))}


def _names(delivery: Delivery) -> list[str]:
    return [name_of(delivery, n) for n in range(len(delivery.puts))]


async def replaced_by(delivery: Delivery, n: int) -> set[str]:
    """The names of earlier balances that a put which resets stands in the place of."""
    put = delivery.puts[n]
    asked = {"customer": delivery.customer_id, "service": delivery.service_id, "name": name_of(delivery, n)}
    rows = await fetch(_ALIKE.bind(**asked, kind=put.kind, scope=put.scope, label=put.label))
    return {row["name"] for row in rows}


async def store(account: Account, balances: Iterable[Balance], asked_at: datetime) -> None:
    """What the engine said when it was asked at that moment. Older news than we have changes nothing."""
    async with transaction():
        seen = {"service": account.service_id, "customer": account.customer_id, "at": asked_at}
        if not await execute(_SEEN.bind(**seen)):
            return
        rows = await fetch(_HAVE.bind(customer=account.customer_id, service=account.service_id))
        have = {row["id"]: row for row in rows}
        new: list[Balance] = []
        changed = False
        for balance in balances:
            old = have.pop(balance.id, None)
            if old is None:
                new.append(balance)
            else:
                changed |= await _change(account, balance, old, asked_at)
        gone = [id for id, row in have.items() if not row["disabled"] and not _has_ended(row, asked_at)]
        if gone:
            await execute(_GONE.bind(customer=account.customer_id, ids=gone, now=asked_at))
        await _add(account, new, asked_at)
        if new or gone or changed:
            await lock([str(account.service_id)], [str(account.customer_id)], asked_at)


async def _change(account: Account, balance: Balance, old: Row, at: datetime) -> bool:
    told = {
        "remaining": balance.amount,
        "is_unlimited": balance.is_unlimited,
        "consume_order": balance.order,
        "scope": balance.scope,
        "expires_at": balance.expires_at,
        "blocker": balance.blocker,
        "disabled": balance.disabled,
    }
    if all(old[name] == value for name, value in told.items()):
        return False
    figures = {name: old[name] for name in ("granted", "consumed", "consumed_before", "period_started_at")}
    difference = balance.amount - old["remaining"]
    if difference < 0:
        figures["consumed"] -= difference
    elif difference > 0:
        granted = figures["consumed"] + balance.amount + old["forfeited"]
        figures |= {"granted": granted if granted >= 0 else None, "consumed_before": figures["consumed"]}
        figures["period_started_at"] = at
    await execute(_CHANGE.bind(customer=account.customer_id, id=balance.id, now=at, **told, **figures))
    return True


async def _add(account: Account, balances: Collection[Balance], at: datetime) -> None:
    if not balances:
        return
    asked = {"customer": account.customer_id, "service": account.service_id}
    ours = {row["name"]: row for row in await fetch(_OURS.bind(**asked, names=[each.name for each in balances]))}
    await insert_many(Bucket, [_bucket(account, each, ours.get(each.name), at) for each in balances])
    known = {row["external_id"] for row in await fetch(_NAMED.bind(names=list(ours)))} if ours else set()
    grants = [_grant(each, ours[each.name], at) for each in balances if each.name in ours and each.name not in known]
    await insert_many(AllowanceGrant, grants)


def _bucket(account: Account, balance: Balance, put: Row | None, at: datetime) -> dict[str, Any]:
    known = put is not None and not balance.is_unlimited and balance.amount <= put["amount"]
    return {
        "id": balance.id,
        "customer_id": account.customer_id,
        "service_id": account.service_id,
        "kind": balance.kind,
        "label": put["label"] if put else label_of(balance),
        "origin": put["origin"] if put else ORIGIN_OF_REST,
        "currency": account.currency if balance.kind == "money" else None,
        "remaining": balance.amount,
        "is_unlimited": balance.is_unlimited,
        "consume_order": balance.order,
        "scope": balance.scope,
        "expires_at": balance.expires_at,
        "blocker": balance.blocker,
        "disabled": balance.disabled,
        "as_of": at,
        "created_at": put["period_start"] if put else at,
        "granted": put["amount"] if put and known else None,
        "consumed": put["amount"] - balance.amount if put and known else 0,
        "period_started_at": put["period_start"] if put else None,
    }


def _grant(balance: Balance, put: Row, at: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "customer_id": put["customer_id"],
        "bucket_id": balance.id,
        "amount": put["amount"],
        "mode": put["mode"],
        "period_start": put["period_start"],
        "period_end": put["period_end"],
        "order_id": put["order_id"],
        "reason": put["reason"],
        "created_at": at,
        "external_id": put["name"],
    }


def _has_ended(row: Row, at: datetime) -> bool:
    """The engine forgets a balance that ended; we keep it, to say what ended unused."""
    return row["expires_at"] is not None and row["expires_at"] <= at


_ACCOUNTS = Prepared.sql(
    """
    SELECT s.id AS service_id, s.customer_id AS customer_id, COALESCE(s.ocs_account, CAST(s.id AS TEXT)) AS name,
           s.msisdn AS number, s.currency AS currency, c.as_of AS as_of
      FROM service s LEFT JOIN charging_snapshot c ON c.service_id = s.id
     WHERE s.customer_id = :customer AND (:every = 1 OR s.id IN :services) AND s.state NOT IN ('pending', 'ended')
    """
)
_INTEND = Prepared.sql(
    """
    INSERT INTO charging_put (name, customer_id, service_id, order_id, kind, label, origin, scope, mode, amount, reason,
                              period_start, period_end)
    VALUES (:name, :customer, :service, :order_id, :kind, :label, :origin, :scope, :mode, :amount, :reason, :start,
            :expires)
    ON CONFLICT (name) DO NOTHING
    """
)
_ASK_BACK = Prepared.sql("UPDATE charging_put SET back_asked_at = :now WHERE name IN :names AND back_asked_at IS NULL")
_ASKED_BACK = Prepared.sql("SELECT name FROM charging_put WHERE name IN :names AND back_asked_at IS NOT NULL")
_PUT = "SELECT name, customer_id, label, origin, mode, amount, reason, order_id, period_start, period_end"
_OURS = Prepared.sql(
    f"{_PUT} FROM charging_put WHERE customer_id = :customer AND service_id = :service AND name IN :names"
)
_ALIKE = Prepared.sql(
    """
    SELECT old.name AS name FROM charging_put old JOIN charging_put this ON this.name = :name
     WHERE old.customer_id = :customer AND old.service_id = :service AND old.kind = :kind AND old.scope = :scope
       AND old.label = :label AND old.period_start < this.period_start
    """
)
_NAMED = Prepared.sql("SELECT external_id FROM allowance_grant WHERE external_id IN :names")
_SEEN = Prepared.sql(
    """
    INSERT INTO charging_snapshot (service_id, customer_id, as_of) VALUES (:service, :customer, :at)
    ON CONFLICT (service_id) DO UPDATE SET as_of = excluded.as_of WHERE charging_snapshot.as_of < excluded.as_of
    RETURNING service_id
    """
)
_HAVE = Prepared.sql(
    """
    SELECT id, remaining, is_unlimited, consume_order, scope, expires_at, blocker, disabled, granted, consumed,
           consumed_before, forfeited, period_started_at
      FROM bucket WHERE customer_id = :customer AND service_id = :service
    """
)
_CHANGE = Prepared.sql(
    """
    UPDATE bucket SET remaining = :remaining, is_unlimited = :is_unlimited, consume_order = :consume_order,
           scope = :scope, expires_at = :expires_at, blocker = :blocker, disabled = :disabled, granted = :granted,
           consumed = :consumed, consumed_before = :consumed_before, period_started_at = :period_started_at,
           as_of = :now
     WHERE customer_id = :customer AND id = :id
    """
)
_GONE = Prepared.sql("UPDATE bucket SET disabled = (1 = 1), as_of = :now WHERE customer_id = :customer AND id IN :ids")
