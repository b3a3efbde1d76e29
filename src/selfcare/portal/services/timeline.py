"""What happened to one service and who did it, from the audit log of the last 24 months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from selfcare.audit.events import INTERNAL, PACKAGES, of_packages
from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.words import _
from selfcare.portal.activity.words import sentence_of
from selfcare.portal.services.queries import ServiceDetail

KEPT = timedelta(days=731)
MOST = 50
_SHOWN = PACKAGES - INTERNAL - {"sign_in", "account", "as"}

# An order is about itself and names its service among its details.
_EVENTS = Prepared.sql(
    """
    SELECT e.at AS at, e.event AS event, e.details AS details, e.actor_user_id AS actor_id, e.grant_id AS grant_id,
           u.display_name AS actor
      FROM audit_event e LEFT JOIN app_user u ON u.id = e.actor_user_id
     WHERE e.customer_id = :customer_id AND e.at >= :since AND e.outcome = 'ok' AND e.event IN :events
       AND (e.about = :service_id OR CAST(e.details AS TEXT) LIKE :named)
     ORDER BY e.at DESC, e.id DESC
     LIMIT 50
    """,
    types={"details": as_json},
)


@dataclass(frozen=True, slots=True)
class Moment:
    at: datetime
    what: str
    who: str


async def timeline(identity: Identity, service: ServiceDetail) -> list[Moment]:
    """The newest first, the activation last."""
    rows = await fetch(
        _EVENTS.bind(
            customer_id=identity.customer.customer_id,
            since=clock.now() - KEPT,
            events=of_packages(_SHOWN),
            service_id=str(service.row.id),
            named=f"%{service.row.id}%",
        )
    )
    told = [Moment(row["at"], _what(row), _who(row, identity)) for row in rows]
    if not any(row["event"] == "services.activated" for row in rows) and len(rows) < MOST:
        told.append(Moment(service.row.created, _("Switched on"), _("by us")))
    return told


def _what(row: Row) -> str:
    """As in the activity, without the word service: there is only one here."""
    short = {
        "services.activated": _("Switched on"),
        "services.renamed": _("Renamed"),
        "services.changed": _("Settings were changed"),
        "services.renewed": _("Renewed"),
        "services.cancellation_asked": _("Cancelled"),
        "services.cancellation_undone": _("The cancellation was taken back"),
        "services.suspended": _("Suspended"),
        "services.resumed": _("On again"),
        "services.ended": _("Ended"),
        "services.handed_over": _("Transferred to somebody else"),
        "services.taken_over": _("Taken over from somebody else"),
    }
    return short.get(row["event"]) or sentence_of(row["event"], row["details"])


def _who(row: Row, identity: Identity) -> str:
    if row["actor_id"] is None:
        # Who ordered it stands there already.
        return "" if row["event"].endswith(".bought") else _("by us")
    if row["grant_id"] is not None:
        return _("%(name)s from support") % {"name": row["actor"]}
    return _("by you") if row["actor_id"] == identity.user_id else str(row["actor"] or "")
