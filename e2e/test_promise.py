"""Credit in advance for somebody new, and a promise to pay what is overdue, with and without JavaScript."""

from __future__ import annotations

import re

from e2e.people import Phone, Portal

MINE = "Fresh-Start-9!"


def test_credit_in_advance_and_back_out_of_the_next_top_up(portal: Portal) -> None:
    name, number = ("Otto Frey", "+447700900350") if portal.javascript else ("Gia Novak", "+447700900351")
    address = f"{name.split()[0].lower()}@example.test"
    sign_up(portal, number, address, name)
    open_line(portal)
    portal.should_see("Get £2.00 now and pay back £2.20 out of your next credit.")
    portal.should_not_scroll_sideways()
    portal.follow("Get credit in advance")
    portal.should_be_at("Credit in advance")
    portal.should_not_scroll_sideways()
    portal.press("Get £2.00 now")
    portal.should_come_to("Ready to use")
    portal.should_see("You now have £2.00.")
    portal.should_not_scroll_sideways()
    open_line(portal)
    portal.should_see("You owe £2.20 for credit you had in advance.")
    portal.follow("Buy £10 credit for £10.00")
    portal.should_see("£2.20 of it pays back the credit you had in advance.")
    portal.press("Pay £10.00")
    portal.follow("Continue")
    portal.page.get_by_role("radio").first.check()
    portal.press(re.compile("^Pay £"))
    portal.should_come_to("You now have £9.80.")


def test_a_promise_to_pay_what_is_overdue(portal: Portal) -> None:
    portal.enter("asha" if portal.javascript else "chidi")
    portal.go_to_section("Billing")
    portal.follow("Promise to pay later")
    portal.should_be_at("Promise to pay")
    portal.should_not_scroll_sideways()
    portal.press("Promise to pay by 29 Nov 2026")
    portal.should_see("Until then nothing is switched off for it.")
    portal.should_not_scroll_sideways()
    portal.go_to_section("Billing")
    portal.should_see("You have promised to pay by 29 Nov 2026.")


def open_line(portal: Portal) -> None:
    portal.go_to_section("Top-Up")
    portal.should_be_at("Top-Up")
    portal.page.get_by_role("main").get_by_role("link", name=re.compile("Mobile")).first.click()


def sign_up(portal: Portal, number: str, address: str, name: str) -> None:
    phone = Phone(portal, number)
    portal.open("/sign-up/number")
    portal.page.get_by_label("Your number with us").fill(number)
    portal.page.get_by_label("E-mail").fill(address)
    portal.press("Send the code")
    portal.should_be_at("Enter the code")
    portal.page.get_by_label("Code").fill(phone.read_code())
    portal.press("Go on")
    portal.should_be_at("Look at your mail")
    portal.open_link_in_mail(address, "")
    portal.page.get_by_label("Your name").fill(name)
    portal.page.get_by_label("Password", exact=True).fill(MINE)
    portal.press("Sign up")
    portal.should_be_at("You are in")
    portal.follow("Sign in")
    portal.page.get_by_label("E-mail").fill(address)
    portal.page.get_by_label("Password", exact=True).fill(MINE)
    portal.press("Sign in")
    portal.is_signed_in()
