"""Handlers of /sign-in: the door itself. Ways back stand in recovery, proofs of a person inside in proof."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.db.engine import transaction
from selfcare.identity import kept, passkeys, requirement, sessions
from selfcare.identity.identity import Identity
from selfcare.identity.passkeys import Place, Refused, Step
from selfcare.identity.passwords import Passwords
from selfcare.identity.sessions import Limits
from selfcare.kernel.words import _
from selfcare.portal.sign_in import challenges, sign_ins, staying
from selfcare.portal.sign_in.challenges import Challenge, ChallengeOver, WrongCode
from selfcare.portal.sign_in.sign_ins import CodeNeeded, Entered, IsLocked, NotSignedIn, Wishes
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import RequestContext, context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, go_to, page
from selfcare.web.urls import safe_next

STEP_SECONDS = int(challenges.LASTS.total_seconds())
DEVICE_SECONDS = 365 * 86_400
STAY_SECONDS = int(staying.LASTS.total_seconds())


@get("/sign-in", name="sign_in")
async def show(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    ctx = context_of(request)
    target = safe_next(request.query_params.get("next"), "")
    if ctx.identity is not None:
        return go_to(request, target or home_of(ctx, staff=ctx.identity.is_staff))
    if stay := request.cookies.get(ctx.site.cookies.remember):
        entered = await _come_back(request, stay, target, ports, settings)
        if entered is not None:
            return await _welcome(request, entered)
    expired = ctx.expired_user_id is not None
    return page(request, "sign_in/index", form=Form.empty("email", "password", next=target), expired=expired)


@post("/sign-in", name="sign_in.enter", status_code=200)
async def enter(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "email", "password", "next", "shared_device", "remember")
    wishes = Wishes(
        shared_device=form.flag("shared_device"),
        remember=form.flag("remember") and "remember_me" in ctx.site.flags,
        next=safe_next(form["next"], ""),
    )
    try:
        entered = await sign_ins.enter(
            form["email"],
            form["password"],
            ctx.origin,
            wishes,
            passwords=passwords,
            jobs=ports.jobs,
            messages=ports.messages,
            session_limits=Limits.of(settings),
            device=request.cookies.get(ctx.site.cookies.device),
            replaces=ctx.identity.session_id if ctx.identity else None,
        )
    except (NotSignedIn, IsLocked) as problem:
        form.reject(problem.field, problem)
        return page(request, "sign_in/index", fragment="sign_in/_form", status=422, form=form, expired=False)
    if isinstance(entered, CodeNeeded):
        ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.step, entered.token, max_age=STEP_SECONDS))
        return go(request, "sign_in.code")
    return await _welcome(request, entered)


@get("/sign-in/code", name="sign_in.code")
async def show_code(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    challenge = await _challenge(request)
    if challenge is None:
        return go(request, "sign_in")
    return await _code_page(request, settings, challenge.user_id, Form.empty("code"))


@post("/sign-in/code", name="sign_in.answer", status_code=200)
async def answer_code(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    challenge = await _challenge(request)
    if challenge is None:
        return go(request, "sign_in")
    form = await Form.read(request, "code")
    token = _step_token(request)
    try:
        await challenges.claim_try(token, challenge.user_id)
        async with transaction():
            await challenges.answer_code(token, challenge, form["code"], ctx.origin, settings.totp_keys)
            entered = await _complete(request, challenge, "app", ports, settings)
    except ChallengeOver as over:
        return _start_again(request, over)
    except WrongCode as problem:
        await challenges.note_wrong(challenge.user_id, ctx.origin, method="app")
        form.reject("code", problem)
        return await _code_page(request, settings, challenge.user_id, form, status=422)
    return await _welcome(request, entered)


@post("/sign-in/code/passkey", name="sign_in.answer_by_passkey", status_code=200)
async def answer_by_passkey(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    challenge = await _challenge(request)
    if challenge is None:
        return go(request, "sign_in")
    form = await Form.read(request, "passkey", "code")
    token = _step_token(request)
    try:
        await challenges.claim_try(token, challenge.user_id)
        found = await passkeys.check(Step.SECOND, challenge.user_id, form["passkey"], place=Place.of(settings))
        async with transaction():
            await challenges.answer_passkey(token, found)
            entered = await _complete(request, challenge, "passkey", ports, settings)
    except ChallengeOver as over:
        return _start_again(request, over)
    except (Refused, WrongCode):
        await challenges.note_wrong(challenge.user_id, ctx.origin, method="passkey")
        form.reject(None, _("The passkey did not work. Try once more, or use another way."))
        return await _code_page(request, settings, challenge.user_id, form, status=422)
    return await _welcome(request, entered)


@get("/sign-in/passkey", name="sign_in.passkey")
async def show_passkey(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    target = safe_next(request.query_params.get("next"), "")
    if (identity := context_of(request).identity) is not None:
        return go_to(request, target or home_of(context_of(request), staff=identity.is_staff))
    return await _passkey_page(request, settings, Form.empty(next=target))


@post("/sign-in/passkey", name="sign_in.enter_by_passkey", status_code=200)
async def enter_by_passkey(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "passkey", "next")
    try:
        entered = await sign_ins.enter_by_passkey(
            form["passkey"],
            ctx.origin,
            Wishes(next=safe_next(form["next"], "")),
            place=Place.of(settings),
            messages=ports.messages,
            session_limits=Limits.of(settings),
            device=request.cookies.get(ctx.site.cookies.device),
            replaces=ctx.identity.session_id if ctx.identity else None,
        )
    except NotSignedIn as problem:
        form.reject(None, problem)
        return await _passkey_page(request, settings, form, status=422)
    return await _welcome(request, entered)


@get("/sign-in/backup-code", name="sign_in.backup_code")
async def show_backup_code(request: Request[Any, Any, Any]) -> Response[bytes]:
    if await _challenge(request) is None:
        return go(request, "sign_in")
    return page(request, "sign_in/backup_code", form=Form.empty("backup_code"))


@post("/sign-in/backup-code", name="sign_in.use_backup_code", status_code=200)
async def use_backup_code(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx = context_of(request)
    challenge = await _challenge(request)
    if challenge is None:
        return go(request, "sign_in")
    form = await Form.read(request, "backup_code")
    token = _step_token(request)
    try:
        await challenges.claim_try(token, challenge.user_id)
        code_id = await challenges.find_backup_code(challenge.user_id, form["backup_code"], passwords)
        async with transaction():
            await challenges.burn_backup_code(token, challenge, code_id, ctx.origin, messages=ports.messages)
            entered = await _complete(request, challenge, "backup_code", ports, settings)
    except ChallengeOver as over:
        return _start_again(request, over)
    except WrongCode as problem:
        await challenges.note_wrong(challenge.user_id, ctx.origin, method="backup_code")
        form.reject("backup_code", problem)
        return page(request, "sign_in/backup_code", fragment="sign_in/_backup_code", status=422, form=form)
    return await _welcome(request, entered)


@get("/sign-in/kept", name="sign_in.kept")
async def show_kept(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    """The form that was typed when the sign-in ran out, to be sent by the person again, never by itself."""
    form = await kept.find(identity.actor_id)
    if form is None:
        return go(request, "dashboard")
    async with transaction():
        await kept.forget(identity.actor_id)
    return page(request, "sign_in/kept", path=safe_next(form["path"]), fields=form["fields"])


@post("/sign-in/out", name="sign_in.out", status_code=200)
async def leave(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    ctx = context_of(request)
    cookies = ctx.site.cookies
    if stay := request.cookies.get(cookies.remember):
        async with transaction():
            await staying.forget(stay)
        ctx.cookies.append(cookies.clear(cookies.remember))
    await sign_ins.leave(identity)
    ctx.cookies.append(cookies.clear(cookies.session))
    answer = go(request, "sign_in")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@get("/sign-in/stay", name="sign_in.stay")
async def stay() -> Response[bytes]:
    """ "Stay signed in": being here counts as a click, which the guard has noted."""
    return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})


@get("/sign-in/alive", name="sign_in.alive")
async def alive() -> Response[bytes]:
    """Asked by a page that came back from the browser's memory: 204 while the sign-in lives."""
    return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})


