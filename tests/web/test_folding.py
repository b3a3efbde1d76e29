from __future__ import annotations

from gettext import NullTranslations
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup

from selfcare import places
from selfcare.kernel import words
from selfcare.web.lean import LeanEnvironment, install_words
from selfcare.web.templating import Templates
from tests.web.test_lean import FILES, TEXTS, VALUES

MORE = [
    "{{ _('Don\\'t <b>') }}{{ _('Don\\'t') ~ ' & ' ~ _('you') }}{{ _('It\\'s') ~ bad }}",
    "{{ (_('a & b'), bad)|join(' ') }}{{ {'x': _('it\\'s')}['x'] }}{{ _('it\\'s')|upper }}",
    "{{ _('%(a)s %% of %(a)s', a=bad) }}{{ _('%(n)d left', n=3) }}{{ _('%(x)s', x='<i>'|safe) }}",
    "{% trans a=bad, b=none %}{{ a }} isn't {{ b }}{% endtrans %}{% trans %}100% sure{% endtrans %}",
    "{% if _('yes') %}{{ [_('<'), 1] }}{% endif %}{{ _(bad) }}{{ _('%(a)s and more', **{'a': bad}) }}",
    "{% set x = _('Isn\\'t') %}{{ x }}{{ x ~ '&' }}{{ _('Name')|default('none') }}{{ _('y<') if bad else '' }}",
]


class Upper(NullTranslations):
    def gettext(self, message: str) -> str:
        return message.upper().replace("%(WHO)S", "%(who)s")


def folding(files: dict[str, str] | None = None, **options: Any) -> LeanEnvironment:
    lean = LeanEnvironment(
        loader=DictLoader(files or FILES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        **{"language": NullTranslations(), "auto_reload": False} | options,
    )
    install_words(lean)
    return lean


@pytest.mark.parametrize("text", TEXTS + MORE)
def test_pages_read_the_same_as_with_jinja_itself(text: str) -> None:
    plain = Environment(
        loader=DictLoader(FILES), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    plain.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    assert folding().from_string(text).render(VALUES) == plain.from_string(text).render(VALUES)


def test_words_are_said_in_the_language_of_the_environment() -> None:
    lean = folding(language=Upper())
    text = "{{ _('Hello') }} {% trans who=bad %}dear {{ who }}{% endtrans %}"
    assert lean.from_string(text).render(VALUES) == "HELLO DEAR &lt;i&gt;&amp;&#39;"


def test_templates_speak_the_language_of_the_moment() -> None:
    templates = Templates(places.folder("templates"))
    english = templates.environment.from_string("{{ _('Sign out') }}").render()
    words.use(Upper())
    try:
        other = templates.environment.from_string("{{ _('Sign out') }}").render()
    finally:
        words.use(None)
    assert (english, other) == ("Sign out", "SIGN OUT")
    assert templates.environment.from_string("{{ _('Sign out') }}").render() == "Sign out"


def test_words_that_cannot_be_filled_fail_when_the_page_is_made() -> None:
    compiled = folding().from_string("{{ _('%(missing)s') }}")
    with pytest.raises((KeyError, TypeError)):
        compiled.render()
    with pytest.raises(UndefinedError):
        folding().from_string("{{ _('Hello %(who)s', who=nobody) }}").render()


CALLS = """{% import "kept.html" as kept %}{% from "kept.html" import say as tell %}
{{ kept.say("a&b") }}{{ tell("x", loud=true) }}{{ tell(bad) }}{{ kept.other("c") }}"""
KEPT = {
    "kept.html": "{% macro say(what, loud=false) %}<b>{{ what }}{{ '!' if loud }}{{ count() }}</b>{% endmacro %}"
    "{% macro other(what) %}{{ what }}{{ count() }}{% endmacro %}"
}


def counted(**options: Any) -> tuple[list[int], LeanEnvironment]:
    asked: list[int] = []
    lean = folding(KEPT, kept={"kept.html": ("say",)}, **options)
    lean.globals["count"] = lambda: asked.append(1) or ""
    return asked, lean


def test_a_macro_that_remembers_is_asked_once_for_all_pages_where_its_arguments_stand_in_the_template() -> None:
    asked, lean = counted()
    template = lean.from_string(CALLS)
    assert len(asked) == 2
    page = template.render(VALUES)
    assert page.split() == ["<b>a&amp;b</b><b>x!</b><b>&lt;i&gt;&amp;&#39;</b>c"]
    assert len(asked) == 4
    assert template.render(VALUES) == page
    # The macro with a value of the page remembers by itself; the one that remembers nothing is asked again.
    assert len(asked) == 5


def test_while_templates_may_change_nothing_of_other_files_is_written_into_them() -> None:
    asked, lean = counted(auto_reload=True)
    template = lean.from_string(CALLS)
    assert asked == []
    assert "<b>a&amp;b</b>" in template.render(VALUES)


def test_the_safe_and_the_unsafe_stay_apart() -> None:
    lean = folding()
    assert lean.from_string("{{ box }}{{ _('<b>') }}").render(box="<b>") == "&lt;b&gt;<b>"
    assert lean.from_string("{{ box }}{{ _('<b>') }}").render(box=Markup("<b>")) == "<b><b>"
