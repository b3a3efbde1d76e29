"""What the tests of plan changes do and look at again and again. All of it is about Asha's mobile line, unless said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.demo.catalogue import Sold
from selfcare.demo.renewals import Renewals
from selfcare.kernel import clock
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.plan import scheduling
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

MOBILE, INTERNET = people.ASHA_MOBILE, people.ASHA_INTERNET
PLAN = f"/services/{MOBILE}/plan"
SERVICE = Prepared.sql(
    "SELECT product_id, monthly_minor, name, next_product_id, contract_ends_on, ends_at FROM service WHERE id = :id"
)
ORDERS = Prepared.sql(
    "SELECT id, state, price_minor, name FROM purchase_order WHERE service_id = :id AND kind = 'plan'"
)
CHANGES = Prepared.sql("SELECT state, name FROM plan_change WHERE service_id = :id ORDER BY asked_at, id")
DATA = Prepared.sql(
    "SELECT remaining FROM bucket WHERE service_id = :id AND kind = 'data' AND origin = 'plan' AND scope = 'any'"
)
GRANTS = Prepared.sql("SELECT amount FROM allowance_grant WHERE order_id = :id")
HAPPENED = Prepared.sql(
    "SELECT event FROM audit_event WHERE about = :id AND event LIKE 'services.plan%' ORDER BY at, id"
)
CHARGED = Prepared.sql(
    """
    SELECT amount_minor + tax_minor AS minor FROM billing_transaction
     WHERE service_id = :id AND kind = 'charge' AND invoice_id IS NULL AND at >= :since ORDER BY at
    """,
    types={"minor": int},
)
SET = {
    "price": Prepared.sql("UPDATE product SET price_minor = 1900, version = version + 1 WHERE id = :id"),
    "version": Prepared.sql("UPDATE product SET version = version + 1 WHERE id = :id"),
    "withdrawn": Prepared.sql("UPDATE product SET on_sale_until = :now, version = version + 1 WHERE id = :id"),
    "suspended": Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE id = :id"),
    "ending": Prepared.sql("UPDATE service SET cancel_at = ends_at WHERE id = :id"),
    "not renewing": Prepared.sql("UPDATE service SET renews = :no WHERE id = :id"),
    "named": Prepared.sql("UPDATE service SET name = 'Home Fibre 80' WHERE id = :id"),
    "extra": Prepared.sql("UPDATE product SET excludes = :slugs WHERE id = :id"),
    "bound": Prepared.sql("UPDATE product SET min_term = 12 WHERE id = :id"),
}


async def put(what: str, id: object, **values: object) -> None:
    async with transaction():
        await execute(SET[what].bind(id=id, **values))


async def service(id: object = MOBILE) -> dict[str, Any]:
    return (await fetch(SERVICE.bind(id=id)))[0]


async def bought(id: object = MOBILE) -> list[dict[str, Any]]:
    return await fetch(ORDERS.bind(id=id))


async def waiting(id: object = MOBILE) -> list[tuple[str, str]]:
    return [(row["state"], row["name"]) for row in await fetch(CHANGES.bind(id=id))]


async def left() -> int:
    return sum(row["remaining"] for row in await fetch(DATA.bind(id=MOBILE)))


async def review(browser: Browser, to: Sold, id: object = MOBILE) -> Page:
    return await browser.open(f"/services/{id}/plan/review?product={to.id}")


async def set_up(app: Application) -> None:
    """The network needs some seconds for it."""
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()


async def choose(app: Application, browser: Browser, to: Sold, **fields: str) -> Page:
    page = await (await review(browser, to)).submit("plan-form", **fields)
    await set_up(app)
    return page


async def renewal(app: Application) -> None:
    """The day on which Asha's period ends, and what is due then."""
    clock.travel_by(timedelta(days=14))
    shop = Shop.of(app.ports, app.site.settings)
    await scheduling.carry_out_due(shop, clock.now())
    await Renewals(app.ports.charging).renew(clock.now())
    await set_up(app)
    await Renewals(app.ports.charging).renew(clock.now())


async def subjects(app: Application) -> list[str]:
    return [mail.subject for mail in await mails_to(app, "asha@example.test")]
