from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from piccolo.engine.exceptions import TransactionError

from selfcare.audit import log
from selfcare.audit.events import Event
from selfcare.audit.log import Actor, Break, record, verify
from selfcare.audit.tables import AuditEvent, AuditHead
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from tests.audit.tampering import rewrite, try_to
from tests.support.databases import opened
from tests.support.processes import together

KEY = b"a key that is not in the database"
ORIGIN = Origin(address="203.0.113.77", device="Firefox on Android", request_id="r-1", country="GB")
CUSTOMER, OTHER = new_id(), new_id()
ASHA = Actor(actor_id=new_id(), user_id=new_id(), customer_id=CUSTOMER, origin=ORIGIN)
CHIDI = Actor(actor_id=new_id(), user_id=new_id(), customer_id=OTHER, origin=ORIGIN)


@pytest.fixture(autouse=True)
def key() -> Iterator[None]:
    log.configure(KEY)
    yield
    log.configure(KEY)


async def write(who: log.Who = ASHA, times: int = 1) -> None:
    for _ in range(times):
        async with transaction():
            await record(who, Event.SERVICES_RENAMED, about=new_id())


async def test_a_row_says_who_did_what_for_whom_from_where(database: Database) -> None:
    dina, asha, grant, about = new_id(), new_id(), new_id(), new_id()
    who = Actor(actor_id=dina, user_id=asha, grant_id=grant, customer_id=CUSTOMER, origin=ORIGIN)
    with clock.frozen(datetime(2026, 11, 22, 9, 30, tzinfo=UTC)):
        async with transaction():
            await record(who, Event.TOPUP_BOUGHT, about=about, amount_minor=1000, currency="GBP")
    (row,) = await AuditEvent.select()
    assert (row["actor_user_id"], row["user_id"], row["grant_id"], row["customer_id"]) == (dina, asha, grant, CUSTOMER)
    assert (row["chain"], row["number"], row["event"], row["outcome"]) == (str(CUSTOMER), 1, "topup.bought", "ok")
    assert (row["at"], row["about"]) == (datetime(2026, 11, 22, 9, 30, tzinfo=UTC), str(about))
    assert (row["device"], row["country"], row["request_id"]) == ("Firefox on Android", "GB", "r-1")
    assert json.loads(row["details"]) == {"amount_minor": 1000, "currency": "GBP"}
    assert await verify() == []


async def test_each_customer_has_a_chain_and_what_belongs_to_none_is_in_the_system_chain(database: Database) -> None:
    await write(ASHA, 2)
    await write(CHIDI, 1)
    async with transaction():
        await record(log.visitor(ORIGIN), Event.SIGN_IN_FAILED, outcome="refused")
        await record(log.SYSTEM, Event.JOB_RETRIED, kind="messages.send")
    numbers = await AuditEvent.select(AuditEvent.chain, AuditEvent.number)
    assert sorted((row["chain"], row["number"]) for row in numbers) == sorted(
        [(str(CUSTOMER), 1), (str(CUSTOMER), 2), (str(OTHER), 1), ("system", 1), ("system", 2)]
    )
    assert await verify() == []


async def test_addresses_are_cut_to_their_network_unless_the_operator_keeps_them(database: Database) -> None:
    for address in ("203.0.113.77", "2001:db8:1:2:3::4", "unix socket"):
        await write(log.visitor(Origin(address, "", ""), customer_id=CUSTOMER))
    log.configure(KEY, full_addresses=True)
    await write()
    rows = await AuditEvent.select(AuditEvent.address).order_by(AuditEvent.number)
    assert [row["address"] for row in rows] == ["203.0.113.0/24", "2001:db8:1::/48", "", "203.0.113.77"]


async def test_what_strangers_send_is_cut_to_what_every_database_takes(database: Database) -> None:
    odd = "\ud800\x00" + "x" * 5000
    await write(log.visitor(Origin(odd, odd, odd), customer_id=CUSTOMER))
    (row,) = await AuditEvent.select()
    assert row["device"] == "?" + "x" * 199
    assert await verify() == []


