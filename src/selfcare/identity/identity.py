"""One value per request: who presses the button, whose portal it is, and what may be done."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from selfcare.identity.rights import Right, Role, StaffRight
from selfcare.kernel.errors import NotFound
from selfcare.kernel.origin import Origin
from selfcare.kernel.values import value

PROOF_LASTS = timedelta(minutes=10)


@value
class Person:
    """A user as others see them: never a secret, never a right."""

    id: UUID
    name: str
    email: str
    email_verified: bool = True
    language: str = "en"
    theme: str = "system"
    zone: str | None = None


@value
class CustomerScope:
    """The tenant boundary of every query. `service_ids` None means all services of the customer."""

    customer_id: UUID
    customer_number: str
    customer_name: str
    customer_type: str
    customer_status: str
    pays: str
    currency: str
    zone: str
    service_ids: frozenset[UUID] | None = None

    def covers(self, service_id: UUID) -> bool:
        return self.service_ids is None or service_id in self.service_ids


@value
class GrantInUse:
    """The impersonation grant a request came in under."""

    id: UUID
    reason: str
    allowed: frozenset[str]
    started_at: datetime
    ends_at: datetime


@value
class Identity:
    """Whose portal (`user`, `scope`), who acts (`actor`), and with what rights. Equal persons unless staff acts."""

    user: Person
    actor: Person
    scope: CustomerScope | None
    role: Role | None
    rights: frozenset[Right]
    staff_rights: frozenset[StaffRight]
    session_id: str
    session_created_at: datetime
    proved_at: datetime | None
    origin: Origin
    grant: GrantInUse | None = None
    customers: int = 1
    shared_device: bool = False
    has_second_step: bool = False
    second_step_asked_at: datetime | None = None

    def can(self, right: Right | StaffRight) -> bool:
        return right in self.rights or right in self.staff_rights

    def recently_proved(self, now: datetime) -> bool:
        return self.proved_at is not None and now - self.proved_at < PROOF_LASTS

    @property
    def is_staff(self) -> bool:
        return bool(self.staff_rights)

    @property
    def is_impersonating(self) -> bool:
        return self.grant is not None

    @property
    def customer(self) -> CustomerScope:
        """The scope of a customer request; staff without a grant have none, and so find nothing."""
        if self.scope is None:
            raise NotFound
        return self.scope

    @property
    def zone(self) -> str | None:
        """On whose clock times are shown: the person's own, else the customer's."""
        return self.user.zone or (self.scope.zone if self.scope else None)

    @property
    def actor_id(self) -> UUID:
        return self.actor.id

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def grant_id(self) -> UUID | None:
        return self.grant.id if self.grant else None

    @property
    def customer_id(self) -> UUID | None:
        return self.scope.customer_id if self.scope else None
