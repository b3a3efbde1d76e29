"""Topping up in a real browser, with and without JavaScript, on a narrow phone: three taps, and the balance is new."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.people import Portal

PAY = re.compile("^Pay £")


def sign_in(portal: Portal, who: str = "asha") -> None:
    portal.enter(who)
    portal.go_to_section("Top-Up")
    portal.should_be_at("Top-Up")


def test_three_taps_from_the_services_to_more_data(portal: Portal) -> None:
    sign_in(portal)
    taps = 0
    for tap in (
        lambda: portal.page.get_by_role("main").get_by_role("link", name=re.compile("^Mobile")).first.click(),
        lambda: portal.follow(re.compile("^Buy 5 GB extra data for")),
        lambda: portal.press(PAY),
    ):
        portal.should_not_scroll_sideways()
        tap()
        taps += 1
    portal.should_come_to("You now have")
    portal.should_not_scroll_sideways()
    assert taps <= 3
    expect(portal.page.get_by_role("list", name="How far it is")).to_contain_text("Paid")
    portal.follow("Orders")
    portal.should_see("5 GB extra data")
    portal.should_not_scroll_sideways()


def test_an_amount_of_ones_own_is_refused_in_words_and_then_bought_with_a_new_card(portal: Portal) -> None:
    sign_in(portal)
    portal.page.get_by_role("main").get_by_role("link", name=re.compile("^Mobile")).first.click()
    portal.page.get_by_label("Credit of your choice").fill("100.01")
    portal.press("Continue")
    portal.should_see("Enter an amount from £5.00 to £100.00.")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("Credit of your choice").fill("7.50")
    portal.press("Continue")
    portal.should_be_at("Buy £7.50 credit")
    portal.page.get_by_text("A new card", exact=True).click()
    portal.press(PAY)
    portal.should_see("Continue to the payment page")
    portal.follow("Continue")
    portal.page.get_by_role("radio", name="Visa …4242 approves", exact=True).check()
    portal.press(PAY)
    portal.should_come_to("You now have")


def test_another_plan_at_once_in_three_taps_and_a_cheaper_one_for_later(portal: Portal) -> None:
    portal.enter("asha")
    portal.go_to_section("Services")
    portal.page.get_by_role("main").get_by_role("link", name=re.compile("^Mobile")).first.click()
    taps = 0
    for tap in (
        lambda: portal.follow("Change Plan"),
        lambda: portal.follow(re.compile("^Choose Lark (60|Unlimited)$")),
        lambda: portal.press(PAY),
    ):
        portal.should_not_scroll_sideways()
        tap()
        taps += 1
    portal.should_come_to("You now have")
    portal.should_not_scroll_sideways()
    assert taps <= 3
    expect(portal.page.get_by_role("list", name="How far it is")).to_contain_text("Changed at the network")
    portal.go_to_section("Services")
    portal.page.get_by_role("main").get_by_role("link", name=re.compile("^Mobile")).first.click()
    portal.follow("Change Plan")
    portal.follow("Choose Lark 5")
    portal.should_see("Due today")
    portal.should_not_scroll_sideways()
    portal.press("Change on 6 Dec 2026")
    portal.should_see("It changes to Lark 5 on 6 Dec 2026")
    portal.should_not_scroll_sideways()
    portal.press(re.compile("^Keep Lark"))
    expect(portal.page.get_by_text("It changes to Lark 5")).to_have_count(0)


def the_network(portal: Portal, does: str) -> None:
    portal.open("/demo")
    portal.page.locator(f"#network [value={does}]").check()
    portal.press("Set")
    expect(portal.page.locator(f"#network [value={does}]")).to_be_checked()


def test_several_in_one_payment_and_what_the_network_refuses_comes_back(portal: Portal) -> None:
    the_network(portal, "fails")
    portal.enter("asha")
    portal.open("/addons")
    taps = 0
    for tap in (
        lambda: portal.follow(re.compile("^Look at it.*Family travel")),
        lambda: portal.press(PAY),
    ):
        portal.should_not_scroll_sideways()
        tap()
        taps += 1
    assert taps <= 3
    portal.should_come_to("you get £21.00 back for it")
    portal.should_not_scroll_sideways()
    life = portal.page.get_by_role("list", name="How far it is")
    expect(life).to_contain_text("5 GB extra data: ready")
    expect(life).to_contain_text("World Roaming, 7 days: could not be done, £17.00")
    portal.open("/orders")
    portal.page.get_by_role("listitem").filter(has_text="Refunded").last.get_by_role("link").click()
    taps = 0
    for tap in (lambda: portal.follow("Try again"), lambda: portal.press(PAY)):
        portal.should_not_scroll_sideways()
        tap()
        taps += 1
    assert taps <= 3
    portal.should_come_to("Your money has been given back.")
    expect(life).to_contain_text("Could not be done")
    portal.should_not_scroll_sideways()
    the_network(portal, "works")
