"""The books against a model of four lines, and everybody who tries to write into them by hand."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfcare.db.engine import Database, transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.ledger import Account, Entry, Journal, Kind, Overdrawn, Unbalanced
from tests.support import money
from tests.support.money import Purse

OF_CUSTOMER = (Kind.RECEIVABLE, Kind.CREDIT, Kind.HELD, Kind.ON_ORDER, Kind.REFUNDING)
OF_HOUSE = (Kind.GATEWAY, Kind.SALES, Kind.TAX, Kind.GOODWILL)
CURRENCIES = ("GBP", "JPY", "KWD")


@pytest.fixture
async def purse(database: Database) -> Purse:
    return await money.purse()


def account(purse: Purse, kind: Kind, currency: str = "GBP") -> Account:
    return Account(kind, currency, purse.customer_id if kind in OF_CUSTOMER else None)


async def move(purse: Purse, to: Kind, out_of: Kind, minor: int, key: str | None = None, currency: str = "GBP") -> bool:
    entries = ledger.move(
        Money(minor, currency), to=account(purse, to, currency), out_of=account(purse, out_of, currency)
    )
    async with transaction():
        return await ledger.post(Journal(key or str(new_id()), "test", entries, purse.customer_id))


Moves = st.lists(
    st.tuples(
        st.sampled_from(OF_CUSTOMER + OF_HOUSE),
        st.sampled_from(OF_CUSTOMER + OF_HOUSE),
        st.integers(1, 10**12),
        st.sampled_from(CURRENCIES),
        # Few keys, so that the same one comes again.
        st.integers(0, 12),
    ).filter(lambda each: each[0] is not each[1]),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=Moves)
async def test_balances_are_those_of_a_simple_model(
    database: Database, moves: list[tuple[Kind, Kind, int, str, int]]
) -> None:
    purse = await money.purse()
    model: dict[tuple[Kind, str], int] = {}
    seen: set[int] = set()
    for to, out_of, minor, currency, key in moves:
        after = dict(model)
        after[to, currency] = after.get((to, currency), 0) + minor
        after[out_of, currency] = after.get((out_of, currency), 0) - minor
        refused = any(
            after.get((kind, currency), 0) > 0 for kind in (to, out_of) if kind in OF_CUSTOMER and kind != "receivable"
        )
        name = f"{purse.customer_id}:{key}"
        if key in seen:
            assert await move(purse, to, out_of, minor, name, currency) is False
        elif refused:
            with pytest.raises(Overdrawn):
                await move(purse, to, out_of, minor, name, currency)
        else:
            assert await move(purse, to, out_of, minor, name, currency) is True
            model, seen = after, seen | {key}
    kept = {
        (Kind(row["kind"]), row["currency"]): row["balance_minor"]
        for row in await fetch(KEPT.bind(of=purse.customer_id))
    }
    assert kept == {name: model[name] for name in model if name[0] in OF_CUSTOMER}
    assert await ledger.check() == []


KEPT = Prepared.sql("SELECT kind, currency, balance_minor FROM ledger_account WHERE customer_id = :of")


async def test_what_does_not_balance_is_not_posted(purse: Purse) -> None:
    entries = [Entry(account(purse, Kind.RECEIVABLE), 100), Entry(account(purse, Kind.SALES), -99)]
    with pytest.raises(Unbalanced):
        async with transaction():
            await ledger.post(Journal("crooked", "test", entries))


async def test_each_currency_balances_on_its_own(purse: Purse) -> None:
    entries = [Entry(account(purse, Kind.RECEIVABLE, "GBP"), 100), Entry(account(purse, Kind.SALES, "EUR"), -100)]
    with pytest.raises(Unbalanced):
        async with transaction():
            await ledger.post(Journal("mixed", "test", entries))


async def test_twenty_at_once_spend_the_same_credit_once(purse: Purse) -> None:
    await move(purse, Kind.GATEWAY, Kind.CREDIT, 100)
    tries = await asyncio.gather(*(move(purse, Kind.CREDIT, Kind.SALES, 60) for _ in range(20)), return_exceptions=True)
    assert [each for each in tries if not isinstance(each, Overdrawn)] == [True]
    assert await money.credit(purse) == 40
    assert await ledger.check() == []


async def test_twenty_at_once_post_the_same_key_once(purse: Purse) -> None:
    tries = await asyncio.gather(*(move(purse, Kind.GATEWAY, Kind.CREDIT, 100, "once") for _ in range(20)))
    assert sorted(tries) == [False] * 19 + [True]
    assert await money.credit(purse) == 100


async def _post(purse: Purse) -> tuple[UUID, UUID]:
    await move(purse, Kind.GATEWAY, Kind.CREDIT, 100, "posted")
    (journal,) = await fetch(JOURNAL.bind())
    return journal["id"], journal["account_id"]


JOURNAL = Prepared.sql(
    """
    SELECT j.id, e.account_id FROM ledger_journal j JOIN ledger_entry e ON e.journal_id = j.id
    JOIN ledger_account a ON a.id = e.account_id WHERE a.kind = 'credit'
    """
)
BY_HAND = {
    "change an entry": "UPDATE ledger_entry SET amount_minor = amount_minor + 1",
    "remove an entry": "DELETE FROM ledger_entry",
    "change a journal": "UPDATE ledger_journal SET kind = 'other'",
    "remove a journal": "DELETE FROM ledger_journal",
    "rename an account": "UPDATE ledger_account SET name = name || 'x'",
    "remove an account": "DELETE FROM ledger_account",
    "pay oneself": "UPDATE ledger_account SET balance_minor = 1 WHERE kind = 'credit'",
    "add a line afterwards": """
        INSERT INTO ledger_entry (id, journal_id, line, account_id, amount_minor, currency)
        SELECT '00000000-0000-7000-8000-000000000001', journal_id, 3, account_id, 5, 'GBP' FROM ledger_entry
        WHERE line = 1
    """,
}
REPLACE = {
    "replace an entry": """
        INSERT OR REPLACE INTO ledger_entry (id, journal_id, line, account_id, amount_minor, currency)
        SELECT id, journal_id, line, account_id, 5, currency FROM ledger_entry
    """,
    "replace a journal": """
        INSERT OR REPLACE INTO ledger_journal (id, key, kind, lines, at) SELECT id, key, 'x', lines, at
        FROM ledger_journal
    """,
}


@pytest.mark.parametrize("sql", BY_HAND.values(), ids=BY_HAND)
async def test_nobody_can(purse: Purse, sql: str) -> None:
    await _post(purse)
    with pytest.raises(Exception, match=r"stays|complete|CHECK|check constraint"):
        await _by_hand(sql)
    assert await ledger.check() == []
    assert await money.credit(purse) == 100


@pytest.mark.parametrize("sql", REPLACE.values(), ids=REPLACE)
@pytest.mark.parametrize("recursive", ["ON", "OFF"])
async def test_nobody_can_on_sqlite(database: Database, purse: Purse, sql: str, recursive: str) -> None:
    if database.dialect != "sqlite":
        pytest.skip("only SQLite has REPLACE")
    await _post(purse)
    with pytest.raises(Exception, match="stays"):
        async with transaction() as tx:
            await tx.rows(f"PRAGMA recursive_triggers={recursive}", ())
            await tx.rows(sql, ())
    assert await ledger.check() == []
    assert await money.credit(purse) == 100


async def test_a_key_cannot_be_taken_over_by_replacing(database: Database, purse: Purse) -> None:
    if database.dialect != "sqlite":
        pytest.skip("only SQLite has REPLACE")
    id, _account = await _post(purse)
    sql = "INSERT OR REPLACE INTO ledger_journal (id, key, kind, lines, at) VALUES (?, 'posted', 'x', 2, '2026-01-01')"
    async with transaction() as tx:
        await tx.rows(sql, (str(new_id()),))
    assert [row["id"] for row in await fetch(JOURNAL.bind())] == [id]


async def test_an_unbalanced_journal_written_by_hand_is_refused_by_the_database(purse: Purse) -> None:
    _journal, account_id = await _post(purse)
    journal = new_id()
    with pytest.raises(Exception, match="does not balance"):
        async with transaction():
            await execute(OPEN.bind(id=journal))
            await execute(ADD.bind(id=new_id(), journal_id=journal, line=1, account_id=account_id, minor=5))
            await execute(ADD.bind(id=new_id(), journal_id=journal, line=2, account_id=account_id, minor=-4))


OPEN = Prepared.sql(
    "INSERT INTO ledger_journal (id, key, kind, lines, at) VALUES (:id, 'hand', 'x', 2, '2026-01-01 00:00:00+00:00')"
)
ADD = Prepared.sql(
    """
    INSERT INTO ledger_entry (id, journal_id, line, account_id, amount_minor, currency)
    VALUES (:id, :journal_id, :line, :account_id, :minor, 'GBP')
    """
)


async def _by_hand(sql: str) -> None:
    async with transaction() as tx:
        await tx.rows(sql, ())


async def test_the_nightly_check_finds_a_balance_that_is_not_the_sum(purse: Purse) -> None:
    await _post(purse)
    await _by_hand("UPDATE ledger_account SET balance_minor = -99 WHERE kind = 'credit'")
    assert [fault.check for fault in await ledger.check()] == ["cached balance is not the sum"]


async def test_the_nightly_check_finds_a_journal_that_was_never_finished(purse: Purse) -> None:
    async with transaction():
        await execute(OPEN.bind(id=new_id()))
    assert [fault.check for fault in await ledger.check()] == ["journal is not complete"]


async def test_bills_are_owed_once_posted_and_only_once(purse: Purse) -> None:
    await money.bill(purse, 2_400, paid=1_000)
    await money.bill(purse, 600)
    await money.bill(purse, 100, state="draft")
    assert await bookkeeping.post_new_bills() == 2
    assert await bookkeeping.post_new_bills() == 0
    assert (await ledger.balances(purse)).owed == Money(2_000, "GBP")
    assert await ledger.check() == []


async def test_a_bill_that_became_void_is_owed_no_more_and_what_was_paid_is_credit(purse: Purse) -> None:
    await money.bill(purse, 2_400, paid=1_000)
    await bookkeeping.post_new_bills()
    await _by_hand("UPDATE invoice SET state = 'void'")
    assert await bookkeeping.post_new_bills() == 1
    balances = await ledger.balances(purse)
    assert (balances.owed, balances.credit) == (Money(0, "GBP"), Money(1_000, "GBP"))
