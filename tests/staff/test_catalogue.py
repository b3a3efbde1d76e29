"""Products: published as versions that stay, refused with the missing part, and nothing lost when two edit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.demo import catalogue, people
from selfcare.kernel.errors import Rejected
from selfcare.settings import Settings
from selfcare.staff.catalogue import drafts, products
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page

DATA = catalogue.fixed("product/data-5")
HOME = "/staff/catalogue"
EDIT = f"{HOME}/{DATA}/edit"
NEW = {
    "slug": "data-7-gb",
    "category": "topup",
    "service_type": "mobile",
    "name": "7 GB",
    "price": "9.50",
    "tax_code": "standard",
    "grant_kind": ["data"],
    "grant_amount": ["7"],
    "grant_label": ["7 GB top-up"],
    "grant_scope": ["any"],
    "grant_order": ["2"],
    "grant_mode": ["add"],
    "grant_days": ["30"],
    "grant_extra": [""],
    "enabled": "on",
}

NEW_DRAFT = {
    "slug": "boost",
    "name": "Boost",
    "category": "addon",
    "service_type": "internet",
    "currency": "GBP",
    "price_minor": 300,
    "tax_code": "standard",
    "enabled": True,
    **{key: [] for key in ("customer_types", "requires", "excludes", "features", "grants")},
}


async def edit(browser: Browser, button: str = "Publish", **fields: Any) -> Page:
    return await (await browser.open(EDIT)).submit("product-form", button=button, **fields)


async def new(browser: Browser, button: str = "Publish", **fields: Any) -> Page:
    return await (await browser.open(f"{HOME}/new")).submit("product-form", button=button, **(NEW | fields))


async def shown(browser: Browser) -> str:
    """What Chidi or Asha reads of the product on the page for topping up."""
    links = (await browser.open("/topup")).html.xpath("//a[starts-with(@href, '/topup/')]/@href")
    return " ".join([(await browser.open(str(link))).text for link in links])


async def test_a_new_price_is_a_new_version_and_the_old_one_stays_readable(
    app: Application, admin: Browser, asha: Browser
) -> None:
    before = (await products.load(DATA)).draft
    page = await edit(admin, price="7.25", name="Five gigabytes")
    assert "Published as version 2." in page.text
    product = await products.load(DATA)
    assert (product.version, product.draft.price_minor) == (2, 725)
    assert product.draft.grants == before.grants
    first = await products.version_of(product, 1)
    assert first.draft == before
    assert (await products.version_of(product, 2)).changed == ("name", "price_minor")
    old = await admin.open(f"{HOME}/{DATA}/versions/1")
    assert before.name in old.heading
    assert "Who bought this one keeps it." in old.text
    assert "£7.25" in await shown(asha)
    (row,) = await rows("staff.catalogue_changed")
    assert row["actor_user_id"] == people.ADMIN.id
    assert as_json(row["details"]) == {"fields": "name,price_minor", "version": 2}


async def test_saving_what_is_there_publishes_nothing(app: Application, admin: Browser) -> None:
    """All that a product is survives the way through the form."""
    for product in await products.list_all():
        page = await (await admin.open(f"{HOME}/{product.id}/edit")).submit("product-form", button="Publish")
        assert page.status == 200, (product.draft.slug, page.html.xpath("string(//*[@class='summary'])"))
        assert (await products.load(product.id)).draft == product.draft
    assert await rows("staff.catalogue_changed") == []


async def test_parts_of_a_bundle_and_the_plans_of_a_plan_are_edited(app: Application, admin: Browser) -> None:
    bundle, plan = catalogue.fixed("product/week-abroad"), catalogue.LARK_20
    page = await admin.open(f"{HOME}/{bundle}/edit")
    typed = "roaming-europe 6.00\ndata-5 3.00"
    refused = await page.submit("product-form", button="Publish", parts=typed, price="9.01")
    assert refused.status == 422
    assert "together the price, 9.01" in refused.error("parts")
    assert refused.field("parts").value.strip() == typed
    await refused.submit("product-form", button="Publish", price="9.00", refunds_all="")
    draft = (await products.load(bundle)).draft
    assert draft.parts == [{"product": "roaming-europe", "price": 600}, {"product": "data-5", "price": 300}]
    assert not draft.refunds_all
    page = await admin.open(f"{HOME}/{plan.id}/edit")
    assert "no other plan data-5" in (
        await page.submit("product-form", button="Publish", changes_to="lark-5, data-5")
    ).error("changes_to")
    await page.submit("product-form", button="Publish", changes_to="lark-5")
    assert (await products.load(plan.id)).draft.changes_to == ["lark-5"]


async def test_the_settings_of_a_plan_are_edited_row_by_row(app: Application, admin: Browser) -> None:
    plan = catalogue.LARK_20.id
    before = (await products.load(plan)).draft.editable
    page = await admin.open(f"{HOME}/{plan}/edit")
    rows_now = {
        name: [one.get("value") for one in page.html.xpath(f"//*[@name='setting_{name}' and @value]")]
        for name in ("key", "label", "choices")
    }
    keys, labels, choices = rows_now["key"], rows_now["label"], rows_now["choices"]
    assert keys == [*(one["key"] for one in before), ""]
    new = {"setting_key": [*keys[:-1], "wifi_calls"], "setting_label": [*labels[:-1], "Calls over Wi-Fi"]}
    refused = await page.submit("product-form", button="Publish", **new)
    assert refused.status == 422
    assert "two or more to choose from" in refused.html.xpath(f"string(//*[@id='setting_{len(before)}-error'])")
    assert "wifi_calls" in refused.html.xpath("//*[@name='setting_key']/@value")
    await refused.submit("product-form", button="Publish", setting_choices=[*choices[:-1], "On; Off"])
    after = (await products.load(plan)).draft.editable
    assert after[:-1] == before
    assert after[-1] == {"key": "wifi_calls", "label": "Calls over Wi-Fi", "type": "choice", "choices": ["On", "Off"]}


async def test_a_form_that_does_not_ask_for_parts_leaves_them(app: Application, admin: Browser) -> None:
    """One that was open while the portal was brought up to date."""
    bundle = catalogue.fixed("product/week-abroad")
    page = await admin.open(f"{HOME}/{bundle}/edit")
    before = (await products.load(bundle)).draft
    await page.submit("product-form", button="Publish", made_of="", parts="", name="A week abroad")
    after = (await products.load(bundle)).draft
    assert (after.name, after.parts, after.refunds_all) == ("A week abroad", before.parts, True)


@pytest.mark.parametrize(
    ("text", "words"), [("data-5 4.50", "two to eight"), ("a b c\nd", "short name"), ("a 0\nb 1", "above zero")]
)
def test_parts_that_are_none_are_refused(text: str, words: str) -> None:
    with pytest.raises(Rejected, match=words):
        drafts.parts_of(text, "GBP")


async def test_a_published_version_cannot_be_changed(app: Application, admin: Browser) -> None:
    await edit(admin, price="7.25")
    for statement in ("UPDATE product_version SET version = 9", "DELETE FROM product_version"):
        with pytest.raises(Exception, match="a published version stays"):
            async with transaction():
                await execute(Prepared.sql(statement).bind())


async def test_a_new_product_is_on_sale_until_it_is_switched_off(
    app: Application, admin: Browser, asha: Browser
) -> None:
    page = await new(admin)
    assert "Published as version 1." in page.text
    row = await fetch_one(Prepared.sql("SELECT id, grants, tax_permille FROM product WHERE slug = 'data-7-gb'").bind())
    assert row is not None
    (grant,) = json.loads(row["grants"])
    assert (grant["kind"], grant["amount"], grant["lifetime_days"]) == ("data", 7 * 10**9, 30)
    assert row["tax_permille"] == 200
    assert "7 GB" in await shown(asha)
    form = await admin.open(f"{HOME}/{row['id']}/edit")
    await form.submit("product-form", button="Publish", enabled="")
    assert not (await products.load(row["id"])).draft.enabled
    assert "£9.50" not in await shown(asha)


async def test_outside_its_time_a_product_is_not_offered(app: Application, admin: Browser, asha: Browser) -> None:
    page = await edit(admin, on_sale_from="2026-11-23T09:00", on_sale_until="2026-12-01T00:00", price="6.66")
    assert "Not on sale at the moment." in page.text
    assert "£6.66" not in await shown(asha)
    again = await admin.open(EDIT)
    assert again.field("on_sale_from").value == "2026-11-23T09:00"
    await edit(admin, on_sale_from="2026-11-22T11:00")
    assert "£6.66" in await shown(asha)


async def test_a_preview_saves_nothing(app: Application, admin: Browser) -> None:
    page = await edit(admin, "Preview", price="1.11", name="Nearly nothing")
    assert "Nothing is saved yet." in page.text
    assert "£1.11" in page.text
    assert page.field("price").value == "1.11"
    assert (await products.load(DATA)).version == 1


async def test_the_second_of_two_who_edit_is_told_and_loses_nothing(app: Application, admin: Browser) -> None:
    first, second = await admin.open(EDIT), await admin.open(EDIT)
    await first.submit("product-form", button="Publish", price="7.25")
    told = await second.submit("product-form", button="Publish", description="Plenty for a month.")
    assert told.status == 422
    assert f"{people.ADMIN.name} published version 2 meanwhile" in told.text
    assert told.field("description").value == "Plenty for a month."
    assert (await products.load(DATA)).draft.price_minor == 725
    await told.submit("product-form", button="Publish", price="7.25")
    product = await products.load(DATA)
    assert (product.version, product.draft.price_minor) == (3, 725)
    assert product.draft.description == "Plenty for a month."


@pytest.mark.parametrize(
    ("field", "typed", "beside", "words"),
    [
        ("tax_code", "luxury", "tax_code", "no tax code luxury"),
        ("requires", "lark-20, lark-99", "requires", "no other product lark-99"),
        ("excludes", "data-7-gb", "excludes", "no other product data-7-gb"),
        ("grant_kind", ["steps"], "", "Choose one of the options."),
        ("grant_amount", ["-1"], "", "above zero"),
        ("grant_amount", ["NaN"], "", "above zero"),
        ("grant_label", [""], "", "what it is called"),
        ("grant_days", ["0"], "", "whole number"),
        ("grant_kind", [""], "", ""),
        ("slug", "Data 7", "slug", "small letters"),
        ("slug", "data-5", "slug", "already"),
        ("name", "", "name", "Fill this in."),
        ("price", "-1", "price", "amount"),
        ("price", "1e3", "price", "amount"),
        ("period", "month", "period", "paid once"),
        ("custom_max", "5", "custom_max", "go together"),
        ("terms_url", "http://lark.example", "terms_url", "https://"),
        ("on_sale_until", "tomorrow", "on_sale_until", "2026-12-01T09:00"),
        ("sort", "-1", "sort", "whole number"),
        ("starts", "first_use", "starts", "Only an add-on"),
        ("starts", "tomorrow", "starts", "Choose one"),
        ("start_within_days", "0", "start_within_days", "whole number"),
    ],
)
async def test_what_is_missing_or_wrong_is_named_beside_its_field(
    app: Application, admin: Browser, field: str, typed: Any, beside: str, words: str
) -> None:
    page = await new(admin, **{field: typed})
    assert page.status == 422
    said = page.error(beside) if beside else page.html.xpath("string(//*[@class='summary'])")
    assert words in said
    assert "data-7-gb" not in await products.slugs()


async def test_the_sale_cannot_end_before_it_starts(admin: Browser) -> None:
    page = await edit(admin, on_sale_from="2026-12-02T00:00", on_sale_until="2026-12-01T00:00")
    assert "end before it starts" in page.error("on_sale_until")


async def test_what_charging_cannot_hold_is_refused_with_its_words(
    app: Application, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.ports.charging), "cannot_hold", lambda _self, put: f"No room for {put.kind}.")
    page = await new(admin)
    assert page.status == 422
    assert "No room for data." in page.text


def test_a_program_that_the_network_does_not_know_is_refused() -> None:
    draft = drafts.Draft.of_json(NEW_DRAFT | {"provisioning_play": "play_boost"})
    asked = {"charging": EmbeddedCharging(), "slugs": set[str]()}
    assert list(drafts.missing(draft, settings=Settings(), **asked)) == []
    knows = Settings(provisioning_plays=("play_tv",))
    assert list(drafts.missing(draft, settings=knows, **asked)) == [
        ("provisioning_play", "The network has no program play_boost.")
    ]


async def test_what_is_switched_off_may_lack_what_it_needs(app: Application, admin: Browser) -> None:
    page = await new(admin, enabled="", requires="not-there-yet")
    assert page.status == 200
    assert "not-there-yet" in page.text


async def test_the_catalogue_needs_its_right(app: Application, dina: Browser, asha: Browser) -> None:
    for browser in (dina, asha):
        for path in (HOME, f"{HOME}/new", EDIT, f"{HOME}/{DATA}", f"{HOME}/{DATA}/versions/1"):
            assert (await browser.open(path)).status == 404
    assert (await dina.post(EDIT, {"csrf": await dina.csrf("/staff"), "price": "0"})).status in (403, 404)
    assert (await products.load(DATA)).version == 1


async def test_a_version_that_never_was_is_not_found(admin: Browser) -> None:
    for number in ("0", "2", "99999999999999999999"):
        assert (await admin.open(f"{HOME}/{DATA}/versions/{number}")).status == 404


@pytest.mark.parametrize(
    ("name", "text", "amount"), [("data", "0.5", 5 * 10**8), ("voice", "1.5", 90), ("sms", "7", 7), ("data", "", None)]
)
def test_amounts_go_in_and_out_as_people_type_them(name: str, text: str, amount: int | None) -> None:
    assert drafts.amount_of(name, text, currency="GBP", base=1000) == amount
    assert drafts.amount_text(name, amount, currency="GBP", base=1000) == text
