"""What a stranger puts into a link never becomes a cookie's attribute or a header."""

from __future__ import annotations

import pytest

from selfcare.web.cookies import Cookies
from tests.support.browser import Browser

COOKIES = Cookies(secure=True)


@pytest.mark.parametrize("value", ["x; Domain=evil.example", "x\r\nX-Evil: 1", "x,y", "日本", "\x00", "a b", "x\n"])
def test_what_is_no_token_of_ours_is_left_out(value: str) -> None:
    assert COOKIES.set("n", value) == "n=; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_our_own_tokens_are_kept() -> None:
    assert COOKIES.set("n", "Az09_-.~").startswith("n=Az09_-.~;")


@pytest.mark.parametrize("path", ["/sign-in/reset", "/account/email/confirm", "/account/email/cancel"])
@pytest.mark.parametrize("token", ["x;Domain=evil.example", "x%0d%0aX-Evil:1", "%E6%97%A5"])
async def test_a_mangled_link_is_simply_dead(visitor: Browser, path: str, token: str) -> None:
    first = await visitor.open(f"{path}?token={token}", follow=False)
    assert first.status == 303
    assert not any("evil" in value.lower() for value in first.headers.get_list("set-cookie"))
    assert (await visitor.open(path)).status == 404
