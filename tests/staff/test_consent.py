"""The customer's say in support visits, and the code that proves who calls."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.demo import people
from selfcare.kernel import clock
from tests.staff.test_visits import login, prefix_of, rows
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to


async def wishes(browser: Browser, wish: str) -> Page:
    return await (await browser.open("/activity/support")).submit("wish-form", wish=wish)


async def code_of(browser: Browser) -> str:
    page = await (await browser.open("/help/support-code")).submit("code-form")
    digits = str(page.html.xpath("string(//p[@class='figure']//bdi)"))
    assert len(digits.replace(" ", "")) == 6
    return digits


async def test_who_wants_to_be_asked_is_asked_and_says_yes_once(app: Application, dina: Browser, asha: Browser) -> None:
    await wishes(asha, "ask")
    asked = await login(dina)
    assert asked.heading == "The customer is being asked"
    assert any("Support asks" in mail.subject for mail in await mails_to(app, people.ASHA.email))
    page = await asha.open("/activity/support")
    assert "Cannot find the last bill" in page.text
    yes = page.html.xpath("//form[.//input[@name='answer' and @value='yes']]")[0]
    token = yes.xpath("string(.//input[@name='csrf']/@value)")
    await asha.post(yes.get("action"), {"csrf": token, "answer": "yes"})
    assert (await login(dina)).status == 200
    assert (await login(dina)).heading == "The customer is being asked"
    assert [row["details"] for row in await rows("as.answered")] == ['{"answer":"yes"}']


async def test_no_and_silence_open_nothing(app: Application, dina: Browser, asha: Browser) -> None:
    await wishes(asha, "ask")
    await login(dina)
    page = await asha.open("/activity/support")
    no = page.html.xpath("//form[.//input[@name='answer' and @value='no']]")[0]
    token = no.xpath("string(.//input[@name='csrf']/@value)")
    await asha.post(no.get("action"), {"csrf": token, "answer": "no"})
    assert (await login(dina)).heading == "The customer is being asked"
    assert (await asha.post(no.get("action"), {"csrf": token, "answer": "yes"})).status == 404
    clock.travel_by(timedelta(minutes=16))
    assert "asks to look" not in (await asha.open("/activity/support")).text


async def test_never_means_never_but_the_code_read_out_is_consent(
    app: Application, dina: Browser, asha: Browser
) -> None:
    await wishes(asha, "never")
    refused = await login(dina)
    assert refused.status == 422
    assert "support code" in refused.error("code")
    opened = await login(dina, code=await code_of(asha))
    assert prefix_of(opened)


async def test_a_code_works_once_for_10_minutes_and_dies_after_three_wrong_ones(
    app: Application, dina: Browser, asha: Browser, chidi: Browser
) -> None:
    code = await code_of(asha)
    wrong = "000000" if code.replace(" ", "") != "000000" else "111111"
    for _try in range(3):
        assert (await login(dina, code=wrong)).status == 422
    assert (await login(dina, code=code)).status == 422
    fresh = await code_of(asha)
    assert (await login(dina, code=await code_of(chidi))).status == 422
    assert (await login(dina, code=fresh)).status == 200
    assert (await login(dina, code=fresh)).status == 422
    late = await code_of(asha)
    clock.travel_by(timedelta(minutes=10))
    prove = await dina.open(f"/staff/customers/{people.PATEL.id}/login/{people.ASHA.id}")
    await prove.submit("prove-form", password=people.PASSWORD)
    assert (await login(dina, code=late)).status == 422
    assert {row["outcome"] for row in await rows("as.code_checked")} == {"ok", "refused"}


async def test_a_wish_that_is_none_is_refused(app: Application, asha: Browser) -> None:
    page = await wishes(asha, "perhaps")
    assert page.status == 422


async def test_a_visit_elsewhere_is_not_mine_to_end(app: Application, dina: Browser, chidi: Browser) -> None:
    prefix = prefix_of(await login(dina))
    token = await chidi.csrf("/account")
    page = await chidi.post(f"/activity/support/{prefix.removeprefix('/as/')}/end", {"csrf": token})
    assert page.status == 404
    assert (await dina.open(prefix + "/")).status == 200


async def decisions(browser: Browser) -> tuple[str, str]:
    """Where to say yes on the page of what waits, and the token for it."""
    page = await browser.open("/staff/approvals")
    (form,) = page.html.xpath("//form[.//input[@name='decision' and @value='yes']]")
    return form.get("action"), form.xpath("string(.//input[@name='csrf']/@value)")


async def test_two_of_staff_may_look_without_asking_once_and_the_customer_is_told(
    app: Application, admin: Browser, dina: Browser, asha: Browser
) -> None:
    await wishes(asha, "ask")
    asked = await login(admin)
    waits = await asked.submit("override-form", reason="A court asked us for it today")
    assert "You asked for it" in waits.text
    assert "waits for a second person already" in (await asked.submit("override-form", reason="Once more please")).text
    assert (await login(admin)).heading == "The customer is being asked"
    action, token = await decisions(dina)
    own = {"csrf": await admin.csrf("/staff"), "decision": "yes"}
    assert (await admin.post(action, own)).status == 409
    await dina.post(action, {"csrf": token, "decision": "yes"})
    assert prefix_of(await login(admin))
    assert (await login(admin)).heading == "The customer is being asked"
    assert any("without asking first" in mail.subject for mail in await mails_to(app, people.ASHA.email))
    (row,) = await rows("as.overridden")
    assert (row["actor_user_id"], row["user_id"]) == (people.DINA.id, people.ASHA.id)
    assert "A court asked us for it today" in (await asha.open("/activity?kind=as")).text


async def test_a_no_of_the_second_person_opens_nothing(
    app: Application, admin: Browser, dina: Browser, asha: Browser
) -> None:
    await wishes(asha, "ask")
    await (await login(admin)).submit("override-form", reason="A court asked us for it today")
    action, token = await decisions(dina)
    await dina.post(action, {"csrf": token, "decision": "no"})
    assert (await login(admin)).heading == "The customer is being asked"
    assert await rows("as.overridden") == []


async def test_only_an_administrator_may_ask_for_it_and_a_never_stays_one(
    app: Application, admin: Browser, dina: Browser, asha: Browser
) -> None:
    await wishes(asha, "ask")
    assert not (await login(dina)).html.xpath("//form[@id='override-form']")
    address = f"/staff/customers/{people.PATEL.id}/login/{people.ASHA.id}/override"
    refused = await dina.post(address, {"csrf": await dina.csrf("/staff"), "reason": "It cannot wait at all"})
    assert refused.status == 403
    form = await login(admin)
    await wishes(asha, "never")
    never = await form.submit("override-form", reason="It cannot wait at all")
    assert never.status == 422
    assert "can be overridden" in never.text


async def test_ending_a_visit_ends_it_in_every_tab_at_once(app: Application, dina: Browser, asha: Browser) -> None:
    prefix = prefix_of(await login(dina))
    tabs = [f"{prefix}/", f"{prefix}/services", f"{prefix}/usage"]
    assert [(await dina.open(tab)).status for tab in tabs] == [200, 200, 200]
    page = await asha.open("/activity/support")
    form = page.html.xpath("//form[contains(@action, '/end')]")[0]
    await asha.post(form.get("action"), {"csrf": form.xpath("string(.//input[@name='csrf']/@value)")})
    for tab in tabs:
        over = await dina.open(tab)
        assert over.status == 410, tab
        assert "Asha Patel" not in over.text
