"""Errors that come out of another process as they went in."""

from __future__ import annotations

import pickle
from datetime import timedelta

import pytest

from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Rejected, SelfcareError, Unavailable
from selfcare.kernel.ids import new_id
from selfcare.portal.pay.payments import OnItsWay


@pytest.mark.parametrize(
    "error",
    [Rejected("No.", "amount"), Unavailable("Later.", 60), TooOften(timedelta(minutes=3)), OnItsWay(new_id())],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_whole_out_of_another_process(error: SelfcareError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.args, vars(again)) == (error.args, vars(error))
