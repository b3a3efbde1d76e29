"""An import brings nobody back who was erased."""

from __future__ import annotations

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from tests.support.imports import Folder, rows


async def erase(sql: str) -> None:
    async with transaction():
        await execute(Prepared.sql(sql).bind())


async def test_a_row_of_an_erased_person_is_left_out_and_counted(folder: Folder) -> None:
    await folder.load()
    await erase(
        "UPDATE app_user SET email = 'erased-1@invalid', display_name = 'Erased person' WHERE external_id = 'U-1'"
    )
    await erase("UPDATE contact SET name = 'Erased person', email = NULL, phone = NULL WHERE external_id = 'K-1'")
    folder.change("users.csv", "U-1", display_name="Nia again")
    folder.change("contacts.csv", "K-1", name="Nia again")
    report = await folder.load()
    assert "1 left out: erased people, who are not brought back" in str(report)
    (user,) = await rows("SELECT email, display_name FROM app_user WHERE external_id = 'U-1'")
    assert (user["email"], user["display_name"]) == ("erased-1@invalid", "Erased person")
    (contact,) = await rows("SELECT name, email FROM contact WHERE external_id = 'K-1'")
    assert (contact["name"], contact["email"]) == ("Erased person", None)
    assert (report.files["users"].changed, report.files["contacts"].changed) == (0, 0)


async def test_an_account_that_closed_with_its_person_is_not_opened_again(folder: Folder) -> None:
    await folder.load()
    await erase("UPDATE customer SET status = 'archived' WHERE external_id = 'C-1'")
    folder.change("customers.csv", "C-1", name="Nia again")
    await folder.load()
    (customer,) = await rows("SELECT name FROM customer WHERE external_id = 'C-1'")
    assert customer["name"] == "Nia again"
    await erase(
        "UPDATE contact SET name = 'Erased person' WHERE customer_id = "
        "(SELECT id FROM customer WHERE external_id = 'C-1')"
    )
    folder.change("customers.csv", "C-1", name="Nia once more")
    report = await folder.load()
    (customer,) = await rows("SELECT name, status FROM customer WHERE external_id = 'C-1'")
    assert (customer["name"], report.files["customers"].erased) == ("Nia again", 1)
