"""How files of profiles are read: by the rules of their sources, as those who import them do."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

from chargeback.files.cells import FORMULA_STARTS
from chargeback.statement.documents import DocumentSet
from tests.statement.journal.months import LAST_DAY, SETTINGS

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
Row = Mapping[str, str]


@dataclass(frozen=True)
class Layout:
    """How a file of a profile is read; from the sources that the profile names."""

    document: str
    account: str
    day: str
    day_format: str
    text: str
    debit: str = ""
    credit: str = ""
    amount: str = ""
    """One signed amount, in place of debit and credit."""
    currency: str = ""
    line_limit: int = 10**9
    text_length: int = 10**9


LAYOUTS = {
    "generic": Layout(
        "document_id",
        "account",
        "posting_date",
        "%Y-%m-%d",
        "description",
        "debit",
        "credit",
        currency="currency",
    ),
    # NetSuite Help: External ID on every line; 200 lines in an interactive journal.
    "netsuite": Layout(
        "External ID",
        "Journal Entry - Line: Account",
        "Date",
        "%Y-%m-%d",
        "Journal Entry - Line: Memo",
        "Journal Entry - Line: Debit",
        "Journal Entry - Line: Credit",
        currency="Currency",
        line_limit=200,
    ),
    # No header: columns by their position in Oracle's template, from 1.
    "oracle-fusion": Layout("46", "10", "3", "%Y/%m/%d", "52", "39", "40", currency="6"),
    "dynamics365": Layout(
        "VOUCHER",
        "ACCOUNTDISPLAYVALUE",
        "TRANSDATE",
        "%Y-%m-%d",
        "TEXT",
        "DEBITAMOUNT",
        "CREDITAMOUNT",
        currency="CURRENCYCODE",
        text_length=60,
    ),
    "business-central": Layout(
        "documentNumber",
        "accountNumber",
        "postingDate",
        "%Y-%m-%d",
        "description",
        amount="amount",
        text_length=100,
    ),
    "quickbooks": Layout(
        "Journal No.",
        "Account Name",
        "Journal Date",
        "%m/%d/%Y",
        "Description",
        "Debits",
        "Credits",
        line_limit=1000,
    ),
}


def rows_of(file: Path) -> list[Row]:
    """The rows of a file, by header; by position from 1 where the layout has no header."""
    content = file.read_bytes()
    if file.suffix == ".zip":
        with ZipFile(file) as archive:
            assert archive.namelist() == ["GlInterface.csv"]
            rows = list(csv.reader(io.StringIO(archive.read("GlInterface.csv").decode("utf-8"))))
        return [{f"{at}": cell for at, cell in enumerate(row, start=1)} for row in rows]
    text = content.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def amount_in(row: Row, layout: Layout) -> Decimal:
    """Debit positive; written with two decimals, and one of debit and credit empty."""
    if layout.amount:
        assert re.fullmatch(r"-?\d+\.\d\d", row[layout.amount])
        return Decimal(row[layout.amount])
    filled = [(sign, row[name]) for sign, name in ((1, layout.debit), (-1, layout.credit))]
    ((sign, text),) = [(sign, text) for sign, text in filled if text]
    assert re.fullmatch(r"\d+\.\d\d", text)
    return sign * Decimal(text)


def assert_as_imported(files: Iterable[Path], layout: Layout, found: DocumentSet) -> None:
    """Each document balances within the limits; the file ties to units and sellers."""
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    for file in files:
        entries: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(file):
            entries[row[layout.document]].append(row)
        for number, rows in entries.items():
            assert 0 < len(number) <= 20
            assert 2 <= len(rows) <= layout.line_limit
            assert sum(amount_in(row, layout) for row in rows) == 0
            assert len({row[layout.currency] for row in rows if layout.currency}) <= 1
            for row in rows:
                assert datetime.strptime(row[layout.day], layout.day_format).date() == LAST_DAY
                assert len(row[layout.text]) <= layout.text_length
                assert row[layout.text][:1] not in FORMULA_STARTS
                by_account[row[layout.account]] += amount_in(row, layout)
    sellers = (SETTINGS.clearing_of(each.billing_entity) for each in found.clearing)
    due = {account: Decimal() for account in sellers}
    for each in found.clearing:
        due[SETTINGS.clearing_of(each.billing_entity)] -= each.amount
    assert {account: by_account.pop(account, Decimal()) for account in due} == due
    assert sum(by_account.values()) == sum(each.amount_due for each in found.documents)
