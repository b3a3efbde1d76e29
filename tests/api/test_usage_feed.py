"""POST /feeds/usage as the network sees it."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare import upkeep
from selfcare.api.feeds.usage import lines_of, read_batch, read_record
from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch_one
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.portal.services import addresses
from selfcare.ports.charging import Use
from tests.support import databases, site

KEY = "a feed key that is long enough to be one"
OLD = "the feed key that was used before this one"
MB = 10**6
LEFT = Prepared.sql(
    "SELECT sum(remaining) AS n FROM bucket WHERE service_id = :id AND kind = 'data' AND expires_at > :now",
    types={"n": int},
)
SPEED = Prepared.sql("SELECT slow_kbps, full_speed_bytes FROM line_speed WHERE service_id = :id")
RECORDS = Prepared.sql("SELECT count(*) AS n FROM usage_record WHERE service_id = :id")


def a_record(**more: Any) -> dict[str, Any]:
    usual = {"id": "r1", "service": str(people.ASHA_MOBILE), "kind": "data", "amount": MB, "unit": "bytes"}
    return usual | {"at": site.NOW.isoformat()} | more


@pytest.fixture
async def fed(demo_url: str) -> AsyncIterator[httpx.AsyncClient]:
    settings = site.settings_for(demo_url, SELFCARE_FEED_KEYS=f"{KEY},{OLD}")
    async with site.running(settings) as app, client_of(app) as client:
        client.headers["Authorization"] = f"Bearer {KEY}"
        yield client


def client_of(app: Application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="https://selfcare.test")  # type: ignore[arg-type]


async def send(client: httpx.AsyncClient, *records: dict[str, Any]) -> httpx.Response:
    return await client.post("/feeds/usage", json={"records": records})


async def left() -> int:
    row = await fetch_one(LEFT.bind(id=people.ASHA_MOBILE, now=clock.now()))
    return int(row["n"]) if row else 0


async def test_what_was_used_is_counted_at_once(fed: httpx.AsyncClient) -> None:
    before = await left()
    answer = await send(fed, a_record())
    assert (answer.status_code, answer.json()) == (200, {"counted": 1, "repeated": 0, "refused": 0})
    assert await left() == before - MB


async def test_a_list_and_lines_are_read_too(fed: httpx.AsyncClient) -> None:
    before = await left()
    assert (await fed.post("/feeds/usage", json=[a_record()])).json()["counted"] == 1
    lines = "\n".join(json.dumps(a_record(id=id)) for id in ("r2", "r3")) + "\n\n"
    kind = {"Content-Type": "application/x-ndjson; charset=utf-8"}
    assert (await fed.post("/feeds/usage", content=lines, headers=kind)).json()["counted"] == 2
    assert await left() == before - 3 * MB


async def test_sending_it_again_changes_nothing(fed: httpx.AsyncClient) -> None:
    await send(fed, a_record())
    before = await left()
    answer = await send(fed, a_record(), a_record(id="r2"))
    assert (answer.status_code, answer.json()) == (200, {"counted": 1, "repeated": 1, "refused": 0})
    assert await left() == before - MB


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x", f"Basic {KEY}", f"Bearer {KEY}x", f"Bearer {KEY[:-1]}", "Bearer \u00e9"],
)
async def test_without_a_key_of_ours_nothing_is_read(fed: httpx.AsyncClient, authorization: str) -> None:
    before = await left()
    header = {"Authorization": authorization.encode("utf-8")}
    answer = await fed.post("/feeds/usage", json=[a_record()], headers=header)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert await left() == before


async def test_the_key_before_still_opens(fed: httpx.AsyncClient) -> None:
    answer = await fed.post("/feeds/usage", json=[a_record()], headers={"Authorization": f"bearer {OLD}"})
    assert answer.status_code == 200


async def test_where_no_key_is_set_nobody_gets_in(app: Application) -> None:
    async with client_of(app) as client:
        for key in ("", "None", "()"):
            answer = await client.post("/feeds/usage", json=[a_record()], headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 401


BAD: list[tuple[str, str]] = [
    ('{"amount": 0}', "from 1 to"),
    ('{"amount": -5}', "from 1 to"),
    ('{"amount": NaN}', "Expected `int`"),
    ('{"amount": Infinity}', "Expected `int`"),
    ('{"amount": 1e400}', "$.amount"),
    ('{"amount": 123456789012345678901234567890}', "from 1 to"),
    ('{"amount": ' + "9" * 5000 + "}", "$.amount"),
    ('{"amount": 1.5}', "Expected `int`"),
    ('{"amount": "5"}', "Expected `int`"),
    ('{"amount": true}', "Expected `int`"),
    ('{"amount": null}', "Expected `int`"),
    ('{"unit": "MB"}', "data is counted in bytes, not in MB"),
    ('{"kind": "call"}', "call is counted in seconds, not in bytes"),
    ('{"kind": "fax"}', "The kind must be"),
    ('{"at": "2027-01-01T00:00:00Z"}', "in the future"),
    ('{"at": "2020-01-01T00:00:00Z"}', "more than a year ago"),
    ('{"at": "2026-11-22T12:00:00"}', "timezone"),
    ('{"at": "yesterday"}', "$.at"),
    ('{"at": "0001-01-01T00:00:00+10:00"}', "This is not a record"),
    ('{"service": "nobody"}', "no such service"),
    ('{"service": "\\u0000"}', "no such service"),
    ('{"cost_minor": 10, "currency": "EUR"}', "EUR, the service in GBP"),
    ('{"cost_minor": 10}', "needs its currency"),
    ('{"id": ""}', "The id must"),
    ('{"other_party": "\\ud800"}', "other party"),
    ('{"surprise": 1}', "surprise"),
    ('{"country": "France"}', "two letters"),
]


@pytest.mark.parametrize(("changed", "why"), BAD, ids=[changed[:40] for changed, _why in BAD])
async def test_a_bad_record_is_refused_with_its_reason_and_the_good_ones_are_kept(
    fed: httpx.AsyncClient, changed: str, why: str
) -> None:
    before = await left()
    good = json.dumps(a_record())
    bad = json.dumps(a_record(id="bad"))[:-1] + ", " + changed[1:]
    answer = await fed.post("/feeds/usage", content=f'{{"records": [{bad}, {good}]}}'.encode())
    assert answer.status_code == 422, answer.text
    said = answer.json()
    assert (said["counted"], said["refused"], said["errors"][0]["index"]) == (1, 1, 0)
    assert why in said["errors"][0]["reason"]
    assert await left() == before - MB


async def test_the_same_id_for_something_else_is_refused(fed: httpx.AsyncClient) -> None:
    answer = await send(fed, a_record(), a_record(amount=2 * MB))
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"index": 1, "id": "r1", "reason": "This id was used for something else before."}
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"nonsense", 400),
        (b"\xff\xfe", 400),
        (b"5", 400),
        (b'{"records": 5}', 400),
        (b'{"rows": []}', 400),
        (b"[" * 100_000, 400),
        (b'{"records": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400),
        (b'{"records": [NaN, ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"]}", 400),
        (b"[" + b"1," * 5_000 + b"1]", 413),
        (b'"' + b"x" * 8_000_001 + b'"', 413),
    ],
    ids=lambda value: repr(value)[:20],
)
async def test_what_is_no_batch_is_refused_whole(fed: httpx.AsyncClient, body: bytes, status: int) -> None:
    answer = await fed.post("/feeds/usage", content=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_whoever_asks_instead_of_sending_learns_what_is_taken(fed: httpx.AsyncClient) -> None:
    answer = await fed.get("/feeds/usage")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
    assert answer.json()["title"] == "This address does not take such a request"


async def test_another_kind_of_text_is_refused(fed: httpx.AsyncClient) -> None:
    answer = await fed.post("/feeds/usage", content="id=1", headers={"Content-Type": "text/csv"})
    assert answer.status_code == 415


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_batch_or_refused(body: bytes) -> None:
    try:
        records = read_batch(body)
    except Rejected:
        return
    for record in records:
        assert isinstance(read_record(record), Use | str)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(a_record() | {"class": 1, "currency": 1}, anything)))
def test_any_record_is_a_use_or_has_a_reason(changed: dict[str, Any]) -> None:
    text = json.dumps({"records": [a_record() | changed]}).encode()
    (record,) = read_batch(text)
    read = read_record(record)
    assert isinstance(read, Use) or read


async def test_a_file_is_counted_and_bad_lines_are_told(database_url: str, tmp_path: Any) -> None:
    from tests.support.lines import a_customer, a_line

    async with databases.opened(database_url):
        service = str(await a_line(await a_customer()))
    at = clock.now().isoformat()
    good = [json.dumps(a_record(id=f"r{n}", service=service, at=at)).encode() for n in range(3)]
    lines = [good[0], b"", b"nonsense", good[1], good[0], b'{"id": "x1"}', b"y" * 50_000, good[2]]
    told: list[str] = []
    fed = await upkeep.feed(site.settings_for(database_url), io.BytesIO(b"\n".join(lines)), say=told.append)
    assert (fed.counted, fed.repeated, fed.refused) == (3, 1, 3)
    assert [line.partition(":")[0] for line in told] == ["Line 3", "Line 6 (x1)", "Line 7"]


def test_a_file_is_read_a_few_lines_at_a_time() -> None:
    batches = list(lines_of(io.BytesIO(b"1\n2\n3\n4\n5"), most=2))
    assert batches == [[b"1\n", b"2\n"], [b"3\n", b"4\n"], [b"5"]]


async def test_slowed_lines_are_noted_and_bad_ones_refused_with_the_reason(fed: httpx.AsyncClient) -> None:
    lines = [
        {"line": people.ASHA.phone, "kbps": 512, "until": "2026-12-01T00:00:00Z"},
        {"line": "+449999999999", "kbps": 512},
        {"line": str(people.CHIDI_MOBILE), "kbps": -3},
        {"line": str(people.CHIDI_MOBILE), "kbps": 64, "until": "2026-12-01"},
    ]
    answer = await fed.post("/feeds/speed", json={"lines": lines})
    assert answer.status_code == 422
    assert answer.json()["noted"] == 1
    assert [error["index"] for error in answer.json()["errors"]] == [1, 2, 3]
    noted = await fetch_one(SPEED.bind(id=people.ASHA_MOBILE))
    assert noted is not None
    assert noted["slow_kbps"] == 512


async def test_full_speed_again_is_noted_and_twice_is_once(fed: httpx.AsyncClient) -> None:
    for kbps in (512, None, None):
        body = {"lines": [{"line": str(people.ASHA_MOBILE), "kbps": kbps, "full_speed_bytes": 10**11}]}
        assert (await fed.post("/feeds/speed", json=body)).status_code == 200
    noted = await fetch_one(SPEED.bind(id=people.ASHA_MOBILE))
    assert noted == {"slow_kbps": None, "full_speed_bytes": 10**11}


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"lines": 3}', b"\xff\xfe", b'{"lines": [' + b"[" * 5000])
async def test_nonsense_about_speed_is_refused_whole(fed: httpx.AsyncClient, body: bytes) -> None:
    assert (await fed.post("/feeds/speed", content=body)).status_code == 400


async def test_the_speed_needs_a_key(fed: httpx.AsyncClient) -> None:
    answer = await fed.post("/feeds/speed", json={"lines": []}, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401


async def test_addresses_of_lines_are_noted_and_bad_ones_refused_with_the_reason(fed: httpx.AsyncClient) -> None:
    lines = [
        {"line": people.ASHA.phone, "address": "100.64.3.7"},
        {"line": "+449999999999", "address": "100.64.3.8"},
        {"line": people.CHIDI.phone, "address": "100.64.3"},
    ]
    answer = await fed.post("/feeds/addresses", json={"lines": lines})
    assert (answer.status_code, answer.json()["noted"]) == (422, 1)
    assert [error["index"] for error in answer.json()["errors"]] == [1, 2]
    line = await addresses.line_at("100.64.3.7", ["100.64.0.0/10"])
    assert line is not None
    assert line.service_id == people.ASHA_MOBILE
    assert (await fed.post("/feeds/addresses", content=b"{}")).status_code == 400
    wrong = {"Authorization": "Bearer wrong"}
    assert (await fed.post("/feeds/addresses", json={"lines": []}, headers=wrong)).status_code == 401
