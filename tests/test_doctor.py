from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from selfcare import doctor
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db import migrate
from selfcare.db.engine import open_database, transaction
from selfcare.doctor import Finding
from tests.support import ports
from tests.support.databases import opened


async def found(**env: str) -> list[Finding]:
    return [finding async for finding in doctor.examine({f"SELFCARE_{name}": value for name, value in env.items()})]


@pytest.fixture
def mail_port() -> Iterator[int]:
    port = ports.free()
    peer = Controller(object(), hostname="127.0.0.1", port=port)
    peer.start()
    yield port
    peer.stop()


async def test_where_all_is_well_it_says_so(database_url: str, mail_port: int) -> None:
    findings = await found(DATABASE_URL=database_url, MAIL_URL=f"smtp://127.0.0.1:{mail_port}")
    assert [finding.mend for finding in findings] == [""] * len(findings)
    said = " ".join(finding.what for finding in findings)
    for words in ("settings are good", "Lark Mobile", "is migrated", "takes writes", "clock", "are free", "answers"):
        assert words in said


async def test_mistakes_in_the_settings_are_told_first_and_alone() -> None:
    findings = await found(ENV="prod", ZONE="London", PUBLIC_ULR="x")
    assert [finding.what.split()[0] for finding in findings] == [
        "SELFCARE_PUBLIC_ULR",
        "SELFCARE_ENV",
        "SELFCARE_ZONE",
    ]
    assert [finding.bad for finding in findings] == [False, True, True]


async def test_a_database_that_is_not_migrated_is_told_with_the_command(tmp_path: Path) -> None:
    findings = await found(DATABASE_URL=f"sqlite:///{tmp_path}/new.db")
    assert [finding.mend for finding in findings if finding.bad] == ["Run: selfcare migrate"]


async def test_a_database_that_takes_no_writes_is_told(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/kept.db"
    database = await open_database(url)
    await migrate.migrate()
    async with database.engine.write_transaction() as tx:
        await tx.rows("CREATE TRIGGER no_more BEFORE INSERT ON readiness BEGIN SELECT RAISE(ABORT, 'full'); END", ())
    await database.close()
    [wrong] = [finding for finding in await found(DATABASE_URL=url) if finding.bad]
    assert "takes no writes: full" in wrong.what


async def test_a_database_that_does_not_answer_is_told_without_its_password() -> None:
    port = ports.free()
    [wrong] = [each for each in await found(DATABASE_URL=f"postgres://u:kestrel@127.0.0.1:{port}/x") if each.bad]
    assert "does not open" in wrong.what
    assert "kestrel" not in wrong.what


async def test_a_mail_server_that_does_not_answer_is_told_but_stops_nothing(database_url: str) -> None:
    port = ports.free()
    findings = await found(DATABASE_URL=database_url, MAIL_URL=f"smtp://u:kestrel@127.0.0.1:{port}")
    [wrong] = [finding for finding in findings if finding.mend]
    assert f"127.0.0.1:{port} does not answer" in wrong.what
    assert "kestrel" not in wrong.what
    assert not wrong.bad


async def test_an_unsafe_production_and_a_pale_theme_are_told(database_url: str, tmp_path: Path) -> None:
    theme = tmp_path / "theme.toml"
    theme.write_text(doctor.Path(doctor.__file__).with_name("theme.toml").read_text().replace("#5b2bd9", "#ffd500"))
    findings = await found(DATABASE_URL=database_url, ENV="production", THEME=str(theme))
    assert len([finding for finding in findings if finding.bad]) == 3
    assert any("link on light pages was #ffd500" in finding.what for finding in findings)
    theme.write_text("")
    findings = await found(DATABASE_URL=database_url, THEME=str(theme))
    assert any("operator.name must be words" in finding.what for finding in findings if finding.bad)


async def test_a_gateway_that_does_not_answer_is_told(database_url: str) -> None:
    closed = f"http://127.0.0.1:{ports.free()}"
    stripe = {"STRIPE_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1", "STRIPE_API_BASE": closed}
    findings = await found(DATABASE_URL=database_url, PAYMENTS="stripe", **stripe)
    assert [finding.what for finding in findings if finding.bad] == [
        "Stripe at 127.0.0.1 is of no use to us: it does not answer."
    ]


async def test_a_network_that_does_not_answer_is_told(database_url: str) -> None:
    network = {"PROVISIONING_URL": "http://127.0.0.1:9/selfcare", "PROVISIONING_SECRET": "n" * 40}
    findings = await found(DATABASE_URL=database_url, PROVISIONING="http", **network)
    assert [finding.what for finding in findings if finding.bad] == [
        "The network at 127.0.0.1 is of no use to us: it does not answer."
    ]
    without = await found(DATABASE_URL=database_url, PROVISIONING="http")
    assert any("SELFCARE_PROVISIONING_SECRET is not set" in finding.what for finding in without if finding.bad)


async def test_what_was_said_to_us_and_refused_is_told_for_a_day(database_url: str) -> None:
    audit.configure(b"a" * 32)
    async with opened(database_url), transaction():
        await audit.record(audit.SYSTEM, Event.FEEDS_REFUSED, outcome="refused", reason="the signature is not ours")
    findings = await found(DATABASE_URL=database_url)
    told = [finding for finding in findings if "the signature is not ours" in finding.what]
    assert len(told) == 1
    assert not told[0].bad
