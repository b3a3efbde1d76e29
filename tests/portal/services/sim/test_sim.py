"""The SIM of a service: codes for whoever has just proved who they are, for nobody else, and not for long."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import segno

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.demo import people
from selfcare.identity import sealed
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.site import settings_for

SIM = f"/services/{people.ASHA_MOBILE}/sim"
_ROW = Prepared.sql("SELECT * FROM sim WHERE service_id = :id")
_SHOWN = Prepared.sql(
    "SELECT CAST(details AS TEXT) AS details FROM audit_event WHERE event = 'services.secret_shown' AND about = :about"
)


async def stored(name: str) -> str:
    row = await fetch_one(_ROW.bind(id=people.ASHA_MOBILE))
    assert row is not None
    keys = settings_for("sqlite:///unused.db").sim_keys
    return sealed.unseal(row[name], keys, f"sim/{row['id']}/{name}").decode()


async def shown_events() -> list[str]:
    return [row["details"] for row in await fetch(_SHOWN.bind(about=str(people.ASHA_MOBILE)))]


async def set_state(state: str) -> None:
    async with transaction():
        statement = Prepared.sql("UPDATE sim SET state = :state WHERE service_id = :id")
        await execute(statement.bind(state=state, id=people.ASHA_MOBILE))


async def reveal(browser: Browser, what: str, form: str) -> Page:
    page = await browser.open(f"{SIM}/{what}")
    return await page.submit(form)


async def test_the_panel_says_how_the_sim_is_doing_and_no_code(asha: Browser) -> None:
    page = await asha.open(SIM)
    assert "Ready to install" in page.text
    assert "•••• 0018" in page.text
    assert "8944110000000010018" not in page.answer.text
    assert "10 wrong tries of the PUK end the SIM" in page.text
    for name in ("puk1", "pin1", "activation_code"):
        assert await stored(name) not in page.answer.text


async def test_the_puk_is_shown_after_a_proof_written_down_and_gone_after_a_minute(
    asha: Browser,
) -> None:
    page = await reveal(asha, "puk", "puk-form")
    assert await stored("puk1") in page.text
    assert page.headers["refresh"] == f"60; url={SIM}"
    assert page.headers["cache-control"].startswith("no-store")
    assert "x-offline" not in page.headers
    assert await shown_events() == ['{"kind": "puk"}'] or await shown_events() == ['{"kind":"puk"}']


async def test_asking_for_the_puk_shows_nothing_yet(asha: Browser) -> None:
    page = await asha.open(f"{SIM}/puk")
    assert await stored("puk1") not in page.answer.text
    assert await shown_events() == []


async def test_an_old_sign_in_must_prove_itself_again(asha: Browser) -> None:
    page = await asha.open(f"{SIM}/puk")
    with clock.frozen(clock.now() + timedelta(minutes=20)):
        for path in (f"{SIM}/puk", f"{SIM}/install"):
            assert (await asha.open(path)).path.startswith("/sign-in/prove")
        refused = await page.submit("puk-form")
        assert refused.path.startswith("/sign-in/prove")
        assert await shown_events() == []
        back = await (await asha.open(f"{SIM}/puk")).submit("prove-form", password=people.PASSWORD)
        assert back.path == f"{SIM}/puk"
        again = await back.submit("puk-form")
    assert await stored("puk1") in again.text


async def test_an_esim_is_shown_as_picture_links_and_text(asha: Browser) -> None:
    page = await reveal(asha, "install", "install-form")
    code = await stored("activation_code")
    assert code in page.text
    assert page.html.xpath("//svg[@role='img' and contains(@class, 'qr-code')]")
    links = page.html.xpath("//main//a/@href")
    for host in ("apple", "android"):
        assert f"https://esimsetup.{host}.com/esim_qrcode_provisioning?carddata={quote(code, safe='')}" in links
    assert page.headers["refresh"].endswith(f"url={SIM}")
    assert len(await shown_events()) == 1


async def test_the_picture_holds_the_code(asha: Browser) -> None:
    page = await reveal(asha, "install", "install-form")
    code = await stored("activation_code")
    dark = sum(row.count(1) for row in segno.make(code, error="m", micro=False).matrix_iter(border=2))
    path = page.html.xpath("string(//svg[contains(@class, 'qr-code')]/path/@d)")
    assert path.count("M") == dark


async def test_a_used_esim_is_not_shown_again(asha: Browser) -> None:
    await set_state("enabled")
    page = await asha.open(f"{SIM}/install")
    assert "has been used" in page.text
    (link,) = page.html.xpath("//a[text()='Get a new one']/@href")
    assert (await asha.open(link)).field("about").value == str(people.ASHA_MOBILE)
    token = await asha.csrf(f"{SIM}/puk")
    answer = await asha.post(f"{SIM}/install", {"csrf": token})
    assert await stored("activation_code") not in answer.answer.text
    assert await shown_events() == []


async def test_a_stranger_finds_nothing(chidi: Browser) -> None:
    assert (await chidi.open(SIM)).status == 404
    token = await chidi.csrf()
    for what in ("puk", "install"):
        assert (await chidi.open(f"{SIM}/{what}")).status == 404
        assert (await chidi.post(f"{SIM}/{what}", {"csrf": token})).status == 404


async def test_a_service_without_a_sim_has_no_panel(asha: Browser) -> None:
    assert (await asha.open(f"/services/{people.ASHA_INTERNET}/sim")).status == 404


async def test_codes_of_one_row_cannot_be_read_in_another(asha: Browser) -> None:
    async with transaction():
        swap = Prepared.sql(
            "UPDATE sim SET puk1 = (SELECT puk1 FROM sim WHERE service_id = :other) WHERE service_id = :id"
        )
        await execute(swap.bind(id=people.ASHA_MOBILE, other=people.CHIDI_MOBILE))
    page = await reveal(asha, "puk", "puk-form")
    assert page.status == 503
    assert await shown_events() == []


async def test_nobody_pages_through_codes(asha: Browser) -> None:
    page = await asha.open(f"{SIM}/puk")
    for _n in range(10):
        assert (await page.submit("puk-form")).status == 200
    assert (await page.submit("puk-form")).status == 429
