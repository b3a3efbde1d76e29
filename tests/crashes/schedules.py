"""One schedule: a scenario, a step at which the server is killed, and an order of everything that happens afterwards.

Whatever the order, at the end the books balance, nobody was charged twice, each charge is booked or given back, the
receipt went out once, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.portal.billing import ledger
from tests.crashes.changing_scenarios import wrong_with_lines
from tests.crashes.scenarios import Case, Scenario
from tests.crashes.unattended_scenarios import SCENARIOS, wrong_with_cards
from tests.crashes.world import Died, Server, World
from tests.support import money, shopping

MOST_ROUNDS = 8
TEN_MINUTES, HALF_AN_HOUR = 600, 1_860


@dataclass(frozen=True)
class Schedule:
    scenario: str
    kill_at: int | None
    seed: int

    def __str__(self) -> str:
        return f"{self.scenario}, killed at step {self.kill_at}, seed {self.seed}"


class Untrue(AssertionError):
    """What must hold does not."""


async def steps_of(world: World, scenario: Scenario) -> list[str]:
    """What a server goes through in this scenario when nobody kills it."""
    case = Case(world, await world.customer(bills=scenario.bills))
    server = await world.serve()
    await _first_life(case, server, scenario, Random(0))
    seen: list[str] = await server.press("steps")
    await server.kill()
    return seen


async def run(world: World, schedule: Schedule) -> None:
    """Raises Untrue."""
    random = Random(f"{schedule}")
    scenario = SCENARIOS[schedule.scenario]
    case = Case(world, await world.customer(bills=scenario.bills))
    server = await world.serve(kill_at=schedule.kill_at)
    with suppress(Died):
        await _first_life(case, server, scenario, random)
    await server.kill()
    await world.people("cut/0")
    await _meanwhile(case, random)
    world.ahead += TEN_MINUTES
    await _second_life(case, random)
    await _at_rest(case)
    await check(case, schedule)


async def _first_life(case: Case, server: Server, scenario: Scenario, random: Random) -> None:
    await scenario.act(case, server)
    await server.press("work")
    await _deliver(case, server, random)
    await server.press("work")


async def _meanwhile(case: Case, random: Random) -> None:
    """The portal is down; pages of the gateway and the bank are not."""
    if random.random() < 0.5:
        await case.at_the_bank(approve=random.random() < 0.7)
    if random.random() < 0.5:
        await case.on_the_page(random.choice(["4242", "4242", "9995", "3184"]))
    if random.random() < 0.5:
        await case.the_bank_decides()


async def _second_life(case: Case, random: Random) -> None:
    """People come back, webhooks come late and twice, the reconciler runs: in any order, and often it dies again."""
    doing: list[Callable[[Server], Coroutine[Any, Any, Any]]] = [
        lambda server: server.press("reconcile"),
        lambda server: server.press("sweep"),
        lambda server: server.press("autopay"),
        lambda server: server.press("look_after_cards"),
        lambda server: server.press("work"),
        lambda server: case.look(server),
        lambda server: _deliver(case, server, random),
        lambda server: _click_again(case, server, random),
        lambda server: server.press("work"),
    ]
    random.shuffle(doing)
    doing = doing[: random.randint(2, len(doing))]
    server = await case.world.serve(kill_at=random.randint(1, 25) if random.random() < 0.5 else None)
    try:
        for each in doing:
            await each(server)
    except Died:
        pass
    finally:
        await server.kill()


async def _click_again(case: Case, server: Server, random: Random) -> None:
    """She sees an error page and presses the button of the same page again."""
    for asked in case.clicks[:1] if random.random() < 0.5 else case.clicks:
        await case.press_again(server, asked)


async def _deliver(case: Case, server: Server, random: Random) -> None:
    """Every webhook, most of them, or none; in any order and some of them twice."""
    events = await case.world.things("event", case.customer)
    kept = [event for event in events if random.random() < 0.9]
    again = [event for event in events if random.random() < 0.3]
    order = kept + again
    random.shuffle(order)
    if random.random() < 0.2:
        return
    for event in order:
        if await server.hook(event) != 200:
            raise Untrue("a good webhook was refused")


async def _at_rest(case: Case) -> None:
    """A server that lives: reconciler and worker, until nothing is on its way."""
    world, server = case.world, await case.world.serve()
    try:
        for number in range(MOST_ROUNDS):
            await server.press("reconcile")
            await server.press("sweep")
            await server.press("look_after_cards")
            while (await server.press("work"))["done"]:
                pass
            for row in await fetch(IN_REVIEW.bind(customer_id=case.customer.purse.customer_id)):
                await server.press("end", order=str(row["id"]), customer=case.customer.id)
            if number >= 1 and not await fetch(ON_THEIR_WAY.bind(customer_id=case.customer.purse.customer_id)):
                await _read_pages(case, server)
                return
            await case.the_bank_decides()
            world.ahead += HALF_AN_HOUR
        raise Untrue(f"it never came to rest: {await fetch(ORDERS.bind(customer_id=case.customer.purse.customer_id))}")
    finally:
        await server.kill()


async def _read_pages(case: Case, server: Server) -> None:
    """What stands on the page of each payment is what happened at the gateway."""
    session = await case.world.sign_in(case.customer)
    intents = await case.world.things("payment_intent", case.customer)
    taken = {each["metadata"]["payment_id"] for each in intents if each["status"] == "succeeded"}
    for row in await fetch(WHOLE.bind(customer_id=case.customer.purse.customer_id)):
        shown = await server.page(f"/orders/{row['id']}", session)
        if shown.status_code != 200 or _words(row) not in shown.text:
            raise Untrue(f"the page of an order that is {row['state']} does not say so: {shown.status_code}")
    for row in await fetch(PAYMENTS.bind(customer_id=case.customer.purse.customer_id)):
        if row["state"] in ("refund_due", "refunded"):
            continue
        shown = await server.page(f"/pay/{row['id']}", session)
        if shown.status_code != 200:
            raise Untrue(f"the page of a payment answers {shown.status_code}")
        words = "we have your payment" if str(row["id"]) in taken else "Nothing was taken"
        if words not in shown.text:
            raise Untrue(f"the page does not say {words!r}, the payment is {row['state']}")


def _words(row: Row) -> str:
    # A bundle may be ready in part.
    if row["state"] == "delivered" and row["kind"] in READY_WORDS:
        return READY_WORDS[row["kind"]]
    return ORDER_WORDS.get(row["state"], "no such state")


async def check(case: Case, schedule: Schedule) -> None:
    """What must be true of this customer."""
    customer_id = case.customer.purse.customer_id
    rows = await fetch(PAYMENTS.bind(customer_id=customer_id))
    charged = {
        intent["id"]: intent["amount_received"]
        for intent in await case.world.things("payment_intent", case.customer)
        if intent["status"] == "succeeded"
    }
    refunds = await case.world.things("refund", case.customer)
    given_back = sum(each["amount"] for each in refunds if each["payment_intent"] in charged)
    booked = {row["charge_ref"]: row["amount_minor"] for row in rows if row["settled_at"] is not None}
    owed = 2_400 * len(case.customer.bills)
    paid = owed - sum([await money.remaining(bill) for bill in case.customer.bills])
    credit = await money.credit(case.customer.purse) - case.credit
    told = {row["event"]: row["n"] for row in await fetch(TOLD.bind(customer_id=customer_id))}
    returned = sum(row["refunded_minor"] for row in rows)
    bought = await fetch(ORDERS.bind(customer_id=customer_id))
    wholes = await fetch(WHOLE.bind(customer_id=customer_id))
    kept = sum(row["price_minor"] for row in bought if row["state"] == "delivered")
    back = sum(row["price_minor"] for row in bought if row["state"] == "refunded")
    most_back = back if SCENARIOS[schedule.scenario].buys else 500
    refunds_told = len({each["id"] for each in refunds if each["payment_intent"] in charged})
    facts = {
        "charged more than once": len(charged) <= max(1, sum(row["paid_at"] is not None for row in wholes)),
        "an order has not come to its end": all(row["state"] in ORDER_WORDS for row in bought),
        "delivered otherwise than said": all(_delivered_parts(row) == _promised_parts(row) for row in bought),
        "the service has another plan than said": _has_the_plan_said(bought),
        "delivered unpaid": all(
            row["paid_at"] is not None for row in bought if row["state"] == "delivered" and row["price_minor"]
        ),
        "paid, and neither delivered nor given back": all(
            (row["paid_at"] is not None) == (row["state"] in ("delivered", "refunded"))
            for row in bought
            if row["price_minor"]
        ),
        "told of orders": told.get("order.delivered", 0) == sum(row["state"] == "delivered" for row in wholes)
        and told.get("order.not_delivered", 0)
        == sum(row["state"] in ("refunded", "failed") for row in bought if row["undo_at"] is None)
        + sum(row["undo_at"] is not None for row in wholes),
        "a charge is not booked, or booked without a charge": booked == charged,
        "the bills are not paid by what was charged": paid + credit + kept == sum(charged.values()) - given_back,
        "credit appeared": credit <= 0,
        "given back otherwise than booked": returned == given_back <= most_back and back in (0, given_back),
        "receipts": told.get("payment.received", 0) == len(charged),
        "words about a refund": told.get("refund.made", 0) == refunds_told,
        "in review": all(row["state"] != "manual_review" for row in rows),
        "an event is not handled": not await fetch(UNHANDLED.bind(ids=[row["id"] for row in rows] or [customer_id])),
    }
    wrong = [what for what, holds in facts.items() if not holds] + await wrong_with_cards(case)
    wrong += await wrong_with_lines(case)
    if wrong:
        raise Untrue(f"{schedule}: {wrong}\n  rows {rows}\n  charged {charged}, given back {given_back}, told {told}")


def _delivered_parts(row: Row) -> tuple[int, int, int, bool]:
    """Allowances, add-ons, changes of plan, and whether the setting is there."""
    wanted = row["delivers"].get("set")
    is_set = wanted is not None and row["configuration"].get(wanted["label"]) == wanted["words"]
    return row["grants"], row["addons"], row["plans"], is_set


def _promised_parts(row: Row) -> tuple[int, int, int, bool]:
    is_there, kind = row["state"] == "delivered", row["kind"]
    return (
        is_there and bool(row["delivers"].get("puts")),
        is_there and kind == "addon",
        is_there and kind == "plan",
        is_there and kind == "change",
    )


def _has_the_plan_said(bought: list[Row]) -> bool:
    """The service is on the plan of the last change that was delivered, and without one on the plan it began with."""
    changes = [row for row in bought if row["kind"] == "plan"]
    if not changes:
        return True
    plan = changes[0]["delivers"]["was"]["product_id"]
    for row in changes:
        plan = row["delivers"]["plan"]["product_id"] if row["state"] == "delivered" else plan
    return str(changes[0]["has_plan"]) == plan


async def check_all() -> None:
    """What must be true of everybody."""
    faults = await ledger.check()
    if faults:
        raise Untrue(f"the ledger: {faults}")
    for name, statement in (money.HOLDS | shopping.HOLDS).items():
        if found := await fetch(statement.bind()):
            raise Untrue(f"not so: {name}: {found}")
    if found := await fetch(GIVEN_UP.bind()):
        raise Untrue(f"jobs were given up: {found}")


ON_THEIR_WAY = Prepared.sql(
    """
    SELECT id FROM payment WHERE customer_id = :customer_id
        AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
    UNION ALL
    SELECT id FROM refund WHERE customer_id = :customer_id AND state IN ('due', 'sending', 'pending')
    UNION ALL
    SELECT id FROM purchase_order WHERE customer_id = :customer_id
        AND state IN ('open', 'paid', 'delivering', 'refund_due', 'review')
    """
)
IN_REVIEW = Prepared.sql("SELECT id FROM purchase_order WHERE customer_id = :customer_id AND state = 'review'")
# What was bought: of a bundle its parts, of one that was undone they end as it does.
ORDERS = Prepared.sql(
    """
    SELECT o.id, o.kind, o.price_minor, p.settled_at AS paid_at, w.undo_at,
        CASE WHEN w.undo_at IS NULL THEN o.state ELSE w.state END AS state,
        (SELECT COUNT(*) FROM allowance_grant g WHERE g.order_id = o.id AND g.amount > 0)
            - (SELECT COUNT(*) FROM allowance_grant g WHERE g.order_id = o.id AND g.amount < 0) AS grants,
        (SELECT COUNT(*) FROM service_addon a WHERE a.order_id = o.id AND a.taken_off_at IS NULL) AS addons,
        (SELECT COUNT(*) FROM plan_change c WHERE c.order_id = o.id AND c.state = 'done') AS plans,
        o.delivers, s.configuration, s.product_id AS has_plan
    FROM purchase_order o LEFT JOIN purchase_order w ON w.id = o.parent_id
        JOIN service s ON s.id = o.service_id
        LEFT JOIN payment p ON p.id = COALESCE(w.payment_id, o.payment_id)
    WHERE o.customer_id = :customer_id AND o.kind <> 'bundle' ORDER BY o.created_at
    """,
    types={"delivers": as_json, "configuration": as_json},
)
WHOLE = Prepared.sql(
    """
    SELECT o.id, o.kind, o.state, o.undo_at, p.settled_at AS paid_at
    FROM purchase_order o LEFT JOIN payment p ON p.id = o.payment_id
    WHERE o.customer_id = :customer_id AND o.parent_id IS NULL
    """
)
READY_WORDS = {"bundle": "Ready", "plan": "Ready to use", "change": "It is changed"}
# How an order may end, and what its page says then.
ORDER_WORDS = {
    "delivered": "You now have",
    "refunded": "Your money has been given back",
    "canceled": "Nothing was taken",
    "failed": "It has cost you nothing",
}
PAYMENTS = Prepared.sql(
    """
    SELECT id, state, why, amount_minor, refunded_minor, charge_ref, gateway_ref, settled_at FROM payment
    WHERE customer_id = :customer_id ORDER BY created_at
    """
)
TOLD = Prepared.sql("SELECT event, COUNT(*) AS n FROM notification WHERE customer_id = :customer_id GROUP BY event")
UNHANDLED = Prepared.sql(
    "SELECT event_id FROM webhook_event WHERE payment_id IN :ids AND handled_at IS NULL AND about <> 'other'"
)
GIVEN_UP = Prepared.sql("SELECT kind, last_error FROM job WHERE given_up_at IS NOT NULL")
