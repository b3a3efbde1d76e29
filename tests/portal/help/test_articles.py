"""Which article answers what people type."""

from __future__ import annotations

import pytest

from selfcare.identity.permissions import TABLE
from selfcare.portal.help import texts
from selfcare.portal.help.article import search


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("my data is gone so fast", "data-faster"),
        ("puk", "puk"),
        ("a new password", "safe-account"),
        ("lost authenticator", "lost-second-step"),
        ("QR code", "esim"),
        ("roaming", "abroad"),
        ("cancel", "cancel-service"),
        ("CANCELLING a servise", "cancel-service"),
        ("money taken twice", "charged-but-failed"),
        ("download all bills", "all-bills"),
        ("give my number to somebody else", "transfer-service"),
    ],
)
def test_the_best_answer_comes_first(typed: str, first: str) -> None:
    assert search(typed, texts.everything())[0].slug == first


@pytest.mark.parametrize("typed", ["", "   ", "the of is", "xylophone", "%_'\";--", "🙂"])
def test_what_fits_nothing_finds_nothing(typed: str) -> None:
    assert search(typed, texts.everything()) == []


def test_every_article_has_an_address_of_its_own_and_leads_to_real_pages() -> None:
    articles = texts.everything()
    assert len({article.slug for article in articles}) == len(articles)
    routes = {route for article in articles for _words, route in article.links}
    assert routes <= TABLE.keys()


def test_the_usual_questions_are_all_answered() -> None:
    """Those of the brief, in its order."""
    assert [article.title for article in texts.asked_often()] == [
        "Why can't I see all my services?",
        "My payment failed but I was charged. What do I do?",
        "How do I cancel a service?",
        "Can I transfer a service to another person?",
        "Why is my data balance decreasing faster than expected?",
        "I lost my 2FA device. How do I regain access?",
        "Can I pay an invoice without logging in?",
        "How do I download all my invoices at once?",
    ]
