"""Loads the demo operator into an empty, migrated database. The same now makes the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeAlias

from selfcare.audit import log as audit
from selfcare.db.counters import take_block
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch_one, insert_many
from selfcare.demo import accounts, catalogue, households
from selfcare.demo.activity import add_activity
from selfcare.demo.bills import Book
from selfcare.demo.bloom import add_bloom
from selfcare.demo.crowd import add_crowd
from selfcare.demo.noor import add_noor, add_payments
from selfcare.demo.orders import add_orders
from selfcare.demo.people import ASHA, PASSWORD
from selfcare.demo.requests import add_requests
from selfcare.demo.rows import Rows
from selfcare.demo.sims import add_sims
from selfcare.demo.timeline import Timeline
from selfcare.demo.vouchers import add_vouchers
from selfcare.identity.passwords import Passwords
from selfcare.identity.tables import User
from selfcare.portal.billing.tables import Invoice, Transaction
from selfcare.portal.services.tables import Product

Progress: TypeAlias = Callable[[str, int, int], None]
"""What is being made, how many are done, how many there will be."""

LOADED = Prepared(lambda: User.select(User.id).where(User.id == ASHA.id))


async def is_loaded() -> bool:
    return await fetch_one(LOADED.bind()) is not None


async def load(
    *,
    now: datetime,
    progress: Progress,
    customers: int = 0,
    records_each: int = 0,
    passwords: Passwords | None = None,
    sim_keys: Sequence[bytes] = (),
    link_key: bytes = b"",
    with_payments: bool = False,
) -> None:
    """The named people, the catalogue, and `customers` generated ones more with `records_each` usage records each.

    `with_payments` for a demo that goes on: tests pay themselves.

    What the named people did lately is written where the audit log has its key.
    """
    when = Timeline(now.replace(microsecond=0))
    hasher = passwords or Passwords()
    password_hash = await hasher.hash(PASSWORD)
    if passwords is None:
        hasher.close()
    progress("named people", 0, 1)
    async with transaction():
        await _load_named(when, password_hash, sim_keys)
        if link_key:
            await add_vouchers(when, link_key)
        if with_payments:
            await add_payments(when)
            await add_orders(when)
        if audit.is_configured():
            await add_activity(when, with_orders=with_payments)
    progress("named people", 1, 1)
    if customers:
        await add_crowd(when, password_hash, customers, progress, records_each)


async def _load_named(when: Timeline, password_hash: str, sim_keys: Sequence[bytes]) -> None:
    rows, book = Rows(), Book()
    accounts.add_everybody(rows, when, password_hash)
    rows.add(Product, *catalogue.rows(when.at(-1200, 9)))
    households.add_asha(rows, book, when)
    households.add_chidi(rows, book, when)
    households.add_unowned(rows, when)
    add_bloom(rows, book, when)
    add_noor(rows, book, when)
    if sim_keys:
        add_sims(rows, when, sim_keys)
    await rows.write()
    await _write_bills(book)
    await add_requests(when)


async def _write_bills(book: Book) -> None:
    for (prefix, counter, year), bills in book.by_series().items():
        numbers = await take_block(f"{counter}-{year}", len(bills))
        numbered = zip(bills, numbers, strict=True)
        await insert_many(Invoice, [bill.invoice(f"{prefix}-{year}-{number:06}") for bill, number in numbered])
    await insert_many(Transaction, book.transactions())
