"""The SIMs of the demo people. The codes are made up; no network knows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.demo.rows import Rows
from selfcare.demo.timeline import Timeline
from selfcare.portal.services.sim.sims import seal
from selfcare.portal.services.sim.tables import Sim
from selfcare.portal.services.tables import Service

SERVER = "rsp.lark.example"


def add_sims(rows: Rows, when: Timeline, keys: Sequence[bytes]) -> None:
    """For every line with a card number: Asha's new eSIM waits to be installed, some of Bloom's are eSIMs in use."""
    esims = {
        people.ASHA_MOBILE: ("released", when.at(-1, 17)),
        people.bloom_service(3): ("enabled", when.at(-200, 10)),
        people.bloom_service(4): ("downloaded", when.at(-1, 9)),
        people.bloom_service(12): ("released", when.at(0, 8)),
    }
    for service in rows.of[Service]:
        if service.get("iccid"):
            state, since = esims.get(service["id"], ("enabled", service["activated_at"] or service["created_at"]))
            kind = "esim" if service["id"] in esims else "physical"
            rows.add(Sim, _sim(service, kind, state, since, keys))


def _sim(service: dict[str, Any], kind: str, state: str, since: datetime, keys: Sequence[bytes]) -> dict[str, Any]:
    rng, id = Random(service["iccid"]), fixed(f"sim/{service['iccid']}")
    codes = {name: f"{rng.randrange(10**8):08}" for name in ("puk1", "puk2")}
    codes |= {name: f"{rng.randrange(10**4):04}" for name in ("pin1", "pin2")}
    if kind == "esim":
        codes["activation_code"] = f"LPA:1${SERVER}${rng.getrandbits(80):020X}"
    return {
        "id": id,
        "customer_id": service["customer_id"],
        "service_id": service["id"],
        "kind": kind,
        "iccid": service["iccid"],
        "eid": f"8904903200{rng.randrange(10**22):022}" if kind == "esim" and state != "released" else None,
        "confirmation_code_required": False,
        "state": state,
        "state_at": since,
        "created_at": since,
        **{name: seal(id, name, code, keys) for name, code in codes.items()},
    }
