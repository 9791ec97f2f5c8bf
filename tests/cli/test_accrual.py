"""python -m chargeback accrual: its files, and what it says of them."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from chargeback.cli.main import main
from tests.bills import Line, write_bill
from tests.statement.accruals import MORNING, daily, used

AS_BILLED = "Tax, discounts, credits and fees are as billed so far."


def said_of(
    months: dict[str, list[Line]],
    written: datetime,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> tuple[list[str], list[str]]:
    """What the command says of October by tenant: its lines on stdout and on stderr."""
    monkeypatch.chdir(folder)
    for name in [name for name in os.environ if "CHARGEBACK" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CHARGEBACK_CUR", str(write_bill(folder / "cur", months, written)))
    assert main(["accrual", "--month", "2026-10", "--by", "tenant"]) == 0
    out, err = capsys.readouterr()
    return out.splitlines(), err.splitlines()


def test_an_accrual_names_its_files_and_what_is_an_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    september = [
        *daily(date(2026, 9, 1), date(2026, 9, 29), "10.00", tenant="a"),
        used(date(2026, 9, 30), "0.00", tenant="a"),
    ]
    october = list(daily(date(2026, 10, 1), date(2026, 10, 28), "10.00", tenant="a"))
    out, err = said_of(
        {"2026-09": september, "2026-10": october}, MORNING, tmp_path, monkeypatch, capsys
    )
    assert out == ["out/accrual-tenant-2026-10.csv", "out/accrual-accuracy-tenant-2026-10.csv"]
    assert all(Path(name).is_file() for name in out)
    # 28 to 30 September would have been estimated at 30.00, and came to 20.00 of 290.00.
    assert err == [
        "chargeback: 2026-10: of $310.00 accrued, $30.00 is estimated, for 29 Oct to 31 Oct. "
        + AS_BILLED,
        "chargeback: 2026-10: with the last 3 days missing, accruals of 1 past month in USD would "
        "have been off by 3.4 % of the bill on average, +3.4 % at worst (September 2026).",
    ]


def test_a_month_with_few_days_before_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    october = list(daily(date(2026, 10, 1), date(2026, 10, 8), "10.00", tenant="a"))
    written = datetime(2026, 10, 10, 6, tzinfo=UTC)
    _, err = said_of({"2026-10": october}, written, tmp_path, monkeypatch, capsys)
    assert err == [
        "chargeback: 2026-10: of $310.00 accrued, $230.00 is estimated, for 9 Oct to 31 Oct. "
        + AS_BILLED,
        "chargeback: 2026-10: an estimate is the mean of the last 4 same weekdays; for some days "
        "only 1 of them is stored.",
    ]


def test_a_whole_month_is_estimated_in_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    october = [used(date(2026, 10, 31), "10.00", tenant="a")]
    written = datetime(2026, 11, 3, tzinfo=UTC)
    _, err = said_of({"2026-10": october}, written, tmp_path, monkeypatch, capsys)
    assert err == ["chargeback: 2026-10: every day is billed: nothing is estimated."]
