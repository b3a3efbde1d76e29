"""Five wrong passwords lock for half an hour; one mail of each kind; nobody learns whether the address exists."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.kernel import clock
from tests.support.browser import Browser
from tests.support.mail import mails_to


async def fail(visitor: Browser, email: str, times: int) -> list[int]:
    return [(await visitor.sign_in(email, "Wrong-Pass-1!")).status for _ in range(times)]


async def test_four_failures_lock_nothing(visitor: Browser) -> None:
    assert await fail(visitor, "asha@example.test", 4) == [422] * 4
    assert (await visitor.sign_in("asha@example.test")).path == "/"


async def test_while_locked_the_right_password_is_refused_too(visitor: Browser) -> None:
    await fail(visitor, "asha@example.test", 4)
    fifth = await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    assert "Locked for 30 minutes" in fifth.text
    right = await visitor.sign_in("asha@example.test")
    assert right.status == 422
    assert "Locked for 30 minutes" in right.text


async def test_after_half_an_hour_the_door_opens_again(visitor: Browser) -> None:
    await fail(visitor, "asha@example.test", 5)
    clock.travel_by(timedelta(minutes=29))
    assert (await visitor.sign_in("asha@example.test")).status == 422
    clock.travel_by(timedelta(minutes=1))
    assert (await visitor.sign_in("asha@example.test")).path == "/"


async def test_another_spelling_counts_as_the_same_address(visitor: Browser) -> None:
    for email in (
        "asha@example.test",
        "ASHA@example.test",
        " asha@EXAMPLE.test",
        "Asha@Example.Test",
        "asha@example.TEST",
    ):
        await visitor.sign_in(email, "Wrong-Pass-1!")
    assert "Locked" in (await visitor.sign_in("asha@example.test")).text


async def test_an_unknown_address_is_locked_in_the_same_words(visitor: Browser) -> None:
    known = [(await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")).text for _ in range(5)]
    unknown = [(await visitor.sign_in("nobody@example.test", "Wrong-Pass-1!")).text for _ in range(5)]
    assert known == unknown


async def test_one_notice_and_one_way_back_per_lock(app: Application, visitor: Browser) -> None:
    await fail(visitor, "asha@example.test", 5)
    clock.travel_by(timedelta(minutes=6))
    await fail(visitor, "asha@example.test", 4)
    subjects = [mail.subject for mail in await mails_to(app, "asha@example.test")]
    assert len(subjects) == 2, subjects
    assert await mails_to(app, "nobody@example.test") == []


async def test_after_three_locks_a_day_no_more_mail(app: Application, visitor: Browser) -> None:
    for _ in range(4):
        await fail(visitor, "asha@example.test", 5)
        clock.travel_by(timedelta(minutes=31))
    locks = [mail for mail in await mails_to(app, "asha@example.test") if "locked" in mail.subject.lower()]
    assert len(locks) == 3


async def test_who_is_signed_in_stays_signed_in(asha: Browser, visitor: Browser) -> None:
    await fail(visitor, "asha@example.test", 5)
    assert (await asha.open("/")).path == "/"


async def test_a_success_clears_the_count(visitor: Browser) -> None:
    for _ in range(3):
        await fail(visitor, "asha@example.test", 4)
        assert (await visitor.sign_in("asha@example.test")).path == "/"
        visitor.client.cookies.clear()
        clock.travel_by(timedelta(minutes=6))


async def test_ten_failures_from_one_address_are_too_many(visitor: Browser) -> None:
    statuses = [(await visitor.sign_in(f"n{n}@example.test", "Wrong-Pass-1!")).status for n in range(11)]
    assert statuses == [422] * 10 + [429]
    clock.travel_by(timedelta(minutes=5))
    assert (await visitor.sign_in("asha@example.test")).path == "/"
