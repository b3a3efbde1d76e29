"""Removing an add-on when what is paid for is over, and thinking better of it."""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.formats import money
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.portal.services.extras import Held, held_on

_REMOVE = Prepared.sql(
    """
    UPDATE service_addon SET ends_at = :ends_at, removal_asked_at = :now
     WHERE id = :id AND customer_id = :customer_id AND ends_at IS NULL AND paid_until = :paid_until RETURNING id
    """
)
_KEEP = Prepared.sql(
    """
    UPDATE service_addon SET ends_at = NULL, removal_asked_at = NULL
     WHERE id = :id AND customer_id = :customer_id AND removal_asked_at IS NOT NULL AND ends_at > :now RETURNING id
    """
)


async def find(scope: CustomerScope, service_id: UUID, addon_id: UUID) -> Held:
    """Raises NotFound for what does not run on this service of this customer."""
    held = next((one for one in await held_on(scope, service_id, clock.now()) if one.id == addon_id), None)
    if held is None:
        raise NotFound
    return held


async def remove(identity: Identity, service_id: UUID, addon_id: UUID, *, shown: int) -> None:
    """It ends by itself at `removable_at`. Twice is once. `shown`: the fee that was agreed to.

    Raises Rejected for one that ends by itself, and Conflict where the fee is another one by now.
    """
    scope = identity.customer
    async with transaction():
        held = await find(scope, service_id, addon_id)
        if held.ends_at is not None:
            return
        if held.removable_at is None:
            raise Rejected(_("This add-on was paid once and stays. There is nothing to remove."))
        fee = held.leaving_fee(scope.zone)
        if fee.minor != shown:
            raise Conflict(_("Leaving costs %(fee)s by now. Nothing was changed.") % {"fee": money(fee)})
        values = {"ends_at": held.removable_at, "paid_until": held.paid_until, "now": clock.now()}
        if await execute(_REMOVE.bind(id=addon_id, customer_id=scope.customer_id, **values)):
            await audit.record(
                identity, Event.ADDONS_REMOVED, about=addon_id, service=service_id, product=held.product_id
            )


async def keep(identity: Identity, service_id: UUID, addon_id: UUID) -> None:
    """It goes on as before. Twice is once."""
    scope = identity.customer
    async with transaction():
        held = await find(scope, service_id, addon_id)
        if await execute(_KEEP.bind(id=addon_id, customer_id=scope.customer_id, now=clock.now())):
            await audit.record(identity, Event.ADDONS_KEPT, about=addon_id, service=service_id, product=held.product_id)
