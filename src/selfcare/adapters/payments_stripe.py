"""Stripe behind the payments port: hosted Checkout for new cards, PaymentIntents for kept ones.

The SDK neither retries nor waits by itself: the engine does, by keys that stay the same. Its objects never leave here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import stripe
from stripe import PaymentIntent, PaymentMethod, Refund, StripeClient, StripeError
from stripe.checkout import Session

from selfcare.adapters import outgoing, signatures
from selfcare.adapters import stripe_words as words
from selfcare.kernel.money import Money
from selfcare.ports import failures
from selfcare.ports.payments import (
    About,
    Answer,
    BadEvent,
    Canceled,
    CardSeen,
    CardSetup,
    Charge,
    Declined,
    Event,
    Limits,
    Misused,
    NeedsAction,
    Payer,
    Pending,
    Redirect,
    Refunded,
    RefundState,
    Seen,
    Setup,
    SetupDone,
    SetupEnded,
    SetupOpen,
    Succeeded,
    Why,
)

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams
    from stripe.params.checkout import SessionCreateParams

API = "https://api.stripe.com"
PAGES = ("checkout.stripe.com", "hooks.stripe.com")
TIMEOUT_SECONDS = 10
SIGNATURE = "stripe-signature"
WITH_CARD = ["payment_method", "latest_charge"]
MOST_LISTED = 200
_Given = TypeVar("_Given")

log = logging.getLogger(__name__)


class StripeGateway:
    name = "stripe"
    is_simulated = False

    def __init__(
        self,
        key: str,
        *,
        webhook_secrets: Sequence[str] = (),
        api: str = API,
        pages: Collection[str] = PAGES,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`webhook_secrets`: the current one and, while it is changed, the one before. `pages` are the hosts to which
        people may be sent."""
        stripe.enable_telemetry = False
        self.secrets = [secret.encode() for secret in webhook_secrets]
        self.own_host = "" if api == API else urlsplit(api).netloc
        self.pages = frozenset(pages)
        self.client = StripeClient(
            key,
            base_addresses={"api": api},
            http_client=_Http(urlsplit(api).hostname or "", transport),
            max_network_retries=0,
        )

    def limits(self, currency: str) -> Limits:
        return words.limits(currency)

    async def ensure_customer(self, payer: Payer) -> str:
        given = f"{payer.id}|{payer.number}|{payer.name}"
        made = await _ask(
            self.client.v1.customers.create_async(
                {
                    "name": payer.name,
                    "description": payer.number,
                    "metadata": {"customer_id": str(payer.id)},
                },
                {"idempotency_key": f"customer:{sha256(given.encode()).hexdigest()}"},
            )
        )
        return made.id

    async def start_card_setup(self, setup: CardSetup) -> Redirect:
        session = await _ask(
            self.client.v1.checkout.sessions.create_async(
                {
                    "mode": "setup",
                    "customer": setup.customer_ref,
                    "currency": setup.currency.lower(),
                    "allowed_payment_method_types": ["card"],
                    "success_url": setup.return_url,
                    "cancel_url": setup.cancel_url,
                },
                {"idempotency_key": setup.key},
            )
        )
        return Redirect(session.id, self._page(session.url))

    async def finish_card_setup(self, ref: str) -> Setup:
        session = await _ask(
            self.client.v1.checkout.sessions.retrieve_async(ref, {"expand": ["setup_intent.payment_method"]})
        )
        if session.status == "open":
            return SetupOpen(self._page(session.url))
        intent: Any = session.setup_intent
        if session.status != "complete" or intent is None or intent.payment_method is None:
            return SetupEnded()
        card = _card(intent.payment_method, kept=True)
        if card.wallet:
            await self.detach_card(intent.payment_method.id)
            return SetupEnded(Why.NOT_SUPPORTED)
        return SetupDone(card, _id(session.customer))

    async def list_cards(self, customer_ref: str) -> Sequence[CardSeen]:
        found = await _ask(
            self.client.v1.customers.payment_methods.list_async(customer_ref, {"type": "card", "limit": 100})
        )
        return [_card(method, kept=True) for method in found.data]

    async def detach_card(self, token_ref: str) -> None:
        try:
            await _ask(self.client.v1.payment_methods.detach_async(token_ref))
        except failures.Declined:
            log.info("a card was gone already")

    async def set_default(self, customer_ref: str, token_ref: str | None) -> None:
        await _ask(
            self.client.v1.customers.update_async(
                customer_ref, {"invoice_settings": {"default_payment_method": token_ref or ""}}
            )
        )

    async def start_new_card_payment(self, charge: Charge, *, save_card: bool) -> Answer:
        named = _metadata(charge)
        params: SessionCreateParams = {
            "mode": "payment",
            "customer": charge.customer_ref,
            "client_reference_id": str(charge.payment_id),
            "allowed_payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": charge.amount.currency.lower(),
                        "unit_amount": words.to_stripe(charge.amount),
                        "product_data": {"name": charge.description},
                    },
                }
            ],
            "payment_intent_data": {"description": charge.description, "metadata": named},
            "metadata": named,
            "success_url": charge.return_url,
            "cancel_url": charge.cancel_url,
        }
        if save_card:
            params["payment_intent_data"]["setup_future_usage"] = "off_session"
        session = await _ask(
            self.client.v1.checkout.sessions.create_async(params, {"idempotency_key": charge.key}), asks_for_money=True
        )
        return NeedsAction(session.id, self._page(session.url))

    async def charge(self, charge: Charge, *, token_ref: str, on_session: bool) -> Answer:
        params: PaymentIntentCreateParams = {
            "amount": words.to_stripe(charge.amount),
            "currency": charge.amount.currency.lower(),
            "customer": charge.customer_ref,
            "payment_method": token_ref,
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "description": charge.description,
            "metadata": _metadata(charge),
            "expand": WITH_CARD,
        }
        if on_session:
            params["return_url"] = charge.return_url
        else:
            params["off_session"] = True
        outgoing.check_outside()
        try:
            intent = await self.client.v1.payment_intents.create_async(params, {"idempotency_key": charge.key})
        except stripe.CardError as error:
            return _declined(error)
        except stripe.InvalidRequestError as error:
            if error.code in ("resource_missing", "payment_method_unexpected_state") or error.param == "payment_method":
                return Declined(_why_unusable(error))
            raise _failure(error, asks_for_money=True) from error
        except StripeError as error:
            raise _failure(error, asks_for_money=True) from error
        return self._answer(intent, intent.id)

    async def get_payment(self, ref: str) -> Answer:
        if not ref.startswith("cs_"):
            intent = await _ask(self.client.v1.payment_intents.retrieve_async(ref, {"expand": WITH_CARD}))
            return self._answer(intent, ref)
        expand = [f"payment_intent.{each}" for each in WITH_CARD]
        session = await _ask(self.client.v1.checkout.sessions.retrieve_async(ref, {"expand": expand}))
        return self._answer_of_session(session)

    async def find_by_reference(self, customer_ref: str, payment_id: UUID) -> Answer | None:
        listed = await _ask(
            self.client.v1.payment_intents.list_async(
                {"customer": customer_ref, "limit": 100, "expand": [f"data.{each}" for each in WITH_CARD]}
            )
        )
        intents = [each for each in listed.data if _named(each.metadata) == payment_id]
        for intent in intents:
            if intent.status == "succeeded":
                return self._answer(intent, intent.id)
        visits = await _ask(self.client.v1.checkout.sessions.list_async({"customer": customer_ref, "limit": 100}))
        for session in visits.data:
            if session.client_reference_id == str(payment_id):
                return await self.get_payment(session.id)
        return self._answer(intents[0], intents[0].id) if intents else None

    async def cancel(self, ref: str) -> Answer:
        try:
            if ref.startswith("cs_"):
                await _ask(self.client.v1.checkout.sessions.expire_async(ref))
            else:
                await _ask(self.client.v1.payment_intents.cancel_async(ref))
        except failures.Declined:
            # Too late for that: what happened instead is worth knowing.
            log.info("a payment could no longer be cancelled")
        return await self.get_payment(ref)

    async def refund(self, charge_ref: str, amount: Money, *, payment_id: UUID, key: str) -> Refunded:
        made = await _ask(
            self.client.v1.refunds.create_async(
                {
                    "payment_intent": charge_ref,
                    "amount": words.to_stripe(amount),
                    "metadata": {"payment_id": str(payment_id), "key": key},
                },
                {"idempotency_key": key},
            )
        )
        return _refunded(made)

    async def get_refund(self, ref: str) -> Refunded:
        return _refunded(await _ask(self.client.v1.refunds.retrieve_async(ref)))

    async def find_refund(self, charge_ref: str, key: str) -> Refunded | None:
        listed = await _ask(self.client.v1.refunds.list_async({"payment_intent": charge_ref, "limit": 100}))
        for each in listed.data:
            if each.metadata and "key" in each.metadata and each.metadata["key"] == key:
                return _refunded(each)
        return None

    def parse_webhook(self, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        signatures.check(raw, headers.get(SIGNATURE, ""), self.secrets, now)
        try:
            return _event(json.loads(raw))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadEvent("this is not an event") from error

    async def list_missed_events(self, *, since: datetime) -> Sequence[Event]:
        listed = await _ask(
            self.client.v1.events.list_async(
                {"created": {"gte": int(since.timestamp())}, "delivery_success": False, "limit": 100}
            )
        )
        return [_event(each.to_dict()) for each in islice(listed.data, MOST_LISTED)]

    async def refusal(self) -> str | None:
        """Why it would not work for us, in words; None where it would."""
        try:
            await self.client.v1.payment_intents.list_async({"limit": 1})
        except stripe.AuthenticationError:
            return "it does not know the key in SELFCARE_STRIPE_KEY"
        except stripe.PermissionError:
            return "the key in SELFCARE_STRIPE_KEY may not read payments"
        except StripeError:
            return "it does not answer"
        return None

    def _answer(self, intent: PaymentIntent, asked_by: str) -> Answer:
        match intent.status:
            case "succeeded":
                return Succeeded(_seen(intent))
            case "requires_action":
                action = intent.next_action
                there = _maybe(action, "redirect_to_url")
                url = there.url if there is not None else None
                return NeedsAction(asked_by, self._page(url)) if url else Pending(asked_by)
            case "requires_payment_method":
                failed = intent.last_payment_error
                if failed is None:
                    return Declined(words.why(None, None), asked_by)
                return Declined(words.why(_maybe(failed, "decline_code"), _maybe(failed, "code")), asked_by)
            case "canceled":
                return Canceled(asked_by)
            case _:
                return Pending(asked_by)

    def _answer_of_session(self, session: Session) -> Answer:
        intent: Any = session.payment_intent
        if intent is not None and intent.status in ("succeeded", "processing"):
            return self._answer(intent, session.id)
        if session.status == "open":
            return NeedsAction(session.id, self._page(session.url))
        if session.status == "expired" or intent is None:
            return Canceled(session.id)
        return self._answer(intent, session.id)

    def _page(self, url: str | None) -> str:
        """Nobody is sent anywhere else, whatever an answer says."""
        parts = urlsplit(url or "")
        trusted = parts.scheme == "https" and parts.hostname in self.pages
        if url is None or not (trusted or (self.own_host and parts.netloc == self.own_host)):
            log.error("the gateway named a page on a host that is not allowed: %s", parts.hostname)
            raise Misused("the gateway named a page on a host that is not in SELFCARE_STRIPE_PAGES")
        return url


class _Http(stripe.HTTPXClient):
    """The SDK on our way out: listed hosts, our time limits."""

    def __init__(self, host: str, transport: httpx.AsyncBaseTransport | None) -> None:
        super().__init__(timeout=TIMEOUT_SECONDS)
        self._client_async = outgoing.client(host, transport=transport)

    def _get_request_args_kwargs(self, method: str, url: str, headers: Mapping[str, str], post_data: Any) -> Any:
        args, more = super()._get_request_args_kwargs(method, url, headers, post_data)
        more["content"] = more.pop("data") or b""
        return args, more


# Nobody heard us: the connection never stood.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_OWN_MISTAKES = (outgoing.InTransaction, outgoing.NotListed)


async def _ask(asked: Coroutine[Any, Any, _Given], *, asks_for_money: bool = False) -> _Given:
    try:
        outgoing.check_outside()
        return await asked
    except outgoing.InTransaction:
        asked.close()
        raise
    except StripeError as error:
        raise _failure(error, asks_for_money=asks_for_money) from error


def _failure(error: StripeError, *, asks_for_money: bool) -> Exception:
    """In the words of the port. What Stripe says itself goes to the log without what people typed."""
    match error:
        case stripe.APIConnectionError():
            cause = error.__cause__
            if isinstance(cause, _OWN_MISTAKES):
                return cause
            return failures.Unreachable() if isinstance(cause, _NEVER_LEFT) else failures.Unknown("no answer")
        case stripe.IdempotencyError():
            return Misused("a key was used for something else")
        case stripe.RateLimitError():
            return failures.Unreachable()
        case stripe.AuthenticationError() | stripe.PermissionError():
            log.error("Stripe does not accept our key", extra={"stripe_request": error.request_id})
            return failures.Unreachable()
        case stripe.InvalidRequestError() | stripe.CardError():
            if error.code == "idempotency_key_in_use" or error.http_status == 409:
                return failures.Unknown("the first one is still under way")
            log.warning("Stripe refused: %s %s", error.code, _maybe(error, "param"))
            # Asked for money and refused as a question: none was taken.
            return failures.Unreachable() if asks_for_money else failures.Declined("the gateway refused")
        case _:
            return failures.Unknown("the gateway has trouble")


def _declined(error: stripe.CardError) -> Declined:
    said = error.error
    if said is None:
        return Declined(words.why(None, error.code))
    intent = _maybe(said, "payment_intent")
    return Declined(words.why(_maybe(said, "decline_code"), error.code), intent.id if intent is not None else None)


def _why_unusable(error: stripe.InvalidRequestError) -> Any:
    log.warning("a kept card cannot be used: %s", error.code)
    return words.why("card_not_supported", None)


def _metadata(charge: Charge) -> dict[str, str]:
    return {"payment_id": str(charge.payment_id), "reference": charge.reference}


def _named(metadata: Any) -> UUID | None:
    """Our own id in what Stripe keeps for us; None where somebody else made it."""
    try:
        return UUID(metadata["payment_id"])
    except (KeyError, TypeError, ValueError):
        return None


def _seen(intent: PaymentIntent) -> Seen:
    method: Any = intent.payment_method
    charged: Any = intent.latest_charge
    card = _card(method, kept=method.customer is not None) if isinstance(method, PaymentMethod) else None
    return Seen(
        ref=intent.id,
        amount=words.from_stripe(intent.amount_received, intent.currency),
        customer_ref=_id(intent.customer) or None,
        payment_id=_named(intent.metadata),
        card=card,
        disputed=bool(charged is not None and _maybe(charged, "disputed")),
    )


def _card(method: PaymentMethod, *, kept: bool) -> CardSeen:
    card = method.card
    if card is None:
        return CardSeen(method.id if kept else None, method.type, "0000", 12, 2099)
    wallet = words.wallet(getattr(_maybe(card, "wallet"), "type", None))
    return CardSeen(
        token_ref=method.id if kept and not wallet else None,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        holder=_maybe(method.billing_details, "name") or "",
        fingerprint=_maybe(card, "fingerprint") or "",
        wallet=wallet,
    )


def _refunded(refund: Refund) -> Refunded:
    state = {
        "succeeded": RefundState.DONE,
        "failed": RefundState.FAILED,
        "canceled": RefundState.FAILED,
    }.get(refund.status or "", RefundState.PENDING)
    return Refunded(refund.id, state, words.from_stripe(refund.amount, refund.currency))


def _event(body: Mapping[str, Any]) -> Event:
    """Of a webhook's body. Raises KeyError, TypeError or ValueError for what is none."""
    about, thing = words.about(body["type"]), body["data"]["object"]
    if about is About.PAYMENT and thing.get("mode") == "setup":
        about = About.CARD
    ref = thing.get("payment_intent") if about is About.DISPUTE else thing.get("id")
    return Event(
        id=_text(body["id"]),
        kind=_text(body["type"]),
        about=about,
        ref=_text(ref) if ref is not None else None,
        payment_id=_named(thing.get("metadata")),
        at=datetime.fromtimestamp(body["created"], UTC),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255:
        raise TypeError("not a name")
    return value


def _id(thing: Any) -> str:
    """Of something that may be expanded."""
    return thing if isinstance(thing, str) else str(thing.id) if thing is not None else ""


def _maybe(thing: Any, name: str) -> Any:
    """Absent fields of the SDK's objects raise."""
    return getattr(thing, name, None)
