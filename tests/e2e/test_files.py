"""What the browser downloads is what the command line writes, byte for byte."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Open, Served, settled

MONTH = "2026-10"


@pytest.mark.parametrize("by", ["Tenant", "Team", "IAM principal"])
def test_downloads_equal_the_command_lines_files(
    open_page: Open, served: Served, tmp_path: Path, by: str
) -> None:
    unit = {"IAM principal": "principal"}.get(by, by.lower())
    served.command("export", "--month", MONTH, "--by", unit, "--out", str(tmp_path))
    page = open_page(f"/chargeback?month={MONTH}")
    page.get_by_role("radio", name=by, exact=True).click()
    page.get_by_role("columnheader", name=by).first.wait_for()
    settled(page)
    for label in ("Statement (CSV)", "Detail (CSV)", "Manifest (JSON)"):
        with page.expect_download() as started:
            page.get_by_role("button", name=label).click()
        written = tmp_path / started.value.suggested_filename
        assert written.read_bytes() == started.value.path().read_bytes()


def test_one_menu_holds_the_files_of_all_sections(open_page: Open) -> None:
    page = open_page(f"/?month={MONTH}&account=111122223333")
    page.get_by_role("button", name="Download").click()
    files = page.get_by_test_id("stPopoverBody").get_by_test_id("stDownloadButton")
    expect(files.filter(has_text="Attribution")).to_be_visible()
    with page.expect_download() as started:
        files.filter(has_text="Top teams").click()
    assert started.value.suggested_filename == f"teams-{MONTH}-filtered.csv"
    assert "checkout" in started.value.path().read_text(encoding="utf-8-sig")


def test_a_workbook_comes_alone_or_in_an_archive_with_the_detail(
    open_page: Open, tmp_path: Path
) -> None:
    page = open_page(f"/chargeback?month={MONTH}")
    for label in ("Workbook (XLSX)", "Workbook with detail (ZIP)"):
        with page.expect_download() as started:
            page.get_by_role("button", name=label).click()
        started.value.save_as(tmp_path / started.value.suggested_filename)
    name = f"chargeback-tenant-{MONTH}"
    assert openpyxl.load_workbook(tmp_path / f"{name}.xlsx").sheetnames == ["Statement"]
    with ZipFile(tmp_path / f"{name}-with-detail.zip") as archive:
        assert archive.namelist() == [f"{name}.xlsx", f"chargeback-detail-{MONTH}.csv"]
        assert archive.read(f"{name}.xlsx") == (tmp_path / f"{name}.xlsx").read_bytes()
