"""The statement of account on paper; it says what the page says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

from selfcare.formats import day, money
from selfcare.kernel.words import _
from selfcare.portal.billing.papers import Receiver, head_of
from selfcare.portal.billing.sheet import Column, Sheet
from selfcare.portal.billing.statement.statement import Movement, Span, Statement
from selfcare.portal.billing.transactions import decimal
from selfcare.theme import Theme

TABLE = (80.0, 223.0, 90.0, 90.0)


def draw(found: Statement, receiver: Receiver, operator: Theme, *, simulated: bool) -> bytes:
    title = _("Statement of account")
    sheet = Sheet(head_of(operator, title, receiver, simulated=simulated))
    sheet.title(title)
    facts = [
        (_("From"), day(found.span.first)),
        (_("To"), day(found.span.last)),
        (_("Customer number"), receiver.number),
    ]
    if receiver.tax_id:
        facts.append((_("Your tax number"), receiver.tax_id))
    sheet.beside(receiver.lines, facts)
    headings = (_("Date"), _("Description"), _("Amount"), _("Balance"))
    columns = [
        Column(heading, width, number=place > 1)
        for place, (heading, width) in enumerate(zip(headings, TABLE, strict=True))
    ]
    opening = [day(found.span.first), _("Balance before"), "", money(found.opening)]
    sheet.table(columns, [opening, *(_row(movement) for movement in found.movements)])
    sheet.sums(
        [
            (_("Balance before"), money(found.opening), False),
            (_("Charged"), money(found.asked, sign=True), False),
            (_("Paid and credited"), money(found.given), False),
            (_("Balance on %(day)s") % {"day": day(found.span.last)}, money(found.closing), True),
        ]
    )
    sheet.paragraph(meaning(found))
    return sheet.finish()


def meaning(found: Statement) -> str:
    """The closing balance in words."""
    if found.closing.minor > 0:
        return _("On %(day)s you owed %(amount)s.") % {"day": day(found.span.last), "amount": money(found.closing)}
    if found.closing.minor < 0:
        words = _("On %(day)s you had %(amount)s with us.")
        return words % {"day": day(found.span.last), "amount": money(-found.closing)}
    return _("On %(day)s nothing was owed.") % {"day": day(found.span.last)}


def describe(movement: Movement) -> str:
    """What it was, and for which bills."""
    text = " ".join([movement.words, *movement.numbers]) if movement.payment_id is None else movement.words
    if movement.payment_id is not None and movement.numbers:
        text = _("%(what)s for %(bills)s") % {"what": movement.words, "bills": ", ".join(movement.numbers)}
    return _("%(what)s, cancelled") % {"what": text} if movement.is_void else text


def _row(movement: Movement) -> list[str]:
    return [day(movement.day), describe(movement), money(movement.amount, sign=True), money(movement.balance)]


async def cells(found: Statement) -> AsyncIterator[tuple[str | Decimal, ...]]:
    currency = found.opening.currency
    yield found.span.first.isoformat(), _("Balance before"), "", decimal(found.opening), currency
    for one in found.movements:
        yield one.day.isoformat(), describe(one), decimal(one.amount), decimal(one.balance), currency
    yield found.span.last.isoformat(), _("Balance"), "", decimal(found.closing), currency


def name_of(span: Span) -> str:
    return f"statement-{span.first}-{span.last}"
