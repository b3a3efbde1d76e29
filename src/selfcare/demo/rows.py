"""Rows on their way into the database, table by table, in an order that references allow."""

from __future__ import annotations

from typing import Any

from piccolo.table import Table

from selfcare.adapters.charging_tables import AllowanceGrant, Bucket, Consumption, UsageRecord
from selfcare.adapters.payments_embedded_tables import SimCard, SimCustomer
from selfcare.db.prepared import insert_many
from selfcare.identity.tables import Customer, Membership, User
from selfcare.portal.account.tables import Contact, Invitation, Site
from selfcare.portal.billing.tables import BillRecipient
from selfcare.portal.cards.tables import PaymentMethod
from selfcare.portal.pay.tables import AutopayConsent, GatewayCustomer
from selfcare.portal.services.sim.tables import Sim
from selfcare.portal.services.tables import LineSpeed, Product, Service

ORDER: tuple[type[Table], ...] = (
    Customer,
    User,
    Membership,
    Contact,
    Site,
    Product,
    Service,
    Sim,
    LineSpeed,
    Bucket,
    AllowanceGrant,
    UsageRecord,
    Consumption,
    PaymentMethod,
    Invitation,
    GatewayCustomer,
    AutopayConsent,
    BillRecipient,
    SimCustomer,
    SimCard,
)


class Rows:
    def __init__(self) -> None:
        self.of: dict[type[Table], list[dict[str, Any]]] = {table: [] for table in ORDER}

    def add(self, table: type[Table], *rows: dict[str, Any]) -> None:
        self.of[table].extend(rows)

    async def write(self) -> None:
        """Inside `transaction()`."""
        for table in ORDER:
            await insert_many(table, self.of[table])
