"""What the screens of a service's settings read: how each stands, and why it cannot be changed now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.words import _
from selfcare.portal.orders.order import ON_SERVICE, Kind, Order, order_of
from selfcare.portal.services.change.parameters import Parameter, parameters_of
from selfcare.portal.services.services import LIFE, status_in

_SERVICE = Prepared.sql(
    f"""
    SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, {LIFE}, s.currency AS currency,
           s.configuration AS configuration, p.id AS product_id, p.version AS version,
           p.editable AS editable, p.tax_permille AS tax_permille, p.provisioning_play AS play
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.id = :service_id
    """,
    types={"configuration": as_json, "editable": as_json},
)
# Two of these at once would leave open which of them the network carried out last.
_ONE_AT_A_TIME = frozenset({Kind.CHANGE, Kind.PLAN})


@dataclass(frozen=True, slots=True)
class Setting:
    parameter: Parameter
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Of one service. `coming` is the order that has to be finished first, `refusal` why nothing can change now."""

    service_id: UUID
    name: str
    product_id: UUID
    version: int
    tax_permille: int
    play: str | None
    listed: list[Setting]
    coming: Order | None
    refusal: str | None

    def one(self, key: str) -> Setting:
        """Raises NotFound outside the product's list."""
        found = next((setting for setting in self.listed if setting.parameter.key == key), None)
        if found is None:
            raise NotFound
        return found


async def settings_of(scope: CustomerScope, service_id: UUID) -> Settings:
    """Raises NotFound where it is not this customer's."""
    if not scope.covers(service_id):
        raise NotFound
    of = {"customer_id": scope.customer_id, "service_id": service_id}
    rows, orders = await fetch_many(_SERVICE.bind(**of), ON_SERVICE.bind(**of))
    if not rows:
        raise NotFound
    row = rows[0]
    coming = next((one for one in map(order_of, orders) if one.is_coming and one.kind in _ONE_AT_A_TIME), None)
    return Settings(
        service_id=row["id"],
        name=row["name"],
        product_id=row["product_id"],
        version=row["version"],
        tax_permille=row["tax_permille"],
        play=row["play"],
        listed=[
            Setting(one, row["configuration"].get(one.label, one.usual))
            for one in parameters_of(row["editable"], row["currency"])
        ],
        coming=coming,
        refusal=_refusal(row, coming),
    )


def _refusal(row: dict[str, Any], coming: Order | None) -> str | None:
    status = status_in(row, clock.now())
    if not status.is_running:
        return _("Settings can be changed while the service is running. It is not: %(status)s.") % {
            "status": status.label
        }
    if coming is not None:
        return _("“%(what)s” is still being carried out. The next change can be made after that.") % {
            "what": coming.name
        }
    return None
