"""SIM cards and eSIM profiles."""

from __future__ import annotations

from piccolo.columns import UUID, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class Sim(Table, tablename="sim"):
    """`replaced_at` NULL is the one in use, one per service. `sims.seal` writes the PINs, PUKs and the activation code:
    each can be read in its own row and column only."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    kind = Varchar(8)
    iccid = Varchar(22, unique=True)
    eid = Varchar(32, null=True, default=None)
    pin1 = Varchar(300, null=True, default=None, secret=True)
    puk1 = Varchar(300, null=True, default=None, secret=True)
    pin2 = Varchar(300, null=True, default=None, secret=True)
    puk2 = Varchar(300, null=True, default=None, secret=True)
    activation_code = Varchar(600, null=True, default=None, secret=True)
    confirmation_code_required = Boolean(default=False)
    state = Varchar(12)
    state_at = Timestamptz(default=None)
    replaced_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)
