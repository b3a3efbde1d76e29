"""Two processes that guess, or use one link, at the same moment."""

from __future__ import annotations

import asyncio

from selfcare.app import build_ports, configure
from selfcare.identity.passwords import Checked, Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.sessions import Limits
from selfcare.kernel.errors import DeadLink
from selfcare.kernel.origin import Origin
from selfcare.portal.sign_in import sign_ins
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.portal.sign_in.sign_ins import IsLocked, NotSignedIn, Wishes
from tests.support import processes
from tests.support.databases import opened
from tests.support.site import settings_for

TRIES = 12


class Counting(Passwords):
    """Knows how many passwords it was asked about."""

    asked = 0

    async def check(self, stored: str | None, password: str) -> Checked:
        self.asked += 1
        return await super().check(stored, password)


async def guess(url: str, email: str, password: str, half: int) -> int:
    """How many guesses got as far as the hash. Each comes from an address of its own, as a botnet's would."""
    ports = build_ports(settings_for(url))
    passwords = Counting(memory_kib=64, passes=1, threads=2)

    async def one(n: int) -> None:
        try:
            await sign_ins.enter(
                email,
                f"{password}{n}",
                Origin(f"198.51.{half}.{n}", "test", f"R-{half}-{n}"),
                Wishes(),
                passwords=passwords,
                jobs=ports.jobs,
                messages=ports.messages,
                session_limits=Limits(),
            )
        except (NotSignedIn, IsLocked):
            return
        raise AssertionError("a wrong password opened the door")

    await asyncio.gather(*(one(n) for n in range(TRIES)))
    passwords.close()
    return passwords.asked


async def reset(url: str, token: str, password: str, half: int) -> int:
    """How many uses of one link set a new password."""
    passwords = Passwords(memory_kib=64, passes=1, threads=2)
    messages = build_ports(settings_for(url)).messages

    async def one(n: int) -> bool:
        origin = Origin("192.0.2.7", "test", f"R-{half}-{n}")
        try:
            await recoveries.reset(
                token, f"{password}{half}{n}", origin, passwords=passwords, messages=messages, rules=Policy()
            )
        except DeadLink:
            return False
        return True

    done = sum(await asyncio.gather(*(one(n) for n in range(TRIES))))
    passwords.close()
    return done


WORK = {"guess": guess, "reset": reset}


async def run(url: str, name: str, what: str, password: str, half: int) -> int:
    configure(settings_for(url))
    async with opened(url):
        return await WORK[name](url, what, password, half)


async def together(url: str, name: str, what: str, password: str) -> int:
    """What two processes counted, summed."""
    return sum(await processes.together(run, *((url, name, what, password, half) for half in range(2))))
