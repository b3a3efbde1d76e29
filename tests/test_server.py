import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from selfcare import server
from selfcare.server import CannotStart
from selfcare.settings import Settings
from tests.support import databases, ports


def test_a_port_that_is_taken_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            CannotStart, match=rf"on 127\.0\.0\.1 port {port}: another program has it\. Stop that one, or"
        ):
            server.listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_told_in_words(host: str) -> None:
    with pytest.raises(CannotStart, match="Choose another with --host"):
        server.listen(host, 0)


def test_an_unsafe_production_does_not_start() -> None:
    with pytest.raises(CannotStart) as refused:
        server.check(Settings(env="production"))
    assert len(refused.value.reasons) == 3


def test_a_theme_that_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text("[operator]")
    with pytest.raises(CannotStart, match=r"operator\.name must be words"):
        server.check(Settings(theme=str(tmp_path / "theme.toml")))


def test_sqlite_takes_three_web_processes_and_postgresql_more() -> None:
    server.check(Settings(), workers=3)
    server.check(Settings(database_url="postgres://db.lark.example/selfcare"), workers=4)
    with pytest.raises(CannotStart, match="at most 3 workers"):
        server.check(Settings(), workers=4)


@pytest.mark.parametrize("proxies", [("10.0.0.1",), ("10.0.0.0/24", "::1")])
def test_proxies_are_named_by_address(proxies: tuple[str, ...]) -> None:
    server.check(Settings(trusted_proxies=proxies))


@pytest.mark.parametrize("proxy", ["*", "proxy.lark.example", "10.0.0.256"])
def test_nobody_is_trusted_by_another_name(proxy: str) -> None:
    with pytest.raises(CannotStart, match=r"which is no address like 10\.0\.0\.1"):
        server.check(Settings(trusted_proxies=(proxy,)))


async def test_a_database_that_does_not_answer_is_told_in_words_without_its_password(tmp_path: Path) -> None:
    port = ports.free()
    for url in (f"postgres://selfcare:kestrel@127.0.0.1:{port}/selfcare", f"sqlite:///{tmp_path}/no/../file.db/x.db"):
        (tmp_path / "file.db").touch()
        with pytest.raises(CannotStart, match="The database in SELFCARE_DATABASE_URL does not open") as refused:
            await server.opened(url)
        assert "kestrel" not in str(refused.value)


@pytest.fixture
def env(templates: databases.Templates, tmp_path: Path) -> dict[str, str]:
    """Of a server over a migrated database."""
    templates.prepare("sqlite", "migrated", databases.migrated)
    shutil.copyfile(templates.place / "migrated.db", tmp_path / "selfcare.db")
    return {**os.environ, "SELFCARE_DATABASE_URL": f"sqlite:///{tmp_path}/selfcare.db", "SELFCARE_PAYMENTS": "embedded"}


@pytest.mark.parametrize("workers", [1, 2])
def test_the_server_serves_trusts_no_stranger_and_stops_when_told(env: dict[str, str], workers: int) -> None:
    port = ports.free()
    command = [sys.executable, "-m", "selfcare", "serve", "--port", str(port), "--workers", str(workers)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as serving:
        assert serving.stdout is not None
        said = ""
        while "Application startup complete" not in said:
            line = serving.stdout.readline()
            assert line, said
            said += line
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz", headers={"X-Forwarded-For": "198.51.100.7"}, timeout=120)
        serving.send_signal(signal.SIGTERM)
        said += serving.stdout.read()
    assert (answer.status_code, answer.text) == (200, "ready")
    assert "server" not in answer.headers
    assert "198.51.100.7" not in said
    assert "Traceback" not in said
    assert serving.returncode in (0, -signal.SIGTERM)


def test_the_worker_works_alone_and_stops_when_told(env: dict[str, str]) -> None:
    command = [sys.executable, "-m", "selfcare", "worker"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as working:
        assert working.stdout is not None
        said = working.stdout.readline()
        working.send_signal(signal.SIGTERM)
        said += working.stdout.read()
    assert "working" in said
    assert "Traceback" not in said
    assert working.returncode == 0
