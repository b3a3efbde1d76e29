"""/services/missing: where a number is, among the accounts of this person."""

from __future__ import annotations

from selfcare.demo import people
from tests.support.browser import Browser


async def look(browser: Browser, number: str) -> str:
    page = await (await browser.open("/services/missing")).submit("missing-form", number=number)
    return page.text


async def test_the_list_leads_to_it(asha: Browser) -> None:
    assert (await asha.open("/services")).has_link("/services/missing")


async def test_a_number_of_this_account_is_opened(asha: Browser) -> None:
    page = await asha.open("/services/missing?number=07700+900123")
    assert page.has_link(f"/services/{people.ASHA_MOBILE}")


async def test_a_number_of_another_account_of_mine_leads_to_the_change(gwen: Browser) -> None:
    page = await (await gwen.open("/services/missing")).submit("missing-form", number=people.CHIDI.phone)
    assert f"is in your other account, {people.OKORO.name}" in page.text
    assert page.has_link("/account/switch")


async def test_a_line_i_was_not_let_in_for_names_the_owner_only(femi: Browser) -> None:
    text = await look(femi, "07700 900411")
    assert "you were let in for other lines only" in text
    assert "Hana Bloom" not in text


async def test_somebody_elses_number_looks_like_one_that_does_not_exist(chidi: Browser) -> None:
    mine = (await look(chidi, "07700 900123")).replace("+44 7700 900123", "N")
    none = (await look(chidi, "07700 900999")).replace("+44 7700 900999", "N")
    cut = "Why it may not be here"
    assert mine[mine.index("is in none") : mine.index(cut)] == none[none.index("is in none") : none.index(cut)]


async def test_a_bad_number_is_refused_beside_the_field_and_kept(asha: Browser) -> None:
    page = await (await asha.open("/services/missing")).submit("missing-form", number="12ab")
    assert page.status == 422
    assert page.field("number").value == "12ab"
    assert page.error("number")


async def test_a_number_that_is_nowhere_becomes_a_request(asha: Browser) -> None:
    page = await (await asha.open("/services/missing")).submit("missing-form", number="07700 900999")
    made = await page.submit("merge-form")
    assert made.path.startswith("/account/requests/")
    assert "+447700900999" in made.text
