"""The files of the profiles, read by the rules of their sources, as those who import them do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings

from chargeback.errors import Problem
from chargeback.statement.documents import DocumentSet
from chargeback.statement.journal.profile import PROFILES, Profile, profile_names, read_profile
from chargeback.statement.journal.write import write_journal
from tests.statement.journal.layouts import (
    BYTE_ORDER_MARK,
    LAYOUTS,
    amount_in,
    assert_as_imported,
    rows_of,
)
from tests.statement.journal.months import (
    BEFORE,
    MARKETPLACE,
    MONTH,
    document,
    documents,
    months,
    posted,
)

WITH_COLUMNS = [name for name in profile_names() if read_profile(name).columns]


def written(
    found: DocumentSet, name: str, folder: Path, dimensions: Mapping[str, str] | None = None
) -> list[Path]:
    made = posted(found, dimensions=dimensions)
    return write_journal(made, read_profile(name), folder)


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_every_profile_balances_and_ties_for_any_month(name: str, tmp_path: Path) -> None:
    @settings(max_examples=25, deadline=None)
    @given(found=months())
    def holds(found: DocumentSet) -> None:
        with TemporaryDirectory(dir=tmp_path) as folder:
            assert_as_imported(written(found, name, Path(folder)), LAYOUTS[name], found)

    holds()


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_a_large_month_is_split_at_the_limit(name: str, tmp_path: Path) -> None:
    units = (document(f"unit-{at:04d}", f"{at}.01") for at in range(1, 1203))
    found = documents(*units, marketplace={(MONTH, "USD"): "100000.00"})
    (file,) = written(found, name, tmp_path)
    assert_as_imported([file], LAYOUTS[name], found)
    numbers = {row[LAYOUTS[name].document] for row in rows_of(file)}
    # 1,202 lines of units; two lines of each part clear it.
    assert len(numbers) == {200: 7, 1000: 2}.get(LAYOUTS[name].line_limit, 1)


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_files_are_named_for_profile_unit_and_month_and_their_bytes_stay(
    name: str, tmp_path: Path
) -> None:
    found = documents(document("acme-corp", "1.00"))
    (file,) = written(found, name, tmp_path / "out")
    kind = "zip" if name == "oracle-fusion" else "csv"
    assert file.name == f"journal-{name}-tenant-{MONTH}.{kind}"
    before = file.read_bytes()
    assert before.startswith(BYTE_ORDER_MARK) == (name == "generic")
    assert written(found, name, tmp_path / "out")[0].read_bytes() == before
    assert [each.name for each in (tmp_path / "out").iterdir()] == [file.name]


@pytest.mark.parametrize("name", WITH_COLUMNS)
def test_currencies_are_told_or_have_files_of_their_own(name: str, tmp_path: Path) -> None:
    found = documents(document("acme-corp", "1.00"), document("acme-corp", "2.00", currency="EUR"))
    layout = LAYOUTS[name]
    files = written(found, name, tmp_path)
    if layout.currency:
        (file,) = files
        assert {row[layout.currency] for row in rows_of(file)} == {"EUR", "USD"}
    else:
        stem = f"journal-{name}-tenant-{MONTH}"
        assert [file.name for file in files] == [f"{stem}-EUR.csv", f"{stem}-USD.csv"]
        assert [{abs(amount_in(row, layout)) for row in rows_of(file)} for file in files] == [
            {Decimal("2.00")},
            {Decimal("1.00")},
        ]


def test_the_generic_file_as_a_whole(tmp_path: Path) -> None:
    found = documents(
        document("acme-corp", "110.00", tax="10.00", corrections={BEFORE: "-3.00"}),
        document("=1+1", "5.00"),
        marketplace={(MONTH, "USD"): "40.00"},
    )
    (file,) = written(found, "generic", tmp_path)
    corrected = found.documents[0].corrections[0].original_document_id
    header, *rows = file.read_text("utf-8-sig").splitlines()
    number = rows[0].split(",")[0]
    assert header == (
        "document_id,line,posting_date,account,cost_center,description,debit,credit,currency"
    )
    # Units by name; then what is due to sellers, by period.
    assert rows == [
        f"{number},{line}"
        for line in (
            "1,2026-10-31,7001,CC-1,Amazon Bedrock 2026-10: =1+1,5.00,,USD",
            "2,2026-10-31,7002,CC-1,Amazon Bedrock 2026-10: acme-corp,100.00,,USD",
            '3,2026-10-31,7800,CC-1,"Tax, Amazon Bedrock 2026-10: acme-corp",10.00,,USD',
            f"4,2026-10-31,7002,CC-1,Correction of 2026-09 ({corrected}): acme-corp,,3.00,USD",
            '5,2026-10-31,6500,,"Amazon Bedrock 2026-09, clearing AWS",3.00,,USD',
            '6,2026-10-31,6500,,"Amazon Bedrock 2026-10, clearing AWS",,75.00,USD',
            f'7,2026-10-31,6501,,"Amazon Bedrock 2026-10, clearing {MARKETPLACE}",,40.00,USD',
        )
    ]


def test_oracles_file_has_its_columns_by_position_and_no_header(tmp_path: Path) -> None:
    found = documents(document("acme-corp", "1.00"))
    (file,) = written(found, "oracle-fusion", tmp_path, {"company": "01", "segment5": "000"})
    row, _ = rows_of(file)
    # As Oracle's template counts them: 38 before the amounts, ten references, Period Name last.
    assert len(row) == 95
    expected = {
        "1": "NEW",
        "3": "2026/10/31",
        "6": "USD",
        "8": "A",
        "9": "01",
        "10": "7001",
        "11": "CC-1",
        "13": "000",
        "39": "1.00",
        "40": "",
        "49": "",  # REFERENCE7: reversed by a journal of its own
        "52": "Amazon Bedrock 2026-10: acme-corp",
        "53": found.documents[0].document_id,
    }
    assert {at: row[at] for at in expected} == expected
    assert row["43"] == row["46"]


def test_lines_of_microsofts_files_are_numbered_through_them(tmp_path: Path) -> None:
    found = documents(document("a", "1.00"), document("a", "2.00", currency="EUR"))
    (file,) = written(found, "dynamics365", tmp_path)
    assert [row["LINENUMBER"] for row in rows_of(file)] == ["1", "2", "3", "4"]
    assert {row["JOURNALBATCHNUMBER"] for row in rows_of(file)} == {"BEDROCK"}
    _, file = written(found, "business-central", tmp_path)
    assert [row["lineNumber"] for row in rows_of(file)] == ["10000", "20000"]


def test_netsuite_is_told_the_period_and_its_dimensions(tmp_path: Path) -> None:
    found = documents(document("acme-corp", "1.00"))
    (file,) = written(found, "netsuite", tmp_path, {"department": "Sales", "subsidiary": "US"})
    unit, clearing = rows_of(file)
    assert unit["Posting Period"] == "Oct 2026"
    department = "Journal Entry - Line: Department"
    assert (unit[department], unit["Subsidiary"], clearing[department]) == ("Sales", "US", "")


def test_a_cost_center_of_the_bill_is_never_a_formula(tmp_path: Path) -> None:
    hostile = document("acme-corp", "1.00").model_copy(update={"cost_center": "=HYPERLINK(1)"})
    found = documents(hostile)
    (file,) = written(found, "generic", tmp_path, {"cost_center": ""})
    assert rows_of(file)[0]["cost_center"] == "'=HYPERLINK(1)"


def own(text: str, folder: Path) -> Profile:
    file = folder / "our-ledger.toml"
    file.write_text(f'system = "Ours"\nsource = "-"\ncertified_by_vendor = false\n{text}', "utf-8")
    return read_profile(str(file))


def test_a_profile_of_ones_own(tmp_path: Path) -> None:
    profile = own(
        """
        delimiter = ";"
        decimal = ","
        date_format = "DD.MM.YYYY"
        columns = [
            { name = "Datum", field = "posting_date" },
            { name = "Konto", field = "account", max_length = 4 },
            { name = "Kostenstelle", dimension = "kst", default = "000" },
            { name = "Betrag", field = "amount" },
            { name = "Text", field = "bill_to", max_length = 4 },
            { name = "Summe", field = "control_total" },
            { name = "Art", constant = "SA" },
        ]
        """,
        tmp_path,
    )
    (file,) = write_journal(posted(documents(document("acme-corp", "1.50"))), profile, tmp_path)
    assert file.name == f"journal-our-ledger-tenant-{MONTH}.csv"
    assert file.read_text("utf-8").splitlines() == [
        "Datum;Konto;Kostenstelle;Betrag;Text;Summe;Art",
        "31.10.2026;7001;000;1,50;acme;1,50;SA",
        "31.10.2026;6500;000;-1,50;;1,50;SA",
    ]


def test_an_account_that_does_not_fit_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    profile = own(
        """
        columns = [
            { name = "Datum", field = "posting_date" },
            { name = "Konto", field = "account", max_length = 3 },
            { name = "Betrag", field = "amount" },
        ]
        """,
        tmp_path,
    )
    with pytest.raises(Problem, match="'7001' has 4 characters; Konto of Ours takes 3"):
        write_journal(posted(documents(document("a", "1.00"))), profile, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_amount_beyond_netsuites_ten_digits_is_refused(tmp_path: Path) -> None:
    found = documents(document("a", "12345678901.00"))
    with pytest.raises(Problem, match=r"Journal Entry - Line: Debit of Oracle NetSuite takes 13"):
        written(found, "netsuite", tmp_path)


def test_every_profile_names_its_source_and_that_no_vendor_certified_it() -> None:
    assert set(WITH_COLUMNS) == set(LAYOUTS)
    for file in PROFILES.iterdir():
        head = " ".join(
            line.removeprefix("#").strip()
            for line in file.read_text("utf-8").splitlines()
            if line.startswith("#")
        )
        assert re.search(r"Not certified by (the|any) vendor", head), file.name
        profile = read_profile(str(file))
        assert profile.source and not profile.certified_by_vendor
