"""What follows from a decision about money: in one transaction with it, so that it happens once or not at all."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.identity.rights import StaffRight
from selfcare.kernel.errors import Conflict, NotAllowed, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.account.requests import requests
from selfcare.portal.account.requests.kinds import Kind as Asked
from selfcare.portal.account.requests.kinds import State
from selfcare.portal.billing import credit_notes, questions
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import Kind
from selfcare.staff.customers import queries as customers
from selfcare.staff.money import giving
from selfcare.staff.requests import queries

SHORTEST, LONGEST = 10, 200


async def refund(
    till: Till, settings: Settings, staff: Identity, request_id: UUID, amount: Money, *, source: Source, text: str
) -> None:
    """Money of the payment that was asked about goes back. Raises NotAllowed, NotFound, Rejected or Conflict."""
    _check_right(staff)
    _check_alone(settings, amount, _("Ask for it on the page of the payment, and answer here when it is given."))
    async with transaction():
        moved = await requests.answer_here(staff, request_id, text, State.DONE, messages=till.messages)
        if moved.kind is not Asked.REFUND or moved.about is None:
            raise Conflict(_("This request is not about a payment."))
        who = requests.acting_for(staff, moved)
        made = await giving.refund_here(till, who, moved.about, amount, source=source, reason=moved.reference)
        await requests.note_outcome(moved, refund_id=made.id)


async def credit(
    till: Till, settings: Settings, staff: Identity, request_id: UUID, amount: Money, *, text: str
) -> bool:
    """The line was wrong: a credit note takes it off. False when a second person has to agree first.

    Raises NotAllowed, NotFound, Rejected or Conflict.
    """
    _check_right(staff)
    if not amount > giving.alone(settings, amount.currency):
        async with transaction():
            await _credit(till, settings, staff, request_id, amount, text)
        return True
    if not SHORTEST <= len(text) <= LONGEST:
        words = _("A second person reads it before they agree: use %(least)d to %(most)d characters.")
        raise Rejected(words % {"least": SHORTEST, "most": LONGEST}, "text")
    case = await queries.get_case(request_id)
    if case.most is None or amount > case.most:
        raise Conflict(_("So much cannot be credited."))
    async with transaction():
        if await approvals.is_asked(Kind.NOTE, request_id):
            raise Conflict(_("This waits for a second person already."))
        who = customers.of_customer(staff, case.queued.customer_id)
        await approvals.ask(who, Kind.NOTE, text, amount=amount, about=request_id)
    return False


async def decide(till: Till, settings: Settings, staff: Identity, approval_id: UUID, *, yes: bool) -> None:
    """A credit note that two have to agree to: with a yes the request is answered in the words of who asked."""
    _check_right(staff)
    async with transaction():
        asked = await approvals.decide(staff, approval_id, [Kind.NOTE], yes=yes)
        if yes and asked.about is not None and asked.amount is not None:
            await _credit(till, settings, staff, asked.about, asked.amount, asked.reason)


async def _credit(till: Till, settings: Settings, staff: Identity, request_id: UUID, amount: Money, text: str) -> None:
    moved = await requests.answer_here(staff, request_id, text, State.DONE, messages=till.messages)
    if moved.kind is not Asked.DISPUTE or moved.about is None:
        raise Conflict(_("This request is not about a line of a bill."))
    who = requests.acting_for(staff, moved)
    note = await credit_notes.give(who, moved.customer_id, moved.about, amount, zone=settings.zone)
    await questions.note_credit(request_id, note.net, note.tax)
    await requests.note_outcome(moved, credit_note_id=note.id)


def _check_alone(settings: Settings, amount: Money, instead: str) -> None:
    """What needs two people elsewhere in the console needs them here too."""
    most = giving.alone(settings, amount.currency)
    if amount > most:
        words = _("One person may give at most %(most)s; above it a second one has to agree.") % {"most": money(most)}
        raise Rejected(f"{words} {instead}", "amount")


def _check_right(staff: Identity) -> None:
    if not staff.can(StaffRight.REFUND_PAYMENT) or staff.is_impersonating:
        raise NotAllowed(_("Only staff who may give money back can do this."))
