"""What every act about money needs from outside, in one value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from selfcare.ports.jobs import Jobs
from selfcare.ports.messages import Messages
from selfcare.ports.payments import PaymentGateway
from selfcare.ports.ports import Ports
from selfcare.settings import Settings


@dataclass(frozen=True, slots=True)
class Till:
    gateway: PaymentGateway
    jobs: Jobs
    messages: Messages
    public_url: str
    production: bool = False
    link_key: bytes = b""

    @classmethod
    def of(cls, ports: Ports, settings: Settings) -> Self:
        return cls(
            ports.payments, ports.jobs, ports.messages, settings.public_url, settings.production, settings.keys.link
        )

    def return_url(self, payment_id: UUID, door: str = "pay") -> str:
        """Where the gateway and the bank send people back to. What its query says is never believed."""
        return f"{self.public_url}/{door}/{payment_id}/return"

    def cancel_url(self, payment_id: UUID, door: str = "pay") -> str:
        return f"{self.return_url(payment_id, door)}?gave_up=1"
