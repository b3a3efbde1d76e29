"""What staff see of a customer beyond the customer's own screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, as_json, fetch, fetch_many, fetch_one
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.staff.customers.tables import CustomerNote

PER_PAGE = 25
_ONE = Prepared.sql(
    """
    SELECT id, number, name, type, status, pays, currency, zone, billing_address, tax_id, enabled, created_at,
           contract_start, contract_end
      FROM customer WHERE id = :customer_id
    """
)
_CONTACTS = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS name, c.types AS types, c.email AS email, c.phone AS phone, c.is_primary AS is_primary,
           c.user_id AS user_id, u.email AS sign_in, u.disabled_at AS disabled_at,
           CASE WHEN u.staff_rights IS NULL THEN 0 ELSE 1 END AS is_staff,
           CASE WHEN u.totp_secret IS NULL THEN 0 ELSE 1 END AS has_app, m.role AS role
      FROM contact c
      LEFT JOIN app_user u ON u.id = c.user_id
      LEFT JOIN membership m ON m.user_id = c.user_id AND m.customer_id = c.customer_id AND m.removed_at IS NULL
                            AND m.accepted_at IS NOT NULL
     WHERE c.customer_id = :customer_id
     ORDER BY c.is_primary DESC, c.name, c.id LIMIT 100
    """,
    types={"types": as_json},
)
_PEOPLE = Prepared.sql(
    """
    SELECT u.id AS user_id, u.display_name AS name, u.email AS email, u.phone AS phone, u.disabled_at AS disabled_at,
           m.role AS role, CASE WHEN u.totp_secret IS NULL THEN 0 ELSE 1 END AS has_app,
           CASE WHEN u.staff_rights IS NULL THEN 0 ELSE 1 END AS is_staff
      FROM membership m JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.customer_id = m.customer_id AND c.user_id = m.user_id)
     ORDER BY u.display_name, u.id LIMIT 100
    """
)
_SITES = Prepared.sql(
    """
    SELECT label, address_line_1, address_line_2, city, zip_code, country FROM site
     WHERE customer_id = :customer_id ORDER BY label, id LIMIT 50
    """
)
_COUNTS = Prepared.sql(
    """
    SELECT (SELECT count(*) FROM service s WHERE s.customer_id = :customer_id AND s.state <> 'ended') AS services,
           (SELECT count(*) FROM customer_note n WHERE n.customer_id = :customer_id) AS notes
    """
)
_PAYMENTS = Prepared.sql(
    """
    SELECT id, reference, purpose, amount_minor, refunded_minor, currency, state, created_at, settled_at, review
      FROM payment WHERE customer_id = :customer_id ORDER BY created_at DESC, id DESC LIMIT 25
    """
)
_MESSAGES = Prepared.sql(
    """
    SELECT n.id AS id, n.event AS event, n.channel AS channel, n.state AS state, n.subject AS subject,
           n.created_at AS created_at, n.sent_at AS sent_at, n.last_error AS last_error, n.address AS address,
           u.email AS email
      FROM membership m
      JOIN notification n ON n.user_id = m.user_id
      JOIN app_user u ON u.id = m.user_id
     WHERE m.customer_id = :customer_id AND m.removed_at IS NULL
       AND (n.customer_id IS NULL OR n.customer_id = :customer_id)
     ORDER BY n.created_at DESC, n.id DESC LIMIT 25
    """
)
_NOTES = Prepared.sql(
    """
    SELECT n.id AS id, n.words AS words, n.created_at AS created_at, u.display_name AS author
      FROM customer_note n JOIN app_user u ON u.id = n.author_id
     WHERE n.customer_id = :customer_id ORDER BY n.created_at DESC, n.id DESC LIMIT 100
    """
)
_OWNERS = Prepared.sql(
    """
    SELECT m.user_id AS user_id FROM membership m JOIN app_user u ON u.id = m.user_id AND u.disabled_at IS NULL
     WHERE m.customer_id = :customer_id AND m.role = 'owner' AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
     ORDER BY m.user_id LIMIT 20
    """
)
_STAFF = Prepared.sql("SELECT id FROM app_user WHERE id = :user_id AND staff_rights IS NOT NULL")
_NAMES = Prepared.sql("SELECT id, display_name FROM app_user WHERE id IN :ids")


@dataclass(frozen=True, slots=True)
class Customer:
    """Who stands at the head of every tab."""

    id: UUID
    number: str
    name: str
    type: str
    status: str
    pays: str
    scope: CustomerScope
    row: Row


@dataclass(frozen=True, slots=True)
class Contact:
    """A person of the customer, and whether staff may look with their eyes. `id` None: a sign-in that is no contact."""

    id: UUID | None
    name: str
    types: list[str]
    email: str | None
    phone: str | None
    is_primary: bool
    user_id: UUID | None
    role: str | None
    has_app: bool
    is_disabled: bool
    is_staff: bool


