"""Reads which lines the network has slowed down. docs/feed.md says what a report looks like."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.portal.services import speed
from selfcare.portal.services.speed import Report

MOST_AT_ONCE = 1_000
MOST_BYTES = 10**16
MOST_KBPS = 10**8


class Unreadable(Rejected):
    """Not JSON, or not that of a report: nothing was noted."""


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    line: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    kbps: Annotated[int, msgspec.Meta(ge=1, le=MOST_KBPS)] | None = None
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    full_speed_bytes: Annotated[int, msgspec.Meta(ge=1, le=MOST_BYTES)] | None = None


class Envelope(msgspec.Struct, forbid_unknown_fields=True):
    lines: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_AT_ONCE)]


@dataclass(frozen=True, slots=True)
class Noted:
    """How many lines were noted, and by their place in what was sent why others were not."""

    count: int
    refused: list[tuple[int, str]]


async def feed(body: bytes) -> Noted:
    try:
        sent = msgspec.json.decode(body, type=Envelope).lines
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(_("Send {“lines”: [ … ]} with at most a thousand lines.")) from error
    reports: dict[int, Report] = {}
    refused: list[tuple[int, str]] = []
    for at, one in enumerate(sent):
        try:
            read = msgspec.json.decode(one, type=Sent)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            refused.append((at, str(error)[:200]))
        else:
            reports[at] = Report(**msgspec.structs.asdict(read))
    strangers = await speed.note(list(reports.values()))
    refused += [(at, _("We know no such line.")) for at, report in reports.items() if report.line in strangers]
    return Noted(len(sent) - len(refused), sorted(refused))
