"""Two processes that try the same secret at the same moment: `python -m tests.portal.account.security.runners …`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.identity import passkeys, totp
from selfcare.kernel import clock
from tests.support.databases import opened

TRIES = 12


async def code(user_id: str, typed: str, keys: list[str]) -> bool:
    async with transaction():
        return await totp.accept(UUID(user_id), typed, [bytes.fromhex(key) for key in keys]) is totp.Answer.RIGHT


async def backup_code(code_id: str) -> bool:
    async with transaction():
        return await totp.burn_code(UUID(code_id))


async def passkey(passkey_id: str, user_id: str, count: int) -> bool:
    try:
        async with transaction():
            await passkeys.use(passkeys.Answer(UUID(passkey_id), UUID(user_id), count))
    except passkeys.Refused:
        return False
    return True


async def try_often(url: str, at: str, name: str, *told: object) -> int:
    """How many of a dozen tries at once were let in."""
    one = {"code": code, "backup_code": backup_code, "passkey": passkey}[name]
    clock.travel_to(datetime.fromisoformat(at))
    async with opened(url):
        return sum(await asyncio.gather(*(one(*told) for _ in range(TRIES))))  # type: ignore[arg-type]


async def together(url: str, name: str, *told: object) -> list[int]:
    """What each of two processes counted."""
    said = json.dumps([url, clock.now().isoformat(), name, *told])
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.portal.account.security.runners", said, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    counted = [(await process.communicate())[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return [int(output) for output in counted]


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(try_often(*json.loads(sys.argv[1])))))
