"""What people do to a service that they have, and what must be true of it whatever happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, insert_many
from selfcare.kernel import clock, ids
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.services.plan.queries import quote
from selfcare.portal.services.tables import Product
from selfcare.ports.charging import Delivery, Put
from tests.crashes.scenarios import Case, at_once, scenario_with_bills
from tests.crashes.shopping import ADDS, ANSWER_LOST, AWAY, BREAKS, QUESTION_LOST, REFUSES, SILENT
from tests.crashes.world import Server
from tests.portal.topup.racing import identity

OLD_MINOR, DEARER_MINOR, CHEAPER_MINOR, SETTING_MINOR = 1_000, 1_900, 500, 600
HAD, DEARER_HAS, CHEAPER_HAS = 20 * 10**9, 50 * 10**9, 5 * 10**9
OLD, SOON, A_WHILE = "Lark 20", timedelta(minutes=2), timedelta(days=20)
BEHAVIOURS = [ADDS, ANSWER_LOST, AWAY, BREAKS, QUESTION_LOST, REFUSES, SILENT]


@dataclass(frozen=True)
class Line:
    """One with a plan, and the plans it may move to."""

    id: UUID
    dearer: UUID
    cheaper: UUID


async def a_line(case: Case, network: str = ADDS, *, meter: str = ADDS, ends: timedelta = A_WHILE) -> Line:
    """The network does this with any plan, the meter that with what comes on top of the old one's allowance."""
    service, customer_id = await case.world.line(case.customer), case.customer.purse.customer_id
    now = clock.now() + timedelta(seconds=case.world.ahead)
    dearer, cheaper, line_ends = new_id(), new_id(), now + ends
    plan = {"category": "plan", "service_type": "mobile", "currency": "GBP", "tax_code": "standard"}
    plan |= {"tax_permille": 200, "period": "month", "name": network, "created_at": now}
    sold = [(dearer, DEARER_MINOR, DEARER_HAS), (cheaper, CHEAPER_MINOR, CHEAPER_HAS)]
    plans = [
        plan | {"id": id, "slug": id.hex, "price_minor": price, "grants": json.dumps([_given(meter, data)])}
        for id, price, data in sold
    ]
    settings = [
        {"key": key, "label": key.title(), "type": "choice", "choices": BEHAVIOURS, "usual": "off", "price": price}
        for key, price in (("free", 0), ("paid", SETTING_MINOR))
    ]
    kept = Put(
        kind="data",
        amount=HAD,
        label=meter,
        origin="plan",
        consume_order=3,
        expires_at=line_ends - timedelta(seconds=1),
    )
    async with transaction():
        await insert_many(Product, plans)
        await execute(
            _OLD.bind(
                id=service,
                grants=json.dumps([_given(meter, HAD)]),
                changes_to=json.dumps([dearer.hex, cheaper.hex]),
                editable=json.dumps(settings),
                price=OLD_MINOR,
            )
        )
        await execute(_RUNS.bind(id=service, ends_at=line_ends, price=OLD_MINOR, renews=True))
    await EmbeddedCharging().credit(
        Delivery(order_id=new_id(), customer_id=customer_id, service_id=service, puts=(kept,))
    )
    case.has_plans = True
    return Line(service, dearer, cheaper)


def _given(label: str, amount: int) -> dict[str, Any]:
    return {"kind": "data", "label": label, "amount": amount, "scope": "any", "consume_order": 3, "mode": "reset"}


async def upgrade(case: Case, server: Server, line: Line, *, last4: str | None = "4242", key: str = "") -> Any:
    card = await case.world.card(case.customer, last4) if last4 else None
    return await _press(case, server, await _form(case, "change_plan", line.id, line.dearer, key) | {"card": card})


async def downgrade(case: Case, server: Server, line: Line) -> Any:
    return await _press(case, server, await _form(case, "schedule_plan", line.id, line.cheaper))


