"""Vouchers to try, with codes that everybody may know."""

from __future__ import annotations

import json
from typing import Any

from selfcare.db.prepared import insert_many
from selfcare.demo import catalogue
from selfcare.demo.people import fixed
from selfcare.demo.timeline import Timeline
from selfcare.portal.topup.vouchers import codes
from selfcare.portal.topup.vouchers.tables import Voucher, VoucherBatch

CREDIT = ("WREN2026GBP50000", "WREN2026GBP50001", "WREN2026GBP50002")
DATA = ("WREN2026DATA0005", "WREN2026DATA0006", "WREN2026DATA0007")
EXPIRED = ("WREN2024GBP50000",)


def shown() -> list[tuple[str, str]]:
    """With what each is worth, for visitors."""
    known = [(code, "£5.00 of credit") for code in CREDIT] + [(code, catalogue.DATA_5.name) for code in DATA]
    return [(codes.show(code), worth) for code, worth in known]


async def add_vouchers(when: Timeline, key: bytes) -> None:
    product = catalogue.DATA_5
    await _add("credit", CREDIT, when, key, worth="£5.00 of credit", amount_minor=500)
    await _add("old", EXPIRED, when, key, worth="£5.00 of credit", amount_minor=500, usable_until=when.at(-30, 0))
    await _add(
        "data",
        DATA,
        when,
        key,
        worth=product.name,
        product_id=product.id,
        service_type=product.type,
        grants=json.dumps(product.grants),
    )


async def _add(name: str, printed: tuple[str, ...], when: Timeline, key: bytes, **worth: Any) -> None:
    plain = {"product_id": None, "service_type": None, "grants": None, "amount_minor": None, "usable_until": None}
    batch = {"id": fixed(f"vouchers/{name}"), "name": name, "currency": "GBP", "made_at": when.at(-300, 9)}
    await insert_many(VoucherBatch, [batch | plain | worth])
    row = {"batch_id": batch["id"], "used_at": None, "customer_id": None, "used_by": None, "order_id": None}
    await insert_many(
        Voucher,
        [
            row | {"id": fixed(f"voucher/{code}"), "code_hash": codes.keyed(code, key), "request_key": None}
            for code in printed
        ],
    )
