"""A customer who opens an account by themselves."""

from __future__ import annotations

from uuid import UUID

from selfcare.identity.tables import Customer
from selfcare.kernel import clock, ids
from selfcare.portal.account.tables import Contact
from selfcare.settings import Settings


async def open_customer(name: str, email: str, user_id: UUID, settings: Settings) -> UUID:
    """A person who pays in advance and is their own first contact. Inside a transaction."""
    customer_id, contact_id, now = ids.new_id(), ids.new_id(), clock.now()
    await Customer.insert(
        Customer(
            id=customer_id,
            number=ids.reference("C"),
            name=name,
            type="individual",
            status="open",
            pays="prepaid",
            enabled=True,
            currency=settings.currency,
            zone=settings.zone,
            language="en",
            billing_address="",
            primary_contact_id=contact_id,
            created_at=now,
        )
    )
    await Contact.insert(
        Contact(
            id=contact_id,
            customer_id=customer_id,
            name=name,
            types=["billing", "general"],
            email=email,
            user_id=user_id,
            is_primary=True,
            created_at=now,
        )
    )
    return customer_id
