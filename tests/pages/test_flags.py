"""With everything switched off that can be, no page leads to what is gone."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from selfcare import flags
from selfcare.demo import people
from selfcare.identity.permissions import TABLE
from tests.pages.test_every_page import MOST_PAGES, followed
from tests.pages.test_permissions import handlers
from tests.support.browser import Browser
from tests.support.site import running, settings_for

PERSONS = {person.key: person for person in people.EVERYBODY}


@pytest.mark.parametrize("person", ["visitor", "asha", "bloom", "admin"])
async def test_no_link_and_no_form_leads_to_a_feature_that_is_off(demo_url: str, person: str) -> None:
    off = ",".join(f"-{name}" for name in sorted(flags.KNOWN))
    async with running(settings_for(demo_url, SELFCARE_FLAGS=off)) as app:
        gone = [
            re.compile(
                re.sub(r"{\w+(?::\w+)?}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")) + r"\Z"
            )
            for path, handler in handlers(app)
            if TABLE[handler.name or ""].flag
        ]
        browser = Browser(app, name=person)
        if person != "visitor":
            await browser.sign_in(PERSONS[person].email)
        waiting, seen, found = ["/", "/help", "/sign-in"], set(), []
        while waiting and len(seen) < MOST_PAGES:
            path = waiting.pop(0)
            if path in seen:
                continue
            seen.add(path)
            page = await browser.open(path)
            if not page.headers.get("content-type", "").startswith("text/html"):
                continue
            targets = [*page.html.xpath("//a/@href"), *page.html.xpath("//form/@action")]
            found += [
                f"{path} → {target}" for target in targets if any(one.match(urlsplit(target).path) for one in gone)
            ]
            waiting += [link for link in page.html.xpath("//a/@href") if followed(link)]
        await browser.close()
    assert len(seen) >= 3
    assert sorted(set(found)) == []
