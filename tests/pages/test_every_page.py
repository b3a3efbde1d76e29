"""Walks every GET route as each demo person, follows what the pages link to, and checks all that it sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from selfcare.app import Application
from selfcare.demo import people
from tests.pages import check, places
from tests.support.browser import Browser

# Beyond every pattern of address: a sample of what the pages link to.
MOST_MORE = 30
MOST_PAGES = 60
PERSONS = {person.key: person for person in people.EVERYBODY}


@pytest.mark.parametrize("person", ["visitor", *PERSONS])
async def test_every_page_is_whole(app: Application, person: str) -> None:
    browser = Browser(app, name=person)
    if person != "visitor":
        assert (await browser.sign_in(PERSONS[person].email)).status == 200
    routed = router_of(app)
    own = await places.own_ids(person)
    waiting = [path for pattern in get_paths(app) for path in filled(pattern, own)]
    most = len(waiting) + MOST_MORE
    seen: set[str] = set()
    found: list[str] = []
    while waiting and len(seen) < most:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        page = await browser.open(path)
        seen.add(page.path)
        if page.status >= 500:
            found.append(f"{person} {path}: {page.status}")
        elif page.headers.get("content-type", "").startswith("text/html"):
            found += check.problems(page, routed)
            if page.status == 200:
                waiting += [link for link in page.html.xpath("//a/@href") if followed(link)]
    await browser.close()
    assert len(seen) >= 8, "the walk saw next to nothing"
    assert not found, "\n".join(sorted(set(found))[:40])


async def test_no_link_on_a_page_is_dead(asha: Browser, bloom: Browser, chidi: Browser) -> None:
    dead = []
    for browser in (asha, bloom, chidi):
        waiting, seen = ["/"], set()
        while waiting and len(seen) < MOST_PAGES:
            path = waiting.pop(0)
            if path in seen:
                continue
            seen.add(path)
            page = await browser.open(path)
            if page.status >= 400:
                dead.append(f"{browser.name} {path}: {page.status}")
            elif page.headers.get("content-type", "").startswith("text/html"):
                waiting += [link for link in page.html.xpath("//a/@href") if followed(link)]
    assert not dead, "\n".join(dead[:40])


def get_paths(app: Application) -> list[str]:
    return sorted(
        route.path_format for route in app.inside.routes if "GET" in getattr(route, "methods", ()) and route.path_format
    )


def filled(pattern: str, own: dict[str, list[str]]) -> Iterator[str]:
    """The pattern with each own thing in it; a parameter we know no thing for gets a stranger's id."""
    names = re.findall(r"{(\w+)(?::\w+)?}", pattern)
    if not names:
        yield pattern
        return
    for one in (own.get(names[0]) or ["01900000-0000-7000-8000-000000000000"])[:2]:
        first = re.sub(r"{" + names[0] + r"(?::\w+)?}", one, pattern)
        yield re.sub(r"{\w+(?::\w+)?}", "01900000-0000-7000-8000-000000000000", first)


def router_of(app: Application) -> Callable[[str], bool]:
    """Whether some route answers a path, by any method."""
    patterns = [
        re.compile(re.sub(r"{\w+(?::\w+)?}", "[^/]+", re.sub(r"\.", r"\\.", route.path_format)) + r"\Z")
        for route in app.inside.routes
    ]

    def routed(url: str) -> bool:
        path = urlsplit(url).path
        return path.startswith("/static/") or any(pattern.match(path) for pattern in patterns)

    return routed


def followed(link: str) -> bool:
    """Pages of ours; not files, and nothing that a walk would press by accident."""
    return link.startswith("/") and not link.startswith("/static/") and not re.search(r"\.(csv|json|pdf|zip)\b", link)
