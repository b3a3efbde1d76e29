"""Topping up by itself: when credit is low, once per gap, within what was agreed.

However many processes look at once: a charge is claimed together with the revision of the rule that was read before the
balance, one per service is open, and what is on its way counts as if it were there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.orders import orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments, telling
from selfcare.portal.pay.payments import How
from selfcare.portal.topup.auto import rules
from selfcare.portal.topup.auto.rules import Rule
from selfcare.portal.usage.allowances import summarise
from selfcare.ports.jobs import Jobs
from selfcare.ports.payments import Why

# Three tries in three days, and no more than three charges in one.
MOST_FAILURES, MOST_IN_A_DAY = 3, 3
BETWEEN = timedelta(days=1)
# While the gateway itself is in trouble, that counts for nobody.
SOON = timedelta(hours=1)
DAY = timedelta(days=1)
AT_ONCE = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Nobody is asking: all of the customer's."""

    customer_id: UUID
    service_ids: frozenset[UUID] | None = None


async def sweep(shop: Shop, zone: str) -> int:
    """Every rule in its turn: what a meter told nobody of, and what was left half done. How many were looked at."""
    rows = await fetch(_TURN.bind(most=AT_ONCE))
    for row in rows:
        try:
            await check(shop, row["service_id"], zone)
        except Exception:
            log.exception("could not top up by itself", extra={"about": str(row["service_id"])})
    return len(rows)


async def check(shop: Shop, service_id: UUID, zone: str) -> str:
    """What came of it, in a word: outside any transaction, as often as one likes, by whoever."""
    charge = await fetch_one(_OPEN.bind(service_id=service_id))
    # What is on its way is money that comes.
    if charge is not None and not await _settle(shop, charge):
        return "on its way"
    rule = await rules.in_force(service_id)
    if rule is None:
        return "off"
    async with transaction():
        await execute(_LOOKED.bind(id=rule.id, now=clock.now()))
    left = await _left(shop, rule)
    if left is None:
        return "nobody knows"
    if left >= rule.terms.threshold.minor:
        await _enough(rule)
        return "enough"
    if rule.held_at is not None or rule.next_at > clock.now():
        return "waiting"
    card = await rules.working_card(rule.customer_id)
    if card is None:
        await _failed(shop, rule, Why.EXPIRED_CARD)
        return "no card"
    order = await _claim(shop, rule, card.id, zone)
    if order is None:
        return "not now"
    assert order.payment_id is not None
    await payments.submit(shop.till, order.payment_id)
    await orders.advance(shop, order.id)
    opened = await fetch_one(_OPEN.bind(service_id=service_id))
    if opened is not None:
        await _settle(shop, opened)
    return "charged"


async def _left(shop: Shop, rule: Rule) -> int | None:
    balances = await shop.charging.balances(_Whole(rule.customer_id), [rule.service_id])
    if balances.stale:
        return None
    lines = summarise(balances.of(rule.service_id), balances.grants, clock.now())
    return sum(line.left for line in lines if line.kind == "money" and line.scope == "any")


async def _enough(rule: Rule) -> None:
    """Somebody topped up: what the bank wanted to be asked is no question any more."""
    if rule.held_at is not None:
        async with transaction():
            await execute(_LET_GO.bind(id=rule.id))


async def _claim(shop: Shop, rule: Rule, card_id: UUID, zone: str) -> Order | None:
    """The charge and its order, written as one; None where something speaks against it."""
    now = clock.now()
    month = f"{now.astimezone(ZoneInfo(zone)):%Y-%m}"
    try:
        async with transaction():
            if not await execute(_NEXT.bind(id=rule.id, revision=rule.revision, now=now)):
                return None
            product = await execute(_PRODUCT.bind(service_id=rule.service_id, now=now))
            if not product:
                await _end(shop, rule, "service")
                return None
            if await execute(_OPEN.bind(service_id=rule.service_id)):
                return None
            if await execute(_COMING.bind(service_id=rule.service_id)):
                return None
            said = (await execute(_SPENT.bind(service_id=rule.service_id, month=month, since=now - DAY)))[0]
            if said["lately"] >= MOST_IN_A_DAY:
                await _end(shop, rule, "too_often")
                return None
            if said["spent"] + rule.terms.amount.minor > rule.terms.most.minor:
                await _tell_limit(shop, rule, month)
                return None
            return await _write(shop, rule, product[0], card_id, month)
    except Duplicate:
        # Another rule of the same service was faster.
        return None
    except (Conflict, Rejected) as refused:
        log.warning("could not top up by itself: %s", refused.message, extra={"about": str(rule.service_id)})
        return None


