"""Buttons for what goes on with nobody at the counter: automatic payment, guests, cards that come and go."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.kernel.origin import Origin
from selfcare.portal.cards import adding
from selfcare.portal.pay import payments
from selfcare.portal.pay.autopay import collecting
from selfcare.portal.pay.guests import links
from selfcare.portal.pay.payments import BillPart, How
from selfcare.portal.pay.till import Till


async def autopay(till: Till, _asked: dict[str, Any]) -> Any:
    """The hourly run."""
    return {"looked_at": await collecting.run(till, "Europe/London")}


async def guest_pays(till: Till, asked: dict[str, Any]) -> Any:
    """The button of a guest's page, with an address for the receipt."""
    who = audit.visitor(Origin("127.0.0.1", "crash", "R-CRASH"), customer_id=UUID(asked["customer"]))
    how = How(request_key=asked["key"], use_credit=False, guest_link_id=UUID(asked["link"]))
    payment = await payments.start_bills(till, who, [BillPart(UUID(asked["bill"]))], how)
    await links.send_receipt_to(payment.id, "guest@example.test")
    payment = await payments.submit(till, payment.id)
    return {"payment": str(payment.id), "state": payment.state, "url": payment.action_url}


async def look_after_cards(till: Till, _asked: dict[str, Any]) -> Any:
    """For who entered a card and never came back."""
    return {"looked_at": await adding.look_after(till)}


ACTIONS = {"autopay": autopay, "guest_pays": guest_pays, "look_after_cards": look_after_cards}
