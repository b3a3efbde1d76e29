"""Who the named people are: customers, sign-ins, memberships, contacts, addresses and cards."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.adapters.payments_embedded_tables import SimCard, SimCustomer
from selfcare.demo import people
from selfcare.demo.people import BLOOM, NEWMAN, OKORO, PATEL, Household, Someone, fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import ZONE, Timeline, add_months
from selfcare.identity.tables import Customer, Membership, User
from selfcare.kernel.ids import token, token_hash
from selfcare.portal.account.tables import Contact, Invitation, Site
from selfcare.portal.billing.tables import BillRecipient
from selfcare.portal.cards.tables import PaymentMethod
from selfcare.portal.pay.autopay.consents import consent_words
from selfcare.portal.pay.tables import AutopayConsent, GatewayCustomer

SINCE_MONTHS = {
    people.FREY.key: 2,
    people.NOVAK.key: 2,
    PATEL.key: 14,
    OKORO.key: 13,
    NEWMAN.key: 0,
    BLOOM.key: 38,
    people.YUSUF.key: 5,
}


def add_everybody(rows: Rows, when: Timeline, password_hash: str) -> None:
    for home in (*people.HOUSEHOLDS, *(home for home, _phone in people.UNOWNED), people.YUSUF):
        rows.add(Customer, _customer(home, when))
    for someone in people.EVERYBODY:
        rows.add(User, _user(someone, when, password_hash))
        if someone.home:
            rows.add(Membership, _membership(someone, someone.home, when))
    # Gwen keeps the books of Bloom Ltd and helps Chidi with his bills.
    helps = {"id": fixed("membership/gwen/chidi"), "role": "viewer", "accepted_at": when.at(-2, 9)}
    rows.add(Membership, _membership(people.GWEN, OKORO, when) | helps)
    rows.add(Invitation, _invitation(when))
    _add_contacts(rows, when)
    _add_sites(rows, when)
    _add_cards(rows, when)


def since(home: Household, when: Timeline) -> datetime:
    months = SINCE_MONTHS[home.key]
    if not months:
        return when.at(-1, 15)
    begun = add_months(when.today, -months)
    return when.at((begun - when.today).days, 10)


def _customer(home: Household, when: Timeline) -> dict[str, Any]:
    begun = since(home, when)
    return {
        "id": home.id,
        "number": home.number,
        "name": home.name,
        "type": home.type,
        "status": "open",
        "pays": home.pays,
        "enabled": True,
        "tax_id": "GB 123 4567 89" if home is BLOOM else None,
        "currency": "GBP",
        "zone": ZONE,
        "language": "en",
        "contract_start": begun.date() if home.pays == "postpaid" else None,
        "billing_address": home.address,
        "primary_contact_id": fixed(f"contact/{home.key}"),
        "created_at": begun,
    }


def _user(someone: Someone, when: Timeline, password_hash: str) -> dict[str, Any]:
    begun = since(someone.home, when) if someone.home else when.at(-400, 9)
    return {
        "id": someone.id,
        "email": someone.email,
        "email_verified_at": begun,
        "phone": someone.phone,
        "display_name": someone.name,
        "password_hash": password_hash,
        "password_changed_at": begun,
        "language": "en",
        "theme": "system",
        "staff_rights": json.dumps(someone.staff_rights) if someone.staff_rights else None,
        "created_at": begun,
    }


def _membership(someone: Someone, home: Household, when: Timeline) -> dict[str, Any]:
    begun = since(home, when)
    return {
        "id": fixed(f"membership/{someone.key}"),
        "user_id": someone.id,
        "customer_id": home.id,
        "role": someone.role,
        "service_ids": json.dumps([str(fixed(f"service/{key}")) for key in someone.only_services])
        if someone.only_services
        else None,
        "invited_at": begun,
        "accepted_at": begun,
    }


def _invitation(when: Timeline) -> dict[str, Any]:
    """Somebody who has not answered yet. Nobody knows the link."""
    return {
        "id": fixed("invitation/bloom/ivy"),
        "customer_id": BLOOM.id,
        "email": "ivy@example.test",
        "role": "viewer",
        "token_hash": token_hash(token()),
        "invited_by": people.HANA.id,
        "created_at": when.at(-2, 16),
        "expires_at": when.at(5, 16),
    }


def _add_contacts(rows: Rows, when: Timeline) -> None:
    def contact(home: Household, key: str, name: str, types: list[str], user: Someone | None, **more: Any) -> None:
        row = {
            "id": fixed(f"contact/{key}"),
            "customer_id": home.id,
            "name": name,
            "types": json.dumps(types),
            "email": user.email if user else None,
            "phone": user.phone if user else None,
            "user_id": user.id if user else None,
            "is_primary": key == home.key,
            "created_at": since(home, when),
        }
        rows.add(Contact, row | more)

    contact(PATEL, "asha", "Asha Patel", ["billing", "general"], people.ASHA)
    contact(PATEL, "ben", "Ben Patel", ["technical"], people.BEN)
    contact(PATEL, "asha-emergency", "Meera Patel", ["emergency"], None, phone="+447700900125")
    contact(OKORO, "chidi", "Chidi Okoro", ["billing", "general"], people.CHIDI)
    contact(NEWMAN, "empty", "Emma Newman", ["billing", "general"], people.EMPTY)
    contact(people.YUSUF, "noor", people.NOOR.name, ["billing", "general"], people.NOOR)
    for home, phone in people.UNOWNED:
        contact(home, home.key, home.name, ["billing", "general"], None, phone=phone)
    contact(BLOOM, "bloom", "Hana Bloom", ["general"], people.HANA)
    contact(BLOOM, "gwen", "Gwen Ashby", ["billing"], people.GWEN)
    contact(BLOOM, "femi", "Femi Adeyemi", ["technical"], people.FEMI)
    contact(BLOOM, "bloom-desk", "Reception", ["general", "emergency"], None, phone="+441134960100")


def _add_sites(rows: Rows, when: Timeline) -> None:
    def site(home: Household, key: str, label: str, line_1: str, city: str, zip_code: str, geo: str) -> None:
        row = {
            "id": fixed(f"site/{key}"),
            "customer_id": home.id,
            "label": label,
            "address_line_1": line_1,
            "address_line_2": "",
            "city": city,
            "state": "",
            "zip_code": zip_code,
            "country": "GB",
            "geo": geo,
            "created_at": since(home, when),
        }
        rows.add(Site, row)

    site(PATEL, "asha", "Home", "14 Larch Road", "Leeds", "LS6 2QT", "53.818,-1.568")
    site(OKORO, "chidi", "Flat", "Flat 3, 8 Quay Street", "Bristol", "BS1 4DX", "51.454,-2.597")
    site(BLOOM, "bloom-leeds", "Leeds office", "1 Garden Wharf", "Leeds", "LS10 1JH", "53.790,-1.533")
    site(BLOOM, "bloom-york", "York nursery", "Hill Farm, Wigginton Road", "York", "YO32 2RH", "54.013,-1.090")


def _add_cards(rows: Rows, when: Timeline) -> None:
    """Also with the simulated gateway, so that they pay."""

    def customer(home: Household) -> None:
        ref, since_when = gateway_ref(home), when.at(-200, 12)
        rows.add(SimCustomer, {"id": ref, "customer_id": home.id, "name": home.name, "created_at": since_when})
        known = {"id": fixed(f"gateway/{home.key}"), "customer_id": home.id, "gateway": SimulatedGateway.name}
        rows.add(GatewayCustomer, known | {"customer_ref": ref, "created_at": since_when})

    def card(
        owner: Someone,
        position: int,
        brand: str,
        last4: str,
        valid_months: int,
        outcome: Outcome = Outcome.APPROVES,
    ) -> None:
        assert owner.home is not None
        last_month = add_months(when.today.replace(day=1), valid_months)
        row = {
            "id": fixed(f"card/{owner.key}/{position}"),
            "customer_id": owner.home.id,
            "brand": brand,
            "last4": last4,
            "exp_month": last_month.month,
            "exp_year": last_month.year,
            "holder": owner.name,
            "is_default": position == 1,
            "position": position,
            "token_ref": f"demo_{owner.key}_{brand}_{position}",
            "fingerprint": f"sim-{gateway_ref(owner.home)}-{last4}",
            "added_by": owner.id,
            "created_at": when.at(-200, 12),
        }
        rows.add(PaymentMethod, row)
        shown = ("brand", "last4", "exp_month", "exp_year", "holder", "fingerprint", "created_at")
        plastic = {"id": row["token_ref"], "customer_ref": gateway_ref(owner.home), "outcome": outcome.value}
        rows.add(SimCard, plastic | {name: row[name] for name in shown})

    for home in (PATEL, OKORO, BLOOM):
        customer(home)
    card(people.ASHA, 1, "visa", "4242", 22)
    card(people.ASHA, 2, "mastercard", "4444", 1, Outcome.ASKS)
    card(people.CHIDI, 1, "visa", "1881", 14)
    card(people.HANA, 1, "mastercard", "5100", 9)
    card(people.HANA, 2, "visa", "0341", 0, Outcome.LATER_DECLINES)
    rows.add(AutopayConsent, _autopay(people.HANA, when))
    rows.add(BillRecipient, _accountant(people.HANA, when))


def _autopay(owner: Someone, when: Timeline) -> dict[str, Any]:
    """Bloom's bills are paid by themselves."""
    assert owner.home is not None
    return {
        "id": fixed(f"autopay/{owner.key}"),
        "customer_id": owner.home.id,
        "words": consent_words("Lark Mobile"),
        "given_by": owner.id,
        "given_at": when.at(-90, 10),
        "address": "192.0.2.40",
        "device": "Firefox on Linux",
    }


def _accountant(owner: Someone, when: Timeline) -> dict[str, Any]:
    """Somebody outside gets copies of Bloom's bills."""
    assert owner.home is not None
    return {
        "id": fixed(f"recipient/{owner.key}"),
        "customer_id": owner.home.id,
        "email": "books@hartley.example.test",
        "added_by": owner.id,
        "added_at": when.at(-25, 10),
        "confirmed_at": when.at(-24, 9),
        "bills_from": when.at(-24, 9).date(),
    }


def gateway_ref(home: Household) -> str:
    return f"cus_sim_demo_{home.key}"


def site_id(key: str) -> UUID:
    return fixed(f"site/{key}")
