"""What customers cannot do by themselves, and why."""

from __future__ import annotations

from dataclasses import dataclass

from selfcare.kernel.words import _


@dataclass(frozen=True, slots=True)
class Need:
    """`kind` is the kind of request that asks for it."""

    kind: str
    what: str
    why: str


def list_needs() -> list[Need]:
    return [
        Need(
            "customer_type",
            _("Changing customer type (Individual or Business)"),
            _("The two have other contracts and taxes."),
        ),
        Need("transfer", _("Transferring services between customers"), _("We check who both of you are.")),
        Need("cancellation", _("Cancelling a service that does not offer it"), _("Your contract may name a fee.")),
        Need("dispute", _("Disputing invoices"), _("A person looks at it with you.")),
        Need("refund", _("Requesting refunds"), _("Money back is decided by a person.")),
        Need("primary_contact", _("Changing primary contact"), _("So that nobody takes your account over.")),
        Need("provisioning", _("Complex provisioning issues"), _("Our technicians have to look.")),
    ]
