"""The process that is measured: the product, and beside it what it is compared with. `python -m bench.server URL PORT`

Under /bench/ answers a bare Litestar application: /bench/text, /bench/static/dashboard (and others: the page's own
template with the values of the person whose page is of the usual size, in Jinja as it comes), /bench/frozen (the
dashboard's once more, in our Jinja) and /bench/table (a plain table of the size of the dashboard in our Jinja).
"""

from __future__ import annotations

import asyncio
import json
import sys
from functools import cache
from typing import Any

from jinja2 import Environment
from litestar import Litestar, Response, get
from litestar.types import ASGIApp, Receive, Scope, Send

from selfcare import server
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch
from selfcare.identity import sessions
from selfcare.kernel import words
from selfcare.kernel.origin import Origin
from selfcare.settings import Settings

HTML = "text/html; charset=utf-8"
SOME = Prepared.sql(
    """
    SELECT m.user_id AS id FROM membership m JOIN app_user u ON u.id = m.user_id
    WHERE m.removed_at IS NULL AND m.accepted_at IS NOT NULL AND u.email NOT IN :but ORDER BY m.id LIMIT :many
    """
)
# Of so many people the pages are looked at, to find the usual one.
SAMPLED = 100
# The template of each page that is measured.
STATIC = {"dashboard": "dashboard/index", "usage": "usage/index", "bills": "billing/invoices"}
TABLE = """<!doctype html><html lang="en"><head><title>{{ title }}</title></head><body><h1>{{ title }}</h1>
<p>{{ filler }}</p><table>{% for row in rows %}
<tr><td>{{ row.name }}</td><td>{{ row.number }}</td><td>{{ row.amount|money }}</td><td>{{ row.on|date }}</td></tr>
{% endfor %}</table></body></html>"""


def settings(url: str, port: int) -> Settings:
    return Settings.from_env(
        {
            "SELFCARE_ENV": "demo",
            "SELFCARE_DATABASE_URL": url,
            "SELFCARE_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SELFCARE_SECRET_KEY": "only-for-measuring-" * 4,
        }
    )


async def sign_in(chosen: Settings, many: int) -> list[str]:
    """Cookies of that many generated people, each with a sign-in of their own."""
    database = await server.opened(chosen.database_url)
    try:
        people = await fetch(SOME.bind(but=["bloom@example.test"], many=many))
        origin = Origin("127.0.0.1", "bench", "R-BENCH")
        async with transaction():
            return [await sessions.open_session(row["id"], origin, limits=sessions.Limits()) for row in people]
    finally:
        await database.close()


def build(chosen: Settings) -> ASGIApp:
    product = server.application(chosen, jobs=False)
    beside = _beside(product)

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        await (beside if path.startswith("/bench/") else product)(scope, receive, send)

    return both


def _beside(product: Any) -> Litestar:
    templates = product.site.templates
    seen: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    render = templates.render

    def remembering(name: str, context: dict[str, Any]) -> str:
        text: str = render(name, context)
        known = seen.setdefault(name, [])
        if len(known) < SAMPLED:
            known.append((len(text), context))
        return text

    @cache
    def usual(of: str) -> dict[str, Any]:
        """The values of the page whose size is nearest to the mean."""
        known = seen[STATIC[of]]
        mean = sum(size for size, _context in known) / len(known)
        return min(known, key=lambda one: abs(one[0] - mean))[1]

    templates.render = remembering
    table, stock = templates.environment.from_string(TABLE), _as_it_comes(templates.environment)
    values: dict[str, Any] = {}

    @get("/bench/text", sync_to_thread=False, media_type="text/plain")
    def text() -> str:
        return "Nothing but text."

    @get("/bench/frozen", sync_to_thread=False)
    def frozen() -> Response[bytes]:
        return Response(render(STATIC["dashboard"], usual("dashboard")).encode(), media_type=HTML)

    @get("/bench/static/{of:str}", sync_to_thread=False)
    def static(of: str) -> Response[bytes]:
        return Response(stock.get_template(f"{STATIC[of]}.html").render(usual(of)).encode(), media_type=HTML)

    @get("/bench/table", sync_to_thread=False)
    def page() -> Response[bytes]:
        if not values:
            values.update(_rows_for(table, len(render(STATIC["dashboard"], usual("dashboard")).encode())))
        return Response(table.render(values).encode(), media_type=HTML)

    return Litestar([text, frozen, static, page], openapi_config=None, logging_config=None)


def _as_it_comes(ours: Environment) -> Environment:
    """Jinja without what `web/lean.py` does; the same templates, filters and names."""
    stock = Environment(
        loader=ours.loader,
        autoescape=True,
        undefined=ours.undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    stock.filters.update(ours.filters)
    stock.globals.update(ours.globals)
    stock.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    return stock


def _rows_for(table: Any, size: int) -> dict[str, Any]:
    """A quarter of the page is text that stands still, the rest is rows."""
    from datetime import date

    from selfcare.kernel.money import Money

    rows = [
        {"name": f"Row & <{i}>", "number": i, "amount": Money(100 * i, "GBP"), "on": date(2026, 1, 1 + i % 28)}
        for i in range(1000)
    ]
    values = {"title": "Static", "filler": "x" * (size // 4), "rows": rows[:1]}
    while len(table.render(values).encode()) < size:
        values["rows"] = rows[: len(values["rows"]) + 1]
    return values


def main(url: str, port: int, people: int) -> None:
    chosen = settings(url, port)
    listening = server.listen("127.0.0.1", port)
    print(json.dumps(asyncio.run(sign_in(chosen, people))), flush=True)
    server.run(lambda: build(chosen), chosen, listening)  # type: ignore[arg-type, return-value]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
