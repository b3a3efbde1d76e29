"""How often something may be tried: counted in the database by one statement, exact over all processes.

Keys are keyed hashes of action and subject, so the tables tell nobody which address was tried.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_moment, execute, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.errors import SelfcareError
from selfcare.kernel.words import ngettext

LOCK_AFTER = 5
LOCK_FOR = timedelta(minutes=30)
MAILED_LOCKS_A_DAY = 3

_key = b""


class TooOften(SelfcareError):
    """`retry_after` in seconds."""

    def __init__(self, wait: timedelta):
        self.retry_after = max(1, int(wait.total_seconds()))
        minutes = -(-self.retry_after // 60)
        super().__init__(
            ngettext(
                "That was a little too often. Try again in %(n)d minute.",
                "That was a little too often. Try again in %(n)d minutes.",
                minutes,
            )
            % {"n": minutes}
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` tries of `action` by one subject in `per`."""

    action: str
    most: int
    per: timedelta


SIGN_IN_BY_ADDRESS = Limit("sign_in.address", 10, timedelta(minutes=5))
PASSKEY_BY_ADDRESS = Limit("passkey.address", 60, timedelta(minutes=5))
RESET_BY_ADDRESS = Limit("reset.address", 5, timedelta(hours=1))
RESET_BY_USER = Limit("reset.user", 3, timedelta(hours=1))
CODE_BY_USER = Limit("code.user", 20, timedelta(hours=1))
EMAIL_CHANGE_BY_USER = Limit("email_change.user", 3, timedelta(days=1))
PASSWORD_CHANGE_BY_USER = Limit("password_change.user", 5, timedelta(minutes=5))
PROOF_BY_USER = Limit("proof.user", 10, timedelta(minutes=1))
NEW_DEVICE_MAILS = Limit("new_device.user", 5, timedelta(days=1))
REQUESTS_BY_USER = Limit("requests.user", 5, timedelta(days=1))
SIM_CODES_BY_USER = Limit("sim_codes.user", 10, timedelta(hours=1))
REFRESHES_BY_USER = Limit("usage.refresh", 6, timedelta(minutes=1))
FILES_BY_USER = Limit("files.user", 30, timedelta(minutes=1))

_CLAIM = Prepared.sql(
    """
    INSERT INTO attempt (key, used, window_ends_at) VALUES (:key, 1, :ends)
    ON CONFLICT (key) DO UPDATE
       SET used = CASE WHEN attempt.window_ends_at <= :now THEN 1 ELSE attempt.used + 1 END,
           window_ends_at = CASE WHEN attempt.window_ends_at <= :now THEN excluded.window_ends_at
                                 ELSE attempt.window_ends_at END
     WHERE attempt.window_ends_at <= :now OR attempt.used < :most
    RETURNING used
    """
)
_WINDOW = Prepared.sql("SELECT window_ends_at FROM attempt WHERE key = :key")
_GIVE_BACK = Prepared.sql("UPDATE attempt SET used = used - 1 WHERE key = :key AND used > 0 RETURNING used")
_FORGET = Prepared.sql("DELETE FROM attempt WHERE window_ends_at < :now RETURNING key")


def configure(key: bytes) -> None:
    """At start: the key under which subjects are hashed."""
    global _key
    _key = key


async def claim(limit: Limit, subject: str) -> None:
    """Count one try, in a transaction of its own; TooOften when there is none left."""
    if not await allows(limit, subject):
        row = await fetch_one(_WINDOW.bind(key=_hashed(limit.action, subject)))
        raise TooOften((row["window_ends_at"] - clock.now()) if row else limit.per)


async def allows(limit: Limit, subject: str) -> bool:
    """As `claim`, for limits that must not show."""
    async with transaction():
        return await allows_here(limit, subject)


async def allows_here(limit: Limit, subject: str) -> bool:
    """As `allows`, inside the caller's transaction: rolled back with it."""
    now = clock.now()
    asked = _CLAIM.bind(key=_hashed(limit.action, subject), ends=now + limit.per, now=now, most=limit.most)
    return bool(await execute(asked))


async def free_again(limit: Limit, subject: str) -> datetime:
    """When the next try is possible, for limits that say so."""
    row = await fetch_one(_WINDOW.bind(key=_hashed(limit.action, subject)))
    return row["window_ends_at"] if row else clock.now() + limit.per


async def give_back(limit: Limit, subject: str) -> None:
    """A try that turned out not to count. Inside a transaction."""
    await execute(_GIVE_BACK.bind(key=_hashed(limit.action, subject)))


async def forget_old() -> int:
    """Windows that are over."""
    async with transaction():
        return len(await execute(_FORGET.bind(now=clock.now())))


