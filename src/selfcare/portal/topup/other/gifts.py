"""Topping up a number of somebody else: nothing of theirs is told but that it can be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.formats import money
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.topup import buying

# Numbers could else be tried one by one.
LOOKS = limits.Limit("topup_other.look", 20, timedelta(hours=1))
STRANGERS = limits.Limit("topup_other.strangers", 3, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Receiver:
    """Only `number` may be shown."""

    number: str
    service_id: UUID
    owner_id: UUID
    least: Money
    most: Money
    product: dict[str, Any]


async def find(identity: Identity, number: str) -> Receiver:
    """Raises Rejected in the same words for a number of nobody, of another operator, or one that is not prepaid; and
    limits.TooOften."""
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    await limits.claim(LOOKS, str(identity.user_id))
    row = await fetch_one(_FIND.bind(number=number, now=clock.now(), currency=identity.customer.currency))
    if row is None or not row["grants"] or row["grants"][0]["kind"] != "money":
        raise Rejected(_("We cannot top up this number. Check it, or ask its owner."), "number")
    if row["customer_id"] == identity.customer_id:
        raise Rejected(_("This is one of your own numbers: top it up under Top-Up."), "number")
    least, most = Money(row["least"], row["currency"]), Money(row["most"], row["currency"])
    return Receiver(number, row["service_id"], row["customer_id"], least, most, row)


def check(receiver: Receiver, amount: Money) -> None:
    if amount.currency != receiver.least.currency or amount < receiver.least or amount > receiver.most:
        words = _("Enter an amount from %(least)s to %(most)s.")
        raise Rejected(words % {"least": money(receiver.least), "most": money(receiver.most)}, "amount")


async def buy(shop: Shop, identity: Identity, receiver: Receiver, amount: Money, how: How) -> Order:
    """The same request key again: the same order again. Raises what `topup.buying.buy` raises."""
    check(receiver, amount)
    return await counter.serve(shop, identity, how, lambda: _write(shop, identity, receiver, amount, how))


async def _write(shop: Shop, identity: Identity, receiver: Receiver, amount: Money, how: How) -> Order:
    me = identity.customer.customer_id
    if not await execute(_KNOWN.bind(customer_id=me, number=receiver.number)) and not await limits.allows_here(
        STRANGERS, str(me)
    ):
        raise Rejected(_("You can top up three new numbers a day. Try again tomorrow."), "number")
    await buying.check_day(shop, identity, amount)
    wanted = Wanted(
        kind=Kind.TOPUP,
        name=_("%(amount)s credit") % {"amount": money(amount)},
        price=amount,
        tax_permille=receiver.product["tax_permille"],
        service_id=receiver.service_id,
        owner_id=receiver.owner_id,
        beneficiary=receiver.number,
        product_id=receiver.product["product_id"],
        product_version=receiver.product["version"],
        delivers={"puts": frozen(receiver.product["grants"], amount.currency, now=clock.now(), amount=amount)},
    )
    return await orders.write(shop, identity, wanted, how)


_FIND = Prepared.sql(
    """
    SELECT s.id AS service_id, s.customer_id AS customer_id, p.id AS product_id, p.version AS version,
           p.tax_permille AS tax_permille, p.grants AS grants, p.currency AS currency, p.custom_min_minor AS least,
           p.custom_max_minor AS most
      FROM service s JOIN customer c ON c.id = s.customer_id
      JOIN product p ON p.service_type = s.type AND p.currency = s.currency
     WHERE s.msisdn = :number AND s.state = 'active' AND s.type = 'mobile' AND c.pays = 'prepaid'
       AND c.status = 'open' AND s.currency = :currency AND p.category = 'topup' AND p.enabled
       AND p.custom_min_minor IS NOT NULL AND p.custom_max_minor IS NOT NULL
       AND (p.on_sale_from IS NULL OR p.on_sale_from <= :now) AND (p.on_sale_until IS NULL OR p.on_sale_until > :now)
     ORDER BY p.sort LIMIT 1
    """,
    types={"grants": as_json},
)
_KNOWN = Prepared.sql(
    """
    SELECT id FROM purchase_order WHERE customer_id = :customer_id AND beneficiary = :number AND state = 'delivered'
     LIMIT 1
    """
)
