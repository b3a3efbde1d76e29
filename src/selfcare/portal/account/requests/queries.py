"""What the pages of requests read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.account.requests.kinds import TONES, Kind, State, state_words, title

PER_PAGE = 25

_COLUMNS = """r.id AS id, r.reference AS reference, r.kind AS kind, r.state AS state, r.text AS text, r.about AS about,
       r.about_words AS about_words, r.created_at AS created_at, r.changed_at AS changed_at"""
_LIST = Prepared.sql(
    f"SELECT {_COLUMNS} FROM request r WHERE r.customer_id = :customer_id "
    "ORDER BY r.created_at DESC, r.id DESC LIMIT :most OFFSET :skip"
)
_COUNT = Prepared.sql("SELECT count(*) AS n FROM request WHERE customer_id = :customer_id")
_ONE = Prepared.sql(f"SELECT {_COLUMNS} FROM request r WHERE r.customer_id = :customer_id AND r.id = :request_id")
_REPLIES = Prepared.sql(
    """
    SELECT r.id AS id, r.by_staff AS by_staff, r.text AS text, r.created_at AS at, u.display_name AS name
      FROM request_reply r JOIN app_user u ON u.id = r.user_id
     WHERE r.customer_id = :customer_id AND r.request_id = :request_id
     ORDER BY r.created_at, r.id LIMIT 200
    """
)
_CAME_OF_IT = Prepared.sql(
    """
    SELECT f.amount_minor AS refund_minor, f.currency AS refund_currency, f.state AS refund_state,
           f.payment_id AS payment_id, n.id AS note_id, n.number AS note_number,
           n.net_minor + n.tax_minor AS note_minor, n.currency AS note_currency
      FROM request r
      LEFT JOIN refund f ON f.id = r.refund_id
      LEFT JOIN invoice n ON n.id = r.credit_note_id AND n.customer_id = r.customer_id
     WHERE r.customer_id = :customer_id AND r.id = :request_id
    """
)


@dataclass(frozen=True, slots=True)
class RequestRow:
    id: UUID
    reference: str
    kind: Kind
    state: State
    text: str
    about: UUID | None
    about_words: str
    created_at: datetime
    changed_at: datetime

    @property
    def title(self) -> str:
        return title(self.kind)

    @property
    def status(self) -> str:
        return state_words(self.state)

    @property
    def tone(self) -> str:
        return TONES[self.state]


@dataclass(frozen=True, slots=True)
class ReplyRow:
    id: UUID
    by_staff: bool
    text: str
    at: datetime
    name: str


@dataclass(frozen=True, slots=True)
class RequestPage:
    rows: list[RequestRow]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it besides words: money on its way back, or a credit note."""

    refund: Money | None = None
    refund_state: str = ""
    note_id: UUID | None = None
    note_number: str = ""
    note: Money | None = None

    @property
    def refund_words(self) -> str:
        return {
            "done": _("is back with your bank"),
            "failed": _("is being looked at by us"),
        }.get(self.refund_state, _("is on its way back to your card"))


@dataclass(frozen=True, slots=True)
class Conversation:
    request: RequestRow
    replies: list[ReplyRow]
    outcome: Outcome


async def list_requests(identity: Identity, number: int) -> RequestPage:
    asked = {"customer_id": identity.customer.customer_id}
    rows, count = await fetch_many(
        _LIST.bind(**asked, most=PER_PAGE, skip=(number - 1) * PER_PAGE), _COUNT.bind(**asked)
    )
    return RequestPage([row_of(row) for row in rows], count[0]["n"], number)


async def conversation(identity: Identity, request_id: UUID) -> Conversation:
    """Raises NotFound, also for a request of somebody else."""
    return await conversation_of(identity.customer.customer_id, request_id)


async def conversation_of(customer_id: UUID, request_id: UUID) -> Conversation:
    """For staff, who know whose it is."""
    asked = {"customer_id": customer_id, "request_id": request_id}
    rows, replies, outcomes = await fetch_many(_ONE.bind(**asked), _REPLIES.bind(**asked), _CAME_OF_IT.bind(**asked))
    if not rows:
        raise NotFound
    return Conversation(row_of(rows[0]), [ReplyRow(**reply) for reply in replies], _outcome(outcomes[0]))


def row_of(row: dict[str, Any]) -> RequestRow:
    return RequestRow(**row | {"state": State(row["state"]), "kind": Kind(row["kind"])})


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(
        refund=Money(row["refund_minor"], row["refund_currency"]) if row["refund_state"] else None,
        refund_state=row["refund_state"] or "",
        note_id=row["note_id"],
        note_number=row["note_number"] or "",
        note=Money(-row["note_minor"], row["note_currency"]) if row["note_id"] else None,
    )
