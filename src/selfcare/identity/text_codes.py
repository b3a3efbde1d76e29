"""Six digits by text to a number: who types them holds it. Worked out from what they are for, so none are kept."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits
from selfcare.identity.limits import Limit
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.ports.messages import Text, TextSender, TextsNotSetUp

CODE_LASTS = timedelta(minutes=10)


class WrongCode(Rejected):
    """Wrong, or right for a number that is none of ours or not free: the same words."""


class StartAgain(Rejected):
    """Too many wrong codes, or too late."""


class TextCodes:
    """Of one `feature`: its codes open nothing of another."""

    def __init__(self, feature: str, *, label: str) -> None:
        self.feature = feature
        self._label = label
        self._texts = Limit(f"{feature}.number", 3, timedelta(hours=1))
        self._tries = Limit(f"{feature}.code", 5, CODE_LASTS)
        # Over all pages: from many addresses at once a code could else be guessed at.
        self._tries_by_number = Limit(f"{feature}.tries", 20, timedelta(days=1))

    def code_for(self, about: str, key: bytes) -> str:
        digest = hmac.digest(key, f"{self._label}\x00{about}".encode(), hashlib.sha256)
        return f"{int.from_bytes(digest[:8], 'big') % 1_000_000:06d}"

    def is_right(self, typed: str, about: str, key: bytes) -> bool:
        """Typed with or without spaces; only ASCII digits can be right."""
        plain = typed.replace(" ", "").replace("-", "")[:20].encode("utf-8", "replace")
        return hmac.compare_digest(self.code_for(about, key).encode(), plain)

    async def may_try(self, about: str, number: str) -> bool:
        """Counted before anything is compared."""
        return await limits.allows(self._tries, about) and await limits.allows(self._tries_by_number, number)

    async def refuse(self, origin: Origin) -> NoReturn:
        """Written down, and the same for every reason. Raises WrongCode."""
        async with transaction():
            who = audit.visitor(origin)
            await audit.record(who, Event.SIGN_IN_CODE_FAILED, outcome="refused", method=self.feature)
        raise WrongCode(_("That code is wrong. Type the 6 digits of the text."), field="code")

    async def may_send(self, number: str) -> bool:
        """To one number, three an hour."""
        return await limits.allows(self._texts, number)


def start_again() -> StartAgain:
    return StartAgain(_("That took too long, or there were too many wrong codes. Start again."))


async def send(texts: TextSender, id: UUID, number: str, words: str, *, sender: str) -> None:
    """Where texts can be sent at all."""
    try:
        await texts.send(Text(id, number, f"{sender}: {words}", sender, clock.now()))
    except TextsNotSetUp:
        return
