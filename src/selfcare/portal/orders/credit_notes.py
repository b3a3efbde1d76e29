"""Credit notes of orders: the paper for what was paid and given back, because it was never delivered.

They move no money: what was paid for an order is no sale before it is delivered (see `booking`). Their numbers come
from the same counter as those of credit notes of bills.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db import counters
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.formats import day, money
from selfcare.identity import limits
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import papers
from selfcare.portal.billing.papers import Paper, Receiver
from selfcare.portal.billing.sheet import Column, Sheet
from selfcare.portal.orders.booking import paid_by, system
from selfcare.portal.orders.order import Order, load
from selfcare.portal.orders.parts import parts_of
from selfcare.portal.pay import payments
from selfcare.portal.pay.guests import strangers
from selfcare.theme import Theme

TABLE = (283.0, 110.0, 90.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """Tax included, `card` and `credit` are where the money went; `of_stranger` paid without signing in. `outside`: the
    bank would not give the card's share back, and it was given by another way."""

    id: UUID
    order_id: UUID
    number: str
    date: date
    net: Money
    tax: Money
    card: Money
    credit: Money
    of_stranger: bool
    outside: bool = False

    @property
    def total(self) -> Money:
        return self.net + self.tax


async def issue(order: Order, zone: str) -> CreditNote:
    """Inside the transaction in which the order becomes refunded: that happens once, so the note is one too."""
    today, lines = clock.today(zone), await lines_of(order)
    nothing = Money.zero(order.price.currency)
    tax = sum((line.tax for line in lines), nothing)
    rows = await execute(_BY_CARD.bind(id=order.id))
    card = Money(rows[0]["minor"], nothing.currency) if rows else nothing
    payment_id = await paid_by(order)
    assert payment_id is not None
    note = CreditNote(
        id=new_id(),
        order_id=order.id,
        number=f"CN-{today.year}-{await counters.take(f'credit-note-{today.year}'):06}",
        date=today,
        net=order.price - tax,
        tax=tax,
        card=card,
        credit=order.price - card,
        of_stranger=(await payments.load(payment_id)).is_strangers,
    )
    await execute(
        _ADD.bind(
            id=note.id,
            customer_id=order.customer_id,
            order_id=order.id,
            number=note.number,
            date=note.date,
            currency=order.price.currency,
            net=note.net.minor,
            tax=note.tax.minor,
            card=note.card.minor,
            credit=note.credit.minor,
            of_stranger=note.of_stranger,
            now=clock.now(),
        )
    )
    await audit.record(
        system(order),
        Event.BILLING_CREDITED,
        about=note.id,
        amount_minor=note.total.minor,
        currency=note.total.currency,
        reason="order",
    )
    return note


async def lines_of(order: Order) -> Sequence[Order]:
    """What is credited: the order, or the parts of a bundle that was given back as one."""
    return await parts_of(order.id) or [order]


async def find(order_ids: Sequence[UUID]) -> list[CreditNote]:
    """Of these orders, by number."""
    return [_note(row) for row in await fetch(_OF_ORDERS.bind(ids=order_ids))] if order_ids else []


async def get(order_id: UUID) -> CreditNote:
    """Raises NotFound. Whether anybody may see the order is the caller's to know."""
    row = await fetch_one(_OF_ORDER.bind(id=order_id))
    if row is None:
        raise NotFound
    return _note(row)


async def fetch_paper(order: Order, *, operator: Theme, simulated: bool, asker: str, is_stranger: bool) -> Paper:
    """As the one who paid may have it. Raises NotFound, and limits.TooOften after thirty papers in a minute."""
    note = await get(order.id)
    if note.of_stranger != is_stranger:
        raise NotFound
    await limits.claim(papers.BY_USER, asker)
    receiver = await _receiver(order, is_stranger=is_stranger)
    whole = await load(order.parent_id) if order.parent_id is not None else order
    lines = await lines_of(order)
    draw = partial(_draw, note, whole.reference, lines, receiver, operator, simulated=simulated)
    return Paper(f"{note.number}.pdf", await papers.drawn(draw))


async def _receiver(order: Order, *, is_stranger: bool) -> Receiver:
    if not is_stranger or order.payment_id is None:
        return await papers.receiver_of(order.customer_id)
    return papers.guest(await strangers.name_of(await payments.load(order.payment_id)))


