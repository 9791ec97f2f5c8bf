"""A unit's statement as a workbook: the figures of its page, to calculate with."""

from __future__ import annotations

from typing import BinaryIO

from chargeback.files.workbook import Sheet, write_workbook
from chargeback.formats import month_name
from chargeback.statement import unit_words as words
from chargeback.statement.column_words import HEADINGS
from chargeback.statement.unit_statement import Split, UnitStatement


def write_unit_workbook(statement: UnitStatement, out: BinaryIO) -> None:
    """Writes an XLSX workbook: the charge, its months, and what the direct spend is made of."""
    splits = (_split(statement, split) for split in statement.splits)
    sheets = [_charge(statement), _months(statement), *splits]
    write_workbook(out, sheets, created=statement.data_as_of)


def _charge(statement: UnitStatement) -> Sheet:
    amount = f"Amount ({statement.currency})"
    return Sheet(
        name="Statement",
        title_lines=[
            f"{statement.name}: {words.title(statement)}",
            f"{words.status(statement)}. {words.sources(statement)}",
            *filter(None, [words.posting(statement)]),
            words.change(statement),
            *words.still_open(statement),
            words.asking(statement),
        ],
        columns=["Part of the charge", "Column", "From or to", amount],
        rows=[
            [
                part.label,
                HEADINGS.get(part.column),
                words.others(part, statement.dimension),
                part.amount,
            ]
            for part in statement.parts
        ]
        + [[label, None, "", due] for label, due in words.corrections(statement)],
        money_columns=[amount],
        total_row=True,
    )


def _months(statement: UnitStatement) -> Sheet:
    charge = f"Charge ({statement.currency})"
    return Sheet(
        name="Months",
        title_lines=[f"{statement.name}: charge by month, {words.rules_of_months(statement)}"],
        columns=["Month", charge],
        rows=[[month_name(month), amount] for month, amount in statement.history],
        money_columns=[charge],
        total_row=False,
    )


def _split(statement: UnitStatement, split: Split) -> Sheet:
    spend, price = (f"{what} ({statement.currency})" for what in ("Spend", "Per million tokens"))
    plural = split.dimension.plural.capitalize()
    return Sheet(
        name=plural,
        title_lines=[f"{statement.name}: direct spend by {split.dimension.noun}"],
        columns=[split.dimension.noun.capitalize(), "As billed", "Tokens", price, spend],
        rows=[
            [part.name, part.as_billed, int(part.tokens), part.cost_per_million, part.cost]
            for part in split.parts
        ],
        money_columns=[spend],
        total_row=True,
    )
