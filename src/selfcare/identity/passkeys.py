"""Passkeys: keys that live in a person's device and answer only to its finger, face or PIN.

The question put to the device is the token of a one-time link, so it is answered once and within five minutes. A copied
device betrays itself by its counter: it only ever rises, by one conditional UPDATE.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import tokens
from selfcare.identity.tokens import LIFE, Purpose
from selfcare.kernel import clock, ids
from selfcare.settings import Settings

MOST = 20
LONGEST_NAME = 60
_LONGEST_ANSWER = 16_000
_WAIT: Final = int(LIFE[Purpose.PASSKEY].total_seconds() * 1000)


class Step(StrEnum):
    """What an answer is wanted for; one given for another step opens nothing."""

    REGISTER = "register"
    SIGN_IN = "sign_in"
    SECOND = "second"
    PROOF = "proof"


class Refused(Exception):
    """Wrong, late, repeated, foreign or unreadable: all the same from outside."""


@dataclass(frozen=True, slots=True)
class Place:
    """The site a passkey belongs to, always from our public address and never from a request."""

    id: str
    origin: str
    name: str

    @classmethod
    def of(cls, settings: Settings) -> Place:
        parts = urlsplit(settings.public_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}", settings.operator.name)


@dataclass(frozen=True, slots=True)
class New:
    """A passkey that was just made and checked."""

    credential_id: str
    public_key: str
    sign_count: int
    transports: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A passkey that answered rightly. It counts once `use` has noted it."""

    passkey_id: UUID
    user_id: UUID
    sign_count: int


_OF_USER = Prepared.sql(
    "SELECT credential_id, transports FROM passkey WHERE user_id = :user_id AND removed_at IS NULL ORDER BY id"
)
_BY_CREDENTIAL = Prepared.sql(
    "SELECT id, user_id, public_key, sign_count FROM passkey "
    "WHERE credential_id = :credential_id AND removed_at IS NULL"
)
_USE = Prepared.sql(
    """
    UPDATE passkey SET sign_count = :sign_count, last_used_at = :now
     WHERE id = :id AND removed_at IS NULL AND (sign_count < :sign_count OR (sign_count = 0 AND :sign_count = 0))
    RETURNING id
    """
)
_ADD = Prepared.sql(
    """
    INSERT INTO passkey (id, user_id, credential_id, public_key, sign_count, name, transports, created_at,
                         last_used_at, removed_at)
    VALUES (:id, :user_id, :credential_id, :public_key, :sign_count, :name, :transports, :now, NULL, NULL)
    """
)
_RENAME = Prepared.sql(
    "UPDATE passkey SET name = :name WHERE id = :id AND user_id = :user_id AND removed_at IS NULL RETURNING id"
)
_REMOVE = Prepared.sql(
    "UPDATE passkey SET removed_at = :now WHERE id = :id AND user_id = :user_id AND removed_at IS NULL RETURNING id"
)


async def ask_to_register(user_id: UUID, *, email: str, name: str, place: Place) -> str:
    """What the browser needs to make a passkey, as JSON. Inside a transaction."""
    token = await tokens.issue(Purpose.PASSKEY, user_id=user_id, data={"step": Step.REGISTER})
    options = webauthn.generate_registration_options(
        rp_id=place.id,
        rp_name=place.name,
        user_id=user_id.bytes,
        user_name=email,
        user_display_name=name,
        challenge=base64url_to_bytes(token),
        timeout=_WAIT,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=await _descriptors(user_id),
    )
    return webauthn.options_to_json(options)


