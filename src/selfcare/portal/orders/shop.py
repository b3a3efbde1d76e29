"""What every act on an order needs from outside, in one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from selfcare.portal.orders.allowances import Allowances
from selfcare.portal.orders.changes import Changes
from selfcare.portal.orders.days import Topups
from selfcare.portal.orders.extras import Extras
from selfcare.portal.orders.order import Kind
from selfcare.portal.orders.outcome import Deliverer, Undoer
from selfcare.portal.orders.plans import Plans
from selfcare.portal.pay.till import Till
from selfcare.ports.charging import Charging
from selfcare.ports.jobs import Jobs
from selfcare.ports.messages import Messages
from selfcare.ports.ports import Ports
from selfcare.settings import Settings


@dataclass(frozen=True, slots=True)
class Shop:
    till: Till
    charging: Charging
    deliverers: Mapping[Kind, Deliverer]
    undoers: Mapping[Kind, Undoer] = field(default_factory=dict)
    # In whole units of the currency: all top-ups of a customer in one day of the customer's calendar.
    topup_day_limit: int = 200
    # Of the operator: by whose day papers are dated.
    zone: str = "Europe/London"

    @property
    def jobs(self) -> Jobs:
        return self.till.jobs

    @property
    def messages(self) -> Messages:
        return self.till.messages

    @classmethod
    def of(cls, ports: Ports, settings: Settings) -> Self:
        allowances = Allowances(ports.charging)
        topups, extras = Topups(allowances), Extras(ports.provisioning, allowances)
        deliverers: dict[Kind, Deliverer] = {
            Kind.TOPUP: topups,
            Kind.VOUCHER: allowances,
            Kind.PROMISE: allowances,
            Kind.ADDON: extras,
            Kind.CHANGE: Changes(ports.provisioning),
            Kind.PLAN: Plans(ports.provisioning, allowances),
        }
        return cls(
            till=Till.of(ports, settings),
            charging=ports.charging,
            deliverers=deliverers,
            undoers={Kind.TOPUP: topups, Kind.ADDON: extras},
            topup_day_limit=settings.topup_day_limit,
            zone=settings.zone,
        )
