"""Every event a customer may see has a sentence."""

from __future__ import annotations

from selfcare.audit.events import Event
from selfcare.portal.activity.words import sentences, without_words


def test_no_event_is_without_words() -> None:
    assert without_words() == set()


def test_no_sentence_is_about_an_event_that_does_not_exist() -> None:
    assert sentences().keys() <= {event.value for event in Event}
