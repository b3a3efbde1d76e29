"""Making a request, and the talk about it. Every step names the state it starts from, so no two can both win."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selfcare import formats
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Actor
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.identity.rights import StaffRight
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.requests.kinds import Kind, State, title
from selfcare.portal.account.requests.things import About
from selfcare.portal.account.tables import Reply
from selfcare.portal.billing import questions
from selfcare.ports.messages import Messages

LONGEST = 2000
REPLIES_BY_USER = limits.Limit("replies.user", 20, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Wish:
    """What was filled in. `about` was checked to be the customer's own."""

    kind: Kind
    text: str
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A request in its new state."""

    id: UUID
    customer_id: UUID
    user_id: UUID
    kind: Kind
    reference: str
    about: UUID | None


async def make(identity: Identity, wish: Wish, *, key: str, messages: Messages) -> UUID:
    """The request's id; the same form twice is one request. Five a day: raises limits.TooOften; Conflict for a line
    that is in question already."""
    async with transaction():
        same = await fetch_one(_SAME.bind(request_key=key, customer_id=identity.customer.customer_id))
        if same is not None:
            return UUID(str(same["id"]))
        await _claim(identity)
        request_id = await make_here(identity, wish, key, messages)
        if request_id is None:
            # The same form in two tabs at once: whoever was faster has made it.
            raise Conflict(_("This form was sent already. Look at your requests."))
        if wish.kind is Kind.DISPUTE and wish.about is not None:
            await questions.ask(identity.customer, wish.about.id, request_id)
    return request_id


async def make_here(who: audit.Who, wish: Wish, key: str, messages: Messages) -> UUID | None:
    """Inside `transaction()`, without a limit: what goes wrong opens one by itself. None where it was made before."""
    assert who.customer_id is not None
    assert who.user_id is not None
    request_id, reference = ids.new_id(), ids.reference("REQ")
    added = await execute(
        _ADD.bind(
            id=request_id,
            customer_id=who.customer_id,
            user_id=who.user_id,
            reference=reference,
            kind=wish.kind.value,
            text=wish.text,
            about=wish.about.id if wish.about else None,
            about_words=wish.about.words if wish.about else "",
            request_key=key,
            now=clock.now(),
        )
    )
    if not added:
        return None
    await audit.record(who, Event.ACCOUNT_REQUEST_MADE, about=request_id, kind=wish.kind.value)
    moved = Moved(request_id, who.customer_id, who.user_id, wish.kind, reference, None)
    await _tell(messages, Message.REQUEST_RECEIVED, moved, f"request.received:{request_id}")
    return request_id


async def reply(identity: Identity, request_id: UUID, text: str) -> None:
    """By the customer; a request that waited for them is open again. Raises NotFound, Conflict or limits.TooOften."""
    customer_id = identity.customer.customer_id
    await _check_own(customer_id, request_id)
    await limits.claim(REPLIES_BY_USER, str(identity.user_id))
    async with transaction():
        moved = await _move(customer_id, request_id, State.OPEN)
        await _say(moved, identity.user_id, text, by_staff=False)
        await audit.record(identity, Event.ACCOUNT_REQUEST_REPLIED, about=request_id, kind=moved.kind.value)


async def withdraw(identity: Identity, request_id: UUID, *, messages: Messages) -> None:
    """Raises NotFound, or Conflict where it is over already."""
    customer_id = identity.customer.customer_id
    await _check_own(customer_id, request_id)
    async with transaction():
        moved = await _move(customer_id, request_id, State.WITHDRAWN)
        await questions.close(request_id)
        await audit.record(identity, Event.ACCOUNT_REQUEST_WITHDRAWN, about=request_id, kind=moved.kind.value)
        await _tell(messages, Message.REQUEST_WITHDRAWN, moved, f"request.withdrawn:{request_id}")


async def answer(staff: Identity, request_id: UUID, text: str, state: State, *, messages: Messages) -> None:
    """By staff who handle requests: a word, a question, or the decision. Raises NotAllowed, NotFound or Conflict."""
    async with transaction():
        await answer_here(staff, request_id, text, state, messages=messages)


async def answer_here(staff: Identity, request_id: UUID, text: str, state: State, *, messages: Messages) -> Moved:
    """As `answer`, inside the caller's transaction: before anything else that follows from the decision."""
    if not staff.can(StaffRight.HANDLE_REQUESTS) or staff.is_impersonating:
        raise NotAllowed(_("Only staff who handle requests can do this."))
    if state is State.WITHDRAWN:
        raise Conflict(_("Only the customer can withdraw a request."))
    found = await fetch_one(_FIND.bind(id=request_id))
    if found is None:
        raise NotFound
    moved = await _move(found["customer_id"], request_id, state)
    reply_id = await _say(moved, staff.actor_id, text, by_staff=True)
    if state.is_over:
        await questions.close(request_id)
    who = acting_for(staff, moved)
    await audit.record(who, Event.ACCOUNT_REQUEST_ANSWERED, about=request_id, kind=moved.kind.value, state=state.value)
    await _tell(messages, Message.REQUEST_ANSWERED, moved, f"request.answered:{reply_id}", state=state.value)
    return moved


