"""What the account screens read: nothing internal (tags, credit limits, notes) is even selected."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from selfcare.db.prepared import Param, Prepared, as_json, fetch_many
from selfcare.identity.identity import Identity
from selfcare.identity.tables import Customer, User
from selfcare.kernel.errors import NotFound
from selfcare.portal.account.tables import Site

MOST = 100

_CUSTOMER = Prepared(
    lambda: Customer.select(
        Customer.number,
        Customer.name,
        Customer.type,
        Customer.status,
        Customer.created_at,
        Customer.tax_id,
        Customer.billing_address,
        Customer.contract_start,
        Customer.contract_end,
        Customer.currency,
        Customer.zone,
    ).where(Customer.id == Param("customer_id"))
)
_PERSON = Prepared(
    lambda: User.select(
        User.email, User.email_verified_at, User.pending_email, User.phone, User.display_name, User.password_changed_at
    ).where(User.id == Param("user_id"))
)
_CONTACTS = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS name, c.types AS types, c.email AS email, c.phone AS phone, c.is_primary AS is_primary
      FROM contact c
     WHERE c.customer_id = :customer_id
     ORDER BY c.is_primary DESC, c.name, c.id
     LIMIT 100
    """,
    types={"types": as_json},
)
_AT_SITES = Prepared.sql(
    """
    SELECT id, site_id, COALESCE(nickname, name) AS name FROM service
     WHERE customer_id = :customer_id AND site_id IS NOT NULL AND state <> 'ended' ORDER BY name, id LIMIT 200
    """
)
_SITES = Prepared(
    lambda: (
        Site.select(
            Site.id,
            Site.label,
            Site.address_line_1,
            Site.address_line_2,
            Site.city,
            Site.state,
            Site.zip_code,
            Site.country,
        )
        .where(Site.customer_id == Param("customer_id"))
        .order_by(Site.label)
        .limit(MOST)
    )
)


@dataclass(frozen=True, slots=True)
class CustomerDetails:
    number: str
    name: str
    type: str
    status: str
    created_at: datetime
    tax_id: str | None
    billing_address: str
    contract_start: date | None
    contract_end: date | None
    currency: str
    zone: str


@dataclass(frozen=True, slots=True)
class PersonDetails:
    email: str
    email_verified_at: datetime | None
    pending_email: str | None
    phone: str | None
    display_name: str
    password_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    id: UUID
    name: str
    types: list[str]
    email: str | None
    phone: str | None
    is_primary: bool


@dataclass(frozen=True, slots=True)
class AtSite:
    """A service that is used there."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class SiteRow:
    id: UUID
    label: str
    lines: list[str]
    services: list[AtSite]

    @property
    def map_url(self) -> str:
        """Where the address is, on a map of others: only whoever follows the link tells them."""
        return f"https://www.openstreetmap.org/search?{urlencode({'query': ', '.join(self.lines)})}"


@dataclass(frozen=True, slots=True)
class Overview:
    customer: CustomerDetails
    person: PersonDetails
    contacts: list[ContactRow]
    sites: list[SiteRow]


async def overview(identity: Identity) -> Overview:
    """Everything on /account, in one snapshot."""
    scope = identity.customer
    customers, people, contacts, sites, services = await fetch_many(
        _CUSTOMER.bind(customer_id=scope.customer_id),
        _PERSON.bind(user_id=identity.user_id),
        _CONTACTS.bind(customer_id=scope.customer_id),
        _SITES.bind(customer_id=scope.customer_id),
        _AT_SITES.bind(customer_id=scope.customer_id),
    )
    there: dict[UUID, list[AtSite]] = {}
    for row in services:
        if scope.covers(row["id"]):
            there.setdefault(row["site_id"], []).append(AtSite(row["id"], row["name"]))
    if not customers or not people:
        raise NotFound
    return Overview(
        CustomerDetails(**customers[0]),
        PersonDetails(**people[0]),
        [ContactRow(**row) for row in contacts],
        [SiteRow(row["id"], row["label"], _address(row), there.get(row["id"], [])) for row in sites],
    )


def _address(row: dict[str, Any]) -> list[str]:
    town = " ".join(part for part in (row["city"], row["state"], row["zip_code"]) if part)
    return [part for part in (row["address_line_1"], row["address_line_2"], town, row["country"]) if part]
