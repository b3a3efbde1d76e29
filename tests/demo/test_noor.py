"""Noor's payments are true ones: the portal goes on asking about one and lets her try the other again."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.demo import noor, people
from selfcare.demo.timeline import Timeline
from selfcare.portal.pay.reconciling import reconcile
from selfcare.portal.pay.till import Till
from tests.support.browser import Browser
from tests.support.site import NOW


async def test_noor_has_a_payment_on_its_way_and_a_declined_one(app: Application) -> None:
    async with transaction():
        await noor.add_payments(Timeline(NOW))
    await reconcile(Till.of(app.ports, app.site.settings))
    browser = Browser(app)
    await browser.sign_in(people.NOOR.email)
    checking = (await browser.open(f"/pay/{noor.CHECKING}")).text
    assert "We are checking with your bank" in checking
    assert "Bill INV-2026-" in checking
    assert "There is not enough money on this card" in (await browser.open(f"/pay/{noor.DECLINED}")).text
    billing = await browser.open("/billing")
    assert len(billing.html.xpath("//a[normalize-space()='Follow the payment']")) == 1
    assert len(billing.html.xpath("//main//a[starts-with(normalize-space(), 'Pay £')]")) == 1
    await browser.close()
