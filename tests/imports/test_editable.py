"""The settings a product lists: read as docs/import.md says, and refused with a sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from selfcare.demo.catalogue import INTERNET_SETTINGS, LINE_SETTINGS
from selfcare.imports.columns import Wrong, editable

GOOD: dict[str, Any] = {"key": "voicemail", "label": "Voicemail", "type": "choice", "choices": ["On", "Off"]}


@pytest.mark.parametrize("listed", [[], [GOOD], LINE_SETTINGS, INTERNET_SETTINGS])
def test_a_list_of_settings_is_taken_as_it_is(listed: Any) -> None:
    assert json.loads(editable(json.dumps(listed))) == list(listed)


@pytest.mark.parametrize(
    ("listed", "says"),
    [
        ("voicemail;barring", "is no JSON"),
        ("{}", "expected a JSON list"),
        (["voicemail"], "each setting is an object"),
        ([{"key": "a", "label": "A"}], "with key, label and type"),
        ([GOOD | {"colour": "red"}], "a setting has no"),
        ([GOOD | {"type": "colour"}], "is not known"),
        ([GOOD | {"choices": ["On"]}], "two choices or more"),
        ([GOOD | {"choices": ["On", 1]}], "choices of a setting cannot be"),
        ([GOOD | {"price": -1}], "price of a setting cannot be"),
        ([GOOD | {"price": True}], "price of a setting cannot be"),
        ([GOOD | {"label": ""}], "needs a key and a label"),
        ([GOOD, GOOD | {"label": "Other"}], "two settings have the same key"),
        ([GOOD, GOOD | {"key": "other"}], "two settings have the same label"),
        ([{"key": "n", "label": "N", "type": "whole", "most": 0}], "needs least and most"),
        ([{"key": "n", "label": "N", "type": "host", "choices": ["a", "b"]}], "no other setting has any"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(listed: Any, says: str) -> None:
    with pytest.raises(Wrong, match=says):
        editable(listed if isinstance(listed, str) else json.dumps(listed))
