"""The documented example, imported on both databases: what arrives, and what a second import does."""

import json
from datetime import UTC, date, datetime
from typing import Any
from zlib import crc32

import pytest

from selfcare.identity import sealed, tokens
from selfcare.identity.tokens import Purpose
from selfcare.imports.files import FILES
from selfcare.imports.jobs import Invitations
from selfcare.jobs.registry import Job
from selfcare.messages.events import Message
from tests.support.imports import KEYS, Folder, rows

EXAMPLE_ROWS = {
    "customers": 3,
    "sites": 2,
    "products": 3,
    "services": 4,
    "sims": 3,
    "users": 4,
    "contacts": 4,
    "buckets": 4,
    "usage_records": 5,
    "invoices": 2,
    "transactions": 6,
}
TABLES = (*(file.table for file in FILES), "membership", "allowance_grant", "imported", "job", "audit_event")


async def everything() -> dict[str, list[str]]:
    return {table: sorted(str(row) for row in await rows(f"SELECT * FROM {table}")) for table in TABLES}


async def test_the_example_arrives_whole(folder: Folder) -> None:
    report = await folder.load()
    assert {file: counts.added for file, counts in report.files.items()} == EXAMPLE_ROWS
    for file in FILES:
        assert len(await rows(f"SELECT id FROM {file.table}")) == EXAMPLE_ROWS[file.name]


async def test_amounts_dates_and_words_arrive_as_they_were_written(folder: Folder) -> None:
    await folder.load()
    (bill,) = await rows("SELECT * FROM invoice WHERE external_id = 'I-2'")
    assert (bill["net_minor"], bill["tax_minor"], bill["paid_minor"]) == (3300, 660, 0)
    assert (bill["date"], bill["due_on"], bill["currency"]) == (date(2026, 10, 31), date(2026, 11, 30), "GBP")
    (record,) = await rows("SELECT * FROM usage_record WHERE external_id = 'R-5'")
    assert (record["cost_minor"], record["seconds"], record["country"]) == (675, 300, "FR")
    assert record["started_at"] == datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
    (customer,) = await rows("SELECT * FROM customer WHERE external_id = 'C-2'")
    assert customer["name"] == "Harbour Café, Ltd"
    assert customer["billing_address"].splitlines()[1] == "3 Pier Road"
    assert customer["zone"] == "Europe/London"


async def test_everything_belongs_to_the_right_customer(folder: Folder) -> None:
    await folder.load()
    found = await rows(
        """
        SELECT customer.external_id AS customer, service.external_id AS service, bucket.external_id AS bucket
        FROM bucket JOIN service ON service.id = bucket.service_id JOIN customer ON customer.id = bucket.customer_id
        ORDER BY bucket.external_id
        """
    )
    assert [(row["customer"], row["service"]) for row in found] == [
        ("C-1", "S-1"),
        ("C-1", "S-1"),
        ("C-2", "S-2"),
        ("C-3", "S-4"),
    ]


async def test_what_was_granted_becomes_a_grant(folder: Folder) -> None:
    await folder.load()
    found = await rows(
        """
        SELECT amount, mode, reason FROM allowance_grant JOIN bucket ON bucket.id = bucket_id
        ORDER BY bucket.external_id
        """
    )
    assert [(row["amount"], row["mode"], row["reason"]) for row in found] == [
        (10_000_000_000, "reset", "renewal"),
        (18_000, "reset", "renewal"),
        (1000, "add", "purchase"),
    ]


async def test_codes_of_a_sim_arrive_sealed_and_its_page_can_read_them(folder: Folder) -> None:
    await folder.load()
    sim = await sim_of("M-2")
    plain = {"pin1": "1234", "puk1": "27182818", "pin2": "5678", "puk2": "16180339"}
    plain["activation_code"] = "LPA:1$rsp.example.com$04386-AGYFT-A74Y8-3F815"
    for name, code in plain.items():
        assert code not in sim[name]
        assert sealed.unseal(sim[name], KEYS, f"sim/{sim['id']}/{name}").decode() == code
    assert (sim["kind"], sim["state"], sim["replaced_at"]) == ("esim", "released", None)


async def test_the_line_shows_the_sim_in_use(folder: Folder) -> None:
    await folder.load()
    (service,) = await rows("SELECT iccid FROM service WHERE external_id = 'S-1'")
    assert service["iccid"] == "8944110069012345686"