@dataclass(frozen=True, slots=True)
class Payment:
    id: UUID
    reference: str
    purpose: str
    amount: Money
    refunded: Money
    state: str
    at: datetime
    review: str | None


async def get(identity: Identity, customer_id: UUID, page: str) -> Customer:
    """The customer, and a line in the log that staff looked at this page of it. Raises NotFound."""
    row = await fetch_one(_ONE.bind(customer_id=customer_id))
    if row is None:
        raise NotFound
    async with transaction():
        await audit.record(of_customer(identity, customer_id), Event.STAFF_CUSTOMER_VIEWED, page=page)
    return _customer(row)


async def find(customer_id: UUID) -> Customer:
    """The same without a line in the log: for an act that writes its own. Raises NotFound."""
    row = await fetch_one(_ONE.bind(customer_id=customer_id))
    if row is None:
        raise NotFound
    return _customer(row)


def of_customer(identity: Identity, customer_id: UUID, user_id: UUID | None = None) -> audit.Actor:
    """What staff do to a customer stands in the chain of the customer."""
    return audit.Actor(identity.actor_id, user_id, None, customer_id, identity.origin)


async def contacts(customer_id: UUID) -> list[Contact]:
    """Contacts, and after them whoever may sign in without being one."""
    listed, people = await fetch_many(
        _CONTACTS.bind(customer_id=customer_id), _PEOPLE.bind(customer_id=customer_id), short=True
    )
    return [_contact(row) for row in listed] + [_contact(row | _NO_CONTACT) for row in people]


_NO_CONTACT: dict[str, Any] = {"id": None, "types": [], "is_primary": False}


async def overview(customer_id: UUID) -> tuple[list[Row], Row]:
    sites, counts = await fetch_many(
        _SITES.bind(customer_id=customer_id), _COUNTS.bind(customer_id=customer_id), short=True
    )
    return sites, counts[0]


async def payments(customer_id: UUID) -> list[Payment]:
    rows = await fetch(_PAYMENTS.bind(customer_id=customer_id), short=True)
    return [
        Payment(
            row["id"],
            row["reference"],
            row["purpose"],
            Money(row["amount_minor"], row["currency"]),
            Money(row["refunded_minor"], row["currency"]),
            row["state"],
            row["created_at"],
            row["review"],
        )
        for row in rows
    ]


async def messages(customer_id: UUID) -> list[Row]:
    return await fetch(_MESSAGES.bind(customer_id=customer_id), short=True)


async def notes(customer_id: UUID) -> list[Row]:
    return await fetch(_NOTES.bind(customer_id=customer_id), short=True)


async def add_note(identity: Identity, customer_id: UUID, words: str) -> None:
    """Raises NotFound."""
    customer = await find(customer_id)
    async with transaction():
        await CustomerNote.insert(
            CustomerNote(
                id=ids.new_id(),
                customer_id=customer.id,
                author_id=identity.actor_id,
                words=words,
                created_at=clock.now(),
            )
        )
        await audit.record(of_customer(identity, customer_id), Event.STAFF_NOTE_ADDED)


async def owners(customer_id: UUID) -> list[UUID]:
    """Who is told: every owner who can sign in."""
    return [row["user_id"] for row in await fetch(_OWNERS.bind(customer_id=customer_id))]


async def names(ids_: set[UUID]) -> dict[UUID, str]:
    """Display names by user id."""
    if not ids_:
        return {}
    return {row["id"]: row["display_name"] for row in await fetch(_NAMES.bind(ids=sorted(ids_)), short=True)}


async def is_staff(user_id: UUID) -> bool:
    row = await fetch_one(_STAFF.bind(user_id=user_id))
    return row is not None


def _customer(row: Row) -> Customer:
    scope = CustomerScope(
        customer_id=row["id"],
        customer_number=row["number"],
        customer_name=row["name"],
        customer_type=row["type"],
        customer_status=row["status"],
        pays=row["pays"],
        currency=row["currency"],
        zone=row["zone"],
    )
    return Customer(row["id"], row["number"], row["name"], row["type"], row["status"], row["pays"], scope, row)


def _contact(row: Row) -> Contact:
    return Contact(
        id=row["id"],
        name=row["name"] or row["email"],
        types=row["types"] or [],
        email=row["email"],
        phone=row["phone"],
        is_primary=bool(row["is_primary"]),
        user_id=row["user_id"],
        role=row["role"],
        has_app=bool(row["has_app"]),
        is_disabled=row["disabled_at"] is not None,
        is_staff=bool(row["is_staff"]),
    )
