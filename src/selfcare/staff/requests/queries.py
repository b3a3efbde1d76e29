"""What the staff pages of requests read: over all customers, by state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many, fetch_one
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.portal.account.requests import queries
from selfcare.portal.account.requests.kinds import Kind
from selfcare.portal.account.requests.queries import Conversation, RequestRow
from selfcare.portal.billing import credit_notes
from selfcare.portal.pay import payment

PER_PAGE = 25
STATES = ("open", "waiting_customer", "done", "declined", "withdrawn")

_COLUMNS = """r.id AS id, r.reference AS reference, r.kind AS kind, r.state AS state, r.text AS text, r.about AS about,
       r.about_words AS about_words, r.created_at AS created_at, r.changed_at AS changed_at,
       r.customer_id AS customer_id, c.number AS number, c.name AS customer, u.display_name AS person"""
_FROM = "FROM request r JOIN customer c ON c.id = r.customer_id JOIN app_user u ON u.id = r.user_id"
# What waits longest comes first; of what is over, the latest.
_WAITING = Prepared.sql(
    f"SELECT {_COLUMNS} {_FROM} WHERE r.state = :state ORDER BY r.changed_at, r.id LIMIT :most OFFSET :skip"
)
_OVER = Prepared.sql(
    f"SELECT {_COLUMNS} {_FROM} WHERE r.state = :state ORDER BY r.changed_at DESC, r.id DESC LIMIT :most OFFSET :skip"
)
_COUNTS = Prepared.sql("SELECT state, count(*) AS n FROM request GROUP BY state")
_ONE = Prepared.sql(f"SELECT {_COLUMNS} {_FROM} WHERE r.id = :id")


@dataclass(frozen=True, slots=True)
class Queued:
    request: RequestRow
    customer_id: UUID
    number: str
    customer: str
    person: str


@dataclass(frozen=True, slots=True)
class Queue:
    rows: list[Queued]
    counts: dict[str, int]
    state: str
    page: int

    @property
    def total(self) -> int:
        return self.counts.get(self.state, 0)

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True, slots=True)
class Case:
    """One request with all that is needed to decide it. `most` is what can be given back or credited at all."""

    queued: Queued
    talk: Conversation
    most: Money | None = None


async def queue(state: str, page: int) -> Queue:
    asked = _WAITING if state in ("open", "waiting_customer") else _OVER
    rows, counts = await fetch_many(asked.bind(state=state, most=PER_PAGE, skip=(page - 1) * PER_PAGE), _COUNTS.bind())
    return Queue([_queued(row) for row in rows], {row["state"]: row["n"] for row in counts}, state, page)


async def get_case(request_id: UUID) -> Case:
    """Raises NotFound."""
    row = await fetch_one(_ONE.bind(id=request_id))
    if row is None:
        raise NotFound
    talk = await queries.conversation_of(row["customer_id"], request_id)
    return Case(_queued(row), talk, await _most(talk.request, row["customer_id"]))


async def _most(request: RequestRow, customer_id: UUID) -> Money | None:
    if request.about is None or request.state.is_over:
        return None
    try:
        if request.kind is Kind.REFUND:
            paid = await payment.load(request.about)
            return paid.amount - paid.refunded
        if request.kind is Kind.DISPUTE:
            return await credit_notes.left_of(customer_id, request.about)
    except NotFound:
        return None
    return None


def _queued(row: dict[str, Any]) -> Queued:
    own = ("customer_id", "number", "customer", "person")
    return Queued(queries.row_of({name: row[name] for name in row if name not in own}), *(row[name] for name in own))
