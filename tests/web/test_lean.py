from __future__ import annotations

from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError

from selfcare.kernel import words
from selfcare.web.lean import LeanEnvironment, install_words

FILES = {
    "macros.html": """
        {% macro box(title, tone="calm") %}<b class="{{ tone }}">{{ title }}</b>{% endmacro %}
        {% macro wrap(tone) %}<p class="{{ tone }}">{{ caller() }}</p>{% endmacro %}
        {% macro twice(x) %}{{ box(x) }}{{ box(x, tone=x) }}{{ varargs|join("+") }}{{ kwargs|length }}{% endmacro %}
        {% macro keyed(a, b=2) %}{{ a }}{{ b }}{{ kwargs["class"] }}{% endmacro %}
        {% macro hands(n) %}<i>{{ caller(n) }}{{ caller(bad|default("none")) }}</i>{% endmacro %}
        {% macro nested(x) %}{% call wrap(tone=x) %}{{ box(x) }}
        {% call wrap("b") %}{{ x }}{% endcall %}{% endcall %}{% endmacro %}
    """,
    "base.html": "{% from 'macros.html' import box %}[{% block main %}{% endblock %}]{{ box('base') }}",
}
TEXTS = [
    "{{ _('Pay %(what)s & go', what=bad) }} {{ gettext('100%% <b>') }} {{ _('plain <b>') }}",
    "{% trans who=bad %}Hello {{ who }}, 100% & more{% endtrans %}",
    "{% trans n=3 %}one{% pluralize %}{{ n }} of them{% endtrans %} {{ ngettext('%(num)d day', '%(num)d days', 1) }}",
    "{% from 'macros.html' import box, twice %}{{ box(bad) }}{{ twice(bad, 1, 2, z=3) }}",
    "{% import 'macros.html' as m %}{% call m.wrap(tone=bad) %}in{{ bad }}{% endcall %}",
    "{% from 'macros.html' import box %}{% for x in [1, 2] %}{{ box(x) }}{{ loop.index }}{{ shout(bad) }}{% endfor %}",
    "{% extends 'base.html' %}{% from 'macros.html' import twice %}{% block main %}{{ twice(bad) }}{% endblock %}",
    "{% import 'macros.html' as m %}{{ m.box(*[bad], **{'tone': bad}) }}{{ m.keyed(bad, 7, class=bad) }}",
    "{% import 'macros.html' as m %}{{ m.nested(bad) }}{% call(x) m.hands(3) %}{{ x }}{{ bad }}{% endcall %}",
    "{{ 7 }}{{ 1.5 }}{{ none }}{{ true }}{{ bad|e }}{{ [bad, 1] }}{{ (bad ~ 1)|upper }}{{ bad|safe }}",
    "{{ _('%(a)s and %(b)d', a=bad, b=3) }}{{ _('Same %(a)s', a='<i>'|safe) }}{{ _('twice') }}{{ _('twice') }}",
    "{{ thing.method(1, b=2) }}{{ thing(3) }}{{ bad.upper() }}{{ range(3)|list }}{{ dict(a=1) }}",
]


class Thing:
    def method(self, a: int, b: int) -> int:
        return a + b

    def __call__(self, a: int) -> str:
        return f"<{a}>"


VALUES: dict[str, Any] = {"bad": "<i>&'", "thing": Thing(), "shout": lambda text: text + "!"}


def environment(kind: type[Environment]) -> Environment:
    return kind(loader=DictLoader(FILES), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"])


@pytest.mark.parametrize("text", TEXTS)
def test_pages_read_the_same_as_with_jinja_itself(text: str) -> None:
    lean, plain = environment(LeanEnvironment), environment(Environment)
    install_words(lean)
    plain.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    for _ in range(2):
        assert lean.from_string(text).render(VALUES) == plain.from_string(text).render(VALUES)


def test_an_undefined_name_is_still_an_error() -> None:
    lean = environment(LeanEnvironment)
    install_words(lean)
    with pytest.raises(UndefinedError):
        lean.from_string("{% from 'macros.html' import box %}{{ box(nothing) }}").render()
    with pytest.raises(UndefinedError):
        lean.from_string("{{ nothing() }}").render()


@pytest.mark.parametrize("call", ["box()", "box(1, 2, 3)", "box(1, colour=2)", "box(1, caller=2)"])
def test_a_macro_called_wrongly_fails_as_with_jinja_itself(call: str) -> None:
    text = "{% from 'macros.html' import box %}{{ " + call + " }}"
    for kind in (LeanEnvironment, Environment):
        with pytest.raises((TypeError, UndefinedError)):
            environment(kind).from_string(text).render()
