"""A Stripe-shaped server: our own, from Stripe's documentation, and as strict as we know the real one to be.

What it is asked is held against the parameters of the SDK, what it answers against the SDK's objects. It shares no code
with the simulated gateway. In a test it is an ASGI application; `python -m tests.support.stripe_fake PORT FILE` runs it
as a process whose charges outlive whatever happens to the portal.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import stripe
import stripe.checkout

from selfcare.kernel import clock

VERSION = "2026-10-28.endive"
_OPTIONS = {"api_key", "content_type", "headers", "idempotency_key", "max_network_retries"}
_OPTIONS |= {"stripe_account", "stripe_context", "stripe_version"}
REMOVED = "payment_method_types"

# Stripe's test cards by their last four: what the bank says, None where it pays.
DECLINES = {
    "0002": ("card_declined", "generic_decline"),
    "9995": ("card_declined", "insufficient_funds"),
    "0069": ("expired_card", "expired_card"),
    "0127": ("incorrect_cvc", "incorrect_cvc"),
    "9987": ("card_declined", "lost_card"),
    "6975": ("card_declined", "card_velocity_exceeded"),
    "0119": ("processing_error", "processing_error"),
    "0005": ("card_declined", "card_not_supported"),
}
ASKS, LATER_DECLINES, DECIDES_LATER, REFUND_FAILS, DISPUTED = "3184", "0341", "8210", "5126", "0259"


class Cut(httpx.ReadError):
    """The line breaks after everything was done."""

    def __init__(self) -> None:
        super().__init__("cut")


class Refused(Exception):
    def __init__(self, status: int, kind: str, code: str | None, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, "doc_url": "https://docs.stripe.com"} | more}
        if code is not None:
            self.body["error"]["code"] = code


def bad_request(message: str, code: str | None = None, param: str | None = None) -> Refused:
    return Refused(400, "invalid_request_error", code, message, **({"param": param} if param else {}))


def missing(kind: str, id: str) -> Refused:
    return Refused(404, "invalid_request_error", "resource_missing", f"No such {kind}: '{id}'", param="id")


@dataclass
class Stripe:
    """`cut`: after so many of the coming calls the line breaks. `busy`: so many are refused unheard."""

    key: str = "sk_test_fake"
    base: str = "https://api.stripe.test"
    file: str = ":memory:"
    cut: int = 0
    busy: int = 0
    asked: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.numbers = itertools.count(1)
        self.things: dict[str, dict[str, Any]] = {}
        self.secret: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, tuple[str, int, dict[str, Any]]] = {}
        self.db = sqlite3.connect(self.file, isolation_level=None)
        self.db.execute("PRAGMA synchronous=OFF")
        self.db.execute("CREATE TABLE IF NOT EXISTS thing (id TEXT PRIMARY KEY, kind TEXT, body TEXT)")

    # What is kept.

    def keep(self, kind: type[Any], thing: dict[str, Any], **secret: Any) -> dict[str, Any]:
        unknown = set(thing) - set(kind.__annotations__)
        assert not unknown, f"{kind.__name__} has no {unknown}"
        self.things[thing["id"]] = thing
        self.secret.setdefault(thing["id"], {}).update(secret)
        row = (thing["id"], thing["object"], json.dumps(thing))
        self.db.execute("INSERT INTO thing VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body", row)
        return thing

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_fake{next(self.numbers):012}"

    def get(self, id: str, kind: str) -> dict[str, Any]:
        thing = self.things.get(id)
        if thing is None or thing["object"] != kind:
            raise missing(kind, id)
        return thing

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """The newest first, as lists are."""
        return (thing for thing in reversed(self.things.values()) if thing["object"] == kind)

    def tell(self, kind: str, thing: dict[str, Any]) -> None:
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": VERSION,
            "created": now(),
            "data": {"object": json.loads(json.dumps(thing))},
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "type": kind,
        }
        self.keep(stripe.Event, event)

    # What tests and the card page do.

    def add_card(self, customer: str, last4: str = "4242", *, holder: str = "ASHA RAO") -> str:
        return str(self.card(last4, holder=holder, customer=customer)["id"])

    def card(self, last4: str, *, holder: str, customer: str | None, wallet: str | None = None) -> dict[str, Any]:
        method = {
            "id": self.new_id("pm"),
            "object": "payment_method",
            "billing_details": {"address": None, "email": None, "name": holder, "phone": None, "tax_id": None},
            "card": {
                "brand": "visa",
                "exp_month": 12,
                "exp_year": 2030,
                "fingerprint": f"fake{last4}",
                "funding": "credit",
                "last4": last4,
                "country": "GB",
                "wallet": {"type": wallet, "dynamic_last4": None} if wallet else None,
            },
            "created": now(),
            "customer": customer,
            "livemode": False,
            "metadata": {},
            "type": "card",
        }
        return self.keep(stripe.PaymentMethod, method)

    def pay_on_page(self, session_id: str, last4: str = "4242", *, wallet: str | None = None) -> bool:
        """Somebody enters a card on the hosted page. False where it was declined: the page stays open."""
        session = self.get(session_id, "checkout.session")
        if session["status"] != "open":
            return False
        if session["mode"] == "setup":
            return self._keep_on_page(session, last4, wallet)
        secret = self.secret[session_id]
        wants = secret["payment_intent_data"]
        keeps = "setup_future_usage" in wants
        method = self.card(last4, holder="A PATEL", customer=session["customer"] if keeps else None, wallet=wallet)
        intent = self.get(session["payment_intent"], "payment_intent") if session["payment_intent"] else None
        if intent is None:
            intent = self._new_intent(
                session["amount_total"], session["currency"], session["customer"], wants.get("description"), wants
            )
            session["payment_intent"] = intent["id"]
        intent["payment_method"] = method["id"]
        self._attempt(intent, last4, on_session=True, first=True, session=session_id)
        if intent["status"] in ("succeeded", "processing"):
            self._complete(session)
        self.keep(stripe.checkout.Session, session)
        return bool(intent["status"] == "succeeded")

    def _keep_on_page(self, session: dict[str, Any], last4: str, wallet: str | None) -> bool:
        if last4 in DECLINES:
            return False
        method = self.card(last4, holder="A PATEL", customer=session["customer"], wallet=wallet)
        setup = {
            "id": self.new_id("seti"),
            "object": "setup_intent",
            "customer": session["customer"],
            "payment_method": method["id"],
            "status": "succeeded",
            "metadata": {},
            "created": now(),
            "livemode": False,
            "usage": "off_session",
        }
        self.keep(stripe.SetupIntent, setup)
        session["setup_intent"] = setup["id"]
        self._complete(session)
        self.tell("setup_intent.succeeded", setup)
        return True

    def _complete(self, session: dict[str, Any]) -> None:
        session |= {"status": "complete", "url": None}
        session["payment_status"] = "no_payment_required" if session["mode"] == "setup" else "paid"
        self.keep(stripe.checkout.Session, session)
        self.tell("checkout.session.completed", session)

    def answer_bank(self, intent_id: str, *, approved: bool) -> None:
        """The person answers the bank's question."""
        intent = self.get(intent_id, "payment_intent")
        if intent["status"] != "requires_action":
            return
        session_id = self.secret[intent_id].get("session")
        session = self.things.get(session_id or "")
        if session is not None and session["status"] != "open":
            return
        if approved:
            self._succeed(intent)
            if session is not None:
                self._complete(session)
        else:
            self._fail(intent, "payment_intent_authentication_failure", None)

    def decide(self, intent_id: str, *, approved: bool = True) -> None:
        intent = self.get(intent_id, "payment_intent")
        if intent["status"] == "processing":
            if approved:
                self._succeed(intent)
            else:
                self._fail(intent, "card_declined", "generic_decline")

    def charges(self) -> list[dict[str, Any]]:
        return [intent for intent in self.all("payment_intent") if intent["status"] == "succeeded"]

    def sign(self, event: dict[str, Any], secret: str) -> tuple[bytes, dict[str, str]]:
        """As it goes over the wire, signed by the SDK's own function."""
        body = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(body, secret, timestamp=now())
        return body.encode(), {"stripe-signature": header, "content-type": "application/json"}

    # What the bank does.

    def _new_intent(
        self, amount: int, currency: str, customer: str | None, description: str | None, wants: dict[str, Any]
    ) -> dict[str, Any]:
        intent = {
            "id": self.new_id("pi"),
            "object": "payment_intent",
            "amount": amount,
            "amount_received": 0,
            "currency": currency,
            "customer": customer,
            "description": description,
            "metadata": wants.get("metadata", {}),
            "status": "requires_payment_method",
            "next_action": None,
            "last_payment_error": None,
            "latest_charge": None,
            "payment_method": None,
            "payment_method_types": ["card"],
            "setup_future_usage": wants.get("setup_future_usage"),
            "created": now(),
            "livemode": False,
        }
        return self.keep(stripe.PaymentIntent, intent, asked=[])

    def _attempt(
        self, intent: dict[str, Any], last4: str, *, on_session: bool, first: bool, session: str | None = None
    ) -> None:
        self.secret[intent["id"]]["session"] = session
        if last4 in DECLINES:
            self._fail(intent, *DECLINES[last4])
        elif last4 == LATER_DECLINES and not first:
            self._fail(intent, "card_declined", "insufficient_funds")
        elif last4 == ASKS and not on_session:
            self._fail(intent, "authentication_required", "authentication_required")
        elif last4 == ASKS:
            url = f"{self.base}/_fake/bank/{intent['id']}"
            back = self.secret[intent["id"]].get("return_url", "")
            intent |= {
                "status": "requires_action",
                "next_action": {"type": "redirect_to_url", "redirect_to_url": {"url": url, "return_url": back}},
            }
            self.keep(stripe.PaymentIntent, intent)
            self.tell("payment_intent.requires_action", intent)
        elif last4 == DECIDES_LATER:
            intent["status"] = "processing"
            self.keep(stripe.PaymentIntent, intent)
            self.tell("payment_intent.processing", intent)
        else:
            self._succeed(intent)

    def _succeed(self, intent: dict[str, Any]) -> None:
        last4 = self.things[intent["payment_method"]]["card"]["last4"]
        charge = {
            "id": self.new_id("ch"),
            "object": "charge",
            "amount": intent["amount"],
            "amount_refunded": 0,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "disputed": last4 == DISPUTED,
            "payment_intent": intent["id"],
            "status": "succeeded",
            "created": now(),
            "livemode": False,
            "metadata": {},
        }
        self.keep(stripe.Charge, charge)
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
        intent |= {"next_action": None, "last_payment_error": None}
        self.keep(stripe.PaymentIntent, intent)
        self.tell("payment_intent.succeeded", intent)
        if last4 == DISPUTED:
            dispute = {
                "id": self.new_id("dp"),
                "object": "dispute",
                "amount": intent["amount"],
                "currency": intent["currency"],
                "charge": charge["id"],
                "payment_intent": intent["id"],
                "reason": "fraudulent",
                "status": "needs_response",
                "created": now(),
                "livemode": False,
                "metadata": {},
            }
            self.keep(stripe.Dispute, dispute)
            self.tell("charge.dispute.created", dispute)

    def _fail(self, intent: dict[str, Any], code: str, decline_code: str | None) -> None:
        error = {"type": "card_error", "code": code, "message": "Your card was declined."}
        if decline_code is not None:
            error["decline_code"] = decline_code
        intent |= {"status": "requires_payment_method", "next_action": None, "last_payment_error": error}
        self.keep(stripe.PaymentIntent, intent)
        self.tell("payment_intent.payment_failed", intent)

    # What the API answers.

    def call(self, method: str, path: str, params: dict[str, Any], headers: dict[str, str]) -> tuple[int, Any]:
        """Status and body; raises Cut after it was done."""
        self.asked.append((method, path, params))
        try:
            if headers.get("authorization") != f"Bearer {self.key}":
                raise Refused(401, "invalid_request_error", None, "Invalid API Key provided")
            if self.busy:
                self.busy -= 1
                raise Refused(429, "invalid_request_error", "rate_limit", "Too many requests")
            assert headers.get("stripe-version") == VERSION
            status, body = self._idempotently(method, path, params, headers.get("idempotency-key"))
        except Refused as refused:
            return refused.status, refused.body
        if self.cut and method == "POST":
            self.cut -= 1
            raise Cut
        return status, body

    def _idempotently(self, method: str, path: str, params: dict[str, Any], key: str | None) -> tuple[int, Any]:
        if method != "POST" or key is None:
            return 200, self._route(method, path, params)
        print_ = hashlib.sha256(json.dumps([path, params], sort_keys=True).encode()).hexdigest()
        if key in self.answers:
            first, status, body = self.answers[key]
            if first != print_:
                message = "Keys for idempotent requests can only be used with the same parameters."
                raise Refused(400, "idempotency_error", None, message)
            return status, body
        try:
            status, body = 200, self._route(method, path, params)
        except Refused as refused:
            if refused.status != 402:
                # What is not valid is not remembered.
                raise
            status, body = refused.status, refused.body
        self.answers[key] = (print_, status, json.loads(json.dumps(body)))
        return status, body

    def _route(self, method: str, path: str, params: dict[str, Any]) -> Any:
        parts = path.removeprefix("/v1/").split("/")
        match method, parts:
            case "POST", ["customers"]:
                return self._customer(params)
            case "POST", ["customers", id]:
                return self._change_customer(id, params)
            case "GET", ["customers", id, "payment_methods"]:
                check(params, "_customer_payment_method_list_params", "CustomerPaymentMethodListParams")
                self.get(id, "customer")
                return listed(each for each in self.all("payment_method") if each["customer"] == id)
            case "POST", ["payment_methods", id, "detach"]:
                return self._detach(id)
            case "POST", ["payment_intents"]:
                return self._pay(params)
            case "GET", ["payment_intents"]:
                check(params, "_payment_intent_list_params", "PaymentIntentListParams")
                found = [each for each in self.all("payment_intent") if each["customer"] == params.get("customer")]
                return listed(self._expanded(each, params, "data.") for each in found)
            case "GET", ["payment_intents", id]:
                return self._expanded(self.get(id, "payment_intent"), params)
            case "POST", ["payment_intents", id, "cancel"]:
                return self._cancel(id)
            case "POST", ["checkout", "sessions"]:
                return self._session(params)
            case "GET", ["checkout", "sessions"]:
                check(params, "checkout._session_list_params", "SessionListParams")
                return listed(x for x in self.all("checkout.session") if x["customer"] == params.get("customer"))
            case "GET", ["checkout", "sessions", id]:
                return self._expanded(self.get(id, "checkout.session"), params)
            case "POST", ["checkout", "sessions", id, "expire"]:
                return self._expire(id)
            case "POST", ["refunds"]:
                return self._refund(params)
            case "GET", ["refunds"]:
                check(params, "_refund_list_params", "RefundListParams")
                return listed(x for x in self.all("refund") if x["payment_intent"] == params.get("payment_intent"))
            case "GET", ["refunds", id]:
                return self.get(id, "refund")
            case "GET", ["events"]:
                check(params, "_event_list_params", "EventListParams")
                since = int(params.get("created", {}).get("gte", 0))
                waiting = params.get("delivery_success") == "false"
                return listed(
                    each
                    for each in self.all("event")
                    if each["created"] >= since and not (waiting and self.secret[each["id"]].get("delivered"))
                )
        raise Refused(404, "invalid_request_error", None, f"Unrecognized request URL ({method}: {path})")

    def _customer(self, params: dict[str, Any]) -> dict[str, Any]:
        check(params, "_customer_create_params", "CustomerCreateParams")
        customer = {
            "id": self.new_id("cus"),
            "object": "customer",
            "name": params.get("name"),
            "description": params.get("description"),
            "metadata": params.get("metadata", {}),
            "invoice_settings": {"default_payment_method": None},
            "created": now(),
            "livemode": False,
        }
        return self.keep(stripe.Customer, customer)

    def _change_customer(self, id: str, params: dict[str, Any]) -> dict[str, Any]:
        check(params, "_customer_update_params", "CustomerUpdateParams")
        customer = self.get(id, "customer")
        wanted = params.get("invoice_settings", {}).get("default_payment_method") or None
        if wanted is not None and self.get(wanted, "payment_method")["customer"] != id:
            raise bad_request("The customer does not have a payment method with this ID", "resource_missing")
        customer["invoice_settings"]["default_payment_method"] = wanted
        return self.keep(stripe.Customer, customer)

    def _detach(self, id: str) -> dict[str, Any]:
        method = self.get(id, "payment_method")
        if method["customer"] is None:
            raise bad_request("The payment method you provided is not attached to a customer.")
        method["customer"] = None
        self.tell("payment_method.detached", method)
        return self.keep(stripe.PaymentMethod, method)

    def _pay(self, params: dict[str, Any]) -> dict[str, Any]:
        check(params, "_payment_intent_create_params", "PaymentIntentCreateParams")
        off_session = params.get("off_session") == "true"
        if off_session and "return_url" in params:
            raise bad_request("return_url cannot be given with off_session", None, "return_url")
        method = self.things.get(params["payment_method"])
        if method is None or method["object"] != "payment_method":
            raise bad_request("No such PaymentMethod", "resource_missing", "payment_method")
        if method["customer"] != params.get("customer"):
            raise bad_request("The provided PaymentMethod cannot be attached.", None, "payment_method")
        amount = int(params["amount"])
        if not 30 <= amount <= 99_999_999:
            code = "amount_too_small" if amount < 30 else "amount_too_large"
            raise bad_request("Amount out of range", code, "amount")
        intent = self._new_intent(amount, params["currency"], params["customer"], params.get("description"), params)
        self.secret[intent["id"]]["return_url"] = params.get("return_url", "")
        intent["payment_method"] = method["id"]
        self._attempt(intent, method["card"]["last4"], on_session=not off_session, first=False)
        failed = intent["last_payment_error"]
        if failed is not None:
            raise Refused(402, **self._card_error(failed, intent))
        return self._expanded(intent, params)

    def _card_error(self, failed: dict[str, Any], intent: dict[str, Any]) -> dict[str, Any]:
        more = {"decline_code": failed["decline_code"]} if "decline_code" in failed else {}
        said = {"kind": "card_error", "code": failed["code"], "message": failed["message"]}
        return said | more | {"payment_intent": json.loads(json.dumps(intent))}

    def _cancel(self, id: str) -> dict[str, Any]:
        intent = self.get(id, "payment_intent")
        if intent["status"] in ("succeeded", "canceled", "processing"):
            raise bad_request("This PaymentIntent cannot be canceled.", "payment_intent_unexpected_state")
        intent |= {"status": "canceled", "next_action": None, "canceled_at": now()}
        self.tell("payment_intent.canceled", intent)
        return self.keep(stripe.PaymentIntent, intent)

    def _session(self, params: dict[str, Any]) -> dict[str, Any]:
        check(params, "checkout._session_create_params", "SessionCreateParams")
        self.get(params["customer"], "customer")
        mode = params["mode"]
        if mode == "setup" and "currency" not in params:
            raise bad_request("currency is required", None, "currency")
        total = None
        if mode == "payment":
            [item] = params["line_items"].values()
            total, currency = int(item["price_data"]["unit_amount"]), item["price_data"]["currency"]
            assert item["price_data"]["product_data"]["name"]
            wants = params.get("payment_intent_data", {})
            known = annotations("checkout._session_create_params", "SessionCreateParamsPaymentIntentData")
            assert set(wants) <= known, set(wants) - known
        else:
            wants, currency = {}, params["currency"]
        id = self.new_id("cs")
        session = {
            "id": id,
            "object": "checkout.session",
            "mode": mode,
            "status": "open",
            "payment_status": "unpaid",
            "amount_total": total,
            "currency": currency,
            "customer": params["customer"],
            "client_reference_id": params.get("client_reference_id"),
            "metadata": params.get("metadata", {}),
            "payment_intent": None,
            "setup_intent": None,
            "success_url": params["success_url"],
            "cancel_url": params.get("cancel_url"),
            "url": f"{self.base}/_fake/checkout/{id}",
            "created": now(),
            "expires_at": now() + 86_400,
            "livemode": False,
            "ui_mode": "hosted_page",
        }
        return self.keep(stripe.checkout.Session, session, payment_intent_data=wants)

    def _expire(self, id: str) -> dict[str, Any]:
        session = self.get(id, "checkout.session")
        if session["status"] != "open":
            raise bad_request("Only Checkout Sessions with a status in [open] can be expired.")
        session |= {"status": "expired", "url": None}
        self.keep(stripe.checkout.Session, session)
        intent = self.things.get(session["payment_intent"] or "")
        if intent is not None and intent["status"] not in ("succeeded", "canceled", "processing"):
            self._cancel(intent["id"])
        self.tell("checkout.session.expired", session)
        return session

    def _refund(self, params: dict[str, Any]) -> dict[str, Any]:
        check(params, "_refund_create_params", "RefundCreateParams")
        intent = self.get(params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise bad_request("This PaymentIntent does not have a successful charge to refund.")
        charge = self.things[intent["latest_charge"]]
        if charge["disputed"]:
            raise bad_request("The charge has been charged back.", "charge_disputed")
        amount = int(params["amount"])
        if charge["amount_refunded"] + amount > charge["amount"]:
            over = charge["amount_refunded"] == charge["amount"]
            raise bad_request("Too much", "charge_already_refunded" if over else "amount_too_large", "amount")
        charge["amount_refunded"] += amount
        self.keep(stripe.Charge, charge)
        last4 = self.things[intent["payment_method"]]["card"]["last4"]
        refund = {
            "id": self.new_id("re"),
            "object": "refund",
            "amount": amount,
            "currency": intent["currency"],
            "charge": charge["id"],
            "payment_intent": intent["id"],
            "metadata": params.get("metadata", {}),
            "status": "pending" if last4 == REFUND_FAILS else "succeeded",
            "created": now(),
        }
        self.keep(stripe.Refund, refund)
        self.tell("refund.created", refund)
        return refund

    def fail_refund(self, id: str) -> None:
        refund = self.get(id, "refund")
        refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
        self.keep(stripe.Refund, refund)
        self.tell("refund.failed", refund)

    def _expanded(self, thing: dict[str, Any], params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
        wanted = [each.removeprefix(prefix) for each in params.get("expand", {}).values()]
        return self._expand(json.loads(json.dumps(thing)), wanted)

    def _expand(self, thing: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
        for name in {each.partition(".")[0] for each in wanted}:
            inner = thing.get(name)
            if isinstance(inner, str):
                inner = json.loads(json.dumps(self.things[inner]))
            if inner is not None:
                deeper = [each.partition(".")[2] for each in wanted if each.startswith(f"{name}.")]
                thing[name] = self._expand(inner, deeper)
        return thing

    async def __call__(self, scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        """The API as an ASGI application, and under /_fake what people and banks do."""
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        query = scope["query_string"].decode()
        params = unflattened(parse_qsl(body.decode() or query, keep_blank_values=True))
        if scope["path"].startswith("/_fake/"):
            status, answer = 200, self._people(scope["path"].removeprefix("/_fake/"), params)
        else:
            status, answer = self.call(scope["method"], scope["path"], params, headers)
        raw = json.dumps(answer).encode()
        kind = [(b"content-type", b"application/json"), (b"request-id", b"req_fake")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": raw, "more_body": False})

    def _people(self, path: str, params: dict[str, Any]) -> Any:
        match path.split("/"):
            case ["checkout", id]:
                return self.pay_on_page(id, params.get("last4", "4242"))
            case ["bank", id]:
                return self.answer_bank(id, approved=params.get("answer", "approve") == "approve")
            case ["card", customer]:
                return self.add_card(customer, params.get("last4", "4242"))
            case ["cut", times]:
                self.cut = int(times)
                return self.cut
            case ["decide", id]:
                return self.decide(id)
            case ["things", kind]:
                return list(self.all(kind))
            case ["things", kind, customer]:
                return [thing for thing in self.all(kind) if self._belongs(thing, customer)]
        return None

    def _belongs(self, thing: dict[str, Any], customer: str) -> bool:
        """A refund and an event belong to whose payment they are about."""
        if thing["object"] == "event":
            thing = thing["data"]["object"]
        paid = self.things.get(thing.get("payment_intent") or "") if "customer" not in thing else None
        return bool((paid or thing).get("customer") == customer)


def now() -> int:
    return int(clock.now().timestamp())


def listed(things: Any) -> dict[str, Any]:
    return {"object": "list", "data": list(things)[:100], "has_more": False, "url": "/v1/list"}


def annotations(module: str, name: str) -> set[str]:
    return set(getattr(importlib.import_module(f"stripe.params.{module}"), name).__annotations__) - _OPTIONS


def check(params: dict[str, Any], module: str, name: str) -> None:
    """Unknown and removed parameters are refused, as there."""
    if REMOVED in params:
        raise bad_request(f"{REMOVED} is no longer supported", f"{REMOVED}_no_longer_supported", REMOVED)
    for unknown in set(params) - annotations(module, name):
        raise bad_request(f"Received unknown parameter: {unknown}", "parameter_unknown", unknown)


def unflattened(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """a[b][0]=c → {"a": {"b": {"0": "c"}}}; a[]=c counts by itself."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        first, *rest = name.replace("]", "").split("[")
        here, key = found, first
        for part in rest:
            here = here.setdefault(key, {})
            key = part or str(len(here))
        here[key] = value
    return found


def main(port: int, file: str) -> None:
    import uvicorn

    app = Stripe(base=f"http://127.0.0.1:{port}", file=file)
    uvicorn.run(cutting(app), host="127.0.0.1", port=port, log_level="critical", access_log=False, lifespan="off")


def cutting(app: Stripe) -> Callable[..., Any]:
    """A cut line over a real socket: the beginning of an answer, and then nothing."""

    async def over_the_wire(scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        try:
            await app(scope, receive, send)
        except Cut:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"{", "more_body": True})
            raise

    return over_the_wire


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
