"""The receipt of a payment on paper; it says what the page says."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from selfcare.formats import moment, money
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import NotFound
from selfcare.kernel.words import _
from selfcare.portal.billing import papers
from selfcare.portal.billing.papers import Paper, Receiver
from selfcare.portal.billing.sheet import Sheet
from selfcare.portal.pay import payments, refunds, words
from selfcare.portal.pay.guests import strangers
from selfcare.portal.pay.payments import Payment
from selfcare.portal.pay.refunds import Refund
from selfcare.theme import Theme


async def fetch_receipt(identity: Identity, payment_id: UUID, *, operator: Theme, simulated: bool) -> Paper:
    """Raises NotFound, also for what is not paid, or by a stranger; limits.TooOften after thirty papers in a minute."""
    payment = await payments.get(identity.customer, payment_id)
    if not payment.is_paid or payment.is_strangers:
        raise NotFound
    await limits.claim(papers.BY_USER, str(identity.actor_id))
    receiver = await papers.receiver_of(identity.customer.customer_id)
    given_back = await refunds.list_refunds(payment)
    zone = identity.customer.zone
    draw = partial(draw_receipt, payment, given_back, receiver, operator, simulated=simulated, zone=zone)
    return Paper(f"{payment.reference}.pdf", await papers.drawn(draw))


async def guest_receipt(payment: Payment, *, address: str, operator: Theme, simulated: bool, zone: str) -> Paper:
    """For whoever paid without signing in: no word about whose bill or line it was. Raises as `fetch_receipt`."""
    if not payment.is_paid:
        raise NotFound
    await limits.claim(papers.BY_USER, address)
    payer = papers.guest(await strangers.name_of(payment))
    draw = partial(draw_receipt, payment, [], payer, operator, simulated=simulated, zone=zone)
    return Paper(f"{payment.reference}.pdf", await papers.drawn(draw))


def draw_receipt(
    payment: Payment, given_back: list[Refund], receiver: Receiver, operator: Theme, *, simulated: bool, zone: str
) -> bytes:
    title = _("Receipt %(reference)s") % {"reference": payment.reference}
    sheet = Sheet(papers.head_of(operator, title, receiver, simulated=simulated))
    sheet.title(title)
    facts = [
        (_("Paid on"), moment(payment.settled_at, zone)),
        (_("Paid with"), words.paid_by(payment)),
    ]
    if receiver.number:
        facts.append((_("Customer number"), receiver.number))
    sheet.beside(receiver.lines, facts)
    sheet.paragraph(payment.description)
    sums = [(_("Paid"), money(payment.total), True)]
    if payment.surplus:
        sums.append((_("Kept as your credit"), money(payment.surplus), False))
    sums += [
        (_("Refund of %(day)s") % {"day": moment(refund.created_at, zone)}, f"\u2212{money(refund.amount)}", False)
        for refund in given_back
        if refund.state != "failed"
    ]
    sheet.sums(sums)
    sheet.paragraph(_("Thank you. Keep this for your records."))
    return sheet.finish()
