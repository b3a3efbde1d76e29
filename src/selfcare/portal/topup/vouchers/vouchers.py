"""Using a voucher: once, in the very transaction that gives what it is worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Journal
from selfcare.portal.billing.ledger import Kind as Books
from selfcare.portal.orders import orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.order import Kind
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.topup import queries
from selfcare.portal.topup.vouchers import codes

# Wrong codes only: a right one is given back.
BY_USER = limits.Limit("voucher.user", 5, timedelta(hours=1))
BY_ADDRESS = limits.Limit("voucher.address", 20, timedelta(hours=1))
KEPT = timedelta(days=730)


class Wrong(Rejected):
    """Used, expired, withdrawn or never made: from outside all look the same."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a voucher came to: an order, or credit where `order_id` is None."""

    id: UUID
    order_id: UUID | None
    worth: str
    amount: Money | None
    used_at: datetime


async def use(
    shop: Shop, identity: Identity, typed: str, service_id: UUID | None, *, keys: Sequence[bytes], request_key: str
) -> Used:
    """The same form again: the same answer again. Raises Wrong, Rejected beside a field, or limits.TooOften; then
    nothing was used."""
    scope = _mine(identity)
    code = codes.read(typed)
    if code is None:
        raise Rejected(_("A code has 12 to 16 letters and digits."), "code")
    if (known := await _by_key(scope, request_key)) is not None:
        return known
    if service_id is not None:
        await queries.offers_for(scope, service_id)
    hashes = [codes.keyed(code, key) for key in keys]
    tried = await _count(identity)
    try:
        async with transaction():
            used = await _take(shop, identity, hashes, service_id, request_key)
            await _uncount(tried)
    except Wrong:
        if (known := await _by_key(scope, request_key)) is not None:
            return known
        await _refuse(identity, hashes, tried)
        raise
    except Rejected:
        async with transaction():
            await _uncount(tried)
        raise
    if used.order_id is not None:
        await orders.advance(shop, used.order_id)
    return used


async def get(scope: CustomerScope, voucher_id: UUID) -> Used:
    """One of theirs. Raises NotFound."""
    row = await fetch_one(_ONE.bind(customer_id=scope.customer_id, id=voucher_id))
    if row is None:
        raise NotFound
    return _used(row)


async def _take(
    shop: Shop, identity: Identity, hashes: Sequence[str], service_id: UUID | None, request_key: str
) -> Used:
    scope, now = identity.customer, clock.now()
    taken = await execute(
        _USE.bind(
            hashes=list(hashes), customer_id=scope.customer_id, user_id=identity.user_id, now=now, key=request_key
        )
    )
    if not taken:
        raise Wrong(_("This code does not work. Check it, and ask where you bought it if it stays so."), "code")
    voucher_id: UUID = taken[0]["id"]
    batch = (await execute(_BATCH.bind(id=taken[0]["batch_id"])))[0]
    if batch["grants"] is None:
        amount = Money(batch["amount_minor"], batch["currency"])
        await _credit(identity, voucher_id, amount)
        return Used(voucher_id, None, batch["worth"], amount, now)
    wanted = await _wanted(scope, batch, service_id)
    order = await orders.write(shop, identity, wanted, How(request_key=request_key))
    await execute(_DELIVERED_BY.bind(id=voucher_id, order_id=order.id))
    await audit.record(identity, Event.TOPUP_VOUCHER_USED, about=voucher_id)
    return Used(voucher_id, order.id, batch["worth"], None, now)


async def _wanted(scope: CustomerScope, batch: dict[str, Any], service_id: UUID | None) -> Wanted:
    service = next((row for row in await execute(_SERVICES.bind(customer_id=scope.customer_id, id=service_id))), None)
    if service is None:
        raise Rejected(_("This voucher is worth %(worth)s. Choose for which service.") % batch, "service")
    if service["type"] != batch["service_type"]:
        words = _("This voucher is worth %(worth)s, which does not fit this service. It was not used.")
        raise Rejected(words % batch, "service")
    return Wanted(
        kind=Kind.VOUCHER,
        name=batch["worth"],
        price=Money.zero(batch["currency"]),
        service_id=service["id"],
        product_id=batch["product_id"],
        delivers={"puts": frozen(json.loads(batch["grants"]), batch["currency"], now=clock.now())},
    )


