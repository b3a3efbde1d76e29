"""A cheaper plan from the next period on: chosen, taken back, and carried out when the day has come.

Until then it waits in `plan_change`, one of a service. On its day it becomes an order that costs nothing, so the
network is asked, asked again and looked after as for any other; what the next period costs and gives is then the new
plan's.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.cards import cards
from selfcare.portal.orders import orders
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.pay.telling import recipients
from selfcare.portal.services.plan.changing import Shown, check, order_name, wanted
from selfcare.portal.services.plan.queries import EXTRAS, Quote, clashing, is_offered, lacking

log = logging.getLogger(__name__)

AT_ONCE = 200


async def schedule(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, key: str) -> None:
    """In place of one that waits already. The same key again: nothing more. Raises what `changing.check` raises."""
    customer_id = identity.customer.customer_id
    async with transaction():
        await cards.hold(customer_id)
        if await execute(_KNOWN.bind(customer_id=customer_id, key=key)):
            return
        what = await check(shop, identity, service_id, shown)
        if what.is_now:
            raise Conflict(_("A plan of the same or a higher price begins at once."))
        await execute(_DROP.bind(customer_id=customer_id, service_id=service_id, now=clock.now()))
        await _write(identity, what, key)
        await execute(_NEXT.bind(customer_id=customer_id, service_id=service_id, next=what.plan.id))
        at = what.current.period.renews_at
        await audit.record(
            identity,
            Event.SERVICES_PLAN_CHANGE_ASKED,
            about=service_id,
            product=what.plan.id,
            was=what.current.plan.id,
            when=at.isoformat(),
        )
        await shop.messages.send_later(
            Message.PLAN_CHANGE_ASKED,
            to_user=identity.user_id,
            customer_id=customer_id,
            dedupe_key=f"plan.change_asked:{key}",
            service=what.current.name,
            plan=what.plan.name,
            amount=what.plan.price,
            at=at,
            path=f"/services/{service_id}",
        )


async def take_back(identity: Identity, service_id: UUID) -> None:
    """It keeps its plan. Twice is once; raises Conflict for one that is being carried out already."""
    scope = identity.customer
    if not scope.covers(service_id):
        raise NotFound
    of = {"customer_id": scope.customer_id, "service_id": service_id}
    async with transaction():
        dropped = await execute(_DROP.bind(**of, now=clock.now()))
        if not await execute(_NEXT.bind(**of, next=None)):
            raise NotFound
        if dropped:
            await audit.record(identity, Event.SERVICES_PLAN_CHANGE_CANCELLED, about=service_id)
        elif await execute(_UNDER_WAY.bind(**of)):
            raise Conflict(_("The change has begun already, so it cannot be taken back."))


async def carry_out_due(shop: Shop, now: datetime) -> int:
    """How many changes were begun. Whoever comes second finds them begun."""
    begun = 0
    for due in await fetch(_DUE.bind(now=now, most=AT_ONCE)):
        try:
            async with transaction():
                order = await _begin(shop, due, now)
            if order is not None:
                await orders.advance(shop, order.id)
                begun += 1
        except Exception:
            log.exception("could not change a plan on its day", extra={"about": str(due["id"])})
    return begun


async def _begin(shop: Shop, due: Mapping[str, Any], now: datetime) -> Order | None:
    ends = due["state"] == "ended" or due["cancel_at"] is not None or (due["ends_at"] is not None and not due["renews"])
    state = "dropped" if ends else "ordered" if await _is_kept(due, now) else "refused"
    if not await execute(_CLAIM.bind(id=due["id"], state=state, now=None if state == "ordered" else now)):
        return None
    await execute(_NEXT.bind(customer_id=due["customer_id"], service_id=due["service_id"], next=None))
    if state == "refused":
        await _tell_refused(shop, due)
    if state != "ordered":
        return None
    who = audit.system(customer_id=due["customer_id"], user_id=due["asked_by"])
    order = await orders.write(shop, who, _wanted(due), How(request_key=f"plan:{due['id']}"))
    await execute(_ORDERED.bind(id=due["id"], order_id=order.id))
    return order


async def _is_kept(due: Mapping[str, Any], now: datetime) -> bool:
    """Whether what was promised is still on sale, at that price and with all it gives, for the plan there is."""
    extras = await fetch(EXTRAS.bind(customer_id=due["customer_id"], service_id=due["service_id"]))
    promised = due["promised"]
    offered = is_offered(due["customer_type"], due, {**due, "period": due["new_period"]}, now)
    same = (due["new_minor"], due["grants"]) == (due["price_minor"], promised["grants"])
    fits = not clashing(due["slug"], due["excludes"], extras) and not lacking(due["requires"], extras)
    return bool(offered and same and fits and due["present"] == due["was_product_id"] and not due["in_review"])


async def _tell_refused(shop: Shop, due: Mapping[str, Any]) -> None:
    who = audit.system(customer_id=due["customer_id"], user_id=due["asked_by"])
    about = due["service_id"]
    await audit.record(who, Event.SERVICES_PLAN_CHANGE_REFUSED, about=about, product=due["product_id"])
    for user_id in await recipients(due["customer_id"], due["asked_by"]):
        await shop.messages.send_later(
            Message.PLAN_CHANGE_REFUSED,
            to_user=user_id,
            customer_id=due["customer_id"],
            dedupe_key=f"plan.change_refused:{due['id']}:{user_id}",
            service=due["service"],
            plan=due["name"],
            path=f"/services/{about}/plan",
        )


def _wanted(due: Mapping[str, Any]) -> Wanted:
    delivers = due["promised"]["order"]
    return Wanted(
        kind=Kind.PLAN,
        name=order_name(due["name"], delivers["was"]["name"]),
        price=Money.zero(due["currency"]),
        tax_permille=due["tax_permille"],
        service_id=due["service_id"],
        product_id=due["product_id"],
        product_version=due["product_version"],
        auto=True,
        delivers=delivers,
    )


async def _write(identity: Identity, what: Quote, key: str) -> None:
    id, plan = new_id(), what.plan
    promised = {"order": wanted(what, change_id=id), "grants": plan.grants}
    added = await execute(
        _ADD.bind(
            id=id,
            customer_id=identity.customer.customer_id,
            service_id=what.current.id,
            was=what.current.plan.id,
            product_id=plan.id,
            version=plan.version,
            name=plan.name,
            price_minor=plan.price.minor,
            currency=plan.price.currency,
            promised=json.dumps(promised),
            at=what.current.period.renews_at,
            asked_by=identity.user_id,
            now=clock.now(),
            key=key,
        )
    )
    if not added:
        raise Conflict(_("This form was sent for another account already. Open the page again."))


_KNOWN = Prepared.sql("SELECT id FROM plan_change WHERE customer_id = :customer_id AND request_key = :key")
_ADD = Prepared.sql(
    """
    INSERT INTO plan_change (id, customer_id, service_id, was_product_id, product_id, product_version, name,
        price_minor, currency, promised, takes_effect_at, state, asked_by, asked_at, request_key)
    VALUES (:id, :customer_id, :service_id, :was, :product_id, :version, :name, :price_minor, :currency, :promised,
        :at, 'waiting', :asked_by, :now, :key)
    ON CONFLICT (request_key) DO NOTHING RETURNING id
    """
)
_DROP = Prepared.sql(
    """
    UPDATE plan_change SET state = 'dropped', ended_at = :now
     WHERE customer_id = :customer_id AND service_id = :service_id AND state = 'waiting' RETURNING id
    """
)
_UNDER_WAY = Prepared.sql(
    """
    SELECT w.id AS id FROM plan_change w JOIN purchase_order o ON o.id = w.order_id
     WHERE w.customer_id = :customer_id AND w.service_id = :service_id AND w.state = 'ordered'
       AND o.state IN ('paid', 'delivering', 'review') LIMIT 1
    """
)
_NEXT = Prepared.sql(
    "UPDATE service SET next_product_id = :next WHERE customer_id = :customer_id AND id = :service_id RETURNING id"
)
_CLAIM = Prepared.sql(
    "UPDATE plan_change SET state = :state, ended_at = :now WHERE id = :id AND state = 'waiting' RETURNING id"
)
_ORDERED = Prepared.sql("UPDATE plan_change SET order_id = :order_id WHERE id = :id")
# One that is suspended has its change when it is on again; one that is going to end later may still be kept.
_DUE = Prepared.sql(
    """
    SELECT w.id AS id, w.customer_id AS customer_id, w.service_id AS service_id, w.was_product_id AS was_product_id,
           w.product_id AS product_id, w.product_version AS product_version, w.name AS name,
           w.price_minor AS price_minor, w.currency AS currency, w.promised AS promised, w.asked_by AS asked_by,
           s.state AS state, s.product_id AS present, COALESCE(s.nickname, s.name) AS service, s.cancel_at AS cancel_at,
           s.ends_at AS ends_at, s.renews AS renews, c.type AS customer_type,
           o.changes_to AS changes_to, o.period AS period, p.period AS new_period, p.price_minor AS new_minor,
           p.grants AS grants, p.requires AS requires, p.excludes AS excludes,
           p.tax_permille AS tax_permille, p.slug AS slug, p.customer_types AS customer_types,
           p.enabled AS enabled, p.on_sale_from AS on_sale_from, p.on_sale_until AS on_sale_until,
           (SELECT count(*) FROM purchase_order r
             WHERE r.service_id = s.id AND r.kind = 'plan' AND r.state = 'review') AS in_review
      FROM plan_change w
      JOIN service s ON s.id = w.service_id
      JOIN customer c ON c.id = w.customer_id
      JOIN product o ON o.id = w.was_product_id
      JOIN product p ON p.id = w.product_id
     WHERE w.state = 'waiting' AND w.takes_effect_at <= :now AND s.state IN ('active', 'ended')
       AND (s.cancel_at IS NULL OR s.cancel_at <= :now OR s.state = 'ended')
       AND NOT EXISTS (SELECT 1 FROM purchase_order u WHERE u.service_id = s.id AND u.kind = 'plan'
                        AND u.state IN ('open', 'paid', 'delivering'))
     ORDER BY w.takes_effect_at, w.id LIMIT :most
    """,
    types={
        **dict.fromkeys(("promised", "grants", "changes_to", "customer_types", "requires", "excludes"), as_json),
        "in_review": int,
    },
)
