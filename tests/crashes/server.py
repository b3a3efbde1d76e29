"""The portal as a process that dies where it is told to: `python -m tests.crashes.server` and one line of JSON each.

The application is built once; every server is a fork of this process with a socket of its own, and is killed by
SIGKILL: by itself at the step it was given, else by whoever asked for it. Nothing of the product knows of this.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import uvicorn

from selfcare import background
from selfcare.adapters.payments_stripe import StripeGateway
from selfcare.app import Application, build_ports, create_app
from selfcare.audit import log as audit
from selfcare.db.postgres import Transaction as PostgresTransaction
from selfcare.db.sqlite import Transaction as SQLiteTransaction
from selfcare.kernel import clock
from selfcare.kernel.errors import SelfcareError
from selfcare.kernel.money import Money
from selfcare.messages.events import Message
from selfcare.messages.outbox import Post
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments, reconciling, refunds
from selfcare.portal.pay.payments import BillPart, How, OnItsWay
from selfcare.portal.pay.till import Till
from selfcare.settings import Settings
from tests.crashes import changing, shopping, unattended
from tests.messages import samples

SOURCE = str(Path(reconciling.__file__).parents[2])
WEBHOOK_SECRET = "whsec_crash"
KEY = "sk_test_fake"
AHEAD = "x-clock-ahead"
WARM = (
    "anyio._backends._asyncio",
    "asyncpg",
    "httpcore._async.connection_pool",
    "httpcore._async.http11",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
)
NOT_STEPS = ("/db/", "/counting.py")


class Steps:
    """Counts the steps of this process and ends it at one of them."""

    def __init__(self) -> None:
        self.kill_at: int | None = None
        self.seen: list[str] = []
        self.note: int | None = None

    def step(self, what: str) -> None:
        self.seen.append(f"{what} {_where()}")
        if self.kill_at is not None and len(self.seen) == self.kill_at:
            if self.note is not None:
                os.write(self.note, self.seen[-1].encode() + b"\n")
            os.kill(os.getpid(), signal.SIGKILL)


STEPS = Steps()


def _where() -> str:
    """The nearest function of the product below whom we stand."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(SOURCE) and not any(each in file for each in NOT_STEPS):
            return f"{Path(file).stem}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "outside"


def watch_commits() -> None:
    """A step before and one after each commit, whoever it belongs to."""
    for kind in (SQLiteTransaction, PostgresTransaction):
        ending = kind.__aexit__

        async def watched(self: Any, *error: Any, ending: Any = ending) -> Any:
            counts = error[0] is None and not self.readonly
            if counts:
                STEPS.step("before the commit of")
            answer = await ending(self, *error)
            if counts:
                STEPS.step("after the commit of")
            return answer

        kind.__aexit__ = watched  # type: ignore[assignment,method-assign]


class Watched(httpx.AsyncBaseTransport):
    """A step before each question to the gateway, and one after its answer."""

    def __init__(self) -> None:
        self.inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        STEPS.step("before the gateway is asked by")
        answer = await self.inner.handle_async_request(request)
        await answer.aread()
        STEPS.step("after the gateway answered")
        return answer


Action = Callable[[Till, dict[str, Any]], Awaitable[Any]]


async def click(till: Till, asked: dict[str, Any]) -> Any:
    """The pay button."""
    who = audit.system(customer_id=UUID(asked["customer"]), user_id=UUID(asked["user"]))
    how = How(
        request_key=asked["key"],
        card_id=UUID(asked["card"]) if asked.get("card") else None,
        save_card=bool(asked.get("save")),
        off_session=bool(asked.get("off_session")),
    )
    parts = [BillPart(UUID(bill)) for bill in asked["bills"]]
    payment = await payments.pay_bills(till, who, parts, how)
    return {"payment": str(payment.id), "state": payment.state, "url": payment.action_url}


async def look(till: Till, asked: dict[str, Any]) -> Any:
    """The page people come back to, and reload."""
    return {"state": (await payments.look(till, UUID(asked["payment"]))).state}


async def give_up(till: Till, asked: dict[str, Any]) -> Any:
    return {"state": (await payments.give_up(till, UUID(asked["payment"]))).state}


async def refund(till: Till, asked: dict[str, Any]) -> Any:
    """Staff give a part back, unless it is given back already."""
    payment = await payments.load(UUID(asked["payment"]))
    if payment.is_paid and not payment.refunded:
        who, amount = audit.system(customer_id=payment.customer_id), Money(asked["minor"], payment.amount.currency)
        await refunds.refund(till, who, payment.id, amount, source=refunds.Source.BILL, reason="Given back")
    return {}


async def work(till: Till, _asked: dict[str, Any]) -> Any:
    """One pass of the worker."""
    return {"done": await till.jobs.run_due(REGISTRY["all"], limit=50)}  # type: ignore[attr-defined]


async def reconcile(till: Till, _asked: dict[str, Any]) -> Any:
    return {"looked_at": await reconciling.reconcile(till, after=timedelta(0))}


