"""The statement of account in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

from e2e.people import Portal


def test_a_statement_is_read(portal: Portal) -> None:
    portal.enter("bloom")
    portal.go_to_section("Billing")
    portal.follow("Statement")
    portal.should_be_at("Statement of account")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("From").fill("2026-01-01")
    portal.press("Show")
    portal.should_see("Credit note for the outage")
    portal.should_not_scroll_sideways()