async def test_a_new_sim_replaces_the_one_in_use(folder: Folder) -> None:
    await folder.load()
    new = {"service": "S-1", "kind": "physical", "iccid": "8944110069012345702", "state_at": "2026-11-22T10:00:00Z"}
    folder.add("sims.csv", id="M-9", **new)
    await folder.load()
    assert (await sim_of("M-2"))["replaced_at"] is not None
    assert (await sim_of("M-9"))["replaced_at"] is None
    folder.change("sims.csv", "M-2", state="deleted", replaced_at="2026-11-22T09:00:00Z")
    await folder.load()
    assert (await sim_of("M-2"))["replaced_at"] == datetime(2026, 11, 22, 9, tzinfo=UTC)
    (service,) = await rows("SELECT iccid FROM service WHERE external_id = 'S-1'")
    assert service["iccid"] == new["iccid"]


async def test_another_puk_is_written_and_what_is_kept_for_comparing_does_not_tell_it(folder: Folder) -> None:
    await folder.load()
    before = (await sim_of("M-3"))["puk1"]
    (kept,) = await rows("SELECT marks FROM imported WHERE name = 'sims/M-3'")
    assert f"{crc32(b'14142135'):08x}" not in kept["marks"]
    folder.change("sims.csv", "M-3", puk1="17320508")
    report = await folder.load()
    assert report.files["sims"].changed == 1
    sim = await sim_of("M-3")
    assert sim["puk1"] != before
    assert sealed.unseal(sim["puk1"], KEYS, f"sim/{sim['id']}/puk1") == b"17320508"


async def sim_of(id: str) -> dict[str, Any]:
    (sim,) = await rows("SELECT * FROM sim WHERE external_id = :id", id=id)
    return sim


async def test_people_are_invited_have_their_roles_and_no_password(folder: Folder) -> None:
    report = await folder.load()
    assert report.invited == 4
    (job,) = await rows("SELECT kind, payload FROM job")
    assert job["kind"] == "imports.invite"
    assert len(json.loads(job["payload"])["user_ids"]) == 4
    users = await rows("SELECT password_hash, email_verified_at FROM app_user")
    assert {(user["password_hash"], user["email_verified_at"]) for user in users} == {(None, None)}
    found = await rows(
        """
        SELECT app_user.external_id AS person, customer.external_id AS customer, role, service_ids, accepted_at
        FROM membership JOIN app_user ON app_user.id = user_id JOIN customer ON customer.id = customer_id
        ORDER BY person, customer
        """
    )
    assert [(row["person"], row["customer"], row["role"]) for row in found] == [
        ("U-1", "C-1", "owner"),
        ("U-2", "C-1", "viewer"),
        ("U-2", "C-2", "owner"),
        ("U-3", "C-2", "user"),
        ("U-4", "C-3", "owner"),
    ]
    (service,) = await rows("SELECT id FROM service WHERE external_id = 'S-3'")
    assert json.loads(found[3]["service_ids"]) == [str(service["id"])]
    assert None not in {row["accepted_at"] for row in found}


async def test_an_invited_person_gets_one_mail_with_a_link_to_choose_a_password(folder: Folder) -> None:
    await folder.load()
    await folder.load()
    sent: list[dict[str, Any]] = []

    class Post:
        async def send_later(self, event: Message | str, **values: Any) -> None:
            sent.append({"event": event} | values)

    (job,) = await rows("SELECT id, kind, key, payload FROM job")
    await Invitations(Post()).invite(Job(job["id"], job["kind"], job["key"], json.loads(job["payload"]), 1))
    assert {each["event"] for each in sent} == {Message.ACCOUNT_READY}
    people = await rows("SELECT id FROM app_user WHERE external_id IS NOT NULL")
    assert {each["to_user"] for each in sent} == {person["id"] for person in people}
    assert "Tom Reyes" in {each["customer"] for each in sent}
    token = sent[0]["path"].removeprefix("/sign-in/reset?token=")
    found = await tokens.peek(token, Purpose.RESET)
    assert found is not None
    assert found.user_id == sent[0]["to_user"]


async def test_nobody_is_invited_when_the_operator_says_so(folder: Folder) -> None:
    report = await folder.load(invite=False)
    assert report.invited == 0
    assert await rows("SELECT id FROM job") == []


async def test_each_customer_has_its_primary_contact(folder: Folder) -> None:
    await folder.load()
    found = await rows(
        """
        SELECT customer.external_id AS customer, contact.external_id AS contact
        FROM customer JOIN contact ON contact.id = primary_contact_id ORDER BY customer
        """
    )
    assert [(row["customer"], row["contact"]) for row in found] == [("C-1", "K-1"), ("C-2", "K-2"), ("C-3", "K-4")]


async def test_a_check_imports_nothing(folder: Folder) -> None:
    report = await folder.load(keep=False)
    assert report.files["customers"].added == 3
    assert all(found == [] for found in (await everything()).values())


async def test_the_same_files_again_change_nothing(folder: Folder) -> None:
    await folder.load()
    before = await everything()
    report = await folder.load()
    assert {file: counts.unchanged for file, counts in report.files.items()} == EXAMPLE_ROWS
    assert report.invited == 0
    assert await everything() == before


