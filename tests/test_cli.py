import socket
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from selfcare.cli import main


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/selfcare.db"


def run(*arguments: str, typed: str | None = None, **env: str) -> Result:
    settings: dict[str, str | None] = {f"SELFCARE_{name}": value for name, value in env.items()}
    result = CliRunner().invoke(main, arguments, env=settings, input=typed)
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def test_help_names_every_command() -> None:
    listed = run("--help").output
    for command in ("demo", "serve", "worker", "migrate", "staff-add", "doctor", "where", "audit"):
        assert f"\n  {command} " in listed


def test_migrate_says_what_it_did_and_does_nothing_twice(url: str) -> None:
    assert "Applied 0001: customers, people" in run("migrate", DATABASE_URL=url).output
    again = run("migrate", DATABASE_URL=url)
    assert again.output == "There is nothing to do: the database has the schema of this version.\n"
    back = run("migrate", "--to", "0000", DATABASE_URL=url)
    assert "Took back 0001" in back.output
    assert "was copied to" in back.output


def test_settings_that_cannot_be_followed_are_told_in_words() -> None:
    result = run("migrate", ENV="prod", ZONE="London")
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == "Error: "
    assert "SELFCARE_ENV is 'prod'; it must be one of" in result.output
    assert "SELFCARE_ZONE is not a time zone" in result.output


def test_production_without_a_secret_does_not_serve() -> None:
    result = run("serve", ENV="production", PUBLIC_URL="https://my.lark.example", ALLOW_SIMULATED_PAYMENTS="1")
    assert result.exit_code == 1
    assert "SELFCARE_SECRET_KEY is not set." in result.output


def test_a_database_without_its_tables_is_not_served(url: str) -> None:
    result = run("serve", DATABASE_URL=url)
    assert result.exit_code == 1
    assert "Run: selfcare migrate" in result.output


@pytest.mark.parametrize(
    "command",
    [
        ("audit", "verify"),
        ("feed", "-"),
        ("staff-add", "ada@lark.example", "--name", "Ada Quinn", "--password", "Correct-Horse-9!"),
        ("vouchers", "make", "--count", "1", "--credit", "5.00"),
    ],
    ids=" ".join,
)
def test_no_command_works_on_a_database_without_its_tables(url: str, command: tuple[str, ...]) -> None:
    result = run(*command, DATABASE_URL=url)
    assert result.exit_code == 1
    assert "Run: selfcare migrate" in result.output


def test_a_taken_port_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("demo", "--port", str(other.getsockname()[1]), "--data", str(tmp_path / "demo"))
    assert result.exit_code == 1
    assert "another program has it" in result.output
    assert not (tmp_path / "demo").exists()


def test_a_time_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    result = run("demo", "--port", "0", "--data", str(tmp_path), "--now", "yesterday")
    assert result.exit_code == 1
    assert "--now yesterday is no time. Write it like 2026-12-01T09:00." in result.output


