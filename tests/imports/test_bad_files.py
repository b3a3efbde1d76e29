"""Bad input is told as file:line:column with what is wrong and what was expected, and nothing is imported."""

import pytest

from selfcare.imports.problems import Refused
from tests.support.imports import Folder, rows

CELLS = [
    ("customers.csv", "C-2", "name", "", "name: it is empty; expected a value"),
    ("customers.csv", "C-2", "type", "Business", "expected one of individual, business"),
    ("customers.csv", "C-2", "contract_start", "15/11/2024", "write it like 2026-11-22"),
    ("customers.csv", "C-2", "contract_start", "2024-02-30", "write it like 2026-11-22"),
    ("customers.csv", "C-2", "id", "C 2", "without spaces"),
    ("customers.csv", "C-2", "name", "x" * 161, "at most 160"),
    ("customers.csv", "C-2", "name", "bell\x07", "control characters"),
    ("products.csv", "P-1", "price", "-9.60", "-9.60 is below zero"),
    ("products.csv", "P-1", "price", "NaN", '"NaN" is no amount'),
    ("products.csv", "P-1", "price", "9.605", "9.605 has 3 decimals; GBP has 2"),
    ("products.csv", "P-1", "price", "£9.60", "without a currency sign"),
    ("products.csv", "P-1", "price", "1e3", "is no amount"),
    ("products.csv", "P-1", "price", "9" * 30, "is no amount"),
    ("products.csv", "P-1", "grants", '{"kind": "data"}', "expected a JSON list"),
    ("products.csv", "P-1", "grants", '[{"kind": "data", "label": "x", "amount": NaN}]', "is no JSON"),
    ("products.csv", "P-1", "grants", '[{"kind": "data", "label": "x", "amount": -1}]', "amount of a grant cannot be"),
    ("products.csv", "P-1", "tax_rate", "200", "is no rate in per cent"),
    ("products.csv", "P-1", "starts", "first_use", "only an add-on that is paid once"),
    ("products.csv", "P-1", "requires", "nothing", "there is no product with the slug nothing"),
    ("services.csv", "S-1", "customer", "C-99", "C-99 is not in customers.csv"),
    ("services.csv", "S-1", "site", "A-2", "A-2 belongs to another customer"),
    ("services.csv", "S-1", "state", "suspended", "needs a reason"),
    ("services.csv", "S-1", "number", "07700 900610", "write it with country code"),
    ("services.csv", "S-1", "number", "+447700900611", "stands on line 4 already|stands on line 2 already"),
    ("services.csv", "S-1", "activated_at", "2025-03-01T09:00:00", "has no time zone"),
    ("services.csv", "S-1", "activated_at", "2025-03-01", "write it like 2026-11-22T10:00:00Z"),
    ("services.csv", "S-1", "renews", "true", "is neither yes nor no"),
    ("services.csv", "S-1", "configuration", '["x"]', "expected a JSON object"),
    ("sims.csv", "M-2", "iccid", "8944 1100", "expected 18 to 20 digits"),
    ("sims.csv", "M-2", "iccid", "8944110069012345694", "stands on line"),
    ("sims.csv", "M-2", "eid", "8904", "expected 32 digits"),
    ("sims.csv", "M-2", "state", "on", "expected one of released"),
    ("sims.csv", "M-2", "activation_code", "", "an eSIM that waits to be installed needs its code"),
    ("sims.csv", "M-2", "kind", "physical", "only an eSIM has this"),
    ("sims.csv", "M-2", "service", "S-9", "S-9 is not in services.csv"),
    ("sims.csv", "M-1", "replaced_at", "", "S-1 has the SIM on line 2 in use already"),
    ("users.csv", "U-1", "email", "nia@", "is no e-mail address; write it like name@example.com"),
    ("users.csv", "U-1", "email", "OWNER@cafe.example.test", "stands on line"),
    ("users.csv", "U-1", "memberships", "C-1", "has no role"),
    ("users.csv", "U-1", "memberships", "C-1 boss", "expected one of owner, payer, user, viewer"),
    ("users.csv", "U-1", "memberships", "C-1 owner; C-1 viewer", "the same customer stands there twice"),
    ("users.csv", "U-1", "memberships", "C-1 user S-2", "S-2 is no service of C-1"),
    ("users.csv", "U-4", "memberships", "C-3 viewer", "nobody owns C-3"),
    ("contacts.csv", "K-3", "is_primary", "yes", "has a primary contact on line 3 already"),
    ("buckets.csv", "B-1", "remaining", "-1", "is no whole number"),
    ("buckets.csv", "B-1", "remaining", "1.5", "is no whole number"),
    ("buckets.csv", "B-4", "remaining", "nan", "is no amount"),
    ("buckets.csv", "B-4", "granted", "-10.00", "is below zero"),
    ("buckets.csv", "B-1", "period_end", "2026-10-01T00:00:00Z", "the period ends before it starts"),
    ("buckets.csv", "B-1", "consume_order", "0", "out of range"),
    ("usage_records.csv", "R-1", "bytes", "9" * 19, "out of range"),
    ("usage_records.csv", "R-4", "count", "0", "needs a count of 1 or more"),
    ("usage_records.csv", "R-1", "started_at", "2126-11-20T18:30:00Z", "in the future"),
    ("usage_records.csv", "R-1", "bucket", "B-4", "B-4 belongs to another customer"),
    ("invoices.csv", "I-2", "due_on", "2026-10-01", "it is due before its date"),
    ("invoices.csv", "I-2", "net", "-33.00", "only a credit note is below zero"),
    ("invoices.csv", "I-2", "state", "settled", "a settled bill is paid in full"),
    ("invoices.csv", "I-2", "net", "33.01", "the lines of 2026-10-0002 add up to another amount"),
    ("transactions.csv", "T-3", "amount", "-25.00", "a charge is not below zero"),
    ("transactions.csv", "T-2", "amount", "9.60", "below zero, like -12.50"),
    ("transactions.csv", "T-3", "currency", "EUR", "has another currency than its customer; expected GBP"),
    ("transactions.csv", "T-3", "currency", "XXX", "is no currency"),
]


