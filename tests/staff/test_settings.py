"""Settings that staff change while the portal runs: who may, what is refused, and when everybody sees it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from selfcare import background, flags
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute
from selfcare.demo import people
from selfcare.identity import acting
from selfcare.kernel import clock
from selfcare.live import store
from selfcare.live.standing import Standing
from selfcare.settings import SUPPORT_ACTIONS, Settings, limits
from selfcare.staff.settings.entries import limit_words
from tests.portal.addons.test_addon_pages import review as review_addon
from tests.portal.topup.test_topup_pages import STALE, review
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page
from tests.support.databases import change

FLAGS = "/staff/settings"
BRAND = "/staff/settings/brand"


async def press(browser: Browser, name: str, value: str, *, seen: int | None = None) -> Page:
    page = await browser.open(FLAGS)
    now = page.html.xpath("string((//input[@name='seen'])[1]/@value)")
    sent = {"csrf": await browser.csrf(FLAGS), "name": name, "value": value, "seen": str(now if seen is None else seen)}
    return await browser.post(f"{FLAGS}/flags", sent)


async def test_every_flag_stands_there_in_words(admin: Browser) -> None:
    page = await admin.open(FLAGS)
    assert {element.get("id").removeprefix("flag-") for element in page.html.xpath("//li[@id]")} == flags.KNOWN
    assert all(len(words) > 15 and words[-1] == "." for _on, words in flags.table().values())
    assert {limit.name for limit in limits()} == limit_words("GBP").keys()
    assert tuple(acting.words()) == SUPPORT_ACTIONS


async def test_a_flag_switched_off_takes_its_pages_and_links_along(
    app: Application, admin: Browser, asha: Browser
) -> None:
    assert (await asha.open("/account/export")).status == 200
    page = await press(admin, "export", "off")
    assert "Saved: export." in page.text
    assert (await asha.open("/account/export")).status == 404
    assert not (await asha.open("/account")).has_link("/account/export")
    (row,) = await rows("settings.changed")
    assert (row["actor_user_id"], as_json(row["details"])["name"]) == (people.ADMIN.id, "flag.export")
    assert "Changed by" in (await admin.open(FLAGS)).by_id("flag-export").text_content()
    await press(admin, "export", "on")
    assert (await asha.open("/account/export")).status == 200
    history = await admin.open("/staff/settings/history")
    assert [row.text_content() for row in history.html.xpath("//tbody/tr/td[3]")] == ["off", "on"]


async def test_the_history_cannot_be_changed(app: Application, admin: Browser) -> None:
    await press(admin, "export", "off")
    for statement in ("UPDATE setting_change SET value = 'on'", "DELETE FROM setting_change"):
        with pytest.raises(Exception, match="append-only"):
            async with transaction():
                await execute(Prepared.sql(statement).bind())


async def test_background_jobs_come_and_go_with_their_flag(app: Application, admin: Browser) -> None:
    standing = app.site.standing
    known, stop = [], asyncio.Event()

    class Jobs:
        async def run(self, registry: object, schedule: object, stop: asyncio.Event) -> None:
            known.append((registry, schedule))

    await background.work(standing, replace(app.ports, jobs=Jobs()), stop)  # type: ignore[arg-type]
    registry, schedule = known[0]
    assert "autopay.take" in " ".join(registry.kinds) or any(kind.startswith("autopay") for kind in registry.kinds)
    await press(admin, "autopay", "off")
    assert not any(kind.startswith("autopay") for kind in registry.kinds)
    assert not any(entry.kind.startswith("autopay") for entry in schedule)
    await press(admin, "autopay", "on")
    assert any(kind.startswith("autopay") for kind in registry.kinds)


async def test_what_somebody_else_switched_meanwhile_is_told(app: Application, admin: Browser) -> None:
    await press(admin, "export", "off", seen=0)
    page = await press(admin, "export", "on", seen=0)
    assert page.status == 422
    assert "after you opened the page" in page.text
    assert "export" not in app.site.flags


async def test_without_the_right_there_are_no_settings(app: Application, dina: Browser, asha: Browser) -> None:
    for browser in (dina, asha):
        for path in (FLAGS, BRAND, "/staff/settings/history"):
            assert (await browser.open(path)).status == 404
    assert (await dina.post(BRAND, {"csrf": await dina.csrf("/staff"), "name": "Ours now"})).status in (403, 404)
    assert await store.mark() is None


async def test_flags_alone_are_no_right_to_the_brand(app: Application, dina: Browser) -> None:
    async with transaction():
        change = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(change.bind(id=people.DINA.id, rights=["manage_flags"]))
    assert (await press(dina, "export", "off")).status == 200
    assert (await dina.open(BRAND)).status == 404


@pytest.mark.parametrize(
    ("name", "value"), [("no_such_flag", "on"), ("export", "perhaps"), ("export", ""), ("2fa'--", "on")]
)
async def test_an_unknown_flag_or_value_changes_nothing(
    app: Application, admin: Browser, name: str, value: str
) -> None:
    assert (await press(admin, name, value)).status in (404, 422)
    assert await store.mark() is None


async def test_a_new_name_and_colour_are_there_on_the_next_page(
    app: Application, admin: Browser, asha: Browser
) -> None:
    before = str((await asha.open("/")).html.xpath("//link[@rel='stylesheet']/@href")[0])
    page = await (await admin.open(BRAND)).submit("settings-form", button="Save", name="Wren Telecom", brand="#0b5fa5")
    assert "Saved." in page.text
    home = await asha.open("/")
    assert home.html.xpath("string(//title)").endswith("Wren Telecom")
    after = str(home.html.xpath("//link[@rel='stylesheet']/@href")[0])
    assert after != before
    assert "--brand:#0b5fa5" in (await asha.client.get(after)).text
    assert (await asha.client.get(before)).status_code == 200
    assert sorted(as_json(row["details"])["name"] for row in await rows("settings.changed")) == [
        "brand.brand",
        "brand.name",
    ]


async def test_a_colour_that_is_hard_to_read_is_moved_and_the_ratio_told(app: Application, admin: Browser) -> None:
    page = await (await admin.open(BRAND)).submit("settings-form", button="Try the colours", brand="#ffe08a")
    assert "Nothing is saved yet." in page.text
    assert "#ffe08a 1.10 : 1" in page.text
    assert "Moved: 4.5 : 1 is needed" in page.text
    assert "2 colours would be hard to read" in page.text
    assert await store.mark() is None
    assert page.field("brand").value == "#ffe08a"


@pytest.mark.parametrize(
    ("section", "field", "typed"),
    [
        ("brand", "brand", "purple"),
        ("brand", "brand", "#12345"),
        ("brand", "accent", ""),
        ("brand", "name", ""),
        ("brand", "name", "x" * 121),
        ("brand", "address", "1\n2\n3\n4\n5\n6"),
        ("texts", "support_mail", "not an address"),
        ("texts", "support_chat", "javascript:alert(1)"),
        ("texts", "footer", "x" * 201),
        ("limits", "session_idle_minutes", "0"),
        ("limits", "second_person_above", "-1"),
        ("limits", "most_credit", "1e3"),
        ("limits", "most_credit", ""),
    ],
)
async def test_a_bad_value_is_refused_beside_its_field(
    app: Application, admin: Browser, section: str, field: str, typed: str
) -> None:
    page = await (await admin.open(f"{FLAGS}/{section}")).submit("settings-form", button="Save", **{field: typed})
    assert page.status == 422
    assert page.error(field)
    assert page.field(field).value == typed
    assert await store.mark() is None


async def test_a_limit_is_read_by_its_rule_at_once(app: Application, admin: Browser, dina: Browser) -> None:
    await (await admin.open(f"{FLAGS}/limits")).submit("settings-form", button="Save", second_person_above="5")
    page = await dina.open(f"/staff/customers/{people.PATEL.id}/money")
    done = await page.submit("credit-form", amount="5.01", reason="The line was down for days")
    assert "A second person has to agree" in done.text


async def test_the_top_ups_of_a_day_are_limited_by_what_staff_say_now(
    app: Application, admin: Browser, asha: Browser
) -> None:
    await (await admin.open(f"{FLAGS}/limits")).submit("settings-form", button="Save", topup_day_limit="3")
    refused = await (await review(asha)).submit("buy")
    assert refused.status == 422
    assert "limited to £3.00 a day" in refused.text


async def test_from_which_sum_a_known_card_asks_again_is_what_staff_say_for_add_ons_too(
    app: Application, admin: Browser, asha: Browser
) -> None:
    await (await admin.open(f"{FLAGS}/limits")).submit("settings-form", button="Save", card_day_limit="6")
    await (await review(asha)).submit("buy")
    await change(STALE, at=clock.now() - timedelta(hours=1))
    asked = await (await review_addon(asha)).submit("buy")
    assert asked.path.startswith("/sign-in/prove"), "£5.00 and £4.99 are more than £6"


async def test_saving_nothing_new_writes_nothing(app: Application, admin: Browser) -> None:
    page = await (await admin.open(f"{FLAGS}/texts")).submit("settings-form", button="Save")
    assert "nothing was changed" in page.text
    assert await store.mark() is None


async def test_two_who_edit_at_once_lose_nothing(app: Application, admin: Browser) -> None:
    first, second = await admin.open(f"{FLAGS}/texts"), await admin.open(f"{FLAGS}/texts")
    await first.submit("settings-form", button="Save", support_hours="Always")
    told = await second.submit("settings-form", button="Save", support_hours="Never", footer="Wren")
    assert told.status == 422
    assert "after you opened the page" in told.error("support_hours")
    assert told.field("footer").value == "Wren"
    assert app.site.settings.operator.support_hours == "Always"
    assert (await told.submit("settings-form", button="Save")).status == 200
    assert app.site.settings.operator.support_hours == "Never"


def test_the_environment_wins_over_what_was_saved(tmp_path: object) -> None:
    given = Settings.from_env(
        {"SELFCARE_FLAGS": "-export", "SELFCARE_MOST_CREDIT": "7", "SELFCARE_SUPPORT_ACTIONS": "auto_renew"}
    )
    now = given.changed({"flag.export": "on", "limit.most_credit": "9", "acting.rename": "on", "flag.gone": "on"})
    assert "export" not in flags.enabled(now)
    assert now.most_credit == 7
    assert now.support_actions == ("auto_renew",)
    assert "gone" not in flags.enabled(now)


async def test_what_cannot_be_used_stops_nobody(app: Application) -> None:
    """As after going back to an earlier version."""
    async with transaction():
        await store.write(people.ADMIN.id, {"brand.brand": "purple", "flag.export": "off"}, was={})
    standing = Standing(app.site.settings)
    await standing.look()
    assert standing.settings.operator.brand == app.site.settings.operator.brand
