"""What the import contracts of pyproject.toml cannot say: who knows the web, and which features know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
FEATURES = sorted(
    path
    for wing in ("portal", "staff", "api")
    for path in (SOURCE / "selfcare" / wing).rglob("*.py")
    if path.stat().st_size
)
RULES = [path for path in FEATURES if path.name not in ("routes.py", "__init__.py")]
THE_WEB = ("litestar", "jinja2", "selfcare.web", "uvicorn")

# Who may know whom, and why. Only nouns and queries are known, never routes.
NEIGHBOURS = {
    ("dashboard", "*"): "it shows a little of everything",
    ("services", "billing"): "says what there is to pay before it is on again",
    ("services", "pay"): "its owners are told like those of a payment",
    ("services", "orders"): "is not ended while something is on its way to it, and a change of plan is an order",
    ("services", "cards"): "a dearer plan is paid by a saved card",
    ("services", "activity"): "tells what happened to a service in the same words",
    ("usage", "services"): "it is used on a service",
    ("orders", "pay"): "what is bought is paid",
    ("orders", "billing"): "what is delivered is earned in the books",
    ("orders", "services"): "it is for a service",
    ("orders", "usage"): "says what there is now",
    ("topup", "services"): "a top-up goes onto a service",
    ("topup", "pay"): "it is paid",
    ("topup", "orders"): "what is bought is an order",
    ("topup", "billing"): "a voucher of credit is put in the books",
    ("orders", "cards"): "by a saved card",
    ("topup", "usage"): "says what there is then, and how long it lasts",
    ("topup", "cards"): "by a saved card",
    ("quick_topup", "topup"): "the same top-ups at the same prices",
    ("quick_topup", "orders"): "what is bought is an order",
    ("quick_topup", "pay"): "it is paid by a guest",
    ("quick_topup", "billing"): "whose the number is",
    ("quick_topup", "cards"): "purchases of one customer come one after the other",
    ("quick_topup", "services"): "days go onto a service with an end",
    ("addons", "services"): "an add-on goes onto a service",
    ("addons", "pay"): "it is paid",
    ("addons", "cards"): "by a saved card",
    ("addons", "orders"): "what is bought is an order",
    ("services", "account"): "what does not come on again by itself becomes a request",
    ("addons", "bundles"): "what is sold together is offered beside what is sold alone",
    ("bundles", "addons"): "its parts are add-ons",
    ("bundles", "topup"): "and top-ups",
    ("bundles", "pay"): "it is paid",
    ("bundles", "cards"): "by a saved card",
    ("bundles", "orders"): "what is bought is an order",
    ("account", "sign_in"): "the same proofs open the door and change its lock",
    ("activity", "account"): "“not me” asks us to look at it",
    ("activity", "sign_in"): "“not me” ends the same sign-ins as the link in the mail",
    ("sign_up", "sign_in"): "ends where signing in begins, with addresses written alike",
    ("sign_up", "account"): "a new customer is their own first contact",
    ("account", "services"): "a person may be let in for some lines only",
    ("account", "activity"): "names roles in the same words",
    ("account", "billing"): "a dispute puts a line of a bill in question",
    ("help", "activity"): "the support code is consent to a visit, which Activity tells of",
    ("account", "cards"): "cards of an account that closes are taken off the gateway",
    ("pay", "billing"): "a payment settles bills",
    ("pay", "cards"): "by a saved card",
    ("cards", "pay"): "the gateway knows the customer by one name, and refuses in the same words",
    ("usage", "help"): "a tip where it matters",
    ("billing", "help"): "a tip where it matters",
    ("account", "help"): "a tip where it matters",
    ("help", "services"): "names the services to quote",
    ("alerts", "services"): "warns of what ends or runs out",
    ("alerts", "usage"): "warns of what ends or runs out",
    ("alerts", "billing"): "warns of bills that are due",
    ("alerts", "cards"): "warns of cards that expire",
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", RULES, ids=name_of)
def test_rules_and_queries_do_not_know_the_web(path: Path) -> None:
    assert [name for name in imports(path) if name.startswith(THE_WEB)] == []


@pytest.mark.parametrize("path", [path for path in FEATURES if "portal" in path.parts], ids=name_of)
def test_features_know_only_the_neighbours_on_the_list(path: Path) -> None:
    own = path.relative_to(SOURCE / "selfcare" / "portal").parts[0]
    known = {tuple(name.split(".")[2:4]) for name in imports(path) if name.startswith("selfcare.portal.")}
    strangers = {other for other, *_ in known if other != own and not {(own, other), (own, "*")} & NEIGHBOURS.keys()}
    assert strangers == set(), "a new pair is a line in NEIGHBOURS with a reason"


@pytest.mark.parametrize("path", FEATURES, ids=name_of)
def test_nobody_imports_the_routes_of_another(path: Path) -> None:
    own = ".".join(path.relative_to(SOURCE).parent.parts)
    others = [name for name in imports(path) if ".routes" in name and not name.startswith(own)]
    assert others == []


def test_packages_export_nothing() -> None:
    for path in (SOURCE / "selfcare").rglob("__init__.py"):
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert all(isinstance(node, ast.Expr) for node in body), f"{name_of(path)}: import from the file that has it"
