"""The part of Stripe that localstripe speaks, asked of a running one: a second opinion beside our own server.

uv run --no-project --with localstripe python -m localstripe --port 8420 --from-scratch
LOCALSTRIPE_URL=http://127.0.0.1:8420 uv run pytest tests/adapters/test_payments_localstripe.py
"""

from __future__ import annotations

import os

import pytest

from selfcare.adapters.payments_stripe import StripeGateway
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.ports.payments import Payer, RefundState

URL = os.environ.get("LOCALSTRIPE_URL", "")


@pytest.mark.skipif(not URL, reason="LOCALSTRIPE_URL is not set: localstripe is no dependency of ours")
async def test_customers_cards_and_refunds_are_understood_by_localstripe() -> None:
    gateway = StripeGateway("sk_test_12345", api=URL)
    payment_id = new_id()
    customer = await gateway.ensure_customer(Payer(new_id(), "100200", "Asha Patel"))
    kept = await gateway.client.v1.payment_methods.attach_async("pm_card_visa", {"customer": customer})
    await gateway.set_default(customer, kept.id)
    # It refuses what we send with a charge (return_url, description, allowed_payment_method_types).
    paid = await gateway.client.v1.payment_intents.create_async(
        {"amount": 2400, "currency": "gbp", "customer": customer, "payment_method": kept.id, "confirm": True}
    )
    given = await gateway.refund(paid.id, Money(400, "GBP"), payment_id=payment_id, key="refund:1")
    assert (given.state, given.amount) == (RefundState.DONE, Money(400, "GBP"))
    assert await gateway.get_refund(given.ref) == given
    assert await gateway.find_refund(paid.id, "refund:1") == given
    await gateway.detach_card(kept.id)
    assert await gateway.refusal() is None
