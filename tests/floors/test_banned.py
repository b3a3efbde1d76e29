"""The calls that are banned in this house, and who shows that the ban works."""

from __future__ import annotations

import pytest

from tests.floors import source

HOUSE = source.modules()


@pytest.mark.parametrize("rule", source.RULES, ids=lambda rule: rule.__name__)
def test_nobody_breaks(rule: object) -> None:
    assert callable(rule)
    assert [offence for module in HOUSE for offence in rule(module)] == []


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (source.tables_of_others, "selfcare.portal.topup.topups", "from selfcare.portal.pay.tables import Payment"),
        (source.libraries_in_the_kernel, "selfcare.kernel.money", "import babel"),
        (source.libraries_in_the_kernel, "selfcare.kernel.money", "from selfcare.db import engine"),
        (source.own_clocks, "selfcare.portal.pay.payments", "datetime.now(UTC)"),
        (source.own_clocks, "selfcare.portal.pay.payments", "datetime.date.today()"),
        (source.own_clocks, "selfcare.identity.sessions", "time.time()"),
        (source.whole_row_writes, "selfcare.portal.pay.payments", "row.save()"),
        (source.whole_row_writes, "selfcare.portal.pay.payments", "Payment.select().run_sync()"),
        (source.built_sql, "selfcare.portal.pay.queries", "Payment.raw(f'SELECT {x}')"),
        (source.built_sql, "selfcare.portal.pay.queries", "Payment.raw('SELECT ' + x)"),
        (source.prepared_in_a_function, "selfcare.portal.pay.queries", "def f(x):\n    Prepared.sql(f'SELECT {x}')"),
        (source.response_caches, "selfcare.portal.pay.routes", "get('/', cache=True)"),
    ],
)
def test_a_rule_sees_who_breaks_it(rule: object, name: str, text: str) -> None:
    assert callable(rule)
    assert len(list(rule(source.module(name, text)))) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("selfcare.portal.topup.routes", "from litestar import get\nfrom selfcare.web.pages import page"),
        ("selfcare.portal.topup.topups", "from selfcare.portal.pay import payments"),
        ("selfcare.portal.topup.topups", "from selfcare.portal.topup.tables import Order"),
        ("selfcare.portal.dashboard.queries", "from selfcare.portal.usage import allowances"),
        ("selfcare.app", "from selfcare.portal.topup.routes import router"),
        ("selfcare.portal.topup.queries", "Prepared.sql('SELECT 1')\nPrepared.sql(LATEST)\nclock.now()"),
    ],
)
def test_the_rules_leave_what_is_allowed_alone(name: str, text: str) -> None:
    assert [offence for rule in source.RULES for offence in rule(source.module(name, text))] == []
