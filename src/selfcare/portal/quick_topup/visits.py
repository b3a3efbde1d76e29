"""Who may top up a number without signing in: whoever proves to hold it, by a code sent to it.

Until the code is right, a number of ours, of another operator and of nobody are the same in words, status and time.
After it only what can be bought is shown: no name, no number but the one that was typed, nothing of what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import limits, text_codes
from selfcare.identity.identity import CustomerScope
from selfcare.identity.text_codes import CODE_LASTS, TextCodes
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.portal.billing.papers import scope_of
from selfcare.portal.pay.guests import strangers
from selfcare.portal.services import addresses
from selfcare.ports.jobs import SECURITY, Jobs
from selfcare.ports.messages import TextSender

PROOF_LASTS = timedelta(minutes=30)
# What was bought stays at its address; who never bought is forgotten the next day.
ORDERS_STAY = timedelta(days=730)
BY_ADDRESS = limits.Limit("quick_topup.address", 5, timedelta(hours=1))
CODES = TextCodes("quick_topup", label="quick_topup_code")
SEND = "quick_topup.send_code"
# In place of a number, where the network says whose address it is: whoever shares the line learns no number.
HERE = "here"


@dataclass(frozen=True, slots=True)
class Visit:
    """`service_id` is None for a number that is none of ours: such a visit is never proved."""

    id: UUID
    number: str
    customer_id: UUID | None
    service_id: UUID | None
    order_id: UUID | None
    is_proved: bool


@dataclass(frozen=True, slots=True)
class Door:
    """A proved visit: this one service and no other, of a customer of whom nothing is shown.

    `number` None where none was typed.
    """

    visit_id: UUID
    number: str | None
    scope: CustomerScope
    service_id: UUID
    order_id: UUID | None


async def ask(number: str, origin: Origin, *, key: bytes, jobs: Jobs) -> str:
    """The token of a new visit; a text goes out where the number is ours. Raises TooOften."""
    await limits.claim(BY_ADDRESS, limits.network(origin.address))
    id, now = new_id(), clock.now()
    async with transaction():
        rows = await execute(_LINE.bind(number=number))
        line = rows[0] if rows else {"customer_id": None, "service_id": None}
        await execute(_ADD.bind(id=id, number=number, now=now, ends=now + CODE_LASTS, **line))
        await jobs.enqueue(SEND, key=f"{SEND}:{id}", payload={"visit_id": str(id)}, priority=SECURITY)
    return strangers.token_of(id, key)


async def enter(origin: Origin, ranges: Sequence[str], *, key: bytes) -> str | None:
    """The token of a proved visit for the line that has this address; None where there is none. Raises TooOften."""
    await limits.claim(BY_ADDRESS, limits.network(origin.address))
    line = await addresses.line_at(origin.address, ranges)
    if line is None:
        return None
    id, now = new_id(), clock.now()
    async with transaction():
        row = {"customer_id": line.customer_id, "service_id": line.service_id}
        await execute(_ADD.bind(id=id, number=HERE, now=now, ends=now + CODE_LASTS, **row))
        await execute(_PROVE.bind(id=id, now=now, ends=now + PROOF_LASTS))
    return strangers.token_of(id, key)


async def prove(token: str, typed: str, origin: Origin, *, key: bytes) -> None:
    """The right code opens the visit. Raises WrongCode or StartAgain."""
    visit = await find(token, key=key)
    if visit is None or visit.is_proved or not await CODES.may_try(str(visit.id), visit.number):
        raise text_codes.start_again()
    if not CODES.is_right(typed, visit.id.hex, key) or visit.service_id is None:
        await CODES.refuse(origin)
    now = clock.now()
    async with transaction():
        await execute(_PROVE.bind(id=visit.id, now=now, ends=now + PROOF_LASTS))


async def find(token: str, *, key: bytes) -> Visit | None:
    """Of this token, as long as it may still be used to prove or to buy."""
    id = strangers.visit_in(token, key)
    row = await fetch_one(_OPEN.bind(id=id, now=clock.now())) if id is not None else None
    return _visit(row) if row else None


async def find_bought(token: str, *, key: bytes) -> Visit | None:
    """Of this token, once something was bought with it: that stays readable."""
    id = strangers.visit_in(token, key)
    row = await fetch_one(_BOUGHT.bind(id=id)) if id is not None else None
    return _visit(row) if row else None


async def door_of(token: str, *, key: bytes) -> Door | None:
    """What a proved visit may buy for; None where the proof is over."""
    visit = await find(token, key=key)
    if visit is None or not visit.is_proved or visit.service_id is None:
        return None
    assert visit.customer_id is not None
    scope = replace(await scope_of(visit.customer_id), service_ids=frozenset({visit.service_id}))
    number = visit.number if visit.number != HERE else None
    return Door(visit.id, number, scope, visit.service_id, visit.order_id)


async def hold(door: Door) -> UUID | None:
    """Inside the transaction that buys: the visit, one at a time. What was bought with it, where nothing undid that."""
    rows = await execute(_HOLD.bind(id=door.visit_id))
    order_id: UUID | None = rows[0]["order_id"] if rows else None
    if order_id is None or await execute(_UNDONE.bind(id=order_id)):
        return None
    return order_id


async def bought_with(door: Door) -> UUID | None:
    """As `hold`, to look at: a visit buys once."""
    if door.order_id is None or await fetch_one(_UNDONE.bind(id=door.order_id)):
        return None
    return door.order_id


async def note_order(door: Door, order_id: UUID) -> None:
    """Inside the same transaction."""
    await execute(_NOTE.bind(id=door.visit_id, order_id=order_id))


class Posts:
    """The jobs of this feature."""

    def __init__(self, texts: TextSender, key: bytes, *, sender: str):
        self.texts = texts
        self.key = key
        self.sender = sender

    async def send_code(self, job: Job) -> None:
        """To the number itself."""
        row = await fetch_one(_OPEN.bind(id=UUID(job.payload["visit_id"]), now=clock.now()))
        if row is None or row["service_id"] is None or not await CODES.may_send(row["number"]):
            return
        words = _("%(code)s is the code to top up this number. It works for 10 minutes. Tell it nobody.") % {
            "code": CODES.code_for(row["id"].hex, self.key)
        }
        await text_codes.send(self.texts, job.id, row["number"], words, sender=self.sender)


async def forget_old(_job: Job) -> None:
    """Visits that bought nothing and are over, and what was bought two years ago."""
    now = clock.now()
    async with transaction():
        await addresses.forget_old()
        await execute(_FORGET.bind(before=now - timedelta(days=1), long_before=now - ORDERS_STAY))


def _visit(row: dict[str, object]) -> Visit:
    plain = {name: row[name] for name in ("id", "number", "customer_id", "service_id", "order_id")}
    return Visit(**plain, is_proved=row["proved_at"] is not None)  # type: ignore[arg-type]


_LINE = Prepared.sql(
    """
    SELECT s.customer_id AS customer_id, s.id AS service_id
      FROM service s JOIN customer c ON c.id = s.customer_id AND c.status = 'open'
     WHERE s.msisdn = :number AND s.state <> 'ended'
    """
)
_ADD = Prepared.sql(
    """
    INSERT INTO quick_visit (id, number, customer_id, service_id, created_at, expires_at)
    VALUES (:id, :number, :customer_id, :service_id, :now, :ends)
    """
)
_COLUMNS = "id, number, customer_id, service_id, order_id, proved_at"
_OPEN = Prepared.sql(f"SELECT {_COLUMNS} FROM quick_visit WHERE id = :id AND expires_at > :now")
_BOUGHT = Prepared.sql(f"SELECT {_COLUMNS} FROM quick_visit WHERE id = :id AND order_id IS NOT NULL")
_PROVE = Prepared.sql(
    """
    UPDATE quick_visit SET proved_at = :now, expires_at = :ends
     WHERE id = :id AND proved_at IS NULL AND expires_at > :now
    """
)
_HOLD = Prepared.sql("UPDATE quick_visit SET number = number WHERE id = :id RETURNING order_id")
_UNDONE = Prepared.sql("SELECT id FROM purchase_order WHERE id = :id AND state IN ('canceled', 'refunded')")
_NOTE = Prepared.sql("UPDATE quick_visit SET order_id = :order_id WHERE id = :id")
_FORGET = Prepared.sql(
    """
    DELETE FROM quick_visit WHERE (order_id IS NULL AND expires_at < :before) OR expires_at < :long_before
    """
)
