"""Closing with a ledger in S3: the same files, one winner, nothing needed on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from chargeback.closing.sent import write_frozen_export
from chargeback.doctor.running_cost import LEDGER_FILES
from chargeback.ledger.chain import verify
from tests.athena.server import AthenaService
from tests.bills import line
from tests.closing.conftest import AUGUST, SEPTEMBER, Company, ends_of_two, usual
from tests.ledger.conftest import location, s3, s3_service

__all__ = ["location", "s3", "s3_service"]


@pytest.fixture
def in_s3(new_company: Callable[..., Company], location: str) -> Company:
    return new_company(ledger=location)


def frozen(of: Company, month: str, out: Path) -> dict[str, bytes]:
    written = write_frozen_export(of.statements().book.require(month), "tenant", out)
    return {file.name: file.read_bytes() for file in written.all}


def test_a_month_is_closed_corrected_and_proven_in_s3(in_s3: Company, tmp_path: Path) -> None:
    in_s3.close(AUGUST)
    before = frozen(in_s3, AUGUST, tmp_path / "before")
    in_s3.deliver({AUGUST: [*usual(), line("-5.00", "Credit", tenant="acme")]})
    in_s3.close(SEPTEMBER)
    (document,) = [
        each
        for each in in_s3.statements().book.require(SEPTEMBER).documents("tenant").documents
        if each.bill_to == "acme"
    ]
    assert str(document.adjustment_amount) == "-5.00"
    shutil.rmtree(in_s3.folder / "store")
    assert frozen(in_s3, AUGUST, tmp_path / "after") == before
    assert verify(in_s3.workspace.ledger) is None
    assert in_s3.workspace.ledger.verify_changes() is None


def test_of_two_who_close_at_once_in_s3_one_does(in_s3: Company) -> None:
    ends = ends_of_two(in_s3, AUGUST)
    assert ends[1] == "closed"
    assert ends[0].startswith("Somebody else closed or reopened a month meanwhile")
    assert len(in_s3.statements().book.entries) == 1


def test_a_close_and_a_page_ask_of_s3_what_is_calculated(in_s3: Company, s3: AthenaService) -> None:
    in_s3.close(AUGUST)
    writes = s3.calls["PutObject"] + s3.calls["ListObjects"]
    assert LEDGER_FILES / 2 < writes <= LEDGER_FILES
    assert s3.calls["GetObject"] + s3.calls["HeadObject"] <= LEDGER_FILES
    in_s3.statements()
    s3.calls.clear()
    in_s3.statements()  # as each page does
    assert s3.calls == {"ListObjects": 1, "GetObject": 1}
