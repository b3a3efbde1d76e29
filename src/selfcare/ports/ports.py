"""The outside world as one bundle, chosen at start and handed down."""

from __future__ import annotations

from dataclasses import dataclass

from selfcare.ports.charging import Charging
from selfcare.ports.jobs import Jobs
from selfcare.ports.messages import Messages
from selfcare.ports.payments import PaymentGateway
from selfcare.ports.provisioning import Provisioning


@dataclass(frozen=True, slots=True)
class Ports:
    """Which adapter serves which port in this process."""

    jobs: Jobs
    messages: Messages
    charging: Charging
    payments: PaymentGateway
    provisioning: Provisioning
