"""Who may get a sign-in by themselves: whoever holds a number nobody looks after yet, and whoever is new.

What a visitor is told never depends on what we know: a number of ours, of others, or of nobody reads the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Actor
from selfcare.db.engine import Duplicate, transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import limits, text_codes, tokens
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.tables import User
from selfcare.identity.text_codes import CODE_LASTS, StartAgain, TextCodes
from selfcare.identity.tokens import Purpose
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import DeadLink, NotAllowed
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account import opening
from selfcare.portal.sign_in import sign_ins
from selfcare.ports.jobs import SECURITY, Jobs
from selfcare.ports.messages import Messages, TextSender
from selfcare.settings import Settings

BY_ADDRESS = limits.Limit("sign_up.address", 10, timedelta(hours=1))
LINKS_BY_EMAIL = limits.Limit("sign_up.email", 3, timedelta(hours=1))
CODES = TextCodes("sign_up", label="sign_up")
SEND = "sign_up.send_code"


@dataclass(frozen=True, slots=True)
class Open:
    """A link that lets somebody in. `customer` is None for whoever becomes a new one."""

    token: str
    email: str
    user_id: UUID | None
    customer: UUID | None
    customer_name: str


_BY_NUMBER = Prepared.sql(
    """
    SELECT c.id AS id, c.name AS name,
           CASE WHEN EXISTS (SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id
                              WHERE m.customer_id = c.id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
                                AND u.disabled_at IS NULL) THEN 1 ELSE 0 END AS taken
      FROM service s JOIN customer c ON c.id = s.customer_id AND c.status = 'open'
     WHERE s.msisdn = :phone AND s.state <> 'ended'
    """
)
_NAME = Prepared.sql("SELECT name FROM customer WHERE id = :customer_id AND status = 'open'")
# Two links for one customer at once: whoever comes second finds it taken.
_HOLD = Prepared.sql("UPDATE customer SET number = number WHERE id = :customer_id AND status = 'open' RETURNING id")
_OWN = Prepared.sql(
    """
    INSERT INTO membership (id, user_id, customer_id, role, invited_at, accepted_at)
    SELECT :id, :user_id, :customer_id, 'owner', :now, :now
     WHERE NOT EXISTS (SELECT 1 FROM membership m JOIN app_user u ON u.id = m.user_id
                        WHERE m.customer_id = :customer_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
                          AND u.disabled_at IS NULL)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_TURN_TO = Prepared.sql(
    "UPDATE session SET customer_id = :customer_id WHERE id_hash = :session_id AND revoked_at IS NULL"
)


async def ask_code(email: str, phone: str, origin: Origin, *, jobs: Jobs) -> str:
    """The ticket for the page where the code is typed; a text goes out where the number is free. Raises TooOften."""
    await limits.claim(BY_ADDRESS, limits.network(origin.address))
    async with transaction():
        about = {"email": sign_ins.normal_email(email), "phone": phone}
        ticket = await tokens.issue(Purpose.SIGN_UP, user_id=None, data=about, life=CODE_LASTS)
        hashed = ids.token_hash(ticket)
        await jobs.enqueue(SEND, key=f"{SEND}:{hashed}", payload={"phone": phone, "ticket": hashed}, priority=SECURITY)
    return ticket


async def answer(ticket: str, typed: str, origin: Origin, *, key: bytes, messages: Messages) -> str:
    """The right code sends a link to the address, which is returned. Raises WrongCode or StartAgain."""
    hashed = ids.token_hash(ticket)
    found = await tokens.peek(ticket, Purpose.SIGN_UP)
    if found is None or not await CODES.may_try(hashed, found.data["phone"]):
        raise text_codes.start_again()
    free = await _free(found.data["phone"])
    if free is None or not CODES.is_right(typed, hashed, key):
        await CODES.refuse(origin)
    async with transaction():
        if await tokens.burn(ticket, Purpose.SIGN_UP) is None:
            raise StartAgain(_("This code was used already. Look at your mail, or start again."))
        await _send_link(found.data["email"], free["id"], key=hashed, messages=messages)
    return str(found.data["email"])


async def ask_link(email: str, origin: Origin, *, messages: Messages) -> None:
    """For a new customer. Known or not, every address gets the same mail. Raises TooOften by network only."""
    await limits.claim(BY_ADDRESS, limits.network(origin.address))
    async with transaction():
        await _send_link(sign_ins.normal_email(email), None, key=origin.request_id, messages=messages)