async def _write(shop: Shop, rule: Rule, product: dict[str, Any], card_id: UUID, month: str) -> Order:
    id, now, amount = new_id(), clock.now(), rule.terms.amount
    wanted = Wanted(
        kind=Kind.TOPUP,
        name=_("Automatic top-up"),
        price=amount,
        tax_permille=product["tax_permille"],
        service_id=rule.service_id,
        product_id=product["id"],
        product_version=product["version"],
        delivers={"puts": frozen(product["grants"], amount.currency, now=now, amount=amount)},
        auto=True,
    )
    who = audit.system(customer_id=rule.customer_id)
    how = How(request_key=f"auto-topup-{id.hex}", card_id=card_id, use_credit=False, off_session=True)
    order = await orders.write(shop, who, wanted, how)
    await execute(
        _ADD.bind(
            id=id,
            customer_id=rule.customer_id,
            rule_id=rule.id,
            service_id=rule.service_id,
            order_id=order.id,
            amount=amount.minor,
            currency=amount.currency,
            month=month,
            now=now,
        )
    )
    return order


async def _settle(shop: Shop, charge: dict[str, Any]) -> bool:
    """Whether it has come to its end."""
    order = await orders.advance(shop, charge["order_id"])
    if order.state is State.DELIVERED:
        async with transaction():
            if await execute(_CLOSE.bind(id=charge["id"], state="paid", why=None, now=clock.now())):
                await execute(_WORKED.bind(id=charge["rule_id"], now=charge["created_at"]))
                await _pause(charge)
        return True
    if order.state in (State.OPEN, State.PAID, State.DELIVERING, State.REVIEW):
        return False
    why = Why.OTHER
    if order.payment_id is not None and order.state is State.CANCELED:
        why = (await payments.load(order.payment_id)).why or Why.OTHER
    row = await fetch_one(_RULE.bind(id=charge["rule_id"]))
    assert row is not None
    async with transaction():
        if await execute(_CLOSE.bind(id=charge["id"], state="failed", why=why.value, now=clock.now())):
            await _note_failure(shop, rules.rule_of(row), why)
    return True


async def _pause(charge: dict[str, Any]) -> None:
    row = (await execute(_RULE.bind(id=charge["rule_id"])))[0]
    until = charge["created_at"] + timedelta(hours=row["pause_hours"])
    await execute(_NOT_BEFORE.bind(id=charge["rule_id"], until=until))


async def _failed(shop: Shop, rule: Rule, why: Why) -> None:
    """Nothing could even be asked for."""
    async with transaction():
        if await execute(_NEXT.bind(id=rule.id, revision=rule.revision, now=clock.now())):
            await _note_failure(shop, rule, why)


async def _note_failure(shop: Shop, rule: Rule, why: Why) -> None:
    """What only a person can approve is not tried again behind their back."""
    now = clock.now()
    if why is Why.PROVIDER_TROUBLE:
        await execute(_NOT_BEFORE.bind(id=rule.id, until=now + SOON))
        return
    if why is Why.NEEDS_APPROVAL:
        if await execute(_HOLD.bind(id=rule.id, now=now)):
            await _tell(shop, rule, Message.AUTO_TOPUP_APPROVE, f"approve:{now.isoformat()}", amount=rule.terms.amount)
        return
    counted = await execute(_FAILED.bind(id=rule.id, until=now + BETWEEN))
    if counted and counted[0]["failures"] >= MOST_FAILURES:
        await _end(shop, rule, "failures")


async def _end(shop: Shop, rule: Rule, why: str) -> None:
    if await execute(_END.bind(id=rule.id, why=why, now=clock.now())):
        who = audit.system(customer_id=rule.customer_id)
        await audit.record(who, Event.TOPUP_AUTO_STOPPED, about=rule.service_id, reason=why)
        await _tell(shop, rule, Message.AUTO_TOPUP_STOPPED, "stopped", why=why)


async def _tell_limit(shop: Shop, rule: Rule, month: str) -> None:
    """Once a month."""
    if await execute(_TOLD.bind(id=rule.id, month=month)):
        await _tell(shop, rule, Message.AUTO_TOPUP_LIMIT, month, most=rule.terms.most)


async def _tell(shop: Shop, rule: Rule, message: Message, key: str, **values: Any) -> None:
    service = (await execute(_SERVICE.bind(id=rule.service_id)))[0]
    told = {rule.given_by, *await telling.recipients(rule.customer_id, None)}
    for user_id in sorted(told):
        await shop.messages.send_later(
            message,
            dedupe_key=f"{message.value}:{rule.id}:{key}:{user_id}",
            to_user=user_id,
            customer_id=rule.customer_id,
            about=rule.service_id,
            service=service["nickname"] or service["name"],
            path=f"/topup/auto/{rule.service_id}",
            simulated=shop.till.gateway.is_simulated,
            **values,
        )


