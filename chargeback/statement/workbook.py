"""The workbook of a month: the statement, and what moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import BinaryIO

from chargeback.dimensions import CHARGED
from chargeback.files.workbook import Sheet, write_workbook
from chargeback.formats import moment, month_name
from chargeback.statement.build import Statement
from chargeback.statement.column_words import HEADINGS, in_words
from chargeback.statement.documents import CloseNote, Document
from chargeback.statement.export_tables import ALLOCATION_COLUMNS, allocation_rows


def workbook_name(month: str, by: str) -> str:
    """The name of the file."""
    return f"chargeback-{by}-{month}.xlsx"


def write_statement_workbook(statement: Statement, out: BinaryIO) -> None:
    """Writes an XLSX workbook with the statement, and what moved where anything could.

    Raises:
        TooManyRows: a table is longer than a sheet can be.
    """
    by, month = statement.bill_to_type, month_name(statement.billing_period)
    sheets = [_statement_sheet(statement, month)]
    if statement.settings.is_set:
        title = f"What moved between {CHARGED[by].plural}, {month}"
        rows = allocation_rows(statement)
        sheets.append(_sheet("Allocation", title, ALLOCATION_COLUMNS, rows, ("pool", "amount")))
    write_workbook(out, sheets, created=statement.data_as_of)


def _statement_sheet(statement: Statement, month: str) -> Sheet:
    """One row per unit, by amount; the cost center is left out where it is the unit itself."""
    dimension = CHARGED[statement.bill_to_type]
    has_center, documents = statement.bill_to_type != "cost_center", statement.documents_by_unit
    status = statement.period_status.capitalize()
    return Sheet(
        name="Statement",
        title_lines=[
            f"Amazon Bedrock chargeback by {dimension.noun}, {month}",
            f"{status}. Bill as of {moment(statement.data_as_of)}.",
            *(_closed(statement.closed) if statement.closed else ()),
        ],
        columns=[
            dimension.label,
            *(["Cost center"] if has_center else []),
            "Currency",
            *HEADINGS.values(),
            *(("Adjustment", "Amount due", "Document", "Corrects") if documents else ()),
        ],
        rows=[
            [
                charge.bill_to,
                *([charge.cost_center] if has_center else []),
                charge.currency,
                *charge.amounts,
                charge.total,
                *(_posted(documents[charge.currency, charge.bill_to]) if documents else ()),
            ]
            for charge in statement.by_amount
        ],
        money_columns=[*HEADINGS.values(), *(("Adjustment", "Amount due") if documents else ())],
        total_row=len(statement.bill) == 1,
    )


def _closed(closed: CloseNote) -> Iterator[str]:
    """Who closed the month, what they said, and what they overrode."""
    yield f"Closed by {closed.who} on {moment(closed.when)}: {closed.note}"
    for each in closed.despite:
        yield f"Closed despite {each.code}: {each.words}"


def _posted(document: Document) -> tuple[Decimal, Decimal, str, str]:
    """Adjustment, amount due, the document's id, and what it corrects or replaces."""
    due = document.adjustment_amount, document.amount_due
    return *due, document.document_id, document.original_document_id


def _sheet(
    name: str,
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    money: Sequence[str],
) -> Sheet:
    headings = [in_words(column) for column in columns]
    return Sheet(name, [title], headings, rows, [in_words(column) for column in money], False)
