"""What customers may change: a friendly name, auto-renewal, and that a service shall end."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one, insert_many
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.portal.orders.tables import PurchaseOrder
from selfcare.portal.services import cancelling
from tests.support import broken
from tests.support.browser import Browser
from tests.support.mail import mails_to
from tests.support.site import NOW

MOBILE, INTERNET = people.ASHA_MOBILE, people.ASHA_INTERNET


async def service(service_id: object = MOBILE) -> dict[str, Any]:
    row = await fetch_one(Prepared.sql("SELECT * FROM service WHERE id = :id").bind(id=service_id))
    assert row is not None
    return row


async def put(what: str, service_id: object = MOBILE, **values: object) -> None:
    async with transaction():
        await execute(Prepared.sql(f"UPDATE service SET {what} WHERE id = :id").bind(id=service_id, **values))


async def written(event: str) -> int:
    rows = await fetch(
        Prepared.sql("SELECT id FROM audit_event WHERE event = :event AND about = :about").bind(
            event=event, about=str(MOBILE)
        )
    )
    return len(rows)


async def outside_a_contract() -> None:
    await put("contract_ends_on = NULL")


async def test_a_friendly_name_stands_everywhere_and_is_written_down(app: Application, asha: Browser) -> None:
    page = await asha.open(f"/services/{MOBILE}/name")
    shown = await page.submit("name-form", nickname="  Asha's phone ")
    assert shown.path == f"/services/{MOBILE}"
    assert shown.heading == "Asha's phone"
    assert await written("services.renamed") == 1


async def test_the_name_is_changed_in_its_row(app: Application, asha: Browser) -> None:
    form = await asha.open(f"/services/{MOBILE}/name", htmx=True)
    row = await form.submit("name-form", htmx=True, nickname="Phone")
    assert row.html.get("id") == "services-name"
    assert "Phone" in row.text
    assert not row.html.xpath("//form")
    back = await asha.open(f"/services/{MOBILE}/name?as=text", htmx=True)
    assert not back.html.xpath("//form")


async def test_an_empty_name_gives_the_systems_name_back(app: Application, asha: Browser) -> None:
    await put("nickname = :n", n="Phone")
    page = await asha.open(f"/services/{MOBILE}/name")
    assert (await page.submit("name-form", nickname=" ")).heading == "Mobile - +44 7700 900123"


@pytest.mark.parametrize("bad", ["x" * 61, "a\x07b", "a\nb"])
@pytest.mark.parametrize("htmx", [True, False])
async def test_a_bad_name_is_refused_beside_the_field_and_kept(
    app: Application, asha: Browser, bad: str, htmx: bool
) -> None:
    page = await asha.open(f"/services/{MOBILE}/name")
    again = await page.submit("name-form", htmx=htmx, nickname=bad)
    assert again.status == 422
    assert again.error("nickname")
    assert (await service())["nickname"] is None


async def test_the_same_name_twice_is_written_down_once(app: Application, asha: Browser) -> None:
    page = await asha.open(f"/services/{MOBILE}/name")
    await page.submit("name-form", nickname="Phone")
    await page.submit("name-form", nickname="Phone")
    assert await written("services.renamed") == 1


async def test_auto_renewal_says_its_consequence_before_it_is_switched_off(app: Application, asha: Browser) -> None:
    await outside_a_contract()
    page = await asha.open(f"/services/{MOBILE}/renewal")
    assert "If you switch it off, the service ends on 5 Dec 2026" in page.text or "ends on 6 Dec 2026" in page.text
    assert "Your number is lost 30 days later" in page.text
    shown = await page.submit("renewal-form")
    assert "Auto-renewal Off" in shown.text
    assert "Expires" in shown.text
    assert await written("services.renewal_switched") == 1


async def test_inside_a_contract_it_cannot_be_switched_off(app: Application, asha: Browser) -> None:
    await put("contract_ends_on = :day", day=date(2027, 9, 22))
    page = await asha.open(f"/services/{MOBILE}/renewal")
    assert "Inside your contract it renews" in page.text
    token = await asha.csrf()
    refused = await asha.post(f"/services/{MOBILE}/renewal", {"csrf": token, "renews": "off"})
    assert refused.status == 422
    assert (await service())["renews"]


async def test_prepaid_needs_a_card_or_credit_to_renew(app: Application, chidi: Browser) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE payment_method SET removed_at = :now").bind(now=NOW))
    page = await chidi.open(f"/services/{people.CHIDI_MOBILE}/renewal")
    assert "it needs a saved card, or credit for the next period" in page.text
    async with transaction():
        await execute(
            Prepared.sql(
                "UPDATE bucket SET remaining = 800, granted = NULL WHERE service_id = :id AND kind = 'money'"
            ).bind(id=people.CHIDI_MOBILE)
        )
    page = await chidi.open(f"/services/{people.CHIDI_MOBILE}/renewal")
    assert "Auto-renewal On" in (await page.submit("renewal-form")).text


async def test_switching_twice_is_switching_once(app: Application, asha: Browser) -> None:
    await outside_a_contract()
    page = await asha.open(f"/services/{MOBILE}/renewal")
    await page.submit("renewal-form")
    assert (await page.submit("renewal-form")).status == 200
    assert await written("services.renewal_switched") == 1


async def test_cancelling_at_the_end_can_be_undone_until_then(app: Application, asha: Browser) -> None:
    await outside_a_contract()
    page = await asha.open(f"/services/{MOBILE}/cancel")
    confirm = await page.submit("cancel-form", when="end", reason="price", words="Too dear <for> me")
    assert "Until then you can undo it" in confirm.text
    assert (await service())["cancel_at"] is None, "nothing before the confirmation"
    shown = await confirm.submit("confirm-form")
    assert "going to end on" in shown.text
    row = await service()
    assert row["cancel_at"] == row["ends_at"]
    assert row["state"] == "active"
    kept = await fetch_one(Prepared.sql("SELECT reason, words FROM cancellation").bind())
    assert kept == {"reason": "price", "words": "Too dear <for> me"}
    undone = await (await asha.open(f"/services/{MOBILE}/cancel")).submit("undo-form")
    assert "going to end" not in undone.text
    assert (await service())["cancel_at"] is None
    assert await written("services.cancellation_undone") == 1
    told = [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    assert any(subject.endswith("is going to end on 6 Dec 2026") for subject in told)
    assert any(subject.endswith("goes on") for subject in told)


async def test_cancelling_now_ends_it_at_once(app: Application, asha: Browser) -> None:
    page = await asha.open(f"/services/{MOBILE}/cancel?when=now")
    assert "This cannot be undone" in page.text
    shown = await page.submit("confirm-form")
    assert "Cancelled" in shown.text
    row = await service()
    assert (row["state"], row["end_reason"], row["ended_at"]) == ("ended", "cancelled", NOW)
    assert "Only a service that runs" in (await asha.open(f"/services/{MOBILE}/cancel")).text


async def test_leaving_inside_a_contract_names_the_fee_first(app: Application, asha: Browser) -> None:
    await put("contract_ends_on = :day", day=date(2027, 2, 22))
    page = await asha.open(f"/services/{MOBILE}/cancel?when=now")
    assert "Leaving before costs £36.00" in page.text


async def test_the_final_bill_is_estimated_before_it_is_cancelled(asha: Browser, chidi: Browser) -> None:
    page = await asha.open(f"/services/{MOBILE}/cancel?when=end&reason=&words=")
    assert "Your final bill is about £132.00: £12.00 for the last period and £120.00 for leaving" in page.text
    ahead = await chidi.open(f"/services/{people.CHIDI_MOBILE}/cancel?when=now&reason=&words=")
    assert "There is no final bill" in ahead.text


async def test_a_service_without_an_end_ends_with_the_month_of_the_customers_zone(
    app: Application, asha: Browser
) -> None:
    await put("ends_at = NULL, contract_ends_on = NULL")
    with clock.frozen(datetime(2027, 3, 31, 22, 30, tzinfo=UTC)):
        await asha.sign_in("asha@example.test")
        page = await asha.open(f"/services/{MOBILE}/cancel?when=end")
        await page.submit("confirm-form")
    assert (await service())["cancel_at"] == datetime(2027, 3, 31, 23, 0, tzinfo=UTC)


async def test_the_worker_ends_what_was_to_end_and_once(asha: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    await outside_a_contract()
    page = await asha.open(f"/services/{MOBILE}/cancel?when=end")
    await page.submit("confirm-form")
    assert await cancelling.end_due(NOW) == 0
    later = NOW + timedelta(days=40)
    # One that cannot be ended keeps nobody else waiting.
    broken.first(monkeypatch, cancelling)
    assert await cancelling.end_due(later) == 1
    assert await cancelling.end_due(later) == 0
    row = await service()
    assert (row["state"], row["end_reason"]) == ("ended", "cancelled")
    assert row["ended_at"] == row["cancel_at"]
    assert await written("services.ended") == 1


async def test_the_same_confirmation_twice_cancels_once(app: Application, asha: Browser) -> None:
    await outside_a_contract()
    page = await asha.open(f"/services/{MOBILE}/cancel?when=end")
    await page.submit("confirm-form")
    assert (await page.submit("confirm-form")).status == 200
    assert await written("services.cancellation_asked") == 1


async def test_it_is_not_ended_while_an_order_for_it_is_on_its_way(app: Application, asha: Browser) -> None:
    form = await asha.open(f"/services/{MOBILE}/cancel?when=now&reason=&words=")
    order = await an_order("delivering")
    refused = await form.submit("confirm-form")
    assert (refused.status, (await service())["state"]) == (422, "active")
    page = await asha.open(f"/services/{MOBILE}/cancel")
    assert "Your order “5 GB extra” is not finished" in page.text
    assert page.html.xpath(f"//a[@href='/orders/{order}']")


async def test_an_order_that_is_over_does_not_keep_it(app: Application, asha: Browser) -> None:
    form = await asha.open(f"/services/{MOBILE}/cancel?when=now&reason=&words=")
    await an_order("delivered")
    await form.submit("confirm-form")
    assert (await service())["state"] == "ended"


async def an_order(state: str) -> UUID:
    id = ids.new_id()
    row = {"id": id, "customer_id": people.PATEL.id, "kind": "topup", "reference": "ORD-1", "request_key": str(id)}
    row |= {
        "name": "5 GB extra",
        "service_id": MOBILE,
        "price_minor": 600,
        "currency": "GBP",
        "state": state,
        "delivers": "{}",
    }
    row |= {"created_at": NOW, "changed_at": NOW, "deadline_at": NOW + timedelta(hours=1)}
    async with transaction():
        await insert_many(PurchaseOrder, [row])
    return id


async def test_nothing_chosen_is_refused_with_words(app: Application, asha: Browser) -> None:
    token = await asha.csrf()
    again = await asha.post(f"/services/{MOBILE}/cancel", {"csrf": token, "when": "", "reason": "x"})
    assert again.status == 422
    assert "There is a problem" in again.text
    assert (await service())["cancel_at"] is None


async def test_who_may_only_look_changes_nothing(app: Application, ben: Browser) -> None:
    page = await ben.open(f"/services/{MOBILE}")
    for path in ("name", "renewal", "cancel"):
        assert not page.has_link(f"/services/{MOBILE}/{path}")
        assert (await ben.open(f"/services/{MOBILE}/{path}")).status == 404
        assert (await ben.post(f"/services/{MOBILE}/{path}", {"csrf": await ben.csrf()})).status == 403


async def test_somebody_elses_service_cannot_be_changed(app: Application, chidi: Browser) -> None:
    token = await chidi.csrf()
    for path in ("name", "renewal", "cancel"):
        assert (await chidi.open(f"/services/{MOBILE}/{path}")).status == 404
        fields = {"csrf": token, "nickname": "x", "renews": "off", "when": "now", "reason": ""}
        assert (await chidi.post(f"/services/{MOBILE}/{path}", fields)).status == 404
    row = await service()
    assert (row["nickname"], row["cancel_at"], row["state"]) == (None, None, "active")


async def test_what_happened_tells_who_did_it(app: Application, asha: Browser) -> None:
    await (await asha.open(f"/services/{MOBILE}/name")).submit("name-form", nickname="Phone")
    page = await asha.open(f"/services/{MOBILE}")
    told = " ".join(page.html.xpath("string(//section[@aria-labelledby='moments-heading'])").split())
    assert "by you" in told
    assert "Switched on by us" in told
