from __future__ import annotations

import html5lib
import pytest
from jinja2 import UndefinedError
from lxml import html as lxml_html

from selfcare.messages.events import Message
from selfcare.messages.rendering import Removed
from selfcare.places import folder
from tests.messages.samples import CHANGES, STATES, UGLY, templates_of, ugly_values_of, values_of, words

EVERY = pytest.mark.parametrize("message", list(Message), ids=lambda message: message.value)


@EVERY
def test_every_message_has_its_three_templates(message: Message) -> None:
    assert all(place.is_file() for place in templates_of(message))


def test_no_templates_lie_about_for_messages_that_do_not_exist() -> None:
    places = {place.name for place in (folder("templates") / "messages").iterdir() if place.is_dir()}
    assert places == {message.value for message in Message}


@EVERY
def test_every_message_says_the_same_in_both_parts(message: Message) -> None:
    mail = words().render(message, values_of(message), name="Asha Rao")
    html5lib.HTMLParser(strict=True).parse(mail.html)
    page = lxml_html.fromstring(mail.html)
    read = " ".join(page.xpath("string(//body)").split())
    assert mail.text.startswith("Hello Asha Rao,\n\n")
    assert page.xpath("string(//title)") == mail.subject
    for paragraph in mail.text.split("\n\n"):
        for line in paragraph.splitlines():
            assert line.removesuffix(":") in read
    for unfinished in ("None", "%(", "{{", "Undefined", "  "):
        assert unfinished not in mail.text + mail.subject
    assert "!" not in mail.text


@EVERY
def test_links_lead_to_the_address_the_operator_set_and_nowhere_else(message: Message) -> None:
    mail = words("https://portal.other.example").render(message, values_of(message), name="Asha")
    links = lxml_html.fromstring(mail.html).xpath("//@href")
    assert links
    assert all(link.startswith("https://portal.other.example/") for link in links)
    in_text = [word for word in mail.text.split() if "://" in word]
    assert set(in_text) == set(links)


@EVERY
def test_ugly_values_break_nothing_and_smuggle_nothing(message: Message) -> None:
    mail = words().render(message, ugly_values_of(message), name=UGLY)
    html5lib.HTMLParser(strict=True).parse(mail.html)
    page = lxml_html.fromstring(mail.html)
    assert not page.xpath("//script")
    assert "\n" not in mail.subject
    assert "\r" not in mail.subject + mail.text
    assert len(mail.subject) <= 200
    assert "evil.example/pay" not in [word for word in mail.text.split() if "://" in word]
    assert "://evil" not in mail.text + mail.html
    assert "\u202e" not in mail.text + mail.html
    assert not [line for line in mail.text.splitlines() if line.startswith("Bcc:")]
    assert "49" not in mail.text
    assert "&lt;script&gt;" in mail.html
    assert "&lt;" not in mail.text


@EVERY
def test_a_value_that_is_missing_is_an_error_and_not_a_gap(message: Message) -> None:
    for name in message.required - {"failures"}:
        values = values_of(message)
        del values[name]
        with pytest.raises((UndefinedError, ValueError)):
            words().render(message, values)


@EVERY
def test_what_may_be_missing_may_be_missing(message: Message) -> None:
    values = {name: value for name, value in values_of(message).items() if name in message.required}
    mail = words().render(message, values)
    assert mail.text.startswith("Hello,\n")
    assert "None" not in mail.text


@EVERY
def test_the_copy_that_stays_holds_no_secret(message: Message) -> None:
    values = values_of(message) | dict.fromkeys(message.secret, Removed())
    copy = words().render(message, values, name="Asha")
    assert "SECRET" not in copy.text or message.secret == frozenset()
    if message.secret:
        assert "[this link was only in the mail]" in copy.text


@pytest.mark.parametrize(
    ("message", "change"), [(message, change) for message, changes in CHANGES.items() for change in changes]
)
def test_every_change_has_its_words(message: Message, change: str) -> None:
    assert words().render(message, values_of(message) | {"change": change}).text


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_a_request_has_its_words(state: str) -> None:
    assert words().render(Message.REQUEST_ANSWERED, values_of(Message.REQUEST_ANSWERED) | {"state": state}).text


def test_times_are_those_of_the_operators_clock() -> None:
    summer = values_of(Message.ACCOUNT_LOCKED) | {"until": values_of(Message.ACCOUNT_LOCKED)["until"]}
    assert words().render(Message.ACCOUNT_LOCKED, summer).subject == "Your sign-in is locked until 22 Nov 2026, 20:04"


@pytest.mark.parametrize(
    "path", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "/a\nb", ""]
)
def test_a_link_that_leaves_the_site_is_an_error(path: str) -> None:
    with pytest.raises(ValueError, match="path of this site"):
        words().render(Message.ACCOUNT_PASSWORD_RESET, values_of(Message.ACCOUNT_PASSWORD_RESET) | {"path": path})
