"""Jinja with the three things our pages do most made cheap: calling macros, importing them, and translating.

The answers are the same; tests/web/test_lean.py compares them with Jinja's own.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from types import FunctionType, MethodType
from typing import Any

from jinja2 import Environment, Template
from jinja2.environment import TemplateModule
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from selfcare.kernel import words


class LeanContext(Context):
    """Jinja looks five ways at everything it calls; macros and plain functions need one look."""

    def call(__self, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - named arguments may be called anything
        kind = type(__obj)
        if kind is Macro:
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return __obj(__self.eval_ctx, *args, **kwargs)
        if (kind is FunctionType or kind is MethodType) and not hasattr(__obj, "jinja_pass_arg"):
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return __obj(*args, **kwargs)
        return super().call(__obj, *args, **kwargs)


class LeanTemplate(Template):
    """An imported file of macros is run once. Jinja runs it again for every import where a template has globals of its
    own; ours have none, they are all the environment's.
    """

    def _get_default_module(self, ctx: Context | None = None) -> TemplateModule:
        if self._module is None:
            self._module = self.make_module()
        return self._module


class LeanEnvironment(Environment):
    """Finds a loaded template by its name alone, unless templates may change while we run."""

    context_class = LeanContext
    template_class = LeanTemplate

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
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


def install_words(environment: Environment) -> None:
    """`_`, `gettext`, `ngettext` and `{% trans %}`, with named placeholders; what is put in is escaped."""
    environment.globals |= {"_": gettext, "gettext": gettext, "ngettext": ngettext}
    environment.newstyle_gettext = True  # type: ignore[attr-defined]


def gettext(__text: str, **values: Any) -> Markup:
    found = Markup(words.gettext(__text))  # noqa: S704 - our own words; what is put in is escaped
    return found % values if values or "%" in found else found


def ngettext(__one: str, __many: str, __number: int, **values: Any) -> Markup:
    values.setdefault("num", __number)
    return Markup(words.ngettext(__one, __many, __number)) % values  # noqa: S704 - as above