async def test_a_detail_that_is_not_declared_is_refused(database: Database) -> None:
    async with transaction():
        with pytest.raises(TypeError, match="does not take email"):
            await record(ASHA, Event.SERVICES_RENAMED, email="asha@example.test")
    assert not await AuditEvent.exists()


async def test_a_detail_that_is_missing_is_refused(database: Database) -> None:
    async with transaction():
        with pytest.raises(TypeError, match="needs amount_minor"):
            await record(ASHA, Event.TOPUP_BOUGHT, currency="GBP")


async def test_a_float_is_refused(database: Database) -> None:
    async with transaction():
        with pytest.raises(TypeError, match="float"):
            await record(ASHA, Event.TOPUP_BOUGHT, amount_minor=9.99, currency="GBP")


async def test_nothing_is_written_outside_a_transaction(database: Database) -> None:
    with pytest.raises(TransactionError):
        await record(ASHA, Event.SERVICES_RENAMED)


async def test_an_act_that_is_rolled_back_was_never_written_down(database: Database) -> None:
    await write()
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await record(ASHA, Event.SERVICES_RENAMED)
            raise ZeroDivisionError
    await write()
    assert [row["number"] for row in await AuditEvent.select().order_by(AuditEvent.number)] == [1, 2]
    assert await verify() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET outcome = 'failed' WHERE number = 2",
        "DELETE FROM audit_event WHERE number = 3",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET number = 1",
        "UPDATE audit_head SET chain = 'other'",
    ],
)
async def test_the_database_refuses_to_change_the_log(database: Database, statement: str) -> None:
    await write(times=3)
    with pytest.raises(Exception, match="append-only"):
        await try_to(database, statement)
    assert await verify() == []


async def test_the_database_refuses_to_replace_a_row(database: Database) -> None:
    await write(times=2)
    copy = "INTO audit_event SELECT * FROM audit_event WHERE number = 2"
    if database.dialect == "sqlite":
        statement = f"INSERT OR REPLACE {copy}"
    else:
        statement = f"INSERT {copy} ON CONFLICT (id) DO UPDATE SET outcome = 'failed'"
    with pytest.raises(Exception, match="append-only"):
        await try_to(database, statement)
    if database.dialect == "postgres":
        with pytest.raises(Exception, match="append-only"):
            await try_to(database, "TRUNCATE audit_event")
    assert await verify() == []


async def test_a_head_cannot_be_replaced_to_begin_again(database: Database) -> None:
    await write(times=2)
    if database.dialect == "sqlite":
        await try_to(database, f"INSERT OR REPLACE INTO audit_head VALUES ('{CUSTOMER}', 0, '', 0)")
    else:
        with pytest.raises(Exception, match="append-only"):
            await try_to(database, "TRUNCATE audit_head")
    (head,) = await AuditHead.select(AuditHead.number)
    assert head["number"] == 2


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'failed'",
        "about = 'somebody else'",
        "actor_user_id = NULL",
        "grant_id = '018f0000-0000-7000-8000-000000000000'",
        "at = '2020-01-01 00:00:00+00:00'",
        "details = '{}'",
        "event = 'services.renamed'",
        "address = ''",
        "hash = '" + "0" * 64 + "'",
    ],
)
async def test_a_changed_row_is_named(database: Database, change: str) -> None:
    for _ in range(4):
        async with transaction():
            await record(ASHA, Event.SERVICES_CHANGED, about=new_id(), fields=["voicemail"])
    await rewrite(database, f"UPDATE audit_event SET {change} WHERE number = 2")
    found = await verify()
    assert found[0] == Break(str(CUSTOMER), 2, "changed")
    # A wrong hash also breaks the row that was chained to it.
    assert [each.number for each in found[1:]] == ([3] if change.startswith("hash") else [])