@pytest.mark.parametrize(("file", "id", "column", "cell", "said"), CELLS, ids=lambda value: str(value)[:24])
async def test_a_bad_cell_is_named_with_what_was_expected(
    folder: Folder, file: str, id: str, column: str, cell: str, said: str
) -> None:
    folder.change(file, id, **{column: cell})
    lines = await folder.refused()
    assert any(words in line for line in lines for words in said.split("|")), lines
    assert all(".csv:" in line for line in lines)


@pytest.mark.parametrize(
    ("column", "cell", "place", "said"),
    [
        ("pin1", "12E4", 8, "expected 4 to 8 digits"),
        ("puk1", "2718281", 9, "expected 8 digits"),
        ("activation_code", "LPA:2$rsp.example.com$X-1", 12, "expected one like LPA:1$rsp.example.com$04386"),
    ],
)
async def test_a_bad_code_of_a_sim_is_named_and_not_repeated(
    folder: Folder, column: str, cell: str, place: int, said: str
) -> None:
    folder.change("sims.csv", "M-2", **{column: cell})
    (line,) = await folder.refused()
    assert line.startswith(f"sims.csv:3:{place}: {column}: ")
    assert said in line
    assert cell not in line


async def test_the_place_is_file_line_and_cell(folder: Folder) -> None:
    folder.change("sites.csv", "A-2", country="Britain")
    assert await folder.refused() == [
        'sites.csv:3:7: country: "Britain" is no country; expected two capital letters like GB'
    ]


async def test_the_line_is_right_after_a_cell_of_several_lines(folder: Folder) -> None:
    folder.change("customers.csv", "C-3", pays="sometimes")
    (line,) = await folder.refused()
    assert line.startswith("customers.csv:10:5: pays: ")


async def test_what_follows_from_a_mistake_is_not_told_as_another(folder: Folder) -> None:
    folder.change("customers.csv", "C-1", type="person")
    assert len(await folder.refused()) == 1


async def test_an_id_twice_is_told_with_both_lines(folder: Folder) -> None:
    text = folder.text("sites.csv")
    folder.write("sites.csv", text + text.splitlines()[1] + "\n")
    assert await folder.refused() == ["sites.csv:4:1: id: A-1 stands on line 2 already; expected each id once"]


async def test_all_mistakes_are_told_at_once_up_to_a_hundred(folder: Folder) -> None:
    header = "id,service,kind,class,started_at\n"
    bad = "".join(f"X-{n},S-1,smoke,on_net,2026-11-20T18:30:00Z\n" for n in range(150))
    folder.write("usage_records.csv", header + bad)
    lines = await folder.refused()
    assert len(lines) == 101
    assert lines[-1] == "… and more: these are the first 100."


