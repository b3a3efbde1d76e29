"""The kinds of request: what each is called, why it needs a person, what it is about, what to write."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel.words import _

Thing: TypeAlias = Literal["line", "payment", "service", "contact", "site", ""]


class Kind(StrEnum):
    """In the order they are offered."""

    QUESTION = "question"
    DISPUTE = "dispute"
    REFUND = "refund"
    MERGE = "merge"
    CONTACT_CHANGE = "contact_change"
    PRIMARY_CONTACT = "primary_contact"
    SITE_CHANGE = "site_change"
    CUSTOMER_TYPE = "customer_type"
    TRANSFER = "transfer"
    CANCELLATION = "cancellation"
    PROVISIONING = "provisioning"
    PORT_IN = "port_in"
    ERASURE = "erasure"
    OTHER = "other"


class State(StrEnum):
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"

    @property
    def is_over(self) -> bool:
        return self in (State.DONE, State.DECLINED, State.WITHDRAWN)


TONES = {
    State.OPEN: "wait",
    State.WAITING_CUSTOMER: "warn",
    State.DONE: "ok",
    State.DECLINED: "bad",
    State.WITHDRAWN: "off",
}
THINGS: dict[Kind, Thing] = {
    Kind.QUESTION: "line",
    Kind.DISPUTE: "line",
    Kind.REFUND: "payment",
    Kind.CONTACT_CHANGE: "contact",
    Kind.PRIMARY_CONTACT: "contact",
    Kind.SITE_CHANGE: "site",
    Kind.TRANSFER: "service",
    Kind.CANCELLATION: "service",
    Kind.PROVISIONING: "service",
}
# Without the thing nobody could decide.
NEEDS_THING = frozenset({Kind.DISPUTE})
ABOUT_MONEY = frozenset({Kind.QUESTION, Kind.DISPUTE, Kind.REFUND})


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one kind, in words."""

    kind: Kind
    title: str
    why: str
    ask: str
    thing: Thing

    @property
    def thing_label(self) -> str:
        return {
            "line": _("Which line of which bill?"),
            "payment": _("Which payment?"),
            "service": _("Which service?"),
            "contact": _("Which contact?"),
            "site": _("Which site?"),
        }.get(self.thing, "")

    @property
    def needs_thing(self) -> bool:
        return self.kind in NEEDS_THING


def title(kind: str) -> str:
    return form_of(Kind(kind)).title


def state_words(state: State) -> str:
    return {
        State.OPEN: _("We are looking at it"),
        State.WAITING_CUSTOMER: _("We need an answer from you"),
        State.DONE: _("Done"),
        State.DECLINED: _("Declined"),
        State.WITHDRAWN: _("Withdrawn"),
    }[state]


def offered_to(identity: Identity, flags: frozenset[str]) -> list[Form]:
    """What this person may ask. Erasing has a page of its own where it is switched on."""
    return [
        form_of(kind)
        for kind in Kind
        if (kind not in ABOUT_MONEY or identity.can(Right.VIEW_OWN_BILLS))
        and not (kind is Kind.ERASURE and "erasure" in flags)
    ]


def form_of(kind: Kind) -> Form:
    name, why, ask = _words()[kind]
    return Form(kind, name, why, ask, THINGS.get(kind, ""))


def _words() -> dict[Kind, tuple[str, str, str]]:
    return {
        Kind.QUESTION: (
            _("Ask about a line of a bill"),
            _("We explain what it is. The bill stays as it is."),
            _("What would you like to know?"),
        ),
        Kind.DISPUTE: (
            _("Dispute a bill"),
            _("The line is marked as in question, and for 14 days nobody presses for the bill."),
            _("What is wrong with it, and what would be right?"),
        ),
        Kind.REFUND: (
            _("Refund"),
            _("We check what was paid. Money goes back the way it came."),
            _("What was paid for, and why should it come back?"),
        ),
        Kind.MERGE: (
            _("Missing service or second account"),
            _("We find it and join accounts once we know that both are yours."),
            _("Which number or service is missing? Give its number or the other customer ID."),
        ),
        Kind.CONTACT_CHANGE: (
            _("Change a contact"),
            _("Contacts may order and ask, so we check who they are."),
            _("What shall be changed, and to what?"),
        ),
        Kind.PRIMARY_CONTACT: (
            _("Change the primary contact"),
            _("We call the present one first, so that nobody takes your account over."),
            _("Who shall be the primary contact, and why?"),
        ),
        Kind.SITE_CHANGE: (
            _("Change a site address"),
            _("Services are delivered there, so we check the new address."),
            _("What is the right address, and from which day?"),
        ),
        Kind.CUSTOMER_TYPE: (
            _("Change the customer type"),
            _("Individual and business have other contracts and taxes."),
            _("What shall it become, and since when? For a business, give its name and tax number."),
        ),
        Kind.TRANSFER: (
            _("Transfer a service"),
            _("The new owner has to agree, and we check who both of you are."),
            _("Who takes it over? Give their name and customer ID or e-mail address."),
        ),
        Kind.CANCELLATION: (
            _("Cancel a service"),
            _("Notice and the end of the contract have to be worked out."),
            _("From which day, and is the number to be kept?"),
        ),
        Kind.PROVISIONING: (
            _("Something was not set up"),
            _("Our technicians look at it on the network."),
            _("What does not work, and since when?"),
        ),
        Kind.PORT_IN: (
            _("Bring a number to us"),
            _("Your old provider has to let it go."),
            _("Which number, from which provider, and from which day?"),
        ),
        Kind.ERASURE: (
            _("Erase my data"),
            _("Some of it must stay by law; we tell you what."),
            _("What shall be erased?"),
        ),
        Kind.OTHER: (
            _("Something else"),
            _("We read it and pass it to the right person."),
            _("What can we do?"),
        ),
    }