async def change(case: Case, server: Server, setting: str, value: str, *, key: str = "") -> Any:
    service = case.customer.service_id or (await a_line(case)).id
    asked = _plain(case, "change_setting", service)
    card = await case.world.card(case.customer) if setting == "paid" else None
    asked |= {"setting": setting, "value": value, "price": SETTING_MINOR if card else 0, "card": card}
    return await _press(case, server, asked | {"key": key or ids.token()})


async def the_period_ends(case: Case, server: Server) -> None:
    case.world.ahead += 2 * SOON.total_seconds()
    await server.press("carry_out")
    case.world.ahead += SOON.total_seconds()
    await server.press("carry_out")


async def _form(case: Case, press: str, service: UUID, product: UUID, key: str = "") -> dict[str, Any]:
    """What stands on the page, with the button that is on it."""
    scope = identity(case.customer.user_id, case.customer.purse.customer_id).customer
    clock.travel_by(timedelta(seconds=case.world.ahead))
    try:
        shown = await quote(scope, service, product, least=Money(30, "GBP"))
    finally:
        clock.reset()
    asked = {"product": str(product), "due": shown.due.minor, "price": shown.plan.price.minor}
    return _plain(case, press, service) | asked | {"day": shown.day.isoformat(), "key": key or ids.token()}


def _plain(case: Case, press: str, service: UUID) -> dict[str, Any]:
    return {"press": press, "customer": case.customer.id, "user": str(case.customer.user_id), "service": str(service)}


async def _press(case: Case, server: Server, asked: dict[str, Any]) -> Any:
    case.clicks.append(asked)
    return await case.press_again(server, asked)


@scenario_with_bills(0)
async def a_dearer_plan(case: Case, server: Server) -> None:
    await upgrade(case, server, await a_line(case))
    await case.look(server)


@scenario_with_bills(0)
async def a_dearer_plan_whose_answers_are_lost(case: Case, server: Server) -> None:
    await upgrade(case, server, await a_line(case, ANSWER_LOST, meter=ANSWER_LOST))
    await case.look(server)


@scenario_with_bills(0)
async def a_dearer_plan_in_two_tabs(case: Case, server: Server) -> None:
    line, key = await a_line(case), ids.token()
    await case.world.card(case.customer, "4242")
    tabs = [await _form(case, "change_plan", line.id, line.dearer, each) for each in (key, key, ids.token())]
    card = {"card": await case.world.card(case.customer, "4242")}
    await at_once(*(_press(case, server, tab | card) for tab in tabs))


@scenario_with_bills(0)
async def a_cheaper_plan_when_the_period_ends(case: Case, server: Server) -> None:
    await downgrade(case, server, await a_line(case, ends=SOON))
    await the_period_ends(case, server)


@scenario_with_bills(0)
async def a_cheaper_plan_that_the_network_refuses_when_the_period_ends(case: Case, server: Server) -> None:
    await downgrade(case, server, await a_line(case, REFUSES, ends=SOON))
    await the_period_ends(case, server)


@scenario_with_bills(0)
async def a_cheaper_plan_is_asked_for_then_a_dearer_one_bought(case: Case, server: Server) -> None:
    line = await a_line(case)
    await downgrade(case, server, line)
    await upgrade(case, server, line)
    await case.look(server)


@scenario_with_bills(0)
async def a_cheaper_plan_is_taken_back_as_the_period_ends(case: Case, server: Server) -> None:
    line = await a_line(case, ends=SOON)
    await downgrade(case, server, line)
    case.world.ahead += 2 * SOON.total_seconds()
    await at_once(server.press("keep_plan", **_plain(case, "keep_plan", line.id)), server.press("carry_out"))
    await the_period_ends(case, server)


@scenario_with_bills(0)
async def a_free_setting_then_one_that_costs(case: Case, server: Server) -> None:
    await change(case, server, "free", ADDS)
    await case.look(server)
    await change(case, server, "paid", BREAKS)