async def test_an_unknown_column_gets_a_hint(folder: Folder) -> None:
    folder.write("sites.csv", folder.text("sites.csv").replace("zip_code", "zipcode"))
    lines = await folder.refused()
    assert lines[0] == 'sites.csv:1:6: there is no column "zipcode"; did you mean zip_code?'
    assert lines[1].startswith("sites.csv:1: the column zip_code is missing")


async def test_a_header_without_names_is_refused(folder: Folder) -> None:
    folder.write("sites.csv", "A-1,C-1,Home\n")
    assert (await folder.refused())[0].startswith('sites.csv:1:1: there is no column "A-1"')


async def test_a_column_twice_is_refused(one_file: Folder) -> None:
    one_file.write("customers.csv", "id,number,name,type,pays,name\n")
    assert await one_file.refused() == ["customers.csv:1:6: the column name stands there twice; expected it once"]


async def test_semicolons_between_cells_are_recognised(one_file: Folder) -> None:
    one_file.write("customers.csv", "id;number;name;type;pays\n1;2;3;individual;prepaid\n")
    assert await one_file.refused() == ["customers.csv:1:1: the cells are separated by semicolons; expected commas"]


async def test_an_empty_file_is_refused(folder: Folder) -> None:
    folder.write("customers.csv", "")
    assert (await folder.refused())[0].startswith("customers.csv:1: the file is empty; expected a first line with id")


async def test_bytes_that_are_not_utf_8_are_named(folder: Folder) -> None:
    folder.write(
        "customers.csv", folder.text("customers.csv").encode().replace("Café".encode(), "Café".encode("latin-1"))
    )
    lines = await folder.refused()
    assert lines[0].startswith("customers.csv:6:3: name: ")
    assert "not UTF-8" in lines[0]


async def test_a_line_with_too_few_cells_is_named(one_file: Folder) -> None:
    one_file.write("customers.csv", "id,number,name,type,pays\nC-1,1,Ann\n")
    assert await one_file.refused() == ["customers.csv:2: 3 cells; expected 5, as in the first line"]


async def test_an_open_quote_is_named(one_file: Folder) -> None:
    one_file.write("customers.csv", 'id,number,name,type,pays\nC-1,1,"Ann,individual,prepaid\n')
    assert await one_file.refused() == ["customers.csv:2: a quote is opened and not closed"]


async def test_a_cell_of_five_megabytes_is_refused_without_being_kept(one_file: Folder) -> None:
    one_file.write("customers.csv", "id,number,name,type,pays\nC-1,1," + "x" * 5_000_000 + ",individual,prepaid\n")
    (line,) = await one_file.refused()
    assert line.startswith("customers.csv:2: a line is longer than 1,000,000 characters")


async def test_a_cell_of_five_megabytes_in_many_lines_is_refused(one_file: Folder) -> None:
    cell = '"' + "line\n" * 1_000_000 + '"'
    one_file.write("customers.csv", f"id,number,name,type,pays\nC-1,1,{cell},individual,prepaid\n")
    (line,) = await one_file.refused()
    assert line.startswith("customers.csv:2: a cell is longer than 100,000 characters")


async def test_an_unknown_file_is_named(folder: Folder) -> None:
    folder.write("invoice.csv", "id\n")
    (line,) = await folder.refused()
    assert line.startswith("invoice.csv:0: this file is not known; known are buckets.csv")


async def test_a_folder_without_files_is_refused(one_file: Folder) -> None:
    (line,) = await one_file.refused()
    assert "there is no file to import" in line


async def test_somebody_elses_address_is_taken(folder: Folder) -> None:
    await folder.load()
    folder.add("users.csv", id="U-9", email="Nia@Example.test", display_name="N", memberships="C-1 viewer")
    with pytest.raises(Refused) as caught:
        await folder.load()
    assert str(caught.value) == "users.csv:6:2: email: nia@example.test is taken by U-1"


async def test_a_refused_import_leaves_the_last_one_as_it_was(folder: Folder) -> None:
    await folder.load()
    folder.change("customers.csv", "C-1", name="Somebody else")
    folder.change("transactions.csv", "T-3", amount="x")
    with pytest.raises(Refused):
        await folder.load()
    (customer,) = await rows("SELECT name FROM customer WHERE external_id = 'C-1'")
    assert customer["name"] == "Nia Roberts"


async def test_a_service_cannot_move_to_another_customer(folder: Folder) -> None:
    await folder.load()
    folder.change("sites.csv", "A-1", customer="C-3")
    with pytest.raises(Refused) as caught:
        await folder.load()
    assert "it cannot move" in str(caught.value)
