"""What staff see of money that waits for somebody."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, fetch, fetch_many
from selfcare.kernel import clock
from selfcare.portal.pay import reconciling

_REVIEW = Prepared.sql(
    """
    SELECT p.id AS id, p.reference AS reference, p.amount_minor AS amount_minor, p.currency AS currency,
           p.created_at AS created_at, p.review AS review, p.customer_id AS customer_id, c.name AS customer,
           c.number AS number
      FROM payment p JOIN customer c ON c.id = p.customer_id
     WHERE p.state = 'manual_review'
        OR (p.created_at <= :before
            AND p.state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown'))
     ORDER BY p.created_at, p.id LIMIT 100
    """
)
_FAILED = Prepared.sql(
    """
    SELECT r.id AS id, r.payment_id AS payment_id, r.amount_minor AS amount_minor, r.currency AS currency,
           r.created_at AS created_at, r.reason AS reason, p.reference AS reference, c.name AS customer,
           c.number AS number
      FROM refund r JOIN payment p ON p.id = r.payment_id JOIN customer c ON c.id = r.customer_id
     WHERE r.state = 'failed' ORDER BY r.created_at, r.id LIMIT 100
    """
)
_LINES = Prepared.sql(
    """
    SELECT id, at, description, amount_minor, currency FROM billing_transaction
     WHERE customer_id = :customer_id AND invoice_id IS NULL AND voided_at IS NULL
       AND kind IN ('charge', 'adjustment') AND payment_id IS NULL AND order_id IS NULL
     ORDER BY at DESC, id DESC LIMIT 50
    """
)


async def waiting() -> tuple[list[Row], list[Row]]:
    """Payments to look at or undecided for a day, and refunds the bank refused."""
    asked = _REVIEW.bind(before=clock.now() - reconciling.WORRY_AFTER)
    review, failed = await fetch_many(asked, _FAILED.bind())
    return review, failed


async def voidable(customer_id: UUID) -> list[Row]:
    return await fetch(_LINES.bind(customer_id=customer_id), short=True)
