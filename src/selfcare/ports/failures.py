"""The three ways in which a system outside says no. Adapters raise nothing else."""

from __future__ import annotations

from selfcare.kernel.errors import Rejected, SelfcareError, Unavailable


class Declined(Rejected):
    """It was asked and refused; asking again does not help."""


class Unreachable(Unavailable):
    """It did not get our question: nothing has happened there."""


class Unknown(SelfcareError):
    """It got our question and we do not know what it did. A state, not a failure: ask again, never do again."""
