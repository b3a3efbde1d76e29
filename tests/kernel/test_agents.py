"""Browsers by the names people know."""

from __future__ import annotations

import pytest

from selfcare.kernel import agents

ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Mobile"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0"


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        (f"{ANDROID} Safari/537.36", "Chrome on Android"),
        (IPHONE, "Safari on iPhone"),
        (EDGE, "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 CriOS/143 Safari/604", "Chrome on Mac"),
        ("Mozilla/5.0 (Linux; Android 14) SamsungBrowser/27.0 Chrome/125.0", "Samsung Internet on Android"),
        ("curl/8.5.0", "curl"),
        ("<script>alert(1)</script>", "Another browser"),
        ("", ""),
    ],
)
def test_a_browser_is_named(sent: str, name: str) -> None:
    assert agents.named(sent) == name


@pytest.mark.parametrize(
    ("sent", "said"), [(IPHONE, "Safari on iPhone"), ("", "an unknown device"), ("Mallory/1.0", "an unknown device")]
)
def test_a_sentence_never_quotes_what_a_browser_calls_itself(sent: str, said: str) -> None:
    assert agents.within_a_sentence(sent) == said