async def look_soon(jobs: Jobs, service_ids: list[UUID]) -> None:
    """At those of them that have a rule: somebody has just used them."""
    ruled = await fetch(_RULED.bind(ids=service_ids))
    if ruled:
        async with transaction():
            await rules.look_soon(jobs, [row["service_id"] for row in ruled])


async def forget_old() -> None:
    """What ended two years ago, with the charges it led to."""
    async with transaction():
        before = clock.now() - timedelta(days=730)
        await execute(_FORGET_CHARGES.bind(before=before))
        await execute(_FORGET.bind(before=before))


_TURN = Prepared.sql("SELECT service_id FROM auto_topup WHERE ended_at IS NULL ORDER BY looked_at, id LIMIT :most")
_RULED = Prepared.sql("SELECT service_id FROM auto_topup WHERE ended_at IS NULL AND service_id IN :ids")
_LOOKED = Prepared.sql("UPDATE auto_topup SET looked_at = :now WHERE id = :id")
_RULE = Prepared.sql(f"SELECT {rules.COLUMNS} FROM auto_topup WHERE id = :id")
_OPEN = Prepared.sql(
    """
    SELECT id, rule_id, order_id, created_at FROM auto_topup_charge WHERE service_id = :service_id AND state = 'open'
    """
)
_NEXT = Prepared.sql(
    """
    UPDATE auto_topup SET revision = revision + 1
     WHERE id = :id AND revision = :revision AND ended_at IS NULL AND held_at IS NULL AND next_at <= :now RETURNING id
    """
)
_PRODUCT = Prepared.sql(
    """
    SELECT p.id AS id, p.version AS version, p.tax_permille AS tax_permille, p.grants AS grants
      FROM service s JOIN product p ON p.service_type = s.type AND p.currency = s.currency
     WHERE s.id = :service_id AND s.state IN ('active', 'suspended') AND p.category = 'topup' AND p.enabled
       AND p.custom_min_minor IS NOT NULL AND (p.on_sale_from IS NULL OR p.on_sale_from <= :now)
       AND (p.on_sale_until IS NULL OR p.on_sale_until > :now)
     ORDER BY p.sort LIMIT 1
    """,
    types={"grants": as_json},
)
_COMING = Prepared.sql(
    """
    SELECT id FROM purchase_order WHERE service_id = :service_id AND kind IN ('topup', 'voucher', 'promise')
       AND state IN ('paid', 'delivering', 'review') LIMIT 1
    """
)
_SPENT = Prepared.sql(
    """
    SELECT COALESCE(SUM(CASE WHEN month = :month THEN amount_minor ELSE 0 END), 0) AS spent,
           COALESCE(SUM(CASE WHEN created_at > :since THEN 1 ELSE 0 END), 0) AS lately
      FROM auto_topup_charge WHERE service_id = :service_id AND state IN ('open', 'paid')
    """,
    types={"spent": int, "lately": int},
)
_ADD = Prepared.sql(
    """
    INSERT INTO auto_topup_charge (id, customer_id, rule_id, service_id, order_id, amount_minor, currency, month, state,
        created_at)
    VALUES (:id, :customer_id, :rule_id, :service_id, :order_id, :amount, :currency, :month, 'open', :now)
    """
)
_CLOSE = Prepared.sql(
    """
    UPDATE auto_topup_charge SET state = :state, why = :why, ended_at = :now WHERE id = :id AND state = 'open'
    RETURNING id
    """
)
_WORKED = Prepared.sql(
    "UPDATE auto_topup SET failures = 0, revision = revision + 1, looked_at = :now WHERE id = :id RETURNING id"
)
_NOT_BEFORE = Prepared.sql("UPDATE auto_topup SET next_at = :until WHERE id = :id AND next_at < :until RETURNING id")
_HOLD = Prepared.sql("UPDATE auto_topup SET held_at = :now WHERE id = :id AND held_at IS NULL RETURNING id")
_LET_GO = Prepared.sql("UPDATE auto_topup SET held_at = NULL WHERE id = :id")
_FAILED = Prepared.sql(
    "UPDATE auto_topup SET failures = failures + 1, next_at = :until WHERE id = :id RETURNING failures"
)
_END = Prepared.sql(
    "UPDATE auto_topup SET ended_at = :now, ended_why = :why WHERE id = :id AND ended_at IS NULL RETURNING id"
)
_TOLD = Prepared.sql(
    """
    UPDATE auto_topup SET told_month = :month
     WHERE id = :id AND (told_month IS NULL OR told_month <> :month) RETURNING id
    """
)
_SERVICE = Prepared.sql("SELECT name, nickname FROM service WHERE id = :id")
_FORGET_CHARGES = Prepared.sql(
    "DELETE FROM auto_topup_charge WHERE rule_id IN (SELECT id FROM auto_topup WHERE ended_at < :before)"
)
_FORGET = Prepared.sql("DELETE FROM auto_topup WHERE ended_at < :before")
