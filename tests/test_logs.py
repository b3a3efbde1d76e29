import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare import logs
from selfcare.kernel import ids

log = logging.getLogger("selfcare.canary")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, logging.raiseExceptions
    stream = io.StringIO()
    logs.set_up(production=True, level="info", stream=stream)
    yield stream
    root.handlers[:], root.level, logging.raiseExceptions = before
    logging.captureWarnings(capture=False)


def line_of(written: io.StringIO) -> dict[str, Any]:
    [line] = written.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_line_is_one_json_object_with_its_fields(written: io.StringIO) -> None:
    log.info("Answered", extra={"route": "/services/{service_id}", "status": 200, "ms": 3})
    line = line_of(written)
    assert line["at"].endswith("+00:00")
    del line["at"]
    assert line == {
        "level": "info",
        "logger": "selfcare.canary",
        "message": "Answered",
        "route": "/services/{service_id}",
        "status": 200,
        "ms": 3,
    }


def test_fields_nobody_allowed_are_dropped(written: io.StringIO) -> None:
    log.info("Answered", extra={"path": "/topup/canary", "query": "canary", "password": "canary", "cookie": "canary"})
    assert "canary" not in written.getvalue().replace("selfcare.canary", "")


def test_bound_fields_hold_in_their_own_context(written: io.StringIO) -> None:
    def inside() -> None:
        logs.bind(request_id="r-1")
        logs.bind(user_id="u-1", anything="canary-2")
        log.info("inside")

    copy_context().run(inside)
    assert line_of(written)["request_id"] == "r-1"
    assert line_of(written)["user_id"] == "u-1"
    assert "canary-2" not in written.getvalue()
    log.info("outside")
    assert "request_id" not in json.loads(written.getvalue().splitlines()[1])


CANARIES = [
    "asha@example.test",
    "ASHA.B+x@mail.example.co.uk",
    "4242424242424242",
    "4242 4242 4242 4242",
    "3782-822463-10005",
    "4000000000000000006",
    "sk_live_51HxCanary0123",
    "whsec_canary0123456789",
    "sc_key_canary0123456789",
    "Bearer canary.canary.canary",
    "$argon2id$v=19$m=19456,t=2,p=1$Y2FuYXJ5$Y2FuYXJ5",
    "https://my.lark.example/reset?token=kestrel",
    "postgres://selfcare:kestrel@db.lark.example/selfcare",
    "+44 7700 900123",
    "+447700900123",
]


@pytest.mark.parametrize("canary", [*CANARIES, "a token"])
@pytest.mark.parametrize("around", ["{}", "could not use {} today", "typed:{}", "'{}'", "2026-12-01 {}, twice {}"])
def test_what_should_never_be_written_is_masked(written: io.StringIO, canary: str, around: str) -> None:
    canary = ids.token() if canary == "a token" else canary
    log.warning(around.format(canary, canary))
    log.warning("%s", {"typed": canary})
    log.warning("x", extra={"outcome": around.format(canary, canary)})
    try:
        raise ValueError(around.format(canary, canary))
    except ValueError:
        log.exception("failed")
    secret = "kestrel" if "kestrel" in canary else canary.removeprefix("Bearer ")
    assert secret not in written.getvalue()
    assert len(written.getvalue().splitlines()) == 4


def test_a_card_number_given_as_a_number_is_masked(written: io.StringIO) -> None:
    log.info("Paid %s", 4242424242424242, extra={"rows": 4242424242424242})
    assert "4242" not in written.getvalue()
    assert line_of(written)["rows"] == "[card]"


def test_our_own_ids_and_ordinary_numbers_stay_readable(written: io.StringIO) -> None:
    card_like = UUID("42424242-4242-7242-8242-424242424242")
    log.info("Order %s of %s", card_like, "4242424242424241", extra={"user_id": card_like, "rows": 100_000})
    line = line_of(written)
    assert line["message"] == f"Order {card_like} of 4242424242424241"
    assert (line["user_id"], line["rows"]) == (str(card_like), 100_000)


@given(st.text())
def test_no_value_starts_a_line_or_paints_the_terminal(value: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (f"{value}\r\n\x1b[31mfake\x9b\u2028",), None)
    for line in (logs.JsonLines().format(record), logs.Readable().format(record)):
        assert len(line.splitlines()) == 1
        assert not any(ord(sign) < 32 or 127 <= ord(sign) < 160 for sign in line)


def test_an_error_is_told_with_the_places_it_passed(written: io.StringIO) -> None:
    try:
        raise ZeroDivisionError("a division")
    except ZeroDivisionError:
        log.exception("It went wrong")
    line = line_of(written)
    assert line["error"] == "ZeroDivisionError: a division"
    assert line["trace"][-1].endswith("test_an_error_is_told_with_the_places_it_passed")


def test_chatty_libraries_are_quiet_and_others_pass_the_same_filter(written: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://bank.example/?canary")
    logging.getLogger("uvicorn.error").warning("Bad request from asha@example.test")
    assert line_of(written)["message"] == "Bad request from [e-mail]"


def test_people_at_a_terminal_get_plain_lines() -> None:
    record = logging.LogRecord("selfcare.x", logging.WARNING, "", 0, "Slow: %s", ("asha@example.test",), None)
    record.ms = 900
    line = logs.Readable().format(record)
    assert line.endswith("WARNING Slow: [e-mail]  ms=900")