@scenario_with_bills(0)
async def a_free_setting_of_which_nobody_knows(case: Case, server: Server) -> None:
    await change(case, server, "free", SILENT)


async def wrong_with_lines(case: Case) -> list[str]:
    """It has the plan of the last change that was delivered, what that gives on top, and the settings asked for."""
    if not case.has_plans:
        return []
    of = {"customer_id": case.customer.purse.customer_id}
    orders = await fetch(_CHANGES.bind(**of))
    waits = [row["takes_effect_at"] for row in await fetch(_WAITS.bind(**of))]
    (service,) = await fetch(_SERVICE.bind(**of))
    done = [order for order in orders if order["state"] == "delivered"]
    plans = [order for order in done if order["kind"] == "plan"]
    now = plans[-1]["delivers"]["plan"] if plans else {"price_minor": OLD_MINOR}
    is_on = service["slug"] == UUID(now["product_id"]).hex if plans else service["plan"] == OLD
    wanted = {
        order["delivers"]["set"]["label"]: order["delivers"]["set"]["words"] for order in done if order not in plans
    }
    more = sum(put["amount"] for order in plans for put in order["delivers"]["puts"])
    noted = await fetch(_NOTED.bind(**of))
    audited = {row["event"]: row["n"] for row in await fetch(_AUDITED.bind(**of))}
    facts = {
        "not the plan that was delivered": is_on and service["monthly_minor"] == now["price_minor"],
        "a change waits on": all(at > clock.now() + timedelta(seconds=case.world.ahead) for at in waits),
        "another change is shown than waits": (service["next_product_id"] is not None) == bool(waits),
        "allowance of plans not once": service["data"] == HAD + more,
        "settings otherwise than delivered": service["configuration"] == wanted,
        "a change of plan is not noted once": len(noted) == len(plans) == audited.get("services.plan_changed", 0),
        "a setting is not noted once": audited.get("services.changed", 0) == len(done) - len(plans),
        "a job of the network is missing": all(order["jobs"] == 1 for order in done),
    }
    wrong = [what for what, holds in facts.items() if not holds]
    return [f"{each}: {service} {orders} {audited}" for each in wrong]


_OLD = Prepared.sql(
    """
    UPDATE product SET grants = :grants, changes_to = :changes_to, editable = :editable, price_minor = :price,
           period = 'month', tax_permille = 200
     WHERE id = (SELECT product_id FROM service WHERE id = :id)
    """
)
_RUNS = Prepared.sql("UPDATE service SET ends_at = :ends_at, renews = :renews, monthly_minor = :price WHERE id = :id")
_CHANGES = Prepared.sql(
    """
    SELECT o.kind, o.state, o.delivers,
        (SELECT COUNT(*) FROM provisioning_job j WHERE j.id = o.id AND j.action LIKE 'change%') AS jobs
    FROM purchase_order o WHERE o.customer_id = :customer_id AND o.kind IN ('plan', 'change')
    ORDER BY o.delivered_at, o.id
    """,
    types={"delivers": as_json},
)
_WAITS = Prepared.sql("SELECT takes_effect_at FROM plan_change WHERE customer_id = :customer_id AND state = 'waiting'")
_NOTED = Prepared.sql("SELECT id FROM plan_change WHERE customer_id = :customer_id AND state = 'done'")
_AUDITED = Prepared.sql(
    """
    SELECT event, COUNT(*) AS n FROM audit_event WHERE customer_id = :customer_id AND event LIKE 'services.%'
     GROUP BY event
    """
)
_SERVICE = Prepared.sql(
    """
    SELECT p.slug, p.name AS plan, s.monthly_minor, s.next_product_id, s.configuration,
        (SELECT COALESCE(SUM(b.remaining), 0) FROM bucket b WHERE b.service_id = s.id) AS data
    FROM service s JOIN product p ON p.id = s.product_id WHERE s.customer_id = :customer_id
    """,
    types={"configuration": as_json, "data": int},
)