ACTIONS: dict[str, Action] = {
    "click": click,
    "look": look,
    "give_up": give_up,
    "refund": refund,
    "work": work,
    "reconcile": reconcile,
}
# An order's own steps: charge, deliver, give back.
ORDERS: dict[str, Callable[[Shop, dict[str, Any]], Awaitable[Any]]] = {
    "buy": shopping.buy,
    "follow": shopping.follow,
    "sweep": shopping.sweep,
    "end": shopping.end,
} | changing.ACTIONS
ACTIONS |= unattended.ACTIONS
REGISTRY: dict[str, Any] = {}


def settings(url: str, gateway: str) -> Settings:
    return Settings.from_env(
        {
            "SELFCARE_DATABASE_URL": url,
            "SELFCARE_PUBLIC_URL": "http://127.0.0.1:8130",
            "SELFCARE_PAYMENTS": "stripe",
            "SELFCARE_STRIPE_KEY": KEY,
            "SELFCARE_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "SELFCARE_STRIPE_API_BASE": gateway,
            "SELFCARE_LOG_LEVEL": "error",
        }
    )


def build(url: str, gateway: str) -> Any:
    """The real application, and beside it the buttons of this harness under /-/."""
    chosen = settings(url, gateway)
    stripe = StripeGateway(KEY, webhook_secrets=[WEBHOOK_SECRET], api=gateway, transport=Watched())
    meter, network = shopping.Meter(STEPS.step), shopping.Network(STEPS.step)
    ports = replace(build_ports(chosen), payments=stripe, charging=meter, provisioning=network)
    product = create_app(chosen, ports)
    background.post = _warmed(background.post(chosen))
    REGISTRY["all"] = background.registry(chosen, ports)
    return _beside(product, Shop.of(ports, chosen))


def _warmed(post: Post) -> Callable[[Settings], Post]:
    """What every server would else do anew in its first seconds: import, compile, read the names of months."""
    for name in WARM:
        importlib.import_module(name)
    for message in (Message.PAYMENT_RECEIVED, Message.PAYMENT_FAILED, Message.REFUND_MADE):
        post.words.render(message, samples.values_of(message))
    return lambda _settings: post


def _beside(product: Application, shop: Shop) -> Any:
    async def app(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                STEPS.step("before the answer of")
            await send(message)

        if scope["type"] != "http":
            await product(scope, receive, send)  # type: ignore[arg-type]
            return
        ahead = next((float(value) for name, value in scope["headers"] if name == AHEAD.encode()), 0.0)
        clock.reset()
        clock.travel_by(timedelta(seconds=ahead))
        if not scope["path"].startswith("/-/"):
            await product(scope, receive, sending)  # type: ignore[arg-type]
            return
        asked = json.loads((await receive()).get("body") or b"{}")
        name = scope["path"].removeprefix("/-/")
        answer = STEPS.seen if name == "steps" else await _press(shop, name, asked)
        raw = json.dumps(answer).encode()
        if name != "steps":
            STEPS.step(f"before the answer to {name}")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": raw})

    return app


async def _press(shop: Shop, name: str, asked: dict[str, Any]) -> Any:
    try:
        return await (ORDERS[name](shop, asked) if name in ORDERS else ACTIONS[name](shop.till, asked))
    except OnItsWay as shown:
        return {"payment": str(shown.payment_id), "refused": type(shown).__name__}
    except SelfcareError as refused:
        return {"refused": type(refused).__name__, "words": refused.message}


def main(url: str, gateway: str) -> None:
    # Lost answers and jobs that are tried again are what this is about.
    logging.disable(logging.CRITICAL)
    watch_commits()
    app = build(url, gateway)
    _say("ready")
    # Not waited for until they are killed: so their numbers stay theirs.
    children: set[int] = set()
    for line in sys.stdin:
        wanted = json.loads(line)
        if "kill" in wanted:
            children.discard(wanted["kill"])
            _kill(wanted["kill"])
            _say({})
            continue
        listening = socket.create_server(("127.0.0.1", wanted.get("port", 0)), backlog=256)
        pid = os.fork()
        if not pid:
            _serve(app, listening, wanted)
        children.add(pid)
        _say({"pid": pid, "port": listening.getsockname()[1]})
        # Else a dead server's callers would wait for us.
        listening.close()
    for pid in children:
        _kill(pid)


def _say(words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def _kill(pid: int) -> None:
    """One of ours: a child that is not waited for keeps its number."""
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(app: Any, listening: socket.socket, wanted: dict[str, Any]) -> None:
    code = 1
    try:
        STEPS.kill_at = wanted.get("kill_at")
        STEPS.note = os.open(wanted["note"], os.O_WRONLY | os.O_CREAT | os.O_APPEND) if "note" in wanted else None
        os.close(0)
        config = uvicorn.Config(app, loop="asyncio", lifespan="on", log_config=None, access_log=False, ws="none")
        uvicorn.Server(config).run(sockets=[listening])
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
