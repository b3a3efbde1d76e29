"""Where one is signed in, and ending it from anywhere else."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.db.counting import counting
from selfcare.kernel import clock
from tests.support.browser import Browser, Page

PATH = "/account/sign-ins"


def others(page: Page) -> list[str]:
    return [str(one) for one in page.html.xpath("//form[contains(@action, '/end') and .//button[.='End']]/@action")]


async def second(app: Application, **wishes: str) -> Browser:
    browser = Browser(app, name="second")
    browser.client.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/143.0 Mobile Safari/537.36"
    await browser.sign_in("asha@example.test", **wishes)
    return browser


async def press(browser: Browser, action: str, **fields: str) -> Page:
    return await browser.post(action, {"csrf": await browser.csrf(PATH)} | fields)


async def test_every_sign_in_is_there_and_this_one_is_marked(app: Application, asha: Browser) -> None:
    phone = await second(app, shared_device="on")
    page = await asha.open(PATH)
    assert page.text.count("This one") == 1
    assert "Chrome on Android" in page.text
    assert "shared phone" in page.text
    assert "192.0.2.7" in page.text
    await phone.close()


async def test_an_ended_one_is_over_at_the_next_click(app: Application, asha: Browser) -> None:
    phone = await second(app)
    (action,) = others(await asha.open(PATH))
    page = await press(asha, action)
    assert page.path == PATH
    assert "signed in nowhere else" in page.text
    assert (await phone.open("/")).path.startswith("/sign-in")
    assert (await asha.open("/")).path == "/"
    assert await AuditEvent.count().where(AuditEvent.event == "account.session_ended") == 1
    await phone.close()


async def test_ending_all_others_leaves_this_one(app: Application, asha: Browser) -> None:
    phones = [await second(app) for _ in range(3)]
    await press(asha, f"{PATH}/others/end")
    for phone in phones:
        assert (await phone.open("/")).path.startswith("/sign-in")
        await phone.close()
    assert (await asha.open(PATH)).path == PATH


async def test_a_phone_that_stays_signed_in_does_not_come_back_by_itself(app: Application, asha: Browser) -> None:
    phone = await second(app, remember="on")
    page = await asha.open(PATH)
    assert "Kept signed in" in page.text
    await press(asha, others(page)[0])
    assert (await phone.open("/")).path.startswith("/sign-in")
    assert "Kept signed in" not in (await asha.open(PATH)).text
    await phone.close()


async def test_a_kept_phone_can_be_forgotten(app: Application, asha: Browser) -> None:
    phone = await second(app, remember="on")
    clock.travel_by(timedelta(minutes=20))
    await asha.open("/")
    clock.travel_by(timedelta(minutes=20))
    page = await asha.open(PATH)
    assert others(page) == [], "asleep for half an hour"
    await press(asha, f"{PATH}/kept/end", series=page.field("series").value)
    assert (await phone.open("/")).path.startswith("/sign-in")
    await phone.close()


async def test_a_strangers_sign_in_and_ones_own_are_not_found(asha: Browser, chidi: Browser, app: Application) -> None:
    phone = await second(app)
    (action,) = others(await asha.open(PATH))
    assert (await press(chidi, action)).status == 404
    assert (await phone.open("/")).path == "/"
    own = others(await phone.open(PATH))
    assert len(own) == 1
    assert (await press(asha, own[0])).status == 404, "this very one is ended by signing out"
    assert (await press(chidi, f"{PATH}/kept/end", series="x")).status == 404
    await phone.close()


async def test_twice_is_not_found(app: Application, asha: Browser) -> None:
    phone = await second(app)
    (action,) = others(await asha.open(PATH))
    assert (await press(asha, action)).status == 200
    assert (await press(asha, action)).status == 404
    await phone.close()


async def test_the_number_of_statements_does_not_grow(app: Application, asha: Browser) -> None:
    await asha.open(PATH)
    with counting() as few:
        await asha.open(PATH)
    phones = [await second(app) for _ in range(4)]
    with counting() as many:
        await asha.open(PATH)
    assert few.total == many.total
    for phone in phones:
        await phone.close()


async def test_staff_see_their_own(eli: Browser) -> None:
    page = await eli.open(PATH)
    assert page.status == 200
    assert "This one" in page.text
