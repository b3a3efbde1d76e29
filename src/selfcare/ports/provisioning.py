"""The network, where what was bought is set up: asked to start, then asked how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

# What the network says of a job. 0 is success, so `if status:` is a mistake; a number nobody knows is as good as 1.
DONE, RUNNING, FAILED, TASK_FAILED = 0, 1, 2, 3
KNOWN = frozenset({DONE, RUNNING, FAILED, TASK_FAILED})


class Action(StrEnum):
    ADD = "add"
    REMOVE = "remove"
    CHANGE = "change"
    RESUME = "resume"
    CHANGE_PLAN = "change_plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The same `id` again is the same job. `play` is how the operator's network calls what it does, `values` what it is
    to set."""

    id: UUID
    customer_id: UUID
    service_id: UUID
    action: Action
    what: str
    play: str | None = None
    starts_at: datetime | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `steps` are behind it. Only FAILED may ever be given money back for."""

    status: int
    step: int = 0
    steps: int = 0

    @property
    def is_known(self) -> bool:
        return self.status in KNOWN

    @property
    def has_ended(self) -> bool:
        return self.status in (DONE, FAILED)


@dataclass(frozen=True, slots=True)
class Told:
    """What the network says by itself."""

    job_id: UUID
    progress: Progress


class Provisioning(Protocol):
    """Raises Declined, Unreachable or Unknown of `ports.failures`. Never called inside `transaction()`."""

    async def start(self, work: Work) -> Progress:
        """Begins it, once: of one that has begun, how far it is. Declined: it never will."""

    async def ask(self, job_id: UUID) -> Progress | None:
        """None for one that never began."""

    async def hear(self, raw: bytes, signature: str) -> Told:
        """What the network sent by itself. Raises BadEvent where it did not sign it, NotFound of no job of ours."""
