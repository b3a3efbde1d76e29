"""What the network says of its work, in the words of orders."""

from __future__ import annotations

from uuid import UUID

from selfcare.portal.orders.outcome import DONE, RUNNING, UNKNOWN, Outcome, Result
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.provisioning import DONE as READY
from selfcare.ports.provisioning import FAILED as BROKEN
from selfcare.ports.provisioning import Progress, Provisioning, Work


async def set_up(provisioning: Provisioning, work: Work) -> Outcome:
    """Begins it, or says how far it is."""
    try:
        return _outcome(await provisioning.start(work))
    except Declined as refused:
        return Outcome(Result.FAILED, refused.message)
    except Unreachable:
        return RUNNING
    except Unknown as lost:
        return Outcome(Result.UNKNOWN, lost.message)


async def look(provisioning: Provisioning, job_id: UUID) -> Outcome:
    """Without beginning anything; FAILED also where it never began."""
    try:
        found = await provisioning.ask(job_id)
    except (Unreachable, Unknown):
        return UNKNOWN
    return _outcome(found) if found else Outcome(Result.FAILED)


def _outcome(progress: Progress) -> Outcome:
    if progress.status == READY:
        return DONE
    if progress.status == BROKEN:
        return Outcome(Result.FAILED, "The network could not set it up.")
    if not progress.is_known:
        return Outcome(Result.RUNNING, f"The network answers with status {progress.status}, which we do not know.")
    return Outcome(Result.RUNNING, "The network is still at it.")
