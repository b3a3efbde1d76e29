"""The second step by an authenticator app, and the ten backup codes for the day the phone is gone.

A code is accepted once: the step it belongs to is stored, and only a later one is accepted, by one conditional UPDATE.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import pyotp

from selfcare.db.prepared import Prepared, execute, execute_many, fetch_one
from selfcare.identity import sealed
from selfcare.identity.passwords import Passwords
from selfcare.kernel import clock, ids

STEP_SECONDS = 30
WINDOW = 1
CLOCK_WINDOW = 10
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class Answer(StrEnum):
    """What a typed code turned out to be."""

    RIGHT = "right"
    WRONG = "wrong"
    CLOCK_OFF = "clock_off"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret while it is being set up: never stored in this form."""

    base32: str

    @classmethod
    def new(cls) -> Secret:
        return cls(pyotp.random_base32(32))

    def uri(self, *, email: str, issuer: str) -> str:
        return pyotp.TOTP(self.base32).provisioning_uri(name=email, issuer_name=issuer)

    @property
    def spaced(self) -> str:
        """In groups of four, for typing."""
        return " ".join(self.base32[at : at + 4] for at in range(0, len(self.base32), 4))


_SECRET = Prepared.sql("SELECT totp_secret FROM app_user WHERE id = :user_id AND totp_secret IS NOT NULL")
_ACCEPT = Prepared.sql(
    """
    UPDATE app_user SET totp_last_step = :step
     WHERE id = :user_id AND totp_secret IS NOT NULL AND (totp_last_step IS NULL OR totp_last_step < :step)
    RETURNING id
    """
)
_STORE = Prepared.sql(
    "UPDATE app_user SET totp_secret = :secret, totp_last_step = :step, totp_since = :now "
    "WHERE id = :user_id RETURNING id"
)
_OFF = Prepared.sql(
    "UPDATE app_user SET totp_secret = NULL, totp_last_step = NULL, totp_since = NULL "
    "WHERE id = :user_id AND totp_secret IS NOT NULL RETURNING id"
)
_CODES_OFF = Prepared.sql("DELETE FROM backup_code WHERE user_id = :user_id RETURNING id")
_ADD_CODE = Prepared.sql(
    "INSERT INTO backup_code (id, user_id, slot, hash, used_at, created_at) "
    "VALUES (:id, :user_id, :slot, :hash, NULL, :now)"
)
_CODE = Prepared.sql("SELECT id, hash FROM backup_code WHERE user_id = :user_id AND slot = :slot AND used_at IS NULL")
_BURN_CODE = Prepared.sql("UPDATE backup_code SET used_at = :now WHERE id = :id AND used_at IS NULL RETURNING id")
_CODES_LEFT = Prepared.sql("SELECT count(*) AS n FROM backup_code WHERE user_id = :user_id AND used_at IS NULL")


def step_of(secret: Secret, typed: str) -> tuple[Answer, int]:
    """Which 30-second step a code belongs to; CLOCK_OFF when it is right for up to five minutes away."""
    code = typed.replace(" ", "").replace("-", "")
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        return Answer.WRONG, 0
    now = int(clock.now().timestamp()) // STEP_SECONDS
    totp = pyotp.TOTP(secret.base32)
    near = sorted(range(-CLOCK_WINDOW, CLOCK_WINDOW + 1), key=abs)
    for away in near:
        if secrets.compare_digest(totp.generate_otp(now + away), code):
            return (Answer.RIGHT if abs(away) <= WINDOW else Answer.CLOCK_OFF), now + away
    return Answer.WRONG, 0


async def is_on(user_id: UUID) -> bool:
    return await fetch_one(_SECRET.bind(user_id=user_id)) is not None


async def accept(user_id: UUID, typed: str, keys: Sequence[bytes]) -> Answer:
    """Check a code and use its step up. Inside a transaction; a code seen before is wrong."""
    row = await fetch_one(_SECRET.bind(user_id=user_id))
    if row is None:
        return Answer.WRONG
    try:
        secret = Secret(sealed.unseal(row["totp_secret"], keys, _belongs(user_id)).decode())
    except sealed.Unreadable:
        return Answer.WRONG
    answer, step = step_of(secret, typed)
    if answer is Answer.RIGHT and not await execute(_ACCEPT.bind(user_id=user_id, step=step)):
        return Answer.WRONG
    return answer


async def turn_on(user_id: UUID, secret: Secret, step: int, keys: Sequence[bytes]) -> None:
    """Store a secret whose first code was right at `step`. Inside a transaction."""
    stored = sealed.seal(secret.base32.encode(), keys, _belongs(user_id))
    await execute(_STORE.bind(user_id=user_id, secret=stored, step=step, now=clock.now()))


async def turn_off(user_id: UUID) -> bool:
    """The secret is gone; False when it was off. Inside a transaction."""
    return bool(await execute(_OFF.bind(user_id=user_id)))


async def forget_codes(user_id: UUID) -> None:
    """With the last second step, its backup codes end. Inside a transaction."""
    await execute(_CODES_OFF.bind(user_id=user_id))


def new_codes() -> list[str]:
    """Ten codes of 16 characters; the first names the slot, 75 random bits follow."""
    slots = secrets.SystemRandom().sample(_ALPHABET, 10)
    return [slot + "".join(secrets.choice(_ALPHABET) for _ in range(15)) for slot in slots]


async def hash_codes(codes: Sequence[str], passwords: Passwords) -> list[str]:
    """Before the transaction that stores them: hashing is slow on purpose."""
    return [await passwords.hash(code) for code in codes]


async def store_codes(user_id: UUID, codes: Sequence[str], hashes: Sequence[str]) -> None:
    """Replaces the old set. Inside a transaction."""
    await execute(_CODES_OFF.bind(user_id=user_id))
    now = clock.now()
    rows = [
        {"id": ids.new_id(), "user_id": user_id, "slot": code[0], "hash": hashed, "now": now}
        for code, hashed in zip(codes, hashes, strict=True)
    ]
    await execute_many(_ADD_CODE, rows)


async def find_code(user_id: UUID, typed: str, passwords: Passwords) -> UUID | None:
    """The backup code that was typed, unused so far; to be burned in a transaction afterwards."""
    code = plain_code(typed)
    row = await fetch_one(_CODE.bind(user_id=user_id, slot=code[:1])) if len(code) == 16 else None
    checked = await passwords.check(row["hash"] if row else None, code)
    return row["id"] if row and checked.right else None


async def burn_code(code_id: UUID) -> bool:
    """False for all but the first. Inside a transaction."""
    return bool(await execute(_BURN_CODE.bind(id=code_id, now=clock.now())))


async def codes_left(user_id: UUID) -> int:
    row = await fetch_one(_CODES_LEFT.bind(user_id=user_id))
    return int(row["n"]) if row else 0


def plain_code(typed: str) -> str:
    """Case, hyphens and spaces do not matter."""
    return "".join(character for character in typed.upper() if character.isascii() and character.isalnum())


def spaced_code(code: str) -> str:
    return "-".join(code[at : at + 4] for at in range(0, 16, 4))


def _belongs(user_id: UUID) -> str:
    return f"totp/{user_id}"
