"""Reads what the network says was used, record by record: a bad one is refused with its reason, the others are counted.

docs/feed.md says what a record looks like.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, BinaryIO

import msgspec

from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.ports.charging import Charging, Refused, Taken, Use

MOST_AT_ONCE = 5_000
# What is longer is no record.
LONGEST_LINE = 16_384
UNITS = {"data": "bytes", "call": "seconds", "sms": "count", "mms": "count"}


class Unreadable(Rejected):
    """Not JSON, or not the JSON of a batch: nothing of it was counted."""


class TooMany(Rejected):
    """More records than are taken at once: nothing of them was counted."""


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    service: str
    kind: str
    amount: int
    unit: str
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    cost_minor: int = 0
    currency: str | None = None
    direction: str = "out"
    class_: str | None = msgspec.field(default=None, name="class")
    seconds: int = 0
    other_party: str | None = None
    country: str | None = None


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    records: list[msgspec.Raw]


async def feed(charging: Charging, records: Sequence[msgspec.Raw | bytes | Any]) -> Taken:
    """Counts the good ones. What is refused is told by its place in `records`."""
    uses: list[Use] = []
    places: list[int] = []
    refused: list[Refused] = []
    for at, record in enumerate(records):
        read = read_record(record)
        if isinstance(read, Use):
            uses.append(read)
            places.append(at)
        else:
            refused.append(Refused(at, _id_of(record), read))
    taken = await charging.take(uses) if uses else Taken()
    refused += [Refused(places[each.at], each.id, each.why) for each in taken.refused]
    return Taken(taken.counted, taken.repeated, tuple(sorted(refused, key=lambda each: each.at)), taken.services)


def read_batch(body: bytes) -> Sequence[Any]:
    """`{"records": […]}` or `[…]`, its records still unread."""
    try:
        records: Sequence[Any] = (_LIST if body.lstrip()[:1] == b"[" else _ENVELOPE)(body)
    except msgspec.ValidationError as error:
        raise Unreadable(_("This is not a batch of records: %(why)s") % {"why": error}) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        records = _read_leniently(body)
    except RecursionError as error:
        raise Unreadable(_("The JSON is nested too deeply.")) from error
    return _few_enough(records)


def read_lines(body: bytes) -> Sequence[Any]:
    """One record on each line; empty lines are nothing."""
    return _few_enough([line for line in body.splitlines() if line.strip()])


def lines_of(file: BinaryIO, most: int = 500) -> Iterator[list[bytes]]:
    """A file of any length, a few hundred lines at a time; a line without end does not fill the memory."""
    batch: list[bytes] = []
    while line := file.readline(LONGEST_LINE):
        batch.append(line)
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        if len(batch) == most:
            yield batch
            batch = []
    if batch:
        yield batch


def read_record(record: msgspec.Raw | bytes | Any) -> Use | str:
    """The use, or why it is none."""
    try:
        sent = _RECORD(record) if isinstance(record, msgspec.Raw | bytes) else msgspec.convert(record, Sent)
        unit = UNITS.get(sent.kind)
        if unit is not None and sent.unit != unit:
            words = _("%(kind)s is counted in %(ours)s, not in %(theirs)s.")
            return words % {"kind": sent.kind, "ours": unit, "theirs": sent.unit[:20]}
        return Use(
            id=sent.id,
            service=sent.service,
            kind=sent.kind,
            amount=sent.amount,
            at=sent.at.astimezone(UTC),
            currency=sent.currency,
            cost_minor=sent.cost_minor,
            direction=sent.direction,
            class_=sent.class_ or ("on_net" if sent.kind == "data" else "off_net"),
            seconds=sent.seconds,
            other_party=sent.other_party,
            country=sent.country,
        )
    except msgspec.ValidationError as error:
        return str(error)
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        return _("This is not a record: %(why)s") % {"why": error}


def _few_enough(records: Sequence[Any]) -> Sequence[Any]:
    if len(records) > MOST_AT_ONCE:
        raise TooMany(_("At most %(most)s records are taken at once.") % {"most": MOST_AT_ONCE})
    return records


def _read_leniently(body: bytes) -> Sequence[Any]:
    """One NaN or half a letter makes the whole text no JSON; Python's reader lets us refuse just the record with it."""
    try:
        read = json.loads(body, parse_int=_whole)
    except RecursionError as error:
        raise Unreadable(_("The JSON is nested too deeply.")) from error
    except ValueError as error:
        raise Unreadable(_("This is not JSON: %(why)s") % {"why": error}) from error
    records = read.get("records") if isinstance(read, dict) and read.keys() == {"records"} else read
    if not isinstance(records, list):
        raise Unreadable(_("This is not a batch of records."))
    return records


def _whole(digits: str) -> int | float:
    """Python would refuse the whole text for one number of thousands of digits."""
    return int(digits) if len(digits) < 40 else float("inf")


def _id_of(record: Any) -> str | None:
    """For the list of what was refused: the id, if one can be found at all."""
    try:
        found = json.loads(bytes(record)) if isinstance(record, msgspec.Raw | bytes) else record
        id = found.get("id") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        return None
    return id[:80] if isinstance(id, str) and id.isprintable() else None


def _records_of(body: bytes) -> list[msgspec.Raw]:
    return _DECODE_ENVELOPE(body).records


_DECODE_ENVELOPE = msgspec.json.Decoder(Envelope).decode
_ENVELOPE = _records_of
_LIST = msgspec.json.Decoder(list[msgspec.Raw]).decode
_RECORD = msgspec.json.Decoder(Sent).decode
