"""The history of settings that staff change."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class SettingChange(Table, tablename="setting_change"):
    """The last row of a name counts; a value of NULL is the default again. Rows are never changed."""

    revision = BigInt(primary_key=True, default=None)
    id = UUID(default=None)
    name = Varchar(60)
    value = Varchar(2000, null=True, default=None)
    was = Varchar(2000, null=True, default=None)
    changed_by = UUID(default=None)
    changed_at = Timestamptz(default=None)
