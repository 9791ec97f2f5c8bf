"""What is posted of an accrual, what takes it back, and the files of both."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.statement.accrual import Accrual
from chargeback.statement.accrual_accuracy import past_accruals
from chargeback.statement.accrual_documents import accrual_documents, posting_dates, reversal_of
from chargeback.statement.accrual_file import ACCURACY_COLUMNS, COLUMNS, method_of, write_accrual
from chargeback.statement.build import COLUMNS as OF_A_STATEMENT
from chargeback.statement.documents import Clearing, Document, DocumentSet, amounts_due
from tests.bills import whole
from tests.statement.accruals import MORNING, TODAY, accrual_on, answers_on, daily, used

FIRST, NEWEST = date(2026, 10, 1), date(2026, 10, 28)
HOSTILE = '=HYPERLINK("http://evil.example")'


def accrual_of(folder: Path, written: datetime = MORNING, tax: str = "5.00") -> Accrual:
    lines = [
        *daily(date(2026, 9, 1), NEWEST, "3.335", tenant="a", cost_center="CC-1"),
        *daily(FIRST, NEWEST, "1.00", tenant=HOSTILE, bill_billing_entity="AWS Marketplace"),
        used(FIRST, tax, "Tax", tenant="a"),
        used(FIRST, Decimal("5.00") - Decimal(tax), tenant="a"),
    ]
    return accrual_on(answers_on(folder, lines, written))


@pytest.fixture(scope="module")
def accrual(tmp_path_factory: pytest.TempPathFactory) -> Accrual:
    return accrual_of(tmp_path_factory.mktemp("bill"))


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def test_every_unit_is_accrued_and_taken_back(accrual: Accrual, tmp_path: Path) -> None:
    file, _ = write_accrual(accrual, [], tmp_path)
    assert file.name == "accrual-tenant-2026-10.csv"
    rows = read(file)
    assert tuple(rows[0]) == COLUMNS
    assert COLUMNS[:8] == OF_A_STATEMENT[:8]
    accrued, taken_back = rows[:3], rows[3:]
    assert [row["bill_to"] for row in accrued] == [f"'{HOSTILE}", "a", "(unallocated)"]
    assert {row["document_type"] for row in accrued} == {"ACCRUAL"}
    assert {row["document_type"] for row in taken_back} == {"ACCRUAL_REVERSAL"}
    assert {row["posting_date"] for row in accrued} == {"2026-10-31"}
    assert {row["posting_date"] for row in taken_back} == {"2026-11-01"}
    assert {row["days_estimated"] for row in rows} == {"3"}
    for row, back in zip(accrued, taken_back, strict=True):
        assert back["original_document_id"] == row["document_id"]
        for amount in ("actual_to_date", "estimated", "accrued_amount"):
            assert Decimal(back[amount]) == -Decimal(row[amount])
            assert row[amount].partition(".")[2].isdigit()
    # 28 days and three more at 3.335, which round apart, and the tax.
    assert [accrued[1][name] for name in COLUMNS[12:15]] == ["98.38", "10.01", "108.39"]
    assert len({row["document_id"] for row in rows}) == len(rows)


def test_a_file_says_that_its_amounts_are_no_bill(accrual: Accrual, tmp_path: Path) -> None:
    file, _ = write_accrual(accrual, [], tmp_path)
    assert {(row["period_status"], row["method"]) for row in read(file)} == {
        (
            "PROVISIONAL",
            "actual to date; missing days: mean of the last 4 same weekdays",
        )
    }
    assert not {"total_charge", "amount_due"} & set(COLUMNS)


def test_a_method_says_what_was_estimated_of_how_much(tmp_path: Path) -> None:
    early = datetime(2026, 9, 10, tzinfo=UTC)
    lines = list(daily(date(2026, 9, 1), date(2026, 9, 8), "1.00"))
    few = accrual_on(answers_on(tmp_path / "few", lines, early), month="2026-09")
    assert method_of(few).endswith("weekdays, fewer where fewer are stored (at least 1)")
    done = accrual_of(tmp_path / "done", datetime(2026, 11, 9, tzinfo=UTC))
    assert method_of(done) == "actual to date"


def test_how_far_off_past_ones_were_stands_in_a_file_beside_it(tmp_path: Path) -> None:
    lines = [*daily(date(2026, 9, 1), date(2026, 9, 29), "10.00"), used(NEWEST, "1.00")]
    answers = answers_on(tmp_path, lines)
    past = past_accruals(answers, whole("2026-10"), "tenant", TODAY, days=2)
    _, file = write_accrual(accrual_on(answers), past, tmp_path / "out")
    assert file.name == "accrual-accuracy-tenant-2026-10.csv"
    (row,) = read(file)
    assert tuple(row) == ACCURACY_COLUMNS
    # 29 days at 10.00, and the 30th that came to nothing; 10 of 290 is 3.45 %.
    assert list(row.values())[5:] == ["2", "300.00", "290.00", "10.00", "3.45"]


def test_documents_hold_what_the_lines_do_and_clear_by_seller(accrual: Accrual) -> None:
    documents = accrual_documents(accrual)
    assert [each.amount_due for each in documents.documents] == [
        line.accrued for line in accrual.lines
    ]
    assert [each.tax_amount for each in documents.documents] == [0, 5, 0]
    assert {each.billing_entity: each.amount for each in documents.clearing} == {
        "AWS": Decimal("108.39"),
        "AWS Marketplace": Decimal("31.00"),
    }
    assert amounts_due(documents.documents) == Decimal("139.39")


def test_the_same_content_has_the_same_id_and_another_has_another(
    accrual: Accrual, tmp_path: Path
) -> None:
    # A later delivery in which a cent of the tax of `a` is usage changes its documents, no others.
    changed = accrual_of(tmp_path / "changed", tax="4.99")
    again = accrual_of(tmp_path / "again")
    ids = [
        [each.document_id for each in accrual_documents(made).documents]
        for made in (accrual, again, changed)
    ]
    assert ids[0] == ids[1]
    assert [was == now for was, now in zip(ids[0], ids[2], strict=True)] == [True, False, True]


@pytest.mark.parametrize(
    ("month", "last", "next_first"),
    [
        ("2026-02", "2026-02-28", "2026-03-01"),
        ("2028-02", "2028-02-29", "2028-03-01"),
        ("2026-04", "2026-04-30", "2026-05-01"),
        ("2026-12", "2026-12-31", "2027-01-01"),
    ],
)
def test_an_accrual_is_posted_on_the_last_day_and_taken_back_on_the_next(
    month: str, last: str, next_first: str
) -> None:
    assert posting_dates(month) == (date.fromisoformat(last), date.fromisoformat(next_first))


amounts = st.decimals(-(10**9), 10**9, places=2)


@given(st.lists(st.tuples(amounts, amounts), max_size=9))
def test_a_reversal_is_the_exact_negative(charges: list[tuple[Decimal, Decimal]]) -> None:
    accrued = DocumentSet(
        billing_period="2026-10",
        by="tenant",
        revision=0,
        documents=tuple(
            Document(
                document_type="ACCRUAL",
                document_id=f"BC-{at}",
                bill_to=f"unit {at}",
                cost_center="",
                currency="USD",
                total_charge=charge,
                tax_amount=tax,
                exact=charge,
            )
            for at, (charge, tax) in enumerate(charges)
        ),
        clearing=tuple(
            Clearing(
                billing_period="2026-10", currency="USD", billing_entity=f"{at}", amount=charge
            )
            for at, (charge, _) in enumerate(charges)
        ),
    )
    back = reversal_of(accrued)
    assert amounts_due(back.documents) == -amounts_due(accrued.documents)
    for was, now in zip(accrued.documents, back.documents, strict=True):
        assert (now.amount_due, now.tax_amount) == (-was.amount_due, -was.tax_amount)
        assert (now.document_type, now.original_document_id) == (
            "ACCRUAL_REVERSAL",
            was.document_id,
        )
        assert now.document_id != was.document_id
    assert [each.amount for each in back.clearing] == [-each.amount for each in accrued.clearing]