async def test_a_changed_cell_changes_that_row_only(folder: Folder) -> None:
    await folder.load()
    folder.change("customers.csv", "C-1", name="Nia Roberts-Lee")
    report = await folder.load()
    assert (report.files["customers"].changed, report.files["customers"].unchanged) == (1, 2)
    names = await rows("SELECT name FROM customer ORDER BY external_id")
    assert [row["name"] for row in names] == ["Nia Roberts-Lee", "Harbour Café, Ltd", "Tom Reyes"]


async def test_what_people_changed_in_the_portal_survives_the_next_import(folder: Folder, database: object) -> None:
    await folder.load()
    await run("UPDATE app_user SET phone = '+447700900699' WHERE external_id = 'U-1'")
    await run("UPDATE bucket SET remaining = 5 WHERE external_id = 'B-1'")
    folder.change("users.csv", "U-1", display_name="Nia")
    folder.change("buckets.csv", "B-1", label="Data of the plan")
    await folder.load()
    (user,) = await rows("SELECT display_name, phone FROM app_user WHERE external_id = 'U-1'")
    assert (user["display_name"], user["phone"]) == ("Nia", "+447700900699")
    (bucket,) = await rows("SELECT label, remaining FROM bucket WHERE external_id = 'B-1'")
    assert (bucket["label"], bucket["remaining"]) == ("Data of the plan", 5)


async def test_a_state_and_its_reason_change_together(folder: Folder) -> None:
    await folder.load()
    folder.change("services.csv", "S-3", state="active", suspend_reason="")
    folder.change("services.csv", "S-1", state="ended", end_reason="cancelled")
    await folder.load()
    found = await rows("SELECT state, suspend_reason, end_reason FROM service ORDER BY external_id")
    assert [(row["state"], row["suspend_reason"], row["end_reason"]) for row in found] == [
        ("ended", None, "cancelled"),
        ("active", None, None),
        ("active", None, None),
        ("active", None, None),
    ]


async def test_a_changed_product_is_a_new_version(folder: Folder) -> None:
    await folder.load()
    folder.change("products.csv", "P-1", price="10.20")
    await folder.load()
    (product,) = await rows("SELECT price_minor, version FROM product WHERE external_id = 'P-1'")
    assert (product["price_minor"], product["version"]) == (1020, 2)
    folder.change("products.csv", "P-1", features="12 GB; 300 minutes")
    for _again in range(2):
        await folder.load()
    assert (await rows("SELECT version FROM product ORDER BY external_id"))[0]["version"] == 3


ADDON = {
    "id": "P-8",
    "slug": "fixed-address",
    "name": "Fixed address",
    "category": "addon",
    "service_type": "internet",
    "price": "5.00",
    "tax_rate": "20",
}
BUNDLE = {
    "id": "P-9",
    "slug": "both",
    "name": "Both",
    "category": "bundle",
    "service_type": "mobile",
    "price": "14.00",
    "tax_rate": "20",
}


async def test_a_bundle_has_parts_with_prices_of_their_own(folder: Folder) -> None:
    folder.add("products.csv", **ADDON)
    parts = '[{"product": "credit-10", "price": 950}, {"product": "fixed-address", "price": 450}]'
    folder.add("products.csv", **BUNDLE, parts=parts)
    await folder.load()
    (bundle,) = await rows("SELECT parts FROM product WHERE external_id = 'P-9'")
    assert json.loads(bundle["parts"]) == [
        {"product": "credit-10", "price": 950},
        {"product": "fixed-address", "price": 450},
    ]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("", "a bundle has parts"),
        ("[]", "2 to 8 parts"),
        ("nonsense", "JSON"),
        ('[{"product": "credit-10"}, {"slug": "x"}]', "each part is an object"),
        ('[{"product": "credit-10", "price": 1.5}, {"product": "fixed-address"}]', "whole number"),
        ('[{"product": "credit-10", "price": -5}, {"product": "fixed-address"}]', "cannot be"),
        ('[{"product": "credit-10"}, {"product": "talk-10"}]', "talk-10 is no add-on"),
        ('[{"product": "credit-10", "price": 950}, {"product": "fixed-address", "price": 449}]', "expected 1400"),
    ],
)
async def test_parts_that_cannot_be_are_refused_in_words(folder: Folder, parts: str, words: str) -> None:
    folder.add("products.csv", **ADDON)
    folder.add("products.csv", **BUNDLE, parts=parts)
    assert any(words in problem for problem in await folder.refused())


