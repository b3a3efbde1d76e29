"""Staff change the portal while people use it."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.people import Portal


def switch(portal: Portal) -> None:
    """The knowledge base, on or off."""
    portal.page.locator("#flag-kb").get_by_role("button").click()
    expect(portal.page.get_by_role("status").filter(has_text="Saved: kb.")).to_be_visible()


def test_a_feature_is_switched_off_and_on_and_the_portal_takes_a_new_name(portal: Portal) -> None:
    portal.open("/help/articles")
    expect(portal.page.get_by_role("heading", level=1)).not_to_contain_text("not found")
    portal.enter("admin")
    portal.follow("Settings")
    switch(portal)
    portal.open("/help/articles")
    expect(portal.page.get_by_role("heading", level=1)).to_contain_text("not found", ignore_case=True)
    portal.open("/staff/settings/brand")
    portal.page.get_by_label("Colour of the brand").fill("#ffe08a")
    portal.press("Try the colours")
    expect(portal.page.get_by_role("row").filter(has_text="#ffe08a")).to_contain_text(["Moved"])
    portal.page.get_by_label("Colour of the brand").fill("#0b5fa5")
    portal.page.get_by_label("Name", exact=True).fill("Wren Telecom")
    portal.press("Save")
    expect(portal.page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(portal.page.get_by_role("banner")).to_contain_text("Wren Telecom staff")
    portal.page.get_by_label("Name", exact=True).fill("Lark Mobile")
    portal.press("Save")
    expect(portal.page.get_by_role("banner")).to_contain_text("Lark Mobile staff")
    portal.open("/staff/settings")
    switch(portal)
    portal.open("/help/articles")
    expect(portal.page.get_by_role("heading", level=1)).not_to_contain_text("not found", ignore_case=True)


def test_a_product_is_previewed_published_and_bought_at_its_new_price(portal: Portal) -> None:
    portal.enter("admin")
    portal.follow("Catalogue")
    portal.follow("5 GB extra data")
    price = "7.25" if portal.javascript else "7.35"
    portal.follow("Edit")
    portal.page.get_by_role("textbox", name="Price", exact=True).fill(price)
    portal.press("Preview")
    expect(portal.page.get_by_text("Nothing is saved yet.")).to_be_visible()
    portal.page.get_by_label("Tax code").fill("luxury")
    portal.press("Publish")
    expect(portal.page.locator("#tax_code-error")).to_contain_text("There is no tax code luxury")
    portal.page.get_by_label("Tax code").fill("standard")
    portal.press("Publish")
    expect(portal.page.get_by_role("status").filter(has_text="Published as version")).to_be_visible()
    expect(portal.page.get_by_role("article")).to_contain_text(f"£{price}")
    portal.follow("Version 1")
    expect(portal.page.get_by_text("Who bought this one keeps it.")).to_be_visible()
    portal.sign_out()
    portal.enter("asha")
    portal.open("/topup")
    portal.page.locator("main .cards a").first.click()
    expect(portal.page.locator("main")).to_contain_text(f"£{price}")
