"""Handlers of /staff/customers/{customer_id}/people."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.portal.activity import support
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.customers import queries
from selfcare.staff.people import helping
from selfcare.staff.people.helping import Act
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/staff/customers/{customer_id:uuid}/people/{user_id:uuid}", name="staff.people.show")
async def show(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    user_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    done = request.query_params.get("done", "")
    form = Form.empty("act", "reason", "check", "code")
    return await _page(request, customer_id, user_id, identity, form, done=done)


@post("/staff/customers/{customer_id:uuid}/people/{user_id:uuid}", name="staff.people.act", status_code=200)
async def act(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    user_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "act", "reason", "check", "code")
    chosen = form.choice("act", [one.value for one in Act])
    reason = form.text("reason", least=10, most=500)
    if form and chosen and reason:
        try:
            if typed := form["code"].replace(" ", ""):
                who = queries.of_customer(identity, customer_id, user_id)
                await support.use_code(who, customer_id, user_id, typed, key=settings.keys.link)
            await helping.do(identity, customer_id, user_id, Act(chosen), reason, form["check"], ports=ports)
        except Rejected as problem:
            form.reject(problem.field, problem)
        else:
            return go(request, "staff.people.show", customer_id=customer_id, user_id=user_id, done=chosen)
    return await _page(request, customer_id, user_id, identity, form, status=422)


async def _page(
    request: Request[Any, Any, Any],
    customer_id: UUID,
    user_id: UUID,
    identity: Identity,
    form: Form,
    *,
    status: int = 200,
    done: str = "",
) -> Response[bytes]:
    person = await helping.get(customer_id, user_id)
    words = {
        Act.UNLOCK: (_("Unlock the sign-in"), _("After too many wrong passwords. The password stays what it is.")),
        Act.SEND_RESET: (_("Send a link for a new password"), _("To their own address; it works for an hour.")),
        Act.END_SIGN_INS: (_("End all sign-ins"), _("On every phone and computer.")),
        Act.RESET_SECOND_STEP: (
            _("Take the second step off"),
            _("After you made sure who it is. They get a link to their own address that works for 15 minutes."),
        ),
    }
    return page(
        request,
        "staff/people/show",
        fragment="staff/people/_help",
        status=status,
        customer=await queries.find(customer_id),
        person=person,
        form=form,
        acts=[(one.value, *words[one]) for one in helping.acts_of(identity, person)],
        done=words[Act(done)][0] if done in [one.value for one in Act] else "",
        proved=await support.proved(identity.actor_id, user_id, customer_id),
    )


router = Router("/", route_handlers=[show, act])
