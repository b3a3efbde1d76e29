"""Finding a customer by what a caller says: a name, a number, an address, a phone, a service or a bill.

Every way is a range or a point of an index, so a million customers cost hardly more than ten thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Bound, Prepared, fetch, fetch_many
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel import msisdn
from selfcare.kernel.errors import Rejected

MOST = 25
# Each customer has some words; more than this many are never looked through for one page.
_WORDS = 4 * MOST
_CANDIDATES = 2_000
_LAST = "\U0010ffff"
BY_STAFF = limits.Limit("staff.search", 600, timedelta(hours=1))

_BY_WORD = Prepared.sql(
    """
    SELECT w.customer_id AS id FROM search_word w
     WHERE w.key >= lower(:first) AND w.key < lower(:first) || :last ORDER BY w.key LIMIT :most
    """
)
_BY_TWO_WORDS = Prepared.sql(
    """
    SELECT w.customer_id AS id
      FROM (SELECT customer_id, about FROM search_word
             WHERE key >= lower(:first) AND key < lower(:first) || :last ORDER BY key LIMIT :candidates) AS w
      JOIN search_word v ON v.about = w.about
     WHERE v.key >= lower(:other) AND v.key < lower(:other) || :last LIMIT :most
    """
)
_BY_NUMBER = Prepared.sql("SELECT id FROM customer WHERE number = :typed OR external_id = :typed LIMIT :most")
_BY_EMAIL = Prepared.sql(
    """
    SELECT m.customer_id AS id FROM app_user u JOIN membership m ON m.user_id = u.id AND m.removed_at IS NULL
     WHERE lower(u.email) = lower(:typed) ORDER BY m.customer_id LIMIT :most
    """
)
_BY_LINE = Prepared.sql(
    "SELECT customer_id AS id FROM service WHERE msisdn = :phone AND state <> 'ended' ORDER BY id LIMIT :most"
)
_BY_CONTACT_PHONE = Prepared.sql("SELECT customer_id AS id FROM contact WHERE phone = :phone ORDER BY id LIMIT :most")
_BY_OWN_PHONE = Prepared.sql(
    """
    SELECT m.customer_id AS id FROM app_user u JOIN membership m ON m.user_id = u.id AND m.removed_at IS NULL
     WHERE u.phone = :phone ORDER BY m.customer_id LIMIT :most
    """
)
_BY_SERVICE = Prepared.sql("SELECT customer_id AS id FROM service WHERE id = :id LIMIT :most")
_BY_SERVICE_REFERENCE = Prepared.sql(
    "SELECT customer_id AS id FROM service WHERE external_id = :typed OR ocs_account = :typed LIMIT :most"
)
_BY_BILL = Prepared.sql(
    """
    SELECT customer_id AS id FROM invoice WHERE number = :typed
    UNION SELECT customer_id FROM order_credit_note WHERE number = :typed LIMIT :most
    """
)
_BY_PAYMENT = Prepared.sql("SELECT customer_id AS id FROM payment WHERE reference = :typed LIMIT :most")
_ROWS = Prepared.sql("SELECT id, number, name, type, status, billing_address FROM customer WHERE id IN :ids")

_BILL = re.compile(r"[A-Z]{2,6}-?\d{2,4}-?\d{1,9}\Z")
_PAYMENT = re.compile(r"[A-Z]{1,4}-[0-9A-Z]{6,12}\Z")


@dataclass(frozen=True, slots=True)
class Hit:
    id: UUID
    number: str
    name: str
    type: str
    status: str
    town: str
    found_by: str


@dataclass(frozen=True, slots=True)
class Found:
    hits: list[Hit]
    more: bool


async def find(identity: Identity, typed: str, *, region: str) -> Found:
    """At most 25, what fits best first; written down. Raises limits.TooOften."""
    await limits.claim(BY_STAFF, str(identity.actor_id))
    typed = " ".join(typed.split())
    ways = list(_ways(typed, region))
    answers = await fetch_many(*(asked for _by, asked in ways), short=True)
    by: dict[UUID, str] = {}
    for (name, _asked), rows in zip(ways, answers, strict=True):
        for row in rows:
            by.setdefault(row["id"], name)
    if not by and " " in typed:
        first, *others = sorted(typed.split(" "), key=len, reverse=True)
        asked = _BY_TWO_WORDS.bind(first=first, other=others[0], last=_LAST, candidates=_CANDIDATES, most=_WORDS)
        by = {row["id"]: "name" for row in await fetch(asked)}
    found = await _hits(by)
    async with transaction():
        kinds = ",".join(sorted({hit.found_by for hit in found.hits}))
        await audit.record(identity, Event.STAFF_SEARCHED, found=len(found.hits), by=kinds or None)
    return found


def _ways(typed: str, region: str) -> Iterator[tuple[str, Bound]]:
    """What the text may be, and how to look it up."""
    yield "number", _BY_NUMBER.bind(typed=typed, most=MOST)
    for spelled in _spellings(typed):
        yield "email" if "@" in spelled else "name", _BY_WORD.bind(first=spelled, last=_LAST, most=_WORDS)
    if "@" in typed:
        yield "email", _BY_EMAIL.bind(typed=typed, most=MOST)
    if sum(letter.isdigit() for letter in typed) >= 6:
        yield from _numbers(typed, region)
    try:
        yield "service", _BY_SERVICE.bind(id=UUID(typed), most=MOST)
    except ValueError:
        yield "service", _BY_SERVICE_REFERENCE.bind(typed=typed, most=MOST)


def _numbers(typed: str, region: str) -> Iterator[tuple[str, Bound]]:
    large = typed.upper()
    if _BILL.match(large):
        yield "bill", _BY_BILL.bind(typed=large, most=MOST)
    if _PAYMENT.match(large):
        yield "payment", _BY_PAYMENT.bind(typed=large, most=MOST)
    try:
        phone = msisdn.parse(typed, region)
    except Rejected:
        return
    for asked in (_BY_LINE, _BY_CONTACT_PHONE, _BY_OWN_PHONE):
        yield "phone", asked.bind(phone=phone, most=MOST)


def _spellings(typed: str) -> Iterable[str]:
    """SQLite makes only the letters A to Z small: what stands beyond them may be large in the name."""
    return {typed} if typed.isascii() else {typed, typed.lower(), typed.title()}


async def _hits(by: dict[UUID, str]) -> Found:
    wanted = list(by)[: MOST + 1]
    rows = {row["id"]: row for row in await fetch(_ROWS.bind(ids=wanted), short=True)} if wanted else {}
    hits = [_hit(rows[id], by[id]) for id in wanted[:MOST] if id in rows]
    return Found(hits, more=len(by) > MOST)


def _hit(row: Row, found_by: str) -> Hit:
    lines = [line for line in row["billing_address"].split("\n") if line]
    town = ", ".join(lines[-3:-1]) if len(lines) > 2 else ", ".join(lines)
    return Hit(row["id"], row["number"], row["name"], row["type"], row["status"], town, found_by)