def network(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 an IPv6 customer is given whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


class Locked(SelfcareError):
    """Too many wrong passwords for one identifier, known or not."""

    def __init__(self, until: datetime):
        self.until = until
        self.minutes = max(1, -(-int((until - clock.now()).total_seconds()) // 60))
        super().__init__(
            ngettext(
                "Too many tries. Wait %(n)d minute, or follow the link in the mail we have sent you.",
                "Too many tries. Wait %(n)d minutes, or follow the link in the mail we have sent you.",
                self.minutes,
            )
            % {"n": self.minutes}
        )


@dataclass(frozen=True, slots=True)
class Failed:
    """What a wrong password led to. `locked_now` for exactly one try per lock; `mail` while mails are allowed today."""

    locked_now: bool
    locked_until: datetime | None
    mail: bool


_LOCK_CLAIM = Prepared.sql(
    """
    INSERT INTO sign_in_lock (key, claimed, failed, window_ends_at, locked_until, locks_on, locks)
    VALUES (:key, 1, 0, :ends, NULL, NULL, 0)
    ON CONFLICT (key) DO UPDATE
       SET claimed = CASE WHEN sign_in_lock.window_ends_at <= :now THEN 1 ELSE sign_in_lock.claimed + 1 END,
           failed = CASE WHEN sign_in_lock.window_ends_at <= :now THEN 0 ELSE sign_in_lock.failed END,
           window_ends_at = CASE WHEN sign_in_lock.window_ends_at <= :now THEN excluded.window_ends_at
                                 ELSE sign_in_lock.window_ends_at END,
           locked_until = NULL
     WHERE (sign_in_lock.locked_until IS NULL OR sign_in_lock.locked_until <= :now)
       AND (sign_in_lock.window_ends_at <= :now OR sign_in_lock.claimed < :most)
    RETURNING claimed
    """
)
_LOCK_STATE = Prepared.sql("SELECT locked_until, window_ends_at FROM sign_in_lock WHERE key = :key")
_LOCK_FAIL = Prepared.sql(
    """
    UPDATE sign_in_lock
       SET failed = failed + 1,
           locked_until = CASE WHEN failed + 1 >= :most THEN :until ELSE locked_until END,
           window_ends_at = CASE WHEN failed + 1 >= :most THEN :until ELSE window_ends_at END,
           locks = CASE WHEN failed + 1 < :most THEN locks WHEN locks_on = :today THEN locks + 1 ELSE 1 END,
           locks_on = CASE WHEN failed + 1 >= :most THEN :today ELSE locks_on END
     WHERE key = :key
    RETURNING failed, locks, locked_until
    """,
    types={"locked_until": as_moment},
)
_UNLOCK = Prepared.sql(
    "UPDATE sign_in_lock SET claimed = 0, failed = 0, locked_until = NULL WHERE key = :key RETURNING key"
)


async def claim_password(identifier: str) -> None:
    """Count a try before anything is hashed, so that parallel guesses cannot exceed the limit. Raises Locked."""
    now = clock.now()
    key = _hashed("lock", identifier)
    async with transaction():
        if await execute(_LOCK_CLAIM.bind(key=key, ends=now + LOCK_FOR, now=now, most=LOCK_AFTER)):
            return
    row = await fetch_one(_LOCK_STATE.bind(key=key))
    raise Locked((row["locked_until"] or row["window_ends_at"]) if row else now + LOCK_FOR)


async def password_failed(identifier: str) -> Failed:
    """Inside the transaction that notes the failure."""
    now = clock.now()
    rows = await execute(
        _LOCK_FAIL.bind(key=_hashed("lock", identifier), most=LOCK_AFTER, until=now + LOCK_FOR, today=now.date())
    )
    if not rows:
        return Failed(locked_now=False, locked_until=None, mail=False)
    locked_now = rows[0]["failed"] == LOCK_AFTER
    mail = locked_now and rows[0]["locks"] <= MAILED_LOCKS_A_DAY
    return Failed(locked_now, rows[0]["locked_until"], mail)


async def locked_until(identifier: str) -> datetime | None:
    """Until when this identifier is locked, for staff; None where it is not."""
    row = await fetch_one(_LOCK_STATE.bind(key=_hashed("lock", identifier)))
    until: datetime | None = row["locked_until"] if row else None
    return until if until is not None and until > clock.now() else None


async def unlock(identifier: str) -> None:
    """After a success or a finished reset. Inside a transaction."""
    await execute(_UNLOCK.bind(key=_hashed("lock", identifier)))


def _hashed(action: str, subject: str) -> str:
    return hmac.digest(_key, f"{action}\x00{subject}".encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
