"""Cards near their end: who is told when, once; and what the bank's own update changes."""

from __future__ import annotations

from datetime import date, timedelta

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.portal.cards import expiring
from selfcare.ports.payments import CardSeen
from tests.support.browser import Browser
from tests.support.mail import mails_to

SECOND = fixed("card/asha/2")
# Asha's second card is valid to the end of December 2026.
LAST = date(2026, 12, 31)
STAGE = Prepared.sql("SELECT told_days, exp_month, exp_year FROM payment_method WHERE id = :id")


async def tell(app: Application, days_before: int) -> list[str]:
    await expiring.tell(app.ports.messages, LAST - timedelta(days=days_before))
    return [mail.subject for mail in await mails_to(app, "asha@example.test") if "works until" in mail.subject]


async def test_owners_are_told_thirty_and_seven_days_before(app: Application) -> None:
    assert await tell(app, 31) == []
    assert await tell(app, 30) == ["Mastercard 4444 works until 31 Dec 2026"]
    assert len(await tell(app, 8)) == 1
    assert len(await tell(app, 7)) == 2


async def test_they_are_told_once_however_often_it_runs(app: Application) -> None:
    assert len(await tell(app, 30)) == len(await tell(app, 30)) == len(await tell(app, 29)) == 1


async def test_who_was_told_of_the_last_week_is_not_told_of_the_month(app: Application) -> None:
    assert len(await tell(app, 5)) == 1
    assert len(await tell(app, 25)) == 1


async def test_the_end_is_noted_once_in_the_activity(app: Application) -> None:
    await tell(app, -1)
    await tell(app, -2)
    assert await AuditEvent.count().where(AuditEvent.event == "cards.expired", AuditEvent.about == str(SECOND)) == 1


async def test_a_removed_card_is_nobodys_worry(app: Application) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE payment_method SET removed_at = created_at WHERE id = :id").bind(id=SECOND))
    assert await tell(app, 7) == []


async def test_new_dates_from_the_bank_clear_it(app: Application) -> None:
    await tell(app, 7)
    seen = CardSeen("demo_asha_mastercard_2", "mastercard", "4444", 12, 2029)
    assert await expiring.refresh(people.PATEL.id, [seen]) == 1
    assert await expiring.refresh(people.PATEL.id, [seen]) == 0
    row = await fetch_one(STAGE.bind(id=SECOND))
    assert row == {"told_days": None, "exp_month": 12, "exp_year": 2029}


async def test_staff_see_default_cards_sixty_days_before_and_for_a_month_after(app: Application) -> None:
    async with transaction():
        await execute(NINE_YEARS.bind(id=fixed("card/asha/1")))
    last = date(2031, 9, 30)
    seen = [days for days in (-31, -30, 0, 60, 61) if await expiring.ending(last - timedelta(days=days))]
    assert seen == [-30, 0, 60]
    (one,) = await expiring.ending(last)
    assert (one.customer, one.words, one.last_day, one.is_over, one.autopays) == (
        "Asha Patel",
        "Visa 4242",
        last,
        False,
        False,
    )


NINE_YEARS = Prepared.sql("UPDATE payment_method SET exp_year = 2031, exp_month = 9 WHERE id = :id")


async def test_support_reads_the_list_and_customers_do_not(asha: Browser, dina: Browser) -> None:
    page = await dina.open("/staff/payments/cards")
    assert "Cards that end soon" in page.heading
    assert (await asha.open("/staff/payments/cards")).status == 404
