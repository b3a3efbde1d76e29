"""A CGRateS engine does the charging; what it last said is kept, and shown with its age while it is away."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from selfcare.adapters import cgrates_records as records
from selfcare.adapters import cgrates_snapshots as snapshots
from selfcare.adapters import charging_reading as reading
from selfcare.adapters.cgrates_snapshots import Account
from selfcare.adapters.cgrates_wire import Engine, NotThere, Refused
from selfcare.adapters.cgrates_words import TYPE_OF, Dialect, balances_of, moment, names_in, order_for
from selfcare.adapters.charging_crediting import check, name
from selfcare.adapters.charging_returning import replaced, used
from selfcare.kernel import clock
from selfcare.kernel.words import _
from selfcare.ports.charging import (
    MOST_RECORDS,
    Asked,
    Balances,
    DayUse,
    Delivery,
    Handover,
    Health,
    Plan,
    Put,
    Records,
    Taken,
    Tenant,
    Thin,
    Use,
)
from selfcare.ports.failures import Declined, Unknown, Unreachable

FRESH = timedelta(seconds=60)
# Of a customer with thousands of lines those with the oldest figures are asked for first.
MOST_ACCOUNTS = 100

T = TypeVar("T")
log = logging.getLogger(__name__)


class CgratesCharging:
    def __init__(self, engine: Engine, dialect: Dialect, *, fresh: timedelta = FRESH) -> None:
        self.engine = engine
        self.dialect = dialect
        self.fresh = fresh

    async def balances(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> Balances:
        accounts, away = await self._refresh(who, service_ids)
        found = await reading.balances(who, service_ids)
        if not accounts:
            return found
        ages = [account.as_of for account in accounts if account.as_of]
        return replace(found, as_of=min(ages, default=found.as_of), stale=away)

    async def look(self, who: Tenant, service_id: UUID) -> None:
        await self._refresh(who, [service_id], fresh=timedelta(0))

    async def revision(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> str:
        _accounts, away = await self._refresh(who, service_ids)
        return f"{await reading.revision(who, service_ids)}{'-away' if away else ''}"

    async def records(self, who: Tenant, asked: Asked, *, after: str | None = None, limit: int = 25) -> Records:
        accounts = await snapshots.accounts(who, reading.wanted(who, asked.service_ids))
        limit = max(1, min(limit, MOST_RECORDS))
        return await self._told(records.page(self.engine, self.dialect, accounts, asked, after=after, limit=limit))

    async def history(self, who: Tenant, asked: Asked, *, zone: str) -> list[DayUse]:
        accounts = await snapshots.accounts(who, reading.wanted(who, asked.service_ids))
        return await self._told(records.by_day(self.engine, self.dialect, accounts, asked, zone=zone))

    async def credit(self, delivery: Delivery) -> None:
        """The engine knows no "once". So: is it there, was it ever there, and only then put it in, under its name."""
        account = await self._account_of(delivery)
        self._check(delivery, account)
        there = await self._account(account)
        await snapshots.intend(delivery, clock.now())
        for n, put in enumerate(delivery.puts):
            named = name(delivery, n)
            if not await self._was_put(there, account, TYPE_OF[put.kind], named):
                order = order_for(put, named, self.dialect, account=account.name)
                await self._obey("APIerSv1.AddBalance", order)
            if put.mode == "reset":
                await self._remove(account, TYPE_OF[put.kind], await snapshots.replaced_by(delivery, n), there)
        await self._look_again(account)

    def cannot_hold(self, put: Put) -> str | None:
        if put.kind not in TYPE_OF:
            return _("The charging engine knows no kind %(kind)s.") % {"kind": put.kind}
        if put.waits_for is not None:
            return _("The charging engine knows no allowance that starts when it is first used.")
        if put.amount is None:
            return _("The charging engine cannot hold an unlimited allowance.")
        if put.scope != "any" and put.scope not in self.dialect.destinations:
            return _("The charging engine has no destination for %(scope)s.") % {"scope": put.scope}
        return None

    async def was_applied(self, delivery: Delivery) -> bool:
        account = await self._account_of(delivery)
        there = await self._account(account)
        for n, put in enumerate(delivery.puts):
            if not await self._was_put(there, account, TYPE_OF[put.kind], name(delivery, n)):
                return False
        return True

    async def take_back(self, delivery: Delivery) -> None:
        """What is not there any more was used up, unless we asked for its removal before. So that is noted first."""
        account = await self._account_of(delivery)
        there = await self._account(account)
        held = {balance.name: balance.amount for balance in balances_of(there, self.dialect)}
        asked = await snapshots.asked_back(delivery)
        for n, put in enumerate(delivery.puts):
            named = name(delivery, n)
            if named in held:
                if put.mode == "reset" and await snapshots.replaced_by(delivery, n):
                    raise replaced()
                if held[named] < (put.amount or 0):
                    raise used()
            elif named not in asked and await self._was_put(there, account, TYPE_OF[put.kind], named):
                raise used()
        await snapshots.ask_back(delivery, clock.now())
        for n, put in enumerate(delivery.puts):
            await self._remove(account, TYPE_OF[put.kind], {name(delivery, n)}, there)
        await self._look_again(account)

    async def plan(self, who: Tenant, service_id: UUID) -> Plan | None:
        for account in await snapshots.accounts(who, reading.wanted(who, [service_id])):
            question = {"Tenant": self.dialect.tenant, "Account": account.name}
            try:
                plans = await self.engine.ask("APIerSv1.GetAccountActionPlan", question)
                next_ = [(moment(each.get("NextExecTime")), str(each.get("ActionPlanId"))) for each in plans or ()]
            except (NotThere, Refused, Unreachable, ValueError, AttributeError):
                return None
            for at, label in sorted((at, label) for at, label in next_ if at):
                return Plan(label=label, period_start=None, period_end=at)
        return None

    async def take(self, uses: Sequence[Use]) -> Taken:
        raise Declined(_("The charging engine counts what is used; send it there."))

    async def hand_over(self, move: Handover) -> None:
        raise Declined(_("The charging engine keeps the account: it has to hand it over there."))

    async def thin(self, *, after: UUID | None = None, most: int = 500) -> list[Thin]:
        return []

    async def looked_at(self, lines: Collection[Thin]) -> None:
        """There are none."""

    async def health(self) -> Health:
        breaker = self.engine.outside.breaker
        try:
            await self.engine.ask("APIerSv1.Ping", {})
        except Unreachable:
            return Health(False, _("The charging engine does not answer."), breaker.answered_at)
        except (NotThere, Refused) as error:
            return Health(False, str(error)[:200], breaker.answered_at)
        return Health(True, answered_at=breaker.answered_at)

    async def close(self) -> None:
        await self.engine.outside.close()

    async def _refresh(
        self, who: Tenant, service_ids: Collection[UUID] | None, fresh: timedelta | None = None
    ) -> tuple[list[Account], bool]:
        """Asks about the accounts whose figures are older than a minute; whether nobody answered."""
        fresh = self.fresh if fresh is None else fresh
        services = reading.wanted(who, service_ids)
        accounts = await snapshots.accounts(who, services)
        now = clock.now()
        due = [each for each in accounts if each.as_of is None or not now - fresh < each.as_of <= now]
        due.sort(key=lambda each: (each.as_of is not None, each.as_of))
        if not due:
            return accounts, False
        due = due[:MOST_ACCOUNTS]
        try:
            await self._ask_about(due, now)
        except (Unreachable, ValueError, NotThere, Refused) as error:
            log.warning("the charging engine gave no figures: %s", error.__cause__ or error)
            return accounts, True
        return await snapshots.accounts(who, services), False

    async def _ask_about(self, accounts: list[Account], now: datetime) -> None:
        names = [account.name for account in accounts]
        question = {"Tenant": self.dialect.tenant, "AccountIDs": names, "Offset": 0, "Limit": len(names)}
        try:
            answer = await self.engine.ask("APIerSv2.GetAccounts", question)
        except NotThere:
            answer = []
        there = {str(each.get("ID")).rpartition(":")[2]: each for each in answer or ()}
        for account in accounts:
            balances = list(balances_of(there.get(account.name) or {}, self.dialect))
            await snapshots.store(account, balances, now)

    async def _look_again(self, account: Account) -> None:
        """What was put in shows at once; if the engine is away just now, at the next look."""
        try:
            there = await self._account(account)
            await snapshots.store(account, list(balances_of(there, self.dialect)), clock.now())
        except (Unreachable, Declined, ValueError):
            log.warning("the figures after a credit will come with the next look")

    async def _account_of(self, delivery: Delivery) -> Account:
        account = await snapshots.find_account(delivery.customer_id, delivery.service_id)
        if account is None:
            raise Declined(_("The network knows no such service."))
        return account

    def _check(self, delivery: Delivery, account: Account) -> None:
        check(delivery, account.currency, clock.now())
        for put in delivery.puts:
            if put.starts_at is not None or self.cannot_hold(put):
                raise Declined(_("The charging engine cannot hold this."))

    async def _account(self, account: Account) -> dict[str, Any]:
        """AddBalance would make an account that does not exist: ask first."""
        question = {"Tenant": self.dialect.tenant, "Account": account.name}
        try:
            there: dict[str, Any] = await self.engine.ask("APIerSv2.GetAccount", question)
        except (NotThere, Refused) as error:
            raise Declined(_("The network knows no such service.")) from error
        return there

    async def _was_put(self, there: dict[str, Any], account: Account, type_: str, named: str) -> bool:
        """It is there, or it was and is used up: then only the log of the engine remembers."""
        if named in names_in(there, type_):
            return True
        question = {
            "Tenants": [self.dialect.tenant],
            "Accounts": [account.name],
            "Sources": ["*cdrlog"],
            "ExtraFields": {"order_id": named},
            "Limit": 1,
        }
        try:
            return bool(await self.engine.ask("APIerSv2.GetCDRs", question))
        except NotThere:
            return False
        except Refused as error:
            raise Unreachable from error

    async def _remove(self, account: Account, type_: str, names: set[str], there: dict[str, Any]) -> None:
        for named in sorted(names & names_in(there, type_)):
            question = {"Tenant": self.dialect.tenant, "Account": account.name, "BalanceType": type_}
            await self._obey("APIerSv1.RemoveBalances", question | {"Balance": {"ID": named}})

    async def _obey(self, method: str, order: dict[str, Any]) -> None:
        try:
            said = await self.engine.order(method, order)
        except (NotThere, Refused) as error:
            log.error("the charging engine refused %s: %s", method, error)
            raise Declined(_("The network refused this.")) from error
        if said != "OK":
            raise Unknown("It did not say OK.")

    async def _told(self, question: Awaitable[T]) -> T:
        try:
            return await question
        except (Refused, ValueError, AttributeError) as error:
            raise Unreachable from error
