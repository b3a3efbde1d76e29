"""Handlers of /help."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.portal.activity import support
from selfcare.portal.help import articles, queries, texts, tips
from selfcare.portal.help.needs import list_needs
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.leads import leads_to, request_url
from selfcare.web.pages import go, go_to, page
from selfcare.web.urls import safe_next

LONGEST_SEARCH = 80


@get("/help", name="help")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    identity = context_of(request).identity
    known = identity is not None and identity.scope is not None
    return page(
        request,
        "help/index",
        to_quote=await queries.to_quote(identity) if identity and known else None,
        questions=texts.asked_often(),
        practice=tips.everything(),
        needs=list_needs(),
        leads_to=leads_to(request),
        ask=lambda kind: request_url(request, kind),
    )


@get("/help/articles", name="help.articles")
async def list_articles(request: Request[Any, Any, Any]) -> Response[bytes]:
    asked = " ".join(request.query_params.get("q", "").replace("\x00", "").split())[:LONGEST_SEARCH]
    return page(
        request,
        "help/articles",
        fragment="help/_found",
        asked=asked,
        found=await articles.find(asked),
    )


@get("/help/articles/{slug:str}", name="help.article")
async def show_article(request: Request[Any, Any, Any], slug: FromPath[str]) -> Response[bytes]:
    identity = context_of(request).identity
    article = articles.get(slug)
    return page(
        request,
        "help/article",
        article=article,
        said=await articles.said(identity, slug) if identity else None,
        leads_to=leads_to(request),
        ask=lambda kind: request_url(request, kind),
    )


@post("/help/articles/{slug:str}", name="help.article.answer", status_code=200)
async def answer(
    request: Request[Any, Any, Any], slug: FromPath[str], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "helped")
    helped = form.choice("helped", ("yes", "no"))
    if helped:
        await articles.say_whether_it_helped(identity, slug, helped=helped == "yes")
    return go(request, "help.article", slug=slug)


@post("/help/tips/{tip:str}", name="help.dismiss_tip", status_code=200)
async def dismiss_tip(
    request: Request[Any, Any, Any], tip: FromPath[str], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "next")
    await tips.dismiss(identity, tip)
    return go_to(request, safe_next(form["next"], context_of(request).url("help")))


@get("/help/support-code", name="help.support_code")
async def show_code(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "help/support_code", number=identity.customer.customer_number, code=None)


@post("/help/support-code", name="help.make_support_code", status_code=200)
async def make_code(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    await Form.read(request)
    code = await support.make_code(identity, key=settings.keys.link)
    return page(
        request,
        "help/support_code",
        fragment="help/_support_code",
        number=identity.customer.customer_number,
        code=code,
    )


router = Router("/", route_handlers=[show, list_articles, show_article, answer, dismiss_tip, show_code, make_code])
