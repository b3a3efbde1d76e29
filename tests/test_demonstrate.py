import os
import re
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from selfcare import demonstrate
from selfcare.demonstrate import Wishes
from selfcare.server import CannotStart
from selfcare.settings import Settings


def test_the_demo_lives_in_its_own_folder_and_follows_host_and_port(tmp_path: Path) -> None:
    settings = demonstrate.settings_of(Wishes(data=tmp_path / "here", port=8123), Settings(), 8123)
    assert settings.demo
    assert settings.database_url == f"sqlite:///{tmp_path}/here/selfcare.db"
    assert settings.public_url == "http://127.0.0.1:8123"
    assert settings.refusals() == []


def test_a_phone_on_the_same_network_gets_an_address_it_can_reach(tmp_path: Path) -> None:
    settings = demonstrate.settings_of(Wishes(host="0.0.0.0", data=tmp_path), Settings(), 8123)
    assert re.fullmatch(r"http://\d+\.\d+\.\d+\.\d+:8123", settings.public_url)
    assert "0.0.0.0" not in settings.public_url
    assert demonstrate.settings_of(Wishes(host="::1", data=tmp_path), Settings(), 1).public_url == "http://[::1]:1"
    asked = Wishes(public_url="https://demo.lark.example/", data=tmp_path)
    assert demonstrate.settings_of(asked, Settings(), 1).public_url == "https://demo.lark.example"


def test_the_secret_is_kept_private_and_for_the_next_start(tmp_path: Path) -> None:
    first = demonstrate.settings_of(Wishes(data=tmp_path), Settings(), 1)
    again = demonstrate.settings_of(Wishes(data=tmp_path), Settings(), 1)
    elsewhere = demonstrate.settings_of(Wishes(data=tmp_path / "other"), Settings(), 1)
    assert first.keys == again.keys != elsewhere.keys
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_beginning_anew_removes_the_demo_and_nothing_else(tmp_path: Path) -> None:
    for name in ("selfcare.db", "selfcare.db-wal", "selfcare.db-shm", "holiday.jpg"):
        (tmp_path / name).touch()
    demonstrate.forget(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"file/demo cannot be written \(.*\)\. Choose another with --data\."):
        demonstrate.folder(tmp_path / "file" / "demo")


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    demonstrate.settings_of(Wishes(data=tmp_path), Settings(), 1)
    first = demonstrate.hold(tmp_path)
    with pytest.raises(CannotStart, match="Another demo is running in"):
        demonstrate.hold(tmp_path)
    first.close()
    demonstrate.hold(tmp_path).close()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-12-01T09:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-07-01 09:00", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("2026-12-01", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-01T09:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T09:00+02:00", datetime(2026, 12, 1, 7, tzinfo=UTC)),
    ],
)
def test_a_moment_without_a_zone_is_the_operators(text: str, at: datetime) -> None:
    assert demonstrate.moment(text, "Europe/London") == at


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01", "1e9", "0001-01-01", "9999-12-31T23:59"])
def test_what_is_no_moment_is_told_in_words(text: str) -> None:
    with pytest.raises(CannotStart, match=f"--now {text} is "):
        demonstrate.moment(text, "Europe/London")


def test_one_command_shows_a_portal_and_ends_clean_when_told(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "selfcare", "demo", "--port", "0", "--data", str(tmp_path), "--now", "2026-12-01"]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SELFCARE_")}
    with subprocess.Popen(
        command, env=inherited, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        said = ""
        while "Ctrl+C" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, said
        # The socket is open before the words are printed, so this waits for the server and is not refused.
        answer = httpx.get(f"{found[0]}/readyz", timeout=120)
        demo.send_signal(signal.SIGINT)
        said += demo.stdout.read()
    assert (answer.status_code, answer.text) == (200, "ready")
    assert "server" not in answer.headers
    assert demo.returncode == 0
    assert "asha@example.test" in said
    assert "Demo-Pass-1!" in said
    assert "Tuesday 01 December 2026, 00:00" in said
    assert "Traceback" not in said
    assert "ERROR" not in said
