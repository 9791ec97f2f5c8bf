"""The files of units' statements: names, the archive and its index, the workbook."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from chargeback.errors import UsageProblem
from chargeback.statement.unit_files import (
    INDEX_COLUMNS,
    file_name,
    html_bytes,
    slug_of,
    workbook_bytes,
    write_archive,
    write_archive_file,
    write_unit_files,
)
from chargeback.statement.unit_statement import UnitStatements
from tests.bills import MONTH, line
from tests.statement.test_allocation import GATEWAY, rules
from tests.statement.units import answers_on, line_of, statement_on, statements_on

NAMES = ["=1+1", "Acme Corp.", "acme-corp", "Müller & Söhne", "../../etc/passwd", "株式会社"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> UnitStatements:
    lines = [line_of(name, f"{10 + at}.005") for at, name in enumerate(NAMES)]
    lines += [line("8.00", principal=GATEWAY), line("0.999", "Tax")]
    answers = answers_on(tmp_path_factory.mktemp("files"), {MONTH: lines})
    rule = {"id": "r", "name": "Shared", "for": ["tenant"], "by": "even"}
    return statements_on(answers, "tenant", rules(rule, tax="usage"))


def archive(found: UnitStatements) -> bytes:
    out = io.BytesIO()
    write_archive(found, out)
    return out.getvalue()


@given(st.text(max_size=100))
def test_a_slug_is_letters_digits_and_dashes(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?", slug_of(name))


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Müller & Söhne GmbH", "muller-sohne-gmbh"),
        ("../../etc/passwd", "etc-passwd"),
        ("株式会社", "unnamed"),
        ("", "unnamed"),
        ("x" * 39 + "-y", "x" * 39),
    ],
)
def test_a_slug_keeps_what_it_can_of_a_name(name: str, slug: str) -> None:
    assert slug_of(name) == slug


def test_names_are_told_apart_by_number(found: UnitStatements) -> None:
    names = [file_name(found.of(each), "html") for each in found.statement.charges]
    assert len(set(names)) == len(NAMES) + 1
    assert names[0] == f"statement-tenant-{MONTH}-001-etc-passwd.html"  # '.' sorts before '='
    assert names[-1] == f"statement-tenant-{MONTH}-007-unallocated.html"


def test_the_archive_holds_every_statement_and_its_index_adds_up_to_the_bill(
    found: UnitStatements,
) -> None:
    with ZipFile(io.BytesIO(archive(found))) as opened:
        rows = list(csv.DictReader(io.StringIO(opened.read("index.csv").decode("utf-8-sig"))))
        digests = {
            name: hashlib.sha256(opened.read(name)).hexdigest() for name in opened.namelist()
        }
    assert tuple(rows[0]) == INDEX_COLUMNS
    assert {row["file"]: row["sha256"] for row in rows} == {
        name: digest for name, digest in digests.items() if name != "index.csv"
    }
    # 10.005 … 15.005, 8.00 and 0.999: to the cent.
    assert sum(Decimal(row["amount_due"]) for row in rows) == Decimal("84.03")
    assert [row["unit"] for row in rows[:2]] == ["../../etc/passwd", "'=1+1"]


def test_the_archive_is_the_same_at_any_time(found: UnitStatements) -> None:
    first = archive(found)
    assert archive(found) == first
    with ZipFile(io.BytesIO(first)) as opened:
        assert {part.date_time for part in opened.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_each_statement_is_heard_of(found: UnitStatements) -> None:
    heard: list[tuple[int, int]] = []
    write_archive(found, io.BytesIO(), lambda at, of: heard.append((at, of)))
    assert heard == [(at, len(NAMES) + 1) for at in range(1, len(NAMES) + 2)]


def test_one_units_files_are_those_of_the_archive(found: UnitStatements, tmp_path: Path) -> None:
    html, xlsx = write_unit_files(found, "acme-corp", tmp_path / "new")
    statement = statement_on(found, "acme-corp")
    assert html.read_bytes() == html_bytes(statement)
    assert xlsx.read_bytes() == workbook_bytes(statement)
    whole = write_archive_file(found, tmp_path / "new")
    assert whole.name == f"statements-tenant-{MONTH}.zip"
    with ZipFile(whole) as opened:
        assert opened.read(html.name) == html.read_bytes()
    assert sorted(tmp_path.joinpath("new").iterdir()) == sorted([html, xlsx, whole])


def test_nothing_is_written_for_a_unit_that_is_none(found: UnitStatements, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem):
        write_unit_files(found, "none such", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_what_was_there_stays_until_the_new_is_whole(found: UnitStatements, tmp_path: Path) -> None:
    file = write_archive_file(found, tmp_path)
    before = file.read_bytes()

    def stop(at: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_archive_file(found, tmp_path, stop)
    assert [each.name for each in tmp_path.iterdir()] == [file.name]
    assert file.read_bytes() == before


def test_a_unit_has_a_statement_in_each_currency(tmp_path: Path) -> None:
    lines = [line("10.00", tenant="acme"), line("20.00", tenant="acme", currency="EUR")]
    found = statements_on(answers_on(tmp_path, {MONTH: lines}))
    files = write_unit_files(found, "acme", tmp_path / "out")
    assert [file.name for file in files] == [
        f"statement-tenant-{MONTH}-{number}-acme.{kind}"
        for number in ("001", "003")  # 002 is what nobody is charged in euros
        for kind in ("html", "xlsx")
    ]
    assert "€20.00" in files[0].read_text("utf-8")
    assert "$10.00" in files[2].read_text("utf-8")


def test_the_workbook_holds_the_same_figures(found: UnitStatements) -> None:
    statement = statement_on(found, "acme-corp")
    book = load_workbook(io.BytesIO(workbook_bytes(statement)))
    assert book.sheetnames == ["Statement", "Months", "Callers", "Models"]
    totals = [list(book[name].values)[-1] for name in ("Statement", "Callers", "Models")]
    assert [row[0] for row in totals] == ["Total"] * 3
    assert [Decimal(str(row[-1])) for row in totals] == [
        statement.charged.total,
        statement.charged.own,
        statement.charged.own,
    ]
    months = [row[:2] for row in book["Months"].values if row[1] is not None]
    assert months[-1] == ("October 2026", float(statement.charged.total))


def test_equal_workbooks_have_equal_bytes(found: UnitStatements) -> None:
    statement = statement_on(found, "=1+1")
    assert workbook_bytes(statement) == workbook_bytes(statement)
    cell = load_workbook(io.BytesIO(workbook_bytes(statement)))["Statement"]["A1"]
    assert (cell.value, cell.data_type) == ("=1+1: Tenant statement, October 2026", "s")
