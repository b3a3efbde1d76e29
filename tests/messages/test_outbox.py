from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from selfcare.adapters import mail_outbox
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.adapters.mail_outbox import NowhereSender, OutboxSender
from selfcare.adapters.outbox_tables import OutboxMail
from selfcare.db.engine import Database, transaction
from selfcare.identity.tables import User
from selfcare.jobs.registry import Registry
from selfcare.jobs.tables import JobRow
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.messages import outbox
from selfcare.messages.events import Message
from selfcare.messages.outbox import Outbox, Post
from selfcare.messages.tables import Notification
from selfcare.messages.values import pack, unpack
from selfcare.ports.messages import AddressRefused, Mail, MailDelayed, MailSender
from tests.messages.samples import AT, words

KEYS = (b"k" * 32,)
ASHA = new_id()


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.frozen(AT):
        yield


class Sender:
    """Answers what it is told to, and keeps what it took."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.took: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        if self.answers:
            raise self.answers.pop(0)
        self.took.append(mail)


def registry(sender: MailSender, keys: tuple[bytes, ...] = KEYS) -> Registry:
    known = Registry()
    post = Post(sender, words(), keys, from_name="Lark Mobile", from_address="help@lark.example")
    known.add(outbox.SEND, post.send_now, tries=3)
    known.add("messages.forget_old", outbox.forget_old)
    return known


@pytest.fixture
def jobs(database: Database) -> EmbeddedJobs:
    return EmbeddedJobs()


@pytest.fixture
def messages(jobs: EmbeddedJobs) -> Outbox:
    return Outbox(jobs, KEYS)


@pytest.fixture
async def asha(database: Database) -> User:
    user = User(
        id=ASHA, email="asha@example.test", display_name="Asha Rao", language="en", theme="system", created_at=AT
    )
    async with transaction():
        await User.insert(user)
    return user


async def ask_for_reset(messages: Outbox, key: str = "reset:1", **more: Any) -> None:
    async with transaction():
        await messages.send_later(
            Message.ACCOUNT_PASSWORD_RESET,
            dedupe_key=key,
            to_user=ASHA,
            until=AT + timedelta(hours=1),
            path="/sign-in/reset?token=SECRET",
            **more,
        )


async def the_row() -> dict[str, Any]:
    (row,) = await Notification.select()
    return row


async def test_a_mail_goes_to_the_user_with_the_link_in_it(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    sender = Sender()
    await ask_for_reset(messages)
    assert await jobs.drain(registry(sender)) == 1
    (mail,) = sender.took
    assert (mail.to, mail.from_address, mail.subject) == (
        "asha@example.test",
        "help@lark.example",
        "Choose a new password",
    )
    assert "Hello Asha Rao," in mail.text
    assert "https://my.lark.example/sign-in/reset?token=SECRET\n" in mail.text
    assert 'href="https://my.lark.example/sign-in/reset?token=SECRET"' in mail.html


async def test_the_copy_that_stays_opens_nothing(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    await ask_for_reset(messages)
    waiting = await the_row()
    assert "SECRET" not in str(waiting)
    assert "SECRET" not in str(await JobRow.select())
    await jobs.drain(registry(Sender()))
    row = await the_row()
    assert (row["state"], row["sent_at"], row["sealed"], row["tries"]) == ("sent", AT, None, 1)
    assert row["subject"] == "Choose a new password"
    assert "[this link was only in the mail]" in row["body"]
    assert "SECRET" not in str(row)


async def test_a_rollback_takes_the_message_with_it(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await messages.send_later("account.welcome", dedupe_key="w", to_user=ASHA, customer="Bloom Ltd")
            raise ZeroDivisionError
    assert await jobs.drain(registry(Sender())) == 0
    assert not await Notification.exists()


async def test_one_key_is_one_mail(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    sender = Sender()
    await ask_for_reset(messages)
    await ask_for_reset(messages)
    await jobs.drain(registry(sender))
    await ask_for_reset(messages)
    await jobs.drain(registry(sender))
    assert len(sender.took) == 1


async def test_a_mail_to_an_address_greets_nobody_by_name(messages: Outbox, jobs: EmbeddedJobs) -> None:
    sender = Sender()
    async with transaction():
        await messages.send_later(
            "account.verify_email", dedupe_key="v", to_address="new@example.test", until=AT, path="/account/email?t=1"
        )
    await jobs.drain(registry(sender))
    assert sender.took[0].to == "new@example.test"
    assert sender.took[0].text.startswith("Hello,\n")


async def test_it_goes_to_the_address_the_user_has_when_it_is_sent(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    sender = Sender()
    await ask_for_reset(messages)
    async with transaction():
        await User.update({User.email: "other@example.test"}).where(User.id == ASHA)
    await jobs.drain(registry(sender))
    assert sender.took[0].to == "other@example.test"


async def test_security_goes_before_the_rest(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    sender = Sender()
    async with transaction():
        await messages.send_later(
            "request.answered", dedupe_key="r", to_user=ASHA, kind="Other", state="done", path="/account/requests/1"
        )
    await ask_for_reset(messages)
    await jobs.drain(registry(sender))
    assert [mail.subject for mail in sender.took] == ["Choose a new password", "An answer to your request"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"until": AT}, "needs path"),
        ({"until": AT, "path": "/x", "password": "x"}, "does not take password"),
    ],
)
async def test_values_are_those_the_message_declares(messages: Outbox, values: dict[str, object], says: str) -> None:
    async with transaction():
        with pytest.raises(TypeError, match=says):
            await messages.send_later("account.password_reset", dedupe_key="r", to_user=ASHA, **values)


async def test_a_link_to_another_site_is_refused_when_it_is_asked_for(messages: Outbox) -> None:
    async with transaction():
        with pytest.raises(ValueError, match="path of this site"):
            await messages.send_later(
                "account.password_reset", dedupe_key="r", to_user=ASHA, until=AT, path="https://evil.example/"
            )


async def test_a_message_goes_to_somebody(messages: Outbox) -> None:
    async with transaction():
        for to in ({}, {"to_user": ASHA, "to_address": "a@example.test"}):
            with pytest.raises(TypeError, match="to a user or to an address"):
                await messages.send_later("account.welcome", dedupe_key="w", customer="Bloom", **to)  # type: ignore[arg-type]


async def test_a_message_that_is_not_in_the_list_is_refused(messages: Outbox) -> None:
    async with transaction():
        with pytest.raises(KeyError):
            await messages.send_later("account.nonsense", dedupe_key="w", to_user=ASHA)


async def test_what_is_delayed_is_tried_again_with_the_same_message_id(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    sender = Sender(MailDelayed("451 try again"))
    await ask_for_reset(messages)
    known = registry(sender)
    await jobs.run_due(known)
    assert (await the_row())["state"] == "queued"
    clock.travel_by(timedelta(minutes=1))
    await jobs.run_due(known)
    row = await the_row()
    assert (row["state"], row["tries"]) == ("sent", 2)
    assert sender.took[0].message_id == f"<{row['id']}@lark.example>"


async def test_a_refused_address_is_flagged_and_not_tried_again(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    sender = Sender(AddressRefused(550, "no such mailbox"))
    await ask_for_reset(messages)
    assert await jobs.drain(registry(sender)) == 1
    row = await the_row()
    assert (row["state"], row["last_error"], row["sealed"]) == ("failed", "550 no such mailbox", None)
    assert await outbox.is_refused("Asha@example.test")
    clock.travel_by(timedelta(hours=1))
    assert await jobs.drain(registry(sender)) == 0


async def test_a_flagged_address_gets_security_mail_only_until_one_arrives(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    sender = Sender(AddressRefused(550, "no such mailbox"))
    await ask_for_reset(messages)
    await jobs.drain(registry(sender))

    async def answer(key: str) -> None:
        async with transaction():
            await messages.send_later(
                "request.answered", dedupe_key=key, to_user=ASHA, kind="Other", state="done", path="/account"
            )
        await jobs.drain(registry(sender))

    await answer("first")
    assert sender.took == []
    await ask_for_reset(messages, "reset:2")
    await jobs.drain(registry(sender))
    assert not await outbox.is_refused("asha@example.test")
    await answer("second")
    assert [mail.subject for mail in sender.took] == ["Choose a new password", "An answer to your request"]


async def test_what_waited_too_long_is_not_sent(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    sender = Sender()
    await ask_for_reset(messages, expires_at=AT + timedelta(hours=1))
    clock.travel_by(timedelta(hours=1))
    await jobs.drain(registry(sender))
    row = await the_row()
    assert (row["state"], row["sealed"], sender.took) == ("dropped", None, [])


async def test_nobody_is_written_to_who_is_gone(messages: Outbox, jobs: EmbeddedJobs) -> None:
    await ask_for_reset(messages)
    await jobs.drain(registry(Sender()))
    assert (await the_row())["state"] == "dropped"


async def test_links_outlive_a_change_of_keys_but_not_the_loss_of_them(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    sender = Sender()
    await ask_for_reset(messages)
    await jobs.drain(registry(sender, (b"n" * 32, *KEYS)))
    assert "SECRET" in sender.took[0].text
    await ask_for_reset(messages, "reset:2")
    await jobs.drain(registry(sender, (b"n" * 32,)))
    rows = await Notification.select(Notification.state).order_by(Notification.id)
    assert [row["state"] for row in rows] == ["sent", "failed"]


async def test_without_a_mail_server_production_keeps_no_link(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    await ask_for_reset(messages)
    await jobs.drain(registry(NowhereSender()))
    row = await the_row()
    assert (row["state"], row["last_error"]) == ("dropped", "no mail server is set up")
    assert not await OutboxMail.exists()


async def test_the_outbox_keeps_the_whole_mail_once(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    await ask_for_reset(messages)
    await jobs.drain(registry(OutboxSender()))
    (kept,) = await OutboxMail.select()
    assert kept["mail_to"] == "asha@example.test"
    assert kept["mail_from"] == "Lark Mobile <help@lark.example>"
    assert "token=SECRET" in kept["text"]
    mail = Mail(kept["id"], "x@example.test", "L", "l@example.test", "S", "T", "H", AT)
    await OutboxSender().send(mail)
    assert await OutboxMail.count() == 1


async def test_old_copies_go_and_links_that_wait_too_long_go_first(
    messages: Outbox, jobs: EmbeddedJobs, asha: User
) -> None:
    async def clean(key: str) -> None:
        async with transaction():
            await jobs.enqueue("messages.forget_old", key=key, payload={}, priority=-100)
        await jobs.run_due(registry(Sender(MailDelayed("451"), MailDelayed("451"), MailDelayed("451"))), limit=1)

    await ask_for_reset(messages)
    await clean("a")
    assert (await the_row())["sealed"] is not None
    clock.travel_by(timedelta(days=3))
    await clean("b")
    assert ((await the_row())["state"], (await the_row())["sealed"]) == ("dropped", None)
    clock.travel_by(timedelta(days=730))
    await clean("c")
    assert not await Notification.exists()


async def test_the_outbox_is_emptied_after_a_month(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    known = registry(OutboxSender())
    known.add("outbox.forget_old", mail_outbox.forget_old)
    await ask_for_reset(messages)
    await jobs.drain(known)
    for days, kept in ((30, 1), (1, 0)):
        clock.travel_by(timedelta(days=days))
        async with transaction():
            await jobs.enqueue("outbox.forget_old", key=f"{days}", payload={})
        await jobs.drain(known)
        assert await OutboxMail.count() == kept


async def test_who_wants_to_be_forgotten_is(messages: Outbox, jobs: EmbeddedJobs, asha: User) -> None:
    await ask_for_reset(messages)
    async with transaction():
        await messages.send_later(
            "account.verify_email", dedupe_key="v", to_address="New@example.test", until=AT, path="/account?t=1"
        )
        await messages.send_later(
            "account.verify_email", dedupe_key="o", to_address="other@example.test", until=AT, path="/account?t=1"
        )
        await outbox.forget_person(ASHA, "asha@example.test", "new@example.test")
    assert (await the_row())["address"] == "other@example.test"


def test_values_come_back_as_they_went() -> None:
    values: dict[str, object] = {"at": AT, "day": AT.date(), "amount": Money(1000, "GBP"), "left": 3, "name": "Ünal"}
    assert unpack(pack(values)) == values


def test_a_value_that_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        pack({"amount": 9.99})


def test_headers_are_those_of_a_machine() -> None:
    mail = Mail(ASHA, "asha@example.test", "Lärk", "help@lark.example", "Grüße", "text", "<p>html</p>", AT).as_email()
    assert mail["Message-ID"] == f"<{ASHA}@lark.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == datetime(2026, 11, 22, 19, 4, tzinfo=UTC)
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("to", ["a@example.test\r\nBcc: b@example.test", "a b@example.test", "", "a@b@c", "x"])
def test_an_address_that_would_break_out_of_its_line_is_refused(to: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Mail(ASHA, to, "L", "help@lark.example", "S", "T", "H", AT).as_email()


def test_a_subject_that_would_break_out_of_its_line_is_refused() -> None:
    with pytest.raises(ValueError, match="linefeed"):
        Mail(ASHA, "a@example.test", "L", "l@lark.example", "S\r\nBcc: b@example.test", "T", "H", AT).as_email()
