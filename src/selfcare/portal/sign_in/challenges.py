"""The second step: which ones a person has, the question that is open, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch_one
from selfcare.identity import limits, passkeys, tokens, totp
from selfcare.identity.passkeys import Answer, Place, Step
from selfcare.identity.passwords import Passwords
from selfcare.identity.tokens import Purpose
from selfcare.kernel import agents, clock, ids
from selfcare.kernel.errors import Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

if TYPE_CHECKING:
    from selfcare.portal.sign_in.sign_ins import Wishes

LASTS = timedelta(minutes=10)
TRIES = limits.Limit("code.challenge", 5, LASTS)

_FACTORS = Prepared.sql(
    """
    SELECT CASE WHEN u.totp_secret IS NULL THEN 0 ELSE 1 END AS app,
           (SELECT count(*) FROM passkey p WHERE p.user_id = u.id AND p.removed_at IS NULL) AS passkeys
      FROM app_user u WHERE u.id = :user_id
    """
)


class WrongCode(Rejected):
    """Wrong or used before: the same words."""


class ChallengeOver(Rejected):
    """Too many wrong codes or too late: back to the password."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Which second steps a person has set up; false when none."""

    app: bool
    passkeys: int

    def __bool__(self) -> bool:
        return self.app or self.passkeys > 0


@dataclass(frozen=True, slots=True)
class Challenge:
    """An open question: the password was right, the code is missing."""

    user_id: UUID
    wishes: Mapping[str, Any]
    device: str | None


async def second_factors(user_id: UUID) -> Factors:
    row = await fetch_one(_FACTORS.bind(user_id=user_id))
    return Factors(bool(row["app"]), int(row["passkeys"])) if row else Factors(app=False, passkeys=0)


async def ask(user_id: UUID, *, wishes: Mapping[str, Any], device: str | None) -> str:
    """Open a question; the token for its cookie. Inside a transaction."""
    data = {"wishes": dict(wishes), "device": device}
    return await tokens.issue(Purpose.CHALLENGE, user_id=user_id, data=data, life=LASTS)


async def find(token: str) -> Challenge | None:
    found = await tokens.peek(token, Purpose.CHALLENGE)
    if found is None or found.user_id is None:
        return None
    return Challenge(found.user_id, found.data["wishes"], found.data["device"])


async def claim_try(token: str, user_id: UUID) -> None:
    """Count a try at a code before it is looked at. Raises ChallengeOver."""
    allowed = await limits.allows(TRIES, ids.token_hash(token)) and await limits.allows(
        limits.CODE_BY_USER, str(user_id)
    )
    if not allowed:
        async with transaction():
            await tokens.burn(token, Purpose.CHALLENGE)
        raise ChallengeOver(_("Too many wrong codes. Sign in with your password again."))


async def answer_code(token: str, challenge: Challenge, typed: str, origin: Origin, keys: Sequence[bytes]) -> None:
    """Use up the code and the question. Inside a transaction; raises WrongCode."""
    answer = await totp.accept(challenge.user_id, typed, keys)
    if answer is totp.Answer.CLOCK_OFF:
        raise WrongCode(_("That code is wrong. Your phone's clock seems to be off: set it automatically."), "code")
    if answer is not totp.Answer.RIGHT or await tokens.burn(token, Purpose.CHALLENGE) is None:
        raise WrongCode(_("That code is wrong or already used."), "code")


async def ask_passkey(user_id: UUID, *, place: Place) -> str:
    """What the browser needs to answer with a passkey instead of a code."""
    async with transaction():
        return await passkeys.ask(Step.SECOND, user_id, place=place)


async def answer_passkey(token: str, answer: Answer) -> None:
    """Use up the passkey's answer and the question. Inside a transaction; raises passkeys.Refused."""
    await passkeys.use(answer)
    if await tokens.burn(token, Purpose.CHALLENGE) is None:
        raise passkeys.Refused


async def note_wrong(user_id: UUID, origin: Origin, *, method: str) -> None:
    async with transaction():
        actor = audit.visitor(origin, user_id=user_id)
        await audit.record(actor, Event.SIGN_IN_CODE_FAILED, outcome="refused", method=method)


async def find_backup_code(user_id: UUID, typed: str, passwords: Passwords) -> UUID:
    """Outside a transaction, because it hashes; raises WrongCode."""
    code_id = await totp.find_code(user_id, typed, passwords)
    if code_id is None:
        raise WrongCode(_("That code is wrong or already used."), "backup_code")
    return code_id


async def burn_backup_code(
    token: str, challenge: Challenge, code_id: UUID, origin: Origin, *, messages: Messages
) -> None:
    """Inside a transaction; raises WrongCode for all but the first."""
    if not await totp.burn_code(code_id) or await tokens.burn(token, Purpose.CHALLENGE) is None:
        raise WrongCode(_("That code is wrong or already used."), "backup_code")
    left = await totp.codes_left(challenge.user_id)
    await audit.record(audit.visitor(origin, user_id=challenge.user_id), Event.SIGN_IN_BACKUP_CODE_USED, left=left)
    await messages.send_later(
        Message.ACCOUNT_BACKUP_CODE_USED,
        to_user=challenge.user_id,
        dedupe_key=f"backup_code:{code_id}",
        at=clock.now(),
        device=agents.within_a_sentence(origin.device),
        left=left,
    )


def kept(wishes: Wishes) -> dict[str, Any]:
    return asdict(wishes)
