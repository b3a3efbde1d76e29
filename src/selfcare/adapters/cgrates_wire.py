"""JSON-RPC 1.0 as a CGRateS engine speaks it: errors are words on HTTP 200, numbers may be 1e+21."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from selfcare.adapters.outside import Outside, credentials
from selfcare.ports.failures import Unknown, Unreachable


class NotThere(Exception):
    """NOT_FOUND: of an account that it does not exist, of records that there are none."""


class Refused(Exception):
    """The engine said no, in its own words. They are for the log, not for people."""


class Engine:
    def __init__(self, url: str, *, read_seconds: float = 5.0, connect_seconds: float = 3.0) -> None:
        bare, user = credentials(url)
        self.outside = Outside(bare, read_seconds=read_seconds, connect_seconds=connect_seconds)
        self._headers = {"Content-Type": "application/json"}
        if user:
            token = base64.b64encode(f"{user[0]}:{user[1]}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"
        self._ids = count(1)

    async def ask(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """A question that changes nothing: whatever goes wrong on the way, it was not answered."""
        try:
            return await self.order(method, parameters)
        except Unknown as error:
            raise Unreachable from error

    async def order(self, method: str, parameters: Mapping[str, Any]) -> Any:
        """Raises NotThere, Refused, Unreachable (not done) or Unknown (perhaps done)."""
        id = next(self._ids)
        body = json.dumps({"method": method, "params": [parameters], "id": id}).encode()
        answer = await self.outside.post(body, self._headers)
        try:
            said = json.loads(answer.content, parse_float=Decimal, parse_constant=_no_number)
            error, result, about = said.get("error"), said.get("result"), said.get("id")
        except (ValueError, AttributeError, RecursionError) as problem:
            self.outside.breaker.failed()
            raise Unknown("The answer could not be read.") from problem
        if answer.status_code != 200 or about != id:
            self.outside.breaker.failed()
            raise Unknown(f"It answered {answer.status_code} to something else.")
        words = str(error or "")
        # The engine is there but something behind it is not: that neither opens the breaker nor closes it.
        if not words.startswith("SERVER_ERROR"):
            self.outside.breaker.worked()
        if not words:
            return result
        if words.startswith("NOT_FOUND") or words.endswith("NOT_FOUND"):
            raise NotThere(words)
        if words.startswith("SERVER_ERROR"):
            # What it did before it failed is not said.
            raise Unknown(words)
        raise Refused(words)


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
