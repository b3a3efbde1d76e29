"""/simpay: the simulated gateway's own pages, where a card is picked by what happens, and the bank asks its question.

Mounted where payments are simulated. They look like nobody's portal, and each says loudly that no money moves.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare import flags
from selfcare.adapters import payments_embedded_bank as bank
from selfcare.adapters.payments_embedded import SimulatedGateway, is_open
from selfcare.adapters.payments_embedded_bank import PLASTIC, REFUSES, Outcome
from selfcare.db.engine import Row, transaction
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.ports import failures
from selfcare.ports.payments import Declined, NeedsAction, Why
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go_to, page

Groups = tuple[tuple[str, tuple[Outcome, ...]], ...]

ASKED_TO_PAY: Groups = (
    (_("Pays"), (Outcome.APPROVES, Outcome.ASKS, Outcome.DECIDES_LATER)),
    (_("Is refused"), tuple(REFUSES)),
    (_("Makes trouble"), (Outcome.ANSWER_LOST, Outcome.SLOW, Outcome.TWICE, Outcome.EARLY, Outcome.LATE)),
    (_("Makes trouble later"), (Outcome.LATER_DECLINES, Outcome.REFUND_FAILS, Outcome.DISPUTE)),
)
BY_WALLET = (_("Pays by wallet"), (Outcome.WALLET,))
ASKED_TO_KEEP: Groups = (
    (_("Is kept"), tuple(outcome for outcome in Outcome if outcome not in REFUSES and outcome is not Outcome.WALLET)),
    (_("Is refused"), tuple(REFUSES)),
)
SLOW_SECONDS = 15
ENDS_WITHIN = timedelta(days=60)


@get("/simpay/card/{ref:str}", name="simpay.card")
async def show_card_page(
    request: Request[Any, Any, Any],
    ref: FromPath[str],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    visit = await _visit(ports, ref)
    if not is_open(visit):
        return _over(request, visit)
    form = Form.empty("outcome", "holder", outcome=Outcome.APPROVES)
    return _card_page(request, visit, form, _groups(visit, settings))


@post("/simpay/card/{ref:str}", name="simpay.choose")
async def choose_card(
    request: Request[Any, Any, Any],
    ref: FromPath[str],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    gateway, visit = _gateway(ports), await _visit(ports, ref)
    form, groups = await Form.read(request, "outcome", "holder"), _groups(visit, settings)
    offered = [outcome for _words, outcomes in groups for outcome in outcomes]
    outcome = form.choice("outcome", offered, _("Choose a card."))
    holder = form.text("holder", most=60, least=0)
    if not is_open(visit):
        return _over(request, visit)
    if outcome is None or holder is None:
        return _card_page(request, visit, form, groups, status=422)
    try:
        answer = await gateway.choose(ref, Outcome(outcome), holder=holder)
    except failures.Declined:
        return _over(request, await _visit(ports, ref))
    if isinstance(answer, Declined):
        form.reject("outcome", _refusal(answer.why))
        return _card_page(request, visit, form, groups, status=422)
    if isinstance(answer, NeedsAction):
        return go_to(request, _path(answer.url))
    if visit["mode"] == "payment" and outcome in (Outcome.ANSWER_LOST, Outcome.SLOW):
        return page(
            request,
            "simpay/gone",
            visit=visit,
            back=_path(visit["return_url"]),
            seconds=SLOW_SECONDS if outcome == Outcome.SLOW else 0,
        )
    return go_to(request, _path(visit["return_url"]))


@get("/simpay/bank/{ref:str}", name="simpay.bank")
async def show_bank_page(
    request: Request[Any, Any, Any], ref: FromPath[str], ports: NamedDependency[Ports]
) -> Response[bytes]:
    _gateway(ports)
    paid = await _payment(ref)
    if paid["state"] != "requires_action":
        return page(request, "simpay/over", back=_path(paid["return_url"]), taken=paid["state"] == "succeeded")
    return page(
        request,
        "simpay/bank",
        ref=ref,
        paid=paid,
        amount=Money(paid["amount_minor"], paid["currency"]),
        back=_path(paid["return_url"]),
    )


@post("/simpay/bank/{ref:str}", name="simpay.answer")
async def answer_bank(
    request: Request[Any, Any, Any],
    ref: FromPath[str],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    gateway = _gateway(ports)
    form = await Form.read(request, "answer")
    paid = await _payment(ref)
    if form["answer"] not in ("approve", "refuse"):
        return go_to(request, f"/simpay/bank/{ref}")
    approved = form["answer"] == "approve"
    await gateway.approve(ref, approved=approved)
    session = await gateway.find_visit(paid["session_ref"]) if paid["session_ref"] else None
    if session is not None and not approved and is_open(session):
        form = Form.empty("outcome", "holder")
        form.reject("outcome", _refusal(Why.NEEDS_APPROVAL))
        return _card_page(request, session, form, _groups(session, settings), status=422)
    return go_to(request, _path(paid["return_url"]))


@get("/simpay/faults", name="simpay.faults")
async def show_faults(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    _may_break(ports, settings)
    return page(request, "simpay/faults", faults=[(name, _fault(name), n) for name, n in (await bank.faults()).items()])


@post("/simpay/faults", name="simpay.switch")
async def switch_fault(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    _may_break(ports, settings)
    form = await Form.read(request, "fault", "times")
    name, times = form.choice("fault", bank.FAULTS), form.whole("times", least=0, most=100)
    if name is not None and times is not None:
        async with transaction():
            await bank.set_fault(name, times)
    return go_to(request, "/simpay/faults")


@post("/simpay/renew", name="simpay.renew")
async def renew_cards(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    _may_break(ports, settings)
    async with transaction():
        await bank.renew_ending(ports.jobs, within=ENDS_WITHIN)
    return go_to(request, "/simpay/faults")


def _gateway(ports: Ports) -> SimulatedGateway:
    if not isinstance(ports.payments, SimulatedGateway):
        raise NotFound
    return ports.payments


def _may_break(ports: Ports, settings: Settings) -> None:
    """Everybody's next payment goes wrong: nothing for a portal that real people use."""
    _gateway(ports)
    if settings.production:
        raise NotFound


