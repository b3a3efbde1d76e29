"""Jinja with what our pages do most made cheap: calling, importing macros, writing values and translating.

Where the language is known when a template is compiled, what says the same every time is written into it (`folding`).

The answers are the same; tests/web/test_lean.py compares them with Jinja's own. What is given up: functions that ask
Jinja for its context (`pass_context` and the like) cannot be called from a template, only used as filters.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from functools import partial
from gettext import NullTranslations
from types import NoneType
from typing import Any

import markupsafe
from jinja2 import Environment, Template, nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from jinja2.utils import missing
from markupsafe import Markup, escape

from selfcare.kernel import words
from selfcare.web.folding import Folding

_TEXTS_KEPT = 4096
_ANSWERS_KEPT = 500
# Makes a Markup of text that is fit for a page, without looking at it again.
_markup: Callable[[str], Markup] = partial(str.__new__, Markup)
# What `escape` does with text; its other half looks for objects that escape themselves.
_escape_text: Callable[[str], str] = markupsafe._escape_inner  # type: ignore[attr-defined]


class LeanCode(CodeGenerator):
    """Calls what a template calls directly, and takes attributes from objects as Python does: Jinja looks first whether
    what is called wants the context, and afterwards whether an object without the attribute has an item of that name.
    Only a dict is asked for its items; an attribute that is not there is an AttributeError.
    """

    @optimizeconst
    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        self.visit(node.node, frame)
        self.write("(")
        if node.dyn_args or node.dyn_kwargs or any(keyword.iskeyword(named.key) for named in node.kwargs):
            # A signature begins with a comma.
            self.write("*()")
            self.signature(node, frame)
            self.write(", ")
        else:
            for given in (*node.args, *node.kwargs):
                self.visit(given, frame)
                self.write(", ")
        self.write("caller=caller)" if forward_caller else ")")

    # Whether an attribute that is not there is to be found out about, and is no mistake.
    _asks = False

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        if self._asks or not node.attr.isidentifier() or keyword.iskeyword(node.attr):
            super().visit_Getattr(node, frame)
            return
        thing = self.temporary_identifier()
        self.write(f"({thing}.{node.attr} if type({thing} := ")
        self.visit(node.node, frame)
        self.write(f") is not dict else environment.getattr({thing}, {node.attr!r}))")

    def visit_Test(self, node: nodes.Test, frame: Frame) -> None:  # noqa: N802
        with self._asking(node.name in ("defined", "undefined")):
            super().visit_Test(node, frame)

    def visit_Filter(self, node: nodes.Filter, frame: Frame) -> None:  # noqa: N802
        with self._asking(node.name in ("default", "d")):
            super().visit_Filter(node, frame)

    @contextmanager
    def _asking(self, asks: bool) -> Iterator[None]:
        before, self._asks = self._asks, self._asks or asks
        try:
            yield
        finally:
            self._asks = before

    def visit_Const(self, node: nodes.Const, frame: Frame) -> None:  # noqa: N802
        if type(node.value) is Markup:
            self.write(f"constants[{_place_of(node.value)}]")
        else:
            super().visit_Const(node, frame)

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        """One piece for all that stands side by side, where Jinja hands every piece through all layers of a page."""
        if frame.require_output_check or frame.buffer is not None:
            super().visit_Output(node, frame)
            return
        pieces: list[str | nodes.Expr] = []
        for child in node.nodes:
            try:
                text = str(escaped(child.as_const(frame.eval_ctx)))
            except Exception:
                # Not constant, or wrong: that is found out when the page is made, where Jinja would find it out.
                pieces.append(child)
                continue
            if pieces and isinstance(last := pieces[-1], str):
                pieces[-1] = last + text
            else:
                pieces.append(text)
        if not pieces:
            return
        self.writeline("yield ")
        if len(pieces) > 1:
            self.write("''.join((")
        for piece in pieces:
            if isinstance(piece, str):
                self.write(repr(piece))
            else:
                self.write("escape(")
                self.visit(piece, frame)
                self.write(")")
            self.write(", " if len(pieces) > 1 else "")
        if len(pieces) > 1:
            self.write("))")


# Our words and what macros made of them, for the code of all templates of this process.
_constants: list[Markup] = []
_places: dict[str, int] = {}


def _place_of(text: Markup) -> int:
    place = _places.get(text)
    if place is None:
        place = _places[text] = len(_constants)
        _constants.append(text)
    return place


class LeanMacro(Macro):
    """A call with the arguments it names goes straight to the macro's function."""

    def __call__(self, *args: Any, **named: Any) -> Markup:
        if self.catch_varargs or self.catch_kwargs or self.explicit_caller or len(args) > self._argument_count:
            return _markup(super().__call__(*args, **named))
        if len(args) < self._argument_count:
            args += tuple([named.pop(name, missing) for name in self.arguments[len(args) :]])
        if self.caller:
            caller = named.pop("caller", None)
            if caller is None:
                caller = self._environment.undefined("No caller defined", name="caller")
            args = (*args, caller)
        if named:
            raise TypeError(f"macro {self.name!r} takes no argument {next(iter(named))!r}")
        return _markup(self._func(*args))


