"""Reads our own source and says which lines break a rule of the house."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

from selfcare.places import PACKAGE

FEATURES = ("portal", "staff", "api")


class Module(NamedTuple):
    name: str
    tree: ast.Module

    @property
    def file(self) -> str:
        return self.name.rsplit(".", 1)[-1]

    @property
    def feature(self) -> str | None:
        return feature_of(self.name)


def modules() -> list[Module]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(("selfcare", *(part for part in parts if part != "__init__")))
        found.append(module(name, path.read_text()))
    return found


def module(name: str, text: str) -> Module:
    return Module(name, ast.parse(text))


def feature_of(name: str) -> str | None:
    """`selfcare.portal.billing.queries` → `billing`; `selfcare.staff.people` → `staff`."""
    parts = name.split(".")
    if len(parts) < 3 or parts[1] not in FEATURES:
        return None
    return parts[2] if parts[1] == "portal" else parts[1]


def imports(module: Module) -> Iterator[tuple[int, str]]:
    """Every imported name with its line, `from a import b` as `a.b`."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def tables_of_others(module: Module) -> Iterator[str]:
    """A feature asks its neighbour's nouns and queries; the table is the neighbour's own."""
    if module.feature is None:
        return
    for line, name in imports(module):
        if name.split(".")[3:4] == ["tables"] and feature_of(name) not in (None, module.feature):
            yield f"{module.name}:{line} imports {name}"


def libraries_in_the_kernel(module: Module) -> Iterator[str]:
    if not module.name.startswith("selfcare.kernel"):
        return
    for line, name in imports(module):
        top = name.split(".")[0]
        known = top in sys.stdlib_module_names or top == "phonenumbers" or name.startswith("selfcare.kernel")
        if not known:
            yield f"{module.name}:{line} imports {name}"


CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time")}


def own_clocks(module: Module) -> Iterator[str]:
    if module.name == "selfcare.kernel.clock":
        return
    for call in calls(module):
        of = call.func
        if isinstance(of, ast.Attribute) and (_last_name(of.value), of.attr) in CLOCKS:
            yield f"{module.name}:{call.lineno} asks the machine for the time: use kernel.clock"


def whole_row_writes(module: Module) -> Iterator[str]:
    """`save()` writes every column, so two changes at once lose one."""
    for call in calls(module):
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("save", "run_sync", "get_or_create"):
            yield f"{module.name}:{call.lineno} calls .{call.func.attr}()"


def built_sql(module: Module) -> Iterator[str]:
    """Text that goes to the database is written out; values are bound."""
    for call in calls(module):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in ("raw", "WhereRaw", "QueryString", "SelectRaw"):
            for argument in call.args[:1]:
                if not _is_plain(argument):
                    yield f"{module.name}:{call.lineno} builds SQL out of parts"


def prepared_in_a_function(module: Module) -> Iterator[str]:
    """At the top of a module its text can hold constants only, and it is compiled once."""
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for call in (node for function in functions for node in ast.walk(function) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) in ("Prepared", "Prepared.sql"):
            yield f"{module.name}:{call.lineno} prepares a statement in a function"


def response_caches(module: Module) -> Iterator[str]:
    """Litestar's response cache hands one person's page to the next."""
    decorators = ("get", "post", "route", "head", "put", "patch", "delete", "Router", "Litestar", "handler")
    for call in calls(module):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in decorators and any(keyword.arg == "cache" for keyword in call.keywords):
            yield f"{module.name}:{call.lineno} uses cache="


RULES = (
    tables_of_others,
    libraries_in_the_kernel,
    own_clocks,
    whole_row_writes,
    built_sql,
    prepared_in_a_function,
    response_caches,
)


def calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_plain(node: ast.expr) -> bool:
    """A literal, or a name of the module that holds one."""
    return (isinstance(node, ast.Constant) and isinstance(node.value, str)) or (
        isinstance(node, ast.Name) and node.id.isupper()
    )
