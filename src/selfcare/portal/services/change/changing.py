"""Changing one setting of a service: an order, at the price that was shown, one change of a service at a time."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.words import _
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.services.change.parameters import FIELD, Parameter
from selfcare.portal.services.change.queries import Settings, settings_of


@dataclass(frozen=True, slots=True)
class Change:
    """One setting as it is and as it would be. `value` is what the network is told."""

    settings: Settings
    parameter: Parameter
    value: str
    was: str

    @property
    def words(self) -> str:
        return self.parameter.words(self.value)


async def look(scope: CustomerScope, service_id: UUID, key: str, typed: str, *, region: str) -> Change:
    """Raises NotFound, Conflict where nothing can be changed now, or Rejected beside the field."""
    settings = await settings_of(scope, service_id)
    setting = settings.one(key)
    if settings.refusal is not None:
        raise Conflict(settings.refusal)
    value = setting.parameter.read(typed, region=region)
    if setting.parameter.words(value) == setting.now:
        raise Rejected(_("It is set to this already."), FIELD)
    return Change(settings, setting.parameter, value, setting.now)


async def change(
    shop: Shop, identity: Identity, service_id: UUID, key: str, typed: str, *, region: str, shown: int, how: How
) -> Order:
    """As far as it goes at once; `shown` is the price on the page. The same request key again: the same order again.

    Raises what `look` raises, PriceChanged, Unavailable or TooOften; then nothing was taken.
    """

    async def write() -> Order:
        wanted = await look(identity.customer, service_id, key, typed, region=region)
        if wanted.parameter.price.minor != shown:
            raise PriceChanged.to(wanted.parameter.price)
        return await orders.write(shop, identity, _wanted(wanted), how)

    return await counter.serve(shop, identity, how, write, metered=False)


def _wanted(change: Change) -> Wanted:
    """`delivers` of it: see `orders.changes`."""
    parameter, settings = change.parameter, change.settings
    return Wanted(
        kind=Kind.CHANGE,
        name=_("%(setting)s: %(new)s") % {"setting": parameter.label, "new": change.words},
        price=parameter.price,
        tax_permille=settings.tax_permille,
        service_id=settings.service_id,
        product_id=settings.product_id,
        product_version=settings.version,
        delivers={
            "set": {
                "key": parameter.key,
                "label": parameter.label,
                "value": change.value,
                "words": change.words,
                "was": change.was,
            },
            "play": settings.play,
        },
    )
