"""What nobody types by accident, in every field that opens something: an answer in words, never a 500."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from selfcare.app import Application
from selfcare.demo import people
from tests.support.browser import Browser
from tests.support.mail import link_in, mails_to
from tests.support.second_step import set_up

UGLY = {
    "fifty thousand characters": "Aa1!" * 12_500,
    "a million bytes": "Aa1!" * 250_000,
    "wide digits": "\uff11\uff12\uff13\uff14\uff15\uff16",
    "right to left": "\u202e\u2066pa\u0301ss",
    "lines and headers": "Aa1!aaaa\r\nBcc: x@example.test\r\n\r\n<b>",
    "a template": "{{ 7 * 7 }}{% raw %}${jndi:ldap://x}%00%0d%0a",
    "only spaces": " " * 40,
    "an emoji with parts": "\U0001f469\u200d\U0001f469\u200d\U0001f466" * 30,
}
RAW = {"NUL": b"%00", "a lone surrogate": b"%ED%A0%80", "no UTF-8": b"%FF%FE", "an open escape": b"%"}
FORMS = [
    ("/sign-in", ("email", "password")),
    ("/sign-in/forgot", ("email",)),
    ("/sign-up/number", ("phone", "email")),
    ("/sign-up/code", ("code",)),
    ("/sign-up/new", ("email",)),
]
OWN_FORMS = [
    ("/sign-in/prove", ("password", "code")),
    ("/account/password", ("current_password", "new_password")),
    ("/account/name", ("name",)),
    ("/account/phone", ("phone",)),
    ("/account/email", ("email",)),
    ("/account/people/invite", ("email", "role", "lines")),
    ("/account/preferences", ("zone", "theme", "language")),
    ("/account/security/app", ("code", "ticket")),
]


async def test_a_visitor_who_types_it_gets_an_answer(visitor: Browser) -> None:
    for path, fields in FORMS:
        token = await visitor.csrf(path)
        for name, text in UGLY.items():
            answer = await visitor.post(path, {"csrf": token} | dict.fromkeys(fields, text))
            assert answer.status in (413, 422), (path, name, answer.status)


@pytest.mark.parametrize("name", ["a million bytes", "fifty thousand characters", "lines and headers", "a template"])
async def test_somebody_signed_in_gets_an_answer_and_nothing_is_changed(
    app: Application, asha: Browser, name: str
) -> None:
    text = UGLY[name]
    for path, fields in OWN_FORMS:
        token = await asha.csrf("/account/security")
        answer = await asha.post(path, {"csrf": token} | dict.fromkeys(fields, text), follow=False)
        harmless = path == "/account/name" and answer.status == 303
        assert answer.status in (413, 422) or harmless or _back(answer.headers.get("location", "")), path
    assert "Bcc" not in str([mail.source for mail in await mails_to(app, "asha@example.test")])
    assert (await asha.open("/account")).status == 200


@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
async def test_bytes_that_are_no_text_are_refused(visitor: Browser, raw: bytes) -> None:
    token = quote(await visitor.csrf("/sign-in"))
    body = f"csrf={token}&email=asha%40example.test&password=".encode() + raw
    answer = await visitor.client.post(
        "/sign-in",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"},
    )
    assert answer.status_code in (400, 422)


async def test_as_the_second_step_it_opens_nothing(asha: Browser, visitor: Browser) -> None:
    await set_up(asha)
    page = await visitor.sign_in("asha@example.test")
    assert page.path == "/sign-in/code"
    token = page.form("code-form").xpath("string(.//input[@name='csrf']/@value)")
    for path, field in (("/sign-in/code", "code"), ("/sign-in/backup-code", "backup_code")):
        for name in ("a million bytes", "wide digits"):
            assert (await visitor.post(path, {"csrf": token, field: UGLY[name]})).status in (413, 422), (path, name)


async def test_an_ugly_name_stays_one_line_of_every_mail(app: Application, asha: Browser) -> None:
    name = "Asha <b>Patel</b> \u202ehttps://evil.example/ " + "x" * 40
    await (await asha.open("/account/name")).submit("name-form", name=name)
    await (await asha.open("/account/people/invite")).submit("invite-form", email="new@example.test", role="viewer")
    (mail,) = await mails_to(app, "new@example.test")
    assert "\n" not in mail.subject
    assert "https://evil" not in mail.subject + mail.text + mail.html
    assert "<b>Patel" not in mail.html
    assert await link_in(app, "new@example.test", "invites you")


async def test_a_link_for_one_thing_opens_no_other(app: Application, asha: Browser, visitor: Browser) -> None:
    await (await asha.open("/account/people/invite")).submit("invite-form", email="new@example.test", role="viewer")
    await (await visitor.open("/sign-in/forgot")).submit("forgot-form", email=people.CHIDI.email)
    tokens = [
        (await link_in(app, "new@example.test", "invites you")).partition("token=")[2],
        (await link_in(app, people.CHIDI.email, "password")).partition("token=")[2],
    ]
    doors = (
        "/account/invitation",
        "/sign-in/reset",
        "/account/email/confirm",
        "/account/email/cancel",
        "/sign-up/finish",
    )
    opened = {
        (door, number): (await visitor.open(f"{door}?token={token}")).status
        for door in doors
        for number, token in enumerate(tokens)
    }
    assert [where for where, status in opened.items() if status == 200] == [
        ("/account/invitation", 0),
        ("/sign-in/reset", 1),
    ]


def _back(location: str) -> bool:
    """Led away without having acted: to a fresh page, or out after too many wrong proofs."""
    return location.startswith(("/account/security", "/sign-in"))
