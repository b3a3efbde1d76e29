from __future__ import annotations

import re

from selfcare.audit.events import PACKAGES, Event


def test_names_begin_with_their_feature_and_tell_what_has_happened() -> None:
    for event in Event:
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", event.value), event
        assert event.name == event.value.replace(".", "_").upper()
        assert len(event.value) <= 60


def test_no_event_may_carry_personal_data_or_secrets() -> None:
    allowed = {key for event in Event for key in event.allowed}
    assert not allowed & {"email", "phone", "password", "token", "code", "text", "card", "number", "pan", "address"}


def test_every_feature_that_acts_is_there() -> None:
    assert {"sign_in", "account", "services", "usage", "billing", "cards", "pay", "topup", "addons"} <= PACKAGES
    assert {"staff", "as", "feeds", "job", "settings"} <= PACKAGES
