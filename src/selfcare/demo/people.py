"""The named people of the demo operator. Tests and the demo command know them by these names and fixed ids."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid5

PASSWORD = "Demo-Pass-1!"
_NAMESPACE = UUID("6f1d7e52-70a5-5b1e-9c1a-5e1fca2e0001")


def fixed(name: str) -> UUID:
    """The same id for the same thing in every demo database."""
    return uuid5(_NAMESPACE, name)


@dataclass(frozen=True, slots=True)
class Household:
    """A customer of the demo."""

    key: str
    number: str
    name: str
    type: str
    pays: str
    address: str

    @property
    def id(self) -> UUID:
        return fixed(f"customer/{self.key}")


@dataclass(frozen=True, slots=True)
class Someone:
    """Who can sign in. `home` and `role` for customers, `staff_rights` for staff."""

    key: str
    name: str
    phone: str
    about: str
    home: Household | None = None
    role: str = "owner"
    only_services: tuple[str, ...] = ()
    staff_rights: tuple[str, ...] = ()

    @property
    def id(self) -> UUID:
        return fixed(f"user/{self.key}")

    @property
    def email(self) -> str:
        return f"{self.key}@example.test"


PATEL = Household(
    "asha", "100201", "Asha Patel", "individual", "postpaid", "14 Larch Road\nLeeds\nLS6 2QT\nUnited Kingdom"
)
OKORO = Household(
    "chidi", "100202", "Chidi Okoro", "individual", "prepaid", "Flat 3, 8 Quay Street\nBristol\nBS1 4DX\nUnited Kingdom"
)
NEWMAN = Household(
    "empty", "100203", "Emma Newman", "individual", "prepaid", "2 Orchard Close\nYork\nYO10 5AB\nUnited Kingdom"
)
BLOOM = Household(
    "bloom", "200100", "Bloom Ltd", "business", "postpaid", "Bloom Ltd\n1 Garden Wharf\nLeeds\nLS10 1JH\nUnited Kingdom"
)
# Nobody looks after these yet: whoever holds the number may sign up.
FREY = Household("otto", "100204", "Otto Frey", "individual", "prepaid", "9 Mill Lane\nYork\nYO1 7EP\nUnited Kingdom")
FREY_PHONE = "+447700900350"
NOVAK = Household("gia", "100205", "Gia Novak", "individual", "prepaid", "5 Dale Row\nLeeds\nLS2 8AA\nUnited Kingdom")
NOVAK_PHONE = "+447700900351"
UNOWNED = ((FREY, FREY_PHONE), (NOVAK, NOVAK_PHONE))
# Names that are long and run both ways.
YUSUF = Household(
    "noor",
    "200101",
    "شركة نور الدين وأولاده للتبريد والتكييف – "
    "Noor & Sons Refrigeration and Air-Conditioning Engineering Partnership (Yorkshire)",
    "business",
    "postpaid",
    "مبنى ٧، طريق الملك فهد\n7 Cold Store Yard, Unit 14b (entrance from Whitehall Industrial Estate)\n"
    "Leeds\nLS12 1BE\nUnited Kingdom",
)
HOUSEHOLDS = (PATEL, OKORO, NEWMAN, BLOOM)

ASHA = Someone("asha", "Asha Patel", "+447700900123", "owner: mobile, home internet, bills, cards", PATEL)
BEN = Someone("ben", "Ben Patel", "+447700900124", "second contact on Asha's account, may look", PATEL, "viewer")
CHIDI = Someone("chidi", "Chidi Okoro", "+447700900200", "prepaid, low on data, one service suspended", OKORO)
EMPTY = Someone("empty", "Emma Newman", "+447700900300", "new customer with nothing yet", NEWMAN)
HANA = Someone("bloom", "Hana Bloom", "+447700900400", "owner of Bloom Ltd: 25 services, 36 bills", BLOOM)
GWEN = Someone("gwen", "Gwen Ashby", "+447700900401", "pays the bills of Bloom Ltd, sees Chidi's too", BLOOM, "payer")
NOOR = Someone(
    "noor",
    "نور الدين القحطاني",
    "+447700900360",
    "long names, right to left; one payment on its way, one declined",
    YUSUF,
)
FEMI = Someone("femi", "Femi Adeyemi", "+447700900410", "uses one line of Bloom Ltd", BLOOM, "user", ("bloom/line/0",))

_SUPPORT = (
    "view_customer",
    "edit_customer",
    "unlock_user",
    "reset_second_factor",
    "view_billing",
    "handle_requests",
    "view_audit",
)
DINA = Someone(
    "dina",
    "Dina Farrow",
    "+447700900900",
    "support, may open a customer's portal",
    staff_rights=("can_impersonate", *_SUPPORT, "manage_users", "refund_payment"),
)
ELI = Someone("eli", "Eli Marsh", "+447700900901", "support, may not open portals", staff_rights=_SUPPORT)
ADMIN = Someone("admin", "Ada Quinn", "+447700900902", "administrator", staff_rights=("admin",))

CUSTOMERS = (ASHA, BEN, CHIDI, EMPTY, HANA, GWEN, FEMI, NOOR)
STAFF = (DINA, ELI, ADMIN)
EVERYBODY = (*CUSTOMERS, *STAFF)

ASHA_MOBILE = fixed("service/asha/mobile")
ASHA_INTERNET = fixed("service/asha/internet")
CHIDI_MOBILE = fixed("service/chidi/mobile")
NOOR_MOBILE = fixed("service/noor/mobile")
CHIDI_SUSPENDED = fixed("service/chidi/internet")


def bloom_service(n: int) -> UUID:
    """Of 0 to 24; 0 is Femi's line."""
    return fixed(f"service/bloom/line/{n}")