def home_of(ctx: RequestContext, *, staff: bool) -> str:
    """Where people land who did not say where to."""
    return "/staff" if staff and ctx.site.serves != "portal" else "/"


async def _welcome(request: Request[Any, Any, Any], entered: Entered) -> Response[bytes]:
    ctx = context_of(request)
    cookies = ctx.site.cookies
    ctx.cookies.append(cookies.set(cookies.session, entered.token))
    ctx.cookies += [cookies.clear(cookies.visitor), cookies.clear(cookies.step)]
    if entered.device:
        ctx.cookies.append(cookies.set(cookies.device, entered.device, max_age=DEVICE_SECONDS))
    if entered.remember:
        async with transaction():
            value = await staying.remember(entered.user_id, ctx.origin)
        ctx.cookies.append(cookies.set(cookies.remember, value, max_age=STAY_SECONDS))
    if await _tell_requirement(ctx, entered):
        return go(request, "account.security.required", next=entered.next or None)
    if await kept.find(entered.user_id):
        return go(request, "sign_in.kept")
    return go_to(request, entered.next or home_of(ctx, staff=entered.staff))


async def _tell_requirement(ctx: RequestContext, entered: Entered) -> bool:
    """Whether this person is asked to set up a second step; from the first time on, the days count."""
    if not ctx.site.requirement.roles:
        return False
    identity = (await sessions.recognise(entered.token, ctx.origin)).identity
    if identity is None or ctx.site.requirement.deadline(identity) is None:
        return False
    async with transaction():
        await requirement.begin(entered.user_id)
    return True