async def _credit(identity: Identity, voucher_id: UUID, amount: Money) -> None:
    """It was paid for where it was bought."""
    customer_id = identity.customer.customer_id
    if amount.currency != identity.customer.currency:
        raise Wrong(_("This code is for accounts in %(currency)s.") % {"currency": amount.currency}, "code")
    await bookkeeping.add_line("credit", -amount, _("Voucher"), customer_id=customer_id)
    own = Account(Books.CREDIT, amount.currency, customer_id)
    entries = ledger.move(amount, to=Account(Books.ELSEWHERE, amount.currency), out_of=own)
    await ledger.post(Journal(f"voucher:{voucher_id}", "voucher", entries, customer_id, voucher_id))
    await audit.record(
        identity, Event.TOPUP_VOUCHER_USED, about=voucher_id, amount_minor=amount.minor, currency=amount.currency
    )


_Tried = tuple[tuple[limits.Limit, str], tuple[limits.Limit, str]]


async def _count(identity: Identity) -> _Tried:
    """Before anything is looked up, so that guesses at the same time cannot exceed it."""
    tried = ((BY_ADDRESS, limits.network(identity.origin.address)), (BY_USER, str(identity.actor_id)))
    for limit, subject in tried:
        await limits.claim(limit, subject)
    return tried


async def _uncount(tried: _Tried) -> None:
    for limit, subject in tried:
        await limits.give_back(limit, subject)


async def _refuse(identity: Identity, hashes: Sequence[str], tried: _Tried) -> None:
    """One's own used code is no guess: it says when. Raises Rejected for that."""
    own = await fetch_one(_OWN.bind(hashes=list(hashes), customer_id=identity.customer.customer_id))
    async with transaction():
        if own is not None:
            await _uncount(tried)
        why = "used_by_you" if own else "unknown"
        await audit.record(identity, Event.TOPUP_VOUCHER_REFUSED, outcome="refused", reason=why)
    if own is not None:
        raise Already(_used(own))


class Already(Rejected):
    """This customer used it before."""

    def __init__(self, used: Used) -> None:
        super().__init__(_("You have used this code already: %(worth)s.") % {"worth": used.worth}, "code")
        self.used = used


async def _by_key(scope: CustomerScope, request_key: str) -> Used | None:
    row = await fetch_one(_BY_KEY.bind(customer_id=scope.customer_id, key=request_key))
    return _used(row) if row else None


def _used(row: dict[str, Any]) -> Used:
    amount = None if row["amount_minor"] is None else Money(row["amount_minor"], row["currency"])
    return Used(row["id"], row["order_id"], row["worth"], amount, row["used_at"])


def _mine(identity: Identity) -> CustomerScope:
    if identity.grant_id is not None:
        raise NotAllowed(_("Only the customer can do this."))
    return identity.customer


async def forget_old(_job: Job) -> None:
    """What was used long ago, and what has long been too old to be used."""
    async with transaction():
        await execute(_FORGET.bind(before=clock.now() - KEPT))


_USE = Prepared.sql(
    """
    UPDATE voucher SET used_at = :now, customer_id = :customer_id, used_by = :user_id, request_key = :key,
        order_id = NULL
     WHERE code_hash IN :hashes
       AND (used_at IS NULL OR EXISTS (
            SELECT 1 FROM purchase_order o WHERE o.id = voucher.order_id AND o.state = 'failed'))
       AND EXISTS (SELECT 1 FROM voucher_batch b
                    WHERE b.id = voucher.batch_id AND (b.usable_until IS NULL OR b.usable_until > :now))
    RETURNING id, batch_id
    """
)
_BATCH = Prepared.sql(
    "SELECT worth, product_id, service_type, grants, amount_minor, currency FROM voucher_batch WHERE id = :id"
)
_SERVICES = Prepared.sql(
    """
    SELECT id, type FROM service WHERE customer_id = :customer_id AND id = :id AND state IN ('active', 'suspended')
    """
)
_DELIVERED_BY = Prepared.sql("UPDATE voucher SET order_id = :order_id WHERE id = :id")
_SELECT = """
    SELECT v.id AS id, v.order_id AS order_id, v.used_at AS used_at, b.worth AS worth, b.amount_minor AS amount_minor,
           b.currency AS currency
      FROM voucher v JOIN voucher_batch b ON b.id = v.batch_id WHERE v.customer_id = :customer_id
"""
_ONE = Prepared.sql(f"{_SELECT} AND v.id = :id")
_BY_KEY = Prepared.sql(f"{_SELECT} AND v.request_key = :key")
_OWN = Prepared.sql(f"{_SELECT} AND v.code_hash IN :hashes")
_FORGET = Prepared.sql(
    """
    DELETE FROM voucher WHERE used_at < :before OR (used_at IS NULL AND batch_id IN (
        SELECT id FROM voucher_batch WHERE usable_until < :before))
    """
)