async def _visit(ports: Ports, ref: str) -> Row:
    visit = await _gateway(ports).find_visit(ref)
    if visit is None:
        raise NotFound
    return visit


async def _payment(ref: str) -> Row:
    paid = await bank.payment(ref)
    if paid is None:
        raise NotFound
    return paid


def _groups(visit: Row, settings: Settings) -> Groups:
    """What may be picked. By wallet only this once: never where the card is to be kept."""
    if visit["mode"] != "payment":
        return ASKED_TO_KEEP
    once = "wallets" in flags.enabled(settings) and not visit["save_card"]
    return (*ASKED_TO_PAY, BY_WALLET) if once else ASKED_TO_PAY


def _card_page(
    request: Request[Any, Any, Any], visit: Row, form: Form, offered: Groups, *, status: int = 200
) -> Response[bytes]:
    groups = [
        (_(title), [(each.value, PLASTIC[each], bank.words(each)) for each in outcomes]) for title, outcomes in offered
    ]
    return page(
        request,
        "simpay/card",
        status=status,
        visit=visit,
        amount=Money(visit["amount_minor"], visit["currency"]) if visit["mode"] == "payment" else None,
        groups=groups,
        form=form,
        back=_path(visit["cancel_url"]),
    )


def _over(request: Request[Any, Any, Any], visit: Row) -> Response[bytes]:
    """Pressed twice, or come back to: whoever is done is sent on."""
    if visit["state"] == "complete":
        return go_to(request, _path(visit["return_url"]))
    return page(request, "simpay/over", back=_path(visit["cancel_url"]), taken=False)


def _path(url: str) -> str:
    """On this very site: whoever opened the demo under another name of the machine stays there."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _refusal(why: Why) -> str:
    return {
        Why.NO_FUNDS: _("Not enough money on this card."),
        Why.EXPIRED_CARD: _("This card has expired."),
        Why.WRONG_CODE: _("The security code is wrong."),
        Why.NEEDS_APPROVAL: _("You did not approve this payment at your bank."),
        Why.LIMIT: _("This is over the card's limit."),
        Why.NOT_SUPPORTED: _("We take no cards of this kind."),
        Why.PROVIDER_TROUBLE: _("The card network is out of order. Try again later."),
    }.get(why, _("The bank refused this card."))


def _fault(name: str) -> str:
    return {
        "answer_lost": _("The answer is lost after the card was charged"),
        "slow": _("The answer comes too late"),
        "decline": _("The bank refuses, whatever the card"),
        "duplicate": _("The webhook comes twice"),
        "late": _("The webhook comes 20 seconds late"),
    }[name]


router = Router(
    "/",
    route_handlers=[show_card_page, choose_card, show_bank_page, answer_bank, show_faults, switch_fault, renew_cards],
)
