"""Writes the audit log, in the transaction of what it tells about, and checks that nobody rewrote it.

There is a chain per customer and one for the system. A row holds the HMAC of the row before it and its own content,
under a key that is not in the database; its number follows without a gap, because whoever writes holds the row of the
chain's head. What happened to the last rows of a chain only shows beside an anchor: see anchors.py.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from ipaddress import ip_address, ip_network
from typing import Any, Literal, Protocol, TypeAlias
from uuid import UUID

from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin

Outcome: TypeAlias = Literal["ok", "refused", "failed"]

SYSTEM_CHAIN = "system"
NOWHERE = Origin(address="", device="", request_id="")
PAGE = 1_000
MOST_BREAKS = 1_000

_keys: tuple[bytes, ...] = ()
_full_addresses = False


class Who(Protocol):
    """Who acted, for whom. An Identity is one."""

    @property
    def actor_id(self) -> UUID | None: ...
    @property
    def user_id(self) -> UUID | None: ...
    @property
    def grant_id(self) -> UUID | None: ...
    @property
    def customer_id(self) -> UUID | None: ...
    @property
    def origin(self) -> Origin: ...


@dataclass(frozen=True, slots=True)
class Actor:
    actor_id: UUID | None = None
    user_id: UUID | None = None
    grant_id: UUID | None = None
    customer_id: UUID | None = None
    origin: Origin = field(default=NOWHERE)


SYSTEM = Actor()


def visitor(origin: Origin, *, user_id: UUID | None = None, customer_id: UUID | None = None) -> Actor:
    """Somebody who is not signed in (yet); `user_id` where we know whose door they stand at."""
    return Actor(user_id=user_id, customer_id=customer_id, origin=origin)


def system(*, customer_id: UUID | None, user_id: UUID | None = None) -> Actor:
    """The portal itself, acting for a customer: a job, a feed."""
    return Actor(user_id=user_id, customer_id=customer_id)


def configure(key: bytes, *older: bytes, full_addresses: bool = False) -> None:
    """At start: the key of new rows and those before it. Network addresses are cut to their network unless said."""
    global _keys, _full_addresses
    _keys, _full_addresses = (key, *older), full_addresses


def is_configured() -> bool:
    return bool(_keys)


async def record(
    who: Who, event: Event, *, about: UUID | str | None = None, outcome: Outcome = "ok", **details: object
) -> None:
    """Inside the transaction of the act. Raises TypeError where the details are not those the event declares."""
    row = _row(who, event, about, outcome, details)
    chain = row["chain"]
    head = await execute(NEXT.bind(chain=chain))
    if not head:
        await execute(BEGIN.bind(chain=chain))
        head = await execute(NEXT.bind(chain=chain))
    row["number"] = head[0]["number"]
    row["hash"] = _hash(_key(), head[0]["hash"], row)
    await execute(ADD.bind(**row))
    await execute(MOVE.bind(chain=chain, hash=row["hash"]))


# Taking the number locks the head until the commit: whoever records next in this chain waits.
NEXT = Prepared.sql("UPDATE audit_head SET number = number + 1 WHERE chain = :chain RETURNING number, hash")
BEGIN = Prepared.sql(
    "INSERT INTO audit_head (chain, number, hash, anchored) VALUES (:chain, 0, '', 0) ON CONFLICT (chain) DO NOTHING"
)
MOVE = Prepared.sql("UPDATE audit_head SET hash = :hash WHERE chain = :chain")
COLUMNS = (
    *("id", "chain", "number", "at", "actor_user_id", "user_id", "grant_id", "customer_id", "event", "about"),
    *("outcome", "address", "country", "device", "request_id", "details", "hash"),
)
ADD = Prepared.sql(
    f"INSERT INTO audit_event ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"
)


def _row(
    who: Who, event: Event, about: UUID | str | None, outcome: Outcome, details: Mapping[str, object]
) -> dict[str, Any]:
    if missing := event.required - details.keys():
        raise TypeError(f"{event.value} needs {', '.join(sorted(missing))}")
    if unknown := details.keys() - event.allowed:
        raise TypeError(f"{event.value} does not take {', '.join(sorted(unknown))}")
    return {
        "id": new_id(),
        "chain": str(who.customer_id) if who.customer_id else SYSTEM_CHAIN,
        "at": clock.now(),
        "actor_user_id": who.actor_id,
        "user_id": who.user_id,
        "grant_id": who.grant_id,
        "customer_id": who.customer_id,
        "event": event.value,
        "about": None if about is None else _clean(str(about), 64),
        "outcome": outcome,
        "address": _address(who.origin.address),
        "country": who.origin.country or None,
        "device": _clean(who.origin.device, 200),
        "request_id": _clean(who.origin.request_id, 64),
        "details": _canonical({name: _plain(value) for name, value in details.items() if value is not None}),
    }


def _plain(value: object) -> object:
    """What JSON says the same way every time: no floats."""
    match value:
        case bool() | int() | None:
            return value
        case str():
            return _clean(str(value), 500)
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case list() | tuple() | set() | frozenset():
            parts = [_plain(part) for part in value]
            return parts if isinstance(value, list | tuple) else sorted(parts, key=str)
        case _:
            raise TypeError(f"the audit log takes no {type(value).__name__}")


def _clean(text: str, longest: int) -> str:
    """Headers of strangers end up here: nothing that a database refuses."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:longest]


