"""One link lets one person in, and one owner always remains, also when two processes are in a hurry."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import insert_many
from selfcare.demo import people
from selfcare.identity.tables import Membership, User
from selfcare.kernel import clock, ids
from tests.portal.account.people.runners import together
from tests.portal.account.people.test_people import invite
from tests.support.browser import Browser
from tests.support.mail import link_in


async def test_an_invitation_lets_exactly_one_in(app: Application, demo_url: str, asha: Browser) -> None:
    await invite(asha, "new@example.test", role="owner")
    token = (await link_in(app, "new@example.test", "invites you")).partition("token=")[2]
    assert await together(demo_url, "join", token) == 1
    joined = await Membership.count().where(Membership.customer_id == people.PATEL.id)
    assert joined == 3
    assert await User.count().where(User.email == "new@example.test") == 1


async def test_of_many_owners_who_all_leave_at_once_exactly_one_remains(app: Application, demo_url: str) -> None:
    now = clock.now()
    new = [ids.new_id() for _ in range(11)]
    async with transaction():
        await insert_many(
            User,
            [
                {"id": id, "email": f"{id}@example.test", "language": "en", "theme": "system", "created_at": now}
                for id in new
            ],
        )
        about = {"customer_id": people.NEWMAN.id, "role": "owner", "accepted_at": now}
        await insert_many(Membership, [{"id": ids.new_id(), "user_id": id} | about for id in new])
    assert await together(demo_url, "remove", str(people.NEWMAN.id)) == 11
    left = (
        await Membership.count()
        .where(Membership.customer_id == people.NEWMAN.id)
        .where(Membership.removed_at.is_null())
    )
    assert left == 1
