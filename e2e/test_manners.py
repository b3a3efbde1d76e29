"""What our own script adds to pages that work without it, and what only a real browser can say about the look."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from e2e.people import Portal

WITH_JS = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)
WITHOUT_JS = pytest.mark.parametrize("javascript", [False], ids=["no-js"], indirect=True)
NARROW_AND_WIDE = pytest.mark.parametrize("width", [320, 1280], indirect=True)
SMALL = """[...document.querySelectorAll('a, button, select, summary, input:not([type=hidden])')]
    .filter(one => !one.closest('p, li:not(.nav li), dd, td, th') || one.matches('.btn, button'))
    .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect()])
    .filter(([html, box]) => box.height > 0 && (box.height < 24 || box.width < 24)).map(([html]) => html)"""
LOW_BUTTONS = """[...document.querySelectorAll('.btn, .nav a')]
    .map(one => [one.outerHTML.slice(0, 90), one.getBoundingClientRect().height])
    .filter(([html, height]) => height > 0 && height < 44).map(([html]) => html)"""


@WITH_JS
def test_the_password_can_be_shown_and_hidden(portal: Portal, page: Page) -> None:
    portal.open("/sign-in")
    field = page.get_by_label("Password", exact=True)
    portal.press("Show")
    expect(field).to_have_attribute("type", "text")
    portal.press("Hide")
    expect(field).to_have_attribute("type", "password")


@WITHOUT_JS
def test_buttons_that_need_the_script_are_absent_without_it(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    expect(page.locator("[data-show]:visible, [data-copy]:visible, [data-print]:visible")).to_have_count(0)


@WITH_JS
def test_a_refused_form_says_so_in_the_title_and_takes_the_focus_to_the_field(portal: Portal, page: Page) -> None:
    portal.open("/sign-in")
    portal.press("Sign in")
    expect(page).to_have_title(re.compile("^Error: "))
    expect(page.locator(":focus")).to_have_attribute("aria-invalid", "true")


@WITH_JS
def test_a_form_sent_offline_says_that_nothing_was_sent_and_keeps_its_text(portal: Portal, page: Page) -> None:
    portal.open("/sign-in")
    page.get_by_label("E-mail").fill("asha@example.test")
    page.context.set_offline(True)
    portal.press("Sign in")
    expect(page.locator("#notice")).to_contain_text("Nothing was sent")
    expect(page.get_by_label("E-mail")).to_have_value("asha@example.test")
    page.context.set_offline(False)
    portal.complaints.clear()  # the browser's own remark on the lost connection


@WITH_JS
def test_our_failure_is_named_with_its_reference_and_can_be_tried_again(portal: Portal, page: Page) -> None:
    portal.open("/sign-in")
    answers = iter([500])

    def fail_once(route: Route) -> None:
        if next(answers, None):
            route.fulfill(status=500, headers={"x-request-id": "R-7K3M9Q2X"}, body="no")
        else:
            route.continue_()

    page.route("**/sign-in", fail_once)
    page.get_by_label("E-mail").fill("asha@example.test")
    portal.press("Sign in")
    expect(page.locator("#notice")).to_contain_text("R-7K3M9Q2X")
    portal.press("Try again")
    expect(page.locator(".summary")).to_be_visible()
    expect(page.locator("#notice")).to_be_empty()
    portal.complaints.clear()  # the browser's own remark on the 500


@WITH_JS
def test_two_minutes_before_the_sign_in_ends_one_button_keeps_it(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    page.clock.install()
    portal.open("/account")
    dialog = page.locator("#session-end")
    # The clock of the page goes on meanwhile: a busy machine may need some of the minutes that are left here.
    page.clock.fast_forward("25:00")
    expect(dialog).not_to_be_visible()
    page.clock.fast_forward("03:01")
    expect(dialog).to_be_visible()
    portal.press("Stay signed in")
    expect(dialog).not_to_be_visible()
    page.clock.fast_forward("28:00")
    expect(dialog).to_be_visible()


@WITH_JS
def test_a_dialog_opens_over_its_page_and_closes(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    portal.follow("Open a dialog")
    expect(page.locator("#guide-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#guide-dialog")).not_to_be_visible()


@WITH_JS
@NARROW_AND_WIDE
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_component_is_accessible_in_both_themes(portal: Portal, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    portal.open("/styleguide")
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in violations] == []
    portal.should_not_scroll_sideways()


@WITH_JS
@NARROW_AND_WIDE
def test_every_control_is_large_enough_for_a_thumb(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    assert page.evaluate(SMALL) == []
    assert page.evaluate(LOW_BUTTONS) == []


@WITH_JS
def test_text_spacing_of_the_reader_breaks_nothing(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    page.evaluate("""() => { const all = new CSSStyleSheet();
        all.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important }'
            + '* { word-spacing: .16em !important } p { margin-bottom: 2em !important }');
        document.adoptedStyleSheets = [all]; }""")
    portal.should_not_scroll_sideways()


@WITH_JS
def test_the_six_sections_stand_in_one_row_on_the_narrowest_phone(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    links = page.get_by_role("navigation", name="Sections").get_by_role("link")
    expect(links).to_have_count(6)
    assert len({round(box["y"]) for one in links.all() if (box := one.bounding_box())}) == 1


@WITH_JS
def test_at_twice_the_text_size_the_sections_leave_the_screen_to_the_page(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 32}})
    expect(page.get_by_role("navigation", name="Sections")).not_to_be_in_viewport()
    portal.should_not_scroll_sideways()


@WITH_JS
def test_nothing_that_is_hidden_takes_up_room(portal: Portal, page: Page) -> None:
    portal.open("/styleguide")
    assert page.locator(".sprite").bounding_box() in (None, {"x": 0, "y": 0, "width": 0, "height": 0})
    assert page.evaluate("document.querySelector('header').getBoundingClientRect().top") == 0
