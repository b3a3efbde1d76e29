"""What arrives at the door: forged forms, bodies that are too big, text that is none, pages left open too long."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.kernel import clock
from tests.support.browser import Browser, Page


async def test_a_form_without_its_token_is_offered_again_with_its_text(visitor: Browser) -> None:
    await visitor.open("/sign-in")
    page = await visitor.post("/sign-in", {"email": "asha@example.test", "password": "Demo-Pass-1!"})
    assert page.status == 419
    assert page.field("email").value == "asha@example.test"
    assert "Demo-Pass-1!" not in page.answer.text


@pytest.mark.parametrize("token", ["", "x", "ä", "A" * 43, "====", "A" * 5_000])
async def test_a_strange_token_is_refused(visitor: Browser, token: str) -> None:
    await visitor.open("/sign-in")
    page = await visitor.post("/sign-in", {"csrf": token, "email": "asha@example.test", "password": "Demo-Pass-1!"})
    assert page.status == 419


async def test_the_token_of_another_sign_in_is_refused(asha: Browser, chidi: Browser) -> None:
    token = await chidi.csrf()
    page = await asha.post("/sign-in/out", {"csrf": token})
    assert page.status == 419
    assert (await asha.open("/account")).status == 200


async def test_the_offered_form_can_be_sent_again(asha: Browser) -> None:
    refused = await asha.post("/sign-in/out", {"csrf": "old"})
    assert refused.status == 419
    assert (await refused.submit()).path == "/sign-in"


@pytest.mark.parametrize(
    ("site", "origin", "allowed"),
    [
        ("same-origin", None, True),
        ("none", None, True),
        ("cross-site", None, False),
        ("same-site", None, False),
        (None, "https://selfcare.test", True),
        (None, "https://evil.example", False),
        (None, "null", False),
        (None, None, False),
        ("cross-site", "https://selfcare.test", False),
    ],
)
async def test_only_our_own_pages_may_send_forms(
    asha: Browser, site: str | None, origin: str | None, allowed: bool
) -> None:
    token = await asha.csrf()
    headers = {"Origin": origin} if origin else {}
    page = await asha.post("/sign-in/out", {"csrf": token}, site=site, follow=False, **headers)
    assert page.status == (303 if allowed else 403)


async def test_a_body_that_is_too_big_is_refused(visitor: Browser) -> None:
    page = await visitor.post("/sign-in", {"email": "a" * 70_000})
    assert page.status == 413
    assert "too much" in page.heading


async def test_a_big_body_without_its_length_is_refused_while_it_arrives(visitor: Browser) -> None:
    async def drops() -> object:
        for _ in range(20):
            yield b"a=" + b"b" * 4_096 + b"&"

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    answer = await visitor.client.post("/sign-in", content=drops(), headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 413


async def test_too_many_fields_are_refused(visitor: Browser) -> None:
    assert (await visitor.post("/sign-in", [(f"f{n}", "x") for n in range(250)])).status == 413


@pytest.mark.parametrize("body", [b"email=%ff%fe", b"email=%00", b"email=\xff", b"%c3%28=x"])
async def test_what_is_not_text_is_refused(visitor: Browser, body: bytes) -> None:
    page = await raw(visitor, body, "application/x-www-form-urlencoded")
    assert page.status == 400
    assert "could not read" in page.heading


@pytest.mark.parametrize("media_type", ["multipart/form-data; boundary=x", "application/json", "text/plain", ""])
async def test_a_form_of_another_kind_is_refused(visitor: Browser, media_type: str) -> None:
    assert (await raw(visitor, b"--x", media_type)).status == 400


@pytest.mark.parametrize(
    "path", ["/nix", "/services/1", "/services/%00", "/billing/invoices/٣", "/static/x", "/" + "a" * 3_000]
)
async def test_an_unknown_address_is_a_friendly_404(asha: Browser, path: str) -> None:
    answer = await asha.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"])
async def test_a_method_we_do_not_use_is_refused(asha: Browser, method: str) -> None:
    answer = await asha.client.request(method, "/account")
    assert answer.status_code in (400, 404, 405)


async def test_a_bad_page_number_shows_the_first_page(bloom: Browser) -> None:
    for number in ("0", "-1", "1e9", "x", "9" * 40, ""):
        assert (await bloom.open(f"/billing/invoices?page={number}")).status == 200


async def test_a_form_typed_while_the_sign_in_ran_out_is_kept_for_its_person(asha: Browser) -> None:
    token = await asha.csrf()
    clock.travel_by(timedelta(hours=1))
    page = await asha.post("/sign-in/out", {"csrf": token, "note": "what I had typed", "password": "Secret-1!"})
    assert page.path.startswith("/sign-in")
    page = await page.submit("sign-in-form", email="asha@example.test", password="Demo-Pass-1!")
    assert page.path == "/sign-in/kept"
    assert page.field("note").value == "what I had typed"
    assert "Secret-1!" not in page.answer.text


async def test_a_kept_form_is_shown_to_nobody_else(asha: Browser, visitor: Browser) -> None:
    token = await asha.csrf()
    clock.travel_by(timedelta(hours=1))
    await asha.post("/sign-in/out", {"csrf": token, "note": "what I had typed"})
    page = await visitor.sign_in("chidi@example.test")
    assert page.path == "/"
    assert "what I had typed" not in (await visitor.open("/sign-in/kept")).answer.text


async def test_a_kept_form_is_forgotten_after_half_an_hour(asha: Browser) -> None:
    token = await asha.csrf()
    clock.travel_by(timedelta(hours=1))
    await asha.post("/sign-in/out", {"csrf": token, "note": "what I had typed"})
    clock.travel_by(timedelta(minutes=31))
    assert (await asha.sign_in("asha@example.test")).path == "/"


async def test_htmx_gets_the_address_of_the_sign_in_page(visitor: Browser) -> None:
    answer = await visitor.open("/account", htmx=True, follow=False)
    assert answer.status == 200
    assert answer.headers["HX-Redirect"].startswith("/sign-in?next=")


async def test_a_refused_form_is_a_fragment_for_htmx_and_a_page_for_others(visitor: Browser) -> None:
    page = await visitor.open("/sign-in")
    whole = await page.submit("sign-in-form", email="x@example.test", password="x")
    part = await page.submit("sign-in-form", htmx=True, email="x@example.test", password="x")
    assert whole.status == part.status == 422
    assert whole.html.xpath("//h1")
    assert not part.html.xpath("//h1")
    assert part.by_id("sign-in-form") is not None
    for answer in (whole, part):
        assert "HX-Request" in answer.headers["vary"]


async def raw(browser: Browser, body: bytes, kind: str) -> Page:
    headers = {"Content-Type": kind, "Sec-Fetch-Site": "same-origin"}
    return Page(browser, await browser.client.post("/sign-in", content=body, headers=headers))