async def _complete(
    request: Request[Any, Any, Any], challenge: Challenge, method: str, ports: Ports, settings: Settings
) -> Entered:
    """Inside the transaction that used the code up."""
    user = await sign_ins.get_user(challenge.user_id)
    if user is None or user["disabled_at"] is not None:
        raise WrongCode("", "code")
    return await sign_ins.complete(
        user,
        context_of(request).origin,
        Wishes(**challenge.wishes),
        method=method,
        messages=ports.messages,
        session_limits=Limits.of(settings),
        device=challenge.device,
    )


async def _code_page(
    request: Request[Any, Any, Any], settings: Settings, user_id: UUID, form: Form, *, status: int = 200
) -> Response[bytes]:
    factors = await challenges.second_factors(user_id)
    options = await challenges.ask_passkey(user_id, place=Place.of(settings)) if factors.passkeys else ""
    return page(
        request,
        "sign_in/code",
        fragment="sign_in/_code",
        status=status,
        form=form,
        factors=factors,
        passkey_options=options,
    )


async def _passkey_page(
    request: Request[Any, Any, Any], settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    options = await sign_ins.ask_passkey(context_of(request).origin, place=Place.of(settings))
    return page(
        request,
        "sign_in/passkey",
        fragment="sign_in/_passkey",
        status=status,
        form=form,
        passkey_options=options,
    )


async def _come_back(
    request: Request[Any, Any, Any], cookie: str, target: str, ports: Ports, settings: Settings
) -> Entered | None:
    """A phone that was asked to keep somebody signed in: a new sign-in, but nothing proved."""
    ctx = context_of(request)
    found = await staying.come_back(cookie, ctx.origin, messages=ports.messages)
    if found is None:
        ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.remember))
        return None
    user_id, fresh = found
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.remember, fresh, max_age=STAY_SECONDS))
    return await sign_ins.return_remembered(user_id, ctx.origin, target, session_limits=Limits.of(settings))


async def _challenge(request: Request[Any, Any, Any]) -> Challenge | None:
    return await challenges.find(_step_token(request))


def _start_again(request: Request[Any, Any, Any], over: ChallengeOver) -> Response[bytes]:
    ctx = context_of(request)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.step))
    form = Form.empty("email", "password", next="")
    form.reject(None, over)
    return page(request, "sign_in/index", fragment="sign_in/_form", status=422, form=form, expired=False)


def _step_token(request: Request[Any, Any, Any]) -> str:
    return request.cookies.get(context_of(request).site.cookies.step, "")


router = Router(
    "/",
    route_handlers=[
        show,
        enter,
        show_code,
        answer_code,
        answer_by_passkey,
        show_passkey,
        enter_by_passkey,
        show_backup_code,
        use_backup_code,
        show_kept,
        leave,
        stay,
        alive,
    ],
)
