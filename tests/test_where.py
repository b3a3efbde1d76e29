from pathlib import Path
from uuid import UUID

import pytest
from litestar import Litestar, get, post
from litestar.params import FromPath

from selfcare import where


@get("/things/{thing_id:uuid}", name="things.show")
async def show(thing_id: FromPath[UUID]) -> str:
    return "sign_in/index"


@post("/things/{thing_id:uuid}", name="things.change")
async def change(thing_id: FromPath[UUID]) -> str:
    return ""


@get("/things/new", name="things.new")
async def new() -> str:
    return ""


@get("/", name="home")
async def home() -> str:
    return ""


APP = Litestar([show, change, new, home], openapi_config=None)


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("/things/x", {"things.show", "things.change"}),
        ("/things/0190/", {"things.show", "things.change"}),
        ("/things/new?page=2", {"things.new"}),
        ("/", {"home"}),
        ("/things", set()),
        ("/things/x/y", set()),
    ],
)
def test_a_url_leads_to_its_handlers(url: str, names: set[str]) -> None:
    assert {place.name for place in where.find(APP, url)} == names


def test_the_place_is_that_of_the_function_and_its_templates() -> None:
    [place] = [place for place in where.find(APP, "/things/x") if place.name == "things.show"]
    assert place.file == Path(__file__)
    assert Path(__file__).read_text().splitlines()[place.line - 1].startswith("async def show")
    assert [file.name for file in place.templates][:1] == ["index.html"]
    assert place.methods == "GET"
