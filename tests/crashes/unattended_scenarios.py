"""What goes on without a click on a bill: automatic payment, guests, credit that pays first, cards that come and go."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from lxml import html as lxml_html

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch, insert_many
from selfcare.kernel import clock, ids
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Journal
from selfcare.portal.billing.ledger import Kind as Books
from selfcare.portal.pay.tables import AutopayCharge, AutopayConsent, GuestLink
from tests.crashes.scenarios import SCENARIOS, Case, at_once, scenario
from tests.crashes.world import Server
from tests.support.browser import form_values

__all__ = ["SCENARIOS", "wrong_with_cards"]


async def _agree(case: Case, *last4: str) -> None:
    """She agreed to automatic payment, was told of the bill, and its day has come."""
    for each in last4:
        await case.world.card(case.customer, each)
    now, consent = clock.now() + timedelta(seconds=case.world.ahead), new_id()
    whose = {"customer_id": case.customer.purse.customer_id}
    agreed = {"id": consent, "words": "I agree", "given_by": case.customer.user_id, "given_at": now}
    charge = {"id": new_id(), "consent_id": consent, "invoice_id": case.customer.bills[0], "charge_on": now.date()}
    charge |= {"next_at": now, "round": 0, "tries": 0, "state": "waiting", "created_at": now}
    async with transaction():
        await insert_many(AutopayConsent, [whose | agreed | {"address": "127.0.0.1", "device": "crash"}])
        await insert_many(AutopayCharge, [whose | charge])


async def _guest(case: Case, server: Server, key: str = "") -> Any:
    """Somebody else presses the button behind a link to the bill."""
    link, now = new_id(), clock.now() + timedelta(seconds=case.world.ahead)
    whose = {"customer_id": case.customer.purse.customer_id, "invoice_id": case.customer.bills[0]}
    row = {"id": link, "token_hash": ids.token_hash(ids.token()), "request_key": ids.token(), "created_at": now}
    row |= {"made_by": case.customer.user_id, "expires_at": now + timedelta(days=30)}
    async with transaction():
        await insert_many(GuestLink, [whose | row])
    asked = {"press": "guest_pays", "customer": case.customer.id, "bill": str(case.customer.bills[0])}
    asked |= {"link": str(link), "key": key or ids.token()}
    case.clicks.append(asked)
    return await case.press_again(server, asked)


async def _give_credit(case: Case, minor: int) -> None:
    """From outside: nothing was charged for it."""
    customer_id, amount = case.customer.purse.customer_id, Money(minor, "GBP")
    async with transaction():
        await bookkeeping.add_line("credit", -amount, "Voucher", customer_id=customer_id)
        own = Account(Books.CREDIT, "GBP", customer_id)
        entries = ledger.move(amount, to=Account(Books.ELSEWHERE, "GBP"), out_of=own)
        await ledger.post(Journal(f"crash:{customer_id}", "voucher", entries, customer_id))
    case.credit += minor


async def _form(case: Case, server: Server, path: str, form: str) -> str:
    """Opens a page of the portal and presses its button; where that leads."""
    session = await case.world.sign_in(case.customer)
    shown = await server.page(path, session)
    forms = lxml_html.fromstring(shown.text).xpath(f"//form[@id='{form}']")
    assert len(forms) == 1, f"{shown.status_code} {shown.headers.get('location')} {shown.text[-1500:]}"
    answer = await server.submit(forms[0].get("action"), session, form_values(forms[0]))
    assert answer.status_code == 303, f"{answer.status_code} {answer.text[-1500:]}"
    return answer.headers["location"]


async def _add(case: Case, server: Server, last4: str) -> None:
    """Through the portal's page, the provider's, and back."""
    back = await _form(case, server, "/cards/new", "add-form")
    await case.on_the_page(last4)
    await server.page(f"{back}?back=1", await case.world.sign_in(case.customer))


@scenario
async def automatic_payment(case: Case, server: Server) -> None:
    await _agree(case, "4242")
    await server.press("autopay")


@scenario
async def automatic_payment_by_the_next_card(case: Case, server: Server) -> None:
    await _agree(case, "0002", "4242")
    await server.press("autopay")


@scenario
async def automatic_payment_whose_answer_is_lost(case: Case, server: Server) -> None:
    await _agree(case, "4242")
    await case.world.people("cut/1")
    await server.press("autopay")
    await server.press("autopay")


@scenario
async def automatic_payment_that_the_bank_decides_later(case: Case, server: Server) -> None:
    await _agree(case, "8210", "4242")
    await server.press("autopay")
    await server.press("autopay")
    await case.the_bank_decides()


@scenario
async def automatic_payment_while_she_pays_herself(case: Case, server: Server) -> None:
    await _agree(case, "4242")
    await at_once(server.press("autopay"), case.click(server, last4="4242"))


@scenario
async def automatic_payment_run_twice_at_once(case: Case, server: Server) -> None:
    await _agree(case, "4242")
    await at_once(server.press("autopay"), server.press("autopay"))


@scenario
async def a_guest_pays(case: Case, server: Server) -> None:
    await _guest(case, server)
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def a_guest_whose_first_card_is_refused(case: Case, server: Server) -> None:
    await _guest(case, server)
    await case.on_the_page("9995")
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def a_guest_and_the_owner_at_once(case: Case, server: Server) -> None:
    await case.world.card(case.customer, "4242")
    await at_once(_guest(case, server), case.click(server, last4="4242"))
    await case.on_the_page("4242")
    await case.look(server)


@scenario
async def a_guest_gives_up_and_the_owner_pays(case: Case, server: Server) -> None:
    answer = await _guest(case, server)
    if "payment" in answer:
        await server.press("give_up", payment=answer["payment"])
    await case.click(server, last4="4242")


@scenario
async def credit_first_and_a_card_for_the_rest(case: Case, server: Server) -> None:
    await _give_credit(case, 900)
    await case.click(server, last4="4242")


@scenario
async def credit_and_a_refused_card_then_another(case: Case, server: Server) -> None:
    await _give_credit(case, 900)
    await case.click(server, last4="0002")
    await case.click(server, last4="4242")


@scenario
async def credit_and_a_card_whose_answer_is_lost(case: Case, server: Server) -> None:
    await _give_credit(case, 900)
    await case.world.people("cut/1")
    await case.click(server, last4="4242")
    await case.look(server)


@scenario
async def credit_and_a_card_in_two_tabs(case: Case, server: Server) -> None:
    await _give_credit(case, 900)
    await case.world.card(case.customer, "4242")
    await at_once(case.click(server, last4="4242"), case.click(server, last4="4242"), case.click(server))


@scenario
async def credit_and_a_page_that_is_given_up(case: Case, server: Server) -> None:
    await _give_credit(case, 900)
    answer = await case.click(server)
    if "payment" in answer:
        await server.press("give_up", payment=answer["payment"])
    await case.click(server, last4="4242")


@scenario
async def a_card_is_added(case: Case, server: Server) -> None:
    await _add(case, server, "4242")


@scenario
async def the_same_card_is_added_again(case: Case, server: Server) -> None:
    await _add(case, server, "4242")
    await _add(case, server, "4242")
    await server.press("work")


@scenario
async def a_card_is_added_and_removed(case: Case, server: Server) -> None:
    await _add(case, server, "4242")
    for row in await fetch(CARDS.bind(customer_id=case.customer.purse.customer_id)):
        await _form(case, server, f"/cards/{row['id']}/remove", "remove-form")
    await server.press("work")


@scenario
async def a_card_is_removed_while_it_pays(case: Case, server: Server) -> None:
    card = await case.world.card(case.customer, "4242")

    async def remove() -> None:
        # Not while a payment by it is on its way: then there is no button.
        with suppress(AssertionError):
            await _form(case, server, f"/cards/{card}/remove", "remove-form")

    await at_once(case.click(server, last4="4242"), remove())


async def wrong_with_cards(case: Case) -> list[str]:
    """A card that we show is kept at the gateway, and a card that was removed is not."""
    methods = await case.world.things("payment_method", case.customer)
    kept = {each["id"] for each in methods if each["customer"] is not None}
    rows = await fetch(CARDS.bind(customer_id=case.customer.purse.customer_id))
    shown = {row["token_ref"] for row in rows if row["removed_at"] is None}
    removed = {row["token_ref"] for row in rows if row["removed_at"] is not None}
    prints = [row["fingerprint"] for row in rows if row["removed_at"] is None]
    facts = {
        "a card is shown that the gateway does not keep": shown <= kept,
        "a removed card is still kept at the gateway": not removed & kept,
        "a card is shown twice": len(prints) == len(set(prints)),
        "not one default card": sum(row["is_default"] for row in rows) == bool(shown),
        "a visit is not over": not await fetch(VISITS.bind(customer_id=case.customer.purse.customer_id)),
    }
    return [what for what, holds in facts.items() if not holds]


CARDS = Prepared.sql(
    """
    SELECT id, token_ref, fingerprint, is_default, removed_at FROM payment_method WHERE customer_id = :customer_id
    """
)
# Of those whose card was entered; who never came to the page may still do it.
VISITS = Prepared.sql(
    "SELECT id FROM card_visit WHERE customer_id = :customer_id AND state = 'open' AND gateway_ref IS NULL"
)