def _address(text: str) -> str:
    if not text or _full_addresses:
        return _clean(text, 64)
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


HASHED = tuple(name for name in COLUMNS if name != "hash")


def _hash(key: bytes, before: str, row: Mapping[str, Any]) -> str:
    content = _canonical([before, *(_in_hash(name, row[name]) for name in HASHED)])
    return hmac.digest(key, content.encode(), hashlib.sha256).hex()


def _in_hash(name: str, value: Any) -> object:
    if name == "at" and isinstance(value, str):
        value = _moment(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value if isinstance(value, int | None) else str(value)


def _moment(text: str) -> datetime | str:
    """Read as text, so that what somebody wrote there by hand is a break and not an error."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def _key() -> bytes:
    if not _keys:
        raise RuntimeError("the audit log has no key yet: call configure at start")
    return _keys[0]


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the log is not what was written."""

    chain: str
    number: int
    what: Literal["changed", "missing", "cut", "unfinished", "rewritten"]

    def __str__(self) -> str:
        return f"chain {self.chain}, number {self.number}: {WORDS[self.what]}"


WORDS = {
    "changed": "this row, or its place, is not what was written",
    "missing": "this row is gone",
    "cut": "this row and those after it are gone",
    "unfinished": "the head of the chain does not know this row",
    "rewritten": "the chain was another one when it was anchored",
}


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a chain was at some time, kept outside the database."""

    chain: str
    number: int
    hash: str


async def verify(anchors: Iterable[Anchor] = (), *, most: int = MOST_BREAKS) -> list[Break]:
    """Every break of every chain, at most so many. Reads the whole log, a page at a time."""
    found: list[Break] = []
    async for broken in _breaks(anchors):
        found.append(broken)
        if len(found) >= most:
            break
    return found


async def _breaks(anchors: Iterable[Anchor]) -> AsyncIterator[Break]:
    last: dict[str, Any] | None = None
    async for row in _rows():
        before = last if last is not None and last["chain"] == row["chain"] else None
        if before is None and last is not None:
            for broken in _end(last):
                yield broken
        number, previous = (before["number"], before["hash"]) if before else (0, "")
        for missing in range(number + 1, row["number"]):
            yield Break(row["chain"], missing, "missing")
        # After a gap the row before is not known, and the gap is already told.
        if row["number"] == number + 1 and not _is_genuine(previous, row):
            yield Break(row["chain"], row["number"], "changed")
        last = row
    if last is not None:
        for broken in _end(last):
            yield broken
    for empty in await fetch(EMPTY.bind()):
        yield Break(empty["chain"], 1, "cut")
    for anchor in anchors:
        rows = await fetch(AT.bind(chain=anchor.chain, number=anchor.number))
        if not rows:
            yield Break(anchor.chain, anchor.number, "cut")
        elif rows[0]["hash"] != anchor.hash:
            yield Break(anchor.chain, anchor.number, "rewritten")


def _end(last: Mapping[str, Any]) -> Iterable[Break]:
    if last["head_number"] is None or last["head_number"] < last["number"]:
        yield Break(last["chain"], (last["head_number"] or 0) + 1, "unfinished")
    elif last["head_number"] > last["number"]:
        yield Break(last["chain"], last["number"] + 1, "cut")
    elif last["head_hash"] != last["hash"]:
        yield Break(last["chain"], last["number"], "unfinished")


def _is_genuine(before: str, row: Mapping[str, Any]) -> bool:
    _key()
    return any(hmac.compare_digest(row["hash"], _hash(key, before, row)) for key in _keys)


async def _rows() -> AsyncIterator[dict[str, Any]]:
    chain, number = "", 0
    while page := await fetch(NEXT_PAGE.bind(chain=chain, number=number, most=PAGE)):
        for row in page:
            yield row
        chain, number = page[-1]["chain"], page[-1]["number"]


NEXT_PAGE = Prepared.sql(
    f"""
    SELECT e.number, {", ".join(f"CAST(e.{name} AS TEXT) AS {name}" for name in COLUMNS if name != "number")},
        h.number AS head_number, h.hash AS head_hash
    FROM audit_event e LEFT JOIN audit_head h ON h.chain = e.chain
    WHERE (e.chain, e.number) > (:chain, :number)
    ORDER BY e.chain, e.number LIMIT :most
    """
)
EMPTY = Prepared.sql(
    """
    SELECT chain FROM audit_head
    WHERE number > 0 AND NOT EXISTS (SELECT 1 FROM audit_event WHERE audit_event.chain = audit_head.chain)
    ORDER BY chain LIMIT 1000
    """
)
AT = Prepared.sql("SELECT hash FROM audit_event WHERE chain = :chain AND number = :number")
