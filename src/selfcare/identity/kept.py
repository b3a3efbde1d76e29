"""Typed forms that outlive a sign-in: kept for the same person for half an hour, never sent by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.identity.tables import KeptForm
from selfcare.kernel import clock, ids

KEPT_FOR = timedelta(minutes=30)


async def keep(user_id: UUID, path: str, fields: list[list[str]]) -> None:
    """Remember one form; an older one of the same person gives way. Inside a transaction."""
    await KeptForm.delete().where(KeptForm.user_id == user_id)
    await KeptForm.insert(
        KeptForm(id=ids.new_id(), user_id=user_id, path=path[:500], fields=fields, expires_at=clock.now() + KEPT_FOR)
    )


async def find(user_id: UUID) -> dict[str, Any] | None:
    """The kept form, or None when there is none or it is too old."""
    kept: dict[str, Any] | None = await (
        KeptForm.select(KeptForm.path, KeptForm.fields)
        .where(KeptForm.user_id == user_id)
        .where(KeptForm.expires_at > clock.now())
        .first()
        .output(load_json=True)
    )
    return kept


async def forget(user_id: UUID) -> None:
    """Inside a transaction."""
    await KeptForm.delete().where(KeptForm.user_id == user_id)
