"""Reads which line has which network address. docs/feed.md says what it looks like."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import msgspec

from selfcare.api.feeds.speed import Envelope, Noted, Unreadable
from selfcare.kernel.words import _
from selfcare.portal.services import addresses
from selfcare.portal.services.addresses import Lease


class Sent(msgspec.Struct, forbid_unknown_fields=True):
    line: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    address: Annotated[str, msgspec.Meta(min_length=2, max_length=45)] | None = None


async def feed(body: bytes) -> Noted:
    try:
        sent = msgspec.json.decode(body, type=Envelope).lines
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(_("Send {“lines”: [ … ]} with at most a thousand lines.")) from error
    leases: dict[int, Lease] = {}
    refused: list[tuple[int, str]] = []
    for at, one in enumerate(sent):
        try:
            read = msgspec.json.decode(one, type=Sent)
            if read.address is not None:
                ipaddress.ip_address(read.address)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            refused.append((at, str(error)[:200]))
        else:
            leases[at] = Lease(line=read.line, address=read.address)
    strangers = await addresses.note(list(leases.values()))
    refused += [(at, _("We know no such line.")) for at, lease in leases.items() if lease.line in strangers]
    return Noted(len(sent) - len(refused), sorted(refused))