def _draw(
    note: CreditNote,
    reference: str,
    lines: Sequence[Order],
    receiver: Receiver,
    operator: Theme,
    *,
    simulated: bool,
) -> bytes:
    title = _("Credit note %(number)s") % {"number": note.number}
    sheet = Sheet(papers.head_of(operator, title, receiver, simulated=simulated))
    sheet.title(title)
    facts = [(_("Date"), day(note.date)), (_("Order"), reference)]
    if receiver.number:
        facts.append((_("Customer number"), receiver.number))
    if receiver.tax_id:
        facts.append((_("Your tax number"), receiver.tax_id))
    sheet.beside(receiver.lines if receiver.name else [], facts)
    headings = (_("Paid for and not delivered"), _("Tax"), _("Amount before tax"))
    columns = [
        Column(words, width, number=place > 0) for place, (words, width) in enumerate(zip(headings, TABLE, strict=True))
    ]
    sheet.table(columns, [[line.name, money(-line.tax), money(line.tax - line.price)] for line in lines])
    sums = [(_("All lines before tax"), money(-note.net), False)]
    for permille, of_rate in groupby(sorted(lines, key=_rate), key=_rate):
        taxed = list(of_rate)
        tax = sum(line.tax.minor for line in taxed)
        net = Money(tax - sum(line.price.minor for line in taxed), note.net.currency)
        words = _("Tax %(rate)s %% on %(net)s") % {"rate": f"{permille / 10:g}", "net": money(net)}
        sums.append((words, money(Money(-tax, note.net.currency)), False))
    sheet.sums([*sums, (_("Total"), money(-note.total), True)])
    for words in whereto(note):
        sheet.paragraph(words)
    return sheet.finish()


def whereto(note: CreditNote) -> list[str]:
    """Where the money went, a sentence each."""
    found = []
    if note.card and note.outside:
        found.append(_("%(amount)s was given back by bank transfer or in cash.") % {"amount": money(note.card)})
    elif note.card:
        found.append(_("%(amount)s went back to the card it was paid with.") % {"amount": money(note.card)})
    if note.credit:
        found.append(_("%(amount)s is kept as your credit.") % {"amount": money(note.credit)})
    return found


def _rate(order: Order) -> int:
    return order.tax_permille


def _note(row: dict[str, Any]) -> CreditNote:
    currency = row["currency"]
    return CreditNote(
        id=row["id"],
        order_id=row["order_id"],
        number=row["number"],
        date=row["date"],
        net=Money(row["net_minor"], currency),
        tax=Money(row["tax_minor"], currency),
        card=Money(row["card_minor"], currency),
        credit=Money(row["credit_minor"], currency),
        of_stranger=row["of_stranger"],
        outside=row["outside"],
    )


_BY_CARD = Prepared.sql(
    "SELECT r.amount_minor AS minor FROM purchase_order o JOIN refund r ON r.id = o.refund_id WHERE o.id = :id"
)
_ADD = Prepared.sql(
    """
    INSERT INTO order_credit_note (id, customer_id, order_id, number, date, currency, net_minor, tax_minor, card_minor,
        credit_minor, of_stranger, created_at)
    VALUES (:id, :customer_id, :order_id, :number, :date, :currency, :net, :tax, :card, :credit, :of_stranger, :now)
    """
)
_SELECT = """SELECT n.id AS id, n.order_id AS order_id, n.number AS number, n.date AS date, n.currency AS currency,
           n.net_minor AS net_minor, n.tax_minor AS tax_minor, n.card_minor AS card_minor,
           n.credit_minor AS credit_minor, n.of_stranger AS of_stranger,
           EXISTS (SELECT 1 FROM ledger_journal j WHERE j.key = 'outside:' || CAST(o.refund_id AS TEXT)) AS outside
      FROM order_credit_note n JOIN purchase_order o ON o.id = n.order_id"""
_TYPES = {"outside": bool}
_OF_ORDERS = Prepared.sql(f"{_SELECT} WHERE n.order_id IN :ids ORDER BY n.number", types=_TYPES)
_OF_ORDER = Prepared.sql(f"{_SELECT} WHERE n.order_id = :id", types=_TYPES)
