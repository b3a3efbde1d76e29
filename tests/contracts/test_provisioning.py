"""What every adapter of the provisioning port promises: the network of our own, and one over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters import provisioning_embedded as embedded
from selfcare.adapters.outgoing import InTransaction
from selfcare.adapters.provisioning_embedded import Behaviour, EmbeddedProvisioning
from selfcare.adapters.provisioning_http import HttpProvisioning
from selfcare.adapters.signatures import sign
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.payments import BadEvent
from selfcare.ports.provisioning import DONE, FAILED, RUNNING, TASK_FAILED, Action, Provisioning, Work
from tests.support.lines import a_customer
from tests.support.network import SECRET, Network, serving

OLD = "o" * 40


async def work() -> Work:
    owner = await a_customer()
    of = {"customer_id": owner.customer_id, "service_id": new_id()}
    return Work(id=new_id(), action=Action.ADD, what="Roaming", play="roam", **of)


@dataclass
class Rig:
    port: Provisioning
    network: Network | None

    async def ends(self, job: Work, status: int) -> None:
        if self.network is not None:
            self.network.jobs[str(job.id)]["status"] = status
        clock.travel_by(timedelta(minutes=1))


@pytest.fixture(params=["embedded", "http"])
async def rig(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Rig]:
    if request.param == "embedded":
        yield Rig(EmbeddedProvisioning(), None)
        return
    async with serving(Network()) as network:
        yield Rig(HttpProvisioning(network.url, [SECRET], read_seconds=2), network)


@pytest.fixture
async def network(database: Database) -> AsyncIterator[Network]:
    async with serving(Network()) as found:
        yield found


def adapter(network: Network) -> HttpProvisioning:
    return HttpProvisioning(network.url, [SECRET, OLD], read_seconds=2)


async def test_a_job_runs_and_then_is_done(rig: Rig) -> None:
    job = await work()
    assert (await rig.port.start(job)).status == RUNNING
    found = await rig.port.ask(job.id)
    assert found is not None
    assert (found.status, found.steps) == (RUNNING, 3)
    await rig.ends(job, DONE)
    assert [(await rig.port.start(job)).status, getattr(await rig.port.ask(job.id), "status", None)] == [DONE, DONE]


async def test_the_same_id_again_is_the_same_job(rig: Rig) -> None:
    job = await work()
    for _again in range(3):
        await rig.port.start(job)
    assert rig.network is None or (rig.network.begun, rig.network.asked) == (1, ["POST", "GET", "GET"])


async def test_a_job_that_never_began_is_none(rig: Rig) -> None:
    assert await rig.port.ask(new_id()) is None


async def test_what_failed_for_good_stays_failed(rig: Rig) -> None:
    if rig.network is None:
        await embedded.behave(Behaviour.FAILS)
    job = await work()
    await rig.port.start(job)
    await rig.ends(job, FAILED)
    assert (await rig.port.start(job)).status == FAILED
    await rig.ends(job, DONE)
    assert (await rig.port.start(job)).status == FAILED


async def test_a_network_is_not_asked_inside_a_transaction(network: Network) -> None:
    job = await work()
    await adapter(network).start(job)
    async with transaction():
        with pytest.raises(InTransaction):
            await adapter(network).ask(job.id)


async def test_a_lost_answer_is_looked_up_and_the_job_begins_once(network: Network) -> None:
    port, job = adapter(network), await work()
    network.fault = "cut_after"
    with pytest.raises(Unknown):
        await port.start(job)
    assert (await port.start(job)).status == RUNNING
    assert (network.begun, network.asked) == (1, ["POST", "GET"])


async def test_a_job_that_did_not_arrive_is_sent_again(network: Network) -> None:
    port, job = adapter(network), await work()
    network.fault = "cut"
    with pytest.raises(Unknown):
        await port.start(job)
    assert (await port.start(job)).status == RUNNING
    assert (network.begun, network.asked) == (1, ["POST", "GET", "POST"])
    assert network.jobs[str(job.id)]["program"] == "roam"


@pytest.mark.parametrize("status", [TASK_FAILED, 4, -1, 99])
async def test_a_task_that_failed_and_what_nobody_knows_are_no_end(network: Network, status: int) -> None:
    network.status = status
    found = await adapter(network).start(await work())
    assert (found.status, found.has_ended, found.is_known) == (status, False, status == TASK_FAILED)


async def test_what_the_network_refuses_never_will_be(network: Network) -> None:
    port, job = adapter(network), await work()
    network.fault = "http_422"
    with pytest.raises(Declined):
        await port.start(job)
    assert (await port.start(job)).status == FAILED
    assert network.begun == 0


@pytest.mark.parametrize("fault", ["http_500", "garbage", "other_job"])
async def test_an_answer_that_says_nothing_is_unknown(network: Network, fault: str) -> None:
    network.fault = fault
    with pytest.raises(Unknown):
        await adapter(network).start(await work())


@pytest.mark.parametrize("fault", ["http_403", "http_404", "http_429", "http_301"])
async def test_where_our_question_was_not_taken_nothing_has_failed(network: Network, fault: str) -> None:
    network.fault = fault
    with pytest.raises(Unreachable):
        await adapter(network).start(await work())


async def test_a_404_of_somebody_else_does_not_say_that_it_never_began(network: Network) -> None:
    port, job = adapter(network), await work()
    await port.start(job)
    network.fault = "bare_404"
    with pytest.raises(Unknown):
        await port.ask(job.id)


async def test_nobody_waits_for_a_network_that_stays_silent(database: Database) -> None:
    port = HttpProvisioning("http://127.0.0.1:9", [SECRET])
    for _again in range(6):
        with pytest.raises(Unreachable):
            await port.start(await work())
    assert port.outside.breaker.failures == 5


def told(job_id: UUID | str, status: object, **more: object) -> bytes:
    return json.dumps({"job": str(job_id), "status": status, **more}).encode()


@pytest.mark.parametrize("secret", [SECRET, OLD])
async def test_what_the_network_says_of_an_end_needs_no_look(network: Network, secret: str) -> None:
    port, job = adapter(network), await work()
    await port.start(job)
    raw = told(job.id, DONE)
    heard = await port.hear(raw, sign(raw, secret.encode(), clock.now()))
    assert (heard.job_id, heard.progress.status) == (job.id, DONE)
    assert (await port.start(job)).status == DONE
    assert network.asked == ["POST"]


async def test_words_that_come_twice_or_late_change_nothing(network: Network) -> None:
    port, job = adapter(network), await work()
    await port.start(job)
    for status in (DONE, DONE, RUNNING, FAILED):
        raw = told(job.id, status)
        await port.hear(raw, sign(raw, SECRET.encode(), clock.now()))
    assert (await port.start(job)).status == DONE


async def test_words_of_a_job_that_is_not_ours_are_not_found(network: Network) -> None:
    raw = told(new_id(), DONE)
    with pytest.raises(NotFound):
        await adapter(network).hear(raw, sign(raw, SECRET.encode(), clock.now()))


@pytest.mark.parametrize("late", [-301, 301])
async def test_old_words_are_refused(network: Network, late: int) -> None:
    raw = told(new_id(), DONE)
    with pytest.raises(BadEvent):
        await adapter(network).hear(raw, sign(raw, SECRET.encode(), clock.now() + timedelta(seconds=late)))


@pytest.mark.parametrize(
    "raw",
    [b"", b"[]", b"{}", b"\xff", told("x", 0), *(told(UUID(int=7), status) for status in (True, "0", 10**9))],
    ids=range(8),
)
async def test_nonsense_is_refused(network: Network, raw: bytes) -> None:
    with pytest.raises(BadEvent):
        await adapter(network).hear(raw, sign(raw, SECRET.encode(), clock.now()))


async def test_words_that_nobody_signed_are_refused(network: Network) -> None:
    port, job = adapter(network), await work()
    await port.start(job)
    raw = told(job.id, FAILED)
    for signature in ("", sign(raw, b"x" * 40, clock.now()), sign(told(job.id, DONE), SECRET.encode(), clock.now())):
        with pytest.raises(BadEvent):
            await port.hear(raw, signature)
    assert getattr(await port.ask(job.id), "status", None) == RUNNING


async def test_the_doctor_is_told_why_a_network_is_of_no_use(network: Network) -> None:
    port = adapter(network)
    assert await port.refusal() is None
    network.fault = "http_403"
    assert await port.refusal() == "it does not accept our signature"
    network.fault = "bare_404"
    assert await port.refusal() == "it answers 404 when asked for an unknown job"
    assert await HttpProvisioning("http://127.0.0.1:9", [SECRET]).refusal() == "it does not answer"
