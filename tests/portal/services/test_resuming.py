"""A service that was suspended for payment is on again by itself; others wait for whoever decides."""

from __future__ import annotations

from datetime import timedelta

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.kernel.money import Money
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import BillPart, How
from selfcare.portal.pay.till import Till
from selfcare.portal.services import resuming
from tests.support.browser import Browser
from tests.support.mail import mails_to

STATE = Prepared.sql("SELECT state, suspend_reason FROM service WHERE id = :id")
OPEN = Prepared.sql("SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued'")
REQUESTS = Prepared.sql("SELECT id, kind, about FROM request WHERE customer_id = :customer_id")
CARD = Prepared.sql("SELECT id FROM payment_method WHERE token_ref = 'demo_chidi_visa_1'")
REASON = Prepared.sql("UPDATE service SET suspend_reason = :reason WHERE id = :id")


async def look(app: Application) -> int:
    """Twice: the network needs some seconds for it."""
    today = clock.today("Europe/London")
    first = await resuming.resume_paid(app.ports.provisioning, app.ports.messages, today)
    clock.travel_by(timedelta(seconds=10))
    return first + await resuming.resume_paid(app.ports.provisioning, app.ports.messages, today)


async def state() -> str:
    return str((await fetch(STATE.bind(id=people.CHIDI_SUSPENDED)))[0]["state"])


async def pay(app: Application, amount: Money | None = None) -> None:
    """Chidi's open bill."""
    till = Till.of(app.ports, app.site.settings)
    bill = (await fetch(OPEN.bind(customer_id=people.OKORO.id)))[0]["id"]
    card = (await fetch(CARD.bind()))[0]["id"]
    who = audit.system(customer_id=people.OKORO.id)
    payment = await payments.pay_bills(till, who, [BillPart(bill, amount)], How(request_key=ids.token(), card_id=card))
    assert payment.is_paid


async def test_paying_what_is_overdue_switches_it_on_again_with_a_mail(app: Application, chidi: Browser) -> None:
    assert await look(app) == 0
    assert "within 10 minutes" in (await chidi.open(f"/services/{people.CHIDI_SUSPENDED}")).text
    await pay(app)
    clock.travel_by(timedelta(minutes=2))
    assert (await look(app), await look(app), await state()) == (1, 0, "active")
    mails = [mail for mail in await mails_to(app, "chidi@example.test") if "is on again" in mail.subject]
    assert len(mails) == 1
    assert "A payment is missing" not in (await chidi.open(f"/services/{people.CHIDI_SUSPENDED}")).text
    assert "A service is on again" in (await chidi.open("/activity")).text


async def test_what_does_not_come_back_in_time_is_a_request_by_itself_once(app: Application, chidi: Browser) -> None:
    await network.behave(Behaviour.UNKNOWN)
    await pay(app)
    assert await look(app) == 0
    assert await fetch(REQUESTS.bind(customer_id=people.OKORO.id)) == []
    clock.travel_by(timedelta(minutes=10))
    for _again in range(2):
        assert (await look(app), await state()) == (0, "suspended")
    (request,) = await fetch(REQUESTS.bind(customer_id=people.OKORO.id))
    assert (request["kind"], request["about"]) == ("provisioning", people.CHIDI_SUSPENDED)
    assert "not on again by itself" in (await chidi.open(f"/account/requests/{request['id']}")).text


async def test_a_part_is_not_enough(app: Application, chidi: Browser) -> None:
    await pay(app, Money(500, "GBP"))
    assert (await look(app), await state()) == (0, "suspended")


async def test_what_was_suspended_for_another_reason_stays_and_says_who_decides(
    app: Application, chidi: Browser
) -> None:
    async with transaction():
        await execute(REASON.bind(id=people.CHIDI_SUSPENDED, reason="fraud"))
    await pay(app)
    assert (await look(app), await state()) == (0, "suspended")
    assert "We decide when it is safe again" in (await chidi.open(f"/services/{people.CHIDI_SUSPENDED}")).text
