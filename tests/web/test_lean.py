from __future__ import annotations

from gettext import NullTranslations
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError, nodes
from markupsafe import Markup

from selfcare import places
from selfcare.kernel import words
from selfcare.web.lean import LeanEnvironment, install_words
from selfcare.web.templating import KEPT, Templates

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
    "{{ row.name }}{{ row.items()|list|length }}{{ row.gone is defined }}",
    "{{ thing.gone|default('none') }}{{ rows[0].name }}",
    "{% for each in rows if each.name %}{{ each.name }}{{ each.name.upper().lower() }}{% endfor %}",
    "{{ thing.gone is defined }}",
    "{{ thing.method(1, b=2) }}{{ thing(3) }}{{ bad.upper() }}{{ range(3)|list }}{{ dict(a=1) }}",
]


class Thing:
    def method(self, a: int, b: int) -> int:
        return a + b

    def __call__(self, a: int) -> str:
        return f"<{a}>"


ROW = {"name": "<b>"}
VALUES: dict[str, Any] = {
    "row": ROW,
    "rows": [ROW, {"name": ""}],
    "bad": "<i>&'",
    "thing": Thing(),
    "shout": lambda text: text + "!",
}


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


def test_an_attribute_that_is_not_there_is_an_error() -> None:
    lean = environment(LeanEnvironment)
    with pytest.raises(AttributeError):
        lean.from_string("{{ thing.gone }}").render(VALUES)
    with pytest.raises(UndefinedError):
        lean.from_string("{{ row.gone }}").render(VALUES)
    with pytest.raises(UndefinedError):
        lean.from_string("{{ nothing.gone is defined }}").render(VALUES)


@pytest.mark.parametrize("call", ["box()", "box(1, 2, 3)", "box(1, colour=2)", "box(1, caller=2)"])
def test_a_macro_called_wrongly_fails_as_with_jinja_itself(call: str) -> None:
    text = "{% from 'macros.html' import box %}{{ " + call + " }}"
    for kind in (LeanEnvironment, Environment):
        with pytest.raises((TypeError, UndefinedError)):
            environment(kind).from_string(text).render()


SAYING = "{% macro say(x, y=none) %}{{ _('Hello') }} {{ x if x is string else x|join }} {{ y }}{% endmacro %}"


@pytest.fixture
def say() -> Any:
    lean = LeanEnvironment(loader=DictLoader({"m": SAYING}), autoescape=True, kept={"m": ("say",)})
    install_words(lean)
    return lean.get_template("m").module.say  # type: ignore[attr-defined]


def test_what_a_macro_remembers_depends_on_the_kind_of_each_argument(say: Any) -> None:
    asked: list[tuple[Any, ...]] = [("<b>",), (Markup("<b>"),), ("x", 1), ("x", True), ("x", "1"), (["a", "<"],)]
    answers = [say(*each) for each in asked]
    assert answers == [say(*each) for each in asked]
    assert answers[0] == "Hello &lt;b&gt; None"
    assert answers[1] == "Hello <b> None"
    assert answers[2:5] == ["Hello x 1", "Hello x True", "Hello x 1"]
    assert answers[5] == "Hello a&lt; None"


def test_what_a_macro_remembers_depends_on_the_names_of_its_arguments(say: Any) -> None:
    assert say("a", y="b") == say("a", "b") == "Hello a b"
    assert say(x="b", y="a") == "Hello b a"
    assert say(y="b", x="a") == "Hello a b"


def test_what_a_macro_remembers_depends_on_the_language(say: Any) -> None:
    class Welsh(NullTranslations):
        def gettext(self, message: str) -> str:
            return "Helo"

    assert say("x") == "Hello x None"
    words.use(Welsh())
    try:
        assert say("x") == "Helo x None"
    finally:
        words.use(None)
    assert say("x") == "Hello x None"


def test_a_list_that_changes_is_not_answered_as_before(say: Any) -> None:
    letters = ["a"]
    before = say(letters)
    letters.append("b")
    assert (before, say(letters)) == ("Hello a None", "Hello ab None")


def test_objects_are_never_remembered(say: Any) -> None:
    class Count(str):
        n = 0

        def __str__(self) -> str:
            Count.n += 1
            return str(Count.n)

    one = Count()
    assert say("x", one) != say("x", one)


def test_a_macro_forgets_before_it_fills_the_memory(say: Any) -> None:
    for n in range(1200):
        assert say("x", n) == f"Hello x {n}"
    assert len(say._answers) <= 500


@pytest.mark.parametrize("file", KEPT)
def test_macros_that_remember_exist_and_ask_no_clock_and_no_token(file: str) -> None:
    environment = Templates(places.folder("templates")).environment
    assert environment.loader is not None
    source, _name, _fresh = environment.loader.get_source(environment, file)
    macros = {macro.name: macro for macro in environment.parse(source).find_all(nodes.Macro)}
    for name in KEPT[file]:
        assert not {each.name for each in macros[name].find_all(nodes.Filter)} & {"ago", "minutes_left"}
        assert not {each.name for each in macros[name].args} & {"csrf", "request_key"}
