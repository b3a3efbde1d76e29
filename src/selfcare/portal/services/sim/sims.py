"""The SIM of a service: how it is doing, and its codes for whoever has just proved who they are.

Every showing of a code is written down. A code is never mailed, logged or kept by a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import segno

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch_one
from selfcare.identity import holds, limits, sealed
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel.errors import NotFound, Unavailable
from selfcare.kernel.words import _

PUK_SHOWN_SECONDS = 60
ESIM_SHOWN_SECONDS = 600
WRONG_PUKS = 10
STEPS = ("released", "downloaded", "installed", "enabled")

_FIND = Prepared.sql(
    """
    SELECT m.id AS id, m.kind AS kind, COALESCE(m.iccid, s.iccid) AS iccid, m.eid AS eid, m.state AS state,
           m.state_at AS state_at, m.confirmation_code_required AS confirmation, m.pin1 AS pin1, m.puk1 AS puk1,
           m.pin2 AS pin2, m.puk2 AS puk2, m.activation_code AS activation_code, s.state AS service_state
      FROM service s
      LEFT JOIN sim m ON m.customer_id = s.customer_id AND m.service_id = s.id AND m.replaced_at IS NULL
     WHERE s.customer_id = :customer_id AND s.id = :service_id
    """
)


@dataclass(frozen=True, slots=True)
class Sim:
    """What may be shown to whoever may see the service. `kind` and `state` are None where only the number is known."""

    kind: str | None
    iccid: str
    eid_ending: str | None
    state: str | None
    state_at: datetime | None
    has_puk: bool
    installable: bool

    @property
    def is_esim(self) -> bool:
        return self.kind == "esim"

    @property
    def steps(self) -> list[tuple[str, str]]:
        """The life of a profile: (done, now or next; which step). Empty where it has left that line."""
        if not self.is_esim or self.state not in STEPS:
            return []
        reached = STEPS.index(self.state)
        last = reached == len(STEPS) - 1
        return [
            ("done" if n < reached or last else "now" if n == reached else "next", step) for n, step in enumerate(STEPS)
        ]


@dataclass(frozen=True, slots=True)
class Codes:
    """The PIN is the one it was delivered with."""

    puk1: str
    pin1: str | None
    puk2: str | None
    pin2: str | None


@dataclass(frozen=True, slots=True)
class Activation:
    """An eSIM profile to install, as picture, as text and as links for the phone it is read on."""

    code: str
    server: str
    matching_id: str
    confirmation_code_required: bool

    @property
    def qr(self) -> list[str]:
        """The rows of the QR code: "1" is dark."""
        code = segno.make(self.code, error="m", micro=False)
        return ["".join("1" if dark else "0" for dark in row) for row in code.matrix_iter(border=2)]

    @property
    def for_ios(self) -> str:
        return f"https://esimsetup.apple.com/esim_qrcode_provisioning?carddata={quote(self.code, safe='')}"

    @property
    def for_android(self) -> str:
        return f"https://esimsetup.android.com/esim_qrcode_provisioning?carddata={quote(self.code, safe='')}"


async def get_sim(scope: CustomerScope, service_id: UUID) -> Sim:
    """Raises NotFound, also for a service without a SIM and one of somebody else."""
    return _sim(await _row(scope, service_id))


async def show_codes(identity: Identity, service_id: UUID, keys: Sequence[bytes]) -> Codes:
    """Raises NotFound where there is none, limits.TooOften."""
    row = await _row(identity.customer, service_id)
    if row["puk1"] is None:
        raise NotFound
    codes = {name: _unsealed(row, name, keys) for name in ("puk1", "pin1", "puk2", "pin2")}
    await _write_down(identity, service_id, "puk")
    return Codes(puk1=codes["puk1"] or "", pin1=codes["pin1"], puk2=codes["puk2"], pin2=codes["pin2"])


async def show_activation(identity: Identity, service_id: UUID, keys: Sequence[bytes]) -> Activation:
    """Raises NotFound where there is none to install any more, limits.TooOften."""
    row = await _row(identity.customer, service_id)
    if not _sim(row).installable:
        raise NotFound
    code = _unsealed(row, "activation_code", keys) or ""
    parts = code.split("$")
    if len(parts) < 3:
        raise _unreadable()
    await _write_down(identity, service_id, "esim")
    return Activation(code, parts[1], parts[2], row["confirmation"])


def seal(sim_id: UUID, name: str, code: str, keys: Sequence[bytes]) -> str:
    """A code as its column holds it; it can be read in that column of that row only."""
    return sealed.seal(code.encode(), keys, f"sim/{sim_id}/{name}")


def _unsealed(row: dict[str, Any], name: str, keys: Sequence[bytes]) -> str | None:
    if row[name] is None:
        return None
    try:
        return sealed.unseal(row[name], keys, f"sim/{row['id']}/{name}").decode()
    except sealed.Unreadable as error:
        raise _unreadable() from error


def _unreadable() -> Unavailable:
    return Unavailable(_("We cannot read this code at the moment. Call us and we will tell you another way."))


async def _write_down(identity: Identity, service_id: UUID, kind: str) -> None:
    await holds.check(identity.user_id)
    await limits.claim(limits.SIM_CODES_BY_USER, str(identity.actor_id))
    async with transaction():
        await audit.record(identity, Event.SERVICES_SECRET_SHOWN, about=service_id, kind=kind)


async def _row(scope: CustomerScope, service_id: UUID) -> dict[str, Any]:
    asked = _FIND.bind(customer_id=scope.customer_id, service_id=service_id)
    row = await fetch_one(asked) if scope.covers(service_id) else None
    if row is None or row["iccid"] is None or row["service_state"] == "ended":
        raise NotFound
    return row


def _sim(row: dict[str, Any]) -> Sim:
    return Sim(
        kind=row["kind"],
        iccid=f"•••• {row['iccid'][-4:]}",
        eid_ending=row["eid"][-4:] if row["eid"] else None,
        state=row["state"],
        state_at=row["state_at"],
        has_puk=row["puk1"] is not None,
        installable=row["kind"] == "esim" and row["state"] == "released" and row["activation_code"] is not None,
    )
