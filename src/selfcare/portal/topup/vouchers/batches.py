"""Batches of vouchers, made by the operator: their codes are told once and kept by nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one, insert_many
from selfcare.formats import money
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.topup.vouchers import codes
from selfcare.portal.topup.vouchers.tables import Voucher, VoucherBatch

MOST = 100_000
AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Worth:
    """Credit, or what a product of the catalogue puts in as it is sold today."""

    credit: Money | None = None
    product: str | None = None


async def make(name: str, count: int, worth: Worth, *, until: datetime | None, currency: str, key: bytes) -> list[str]:
    """So many new ones: their codes."""
    if not 1 <= count <= MOST:
        raise Rejected(_("Make 1 to %(most)d vouchers at once.") % {"most": MOST})
    made = list(dict.fromkeys(codes.make() for _n in range(count)))
    await _keep(name, made, worth, until=until, currency=currency, key=key)
    return made


async def bring(
    name: str, lines: Iterable[str], worth: Worth, *, until: datetime | None, currency: str, key: bytes
) -> int:
    """Those that were printed elsewhere, one code a line: all of them or none. How many."""
    read = list(_read(lines))
    if not 1 <= len(read) <= MOST:
        raise Rejected(_("There must be 1 to %(most)d codes.") % {"most": MOST})
    await _keep(name, read, worth, until=until, currency=currency, key=key)
    return len(read)


def _read(lines: Iterable[str]) -> Iterator[str]:
    seen = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        code = codes.read(line)
        if code is None:
            words = _("Line %(n)d is no code: 12 to 16 digits and letters without U are needed.")
            raise Rejected(words % {"n": number})
        if code in seen:
            raise Rejected(_("The code in line %(n)d was there before.") % {"n": number})
        seen.add(code)
        yield code


async def _keep(name: str, made: list[str], worth: Worth, *, until: datetime | None, currency: str, key: bytes) -> None:
    batch = VoucherBatch(id=new_id(), name=name.strip()[:100], made_at=clock.now(), usable_until=until)
    await _fill(batch, worth, currency)
    async with transaction():
        await VoucherBatch.insert(batch)
        for first in range(0, len(made), AT_ONCE):
            some = made[first : first + AT_ONCE]
            if await execute(_KNOWN.bind(hashes=[codes.keyed(code, key) for code in some])):
                raise Rejected(_("Some of these codes are known already. Nothing was kept."))
            await insert_many(Voucher, [_row(batch.id, code, key) for code in some])


async def _fill(batch: VoucherBatch, worth: Worth, currency: str) -> None:
    if worth.credit is not None:
        if worth.credit.minor <= 0:
            raise Rejected(_("Enter an amount above zero."))
        batch.amount_minor, batch.currency = worth.credit.minor, worth.credit.currency
        batch.worth = _("%(amount)s of credit") % {"amount": money(worth.credit)}
        return
    product = await fetch_one(_PRODUCT.bind(slug=worth.product or ""))
    if product is None or not json.loads(product["grants"]):
        raise Rejected(_("There is no top-up called %(slug)s.") % {"slug": worth.product})
    if product["custom_min_minor"] is not None:
        raise Rejected(_("%(slug)s has no fixed worth: choose another top-up.") % {"slug": worth.product})
    batch.product_id, batch.service_type = product["id"], product["service_type"]
    batch.grants, batch.currency, batch.worth = product["grants"], product["currency"] or currency, product["name"]


def _row(batch_id: UUID, code: str, key: bytes) -> dict[str, object]:
    return {"id": new_id(), "batch_id": batch_id, "code_hash": codes.keyed(code, key)}


_KNOWN = Prepared.sql("SELECT id FROM voucher WHERE code_hash IN :hashes LIMIT 1")
_PRODUCT = Prepared.sql(
    """
    SELECT id, name, service_type, grants, currency, custom_min_minor FROM product
     WHERE slug = :slug AND category = 'topup' AND enabled
    """
)
