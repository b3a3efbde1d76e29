"""An attacker who owns the database: a connection of his own, and the triggers switched off."""

from __future__ import annotations

import sqlite3

import asyncpg

from selfcare.db.engine import Database

TABLES = ("audit_event", "audit_head")


async def rewrite(database: Database, *statements: str) -> None:
    if database.dialect == "sqlite":
        with sqlite3.connect(database.url.removeprefix("sqlite:///")) as connection:
            triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                connection.execute(statement)
            for _, sql in triggers:
                connection.execute(sql)
        connection.close()
        return
    attacker = await asyncpg.connect(database.url)
    try:
        async with attacker.transaction():
            await attacker.execute("".join(f"ALTER TABLE {table} DISABLE TRIGGER USER;" for table in TABLES))
            for statement in statements:
                await attacker.execute(statement)
            await attacker.execute("".join(f"ALTER TABLE {table} ENABLE TRIGGER USER;" for table in TABLES))
    finally:
        await attacker.close()


async def try_to(database: Database, statement: str) -> None:
    """The same attacker with the triggers on and SQLite's own settings. Raises what the database says."""
    if database.dialect == "sqlite":
        with sqlite3.connect(database.url.removeprefix("sqlite:///")) as connection:
            connection.execute(statement)
        connection.close()
        return
    attacker = await asyncpg.connect(database.url)
    try:
        await attacker.execute(statement)
    finally:
        await attacker.close()