async def ask(step: Step, user_id: UUID | None, *, place: Place) -> str:
    """What the browser needs to answer with a passkey; without a user, any passkey may. Inside a transaction."""
    token = await tokens.issue(Purpose.PASSKEY, user_id=user_id, data={"step": step})
    options = webauthn.generate_authentication_options(
        rp_id=place.id,
        challenge=base64url_to_bytes(token),
        timeout=_WAIT,
        allow_credentials=await _descriptors(user_id) if user_id else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


async def check_new(user_id: UUID, answer: str, *, place: Place) -> New:
    """Uses the question up, right or wrong. Raises Refused."""
    challenge = await _burn(answer, Step.REGISTER, user_id)
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.id,
            expected_origin=place.origin,
            require_user_verification=True,
        )
        said = json.loads(answer)["response"].get("transports") or []
        known = [way.value for way in AuthenticatorTransport if way.value in said]
    except Exception as error:
        # The library stumbles over malformed answers in many ways, and all of them are a no.
        raise Refused from error
    new = New(
        bytes_to_base64url(made.credential_id),
        bytes_to_base64url(made.credential_public_key),
        made.sign_count,
        ",".join(known),
    )
    if len(new.credential_id) > 1400 or len(new.public_key) > 4000:
        raise Refused
    return new


async def check(step: Step, user_id: UUID | None, answer: str, *, place: Place) -> Answer:
    """Uses the question up, right or wrong. Without a user the passkey says whose it is. Raises Refused."""
    challenge = await _burn(answer, step, user_id)
    try:
        said = json.loads(answer)
        row = await _find(str(said["id"]))
        handle = said["response"].get("userHandle")
        if user_id is not None and row["user_id"] != user_id:
            raise Refused
        if (handle is not None or user_id is None) and base64url_to_bytes(str(handle)) != row["user_id"].bytes:
            raise Refused
        verified = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=place.id,
            expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(row["public_key"]),
            credential_current_sign_count=row["sign_count"],
            require_user_verification=True,
        )
    except Exception as error:
        raise Refused from error
    return Answer(row["id"], row["user_id"], verified.new_sign_count)


async def use(answer: Answer) -> None:
    """Note that it was used, and its counter. Inside a transaction; Refused when it was removed or its counter fell."""
    used = await execute(_USE.bind(id=answer.passkey_id, sign_count=answer.sign_count, now=clock.now()))
    if not used:
        raise Refused


async def add(user_id: UUID, new: New, name: str) -> UUID:
    """Inside a transaction; Duplicate when this credential is known."""
    passkey_id = ids.new_id()
    await execute(
        _ADD.bind(
            id=passkey_id,
            user_id=user_id,
            credential_id=new.credential_id,
            public_key=new.public_key,
            sign_count=new.sign_count,
            name=name,
            transports=new.transports,
            now=clock.now(),
        )
    )
    return passkey_id


async def rename(user_id: UUID, passkey_id: UUID, name: str) -> bool:
    """Inside a transaction."""
    return bool(await execute(_RENAME.bind(id=passkey_id, user_id=user_id, name=name)))


async def remove(user_id: UUID, passkey_id: UUID) -> bool:
    """False for all but the first. Inside a transaction."""
    return bool(await execute(_REMOVE.bind(id=passkey_id, user_id=user_id, now=clock.now())))


async def count(user_id: UUID) -> int:
    return len(await fetch(_OF_USER.bind(user_id=user_id)))


async def _burn(answer: str, step: Step, user_id: UUID | None) -> bytes:
    """The question that was answered, used up whatever the answer is worth."""
    try:
        if len(answer) > _LONGEST_ANSWER:
            raise Refused
        client = json.loads(base64url_to_bytes(json.loads(answer)["response"]["clientDataJSON"]))
        token = str(client["challenge"])
        challenge = base64url_to_bytes(token)
    except Exception as error:
        raise Refused from error
    async with transaction():
        found = await tokens.burn(token, Purpose.PASSKEY)
    if found is None or found.data["step"] != step or found.user_id != user_id:
        raise Refused
    return challenge


async def _find(credential_id: str) -> dict[str, Any]:
    row = await fetch_one(_BY_CREDENTIAL.bind(credential_id=credential_id))
    if row is None:
        raise Refused
    return row


async def _descriptors(user_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(row["credential_id"]),
            transports=[AuthenticatorTransport(way) for way in row["transports"].split(",") if way] or None,
        )
        for row in await fetch(_OF_USER.bind(user_id=user_id))
    ]
