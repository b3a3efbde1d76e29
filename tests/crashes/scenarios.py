"""What people do between the click and the receipt. To add one, write a function and put `@scenario` above it.

A scenario presses buttons of a server that may die at any step; what then happens is the schedule's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import html as lxml_html

from selfcare.kernel import ids
from tests.crashes.shopping import ADDS, ANSWER_LOST, AWAY, BREAKS, QUESTION_LOST, REFUSES, SILENT
from tests.crashes.world import Customer, Server, World
from tests.support import lines
from tests.support.browser import form_values

REFUND_MINOR = 500


@dataclass
class Case:
    """One run of a scenario: who, and what she has pressed so far, so that she can press it again.

    `credit` is what she was given before, in pence; `has_plans` with a line that may move to other plans.
    """

    world: World
    customer: Customer
    clicks: list[dict[str, Any]] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    credit: int = 0
    has_plans: bool = False

    async def click(self, server: Server, *, last4: str | None = None, key: str | None = None, **how: Any) -> Any:
        """By the kept card with this ending, else by a new one."""
        card = await self.world.card(self.customer, last4) if last4 else None
        asked = {"customer": self.customer.id, "user": str(self.customer.user_id), "card": card}
        asked |= {"bills": [str(bill) for bill in self.customer.bills], "key": key or ids.token()} | how
        if asked not in self.clicks:
            self.clicks.append(asked)
        return await self.press_again(server, asked)

    async def buy(
        self, server: Server, meter: str = ADDS, *, last4: str | None = "4242", key: str = "", **more: Any
    ) -> Any:
        """A top-up whose meter behaves like this, by the kept card with this ending, else by a new one."""
        card = await self.world.card(self.customer, last4) if last4 else None
        asked = {"customer": self.customer.id, "user": str(self.customer.user_id), "card": card, "meter": meter}
        asked |= {"service": str(await self.world.line(self.customer)), "key": key or ids.token()} | more
        if asked not in self.clicks:
            self.clicks.append(asked)
        return await self.press_again(server, asked)

    async def add(self, server: Server, network: str = ADDS, **how: Any) -> Any:
        """An add-on with which the network does this."""
        return await self.buy(server, network=network, **how)

    async def change_plan(self, server: Server, network: str = ADDS, **how: Any) -> Any:
        """To a plan of its own, with which the network does this."""
        return await self.buy(server, network=network, plan=str(await lines.a_plan()), **how)

    async def set(self, server: Server, network: str = ADDS, **how: Any) -> Any:
        """A setting of its own, with which the network does this."""
        return await self.buy(server, network=network, setting=f"Number {len(self.clicks)}", **how)

    async def press_again(self, server: Server, asked: dict[str, Any]) -> Any:
        answer = await server.press(asked.get("press") or ("buy" if "meter" in asked else "click"), **asked)
        for name, known in (("payment", self.payments), ("order", self.orders)):
            if name in answer and answer[name] not in known:
                known.append(answer[name])
        return answer

    async def look(self, server: Server) -> None:
        for payment in self.payments:
            await server.press("look", payment=payment)
        for order in self.orders:
            await server.press("follow", order=order)

    async def at_the_bank(self, *, approve: bool = True) -> None:
        """She answers every question her bank has."""
        for intent in await self.world.things("payment_intent", self.customer):
            if intent["status"] == "requires_action":
                await self.world.people(f"bank/{intent['id']}", answer="approve" if approve else "refuse")

    async def on_the_page(self, last4: str) -> None:
        """She enters a card on every page that is open."""
        for session in await self.world.things("checkout.session", self.customer):
            if session["status"] == "open":
                await self.world.people(f"checkout/{session['id']}", last4=last4)

    async def the_bank_decides(self) -> None:
        for intent in await self.world.things("payment_intent", self.customer):
            if intent["status"] == "processing":
                await self.world.people(f"decide/{intent['id']}")


Act = Callable[[Case, Server], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    name: str
    act: Act
    bills: int = 1

    @property
    def buys(self) -> bool:
        """Orders, not bills: more than one charge may be right."""
        return not self.bills


SCENARIOS: dict[str, Scenario] = {}


def scenario(act: Act) -> Act:
    SCENARIOS[act.__name__] = Scenario(act.__name__, act)
    return act


def scenario_with_bills(bills: int) -> Callable[[Act], Act]:
    def register(act: Act) -> Act:
        SCENARIOS[act.__name__] = Scenario(act.__name__, act, bills)
        return act

    return register


@scenario
async def a_kept_card(case: Case, server: Server) -> None:
    await case.click(server, last4="4242")


@scenario
async def a_kept_card_with_nobody_there(case: Case, server: Server) -> None:
    await case.click(server, last4="4242", off_session=True)


@scenario
async def the_bank_asks_and_hears_yes(case: Case, server: Server) -> None:
    await case.click(server, last4="3184")
    await case.at_the_bank()
    await case.look(server)


@scenario
async def the_bank_asks_and_hears_no_then_another_card(case: Case, server: Server) -> None:
    await case.click(server, last4="3184")
    await case.at_the_bank(approve=False)
    await case.look(server)
    await case.click(server, last4="4242")


@scenario
async def a_new_card_that_is_kept(case: Case, server: Server) -> None:
    await case.click(server, save=True)
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def a_new_card_after_one_that_was_refused(case: Case, server: Server) -> None:
    await case.click(server)
    await case.on_the_page("9995")
    await case.look(server)
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def a_refused_card_then_another(case: Case, server: Server) -> None:
    await case.click(server, last4="0002")
    await case.click(server, last4="4242")


@scenario
async def the_answer_is_lost(case: Case, server: Server) -> None:
    await case.world.people("cut/1")
    await case.click(server, last4="4242")
    await case.look(server)


@scenario
async def the_answer_is_lost_on_the_way_to_the_page(case: Case, server: Server) -> None:
    await case.world.people("cut/1")
    await case.click(server)
    await case.look(server)
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def the_bank_decides_later(case: Case, server: Server) -> None:
    await case.click(server, last4="8210")
    await case.the_bank_decides()


@scenario
async def a_double_click(case: Case, server: Server) -> None:
    key = ids.token()
    await case.world.card(case.customer, "4242")
    await at_once(case.click(server, last4="4242", key=key), case.click(server, last4="4242", key=key))


@scenario
async def two_tabs(case: Case, server: Server) -> None:
    await case.world.card(case.customer, "4242")
    await at_once(case.click(server, last4="4242"), case.click(server, last4="4242"), case.click(server))


@scenario
async def given_up_while_the_bank_is_told_yes(case: Case, server: Server) -> None:
    answer = await case.click(server, last4="3184")
    if "payment" in answer:
        await at_once(server.press("give_up", payment=answer["payment"]), case.at_the_bank())
    await case.look(server)


@scenario
async def given_up_on_the_page_then_another_card(case: Case, server: Server) -> None:
    answer = await case.click(server)
    if "payment" in answer:
        await server.press("give_up", payment=answer["payment"])
    await case.click(server, last4="4242")


@scenario
async def a_part_is_given_back(case: Case, server: Server) -> None:
    answer = await case.click(server, last4="4242")
    if "payment" in answer:
        await server.press("refund", payment=answer["payment"], minor=REFUND_MINOR)
        await server.press("work")


@scenario
async def a_part_is_given_back_and_the_answer_is_lost(case: Case, server: Server) -> None:
    answer = await case.click(server, last4="4242")
    if "payment" in answer:
        await case.world.people("cut/1")
        await server.press("refund", payment=answer["payment"], minor=REFUND_MINOR)
        await server.press("work")


@scenario_with_bills(2)
async def two_bills_at_once(case: Case, server: Server) -> None:
    await case.click(server, last4="4242")


@scenario
async def the_real_page_pressed_twice(case: Case, server: Server) -> None:
    """The portal's own page and its form, as a browser sends it: with a session, a token and a request key."""
    card = await case.world.card(case.customer, "4242")
    session = await case.world.sign_in(case.customer)
    shown = await server.page(f"/pay?bill={case.customer.bills[0]}&card={card}", session)
    forms = lxml_html.fromstring(shown.text).xpath("//form[@id='pay']")
    assert len(forms) == 1, f"{shown.status_code} {shown.headers.get('location')} {shown.text[-1500:]}"
    fields = form_values(forms[0])
    assert ("card", card) in fields, shown.text
    answers = [await server.submit("/pay", session, fields) for _ in range(2)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    await server.page(answers[0].headers["location"], session)


@scenario_with_bills(0)
async def a_top_up(case: Case, server: Server) -> None:
    await case.buy(server)


@scenario_with_bills(0)
async def a_top_up_that_cannot_be_added(case: Case, server: Server) -> None:
    await case.buy(server, REFUSES)


@scenario_with_bills(0)
async def a_top_up_whose_answer_is_lost(case: Case, server: Server) -> None:
    await case.buy(server, ANSWER_LOST)


@scenario_with_bills(0)
async def a_top_up_whose_question_is_lost(case: Case, server: Server) -> None:
    await case.buy(server, QUESTION_LOST)


@scenario_with_bills(0)
async def a_top_up_while_the_meter_is_away(case: Case, server: Server) -> None:
    await case.buy(server, AWAY)


@scenario_with_bills(0)
async def a_top_up_of_which_nobody_knows(case: Case, server: Server) -> None:
    await case.buy(server, SILENT)


@scenario_with_bills(0)
async def a_top_up_that_cannot_be_added_while_an_answer_is_lost(case: Case, server: Server) -> None:
    await case.world.people("cut/1")
    await case.buy(server, REFUSES)
    await case.look(server)


@scenario_with_bills(0)
async def a_top_up_that_the_bank_asks_about(case: Case, server: Server) -> None:
    await case.buy(server, last4="3184")
    await case.at_the_bank()
    await case.look(server)


@scenario_with_bills(0)
async def a_bundle_of_which_one_cannot_be_added(case: Case, server: Server) -> None:
    await case.buy(server, parts=[(ADDS, ADDS), (REFUSES, None), (ANSWER_LOST, None)])


@scenario_with_bills(0)
async def a_bundle_of_which_two_cannot_be_added_while_an_answer_is_lost(case: Case, server: Server) -> None:
    await case.world.people("cut/1")
    await case.buy(server, parts=[(REFUSES, None), (AWAY, ANSWER_LOST), (ADDS, REFUSES)])
    await case.look(server)


@scenario_with_bills(0)
async def a_bundle_of_which_nothing_can_be_added_and_of_one_nobody_knows(case: Case, server: Server) -> None:
    await case.buy(server, parts=[(ADDS, REFUSES), (SILENT, None)])


@scenario_with_bills(0)
async def a_bundle_that_is_all_or_nothing_and_all_of_it_is_added(case: Case, server: Server) -> None:
    await case.buy(server, parts=[(ADDS, ADDS), (ANSWER_LOST, None)], all=True)
    await case.look(server)


@scenario_with_bills(0)
async def a_bundle_that_is_all_or_nothing_and_the_last_cannot_be_added(case: Case, server: Server) -> None:
    await case.buy(server, parts=[(ADDS, None), (ADDS, ADDS), (ADDS, BREAKS)], all=True)
    await case.look(server)


@scenario_with_bills(0)
async def a_bundle_that_is_all_or_nothing_and_answers_are_lost_while_it_is_taken_back(
    case: Case, server: Server
) -> None:
    await case.world.people("cut/1")
    await case.buy(
        server, parts=[(ANSWER_LOST, ANSWER_LOST), (AWAY, None), (ANSWER_LOST, None), (REFUSES, None)], all=True
    )
    await case.look(server)


@scenario_with_bills(0)
async def a_bundle_that_is_all_or_nothing_and_of_one_nobody_knows(case: Case, server: Server) -> None:
    await case.buy(server, parts=[(ADDS, None), (SILENT, None), (ADDS, REFUSES), (ADDS, None)], all=True)


@scenario_with_bills(0)
async def a_top_up_by_a_new_card_that_cannot_be_added(case: Case, server: Server) -> None:
    await case.buy(server, REFUSES, last4=None)
    await case.on_the_page("4242")
    await case.look(server)


@scenario_with_bills(0)
async def a_top_up_by_a_refused_card_then_another(case: Case, server: Server) -> None:
    await case.buy(server, last4="0002")
    await case.buy(server)


@scenario_with_bills(0)
async def a_top_up_pressed_twice(case: Case, server: Server) -> None:
    key = ids.token()
    await case.world.card(case.customer, "4242")
    await case.world.line(case.customer)
    await at_once(case.buy(server, key=key), case.buy(server, key=key))


@scenario_with_bills(0)
async def two_top_ups_of_which_one_cannot_be_added(case: Case, server: Server) -> None:
    await case.buy(server)
    await case.buy(server, REFUSES)


@scenario_with_bills(0)
async def a_top_up_given_up_while_the_bank_is_told_yes(case: Case, server: Server) -> None:
    answer = await case.buy(server, last4="3184")
    if "payment" in answer:
        await at_once(server.press("give_up", payment=answer["payment"]), case.at_the_bank())
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on(case: Case, server: Server) -> None:
    await case.add(server)
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on_that_the_network_refuses(case: Case, server: Server) -> None:
    await case.add(server, REFUSES)


@scenario_with_bills(0)
async def an_add_on_that_the_network_begins_and_cannot_do(case: Case, server: Server) -> None:
    await case.add(server, BREAKS)
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on_whose_answer_is_lost(case: Case, server: Server) -> None:
    await case.add(server, ANSWER_LOST)
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on_whose_question_is_lost(case: Case, server: Server) -> None:
    await case.add(server, QUESTION_LOST)


@scenario_with_bills(0)
async def an_add_on_while_the_network_is_away(case: Case, server: Server) -> None:
    await case.add(server, AWAY)


@scenario_with_bills(0)
async def an_add_on_of_which_nobody_knows(case: Case, server: Server) -> None:
    await case.add(server, SILENT)


@scenario_with_bills(0)
async def an_add_on_whose_allowance_is_lost_on_the_way(case: Case, server: Server) -> None:
    await case.add(server, meter=ANSWER_LOST)
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on_that_the_bank_asks_about(case: Case, server: Server) -> None:
    await case.add(server, last4="3184")
    await case.at_the_bank()
    await case.look(server)


@scenario_with_bills(0)
async def an_add_on_pressed_twice(case: Case, server: Server) -> None:
    key = ids.token()
    await case.world.card(case.customer, "4242")
    await case.world.line(case.customer)
    await at_once(case.add(server, key=key), case.add(server, key=key))


@scenario_with_bills(0)
async def two_add_ons_of_which_one_cannot_be_done(case: Case, server: Server) -> None:
    await case.add(server)
    await case.add(server, BREAKS)


@scenario_with_bills(0)
async def a_change_of_plan(case: Case, server: Server) -> None:
    await case.change_plan(server)
    await case.look(server)


@scenario_with_bills(0)
async def a_change_of_plan_that_the_network_refuses(case: Case, server: Server) -> None:
    await case.change_plan(server, REFUSES)


@scenario_with_bills(0)
async def a_change_of_plan_that_the_network_begins_and_cannot_do(case: Case, server: Server) -> None:
    await case.change_plan(server, BREAKS)
    await case.look(server)


@scenario_with_bills(0)
async def a_change_of_plan_whose_answer_is_lost(case: Case, server: Server) -> None:
    await case.change_plan(server, ANSWER_LOST)
    await case.look(server)


@scenario_with_bills(0)
async def a_change_of_plan_while_the_network_is_away(case: Case, server: Server) -> None:
    await case.change_plan(server, AWAY)


@scenario_with_bills(0)
async def a_change_of_plan_of_which_nobody_knows(case: Case, server: Server) -> None:
    await case.change_plan(server, SILENT)


@scenario_with_bills(0)
async def a_change_of_plan_that_the_bank_asks_about(case: Case, server: Server) -> None:
    await case.change_plan(server, last4="3184")
    await case.at_the_bank()
    await case.look(server)


@scenario_with_bills(0)
async def a_change_of_plan_whose_allowance_is_lost_on_the_way(case: Case, server: Server) -> None:
    await case.change_plan(server, meter=ANSWER_LOST)
    await case.look(server)


@scenario_with_bills(0)
async def a_change_of_plan_pressed_twice(case: Case, server: Server) -> None:
    key, to = ids.token(), str(await lines.a_plan())
    await case.world.card(case.customer, "4242")
    await case.world.line(case.customer)
    await at_once(*(case.buy(server, network=ADDS, plan=to, key=key) for _ in range(2)))


@scenario_with_bills(0)
async def a_change_of_plan_and_an_add_on(case: Case, server: Server) -> None:
    await case.change_plan(server)
    await case.add(server, BREAKS)


@scenario_with_bills(0)
async def a_setting(case: Case, server: Server) -> None:
    await case.set(server)
    await case.look(server)


@scenario_with_bills(0)
async def a_setting_that_the_network_refuses(case: Case, server: Server) -> None:
    await case.set(server, REFUSES)


@scenario_with_bills(0)
async def a_setting_that_the_network_begins_and_cannot_do(case: Case, server: Server) -> None:
    await case.set(server, BREAKS)
    await case.look(server)


@scenario_with_bills(0)
async def a_setting_whose_answer_is_lost(case: Case, server: Server) -> None:
    await case.set(server, ANSWER_LOST)
    await case.look(server)


@scenario_with_bills(0)
async def a_setting_while_the_network_is_away(case: Case, server: Server) -> None:
    await case.set(server, AWAY)


@scenario_with_bills(0)
async def a_setting_of_which_nobody_knows(case: Case, server: Server) -> None:
    await case.set(server, SILENT)


@scenario_with_bills(0)
async def a_setting_that_the_bank_asks_about(case: Case, server: Server) -> None:
    await case.set(server, last4="3184")
    await case.at_the_bank()
    await case.look(server)


@scenario_with_bills(0)
async def two_settings_of_which_one_cannot_be_changed(case: Case, server: Server) -> None:
    await case.set(server, BREAKS)
    await case.set(server)


async def at_once(*doing: Awaitable[Any]) -> None:
    """At the same moment; the first that finds the server dead is told of, when all are back."""
    answers = await asyncio.gather(*doing, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
