"""What staff decide where a gateway left money undecided: a refund it refused, a payment that does not fit.

Inside `transaction()`. Each names the state it starts from, so that two who decide at once decide once. Raises NotFound
or Conflict, and then nothing has moved.
"""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.words import _
from selfcare.portal.billing import ledger
from selfcare.portal.billing.ledger import Account, Journal, Kind
from selfcare.portal.pay import refunds, settling, telling
from selfcare.portal.pay.payment import State, load
from selfcare.portal.pay.refunds import Refund
from selfcare.portal.pay.till import Till
from selfcare.ports.jobs import MONEY


async def send_again(till: Till, who: audit.Who, refund_id: UUID, reason: str) -> None:
    """Under a new number: the gateway answers the old one as it did before."""
    rows = await execute(_AGAIN.bind(id=refund_id))
    if not rows:
        raise Conflict(_("This refund does not wait for a decision any more."))
    refund = await refunds.load_refund(refund_id)
    await _decided(who, refund, "sent again", reason)
    key = f"{refunds.SEND}:{refund_id}:{refund.number}"
    await till.jobs.enqueue(refunds.SEND, key=key, payload={"refund_id": str(refund_id)}, priority=MONEY)


async def given_outside(till: Till, who: audit.Who, refund_id: UUID, evidence: str) -> None:
    """It was paid back past this portal: by bank transfer, in cash. `evidence` says where that can be seen."""
    refund = await refunds.load_refund(refund_id)
    if not await execute(_OUTSIDE.bind(id=refund_id, now=clock.now())):
        raise Conflict(_("This refund does not wait for a decision any more."))
    payment = await load(refund.payment_id)
    currency = refund.amount.currency
    # What the bank had sent and brought back lies with the gateway again.
    promised = Account(Kind.REFUNDING, currency, refund.customer_id)
    lies = Account(Kind.GATEWAY, currency, part=payment.gateway) if refund.done_at else promised
    entries = ledger.move(refund.amount, to=lies, out_of=Account(Kind.ELSEWHERE, currency))
    await ledger.post(Journal(f"outside:{refund.id}", "outside", entries, refund.customer_id, refund.payment_id))
    await _decided(who, refund, "given back outside", evidence)
    await execute(refunds.RETURNED.bind(id=refund.payment_id))
    await refunds.tell_order(till, payment, refund)
    await telling.refunded_outside(till, payment, refund.id, refund.amount)


async def nothing_taken(till: Till, who: audit.Who, payment_id: UUID, evidence: str) -> None:
    """Money that did not fit was put right at the gateway: this failed, and what it was for can be paid again."""
    payment = await load(payment_id)
    if not await settling.close_here(till, payment_id, State.FAILED, states=[State.MANUAL_REVIEW]):
        raise Conflict(_("This payment does not wait for a decision any more."))
    of_customer = audit.Actor(who.actor_id, who.user_id, who.grant_id, payment.customer_id, who.origin)
    await audit.record(of_customer, Event.PAY_REVIEWED, about=payment_id, decision="nothing taken", reason=evidence)


async def _decided(who: audit.Who, refund: Refund, decision: str, reason: str) -> None:
    """The payment stands again where it stood, unless another refund of it waits too."""
    await execute(_BACK.bind(id=refund.payment_id))
    of_customer = audit.Actor(who.actor_id, who.user_id, who.grant_id, refund.customer_id, who.origin)
    await audit.record(of_customer, Event.PAY_REVIEWED, about=refund.payment_id, decision=decision, reason=reason)


_AGAIN = Prepared.sql(
    """
    UPDATE refund SET state = 'due', gateway_ref = NULL, sent_at = NULL, number = 1 + (
        SELECT MAX(r.number) FROM refund r WHERE r.payment_id = refund.payment_id)
     WHERE id = :id AND state = 'failed' RETURNING id
    """
)
_OUTSIDE = Prepared.sql(
    """
    UPDATE refund SET state = 'done', done_at = :now
     WHERE id = :id AND state = 'failed' RETURNING id
    """
)
_BACK = Prepared.sql(
    """
    UPDATE payment SET review = NULL,
        state = CASE WHEN refunded_minor = amount_minor THEN 'refund_due' ELSE 'succeeded' END
     WHERE id = :id AND state = 'manual_review' AND settled_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM refund r WHERE r.payment_id = payment.id AND r.state = 'failed')
    """
)
