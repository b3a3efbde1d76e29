"""What goes with the rows of some files: memberships, the primary contact, what was granted."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from selfcare.db.prepared import Prepared, execute_many, fetch
from selfcare.imports.files import CONTACTS, USERS
from selfcare.imports.files_usage import SIMS
from selfcare.kernel.ids import new_id, new_ids

if TYPE_CHECKING:
    from selfcare.imports.work import Import, Written

Step: TypeAlias = "Callable[[Import, list[Written]], Awaitable[None]]"


async def check_members(work: Import, written: list[Written]) -> None:
    for made in written:
        for customer, _role, services in made.row.values["memberships"]:
            home = work.known["customers", customer].id
            for service in services:
                if work.known["services", service].customer_id != home:
                    work.wrong(USERS, made.row, "memberships", f"{service} is no service of {customer}")


async def write_members(work: Import, written: list[Written]) -> None:
    """The operator says who belongs to whom: nobody is asked to accept. Who is not named any more leaves."""
    work.new_users += [str(made.id) for made in written if made.is_new]
    touched = [made for made in written if made.is_new or "memberships" in made.changed(USERS)]
    old = await fetch(MEMBERSHIPS.bind(users=[made.id for made in touched if not made.is_new]))
    current = {(str(row["user_id"]), str(row["customer_id"])): row for row in old}
    added, changed = [], []
    now = work.stored(work.now)
    for made in touched:
        for customer, role, services in made.row.values["memberships"]:
            home = work.known["customers", customer].id
            only = json.dumps([str(work.known["services", service].id) for service in services]) if services else None
            if row := current.pop((str(made.id), str(home)), None):
                changed.append({"id": row["id"], "role": role, "services": only})
            else:
                added.append((str(new_id()), made.id, home, role, only, now, now))
    columns = ("id", "user_id", "customer_id", "role", "service_ids", "invited_at", "accepted_at")
    if added:
        await work.tx.insert("membership", columns, added)
    await execute_many(CHANGE, changed)
    await execute_many(REMOVE, [{"id": row["id"], "now": work.now} for row in current.values()])


async def make_way_for_primaries(work: Import, written: list[Written]) -> None:
    """A customer has one primary contact: the old one steps back before the new one is written."""
    primaries = [made for made in written if made.row.values["is_primary"]]
    named = [(made.row.values["customer"], made.row.line) for made in primaries]
    before = work.seen.before("contacts", "is_primary", named)
    for made in primaries:
        if line := before.get(made.row.line):
            message = f"{made.row.values['customer']} has a primary contact on line {line} already; expected one"
            work.wrong(CONTACTS, made.row, "is_primary", message)
    await execute_many(STEP_BACK, [{"customer": made.customer_id} for made in primaries])


async def name_primaries(work: Import, written: list[Written]) -> None:
    primaries = [made for made in written if made.row.values["is_primary"]]
    await execute_many(PRIMARY, [{"contact": made.id, "customer": made.customer_id} for made in primaries])


async def make_way_for_new_sims(work: Import, written: list[Written]) -> None:
    """A line has one SIM in use: a new one replaces the one it had."""
    in_use = _put_to_use(written)
    before = work.seen.before("sims", "in use", [(made.row.values["service"], made.row.line) for made in in_use])
    for made in in_use:
        if line := before.get(made.row.line):
            message = f"{made.row.values['service']} has the SIM on line {line} in use already; expected one"
            work.wrong(SIMS, made.row, "service", message)
    await execute_many(
        REPLACE,
        [
            {"service": work.known["services", made.row.values["service"]].id, "id": made.id, "now": work.now}
            for made in in_use
        ],
    )


async def show_new_sims(_work: Import, written: list[Written]) -> None:
    """The service shows the number of the SIM it uses."""
    await execute_many(SHOW, [{"id": made.id} for made in _put_to_use(written)])


def _put_to_use(written: list[Written]) -> list[Written]:
    return [
        made
        for made in written
        if made.row.values["replaced_at"] is None
        and (made.is_new or made.changed(SIMS) & {"service", "iccid", "replaced_at"})
    ]


async def write_grants(work: Import, written: list[Written]) -> None:
    """What was granted is only ever added to: another amount for the same period is a correction."""
    new = [made for made in written if made.is_new and made.row.values["granted"] is not None]
    if new:
        grants = [_grant(work, made, id) for made, id in zip(new, new_ids(len(new)), strict=True)]
        await work.tx.insert("allowance_grant", GRANT, grants)
    for made in written:
        if made.is_new or made.row.values["granted"] is None:
            continue
        before = await fetch(GRANTED.bind(bucket=made.id, start=made.row.values["period_start"]))
        known = [row["amount"] for row in before]
        more = made.row.values["granted"] - sum(known)
        if more or not known:
            await work.tx.insert("allowance_grant", GRANT, [_grant(work, made, new_id(), more=more if known else None)])


GRANT = (*("id", "customer_id", "bucket_id", "amount", "mode", "period_start", "period_end", "reason", "created_at"),)


def _grant(work: Import, made: Written, id: UUID, *, more: int | None = None) -> tuple[Any, ...]:
    """`more` is a correction of what is there."""
    values = made.row.values
    return (
        str(id),
        made.customer_id,
        made.id,
        values["granted"] if more is None else more,
        values["grant_mode"] if more is None else "add",
        work.stored(values["period_start"]),
        work.stored(values["period_end"]),
        values["grant_reason"] if more is None else "correction",
        work.stored(work.now),
    )


MEMBERSHIPS = Prepared.sql(
    "SELECT id, user_id, customer_id FROM membership WHERE removed_at IS NULL AND user_id IN :users"
)
CHANGE = Prepared.sql("UPDATE membership SET role = :role, service_ids = :services WHERE id = :id")
REMOVE = Prepared.sql("UPDATE membership SET removed_at = :now WHERE id = :id")
STEP_BACK = Prepared.sql("UPDATE contact SET is_primary = FALSE WHERE customer_id = :customer AND is_primary")
PRIMARY = Prepared.sql("UPDATE customer SET primary_contact_id = :contact WHERE id = :customer")
REPLACE = Prepared.sql(
    "UPDATE sim SET replaced_at = :now WHERE service_id = :service AND id <> :id AND replaced_at IS NULL"
)
SHOW = Prepared.sql(
    "UPDATE service SET iccid = (SELECT iccid FROM sim WHERE sim.id = :id) "
    "WHERE id = (SELECT service_id FROM sim WHERE sim.id = :id)"
)
GRANTED = Prepared.sql("SELECT amount FROM allowance_grant WHERE bucket_id = :bucket AND period_start = :start")

BEFORE: dict[str, Step] = {
    "sims": make_way_for_new_sims,
    "users": check_members,
    "contacts": make_way_for_primaries,
}
AFTER: dict[str, Step] = {
    "sims": show_new_sims,
    "users": write_members,
    "contacts": name_primaries,
    "buckets": write_grants,
}
