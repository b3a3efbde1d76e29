"""An engine that speaks CGRateS's JSON-RPC, written from its documented shapes. Not recorded from a live engine.

An HTTP server on the loopback. It is as careless as the real one: it ignores signs, makes accounts that do
not exist, changes every balance when no ID is given, forgets what ended, and answers errors with HTTP 200.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from selfcare.kernel import clock

NEVER = "0001-01-01T00:00:00Z"
Json = dict[str, Any]


@dataclass
class Engine:
    accounts: dict[str, Json] = field(default_factory=dict)
    records: list[Json] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    plans: list[Json] = field(default_factory=list)
    # What goes wrong next: cut, hang, cut_after, server_error, garbage, http_500, other_id.
    fault: str = ""
    fault_for: str = ""
    url: str = ""

    def open_account(self, name: str) -> None:
        """As the real one shows a fresh account: no map at all."""
        self.accounts[name] = {"ID": f"cgrates.org:{name}", "BalanceMap": None, "Disabled": False}

    def balances(self, account: str, type_: str) -> list[Json]:
        map_ = self.accounts[account]["BalanceMap"] = self.accounts[account]["BalanceMap"] or {}
        found: list[Json] = map_.setdefault(type_, [])
        return found

    def add(self, account: str, type_: str, value: float, **more: Any) -> Json:
        balance = {
            "Uuid": str(uuid4()),
            "ID": "",
            "Value": value,
            "ExpirationDate": NEVER,
            "Weight": 0,
            "DestinationIDs": None,
            "RatingSubject": "",
            "Categories": None,
            "SharedGroups": None,
            "Timings": None,
            "Disabled": False,
            "Factors": None,
            "Blocker": False,
        } | more
        self.balances(account, type_).append(balance)
        return balance

    def use(self, account: str, type_: str, value: float) -> None:
        """The higher weight first."""
        for balance in sorted(self.balances(account, type_), key=lambda each: -each["Weight"]):
            taken = min(value, balance["Value"])
            balance["Value"] -= taken
            value -= taken

    def forget_ended(self) -> None:
        for account in self.accounts.values():
            for balances in (account["BalanceMap"] or {}).values():
                balances[:] = [each for each in balances if not _has_ended(each)]

    def answer(self, method: str, given: Json) -> Any:
        self.forget_ended()
        handler: Callable[[Json], Any] = getattr(self, method.replace(".", "_"), None) or _no_method(method)
        return handler(given)

    def APIerSv1_Ping(self, _given: Json) -> str:
        return "Pong"

    def APIerSv2_GetAccount(self, given: Json) -> Json:
        _only(given, "Tenant", "Account")
        if given["Account"] not in self.accounts:
            raise Wrong("NOT_FOUND")
        return self.accounts[given["Account"]]

    def APIerSv2_GetAccounts(self, given: Json) -> list[Json]:
        _only(given, "Tenant", "AccountIDs", "Offset", "Limit")
        found = [self.accounts[name] for name in given["AccountIDs"] if name in self.accounts]
        return found[given["Offset"] :][: given["Limit"]]

    def APIerSv1_AddBalance(self, given: Json) -> str:
        known = ("Tenant", "Account", "BalanceType", "Value", "Balance", "ActionExtraData", "Overwrite", "Cdrlog")
        _only(given, *known)
        account, type_, value = given["Account"], given["BalanceType"], abs(given["Value"])
        if account not in self.accounts:
            self.open_account(account)
        asked = given["Balance"]
        _only(asked, "ID", "ExpiryTime", "Weight", "Blocker", "DestinationIDs")
        same = [each for each in self.balances(account, type_) if not asked.get("ID") or each["ID"] == asked["ID"]]
        for balance in same:
            balance["Value"] = value if given.get("Overwrite") else balance["Value"] + value
        if not same:
            expiry = asked.get("ExpiryTime", "*unlimited")
            destinations = {asked["DestinationIDs"]: True} if asked.get("DestinationIDs") else None
            self.add(
                account,
                type_,
                value,
                ID=asked.get("ID", ""),
                Weight=asked.get("Weight", 0),
                ExpirationDate=NEVER if expiry == "*unlimited" else expiry,
                Blocker=asked.get("Blocker", False),
                DestinationIDs=destinations,
            )
        if given.get("Cdrlog"):
            self.record(account, Source="*cdrlog", ToR=type_, ExtraFields=given.get("ActionExtraData") or {})
        return "OK"

    def APIerSv1_RemoveBalances(self, given: Json) -> str:
        _only(given, "Tenant", "Account", "BalanceType", "Balance")
        balances = self.balances(given["Account"], given["BalanceType"])
        kept = [each for each in balances if given["Balance"].get("ID") not in (None, each["ID"])]
        if len(kept) == len(balances):
            raise Wrong("NOT_FOUND")
        balances[:] = kept
        return "OK"

    def APIerSv1_GetAccountActionPlan(self, given: Json) -> list[Json]:
        _only(given, "Tenant", "Account")
        return self.plans

    def APIerSv2_GetCDRs(self, given: Json) -> list[Json]:
        """Nothing is an error."""
        known = ("Tenants", "Accounts", "ToRs", "RunIDs", "Sources", "NotSources", "ExtraFields", "OrderBy")
        _only(given, *known, "Limit", "Offset", "AnswerTimeStart", "AnswerTimeEnd")
        found = [each for each in self.records if _matches(each, given)]
        found.sort(key=lambda each: each["AnswerTime"], reverse=True)
        page = found[given.get("Offset", 0) :][: given.get("Limit") or None]
        if not page:
            raise Wrong("NOT_FOUND")
        return page

    def record(self, account: str, **more: Any) -> None:
        self.records.append(
            {
                "CGRID": uuid4().hex,
                "RunID": "*default",
                "Source": "freeswitch",
                "OriginID": uuid4().hex,
                "ToR": "*voice",
                "Tenant": "cgrates.org",
                "Category": "call",
                "Account": account,
                "Subject": account,
                "Destination": "447700900301",
                "SetupTime": clock.now().isoformat().replace("+00:00", "Z"),
                "AnswerTime": clock.now().isoformat().replace("+00:00", "Z"),
                "Usage": "1m30s",
                "ExtraFields": {},
                "Cost": -1,
            }
            | more
        )


class Wrong(Exception):
    """An answer whose `error` is these words."""


@asynccontextmanager
async def serving(engine: Engine) -> AsyncIterator[Engine]:
    server = await asyncio.start_server(lambda r, w: _serve(engine, r, w), "127.0.0.1", 0)
    engine.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jsonrpc"
    try:
        yield engine
    finally:
        server.close()


async def _serve(engine: Engine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
            asked = json.loads(await reader.readexactly(length))
            await _reply(engine, asked, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _reply(engine: Engine, asked: Json, writer: asyncio.StreamWriter) -> None:
    method = asked["method"]
    engine.asked.append(method)
    fault = engine.fault if not engine.fault_for or engine.fault_for == method else ""
    if fault == "cut":
        raise ConnectionError
    if fault == "hang":
        await asyncio.sleep(30)
    said: Json = {"id": asked["id"] + (fault == "other_id"), "result": None, "error": None}
    try:
        if fault != "server_error":
            said["result"] = engine.answer(method, asked["params"][0])
        else:
            said["error"] = "SERVER_ERROR: dial tcp: connection refused"
    except Wrong as error:
        said["error"] = str(error)
    if fault == "cut_after":
        raise ConnectionError
    body = b"<html>oops" if fault == "garbage" else _as_go_writes(said).encode()
    status = b"500 Internal Server Error" if fault == "http_500" else b"200 OK"
    head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    writer.write(head + body)
    await writer.drain()


def _as_go_writes(said: Json) -> str:
    """Numbers from 1e21 on with an exponent, whole ones without a point."""
    return json.dumps(said, default=str)


def _matches(record: Json, given: Json) -> bool:
    lists = {"Tenants": "Tenant", "Accounts": "Account", "ToRs": "ToR", "RunIDs": "RunID", "Sources": "Source"}
    if any(given.get(name) and record[of] not in given[name] for name, of in lists.items()):
        return False
    if record["Source"] in (given.get("NotSources") or ()):
        return False
    if any(record["ExtraFields"].get(name) != value for name, value in (given.get("ExtraFields") or {}).items()):
        return False
    at = datetime.fromisoformat(record["AnswerTime"])
    start, end = given.get("AnswerTimeStart"), given.get("AnswerTimeEnd")
    return (not start or at >= datetime.fromisoformat(start)) and (not end or at < datetime.fromisoformat(end))


def _has_ended(balance: Json) -> bool:
    ends = datetime.fromisoformat(balance["ExpirationDate"])
    return balance["ExpirationDate"] != NEVER and ends <= clock.now().astimezone(UTC)


def _only(given: Json, *known: str) -> None:
    if unknown := set(given) - set(known):
        raise Wrong(f"SERVER_ERROR: unknown {unknown}")


def _no_method(method: str) -> Callable[[Json], Any]:
    def say(_given: Json) -> Any:
        raise Wrong(f"UNSUPPORTED_SERVICE_METHOD: {method}")

    return say