@pytest.mark.parametrize("column", ["at", "id", "actor_user_id", "details"])
async def test_nonsense_where_a_value_stood_is_named_like_any_change(database: Database, column: str) -> None:
    await write(times=3)
    # Only SQLite takes any text in any column.
    nonsense = "CAST('x' AS TEXT)" if database.dialect == "sqlite" or column == "details" else "NULL"
    if nonsense == "NULL" and column in ("at", "id"):
        nonsense = {"at": "'0044-03-15 BC'", "id": "'00000000-0000-0000-0000-000000000000'"}[column]
    await rewrite(database, f"UPDATE audit_event SET {column} = {nonsense} WHERE number = 2")
    assert await verify() == [Break(str(CUSTOMER), 2, "changed")]


async def test_a_deleted_row_is_named(database: Database) -> None:
    await write(times=4)
    await rewrite(database, "DELETE FROM audit_event WHERE number = 2")
    assert await verify() == [Break(str(CUSTOMER), 2, "missing")]


async def test_two_swapped_rows_are_named(database: Database) -> None:
    await write(times=4)
    await rewrite(
        database,
        "UPDATE audit_event SET number = 99 WHERE number = 2",
        "UPDATE audit_event SET number = 2 WHERE number = 3",
        "UPDATE audit_event SET number = 3 WHERE number = 99",
    )
    assert [(each.number, each.what) for each in await verify()][:2] == [(2, "changed"), (3, "changed")]


async def test_a_row_moved_to_another_customer_is_named(database: Database) -> None:
    await write(ASHA, 3)
    await write(CHIDI, 1)
    await rewrite(database, f"UPDATE audit_event SET chain = '{OTHER}', number = 2 WHERE number = 3")
    found = {(each.chain, each.number, each.what) for each in await verify()}
    assert (str(CUSTOMER), 3, "cut") in found
    assert (str(OTHER), 2, "changed") in found


async def test_a_cut_tail_is_named(database: Database) -> None:
    await write(times=5)
    await rewrite(database, "DELETE FROM audit_event WHERE number > 3")
    assert await verify() == [Break(str(CUSTOMER), 4, "cut")]


async def test_a_whole_chain_that_is_gone_is_named(database: Database) -> None:
    await write(ASHA, 2)
    await write(CHIDI, 2)
    await rewrite(database, f"DELETE FROM audit_event WHERE chain = '{OTHER}'")
    assert await verify() == [Break(str(OTHER), 1, "cut")]


async def test_a_row_that_nobody_recorded_is_named(database: Database) -> None:
    await write(times=2)
    columns = ", ".join(log.COLUMNS)
    forged = columns.replace("id,", "'018f0000-0000-7000-8000-000000000000',", 1).replace("number", "3")
    await rewrite(database, f"INSERT INTO audit_event ({columns}) SELECT {forged} FROM audit_event WHERE number = 2")
    assert Break(str(CUSTOMER), 3, "changed") in await verify()


async def test_rows_of_an_older_key_still_verify(database: Database) -> None:
    await write()
    log.configure(b"the new key", KEY)
    await write()
    assert await verify() == []
    log.configure(b"the new key")
    assert await verify() == [Break(str(CUSTOMER), 1, "changed")]


async def test_a_long_log_is_read_in_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "PAGE", 3)
    for who, times in ((ASHA, 7), (CHIDI, 3), (log.SYSTEM, 1)):
        await write(who, times)
    assert await verify() == []
    await rewrite(database, f"UPDATE audit_event SET about = 'x' WHERE number = 6 AND chain = '{CUSTOMER}'")
    assert await verify() == [Break(str(CUSTOMER), 6, "changed")]


async def test_many_at_once_get_numbers_without_gaps(database: Database) -> None:
    await asyncio.gather(*(write() for _ in range(20)))
    assert [row["number"] for row in await AuditEvent.select().order_by(AuditEvent.number)] == list(range(1, 21))
    assert await verify() == []


async def write_often(url: str, customer: UUID) -> None:
    log.configure(KEY)
    async with opened(url):
        for _ in range(15):
            async with transaction():
                await log.record(log.system(customer_id=customer), Event.SERVICES_RENAMED)


async def test_two_processes_write_one_chain_without_gaps(database: Database) -> None:
    await together(write_often, *[(database.url, CUSTOMER)] * 2)
    assert [row["number"] for row in await AuditEvent.select().order_by(AuditEvent.number)] == list(range(1, 31))
    assert await verify() == []
