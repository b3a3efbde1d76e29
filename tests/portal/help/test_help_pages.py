"""/help: what to quote, answers that lead on, tips that can be sent away."""

from __future__ import annotations

import pytest

from selfcare.demo import people
from tests.support.browser import Browser


async def test_a_visitor_learns_how_to_reach_us_and_nothing_about_anybody(visitor: Browser) -> None:
    page = await visitor.open("/help")
    assert page.status == 200
    assert page.has_link("tel:+442079460100")
    assert page.has_link("mailto:help@lark.example")
    assert page.has_link("https://chat.lark.example/")
    assert "Every day, 8:00 to 20:00" in page.text
    assert "Have this at hand" not in page.text
    assert "Did this help?" not in (await visitor.open("/help/articles/puk")).text


async def test_a_customer_finds_what_to_quote(bloom: Browser) -> None:
    page = await bloom.open("/help")
    assert people.BLOOM.number in page.text
    assert "Service IDs" in page.text
    assert "The ID of every other service stands in its details." in page.text


async def test_somebody_let_in_for_one_line_sees_that_one_only(femi: Browser, bloom: Browser) -> None:
    seen = await femi.open("/help")
    assert str(people.bloom_service(0)) in seen.text
    assert str(people.bloom_service(1)) not in seen.text


async def test_each_usual_question_leads_to_the_real_page(asha: Browser) -> None:
    page = await asha.open("/help")
    for slug, address in (
        ("missing-service", "/services/missing"),
        ("charged-but-failed", "/billing"),
        ("cancel-service", "/services"),
        ("data-faster", "/usage"),
        ("lost-second-step", "/account/security"),
        ("all-bills", "/billing/bundles"),
    ):
        assert address in page.by_id(slug).xpath(".//a/@href"), slug


async def test_everything_that_needs_us_has_a_button(asha: Browser, visitor: Browser) -> None:
    for browser in (asha, visitor):
        page = await browser.open("/help")
        rows = page.html.xpath("//section[@aria-labelledby='needs-heading']//li")
        assert len(rows) == 7
        for row in rows:
            assert row.xpath(".//a[starts-with(@href, '/account/requests/new/') or starts-with(@href, 'mailto:')]")


async def test_articles_are_found_by_words_with_and_without_htmx(asha: Browser) -> None:
    for htmx in (False, True):
        page = await (await asha.open("/help")).submit("help-form", q="video data fast", htmx=htmx)
        assert page.html.xpath("string((//li//b)[1])") == "Why is my data balance decreasing faster than expected?"
    nothing = await asha.open("/help/articles?q=xylophone")
    assert "Nothing found" in nothing.text
    assert nothing.has_link("/help")


@pytest.mark.parametrize("slug", ["no-such-article", "..%2f..", "%00"])
async def test_an_article_that_does_not_exist_is_not_found(asha: Browser, slug: str) -> None:
    assert (await asha.open(f"/help/articles/{slug}")).status == 404


async def test_the_latest_answer_counts_and_no_leads_on(asha: Browser) -> None:
    page = await asha.open("/help/articles/puk")
    assert "Thank you" in (await page.submit("yes-form")).text
    again = await page.submit("no-form")
    assert "Sorry" in again.text
    assert again.has_link("/help")
    assert "Did this help?" in (await asha.open("/help/articles/esim")).text


async def test_what_helped_most_stands_first(asha: Browser, chidi: Browser) -> None:
    for browser in (asha, chidi):
        await (await browser.open("/help/articles/puk")).submit("yes-form")
    page = await asha.open("/help/articles")
    assert page.html.xpath("string((//main//ul//a)[1])") == "The phone asks for a PUK"


async def test_a_tip_goes_when_it_is_sent_away_and_stays_away(asha: Browser) -> None:
    page = await asha.open("/billing")
    assert "Look through each bill" in page.text
    after = await page.submit("tip-form")
    assert after.path == "/billing"
    assert "Look through each bill" not in after.text
    await page.submit("tip-form")
    assert "Look through each bill" not in (await asha.open("/billing")).text


async def test_the_tip_about_the_second_step_is_for_those_without_one(asha: Browser) -> None:
    assert "Turn on the second step" in (await asha.open("/account")).text


@pytest.mark.parametrize("next_", ["https://evil.example/", "//evil.example", "/\\evil.example"])
async def test_a_tip_never_leads_off_the_site(asha: Browser, next_: str) -> None:
    page = await asha.open("/billing")
    after = await page.submit("tip-form", next=next_)
    assert after.path == "/help"


async def test_a_tip_that_does_not_exist_is_not_found(asha: Browser) -> None:
    token = await asha.csrf()
    assert (await asha.post("/help/tips/nonsense", {"csrf": token, "next": "/"})).status == 404


async def test_each_thing_that_needs_us_opens_its_own_form(asha: Browser) -> None:
    page = await asha.open("/help")
    for address in page.html.xpath("//section[@aria-labelledby='needs-heading']//a/@href"):
        assert (await asha.open(address)).path.startswith("/account/requests/new/")
