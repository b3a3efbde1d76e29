"""Something is used right now: for the demo page, through the same door as what the network sends."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any
from uuid import UUID

from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Charging, Taken, Use

MB = 10**6
FRIENDS = ("+447700900301", "+447700900302", "+447700900305", "+441134960222")


class What(StrEnum):
    DATA = "data"
    VIDEO = "video"
    CALL = "call"
    CALL_ABROAD = "call_abroad"
    TEXT = "text"
    PICTURE = "picture"
    ROAMING = "roaming"


# How often each happens on its own, in a hundred.
USUAL = {What.DATA: 55, What.VIDEO: 10, What.CALL: 15, What.TEXT: 12, What.PICTURE: 3, What.CALL_ABROAD: 3}
USUAL |= {What.ROAMING: 2}


@dataclass(frozen=True, slots=True)
class Happened:
    what: What
    use: Use
    taken: Taken


async def use_something(
    charging: Charging, service_id: UUID, *, what: What | None = None, currency: str = "GBP", rng: Random | None = None
) -> Happened:
    """One realistic use of this service, just now; `what` None leaves it to chance. Counted before it returns."""
    rng = rng or Random()
    what = what or rng.choices(list(USUAL), list(USUAL.values()))[0]
    use = a_use(what, service_id, currency, rng)
    return Happened(what, use, await charging.take([use]))


def a_use(what: What, service_id: UUID, currency: str, rng: Random) -> Use:
    now = clock.now().replace(microsecond=0)
    common: dict[str, Any] = {"id": f"demo-now-{new_id()}", "service": str(service_id), "at": now, "currency": currency}
    friend = rng.choice(FRIENDS)
    seconds = min(3600, int(rng.expovariate(1 / 190)) + 8)
    minutes = seconds // 60 + 1
    match what:
        case What.DATA | What.VIDEO | What.ROAMING:
            most = {What.DATA: 60, What.VIDEO: 900, What.ROAMING: 40}[what]
            size = rng.randint(most // 4 * MB, most * MB)
            abroad = what is What.ROAMING
            return Use(
                **common,
                kind="data",
                class_="roaming" if abroad else "on_net",
                amount=size,
                cost_minor=max(1, size // MB * (5 if abroad else 2)),
                seconds=rng.randint(60, 3600),
                country="FR" if abroad else None,
            )
        case What.CALL:
            return Use(**common, kind="call", amount=seconds, cost_minor=minutes * 10, other_party=friend)
        case What.CALL_ABROAD:
            return Use(
                **common,
                kind="call",
                class_="international",
                amount=seconds,
                cost_minor=minutes * 15,
                other_party="+33155501234",
                country="FR",
            )
        case What.TEXT:
            return Use(**common, kind="sms", amount=1, cost_minor=5, other_party=friend)
        case What.PICTURE:
            return Use(**common, kind="mms", amount=1, cost_minor=30, other_party=friend)
