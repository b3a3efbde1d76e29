"""Two processes that guess, or use one link, at the same moment: `python -m tests.portal.sign_in.runners …`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime

from selfcare.app import build_ports, configure
from selfcare.identity.passwords import Checked, Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.sessions import Limits
from selfcare.kernel import clock
from selfcare.kernel.errors import DeadLink
from selfcare.kernel.origin import Origin
from selfcare.portal.sign_in import sign_ins
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.portal.sign_in.sign_ins import IsLocked, NotSignedIn, Wishes
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


async def run(url: str, at: str, name: str, what: str, password: str, half: int) -> int:
    clock.travel_to(datetime.fromisoformat(at))
    configure(settings_for(url))
    async with opened(url):
        return await {"guess": guess, "reset": reset}[name](url, what, password, half)


async def together(url: str, name: str, what: str, password: str) -> int:
    """What two processes counted, summed."""
    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.portal.sign_in.runners"),
            json.dumps([url, clock.now().isoformat(), name, what, password, half]),
            stdout=asyncio.subprocess.PIPE,
        )
        for half in range(2)
    ]
    counted = [(await process.communicate())[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return sum(int(output) for output in counted)


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(run(*json.loads(sys.argv[1])))))
