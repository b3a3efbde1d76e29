from contextvars import copy_context
from gettext import NullTranslations

from selfcare.kernel import words
from selfcare.kernel.errors import NotFound, Rejected, SelfcareError, Unavailable


class Shouting(NullTranslations):
    def gettext(self, message: str) -> str:
        return message.upper()

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return (singular if n == 1 else plural).upper()


def test_english_is_spoken_until_told_otherwise() -> None:
    assert words.gettext("Pay now") == "Pay now"
    assert words.ngettext("%(n)s bill", "%(n)s bills", 2) == "%(n)s bills"


def test_a_language_holds_in_its_own_context_only() -> None:
    def in_shouting() -> tuple[str, str]:
        words.use(Shouting())
        return words.gettext("Pay now"), NotFound().message

    assert copy_context().run(in_shouting) == ("PAY NOW", "WE COULD NOT FIND THAT PAGE.")
    assert words.gettext("Pay now") == "Pay now"


def test_errors_carry_words_for_the_person() -> None:
    assert Rejected("Too much.", "amount").field == "amount"
    assert isinstance(Unavailable(retry_after=9), SelfcareError)
    assert Unavailable(retry_after=9).retry_after == 9
    assert str(NotFound()) == NotFound().message == "We could not find that page."
