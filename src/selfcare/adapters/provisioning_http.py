"""The operator's own network over HTTP: docs/provisioning.md is what it has to speak."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from selfcare.adapters import signatures
from selfcare.adapters.outside import Outside
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.payments import BadEvent
from selfcare.ports.provisioning import FAILED, Progress, Told, Work

SIGNATURE = "selfcare-signature"
KEPT = timedelta(days=400)
_FURTHEST = 1_000_000

log = logging.getLogger(__name__)


class HttpProvisioning:
    """The first secret signs what we send; each of them may have signed what comes."""

    def __init__(self, url: str, secrets: Sequence[str], *, read_seconds: float = 10.0) -> None:
        self.outside = Outside(url.rstrip("/"), read_seconds=read_seconds)
        self._keys = [secret.encode() for secret in secrets]

    async def start(self, work: Work) -> Progress:
        if not await self._note(work):
            # An answer may have been lost the last time.
            found = await self.ask(work.id)
            if found is not None:
                return found
        body = json.dumps(_asked(work)).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(work.id)}
        answer = await self._send("POST", "/jobs", body, headers, signed=body)
        if answer.status_code == 422:
            self.outside.breaker.worked()
            await _end(work.id, FAILED)
            raise Declined("The network refuses it.")
        if answer.status_code not in (200, 201, 202):
            self.outside.breaker.failed()
            log.error("the network answers a new job with status %s", answer.status_code)
            raise Unreachable
        return await self._read(answer, work.id)

    async def ask(self, job_id: UUID) -> Progress | None:
        known = await fetch_one(_CALL.bind(id=job_id))
        if known is None:
            return None
        if known["ended_as"] is not None:
            return Progress(known["ended_as"])
        answer = await self._look(job_id)
        if answer.status_code == 200:
            return await self._read(answer, job_id)
        if _never_began(answer, job_id):
            self.outside.breaker.worked()
            return None
        # Also a 404 without the job's name: whoever answers there may not be the network at all.
        self.outside.breaker.failed()
        raise Unknown(f"The network answers with {answer.status_code} when asked for a job.")

    async def hear(self, raw: bytes, signature: str) -> Told:
        signatures.check(raw, signature, self._keys, clock.now())
        try:
            said = json.loads(raw)
            job_id, progress = UUID(said["job"]), _progress(said)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise BadEvent("what came is not the state of a job") from problem
        if await fetch_one(_CALL.bind(id=job_id)) is None:
            raise NotFound
        if progress.has_ended:
            await _end(job_id, progress.status)
        return Told(job_id, progress)

    async def refusal(self) -> str | None:
        """For the doctor: why it is of no use, or None."""
        nobody = new_id()
        try:
            answer = await self._look(nobody)
        except Unreachable:
            return "it does not answer"
        except Unknown as problem:
            return problem.message.rstrip(".")
        if answer.status_code in (401, 403):
            return "it does not accept our signature"
        return (
            None if _never_began(answer, nobody) else f"it answers {answer.status_code} when asked for an unknown job"
        )

    async def _note(self, work: Work) -> bool:
        async with transaction():
            names = {"action": work.action, "what": work.what[:160], "now": clock.now()}
            return bool(
                await execute(_NOTE.bind(id=work.id, customer_id=work.customer_id, service_id=work.service_id, **names))
            )

    async def _look(self, job_id: UUID) -> httpx.Response:
        return await self._send("GET", f"/jobs/{job_id}", b"", {}, signed=str(job_id).encode())

    async def _send(
        self, method: str, path: str, content: bytes, headers: dict[str, str], *, signed: bytes
    ) -> httpx.Response:
        signature = signatures.sign(signed, self._keys[0], clock.now())
        return await self.outside.send(method, path, content, headers | {SIGNATURE: signature})

    async def _read(self, answer: httpx.Response, job_id: UUID) -> Progress:
        try:
            said = json.loads(answer.content)
            if UUID(said["job"]) != job_id:
                raise ValueError("another job")
            progress = _progress(said)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            self.outside.breaker.failed()
            raise Unknown("The network's answer could not be read.") from problem
        self.outside.breaker.worked()
        if progress.has_ended:
            return Progress(await _end(job_id, progress.status), progress.step, progress.steps)
        return progress


async def forget_old(_job: Job) -> None:
    async with transaction():
        await execute(_FORGET.bind(before=clock.now() - KEPT))


def _asked(work: Work) -> dict[str, Any]:
    return {
        "job": str(work.id),
        "action": work.action,
        "what": work.what,
        "program": work.play,
        "customer": str(work.customer_id),
        "service": str(work.service_id),
        "starts_at": work.starts_at.isoformat() if work.starts_at else None,
        "values": dict(work.values),
    }


def _progress(said: Any) -> Progress:
    numbers = [said["status"], said.get("step", 0), said.get("steps", 0)]
    if any(type(number) is not int or abs(number) > _FURTHEST for number in numbers):
        raise ValueError("no number of a state")
    return Progress(*numbers)


def _never_began(answer: httpx.Response, job_id: UUID) -> bool:
    try:
        return answer.status_code == 404 and bool(json.loads(answer.content)["job"] == str(job_id))
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


async def _end(job_id: UUID, status: int) -> int:
    """What it said first of its end is what counts: the money may have gone back for it."""
    async with transaction():
        await execute(_END.bind(id=job_id, status=status, now=clock.now()))
        stands: int = (await execute(_CALL.bind(id=job_id)))[0]["ended_as"]
    if stands != status:
        log.error("the network ended job %s as %s and now says %s", job_id, stands, status)
    return stands


_NOTE = Prepared.sql(
    """
    INSERT INTO provisioning_call (id, customer_id, service_id, action, what, asked_at)
    VALUES (:id, :customer_id, :service_id, :action, :what, :now) ON CONFLICT (id) DO NOTHING RETURNING id
    """
)
_CALL = Prepared.sql("SELECT ended_as FROM provisioning_call WHERE id = :id")
_END = Prepared.sql(
    "UPDATE provisioning_call SET ended_as = :status, ended_at = :now WHERE id = :id AND ended_as IS NULL"
)
_FORGET = Prepared.sql("DELETE FROM provisioning_call WHERE asked_at < :before")