def test_a_folder_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("demo", "--port", "0", "--data", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "Choose another with --data." in result.output


def test_the_demo_does_not_start_with_the_settings_of_production(tmp_path: Path) -> None:
    result = run("demo", "--port", "0", "--data", str(tmp_path / "demo"), ENV="production")
    assert result.exit_code == 1
    assert "SELFCARE_ENV is production" in result.output
    assert not (tmp_path / "demo").exists()


def add(url: str, email: str = "eli@lark.example", *more: str, password: str = "Eleven-and-1!") -> Result:
    cheap = {"ARGON2_MEMORY_KIB": "8", "ARGON2_PASSES": "1"}
    typed = f"{password}\n{password}\n"
    return run("staff-add", email, "--name", "Eli Marsh", *more, typed=typed, DATABASE_URL=url, **cheap)


def test_staff_are_added_once_with_their_rights(url: str, tmp_path: Path) -> None:
    run("migrate", DATABASE_URL=url)
    result = add(url, "eli@lark.example", "--right", "view_customer", "--right", "view_billing")
    assert (
        "Eli Marsh may now sign in as eli@lark.example with the rights: view_customer, view_billing." in result.output
    )
    assert "Eleven" not in result.output
    again = add(url, "ELI@lark.example")
    assert again.exit_code == 1
    assert "Somebody with the address ELI@lark.example is here already." in again.output
    with sqlite3.connect(tmp_path / "selfcare.db") as rows:
        [[email, rights, hashed]] = rows.execute("SELECT email, staff_rights, password_hash FROM app_user").fetchall()
    assert (email, rights) == ("eli@lark.example", '["view_customer", "view_billing"]')
    assert hashed.startswith("$argon2id$")


def test_adding_staff_is_in_the_audit_log_and_a_change_of_it_is_found(url: str, tmp_path: Path) -> None:
    run("migrate", DATABASE_URL=url)
    add(url, "eli@lark.example", "--right", "view_billing")
    untouched = run("audit", "verify", DATABASE_URL=url)
    assert (untouched.exit_code, untouched.output) == (0, "Nobody changed the audit log.\n")
    with sqlite3.connect(tmp_path / "selfcare.db") as rows:
        [[event]] = rows.execute("SELECT event FROM audit_event").fetchall()
        triggers = rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit_event'")
        for [name] in triggers.fetchall():
            rows.execute(f"DROP TRIGGER {name}")
        rows.execute("UPDATE audit_event SET details = replace(details, 'view_billing', 'admin')")
    assert event == "staff.added"
    changed = run("audit", "verify", DATABASE_URL=url)
    assert changed.exit_code == 1
    assert "✗ chain system, number 1: " in changed.output
    assert changed.output.endswith("The audit log was changed.\n")


@pytest.mark.parametrize(
    ("email", "more", "password", "says"),
    [
        ("eli", (), "Eleven-and-1!", "'eli' is no e-mail address."),
        (
            "eli@lark.example",
            ("--right", "root"),
            "Eleven-and-1!",
            "'root' is no right of staff. There are: admin,",
        ),
        ("eli@lark.example", (), "short", "A staff password has at least 12 characters."),
        ("eli@lark.example", (), "only-small-letters", "Add an upper case letter. Add a digit."),
        ("eli@lark.example", (), "Marsh-of-1000-birds!", "Leave out your name"),
    ],
)
def test_staff_that_cannot_be_added_are_told_in_words(
    url: str, email: str, more: tuple[str, ...], password: str, says: str
) -> None:
    result = add(url, email, *more, password=password)
    assert result.exit_code == 1
    assert says in result.output


def test_the_doctor_answers_scripts_by_its_exit_code(url: str) -> None:
    ill = run("doctor", DATABASE_URL=url)
    assert ill.exit_code == 1
    assert "✗ The database lacks" in ill.output
    run("migrate", DATABASE_URL=url)
    well = run("doctor", DATABASE_URL=url)
    assert well.exit_code == 0
    assert well.output.endswith("All is well.\n")


def test_where_names_handler_file_line_and_templates() -> None:
    said = run("where", "/sign-in").output
    assert "GET /sign-in  (sign_in)" in said
    assert "src/selfcare/portal/sign_in/routes.py:" in said
    assert "templates/sign_in/index.html" in said
    assert "templates/layouts/base.html" in said


def test_where_says_when_nothing_answers() -> None:
    assert run("where", "/no/such/place").output == "Nothing answers /no/such/place.\n"


def test_one_flipped_bit_in_the_file_of_the_database_is_found_and_its_place_told(url: str, tmp_path: Path) -> None:
    run("migrate", DATABASE_URL=url)
    for name in ("eli", "dina"):
        add(url, f"{name}@lark.example", "--right", "view_billing")
    path = tmp_path / "selfcare.db"
    with sqlite3.connect(path) as rows:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [[_first], [hashed]] = rows.execute("SELECT hash FROM audit_event ORDER BY number").fetchall()
    content = bytearray(path.read_bytes())
    # The event's own row, not the copy of its hash in the head of the chain.
    place = content.index(b"view_billing", content.index(hashed.encode()) - 400)
    content[place] ^= 1
    path.write_bytes(content)
    changed = run("audit", "verify", DATABASE_URL=url)
    assert changed.exit_code == 1
    assert "chain system, number " in changed.output
