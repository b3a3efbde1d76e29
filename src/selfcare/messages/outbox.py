"""Messages are rows first: written with what they tell about, sent by a job, and kept as a copy without live links."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.identity.sealed import Unreadable, seal, unseal
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.messages.events import LIFE, Category, Message
from selfcare.messages.rendering import Removed, Rendered, Words, checked_path
from selfcare.messages.values import pack, unpack
from selfcare.ports.jobs import Jobs
from selfcare.ports.messages import AddressRefused, Mail, MailNotSetUp, MailSender

SEND = "messages.send"
# With the waits of the jobs in between: most of a day.
TRIES = 24
KEPT = timedelta(days=730)
AT_ONCE = 500


class Outbox:
    """The Messages port over our own tables."""

    def __init__(self, jobs: Jobs, keys: Sequence[bytes]) -> None:
        self.jobs = jobs
        self.keys = keys

    async def send_later(
        self,
        event: Message | str,
        *,
        dedupe_key: str,
        to_user: UUID | None = None,
        to_address: str | None = None,
        customer_id: UUID | None = None,
        about: UUID | str | None = None,
        expires_at: datetime | None = None,
        **values: object,
    ) -> None:
        message = Message.named(event)
        if (to_user is None) == (to_address is None):
            raise TypeError("a message goes to a user or to an address")
        check_values(message, values)
        id, now = new_id(), clock.now()
        secrets = {name: value for name, value in values.items() if name in message.secret}
        plain = {name: value for name, value in values.items() if name not in message.secret}
        added = await execute(
            ADD.bind(
                id=id,
                event=message.value,
                category=message.category.value,
                user_id=to_user,
                customer_id=customer_id,
                address=to_address,
                about=None if about is None else str(about)[:64],
                dedupe_key=dedupe_key,
                details=pack(plain),
                sealed=seal(json.dumps(secrets).encode(), self.keys, str(id)) if secrets else None,
                created_at=now,
                expires_at=expires_at or now + LIFE,
            )
        )
        if added:
            await self.jobs.enqueue(
                SEND, key=f"message:{id}", payload={"id": str(id)}, priority=message.category.priority
            )


ADD = Prepared.sql(
    """
    INSERT INTO notification (id, event, category, channel, user_id, customer_id, address, about, dedupe_key, state,
        details, sealed, tries, created_at, expires_at)
    VALUES (:id, :event, :category, 'email', :user_id, :customer_id, :address, :about, :dedupe_key, 'queued',
        :details, :sealed, 0, :created_at, :expires_at)
    ON CONFLICT (dedupe_key) DO NOTHING RETURNING id
    """
)


def check_values(message: Message, values: Mapping[str, object]) -> None:
    if missing := message.required - values.keys():
        raise TypeError(f"{message.value} needs {', '.join(sorted(missing))}")
    if unknown := values.keys() - message.allowed:
        raise TypeError(f"{message.value} does not take {', '.join(sorted(unknown))}")
    for name in ({"path"} & values.keys()) | message.secret:
        checked_path(values[name])


class Post:
    """Sends what waits: the handler of the job."""

    def __init__(
        self, sender: MailSender, words: Words, keys: Sequence[bytes], *, from_name: str, from_address: str
    ) -> None:
        self.sender = sender
        self.words = words
        self.keys = keys
        self.from_name = from_name
        self.from_address = from_address

    async def send_now(self, job: Job) -> None:
        row = await fetch_one(FIND.bind(id=UUID(job.payload["id"])))
        if row is None or row["state"] != "queued":
            return
        why = await self._why_not(row)
        if why is not None:
            await _settle(row["id"], "dropped", error=why)
            return
        to = row["address"] or row["email"]
        try:
            secrets = self._secrets(row)
        except Unreadable:
            await _settle(row["id"], "failed", error="the links of this message cannot be read with the keys of today")
            return
        mail, copy = self._mail(row, to, secrets), self._render(row, dict.fromkeys(secrets, Removed()))
        await _count_try(row["id"])
        try:
            await self.sender.send(mail)
        except AddressRefused as refused:
            await _settle(row["id"], "failed", error=str(refused), flag=(to, refused.code))
        except MailNotSetUp:
            await _settle(row["id"], "dropped", error="no mail server is set up", copy=copy)
        else:
            await _settle(row["id"], "sent", copy=copy, clear=to)

    async def _why_not(self, row: Row) -> str | None:
        if row["address"] is None and row["email"] is None:
            return "this person is not here any more"
        if row["expires_at"] <= clock.now():
            return "it waited too long"
        # What a person must know is tried again; the rest spares everybody a refusal.
        if row["category"] != Category.SECURITY and await is_refused(row["address"] or row["email"]):
            return "the address refused mail before"
        return None

    def _secrets(self, row: Row) -> dict[str, object]:
        if row["sealed"] is None:
            return {}
        secrets: dict[str, object] = json.loads(unseal(row["sealed"], self.keys, str(row["id"])))
        return secrets

    def _mail(self, row: Row, to: str, secrets: Mapping[str, object]) -> Mail:
        rendered = self._render(row, secrets)
        return Mail(
            id=row["id"],
            to=to,
            from_name=self.from_name,
            from_address=self.from_address,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
            at=clock.now(),
        )

    def _render(self, row: Row, secrets: Mapping[str, object]) -> Rendered:
        name = (row["display_name"] or "") if row["address"] is None else ""
        values = {**unpack(row["details"]), **secrets}
        return self.words.render(Message.named(row["event"]), values, name=name, zone=row["zone"])


async def read_values(id: UUID) -> dict[str, Any]:
    """What a message was made of, but for its links. Raises NotFound."""
    row = await fetch_one(FIND.bind(id=id))
    if row is None:
        raise NotFound
    return dict(unpack(row["details"]))


FIND = Prepared.sql(
    """
    SELECT n.id, n.event, n.category, n.state, n.address, n.details, n.sealed, n.expires_at, u.email, u.display_name,
           u.zone
    FROM notification n LEFT JOIN app_user u ON u.id = n.user_id WHERE n.id = :id
    """,
    types={"details": as_json},
)


async def _count_try(id: UUID) -> None:
    async with transaction():
        await execute(TRIED.bind(id=id))


async def _settle(
    id: UUID,
    state: str,
    *,
    error: str | None = None,
    copy: Rendered | None = None,
    flag: tuple[str, int] | None = None,
    clear: str | None = None,
) -> None:
    now = clock.now()
    async with transaction():
        await execute(
            SETTLE.bind(
                id=id,
                state=state,
                error=None if error is None else error[:500],
                subject=copy.subject if copy else None,
                body=copy.text if copy else None,
                sent_at=now if state == "sent" else None,
            )
        )
        if flag is not None:
            await execute(FLAG.bind(address=flag[0].lower(), code=flag[1], at=now))
        if clear is not None:
            await execute(CLEAR.bind(address=clear.lower()))


TRIED = Prepared.sql("UPDATE notification SET tries = tries + 1 WHERE id = :id")
SETTLE = Prepared.sql(
    """
    UPDATE notification SET state = :state, sealed = NULL, last_error = :error, subject = :subject, body = :body,
        sent_at = :sent_at
    WHERE id = :id AND state = 'queued'
    """
)
FLAG = Prepared.sql(
    """
    INSERT INTO refused_address (address, code, at) VALUES (:address, :code, :at)
    ON CONFLICT (address) DO UPDATE SET code = excluded.code, at = excluded.at
    """
)
CLEAR = Prepared.sql("DELETE FROM refused_address WHERE address = :address")


async def is_refused(address: str) -> bool:
    """Whether the last mail there came back for good: then the portal asks for another address."""
    return await fetch_one(IS_REFUSED.bind(address=address.lower())) is not None


IS_REFUSED = Prepared.sql("SELECT address FROM refused_address WHERE address = :address")


async def forget_person(user_id: UUID, *addresses: str) -> None:
    """Inside the caller's transaction: what was written to somebody who wants to be forgotten."""
    await execute(FORGET_USER.bind(user=user_id))
    for address in addresses:
        await execute(FORGET_ADDRESS.bind(address=address.lower()))
        await execute(CLEAR.bind(address=address.lower()))


FORGET_USER = Prepared.sql("DELETE FROM notification WHERE user_id = :user")
FORGET_ADDRESS = Prepared.sql("DELETE FROM notification WHERE lower(address) = :address")


async def forget_old(_job: Job) -> None:
    """Drops what waited too long, with its links, and removes copies after two years."""
    now = clock.now()
    async with transaction():
        await execute(DROP.bind(now=now))
    while True:
        async with transaction():
            gone = await execute(FORGET.bind(before=now - KEPT, most=AT_ONCE))
        if not gone:
            return


DROP = Prepared.sql(
    """
    UPDATE notification SET state = 'dropped', sealed = NULL, last_error = 'it waited too long'
    WHERE state = 'queued' AND expires_at <= :now
    """
)
FORGET = Prepared.sql(
    """
    DELETE FROM notification WHERE id IN (
        SELECT id FROM notification WHERE created_at < :before AND state <> 'queued' LIMIT :most
    ) RETURNING id
    """
)
