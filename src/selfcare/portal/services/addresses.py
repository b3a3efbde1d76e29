"""Which line has which network address now, as the network tells. Believed for a day, and in its own ranges only."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.kernel import clock

BELIEVED_FOR = timedelta(days=1)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Of one line, by our id or its number. `address` None: it has none any more."""

    line: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    customer_id: UUID
    service_id: UUID


async def note(leases: Sequence[Lease]) -> set[str]:
    """Writes down what the network says, the latest per line and address; the lines that nobody knows."""
    names = {lease.line for lease in leases}
    ids = [id for name in names if (id := _id(name))] or [_NOBODY]
    now = clock.now()
    async with transaction():
        known = {row["name"]: row for row in await fetch(_KNOWN.bind(names=names, ids=ids))} if names else {}
        for lease in leases:
            if (line := known.get(lease.line)) is None:
                continue
            await execute(_DROP.bind(service_id=line["id"]))
            if lease.address is not None:
                key = {"service_id": line["id"], "customer_id": line["customer_id"]}
                await execute(_NOTE.bind(**key, address=_plain(lease.address), now=now))
    return names - known.keys()


async def line_at(address: str, ranges: Sequence[str]) -> Line | None:
    """None outside of the operator's ranges, and where the network did not say it within a day."""
    try:
        at = ipaddress.ip_address(address)
    except ValueError:
        return None
    if not any(at in ipaddress.ip_network(each) for each in ranges):
        return None
    row = await fetch_one(_AT.bind(address=str(at), since=clock.now() - BELIEVED_FOR))
    return Line(row["customer_id"], row["service_id"]) if row else None


async def forget_old() -> None:
    """Inside `transaction()`."""
    await execute(_FORGET.bind(before=clock.now() - BELIEVED_FOR))


def _plain(address: str) -> str:
    return str(ipaddress.ip_address(address))


def _id(name: str) -> UUID | None:
    try:
        return UUID(name) if len(name) == 36 else None
    except ValueError:
        return None


_KNOWN = Prepared.sql(
    """
    SELECT id, customer_id, CAST(id AS TEXT) AS name FROM service WHERE id IN :ids
    UNION ALL
    SELECT id, customer_id, msisdn AS name FROM service WHERE msisdn IN :names AND state <> 'ended'
    """
)
_DROP = Prepared.sql("DELETE FROM network_address WHERE service_id = :service_id")
_NOTE = Prepared.sql(
    """
    INSERT INTO network_address (address, customer_id, service_id, told_at)
    VALUES (:address, :customer_id, :service_id, :now)
    ON CONFLICT (address) DO UPDATE SET customer_id = excluded.customer_id, service_id = excluded.service_id,
        told_at = excluded.told_at
    """
)
_AT = Prepared.sql(
    """
    SELECT a.customer_id AS customer_id, a.service_id AS service_id FROM network_address a
      JOIN service s ON s.id = a.service_id AND s.state <> 'ended'
      JOIN customer c ON c.id = a.customer_id AND c.status = 'open'
     WHERE a.address = :address AND a.told_at > :since
    """
)
_FORGET = Prepared.sql("DELETE FROM network_address WHERE told_at < :before")
