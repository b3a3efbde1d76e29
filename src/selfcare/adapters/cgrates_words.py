"""The engine's words and ours: units, weights, times, scopes. Converted here, both ways, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any
from uuid import UUID, uuid5

from selfcare.kernel.words import _
from selfcare.ports.charging import Put

KIND_OF = {"*data": "data", "*voice": "voice", "*sms": "sms", "*mms": "mms", "*monetary": "money", "*generic": "other"}
TYPE_OF = {kind: type_ for type_, kind in KIND_OF.items()}
NANOSECONDS = 10**9
# Nobody grants a petabyte or thirty million years: these are the engine's way to say unlimited.
UNLIMITED_FROM = 10**15
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|us|µs|ns|m|s)")
_SECONDS = {"h": Decimal(3600), "m": Decimal(60), "s": Decimal(1), "ms": Decimal("1e-3")}
_SECONDS |= {"us": Decimal("1e-6"), "µs": Decimal("1e-6"), "ns": Decimal("1e-9")}
_OURS = UUID("6d1f3c1e-0000-5000-8000-c67a7e500000")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the operator set up differently from engine to engine."""

    tenant: str = "cgrates.org"
    # Minor units in 1 of the engine's money.
    monetary_scale: int = 100
    # The engine takes the higher weight first, we the lower order: weight = base - order.
    weight_base: int = 100
    # Scope → DestinationID.
    destinations: Mapping[str, str] = field(default_factory=dict)

    def amount(self, kind: str, value: Any) -> int:
        """In our units, rounded down: nobody is shown more than there is."""
        exact = _decimal(value) * self._ours_in_one(kind)
        return int(exact.to_integral_value(ROUND_FLOOR))

    def value(self, kind: str, amount: int) -> int | float:
        exact = Decimal(amount) / self._ours_in_one(kind)
        return int(exact) if exact == exact.to_integral_value() else float(exact)

    def order(self, weight: Any) -> int:
        return max(1, self.weight_base - int(_decimal(weight or 0)))

    def weight(self, order: int) -> int:
        return self.weight_base - order

    def scope(self, destinations: Mapping[str, Any] | None) -> str:
        names = {name for name, included in (destinations or {}).items() if included}
        return next((scope for scope, name in self.destinations.items() if name in names), "any")

    def _ours_in_one(self, kind: str) -> Decimal:
        return {"voice": Decimal(1) / NANOSECONDS, "money": Decimal(self.monetary_scale)}.get(kind, Decimal(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """One balance of an account, in our words."""

    id: UUID
    name: str
    kind: str
    amount: int
    is_unlimited: bool
    order: int
    scope: str
    expires_at: datetime | None
    blocker: bool
    disabled: bool


def balances_of(account: Mapping[str, Any], dialect: Dialect) -> Iterator[Balance]:
    """Raises ValueError for what is no account. A fresh one has no map at all."""
    for type_, balances in (account.get("BalanceMap") or {}).items():
        kind = KIND_OF.get(type_)
        if kind is None:
            continue
        for each in balances or ():
            amount = dialect.amount(kind, each.get("Value", 0))
            unlimited = amount >= UNLIMITED_FROM
            if kind != "money":
                amount = max(0, amount)
            name = str(each.get("ID") or "")
            yield Balance(
                id=uuid5(_OURS, str(each.get("Uuid") or f"{account.get('ID')}/{type_}/{name}")),
                name=name,
                kind=kind,
                amount=0 if unlimited else amount,
                is_unlimited=unlimited,
                order=dialect.order(each.get("Weight")),
                scope=dialect.scope(each.get("DestinationIDs")),
                expires_at=moment(each.get("ExpirationDate")),
                blocker=bool(each.get("Blocker")),
                disabled=bool(each.get("Disabled")) or bool(account.get("Disabled")),
            )


def names_in(account: Mapping[str, Any], type_: str) -> set[str]:
    return {str(each.get("ID")) for each in (account.get("BalanceMap") or {}).get(type_) or ()}


def order_for(put: Put, name: str, dialect: Dialect, *, account: str) -> dict[str, Any]:
    """The parameters of AddBalance. With the same ID and Overwrite, doing it twice sets it, and does not add."""
    type_ = TYPE_OF[put.kind]
    balance: dict[str, Any] = {"ID": name, "Weight": dialect.weight(put.consume_order), "Blocker": put.blocker}
    balance["ExpiryTime"] = put.expires_at.astimezone(UTC).isoformat() if put.expires_at else "*unlimited"
    if put.scope != "any":
        balance["DestinationIDs"] = dialect.destinations[put.scope]
    return {
        "Tenant": dialect.tenant,
        "Account": account,
        "BalanceType": type_,
        "Value": dialect.value(put.kind, put.amount or 0),
        "Balance": balance,
        "ActionExtraData": {"order_id": name},
        "Overwrite": True,
        "Cdrlog": True,
    }


def label_of(balance: Balance) -> str:
    """Where we did not put it in ourselves, its name there; a technical one becomes the plain word."""
    if balance.name and not balance.name.startswith("*") and not _is_uuid(balance.name):
        return balance.name.replace("_", " ")[:100]
    plain = {"data": _("Data"), "voice": _("Minutes"), "sms": _("Texts"), "mms": _("Picture messages")}
    return (plain | {"money": _("Credit")}).get(balance.kind, _("Allowance"))


def moment(text: Any) -> datetime | None:
    """None for the zero time of Go, which means never."""
    if not text or str(text).startswith("0001-"):
        return None
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(UTC)


def go_time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds_of(usage: Any) -> int:
    """A duration as Go writes it ("1h2m3.5s"), or nanoseconds; a second that began counts."""
    text = str(usage)
    if text.isascii() and text.isdigit():
        return -(-int(text) // NANOSECONDS)
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration")
    exact = sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal(0))
    return int(exact.to_integral_value(ROUND_CEILING))


def _decimal(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no number") from error
    if not number.is_finite():
        raise ValueError(f"{value!r} is no number")
    return number


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