class KeptMacro(LeanMacro):
    """Remembers what it answered. For macros that ask nothing but their arguments, and are asked the same by many.

    The answer is kept under the language and every argument with its type: text and Markup are equal but not the same
    on a page, and so are 1 and true. Asked with anything but plain values it works as every macro does.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._answers: dict[tuple[Any, ...], Markup] = {}

    def __call__(self, *args: Any, **named: Any) -> Markup:
        try:
            key = (words.spoken(), *_plain(args), *named, *_plain(named.values()))
        except TypeError:
            return super().__call__(*args, **named)
        answer = self._answers.get(key)
        if answer is None:
            if len(self._answers) >= _ANSWERS_KEPT:
                self._answers.clear()
            answer = self._answers[key] = super().__call__(*args, **named)
        return answer


_PLAIN = frozenset({str, Markup, int, bool, NoneType})


def _plain(values: Iterable[Any]) -> Iterator[Any]:
    """The values with their types. TypeError for what may change or may not be what it seems.

    A type that calls itself `is_plain` promises: never changes, and what is equal looks the same on a page."""
    for value in values:
        kind = type(value)
        yield kind
        if kind in _PLAIN or getattr(kind, "is_plain", False):
            yield value
        elif isinstance(value, list | tuple):
            yield tuple(_plain(value))
        else:
            raise TypeError


class LeanTemplate(Template):
    """An imported file of macros is run once. Jinja runs it again for every import where a template has globals of its
    own; ours have none, they are all the environment's.
    """

    @classmethod
    def _from_namespace(
        cls, environment: Environment, namespace: MutableMapping[str, Any], globals: MutableMapping[str, Any]
    ) -> Template:
        kept = getattr(environment, "kept", {}).get(namespace["name"], ())

        def macro(environment: Environment, body: Callable[..., str], name: str, *more: Any) -> LeanMacro:
            return (KeptMacro if name in kept else LeanMacro)(environment, body, name, *more)

        namespace.update(Macro=macro, escape=escaped, constants=_constants)
        return super()._from_namespace(environment, namespace, globals)

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module


class LeanEnvironment(Environment):
    """Finds a loaded template by its name alone, unless templates may change while we run. Escapes always.

    `kept`: of which files which macros remember their answers. `language`: all that this environment speaks; without
    one it says every text in the language of the moment.
    """

    code_generator_class = LeanCode
    template_class = LeanTemplate

    def __init__(
        self,
        *args: Any,
        kept: Mapping[str, Collection[str]] | None = None,
        language: NullTranslations | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.kept = dict(kept or {})
        self.language = language
        self._found: dict[str, Template] = {}

    def get_template(
        self, name: str | Template, parent: str | None = None, globals: MutableMapping[str, Any] | None = None
    ) -> Template:
        if isinstance(name, Template) or self.auto_reload:
            return super().get_template(name, parent, globals)
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name, parent, globals)
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        # What is folded in would stay when the file it came from changes.
        if self.language is None or self.auto_reload:
            return template
        return Folding(self.language.gettext, self.kept, self._macro).fold(template)

    def _macro(self, file: str, name: str) -> Callable[..., Markup]:
        macro: Callable[..., Markup] = getattr(self.get_template(file).module, name)
        return macro


def escaped(value: Any) -> str:
    """What may stand on a page, for any value."""
    kind = type(value)
    if kind is Markup:
        return value  # type: ignore[no-any-return]
    if kind is str:
        return _escape_text(value)
    if kind is int or kind is float:
        return str(value)
    return escape(value)


def install_words(environment: Environment) -> None:
    """`_`, `gettext`, `ngettext` and `{% trans %}`, with named placeholders; what is put in is escaped."""
    environment.globals |= {"_": gettext, "gettext": gettext, "ngettext": ngettext}
    environment.newstyle_gettext = True  # type: ignore[attr-defined]


# Our own words of each language as Markup.
_texts: dict[tuple[object, str], Markup] = {}


def gettext(__text: str, **values: Any) -> Markup:
    key = (words.spoken(), __text)
    found = _texts.get(key)
    if found is None:
        found = Markup(words.gettext(__text))  # noqa: S704 - our own words; what is put in is escaped
        if len(_texts) < _TEXTS_KEPT:
            _texts[key] = found
    return found % values if values or "%" in found else found


def ngettext(__one: str, __many: str, __number: int, **values: Any) -> Markup:
    values.setdefault("num", __number)
    return Markup(words.ngettext(__one, __many, __number)) % values  # noqa: S704 - as above
