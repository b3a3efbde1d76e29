"""What a page says the same every time is worked out when its template is compiled, once for each language.

Our own words (`_("…")` and `{% trans %}` without numbers) become plain text of the page, and so do the macros that
remember their answers, where a template calls them with plain values. What is left to do for a page are its values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.runtime import markup_join
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

_PLACE = re.compile(r"%\((\w+)\)s")


class Folding(NodeTransformer):
    """`say` translates; `kept` are the macros that remember, by file; `macro` finds one of them."""

    def __init__(
        self,
        say: Callable[[str], str],
        kept: Mapping[str, Collection[str]],
        macro: Callable[[str, str], Callable[..., Markup]],
    ) -> None:
        self._say = say
        self._kept = kept
        self._macro = macro
        # How this template names the files and macros that it imports.
        self._files: dict[str, str] = {}
        self._macros: dict[str, tuple[str, str]] = {}

    def fold(self, template: nodes.Template) -> nodes.Template:
        for whole in template.find_all(nodes.Import):
            if file := self._keeper(whole.template):
                self._files[whole.target] = file
        for some in template.find_all(nodes.FromImport):
            if file := self._keeper(some.template):
                for name in some.names:
                    imported, known_as = name if isinstance(name, tuple) else (name, name)
                    self._macros[known_as] = (file, imported)
        folded: nodes.Template = self.visit(template)
        return folded

    def _keeper(self, named: nodes.Expr) -> str | None:
        return named.value if isinstance(named, nodes.Const) and named.value in self._kept else None

    def visit_Output(self, node: nodes.Output) -> nodes.Output:  # noqa: N802
        parts: list[nodes.Expr] = []
        for child in node.nodes:
            parts += self._in_pieces(child) or [self.visit(child)]
        node.nodes = parts
        return node

    def visit_Call(self, node: nodes.Call) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        if (text := _words_of(node)) is not None and not node.kwargs:
            try:
                return _constant(Markup(self._say(text)) % (), node)  # noqa: S704 - our own words
            except (TypeError, ValueError):
                return node
        if (found := self._remembering(node)) is not None:
            try:
                given = [each.as_const() for each in node.args]
                named = {each.key: each.value.as_const() for each in node.kwargs}
            except nodes.Impossible:
                return node
            return _constant(found(*given, **named), node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        """Jinja forgets what is safe when it joins constants."""
        self.generic_visit(node)
        if all(isinstance(each, nodes.Const) for each in node.nodes):
            return _constant(markup_join([each.as_const() for each in node.nodes]), node)
        return node

    def _in_pieces(self, node: nodes.Expr) -> list[nodes.Expr] | None:
        """Words with values in them that stand on a page as they are: words, value, words. None for all else."""
        if not isinstance(node, nodes.Call) or (text := _words_of(node)) is None or not node.kwargs:
            return None
        values = {each.key: each.value for each in node.kwargs}
        pieces = _PLACE.split(self._say(text))
        if any("%" in piece.replace("%%", "") for piece in pieces[::2]) or not values.keys() >= set(pieces[1::2]):
            return None
        return [
            self.visit(values[piece]) if place % 2 else _constant(Markup(piece.replace("%%", "%")), node)  # noqa: S704 - our own words
            for place, piece in enumerate(pieces)
            if piece
        ]

    def _remembering(self, node: nodes.Call) -> Callable[..., Markup] | None:
        if node.dyn_args or node.dyn_kwargs:
            return None
        if isinstance(node.node, nodes.Name):
            file, name = self._macros.get(node.node.name, ("", ""))
        elif isinstance(node.node, nodes.Getattr) and isinstance(node.node.node, nodes.Name):
            file, name = self._files.get(node.node.node.name, ""), node.node.attr
        else:
            return None
        return self._macro(file, name) if name in self._kept.get(file, ()) else None


def _words_of(node: nodes.Call) -> str | None:
    """The text that is to be translated, where it stands in the template."""
    if not isinstance(node.node, nodes.Name) or node.node.name not in ("_", "gettext"):
        return None
    if node.dyn_args or node.dyn_kwargs or len(node.args) != 1 or not isinstance(node.args[0], nodes.Const):
        return None
    text = node.args[0].value
    return text if isinstance(text, str) else None


def _constant(value: Any, instead: nodes.Node) -> nodes.Const:
    return nodes.Const(value, lineno=instead.lineno, environment=instead.environment)
