"""The same code, backup code or passkey answer, tried 24 times by two processes at once, opens exactly once.

And of passkeys that are all removed at once, one remains where it is the last way in.
"""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.identity.tables import BackupCode, Passkey, User
from selfcare.kernel import clock
from tests.portal.account.security.runners import together
from tests.portal.account.security.test_passkeys import add
from tests.support import site
from tests.support.browser import Browser
from tests.support.second_step import set_up


async def test_a_code_of_the_app(app: Application, demo_url: str, asha: Browser) -> None:
    phone, _ = await set_up(asha)
    clock.travel_by(timedelta(seconds=30))
    keys = [key.hex() for key in site.settings_for(demo_url).totp_keys]
    assert sum(await together(demo_url, "code", str(people.ASHA.id), phone.code(), keys)) == 1


async def test_a_backup_code(demo_url: str, asha: Browser) -> None:
    await set_up(asha)
    (row, *_) = await BackupCode.select(BackupCode.id).where(BackupCode.user_id == people.ASHA.id)
    assert sum(await together(demo_url, "backup_code", str(row["id"]))) == 1
    used = await BackupCode.count().where(BackupCode.user_id == people.ASHA.id).where(BackupCode.used_at.is_not_null())
    assert used == 1


async def test_an_answer_of_a_passkey(demo_url: str, asha: Browser) -> None:
    await add(asha)
    (row,) = await Passkey.select(Passkey.id)
    assert sum(await together(demo_url, "passkey", str(row["id"]), str(people.ASHA.id), 7)) == 1
    (row,) = await Passkey.select(Passkey.sign_count)
    assert row["sign_count"] == 7


async def test_of_passkeys_that_are_all_removed_at_once_the_last_way_in_stays(demo_url: str, asha: Browser) -> None:
    for _ in range(4):
        await add(asha)
    rows = await Passkey.select(Passkey.id).where(Passkey.user_id == people.ASHA.id)
    async with transaction():
        await User.update({User.password_hash: None}).where(User.id == people.ASHA.id)
    ids = [str(row["id"]) for row in rows]
    assert sum(await together(demo_url, "remove_passkey", str(people.ASHA.id), ids)) == 3
    assert await Passkey.count().where(Passkey.removed_at.is_null()) == 1
