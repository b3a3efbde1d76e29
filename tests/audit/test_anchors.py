from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfcare.audit import anchors, log
from selfcare.audit.events import Event
from selfcare.audit.log import Actor, Anchor, Break, verify
from selfcare.db.engine import Database, transaction
from selfcare.kernel.ids import new_id
from tests.audit.tampering import rewrite

CUSTOMER, OTHER = new_id(), new_id()
ASHA, CHIDI = Actor(customer_id=CUSTOMER), Actor(customer_id=OTHER)
FIRST, SECOND, THIRD = (Anchor("asha", number, f"{number:064x}") for number in (1, 2, 3))
CHIDIS = Anchor("chidi", 7, f"{7:064x}")


@pytest.fixture(autouse=True)
def key() -> Iterator[None]:
    log.configure(b"a key that is not in the database")
    yield
    log.configure(b"")


async def write(who: log.Who = ASHA, times: int = 1) -> None:
    for _ in range(times):
        async with transaction():
            await log.record(who, Event.SERVICES_RENAMED, about=new_id())


def file_of(folder: Path, *kept: Anchor) -> Path:
    path = folder / "anchors.log"
    anchors._append(path, map(anchors._line, kept))
    return path


def names_in(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_tail_cut_together_with_its_head_shows_beside_the_anchor(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await write(times=5)
    with caplog.at_level(logging.INFO, logger="selfcare.audit.anchors"):
        assert await anchors.write() == 1
    noted = list(anchors.found_in(caplog.text.splitlines()))
    assert await verify(noted) == []
    await rewrite(
        database,
        "UPDATE audit_head SET number = 3, hash = (SELECT hash FROM audit_event WHERE number = 3)",
        "DELETE FROM audit_event WHERE number > 3",
    )
    assert await verify() == []
    assert await verify(noted) == [Break(str(CUSTOMER), 5, "cut")]
    await write(times=2)
    assert await verify(noted) == [Break(str(CUSTOMER), 5, "rewritten")]


async def test_the_anchor_tells_only_what_is_new(database: Database) -> None:
    await write(ASHA)
    await write(CHIDI)
    assert await anchors.write() == 2
    assert await anchors.write() == 0
    await write(CHIDI)
    assert await anchors.write() == 1


async def test_a_tail_cut_and_grown_over_before_the_next_look_shows(database: Database, tmp_path: Path) -> None:
    path = str(tmp_path / "anchors.log")
    await write(times=5)
    await anchors.write(path)
    await rewrite(
        database,
        "UPDATE audit_head SET number = 3, anchored = 3, hash = (SELECT hash FROM audit_event WHERE number = 3)",
        "DELETE FROM audit_event WHERE number > 3",
    )
    await write(times=3)
    await anchors.write(path)
    assert await verify(await anchors.read(path)) == [Break(str(CUSTOMER), 5, "rewritten")]


async def test_the_file_is_shortened_to_the_last_of_each_chain(tmp_path: Path) -> None:
    path = file_of(tmp_path, FIRST, CHIDIS, SECOND, THIRD)
    path.chmod(0o640)
    await anchors.shorten(str(path), await anchors.read(str(path)))
    assert await anchors.read(str(path)) == [CHIDIS, THIRD]
    assert path.stat().st_mode & 0o777 == 0o640
    assert names_in(tmp_path) == ["anchors.log"]


async def test_what_was_not_seen_to_hold_stays_in_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, FIRST, SECOND, THIRD)
    await anchors.shorten(str(path), [FIRST, THIRD])
    assert await anchors.read(str(path)) == [SECOND, THIRD]


async def test_a_file_behind_a_link_is_shortened_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    path = file_of(tmp_path / "far", FIRST, SECOND)
    link = tmp_path / "anchors.log"
    link.symlink_to(path)
    await anchors.shorten(str(link), [FIRST, SECOND])
    assert link.is_symlink()
    assert await anchors.read(str(path)) == [SECOND]


async def test_a_file_that_cannot_be_rewritten_stays_and_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("Operation not permitted")

    path = file_of(tmp_path, FIRST, SECOND)
    monkeypatch.setattr(anchors.os, "replace", refuse)
    await anchors.shorten(str(path), [FIRST, SECOND])
    file_of(tmp_path, THIRD)
    assert await anchors.read(str(path)) == [FIRST, SECOND, THIRD]
    assert names_in(tmp_path) == ["anchors.log"]


async def test_a_line_torn_by_a_crash_is_passed_over(tmp_path: Path) -> None:
    path = file_of(tmp_path, FIRST)
    path.write_text(f"{path.read_text()}audit anchor: chain asha number 2 ha")
    file_of(tmp_path, THIRD)
    assert await anchors.read(str(path)) == [FIRST, THIRD]
