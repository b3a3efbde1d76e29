"""Logs that can be given away: allowed fields only, and a last filter for what should never have been written.

Modules use `logging.getLogger(__name__)` and `extra={…}` with names from FIELDS; other names are dropped. What security
officers ask for later goes to the logger "selfcare.security". JSON lines in production, plain ones for people.
"""

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import lru_cache
from traceback import extract_tb, format_exception
from types import MappingProxyType, TracebackType
from typing import TextIO, TypeAlias
from uuid import UUID

FIELDS = (
    *("request_id", "method", "route", "status", "ms", "actor_id", "user_id", "customer_id", "grant_id"),
    *("event", "outcome", "job", "key", "attempt", "payment_id", "port", "adapter", "rows", "seconds", "retry_after"),
    *("dialect", "migration", "worker", "address", "process_id", "version"),
)
_CHATTY = (
    "httpx",
    "httpcore",
    "stripe",
    "aiosqlite",
    "asyncio",
    "asyncpg",
    "uvicorn.access",
    "aiosmtplib",
    "mail.log",
    "piccolo",
)

_NOTHING: Mapping[str, object] = MappingProxyType({})
_Error: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]
_bound: ContextVar[Mapping[str, object]] = ContextVar("log_fields", default=_NOTHING)


def set_up(*, production: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """One handler for everything this process logs, our libraries included. May be called again."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if production else Readable())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.raiseExceptions = not production
    # What no line of ours shows is not gathered for each of them: the file it was logged in, the thread, the process.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True


def bind(**fields: object) -> None:
    """Every line written from here on in this context carries these fields."""
    _bound.set({**_bound.get(), **fields})


class JsonLines(logging.Formatter):
    """For machines: one JSON object a line; of an error its kind, its words and the places it passed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": f"{_second(int(record.created))}.{int(record.created % 1 * 1000):03d}+00:00",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": masked(record.getMessage().strip()),
            **dict(_allowed(record)),
        }
        if error := _error_of(record):
            line["error"] = masked(f"{error[0].__name__}: {error[1]}")
            line["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(error[2])]
        return json.dumps(line, ensure_ascii=True).replace("\x7f", "\\u007f")


class Readable(logging.Formatter):
    """For people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        at = _second_here(int(record.created))
        level = "" if record.levelno == logging.INFO else f"{record.levelname} "
        fields = "".join(f"  {name}={value}" for name, value in _allowed(record))
        line = _escaped(f"{at} {level}{masked(record.getMessage().strip())}{fields}")
        if error := _error_of(record):
            line += "\n" + "\n".join(_escaped(masked(text)) for text in "".join(format_exception(*error)).splitlines())
        return line


@lru_cache(maxsize=2)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=2)
def _second_here(at: int) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def masked(text: str) -> str:
    """The last resort: tokens, card numbers, e-mail addresses, phone numbers and query strings do not pass."""
    if _HARMLESS(text):
        return text
    for pattern, instead in _NEVER:
        text = pattern.sub(instead, text)
    return _DIGITS.sub(_without_cards, text)


_NEVER = (
    (re.compile(r"(?i)\b(https?://[^\s?\"']+)\?[^\s\"']+"), r"\1?[query]"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@"), r"\1[login]@"),
    (re.compile(r"[^\s@<>\"'=:,;()\[\]{}]{1,64}@[^\s@<>\"',;()\[\]{}]{1,255}"), "[e-mail]"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]+"), r"\1 [token]"),
    (re.compile(r"\$argon2[\w$=,+/.-]*"), "[hash]"),
    (re.compile(r"\b(?:sc|sk|pk|rk|whsec|pi|seti|cs)_[A-Za-z0-9_-]{8,}"), "[token]"),
    (re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{40,}(?![A-Za-z0-9_-])"), "[token]"),
    (re.compile(r"\+\d(?:[ -]?\d){7,14}(?!\d)"), "[phone]"),
)
# One short word, as in nearly every line: too short for a card number or a token, and without what the others need.
_KEY = "(?:sc|sk|pk|rk|whsec|pi|seti|cs)_"
_HARMLESS = re.compile(rf"[A-Za-z0-9.-]{{1,12}}|(?!(?:.*[^A-Za-z])?{_KEY})[A-Za-z_.]{{1,39}}").fullmatch
_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_DIGITS = re.compile(rf"(?P<uuid>{_UUID})|\d(?:[ -]?\d){{12,}}")


def _without_cards(found: re.Match[str]) -> str:
    """A card number may stand among other figures: every group of 13 to 19 digits is tried, widest first."""
    if found["uuid"]:
        return found[0]
    text = found[0]
    starts = [0, *(each.end() for each in re.finditer("[ -]", text))]
    ends = [*(each.start() for each in re.finditer("[ -]", text)), len(text)]
    for start in starts:
        for end in reversed(ends):
            digits = re.sub("[ -]", "", text[start:end])
            if 13 <= len(digits) <= 19 and _passes_luhn(digits):
                return f"{text[:start]}[card]{_DIGITS.sub(_without_cards, text[end:])}"
    return text


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _allowed(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    bound, given = _bound.get(), record.__dict__
    values = {**bound, **given} if bound else given
    for name in FIELDS:
        if (value := values.get(name)) is not None:
            yield name, _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, int | float) and abs(value) < 10**12):
        return value
    return str(value) if isinstance(value, UUID) else masked(str(value))[:500]


def _error_of(record: logging.LogRecord) -> _Error | None:
    return record.exc_info if record.exc_info and record.exc_info[0] else None


def _escaped(text: str) -> str:
    """Control characters as words, so that no value starts a line of its own or paints the terminal."""
    return text if text.isprintable() else _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