async def note_outcome(moved: Moved, *, refund_id: UUID | None = None, credit_note_id: UUID | None = None) -> None:
    """What came of the decision; in its transaction."""
    await execute(_CAME_OF_IT.bind(id=moved.id, refund_id=refund_id, credit_note_id=credit_note_id))


def acting_for(staff: Identity, moved: Moved) -> Actor:
    """For the log: staff, on the account of the customer who asked."""
    return Actor(staff.actor_id, moved.user_id, None, moved.customer_id, staff.origin)


async def _claim(identity: Identity) -> None:
    subject = str(identity.user_id)
    if not await limits.allows_here(limits.REQUESTS_BY_USER, subject):
        again = await limits.free_again(limits.REQUESTS_BY_USER, subject)
        raise TooMany(again - clock.now(), formats.moment(again, identity.customer.zone))


class TooMany(limits.TooOften):
    """Says when the next request is possible."""

    def __init__(self, wait: timedelta, at: str) -> None:
        super().__init__(wait)
        self.message = _("You have sent %(n)d requests today. You can send the next on %(at)s.") % {
            "n": limits.REQUESTS_BY_USER.most,
            "at": at,
        }


async def _check_own(customer_id: UUID, request_id: UUID) -> None:
    if await fetch_one(_OWN.bind(id=request_id, customer_id=customer_id)) is None:
        raise NotFound


async def _move(customer_id: UUID, request_id: UUID, state: State) -> Moved:
    rows = await execute(_MOVE.bind(state=state.value, now=clock.now(), id=request_id, customer_id=customer_id))
    if not rows:
        raise Conflict(_("This request is closed. Make a new one if something is left to do."))
    row = rows[0]
    return Moved(request_id, customer_id, row["user_id"], Kind(row["kind"]), row["reference"], row["about"])


async def _say(moved: Moved, user_id: UUID, text: str, *, by_staff: bool) -> UUID:
    reply_id = ids.new_id()
    await Reply.insert(
        Reply(
            id=reply_id,
            customer_id=moved.customer_id,
            request_id=moved.id,
            user_id=user_id,
            by_staff=by_staff,
            text=text,
            created_at=clock.now(),
        )
    )
    return reply_id


async def _tell(messages: Messages, message: Message, moved: Moved, dedupe_key: str, **values: object) -> None:
    if message is not Message.REQUEST_ANSWERED:
        values["reference"] = moved.reference
    await messages.send_later(
        message,
        to_user=moved.user_id,
        customer_id=moved.customer_id,
        about=moved.id,
        dedupe_key=dedupe_key,
        kind=title(moved.kind),
        path=f"/account/requests/{moved.id}",
        **values,  # type: ignore[arg-type]
    )


_ADD = Prepared.sql(
    """
    INSERT INTO request (id, customer_id, user_id, reference, kind, state, text, about, about_words, request_key,
        created_at, changed_at)
    VALUES (:id, :customer_id, :user_id, :reference, :kind, 'open', :text, :about, :about_words, :request_key,
        :now, :now)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
_SAME = Prepared.sql("SELECT id FROM request WHERE request_key = :request_key AND customer_id = :customer_id")
_MOVE = Prepared.sql(
    """
    UPDATE request SET state = :state, changed_at = :now
     WHERE id = :id AND customer_id = :customer_id AND state IN ('open', 'waiting_customer')
    RETURNING kind, user_id, reference, about
    """
)
_FIND = Prepared.sql("SELECT customer_id FROM request WHERE id = :id")
_OWN = Prepared.sql("SELECT id FROM request WHERE id = :id AND customer_id = :customer_id")
_CAME_OF_IT = Prepared.sql("UPDATE request SET refund_id = :refund_id, credit_note_id = :credit_note_id WHERE id = :id")
