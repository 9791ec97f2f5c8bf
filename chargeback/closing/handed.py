"""What a unit is handed of a month: made anew while the month is open, then as it was frozen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from chargeback.closing.sent import frozen_file, unit_files
from chargeback.closing.statements import Statements
from chargeback.statement.build import Charge
from chargeback.statement.unit_files import (
    archive_name,
    file_name,
    html_bytes,
    workbook_bytes,
)
from chargeback.statement.unit_gather import gather
from chargeback.statement.unit_html import fragment, fragment_of
from chargeback.statement.unit_statement import UnitStatements


@dataclass(frozen=True)
class Handed:
    """One unit's statement."""

    fragment: str
    """HTML, as a part of a page."""
    files: Mapping[str, Callable[[], bytes]]
    """By name: document and workbook."""


def handed(statements: Statements, month: str, by: str, charge: Charge) -> Handed:
    """What a unit is handed for one of its charges. Raises Problem."""
    if is_frozen(statements, month, by):
        return _frozen(statements, month, by, charge)
    own = gathered(statements, month, by, charge.bill_to).of(charge)
    files = {"html": partial(html_bytes, own), "xlsx": partial(workbook_bytes, own)}
    return Handed(fragment(own), {file_name(own, kind): make for kind, make in files.items()})


def is_frozen(statements: Statements, month: str, by: str) -> bool:
    """Whether the statements of a month by a kind of unit were frozen."""
    closed = statements.book.find(month)
    return closed is not None and by in closed.record.by


def frozen_archive(statements: Statements, month: str, by: str) -> bytes:
    """All documents of a closed month, as they were frozen."""
    closed = statements.book.require(month)
    return frozen_file(closed, by, archive_name(month, by))


def gathered(
    statements: Statements, month: str, by: str, only: str | None = None
) -> UnitStatements:
    """What the statements of a month's units, or of one, are made of."""
    return gather(
        statements.answers(month),
        statements.of(month, by),
        statements.history(month, by),
        statements.today,
        statements.workspace.settings.statement,
        only=only,
    )


def _frozen(statements: Statements, month: str, by: str, charge: Charge) -> Handed:
    closed = statements.book.require(month)
    at = f"-{statements.of(month, by).charges.index(charge) + 1:03d}-"
    found = unit_files(closed, by, charge.bill_to)
    mine = {name: content for name, content in found.items() if at in name}
    document = next(content for name, content in mine.items() if name.endswith(".html"))
    return Handed(
        fragment_of(document.decode()), {name: partial(bytes, mine[name]) for name in mine}
    )
