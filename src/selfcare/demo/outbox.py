"""/demo/outbox: the mails of the demo, which go nowhere but here.

Everybody may read them: in the demo there are only made-up people.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.kernel.errors import NotFound
from selfcare.kernel.numbers import whole
from selfcare.settings import Settings
from selfcare.web.pages import page

ON_A_PAGE = 25
MOST_PAGES = 1_000
MAIN = re.compile(r"<main>(.*)</main>", re.DOTALL)


@get("/demo/outbox", name="demo.outbox")
async def list_mails(request: Request[Any, Any, Any]) -> Response[bytes]:
    number = whole(request.query_params.get("page", ""), least=1, most=MOST_PAGES) or 1
    rows = await fetch(NEWEST.bind(most=ON_A_PAGE + 1, skipped=(number - 1) * ON_A_PAGE))
    return page(request, "demo/outbox", mails=rows[:ON_A_PAGE], number=number, more=len(rows) > ON_A_PAGE)


@get("/demo/outbox/{mail_id:uuid}", name="demo.outbox.mail")
async def show_mail(
    request: Request[Any, Any, Any], mail_id: FromPath[UUID], settings: NamedDependency[Settings]
) -> Response[bytes]:
    row = await fetch_one(FIND.bind(id=mail_id))
    if row is None:
        raise NotFound
    return page(
        request,
        "demo/mail",
        mail=row,
        paragraphs=[list(_lines(paragraph, settings.public_url)) for paragraph in row["text"].strip().split("\n\n")],
        html=_shown(row["html"], settings.public_url),
    )


NEWEST = Prepared.sql(
    "SELECT id, mail_to, subject, at FROM outbox_mail ORDER BY at DESC, id DESC LIMIT :most OFFSET :skipped"
)
FIND = Prepared.sql("SELECT id, mail_to, mail_from, subject, text, html, at FROM outbox_mail WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words, or a link when `path` says where to."""

    words: str
    path: str = ""


def _lines(paragraph: str, public_url: str) -> Iterator[list[Piece]]:
    for line in paragraph.splitlines():
        pieces = []
        for word in re.split(r"(\s+)", line):
            # The path alone: the demo may be open under another address than the one it writes.
            own = word.startswith(f"{public_url}/")
            pieces.append(Piece(word, word.removeprefix(public_url)) if own else Piece(word))
        yield pieces


def _shown(html: str, public_url: str) -> Markup:
    found = MAIN.search(html)
    # Rendered by our own templates, which escaped everything that people wrote.
    return Markup(found[1].replace(f'href="{public_url}/', 'href="/')) if found else Markup("")  # noqa: S704


router = Router("/", route_handlers=[list_mails, show_mail])