async def test_another_granted_amount_is_a_correction(folder: Folder) -> None:
    await folder.load()
    folder.change("buckets.csv", "B-1", granted="12000000000", remaining="8400000000")
    await folder.load()
    found = await rows(
        "SELECT amount, reason FROM allowance_grant g JOIN bucket b ON b.id = g.bucket_id "
        "WHERE b.external_id = 'B-1' ORDER BY g.id"
    )
    assert [(row["amount"], row["reason"]) for row in found] == [
        (10_000_000_000, "renewal"),
        (2_000_000_000, "correction"),
    ]


async def test_a_new_period_is_a_new_grant(folder: Folder) -> None:
    await folder.load()
    folder.change(
        "buckets.csv", "B-1", period_start="2026-12-01T00:00:00Z", period_end="2026-12-31T23:59:59Z", remaining="1"
    )
    await folder.load()
    found = await rows(
        "SELECT amount, mode FROM allowance_grant g JOIN bucket b ON b.id = g.bucket_id "
        "WHERE b.external_id = 'B-1' ORDER BY g.id"
    )
    assert [(row["amount"], row["mode"]) for row in found] == [(10_000_000_000, "reset")] * 2


async def test_who_is_no_longer_named_for_a_customer_leaves_it(folder: Folder) -> None:
    await folder.load()
    folder.change("users.csv", "U-2", memberships="C-2 owner")
    folder.change("users.csv", "U-3", memberships="C-2 viewer; C-3 viewer")
    await folder.load()
    found = await rows(
        """
        SELECT app_user.external_id AS person, customer.external_id AS customer, role, service_ids
        FROM membership JOIN app_user ON app_user.id = user_id JOIN customer ON customer.id = customer_id
        WHERE removed_at IS NULL ORDER BY person, customer
        """
    )
    assert [(row["person"], row["customer"], row["role"], row["service_ids"]) for row in found] == [
        ("U-1", "C-1", "owner", None),
        ("U-2", "C-2", "owner", None),
        ("U-3", "C-2", "viewer", None),
        ("U-3", "C-3", "viewer", None),
        ("U-4", "C-3", "owner", None),
    ]


async def test_another_contact_can_become_the_primary_one(folder: Folder) -> None:
    await folder.load()
    folder.change("contacts.csv", "K-2", is_primary="no")
    folder.change("contacts.csv", "K-3", is_primary="yes")
    await folder.load()
    found = await rows("SELECT external_id FROM contact WHERE is_primary ORDER BY external_id")
    assert [row["external_id"] for row in found] == ["K-1", "K-3", "K-4"]


async def test_a_number_moves_to_a_new_line_when_the_old_one_ended(folder: Folder) -> None:
    await folder.load()
    folder.change("services.csv", "S-4", state="ended", end_reason="expired")
    await folder.load()
    folder.add(
        "services.csv",
        id="S-9",
        customer="C-1",
        product="P-1",
        name="Mobile",
        type="mobile",
        state="active",
        monthly_price="9.60",
        number="+447700900612",
    )
    report = await folder.load()
    assert report.files["services"].added == 1


async def test_a_single_file_can_follow_later(folder: Folder) -> None:
    await folder.load()
    for path in folder.place.glob("*.csv"):
        if path.name != "usage_records.csv":
            path.unlink()
    folder.add(
        "usage_records.csv",
        id="R-6",
        service="S-1",
        kind="sms",
        started_at="2026-11-22T10:00:00Z",
        count="1",
        **{"class": "on_net"},
    )
    report = await folder.load()
    assert (report.files["usage_records"].added, report.files["usage_records"].unchanged) == (1, 5)


async def test_what_was_imported_is_in_the_audit_log(folder: Folder) -> None:
    await folder.load()
    found = await rows("SELECT details FROM audit_event WHERE event = 'feeds.imported'")
    assert len(found) == len(EXAMPLE_ROWS)
    assert {"file": "services", "rows": 4, "added": 4, "changed": 0} in [json.loads(row["details"]) for row in found]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_line_ends_and_a_byte_order_mark_do_not_matter(folder: Folder, end: str) -> None:
    for path in folder.place.glob("*.csv"):
        text = path.read_text().replace("\n", end)
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert (await folder.load()).files["customers"].added == 3
    (customer,) = await rows("SELECT billing_address FROM customer WHERE external_id = 'C-1'")
    assert customer["billing_address"].splitlines() == ["Nia Roberts", "7 Mill Lane", "Chester", "CH1 2NB"]


async def test_a_file_with_no_rows_imports_nothing(folder: Folder) -> None:
    folder.write("transactions.csv", folder.text("transactions.csv").splitlines()[0] + "\n")
    assert (await folder.load()).files["transactions"].rows == 0


async def run(sql: str) -> None:
    from selfcare.db.engine import transaction

    async with transaction() as tx:
        await tx.rows(sql, ())
