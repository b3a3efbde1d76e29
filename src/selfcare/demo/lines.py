"""A service under construction: what was put into it and how it was used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_tables import AllowanceGrant, Bucket, Consumption, UsageRecord
from selfcare.demo.accounts import since
from selfcare.demo.catalogue import Sold
from selfcare.demo.people import Household, fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline
from selfcare.demo.traffic import Event, Tank, rated
from selfcare.kernel import msisdn
from selfcare.portal.services.tables import Service

MONTHS = 13
ORIGIN_ORDER = {"bonus": 1, "topup": 2, "rollover": 2, "plan": 3}


class Line:
    """One service under construction: its row, its buckets with what was put into them, and how it was used."""

    def __init__(self, rows: Rows, when: Timeline, home: Household, service_id: UUID, sold: Sold, **more: Any) -> None:
        self.rows, self.when, self.home, self.id = rows, when, home, service_id
        self.buckets: dict[UUID, dict[str, Any]] = {}
        self.tanks: list[Tank] = []
        self.granted: dict[UUID, int] = {}
        activated = more.pop("activated_at", since(home, when))
        number = more.get("msisdn")
        name = f"Mobile - {msisdn.show(number)}" if sold.type == "mobile" and number else f"{sold.name}"
        row = {
            "id": service_id,
            "customer_id": home.id,
            "product_id": sold.id,
            "name": name,
            "type": sold.type,
            "state": "active",
            "activated_at": activated,
            "renews": True,
            "monthly_minor": sold.price,
            "currency": "GBP",
            "ocs_account": str(service_id),
            "created_at": activated,
        }
        configuration = more.pop("configuration", {})
        rows.add(Service, row | more | {"configuration": json.dumps(configuration)})

    def bucket(
        self,
        kind: str,
        label: str,
        origin: str,
        *,
        scope: str = "any",
        expires_at: datetime | None = None,
        created_at: datetime | None = None,
        unlimited: bool = False,
        **more: Any,
    ) -> UUID:
        bucket_id = fixed(f"bucket/{self.id}/{len(self.buckets)}")
        self.buckets[bucket_id] = {
            "id": bucket_id,
            "customer_id": self.home.id,
            "service_id": self.id,
            "kind": kind,
            "label": label,
            "origin": origin,
            "currency": "GBP" if kind == "money" else None,
            "is_unlimited": unlimited,
            "consume_order": ORIGIN_ORDER[origin],
            "scope": scope,
            "expires_at": expires_at,
            "created_at": created_at or since(self.home, self.when),
            "as_of": self.when.now,
        } | more
        return bucket_id

    def put(
        self, bucket_id: UUID, amount: int | None, start: datetime, end: datetime | None, reason: str, mode: str = "add"
    ) -> None:
        """None is unlimited: it holds whatever is asked and nobody granted an amount."""
        bucket = self.buckets[bucket_id]
        order, kind, scope = bucket["consume_order"], bucket["kind"], bucket["scope"]
        self.tanks.append(Tank(bucket_id, kind, order, start, end, amount, scope))
        if amount is None:
            return
        if start <= self.when.now:
            self.granted[bucket_id] = self.granted.get(bucket_id, 0) + amount
        grant = {
            "id": fixed(f"grant/{bucket_id}/{start.isoformat()}"),
            "customer_id": self.home.id,
            "bucket_id": bucket_id,
            "amount": amount,
            "mode": mode,
            "period_start": start,
            "period_end": end,
            "reason": reason,
            "created_at": start,
        }
        self.rows.add(AllowanceGrant, grant)

    def plan(self, sold: Sold, periods: Sequence[tuple[datetime, datetime]]) -> None:
        """The plan's own buckets, filled anew in each period."""
        for given in sold.grants:
            bucket_id = self.bucket(
                given["kind"],
                given["label"],
                "plan",
                scope=given["scope"],
                expires_at=periods[-1][1],
                created_at=periods[0][0],
                unlimited=given["amount"] is None,
                counts_mms=given["counts_mms"],
            )
            for n, (start, end) in enumerate(periods):
                self.put(bucket_id, given["amount"], start, end, "renewal" if n else "activation", "reset")

    def use(self, made: Sequence[Event]) -> list[dict[str, Any]]:
        """Adds the records and the buckets with what is left in them."""
        happened = [event for event in made if event.at <= self.when.now]
        records = list(rated(happened, self.tanks, service=self.id, customer=self.home.id))
        for tank in self.tanks:
            if tank.start <= self.when.now and self._is_latest(tank):
                bucket = self.buckets[tank.bucket]
                bucket |= {"remaining": tank.left or 0, "period_started_at": tank.start}
        parts = list(_parts(records, self.buckets))
        self._balance(parts)
        self.rows.add(Bucket, *self.buckets.values())
        self.rows.add(UsageRecord, *records)
        self.rows.add(Consumption, *parts)
        return records

    def _balance(self, parts: Sequence[dict[str, Any]]) -> None:
        """What was put in is what was used, what is left and what a renewal ended unused."""
        for bucket in self.buckets.values():
            mine = [part for part in parts if part["bucket_id"] == bucket["id"]]
            begun = bucket.get("period_started_at") or self.when.now
            consumed = sum(part["amount"] for part in mine)
            bucket["consumed"] = consumed
            bucket["consumed_before"] = sum(part["amount"] for part in mine if part["at"] < begun)
            bucket["granted"] = self.granted.get(bucket["id"], 0)
            if not bucket["is_unlimited"]:
                bucket["forfeited"] = bucket["granted"] - consumed - bucket.get("remaining", 0)

    def _is_latest(self, tank: Tank) -> bool:
        starts = [other.start for other in self.tanks if other.bucket == tank.bucket and other.start <= self.when.now]
        return tank.start == max(starts)


def _parts(records: Sequence[dict[str, Any]], buckets: dict[UUID, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    unit = {"data": "bytes", "call": "seconds", "sms": "count_", "mms": "count_"}
    for record in records:
        if record["bucket_id"] is None:
            continue
        money = buckets[record["bucket_id"]]["kind"] == "money"
        yield {
            "record_id": record["id"],
            "bucket_id": record["bucket_id"],
            "customer_id": record["customer_id"],
            "amount": record["cost_minor"] if money else record[unit[record["kind"]]],
            "at": record["started_at"],
        }
