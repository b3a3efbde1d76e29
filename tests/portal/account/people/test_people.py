"""Who looks after an account: invited, accepted, changed, removed; and changing between accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import insert_many
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.identity.tables import Membership, User
from selfcare.kernel import clock, ids
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to

NEW = "newcomer@example.test"
PASSWORD = "Brand-New-77!"
SWITCH = "//main//form[@action='/account/switch']"
BEN = fixed("membership/ben")
ASHA = fixed("membership/asha")


async def invite(browser: Browser, email: str = NEW, **fields: str) -> Page:
    page = await browser.open("/account/people/invite")
    return await page.submit("invite-form", email=email, **({"role": "viewer"} | fields))


async def change(browser: Browser, member: object, **fields: object) -> Page:
    page = await browser.open(f"/account/people/{member}")
    return await page.submit("member-form", **fields)


async def remove(browser: Browser, member: object) -> Page:
    return await (await browser.open(f"/account/people/{member}")).submit("remove-form")


async def test_somebody_new_accepts_with_a_name_and_a_password(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    listed = await invite(asha)
    assert listed.path == "/account/people"
    assert NEW in listed.text
    link = await link_in(app, NEW, "invites you")
    page = await visitor.open(link)
    assert "token" not in page.path
    assert "Asha Patel invites you to look after Asha Patel, as Viewer." in page.text
    done = await page.submit("join-form", name="Nia Newcomer", new_password=PASSWORD)
    assert done.status == 200
    inside = await visitor.sign_in(NEW, PASSWORD)
    assert inside.path == "/"
    assert "Internet - 14 Larch Road" in inside.text
    people_page = await asha.open("/account/people")
    assert "Nia Newcomer" in people_page.text
    assert "Invited" not in people_page.text
    assert any("People of Asha Patel" in mail.subject for mail in await mails_to(app, "asha@example.test"))


async def test_somebody_known_signs_in_and_accepts(app: Application, asha: Browser, visitor: Browser) -> None:
    await invite(asha, "Chidi@Example.test", role="payer")
    page = await visitor.open(await link_in(app, "chidi@example.test", "invites you"))
    signing_in = await visitor.open(page.one("//main//a[contains(., 'Sign in')]").get("href"))
    page = await signing_in.submit("sign-in-form", email="chidi@example.test", password=people.PASSWORD)
    assert page.path == "/account/invitation"
    inside = await page.submit("accept-form")
    assert inside.path == "/"
    assert "Asha Patel 100201" in inside.text


async def test_weak_passwords_and_missing_names_are_told_beside_the_field(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await invite(asha)
    page = await visitor.open(await link_in(app, NEW, "invites you"))
    again = await page.submit("join-form", name="Nia", new_password="abc")
    assert again.status == 422
    assert "8 characters" in again.error("new_password")
    assert again.field("name").value == "Nia"
    nameless = await again.submit("join-form", name=" ", new_password=PASSWORD)
    assert "Fill this in" in nameless.error("name")


async def test_a_link_works_once_and_seven_days(app: Application, asha: Browser, visitor: Browser) -> None:
    await invite(asha)
    link = await link_in(app, NEW, "invites you")
    page = await visitor.open(link)
    await page.submit("join-form", name="Nia", new_password=PASSWORD)
    assert (await visitor.open(link)).status == 404
    await invite(asha, "late@example.test")
    late = await link_in(app, "late@example.test", "invites you")
    clock.travel_by(timedelta(days=7))
    assert (await visitor.open(late)).status == 404


@pytest.mark.parametrize("token", ["x", "%00", "é", "日本", "x;Domain=evil.example", "x%0d%0aX-Evil:1", "A" * 5000])
async def test_a_mangled_link_is_not_found(visitor: Browser, token: str) -> None:
    page = await visitor.open(f"/account/invitation?token={token}", follow=False)
    assert page.status == 303
    (cookie,) = [value for value in page.headers.get_list("set-cookie") if "link=" in value]
    assert "evil" not in cookie.lower()
    assert (await visitor.open("/account/invitation")).status == 404


async def test_a_withdrawn_link_is_dead(app: Application, asha: Browser, visitor: Browser, chidi: Browser) -> None:
    page = await invite(asha)
    link = await link_in(app, NEW, "invites you")
    action = page.one("//form[contains(@action, '/withdraw')]/@action")
    assert (await chidi.post(str(action), {"csrf": await chidi.csrf()})).status == 404
    assert (await visitor.open(link)).status == 200
    await asha.post(str(action), {"csrf": await asha.csrf()})
    assert (await visitor.open(link)).status == 404


async def test_a_new_invitation_takes_the_place_of_the_old(app: Application, asha: Browser, visitor: Browser) -> None:
    await invite(asha)
    old = await link_in(app, NEW, "invites you")
    await invite(asha, role="payer")
    assert (await visitor.open(old)).status == 404
    assert (await asha.open("/account/people")).text.count(NEW) == 1


async def test_another_persons_invitation_cannot_be_accepted(app: Application, asha: Browser, chidi: Browser) -> None:
    await invite(asha, "gwen@example.test")
    page = await chidi.open(await link_in(app, "gwen@example.test", "invites you"))
    assert "signed in as somebody else" in page.text
    assert (await chidi.post("/account/invitation", {"csrf": await chidi.csrf()})).status == 404


async def test_a_staff_sign_in_does_not_become_a_member(app: Application, asha: Browser, eli: Browser) -> None:
    await invite(asha, "eli@example.test")
    page = await eli.open(await link_in(app, "eli@example.test", "invites you"))
    assert (await page.submit("accept-form")).status == 403


async def test_a_member_is_not_invited_again(asha: Browser) -> None:
    page = await invite(asha, "BEN@example.test")
    assert page.status == 422
    assert "belongs to this account already" in page.error("email")
    assert page.field("email").value == "BEN@example.test"


@pytest.mark.parametrize(
    ("field", "fields"),
    [("email", {"email": "nobody"}), ("role", {"role": "king"}), ("email", {"email": "a@b.test\r\nBcc: x@y.test"})],
)
async def test_what_makes_no_sense_is_refused(asha: Browser, field: str, fields: dict[str, str]) -> None:
    page = await invite(asha, **fields)
    assert page.status == 422
    assert page.html.xpath(f"//*[@role='alert']//a[@href='#{field}']")


async def test_a_line_user_gets_lines_of_this_customer_only(asha: Browser) -> None:
    none = await invite(asha, role="user")
    assert none.html.xpath("//*[@id='lines-error']")
    foreign = await invite(asha, role="user", lines=str(people.CHIDI_MOBILE))
    assert foreign.status == 422
    assert (await invite(asha, role="user", lines=str(people.ASHA_MOBILE))).path == "/account/people"


async def test_a_new_role_counts_from_the_next_click(asha: Browser, ben: Browser) -> None:
    assert (await ben.open("/billing")).status == 200
    await change(asha, BEN, role="user", lines=str(people.ASHA_MOBILE))
    assert (await ben.open("/billing")).status == 404
    assert len((await ben.open("/")).html.xpath("//article")) == 1


async def test_a_removed_persons_sign_ins_end_and_the_next_one_finds_nothing(
    app: Application, asha: Browser, ben: Browser
) -> None:
    assert (await remove(asha, BEN)).path == "/account/people"
    assert (await ben.open("/")).path.startswith("/sign-in")
    assert (await ben.sign_in("ben@example.test")).status == 403
    assert (await ben.open("/billing")).status == 404
    assert await AuditEvent.count().where(AuditEvent.event == "account.person_removed") == 1
    assert any("were changed" in mail.subject for mail in await mails_to(app, "ben@example.test"))


async def test_the_last_owner_stays(asha: Browser) -> None:
    refused = await change(asha, ASHA, role="viewer")
    assert refused.status == 422
    assert "only owner" in refused.text
    refused = await remove(asha, ASHA)
    assert refused.status == 422
    assert "only owner" in refused.text
    await change(asha, BEN, role="owner")
    assert (await remove(asha, ASHA)).status == 403, "now she may go, and is out"


async def test_an_owner_who_cannot_sign_in_does_not_count(asha: Browser) -> None:
    await change(asha, BEN, role="owner")
    async with transaction():
        await User.update({User.disabled_at: clock.now()}).where(User.id == people.BEN.id)
    assert (await remove(asha, ASHA)).status == 422


async def test_only_owners_see_the_people(ben: Browser, gwen: Browser, femi: Browser) -> None:
    for browser in (ben, gwen, femi):
        assert (await browser.open("/account/people")).status == 404


async def test_a_strangers_people_are_not_found(chidi: Browser) -> None:
    assert (await chidi.open(f"/account/people/{BEN}")).status == 404
    token = await chidi.csrf()
    for path in (f"/account/people/{BEN}", f"/account/people/{BEN}/remove"):
        assert (await chidi.post(path, {"csrf": token, "role": "owner"})).status == 404


async def test_an_old_proof_is_asked_for_again(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=11))
    assert (await asha.open("/account/people")).status == 200
    for path in ("/account/people/invite", f"/account/people/{BEN}"):
        assert (await asha.open(path)).path.startswith("/sign-in/prove")


async def test_the_number_of_statements_does_not_grow(asha: Browser) -> None:
    await asha.open("/account/people")
    with counting() as few:
        await asha.open("/account/people")
    new = [ids.new_id() for _ in range(20)]
    now = clock.now()
    async with transaction():
        known = {"language": "en", "theme": "system", "created_at": now}
        await insert_many(User, [{"id": id, "email": f"{id}@example.test"} | known for id in new])
        about = {"customer_id": people.PATEL.id, "role": "viewer", "accepted_at": now}
        await insert_many(Membership, [{"id": ids.new_id(), "user_id": id} | about for id in new])
    with counting() as many:
        page = await asha.open("/account/people")
    assert len(page.html.xpath("//li[starts-with(@id, 'member-')]")) == 22
    assert few.total == many.total


async def test_one_person_changes_between_accounts(gwen: Browser) -> None:
    page = await gwen.open("/account/switch")
    assert "Bloom Ltd 200100" in page.text
    form = page.one(SWITCH)
    assert (await gwen.open(f"/services/{people.CHIDI_MOBILE}")).status == 404
    fields = {each.get("name"): each.get("value") for each in form.xpath(".//input")}
    inside = await gwen.post("/account/switch", fields)
    assert inside.path == "/"
    assert "Chidi Okoro 100202" in inside.text
    assert (await gwen.open(f"/services/{people.CHIDI_MOBILE}")).status == 200
    assert (await gwen.open(f"/services/{people.bloom_service(1)}")).status == 404


async def test_something_of_another_own_account_offers_to_change(gwen: Browser, asha: Browser) -> None:
    lost = await gwen.open(f"/services/{people.CHIDI_MOBILE}")
    assert lost.status == 404
    offer = await gwen.open(lost.one("//a[contains(., 'Change account')]").get("href"))
    fields = {each.get("name"): each.get("value") for each in offer.one(SWITCH).xpath(".//input")}
    assert (await gwen.post("/account/switch", fields)).path == f"/services/{people.CHIDI_MOBILE}"
    assert "Change account" not in (await asha.open(f"/services/{people.CHIDI_MOBILE}")).text


@pytest.mark.parametrize("customer", [str(people.PATEL.id), "01900000-0000-7000-8000-000000000000"])
async def test_nobody_changes_to_a_strangers_account(gwen: Browser, customer: str) -> None:
    token = await gwen.csrf("/account/switch")
    assert (await gwen.post("/account/switch", {"csrf": token, "customer": customer})).status == 404
    assert "Bloom Ltd" in (await gwen.open("/")).text


async def test_whoever_is_removed_from_one_account_is_led_to_the_other(bloom: Browser, gwen: Browser) -> None:
    await remove(bloom, fixed("membership/gwen"))
    assert (await gwen.open("/")).path.startswith("/sign-in")
    page = await gwen.sign_in("gwen@example.test")
    assert page.path == "/"
    assert "Chidi Okoro" in page.text


async def test_whoever_leaves_one_account_is_led_to_the_other(bloom: Browser, gwen: Browser) -> None:
    await change(bloom, fixed("membership/gwen"), role="owner")
    page = await remove(gwen, fixed("membership/gwen"))
    assert page.path == "/account/switch"
    assert "Chidi Okoro" in page.text


async def test_a_sign_in_about_another_account_survives_a_removal(bloom: Browser, gwen: Browser) -> None:
    offer = await gwen.open("/account/switch")
    fields = {each.get("name"): each.get("value") for each in offer.one(SWITCH).xpath(".//input")}
    await gwen.post("/account/switch", fields)
    await remove(bloom, fixed("membership/gwen"))
    assert "Chidi Okoro" in (await gwen.open("/")).text
