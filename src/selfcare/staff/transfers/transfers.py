"""A service goes to another customer: number, SIM, allowance and contract. Bills, records and the past stay, and its
add-ons end.

The old owner's service ends and keeps its id; the new owner gets one with a new id. So nothing of the past is written
anew, and an address of the old one shows history. All of it is one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.requests import requests
from selfcare.portal.account.requests.kinds import State
from selfcare.portal.cards import cards
from selfcare.ports.charging import Handover
from selfcare.ports.failures import Declined
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import Kind
from selfcare.staff.customers import queries as customers
from selfcare.staff.customers.queries import Customer
from selfcare.staff.money import giving
from selfcare.staff.transfers import queries

# The old one keeps its number to be told apart by: only of services that run a number is one.
_END = Prepared.sql(
    """
    UPDATE service SET state = 'ended', end_reason = 'cancelled', ended_at = :now, handed_over_at = :now, renews = :no,
           ocs_account = NULL, external_id = NULL
     WHERE customer_id = :customer_id AND id = :service_id AND state = 'active' AND next_product_id IS NULL
       AND cancel_at IS NULL
    RETURNING id
    """
)
_NAMES = Prepared.sql(
    """
    SELECT COALESCE(nickname, name) AS old_name, name, renews, ocs_account, external_id
      FROM service WHERE customer_id = :customer_id AND id = :service_id
    """
)
_BEGIN = Prepared.sql(
    """
    INSERT INTO service (id, customer_id, product_id, name, type, state, activated_at, ends_at, renews, monthly_minor,
           currency, msisdn, iccid, ocs_account, contract_ends_on, lock_sim, lock_port, configuration, created_at,
           external_id, taken_over_from, taken_over_at)
    SELECT :to_service_id, :to_customer_id, product_id, name, type, 'active', ended_at, ends_at, :renews, monthly_minor,
           currency, msisdn, iccid, :ocs_account, contract_ends_on, lock_sim, lock_port, configuration, ended_at,
           :external_id, id, ended_at
      FROM service WHERE customer_id = :customer_id AND id = :service_id
    """
)
# They were agreed with the old owner, month by month; the network takes them off.
_END_ADDONS = Prepared.sql(
    """
    UPDATE service_addon SET ends_at = :now
     WHERE customer_id = :customer_id AND service_id = :service_id AND (ends_at IS NULL OR ends_at > :now)
    """
)
_MOVED = (
    Prepared.sql(
        """
        UPDATE sim SET customer_id = :to_customer_id, service_id = :to_service_id
         WHERE customer_id = :customer_id AND service_id = :service_id AND replaced_at IS NULL
        """
    ),
    Prepared.sql(
        """
        UPDATE line_speed SET customer_id = :to_customer_id, service_id = :to_service_id
         WHERE customer_id = :customer_id AND service_id = :service_id
        """
    ),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which service to whom, and the request of the old owner that led here."""

    customer_id: UUID
    service_id: UUID
    to_customer_id: UUID
    reason: str
    request_id: UUID | None = None


async def transfer(ports: Ports, settings: Settings, staff: Identity, wanted: Wanted) -> UUID | None:
    """The new service, or None where a second person has to agree first. Raises NotFound, Rejected or Conflict."""
    old = await customers.find(wanted.customer_id)
    planned = await queries.plan(old, wanted.service_id, wanted.to_customer_id, ports.charging)
    if planned.why_not:
        raise Rejected(" ".join(planned.why_not))
    async with transaction():
        if planned.worth > giving.alone(settings, planned.worth.currency):
            if await approvals.is_asked(Kind.TRANSFER, wanted.service_id):
                raise Conflict(_("This transfer waits for a second person already."))
            await approvals.ask(
                customers.of_customer(staff, old.id),
                Kind.TRANSFER,
                wanted.reason,
                amount=planned.worth,
                about=wanted.service_id,
                to_customer_id=wanted.to_customer_id,
                request_id=wanted.request_id,
            )
            return None
        return await _move(ports, staff, old, planned.new, wanted)


async def decide(ports: Ports, staff: Identity, approval_id: UUID, *, yes: bool) -> None:
    """By somebody else than who asked; a yes transfers in the same transaction. Raises Rejected or Conflict."""
    async with transaction():
        asked = await approvals.decide(staff, approval_id, [Kind.TRANSFER], yes=yes)
        if yes and asked.about is not None and asked.to_customer_id is not None:
            old, new = await customers.find(asked.customer_id), await customers.find(asked.to_customer_id)
            wanted = Wanted(old.id, asked.about, new.id, asked.reason, asked.request_id)
            await _move(ports, staff, old, new, wanted)


async def _move(ports: Ports, staff: Identity, old: Customer, new: Customer, wanted: Wanted) -> UUID:
    # Whoever buys something for it meanwhile comes before or after.
    await cards.hold(old.id)
    service = await queries.service_of(old.id, wanted.service_id)
    if why_not := await queries.recheck(service, old, new):
        raise Rejected(" ".join(why_not))
    own = {"customer_id": old.id, "service_id": wanted.service_id}
    to = {"to_customer_id": new.id, "to_service_id": ids.new_id()}
    (names,) = await fetch(_NAMES.bind(**own))
    if not await execute(_END.bind(**own, now=clock.now(), no=False)):
        raise Conflict(_("The service has changed meanwhile. Look at it again."))
    await execute(_END_ADDONS.bind(**own, now=clock.now()))
    kept = {name: names[name] for name in ("renews", "ocs_account", "external_id")}
    await execute(_BEGIN.bind(**own, **to, **kept))
    for statement in _MOVED:
        await execute(statement.bind(**own, **to))
    try:
        await ports.charging.hand_over(Handover(**own, **to))
    except Declined as problem:
        raise Rejected(problem.message) from problem
    await _tell(ports, staff, old, Event.SERVICES_HANDED_OVER, wanted.service_id, wanted.reason, names["old_name"])
    await _tell(ports, staff, new, Event.SERVICES_TAKEN_OVER, to["to_service_id"], wanted.reason, names["name"])
    if wanted.request_id is not None:
        words = _("Done: the service belongs to its new owner now.")
        await requests.answer_here(staff, wanted.request_id, words, State.DONE, messages=ports.messages)
    return to["to_service_id"]


async def _tell(
    ports: Ports, staff: Identity, whom: Customer, event: Event, service_id: UUID, reason: str, name: str
) -> None:
    """In the log of the one customer, and by mail to every owner there. Neither learns who the other is from us."""
    owners = await customers.owners(whom.id)
    who = customers.of_customer(staff, whom.id, owners[0] if owners else None)
    await audit.record(who, event, about=service_id, reason=reason)
    gone = event is Event.SERVICES_HANDED_OVER
    for user_id in owners:
        await ports.messages.send_later(
            Message.SERVICE_HANDED_OVER if gone else Message.SERVICE_TAKEN_OVER,
            to_user=user_id,
            customer_id=whom.id,
            about=service_id,
            dedupe_key=f"{event.value}:{service_id}:{user_id}",
            service=name,
            at=clock.now(),
            path=f"/services/{service_id}",
        )
