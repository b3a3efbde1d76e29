"""What is paid by the default card without anybody pressing a button. To add something, add a statement here."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.kernel.words import _


async def needs_of(customer_id: UUID) -> list[str]:
    """In words, ready for a list; empty where nothing depends on a card."""
    whose = {"customer_id": customer_id}
    autopay, renewing, topped_up = await fetch_many(
        AUTOPAY.bind(**whose), RENEWING.bind(**whose), TOPPED_UP.bind(**whose), short=True
    )
    needs = [_("automatic payment of bills")] if autopay else []
    needs += [_("auto-renewal of %(service)s") % {"service": row["nickname"] or row["name"]} for row in renewing]
    return needs + [
        _("automatic top-up of %(service)s") % {"service": row["nickname"] or row["name"]} for row in topped_up
    ]


AUTOPAY = Prepared.sql("SELECT id FROM autopay_consent WHERE customer_id = :customer_id AND ended_at IS NULL")
RENEWING = Prepared.sql(
    """
    SELECT s.name AS name, s.nickname AS nickname FROM service s JOIN customer c ON c.id = s.customer_id
    WHERE s.customer_id = :customer_id AND s.state = 'active' AND s.renews AND c.pays = 'prepaid'
    ORDER BY s.name LIMIT 5
    """
)
TOPPED_UP = Prepared.sql(
    """
    SELECT s.name AS name, s.nickname AS nickname FROM auto_topup a JOIN service s ON s.id = a.service_id
    WHERE a.customer_id = :customer_id AND a.ended_at IS NULL ORDER BY s.name LIMIT 5
    """
)
