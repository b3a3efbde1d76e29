"""A browser for tests: opens a page, reads the form with its hidden fields, submits it as a person would.

CSRF is never switched off, cookies and redirects behave as in a browser; `htmx=True` sends what htmx 4 would send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from lxml import html as lxml_html
from lxml.html import HtmlElement

BASE = "https://selfcare.test"


class Page:
    """One answer, read as a person reads it."""

    def __init__(self, browser: Browser, answer: httpx.Response):
        self.browser = browser
        self.answer = answer
        self.status = answer.status_code
        self.headers = answer.headers
        self.path = answer.url.raw_path.decode()

    @cached_property
    def html(self) -> HtmlElement:
        return lxml_html.fromstring(self.answer.text) if self.answer.text.strip() else lxml_html.Element("html")

    @property
    def text(self) -> str:
        """What stands on the page, white space folded."""
        return " ".join(self.html.text_content().split())

    @property
    def heading(self) -> str:
        return " ".join(self.html.xpath("string(//h1)").split())

    def one(self, xpath: str) -> HtmlElement:
        found = self.html.xpath(xpath)
        assert len(found) == 1, f"{len(found)} elements for {xpath} on {self.path}"
        return found[0]

    def by_id(self, element_id: str) -> HtmlElement:
        return self.one(f"//*[@id='{element_id}']")

    def form(self, form_id: str | None = None) -> HtmlElement:
        forms = (
            self.html.xpath("//form[@method='post']")
            if form_id is None
            else self.html.xpath(f"//form[@id='{form_id}']")
        )
        assert forms, f"no form {form_id or ''} on {self.path}: {[f.get('id') for f in self.html.xpath('//form')]}"
        assert form_id is not None or len(forms) == 1, f"say which form: {[f.get('id') for f in forms]}"
        return forms[0]

    def field(self, name: str) -> Any:
        """The first field of that name: `.value`, `.element`."""
        found = self.html.xpath(f"//*[@name='{name}']")
        assert found, f"no field {name} on {self.path}"
        element = found[0]
        value = element.text_content() if element.tag == "textarea" else element.get("value", "")
        if element.tag == "select":
            value = "".join(option.get("value", "") for option in element.xpath(".//option[@selected]"))
        return SimpleNamespace(value=value, element=element)

    def error(self, name: str) -> str:
        """The words beside the field."""
        element = self.field(name).element
        described = element.get("aria-describedby", "").split()
        assert element.get("aria-invalid") == "true", f"{name} is not marked invalid on {self.path}"
        return " ".join(" ".join(self.by_id(one).text_content().split()) for one in described if one.endswith("-error"))

    def has_link(self, href_start: str) -> bool:
        return bool(self.html.xpath(f"//a[starts-with(@href, '{href_start}')]"))

    async def submit(
        self, form_id: str | None = None, *, htmx: bool = False, button: str | None = None, **fields: Any
    ) -> Page:
        """Send the form with its hidden and prefilled fields; `fields` are what the person typed."""
        form = self.form(form_id)
        typed: list[tuple[str, str]] = []
        for name, value in form_values(form):
            if name not in fields:
                typed.append((name, value))
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                typed.append((name, str(one)))
        if button is not None:
            pressed = form.xpath(f".//button[@name and normalize-space()='{button}']")
            typed += [(one.get("name"), one.get("value", "")) for one in pressed]
        action = urljoin(self.path, form.get("action") or self.path)
        if form.get("method", "get").lower() == "get":
            return await self.browser.open(f"{action.partition('?')[0]}?{urlencode(typed)}", htmx=htmx)
        return await self.browser.post(action, typed, htmx=htmx)


class Browser:
    """One person's browser window, with its own cookies."""

    def __init__(self, app: Any, *, name: str = "visitor", address: str = "192.0.2.7", base: str = BASE):
        self.name = name
        self.base = base
        self.client = httpx.AsyncClient(
            transport=_Transport(app, client=(address, 50_000)),
            base_url=base,
            headers={"User-Agent": f"Test browser of {name}", "Accept-Encoding": "identity"},
        )
        self.things = SimpleNamespace()

    async def open(self, path: str, *, htmx: bool = False, follow: bool = True, **headers: str) -> Page:
        answer = await self.client.get(path, headers=_headers(htmx) | headers, follow_redirects=False)
        return await self._follow(answer, follow=follow)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str] | list[tuple[str, str]] = (),  # type: ignore[assignment]
        *,
        htmx: bool = False,
        follow: bool = True,
        site: str | None = "same-origin",
        **headers: str,
    ) -> Page:
        pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
        sent = _headers(htmx) | {"Content-Type": "application/x-www-form-urlencoded"} | headers
        if site is not None:
            sent["Sec-Fetch-Site"] = site
        answer = await self.client.post(path, content=urlencode(pairs), headers=sent, follow_redirects=False)
        return await self._follow(answer, follow=follow)

    async def sign_in(self, email: str, password: str = "Demo-Pass-1!", **fields: str) -> Page:
        page = await self.open("/sign-in")
        return await page.submit("sign-in-form", email=email, password=password, **fields)

    async def csrf(self, path: str = "/account") -> str:
        """A valid token for this browser, read from a real page."""
        page = await self.open(path)
        return str(page.html.xpath("string((//input[@name='csrf'])[1]/@value)"))

    async def close(self) -> None:
        await self.client.aclose()

    async def _follow(self, answer: httpx.Response, *, follow: bool) -> Page:
        hops = 0
        while follow and hops < 8:
            target = answer.headers.get("HX-Redirect") or (
                answer.headers.get("location") if answer.is_redirect else None
            )
            if target is None:
                break
            answer = await self.client.get(target, follow_redirects=False)
            hops += 1
        return Page(self, answer)


def form_values(form: HtmlElement) -> list[tuple[str, str]]:
    """What a browser would send of an untouched form."""
    values: list[tuple[str, str]] = []
    for element in form.xpath(".//input[@name] | .//textarea[@name] | .//select[@name]"):
        if element.get("disabled") is not None:
            continue
        kind = element.get("type", "text")
        if element.tag == "select":
            chosen = element.xpath(".//option[@selected]") or element.xpath(".//option")[:1]
            values += [(element.get("name"), option.get("value", option.text_content())) for option in chosen]
        elif element.tag == "textarea":
            values.append((element.get("name"), element.text_content()))
        elif kind in ("checkbox", "radio"):
            if element.get("checked") is not None:
                values.append((element.get("name"), element.get("value", "on")))
        elif kind not in ("submit", "button", "image"):
            values.append((element.get("name"), element.get("value", "")))
    return values


def _headers(htmx: bool) -> dict[str, str]:
    return {"HX-Request": "true", "HX-Request-Type": "partial"} if htmx else {}


class _Transport(httpx.AsyncBaseTransport):
    """ASGI in a task of its own, so that a request's context never leaks into the test's."""

    def __init__(self, app: Any, *, client: tuple[str, int]):
        self._inner = httpx.ASGITransport(app=app, client=client, raise_app_exceptions=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await asyncio.create_task(self._inner.handle_async_request(request))