async def look_at(token: str) -> Open:
    """Looking does not use the link up. Raises DeadLink."""
    found = await tokens.peek(token, Purpose.SIGN_UP_LINK)
    if found is None:
        raise DeadLink
    email, customer, name = found.data["email"], found.data["customer_id"], ""
    if customer is not None:
        row = await fetch_one(_NAME.bind(customer_id=UUID(customer)))
        if row is None:
            raise DeadLink
        name = row["name"]
    user = await sign_ins.find_user(email)
    return Open(token, email, user["id"] if user else None, UUID(customer) if customer else None, name)


async def finish(
    link: Open,
    name: str,
    password: str,
    origin: Origin,
    *,
    passwords: Passwords,
    messages: Messages,
    settings: Settings,
) -> None:
    """By somebody new: the mail proved the address. Opens no sign-in. Raises DeadLink or policy.Weak."""
    if link.user_id is not None:
        raise DeadLink
    Policy.of(settings).check(password, email=link.email, name=name)
    hashed, user_id, now = await passwords.hash(password), ids.new_id(), clock.now()
    person = User(
        id=user_id,
        email=link.email,
        email_verified_at=now,
        display_name=name,
        password_hash=hashed,
        password_changed_at=now,
        language="en",
        theme="system",
        created_at=now,
    )
    try:
        async with transaction():
            await User.insert(person)
            await _become_owner(link, user_id, name, origin, messages, settings)
    except Duplicate as error:
        raise DeadLink from error


async def accept(identity: Identity, link: Open, *, messages: Messages, settings: Settings) -> None:
    """By somebody who has a sign-in with this address; it turns to the new customer. Raises DeadLink."""
    if identity.is_impersonating or identity.is_staff:
        raise NotAllowed(_("A staff sign-in cannot look after an account."))
    if link.user_id != identity.user_id:
        raise DeadLink
    async with transaction():
        customer_id = await _become_owner(
            link, identity.user_id, identity.user.name, identity.origin, messages, settings
        )
        await execute(_TURN_TO.bind(customer_id=customer_id, session_id=identity.session_id))


class Posts:
    """The job of this feature: the text with the code."""

    def __init__(self, texts: TextSender, key: bytes, *, sender: str):
        self.texts = texts
        self.key = key
        self.sender = sender

    async def send_code(self, job: Job) -> None:
        """To the number itself, three an hour. Who holds a number that is taken learns whom to ask."""
        phone, ticket = job.payload["phone"], job.payload["ticket"]
        found = await fetch_one(_BY_NUMBER.bind(phone=phone))
        if found is None or not await CODES.may_send(phone):
            return
        if found["taken"]:
            words = _("Somebody looks after this number's account already. Ask them to invite you.")
        else:
            words = _("%(code)s is your code to sign up. It works for 10 minutes. Tell it nobody.") % {
                "code": CODES.code_for(ticket, self.key)
            }
        await text_codes.send(self.texts, job.id, phone, words, sender=self.sender)


async def _free(phone: str) -> dict[str, Any] | None:
    found = await fetch_one(_BY_NUMBER.bind(phone=phone))
    return None if found is None or found["taken"] else found


async def _send_link(email: str, customer_id: UUID | None, *, key: str, messages: Messages) -> None:
    if not await limits.allows_here(LINKS_BY_EMAIL, email):
        return
    about = {"email": email, "customer_id": str(customer_id) if customer_id else None}
    token = await tokens.issue(Purpose.SIGN_UP_LINK, user_id=None, data=about)
    until = clock.now() + tokens.LIFE[Purpose.SIGN_UP_LINK]
    await messages.send_later(
        Message.ACCOUNT_SIGN_UP,
        to_address=email,
        dedupe_key=f"sign_up:{key}",
        expires_at=until,
        until=until,
        path=f"/sign-up/finish?token={token}",
    )


async def _become_owner(
    link: Open, user_id: UUID, name: str, origin: Origin, messages: Messages, settings: Settings
) -> UUID:
    """Of exactly this customer, and only while nobody looks after it."""
    if await tokens.burn(link.token, Purpose.SIGN_UP_LINK) is None:
        raise DeadLink
    now = clock.now()
    customer_id = link.customer or await opening.open_customer(name, link.email, user_id, settings)
    if not await execute(_HOLD.bind(customer_id=customer_id)):
        raise DeadLink
    if not await execute(_OWN.bind(id=ids.new_id(), user_id=user_id, customer_id=customer_id, now=now)):
        raise DeadLink
    actor = Actor(user_id, user_id, None, customer_id, origin)
    await audit.record(actor, Event.ACCOUNT_CREATED, by="number" if link.customer else "sign_up")
    await messages.send_later(
        Message.ACCOUNT_WELCOME,
        to_user=user_id,
        customer_id=customer_id,
        dedupe_key=f"welcome:{user_id}:{customer_id}",
        customer=link.customer_name or name,
    )
    return customer_id
